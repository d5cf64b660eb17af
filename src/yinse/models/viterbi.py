"""Viterbi search through left-to-right state graphs, for a batch of utterances at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yinse.core.types import FloatArray

IntArray = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class StateGraph:
    """States of one utterance in order; arcs run forward by their `distance` (0: stay).

    Attributes:
        emission: int32 `(S,)` acoustic state of each.
        owner: int32 `(S,)` position of the symbol each belongs to.
        arcs: float32 `(distances, S)` log probability of entering a state from `distance` states before.
        initial, final: float32 `(S,)` log probabilities of starting and ending there.
    """

    emission: IntArray
    owner: IntArray
    arcs: FloatArray
    initial: FloatArray
    final: FloatArray

    def reversed(self) -> StateGraph:
        """The same paths, walked from their ends to their starts; its states are in reverse order."""
        arcs = np.full_like(self.arcs, -np.inf)
        for distance, row in enumerate(self.arcs):
            arcs[distance, distance:] = row[distance:][::-1]
        return StateGraph(self.emission[::-1], self.owner[::-1], arcs, self.final[::-1], self.initial[::-1])


def best_scores(scores: FloatArray, graph: StateGraph) -> FloatArray:
    """Score of the best path that begins at the first frame and is in a state at a frame, that frame included.

    Args:
        scores: float32 `(T, acoustic states)` log-likelihoods.
        graph: of the utterance.

    Returns:
        float32 `(T, S)`.
    """
    heard = scores[:, graph.emission]
    result = np.empty_like(heard)
    result[0] = graph.initial + heard[0]
    arcs = [(distance, row[distance:]) for distance, row in enumerate(graph.arcs) if np.isfinite(row).any()]
    for t in range(1, len(heard)):
        here = np.full(heard.shape[1], -np.inf, dtype=np.float32)
        for distance, row in arcs:
            before = result[t - 1, : len(row)]
            np.maximum(here[distance:], before + row, out=here[distance:])
        np.add(here, heard[t], out=result[t])
    return result


def best_paths(scores: FloatArray, lengths: Sequence[int], graphs: Sequence[StateGraph]) -> list[IntArray]:
    """The likeliest state of each frame.

    Args:
        scores: float32 `(sum of lengths, acoustic states)` log-likelihoods, utterance after utterance. Near 0 at best,
            for the sums are float32.
        lengths: frames per utterance, from long to short, none 0.
        graphs: of each utterance; some path of its length must exist.

    Returns:
        int32 `(T,)` per utterance: positions in its graph.
    """
    frames = np.array(lengths)
    size, width = len(graphs), max(len(graph.emission) for graph in graphs)
    emission = np.zeros((size, width), dtype=np.int64)
    arcs = np.full((graphs[0].arcs.shape[0], size, width), -np.inf, dtype=np.float32)
    initial, final = np.full((2, size, width), -np.inf, dtype=np.float32)
    for row, graph in enumerate(graphs):
        count = len(graph.emission)
        emission[row, :count] = graph.emission
        arcs[:, row, :count] = graph.arcs
        initial[row, :count], final[row, :count] = graph.initial, graph.final
    distances = [d for d in range(1, len(arcs)) if np.isfinite(arcs[d]).any()]

    flat, states = scores.ravel(), scores.shape[1]
    index = emission + ((np.cumsum(frames) - frames) * states)[:, None]
    came_from = np.zeros((frames[0], size, width), dtype=np.uint8)
    path = np.zeros((frames[0], size), dtype=np.int32)
    score = initial + flat[index]
    for t in range(frames[0]):
        active = int((frames > t).sum())  # Utterances that still run; the others have left at the end of the batch.
        if t:
            index[:active] += states
            previous = score[:active]
            score = previous + arcs[0, :active]
            for d in distances:
                other = previous[:, :-d] + arcs[d, :active, d:]
                np.copyto(came_from[t, :active, d:], d, where=other > score[:, d:])
                np.maximum(score[:, d:], other, out=score[:, d:])
            score += flat[index[:active]]
        ending = np.flatnonzero(frames[:active] == t + 1)
        path[t, ending] = (score[ending] + final[ending]).argmax(axis=1)
    for t in range(frames[0] - 1, 0, -1):
        rows = np.flatnonzero(frames > t)
        here = path[t, rows]
        path[t - 1, rows] = here - came_from[t, rows, here]
    return [path[:count, row].copy() for row, count in enumerate(lengths)]
