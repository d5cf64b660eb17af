"""What synthetic speech must reach, and whether it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from yinse.evaluate.misheard import ErrorCount
from yinse.evaluate.plan import COPY, CROSS, REAL, TUNED
from yinse.evaluate.summary import Row

_NAMES = {"en": "English", "zh": "Mandarin"}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One figure and its limit.

    Attributes:
        name: what is measured.
        value: the figure.
        limit: what it must reach.
        is_most: whether the limit is the most allowed; else the least.
    """

    name: str
    value: float
    limit: float
    is_most: bool

    @property
    def is_met(self) -> bool:
        """Whether the figure keeps the limit."""
        return self.value <= self.limit if self.is_most else self.value >= self.limit


def check_requirements(
    rows: Sequence[Row],
    stress: Mapping[str, Mapping[str, ErrorCount]] | None = None,
    *,
    peer: str = "kokoro",
    reference_s: float = 60.0,
) -> list[Requirement]:
    """Every requirement that the rows can answer.

    Args:
        rows: the table.
        stress: errors by maker and language, see `lost_and_added`.
        peer: which maker of `stress` is the peer.
        reference_s: how much of each person was heard for cloning.
    """
    ours = {(row.group, row.condition): row for row in rows if row.group in _NAMES and row.condition != REAL}
    found: list[Requirement] = []
    for (group, condition), row in ours.items():
        who = f"{_NAMES[group]} people, {condition}"
        if condition == COPY:
            found += _of_copies(who, row)
        elif not condition.endswith(CROSS):
            found += _at_home(who, row, from_minute=reference_s >= 60.0)
        elif own := ours.get((group, condition.removesuffix(CROSS))):
            found += _across_languages(who, row, own)
    if stress and peer in stress:
        theirs = sum(count.deletions + count.insertions for count in stress[peer].values())
        for maker, counts in stress.items():
            if maker != peer:
                lost = sum(count.deletions + count.insertions for count in counts.values())
                found.append(Requirement("stress sentences: words lost or added", lost, theirs, True))
    return found


def _at_home(who: str, row: Row, *, from_minute: bool) -> list[Requirement]:
    """Of people who speak the language that they were recorded in."""
    is_tuned = row.condition == TUNED
    similarity = 0.85 if is_tuned else 0.65 if from_minute else 0.55
    points = 0.01 if row.language == "en" else 0.02
    found = [
        Requirement(f"{who}: {_misheard(row)}", row.errors.rate, 1.2 * row.real_errors.rate + points, True),
        Requirement(f"{who}: normalised similarity", row.normalised, similarity, False),
        Requirement(f"{who}: spectral detail, to the person over to the nearest other", row.detail_ratio, 0.8, True),
        Requirement(f"{who}: DNSMOS overall, synthetic - real", row.naturalness_gap, -0.2, False),
        Requirement(f"{who}: spread of F0, of real", row.f0_spread_ratio, 0.7, False),
        Requirement(f"{who}: spread of F0, of real", row.f0_spread_ratio, 1.3, True),
        Requirement(f"{who}: real-time factor", row.real_time_factor, 0.1, True),
    ]
    if row.similarity is not None:
        nearest = 1.0 if is_tuned else 0.75
        found.append(Requirement(f"{who}: the right one is nearest", row.similarity.nearest, nearest, False))
    return found


def _across_languages(who: str, row: Row, own: Row) -> list[Requirement]:
    """Of people who speak the other language, against the same voices in their own."""
    return [
        Requirement(f"{who}: {_misheard(row)}", row.errors.rate, 1.5 * own.errors.rate, True),
        Requirement(f"{who}: loss of normalised similarity", own.normalised - row.normalised, 0.2, True),
    ]


def _of_copies(who: str, row: Row) -> list[Requirement]:
    """Of recordings taken through mels and vocoder."""
    return [
        Requirement(f"{who}: normalised similarity", row.normalised, 0.85, False),
        Requirement(f"{who}: DNSMOS overall, synthetic - real", row.naturalness_gap, -0.1, False),
    ]


def _misheard(row: Row) -> str:
    return "words misheard" if row.language == "en" else "syllables misheard, with tones"
