"""Readings of Mandarin polyphones by the sentence around them: a small bidirectional LSTM, in numpy.

The network is that of g2pM (Park and Lee, 2020; see data/NOTICE.txt), its weights rounded to 8 bits and its vocabulary
cut to the 3,100 most frequent characters; the code around them is our own. A larger network, such as g2pW, would stand
in the place of `is_known` and `choose_readings`.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_UNKNOWN, _START, _END = 1, 2, 3
_DIRECTIONS = ("forward", "backward")


@dataclass(frozen=True, slots=True)
class _Network:
    """Weights: E input, H hidden width per direction; the first axis of recurrent parts is the direction."""

    characters: Mapping[str, int]
    classes: Mapping[str, int]
    polyphones: Mapping[str, tuple[str, ...]]
    inputs: Array  # (2, V, 4H): input share of the gates of every character, bias included
    recurrent: Array  # (2, H, 4H)
    hidden: Array  # (2H, K)
    hidden_bias: Array  # (K,)
    output: Array  # (K, classes)
    output_bias: Array  # (classes,)


def _metadata(packed: bytes) -> dict[str, str]:
    length = int.from_bytes(packed[:8], "little")
    header: dict[str, dict[str, str]] = json.loads(packed[8 : 8 + length])
    return header["__metadata__"]


@functools.cache
def _network() -> _Network:
    from safetensors.numpy import load

    packed = importlib.resources.files("yinse.text").joinpath("data/g2pm_lstm.safetensors").read_bytes()
    metadata, stored = _metadata(packed), load(packed)

    def weight(name: str) -> Array:
        full: Array = stored[name].astype(np.float32) * stored[name + ".scale"].astype(np.float32)[:, None]
        return full

    embedding = weight("embedding")
    inputs = [embedding @ weight(d + ".weight_ih").T + stored[d + ".bias"].astype(np.float32) for d in _DIRECTIONS]
    return _Network(
        characters={char: index for index, char in enumerate(metadata["characters"])},
        classes={reading: index for index, reading in enumerate(metadata["classes"].split())},
        polyphones={entry[0]: tuple(entry[1:].split(",")) for entry in metadata["polyphones"].split()},
        inputs=np.stack(inputs),
        recurrent=np.stack([weight(d + ".weight_hh").T for d in _DIRECTIONS]),
        hidden=weight("hidden.weight").T,
        hidden_bias=stored["hidden.bias"].astype(np.float32),
        output=weight("output.weight").T,
        output_bias=stored["output.bias"].astype(np.float32),
    )


def _states(network: _Network, ids: NDArray[np.int64]) -> Array:
    """Hidden states `(T, 2H)` of the characters `ids` `(T,)`, both directions in step."""
    length, width = len(ids), network.recurrent.shape[1]
    gates_in = np.stack([network.inputs[0, ids], network.inputs[1, ids[::-1]]])
    states = np.zeros((2, length, width), np.float32)
    state, cell = np.zeros((2, 1, width), np.float32), np.zeros((2, width), np.float32)
    for t in range(length):
        gates = gates_in[:, t] + (state @ network.recurrent)[:, 0]
        squashed = 1.0 / (1.0 + np.exp(-gates))
        new = np.tanh(gates[:, 2 * width : 3 * width])
        cell = squashed[:, width : 2 * width] * cell + squashed[:, :width] * new
        states[:, t] = squashed[:, 3 * width :] * np.tanh(cell)
        state = states[:, t : t + 1]
    return np.concatenate([states[0], states[1, ::-1]], axis=1)


def is_known(char: str) -> bool:
    """Whether the network was trained to choose among readings of this character."""
    return char in _network().polyphones


def choose_readings(sentence: str, places: Sequence[int]) -> dict[int, tuple[str, float]]:
    """The most probable reading of each character asked for.

    Args:
        sentence: characters around them; marks may be among them. Time and memory are linear in its length.
        places: indices in `sentence` of characters that the network knows.

    Returns:
        Index to the reading (pinyin with tone number, v for ü) and its probability among those of the character.
    """
    network = _network()
    ids = np.array([_START, *(network.characters.get(c, _UNKNOWN) for c in sentence), _END])
    inside = [place + 1 for place in places]
    hidden = np.maximum(_states(network, ids)[inside] @ network.hidden + network.hidden_bias, 0.0)
    chosen: dict[int, tuple[str, float]] = {}
    for place, vector in zip(places, hidden, strict=True):
        readings = network.polyphones[sentence[place]]
        columns = [network.classes[reading] for reading in readings]
        scores = vector @ network.output[:, columns] + network.output_bias[columns]
        probabilities = np.exp(scores - scores.max())
        best = int(np.argmax(probabilities))
        chosen[place] = (readings[best], float(probabilities[best] / probabilities.sum()))
    return chosen
