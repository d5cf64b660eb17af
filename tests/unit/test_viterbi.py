"""The batched search against an enumeration of all paths."""

from __future__ import annotations

import itertools

import numpy as np

from yinse.core.types import FloatArray
from yinse.models.mixtures import Mixtures
from yinse.models.viterbi import IntArray, StateGraph, best_paths


def random_graph(rng: np.random.Generator, states: int) -> StateGraph:
    arcs = np.log(rng.random((3, states))).astype(np.float32)
    arcs[2, rng.random(states) < 0.5] = -np.inf
    initial = np.full(states, -np.inf, dtype=np.float32)
    initial[:2] = np.log([0.6, 0.4])
    final = np.where(np.arange(states) < states - 2, -np.inf, 0.0).astype(np.float32)
    return StateGraph(
        rng.integers(0, 4, states).astype(np.int32), np.arange(states, dtype=np.int32), arcs, initial, final
    )


def score_of(path: tuple[int, ...] | IntArray, graph: StateGraph, scores: FloatArray) -> float:
    total = float(graph.initial[path[0]] + graph.final[path[-1]])
    for t, state in enumerate(path):
        total += float(scores[t, graph.emission[state]])
        if t:
            distance = state - path[t - 1]
            total += float(graph.arcs[distance, state]) if 0 <= distance < len(graph.arcs) else -np.inf
    return total


def test_best_paths_are_the_best_of_all_paths() -> None:
    rng = np.random.default_rng(0)
    lengths, widths = [7, 6, 6, 5], [4, 5, 3, 4]
    graphs = [random_graph(rng, width) for width in widths]
    scores = rng.normal(0.0, 2.0, (sum(lengths), 4)).astype(np.float32)
    begin = 0
    for length, width, graph, path in zip(lengths, widths, graphs, best_paths(scores, lengths, graphs), strict=True):
        own = scores[begin : begin + length]
        best = max(score_of(every, graph, own) for every in itertools.product(range(width), repeat=length))
        assert len(path) == length
        assert abs(score_of(path, graph, own) - best) < 1e-4
        begin += length


def test_log_likelihoods_are_those_of_the_textbook() -> None:
    rng = np.random.default_rng(1)
    weight = np.array([[0.3, 0.5], [0.7, 0.5]], dtype=np.float32)
    mean = rng.normal(size=(2, 2, 3)).astype(np.float32)
    variance = rng.uniform(0.5, 2.0, (2, 2, 3)).astype(np.float32)
    frames = rng.normal(size=(5, 3)).astype(np.float32)
    distance = (frames[:, None, None] - mean) ** 2 / variance + np.log(2 * np.pi * variance)
    expected = np.log((weight * np.exp(-0.5 * distance.sum(axis=-1))).sum(axis=1))
    np.testing.assert_allclose(Mixtures(weight, mean, variance).log_likelihoods(frames), expected, rtol=1e-4, atol=1e-4)
