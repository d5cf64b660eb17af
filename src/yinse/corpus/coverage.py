"""What a set of texts covers of a language: which sounds, how evenly, which are missing, which are rarer than usual."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from yinse.corpus import spoken_units as su
from yinse.corpus.bank import TAGS, natural_counts, tags_of
from yinse.corpus.inventory import ENGLISH_PHONEMES, mandarin_inventory
from yinse.corpus.sentence_types import MAIN_TYPES, TYPES
from yinse.corpus.spoken_units import SpokenText, Unit
from yinse.text.symbols import FINALS, INITIALS

_SHARED = (su.TYPE, su.LENGTH, su.FEATURE)
_MISSING_SHOWN = 40
_RARE_BELOW = 0.5
_RARE_EXPECTED = 3.0
"""A sound is called rare only when at least three of it were to be expected."""


@dataclass(frozen=True, slots=True)
class RareUnit:
    """A unit that occurs much less often than in ordinary sentences of the same amount."""

    name: str
    count: int
    expected: float


@dataclass(frozen=True, slots=True)
class KindCoverage:
    """Coverage of one kind of sound.

    Attributes:
        kind: such as "toned syllable" or "diphone".
        counts: by name, of what occurs.
        covered: how many of the inventory occur.
        total: size of the inventory.
        entropy_bits: of the counts; higher is more even.
        natural_entropy_bits: that of ordinary sentences.
        missing: what of the inventory does not occur, most frequent in ordinary sentences first; `missing_count` in
            all, of which the first forty are here.
        missing_count: how many do not occur.
        rare: what occurs less than half as often as in ordinary sentences, rarest first.
    """

    kind: str
    counts: Mapping[str, int]
    covered: int
    total: int
    entropy_bits: float
    natural_entropy_bits: float
    missing: tuple[str, ...]
    missing_count: int
    rare: tuple[RareUnit, ...]

    @property
    def share(self) -> float:
        """Covered share of the inventory."""
        return self.covered / self.total


@dataclass(frozen=True, slots=True)
class TextCoverage:
    """What texts in one language cover.

    Attributes:
        language: "zh" or "en".
        texts: how many there are.
        speech_s: how long they take to say, estimated.
        syllables: Mandarin syllables.
        words: English words.
        kinds: coverage of each kind of sound.
        shares: share of texts by sentence type, length and feature; by register, topic, emotion and rate cue as far as
            texts come from the prompt bank (else they are untagged). Types are known for texts with marks only.
        untagged: how many texts have no tags.
        punctuated: how many texts have marks.
    """

    language: str
    texts: int
    speech_s: float
    syllables: int
    words: int
    kinds: tuple[KindCoverage, ...]
    shares: Mapping[str, Mapping[str, float]]
    untagged: int
    punctuated: int

    def kind(self, name: str) -> KindCoverage:
        """Coverage of one kind of sound.

        Raises:
            KeyError: the language has no such kind.
        """
        for each in self.kinds:
            if each.kind == name:
                return each
        raise KeyError(name)


def inventory(language: str) -> Mapping[str, tuple[str, ...]]:
    """Names of all units of each kind: what there is to be covered.

    Mandarin syllables are the common ones (`MandarinInventory`); two neutral tones or two third tones in a row are no
    pairs to aim at. English diphones and stressed vowels are those that occur in the bank.
    """
    if language == "zh":
        known = mandarin_inventory()
        pairs = [f"{left}-{right}" for left in "12345" for right in "12345" if f"{left}-{right}" not in ("3-3", "5-5")]
        return {
            su.TONELESS: tuple(sorted(known.toneless)),
            su.TONED: tuple(sorted(known.common)),
            su.INITIAL: INITIALS,
            su.FINAL: FINALS,
            su.TONE: tuple("12345"),
            su.TONE_PAIR: tuple(pairs),
            su.CONTEXT: su.MANDARIN_CONTEXTS,
        }
    natural = natural_counts(language)
    return {
        su.PHONEME: ENGLISH_PHONEMES,
        su.STRESSED: tuple(sorted(name for kind, name in natural if kind == su.STRESSED)),
        su.DIPHONE: tuple(sorted(name for kind, name in natural if kind == su.DIPHONE)),
        su.CONTEXT: su.ENGLISH_CONTEXTS,
    }


def text_coverage(texts: Sequence[SpokenText], *, language: str) -> TextCoverage:
    """Coverage of texts in one language.

    Args:
        texts: taken apart by `take_apart`, at least one.
        language: "zh" or "en"; sounds of the other one are passed over.

    Raises:
        ConfigError: unknown language.
    """
    total = total_units(texts)
    natural = natural_counts(language)
    tags = [tags_of(text.text) for text in texts if text.text]
    by_kind = {kind: Counter({name: n for (each, name), n in total.items() if each == kind}) for kind in _SHARED}
    # every text has one length, and one main type if it has marks; this holds for texts that were counted earlier too
    among = by_kind[su.LENGTH].total()
    punctuated = sum(by_kind[su.TYPE][name] for name in MAIN_TYPES)
    shares: dict[str, Mapping[str, float]] = {
        su.TYPE: _shares(by_kind[su.TYPE], punctuated, TYPES),
        su.LENGTH: _shares(by_kind[su.LENGTH], among, su.LENGTHS),
        su.FEATURE: _shares(by_kind[su.FEATURE], among, su.FEATURES),
    }
    tagged = [each for each in tags if each is not None]
    for tag in TAGS:
        shares[tag] = _shares(Counter(each[tag] for each in tagged), len(tagged), ())
    return TextCoverage(
        language=language,
        texts=among,
        speech_s=sum(text.speech_s for text in texts),
        syllables=sum(text.syllables for text in texts),
        words=sum(text.words for text in texts),
        kinds=tuple(_kind_coverage(kind, names, total, natural) for kind, names in inventory(language).items()),
        shares=shares,
        untagged=among - len(tagged),
        punctuated=punctuated,
    )


def total_units(texts: Iterable[SpokenText]) -> Counter[Unit]:
    """Units of several texts."""
    total: Counter[Unit] = Counter()
    for text in texts:
        total.update(text.units)
    return total


def _kind_coverage(
    kind: str, names: Sequence[str], total: Mapping[Unit, int], natural: Mapping[Unit, int]
) -> KindCoverage:
    counts = {name: count for (each, name), count in total.items() if each == kind and count}
    usual = {name: count for (each, name), count in natural.items() if each == kind}
    scale = sum(counts.values()) / max(sum(usual.values()), 1)
    missing = sorted((name for name in names if name not in counts), key=lambda name: (-usual.get(name, 0), name))
    rare = [
        RareUnit(name, counts.get(name, 0), round(count * scale, 1))
        for name, count in usual.items()
        if count * scale >= _RARE_EXPECTED and counts.get(name, 0) < _RARE_BELOW * count * scale
    ]
    return KindCoverage(
        kind=kind,
        counts=dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        covered=len(names) - len(missing),
        total=len(names),
        entropy_bits=entropy_bits(counts.values()),
        natural_entropy_bits=entropy_bits(usual.values()),
        missing=tuple(missing[:_MISSING_SHOWN]),
        missing_count=len(missing),
        rare=tuple(sorted(rare, key=lambda unit: (unit.count / unit.expected, unit.name))),
    )


def entropy_bits(counts: Iterable[int]) -> float:
    """Entropy of a distribution given by counts; 0 for none."""
    present = [count for count in counts if count]
    total = sum(present)
    return -sum(count / total * math.log2(count / total) for count in present) if total else 0.0


def _shares(counts: Counter[str], among: int, wanted: Sequence[str]) -> dict[str, float]:
    """Share of each name among the texts; those that were looked for are there even when none has them."""
    if not among:
        return {}
    return {name: counts[name] / among for name in dict.fromkeys((*wanted, *(n for n, _ in counts.most_common())))}
