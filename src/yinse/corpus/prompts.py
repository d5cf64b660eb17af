"""Which sentences to record next: those that add most of what is missing, for the time they take to read."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from yinse.core.errors import ConfigError
from yinse.corpus import spoken_units as su
from yinse.corpus.bank import TAGS, Prompt, natural_counts
from yinse.corpus.inventory import mandarin_inventory
from yinse.corpus.losses import HeldOutLosses
from yinse.corpus.spoken_units import Unit

SCRIPT_S = 60.0
"""Speech in the first script."""
_REPEATED = 0.2
"""What the next occurrence of a unit is worth, relative to the one before."""
_FREQUENCY_POWER = 0.05
"""How far natural frequency counts: a sound a thousand times as frequent as another is worth 1.4 times as much."""
_SHARED_WEIGHTS = {su.CONTEXT: 0.6, su.TYPE: 0.6, su.FEATURE: 0.6, **dict.fromkeys(TAGS, 0.3)}
SCRIPT_WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "zh": {su.TONED: 1.0, su.TONELESS: 0.5, su.TONE_PAIR: 0.3, **_SHARED_WEIGHTS},
    "en": {su.DIPHONE: 1.0, su.PHONEME: 0.2, su.STRESSED: 0.1, **_SHARED_WEIGHTS},
}
"""What a unit of each kind is worth in a script of fixed length, by language."""
KIND_WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "zh": {**SCRIPT_WEIGHTS["zh"], su.TONELESS: 1.5, su.TYPE: 3.0},
    "en": {**SCRIPT_WEIGHTS["en"], su.PHONEME: 1.0, su.TYPE: 3.0},
}
"""The same for a number of prompts: there is room for all syllables, and for every kind of sentence."""
_SOUNDS = frozenset((su.TONED, su.TONELESS, su.DIPHONE, su.PHONEME, su.STRESSED, su.TONE_PAIR))
_CHANGED_TONE = 0.2
"""A tone that no dictionary has comes from its neighbours or from lack of stress: it is learned with these."""
_ROUNDS = 1000
_BORNE = 0.003
"""Share of a script's worth that the local search may lose at its start; longer and freer searches gained nothing."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A prompt to record.

    Attributes:
        prompt: the sentence.
        adds: what it adds that neither the recordings nor the prompts before it have: sounds, transitions and kinds of
            sentence, most frequent first.
    """

    prompt: Prompt
    adds: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for.

    Attributes:
        have: how often each unit was recorded already.
        losses: what a tuned voice still does badly; its weak sounds and types weigh more.
    """

    have: Mapping[Unit, int] = field(default_factory=dict)
    losses: HeldOutLosses | None = None


def choose_prompts(
    bank: Sequence[Prompt],
    *,
    language: str,
    count: int | None = None,
    seconds: float | None = None,
    wanted: Wanted | None = None,
) -> tuple[Chosen, ...]:
    """Chooses prompts: greedy set cover by weighted gain per prompt, or per second and a local search for scripts.

    A unit is worth more when it is frequent in natural speech and less each time it occurs again; kinds of sentence,
    features and tags count besides sounds, so that a script is not all of one sort. The choice depends on nothing but
    the arguments.

    Source: G. Nemhauser, L. Wolsey, M. Fisher, An analysis of approximations for maximizing submodular set functions
    (1978): greedy comes within 1 - 1/e of the best choice of a given size.

    Args:
        bank: sentences to choose from.
        language: "zh" or "en", whose natural frequencies are used.
        count: how many are wanted; `seconds` of speech instead gives a script that fills them.
        seconds: see `count`.
        wanted: what is there already and what matters.

    Returns:
        Prompts in the order in which they gain most; fewer than wanted where the bank has no more that fit.

    Raises:
        ConfigError: neither or both of count and seconds are given, or they are not positive.
    """
    if (count is None) == (seconds is None) or (count or seconds or 0) <= 0:
        raise ConfigError("say either how many prompts or how many seconds", advice="Use a number above 0.")
    wanted = wanted or Wanted()
    weights = (KIND_WEIGHTS if seconds is None else SCRIPT_WEIGHTS)[language]
    worth = _Worth(bank, language, wanted, weights)
    room_s = math.inf if seconds is None else float(seconds)
    most = len(bank) if count is None else count
    chosen = worth.greedy(most=most, room_s=room_s)
    if seconds is not None and chosen:
        chosen = worth.improved(chosen, room_s=room_s)
    return worth.described(chosen if seconds is None else worth.ordered(chosen))


