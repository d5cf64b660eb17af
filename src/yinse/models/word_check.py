"""Was every word said, and none twice? Told from the audio and its phonemes by the aligner.

A Viterbi pass from the start and one from the end give, for every frame and every place between two words, the best
score of having said all words before it, and of saying all words behind it. Their sums are the scores of all paths that
jump once from one such place to another: forward over words that would be lost, or back to words that would be said
again. A jump that scores better than the path without one, by more than its cost, is a fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from yinse.core.types import FloatArray, PhonemeSequence
from yinse.models.aligner import Aligner, Normalization
from yinse.models.viterbi import IntArray, StateGraph, best_scores
from yinse.text.english import WEAK_FORMS
from yinse.text.symbols import BOUNDARIES, base_and_tone

_NEUTRAL_TONE = 5
_NEVER = -1e6
"""A score that no path has."""


@dataclass(frozen=True, kw_only=True)
class WordCheckConfig:
    """Costs, in log-likelihood; chosen on the development speech of `benchmarks/verify.py` (`docs/log.md`).

    A path that leaves words out, or says them again, must gain what these words cost together. Weak are the English
    `WEAK_FORMS`, and Mandarin words that end in the neutral tone: they are short and slurred, so that all may be well
    where they are hardly heard, and that it gains little to say them twice where they are.

    Attributes:
        slots: frames that a phone should last; its acoustic states share them.
        hurry: cost of every frame that it lasts less: what was not said must be told fast to fit between the others.
        silence_frames: shortest pause.
        worst: no frame counts as worse than this.
        lost_english: what a lost English word of one, two, three and more phones costs.
        lost_english_weak: what it costs beyond that, if it is weak.
        lost_mandarin: what a lost Mandarin word costs, weak or not.
        repeated_english, repeated_english_weak: what a repeated English word costs; it may only be drawn out.
        repeated_mandarin, repeated_mandarin_weak: what a repeated Mandarin word costs.
        most_faults: no more are sought in a sentence.
    """

    slots: int = 4
    hurry: float = 3.0
    silence_frames: int = 3
    worst: float = -20.0
    lost_english: tuple[float, ...] = (0.0, 5.0, 10.0, 20.0)
    lost_english_weak: float = 40.0
    lost_mandarin: float = 12.0
    repeated_english: float = 26.0
    repeated_english_weak: float = 8.0
    repeated_mandarin: float = 55.0
    repeated_mandarin_weak: float = 12.0
    most_faults: int = 8


@dataclass(frozen=True, slots=True)
class WordFault:
    """Words that were not said, or said again.

    Attributes:
        kind: "lost" or "repeated".
        items: (first, end) of the words among the items of the phoneme sequence.
        span: (start, end) of the words in the sequence's text.
        frame: where the words should be, or where they begin again.
        margin: how much better the path with the fault explains the audio than the one without, above its cost.
    """

    kind: Literal["lost", "repeated"]
    items: tuple[int, int]
    span: tuple[int, int]
    frame: int
    margin: float


@dataclass(frozen=True, eq=False)
class Jumps:
    """Paths with one jump, compared with the one that has none; N words, so N + 1 places between them.

    Attributes:
        gain: float32 `(N + 1, N + 1)`: how much better a path explains the audio that says the first i words, then goes
            on with word j; 0 on the diagonal. j > i: words are lost, j < i: words are said again.
        frame: int32 `(N + 1, N + 1)`: where it jumps.
    """

    gain: FloatArray
    frame: IntArray


@dataclass(frozen=True, slots=True)
class _Item:
    """A word or a mark: the acoustic states of its symbols, and its place among the items of the text."""

    states: tuple[range, ...]
    place: int
    is_word: bool


@dataclass(frozen=True, eq=False)
class Chain:
    """What is said: the acoustic states of each item, one a frame, and whether it is a word; else it is a pause."""

    states: Sequence[Sequence[int]]
    is_word: Sequence[bool]


class WordCheck:
    """Finds words that are lost or repeated.

    Args:
        aligner: knows the phones.
        config: costs.
    """

    def __init__(self, aligner: Aligner, config: WordCheckConfig | None = None) -> None:
        self.aligner = aligner
        self.config = config or WordCheckConfig()

    def __call__(
        self, mel: FloatArray, text: PhonemeSequence, *, normalization: Normalization | None = None
    ) -> list[WordFault]:
        """Faults of an utterance, as they follow one another.

        Args:
            mel: log-mel `(T_mel, M)`.
            text: what was to be said.
            normalization: statistics of the speaker; without it, of this utterance.

        Raises:
            BadText: there is no frame.
        """
        config = self.config
        scores = self.aligner.scores(mel, normalization=normalization)
        scores = np.maximum(scores, np.float32(config.worst))
        said = self._items(text)
        faults: list[WordFault] = []
        # The best jump is believed, and the next one sought in what was said then: several would explain one fault.
        while len(faults) < config.most_faults:
            words = [item.place for item in said if item.is_word]
            found = best_jumps(scores, self._chain(said), hurry=config.hurry)
            margin = found.gain - self._costs(text, words)
            i, j = (int(place) for place in np.unravel_index(margin.argmax(), margin.shape))
            if not margin[i, j] > 0.0:
                break
            places = sorted(words[min(i, j) : max(i, j)])
            kind: Literal["lost", "repeated"] = "lost" if j > i else "repeated"
            span = (text.spans[places[0]][0], text.spans[places[-1]][1])
            items = (places[0], places[-1] + 1)
            if any(fault.kind != kind and set(range(*fault.items)) & set(places) for fault in faults):
                break  # it would only take back what was believed before
            faults.append(WordFault(kind, items, span, int(found.frame[i, j]), float(margin[i, j])))
            said = _jumped(said, i, j)
        return sorted(faults, key=lambda fault: fault.frame)

    def _items(self, text: PhonemeSequence) -> list[_Item]:
        items, first = [], 0
        for place, length in enumerate(text.word_lengths):
            symbols = text.symbols[first : first + length]
            states = tuple(self.aligner.states_of(symbol) for symbol in symbols)
            items.append(_Item(states, place, symbols[0] not in BOUNDARIES))
            first += length
        return items

    def _chain(self, items: Sequence[_Item]) -> Chain:
        """The states of what is said, frame by frame; a mark has those of the shortest pause."""
        states = []
        for item in items:
            count = self.config.slots if item.is_word else self.config.silence_frames
            states.append([each[slot * len(each) // count] for each in item.states for slot in range(count)])
        return Chain(states, [item.is_word for item in items])

    def _costs(self, text: PhonemeSequence, words: Sequence[int]) -> FloatArray:
        """Gain that a jump must exceed `(N + 1, N + 1)`; no jump is never better."""
        each = np.array([self._word_costs(text, word) for word in words]).reshape(-1, 2)
        lost, repeated = np.concatenate([np.zeros((1, 2)), each.cumsum(axis=0)]).T
        again = np.tri(len(words) + 1, dtype=bool)
        costs = np.where(again, repeated[:, None] - repeated, lost - lost[:, None])
        np.fill_diagonal(costs, np.inf)
        return np.asarray(costs, dtype=np.float32)

    def _word_costs(self, text: PhonemeSequence, word: int) -> tuple[float, float]:
        """What losing an item of the text costs, and what saying it again does."""
        config, phones = self.config, text.word_lengths[word]
        if text.word_languages[word] == "en":
            lost = config.lost_english[min(phones, len(config.lost_english)) - 1]
            if text.word_texts[word].lower() in WEAK_FORMS:
                return lost + config.lost_english_weak, config.repeated_english_weak
            return lost, config.repeated_english
        last = text.symbols[sum(text.word_lengths[: word + 1]) - 1]
        is_weak = base_and_tone(last)[1] == _NEUTRAL_TONE
        return config.lost_mandarin, config.repeated_mandarin_weak if is_weak else config.repeated_mandarin


def best_jumps(scores: FloatArray, chain: Chain, *, hurry: float) -> Jumps:
    """Scores of all paths with one jump.

    Args:
        scores: `(T_mel, states)` of the aligner.
        chain: what is said.
        hurry: cost of a state of a word that is left out; no two in a row are.
    """
    graph, starts, ends = _graph(chain, hurry=hurry)
    forward = best_scores(scores, graph)
    backward = best_scores(scores[::-1], graph.reversed())[::-1, ::-1]
    words = np.flatnonzero(chain.is_word).tolist()
    count, frames = len(words), len(scores)
    done = np.full((frames + 1, count + 1), -np.inf, dtype=np.float32)  # the first i words, in the first t frames
    ahead = np.full((frames + 1, count + 1), -np.inf, dtype=np.float32)  # the words from j on, in the others
    done[0, 0] = ahead[frames, count] = 0.0
    for place in range(count + 1):
        # pauses between two words belong to either side
        first = words[place - 1] if place else 0
        end = words[place] + 1 if place < count else len(starts)
        for item in range(first, end):
            if item < end - 1 or place == count:
                np.maximum(done[1:, place], forward[:, ends[item]], out=done[1:, place])
            if item > first or place == 0:
                np.maximum(ahead[:-1, place], backward[:, starts[item]], out=ahead[:-1, place])
    gain = np.empty((count + 1, count + 1), dtype=np.float32)
    frame = np.empty((count + 1, count + 1), dtype=np.int32)
    for place in range(count + 1):
        sums = done[:, place, None] + ahead
        frame[place] = sums.argmax(axis=0)
        gain[place] = np.take_along_axis(sums, frame[place][None], axis=0)[0]
    # where the audio is too short to say all words, any path that fits is better
    return Jumps(np.maximum(gain, np.float32(2 * _NEVER)) - np.float32(max(gain.diagonal().max(), _NEVER)), frame)


def _graph(chain: Chain, *, hurry: float) -> tuple[StateGraph, list[int], list[int]]:
    """States of what is said, and the first and last state of each item; pauses may be passed over."""
    emission = [state for states in chain.states for state in states]
    owner = [item for item, states in enumerate(chain.states) for _ in states]
    ends = (np.cumsum([len(states) for states in chain.states]) - 1).tolist()
    starts = [0, *(end + 1 for end in ends[:-1])]
    count = len(emission)
    pauses = [len(states) for states, is_word in zip(chain.states, chain.is_word, strict=True) if not is_word]
    arcs = np.full((max([1, *pauses]) + 2, count), -np.inf, dtype=np.float32)
    initial, final = np.full((2, count), -np.inf, dtype=np.float32)
    initial[0] = final[-1] = 0.0
    arcs[1, 1:] = 0.0
    for is_word, start, end in zip(chain.is_word, starts, ends, strict=True):
        if is_word:
            arcs[0, start : end + 1] = 0.0
            arcs[2, start + 2 : end + 1] = -hurry
            continue
        arcs[0, end] = 0.0
        if start and end + 1 < count:
            arcs[end - start + 2, end + 1] = 0.0
        elif end + 1 < count:
            initial[end + 1] = 0.0
        elif start:
            final[start - 1] = 0.0
    return StateGraph(np.array(emission, np.int32), np.array(owner, np.int32), arcs, initial, final), starts, ends


def _jumped(items: Sequence[_Item], i: int, j: int) -> list[_Item]:
    """What is said by a path that says the first i words, then goes on with word j."""
    words = [index for index, item in enumerate(items) if item.is_word]
    before = words[i - 1] + 1 if i else words[0]
    behind = words[j - 1] + 1 if j else words[0]
    return [*items[:before], *items[behind:]]