class _Worth:
    """What sentences are worth, in arrays: `units (N,)` of all sentences in a row, cut at `starts`."""

    def __init__(self, bank: Sequence[Prompt], language: str, wanted: Wanted, weights: Mapping[str, float]) -> None:
        self.bank = bank
        units = [{unit: times for unit, times in prompt.units.items() if unit[0] in weights} for prompt in bank]
        self.names = list(dict.fromkeys(unit for each in units for unit in each))
        index = {unit: place for place, unit in enumerate(self.names)}
        self.sets = [np.array([index[unit] for unit in each], dtype=np.int64) for each in units]
        self.times = [np.array(list(each.values()), dtype=np.float64) for each in units]
        lengths = np.array([len(each) for each in self.sets])
        self.starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        self.flat = np.concatenate(self.sets) if len(self.sets) else np.zeros(0, dtype=np.int64)
        self.seconds = np.array([max(prompt.spoken.speech_s, 0.5) for prompt in bank])
        self.weights = np.array([_weight(unit, language, wanted, weights[unit[0]]) for unit in self.names])
        self.have = np.array([wanted.have.get(unit, 0) for unit in self.names], dtype=np.float64)

    def gains(self, have: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each sentence adds to what is there, `(P,)`."""
        value = self.weights * _REPEATED**have
        return np.asarray(np.add.reduceat(value[self.flat], self.starts))

    def having(self, chosen: Sequence[int]) -> NDArray[np.float64]:
        """Units that are there with these sentences."""
        have = self.have.copy()
        for place in chosen:
            have[self.sets[place]] += self.times[place]
        return have

    def greedy(self, *, most: int, room_s: float) -> list[int]:
        """The best next sentence, again and again: the best for its time where time is what is short."""
        have, left_s = self.have.copy(), room_s
        cost = np.ones(len(self.bank)) if math.isinf(room_s) else self.seconds
        free = np.ones(len(self.bank), dtype=np.bool_)
        chosen: list[int] = []
        while len(chosen) < most:
            rates = np.where(free & (self.seconds <= left_s), self.gains(have) / cost, 0.0)
            best = int(rates.argmax())
            if rates[best] <= 0.0:
                break
            free[best] = False
            chosen.append(best)
            left_s -= self.seconds[best]
            have[self.sets[best]] += self.times[best]
        return chosen

    def value(self, chosen: Sequence[int]) -> float:
        """What these sentences are worth together."""
        times = self.having(chosen)
        # the sum of a falling geometric series, from what was there to what is there now
        series = (_REPEATED**self.have - _REPEATED**times) / (1.0 - _REPEATED)
        return float((self.weights * series).sum())

    def improved(self, chosen: Sequence[int], *, room_s: float) -> list[int]:
        """Takes a few sentences out and fills the room anew, again and again; keeps what is better.

        Source: P. Shaw, Using constraint programming and local search methods to solve vehicle routing problems (1998).
        """
        random = np.random.default_rng(0)
        now, now_value = list(chosen), self.value(chosen)
        best, best_value = now, now_value
        for left in range(_ROUNDS, 0, -1):
            out = random.choice(len(now), size=min(len(now), int(random.integers(1, 4))), replace=False)
            kept = [place for index, place in enumerate(now) if index not in out]
            barred = {now[index] for index in out[:1]}  # one of them stays out, or the same would come back
            found = self._filled(kept, room_s=room_s - self.seconds[kept].sum(), barred=barred)
            value = self.value(found)
            # a little worse is borne in the beginning, so that the search leaves the first hill
            if value > now_value - _BORNE * best_value * left / _ROUNDS:
                now, now_value = found, value
            if value > best_value + 1e-9:
                best, best_value = found, value
        return best

    def _filled(self, chosen: Sequence[int], *, room_s: float, barred: Collection[int]) -> list[int]:
        """Adds sentences while there is room, the best for its time first."""
        found, have = list(chosen), self.having(chosen)
        free = np.ones(len(self.bank), dtype=np.bool_)
        free[[*found, *barred]] = False
        while True:
            fits = free & (self.seconds <= room_s)
            if not fits.any():
                return found
            best = int(np.where(fits, self.gains(have) / self.seconds, -1.0).argmax())
            found.append(best)
            free[best] = False
            room_s -= self.seconds[best]
            have[self.sets[best]] += self.times[best]

    def ordered(self, chosen: Sequence[int]) -> list[int]:
        """The same sentences, those that add most per second first."""
        left, order = list(chosen), []
        have = self.have.copy()
        while left:
            rates = self.gains(have) / self.seconds
            best = max(left, key=lambda place: (rates[place], -place))
            left.remove(best)
            order.append(best)
            have[self.sets[best]] += self.times[best]
        return order

    def described(self, chosen: Sequence[int]) -> tuple[Chosen, ...]:
        """The sentences with what each one adds."""
        have, found = self.have.copy(), []
        for place in chosen:
            new = [unit for unit in self.sets[place] if have[unit] == 0]
            new.sort(key=lambda unit: -self.weights[unit])
            found.append(Chosen(self.bank[place], tuple(self.names[unit] for unit in new)))
            have[self.sets[place]] += self.times[place]
        return tuple(found)


def _weight(unit: Unit, language: str, wanted: Wanted, weight: float) -> float:
    """What the first occurrence of a unit is worth, its kind being worth `weight`."""
    kind, name = unit
    if kind == su.TONED and name not in mandarin_inventory().toned:
        weight *= _CHANGED_TONE
    if kind in _SOUNDS:
        natural = natural_counts(language)
        total = _total_of_kind(language, kind)
        # half an occurrence more, so that what ordinary sentences do not have is worth a little
        weight *= ((natural.get(unit, 0) + 0.5) / total * 1000.0) ** _FREQUENCY_POWER
    return weight * (wanted.losses.factor(kind, name) if wanted.losses else 1.0)


@functools.cache
def _total_of_kind(language: str, kind: str) -> int:
    return max(1, sum(count for (each, _), count in natural_counts(language).items() if each == kind))
