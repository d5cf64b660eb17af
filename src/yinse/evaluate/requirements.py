"""What synthetic speech must reach, and whether it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from yinse.evaluate.misheard import ErrorCount
from yinse.evaluate.plan import CROSS, REAL
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
    rows: Sequence[Row], stress: Mapping[str, Mapping[str, ErrorCount]] | None = None, *, peer: str = "kokoro"
) -> list[Requirement]:
    """Every requirement that the rows can answer.

    Args:
        rows: the table.
        stress: errors by maker and language, see `lost_and_added`.
        peer: which maker of `stress` is the peer.
    """
    found: list[Requirement] = []
    for row in rows:
        if row.group not in _NAMES or row.condition == REAL:
            continue
        who = f"{_NAMES[row.group]} people, {row.condition}"
        crosses = row.condition.endswith(CROSS)
        factor, points = (2.5, 0.05) if crosses else (1.5, 0.02 if row.language == "en" else 0.03)
        name = "words misheard" if row.language == "en" else "syllables misheard, with tones"
        found.append(Requirement(f"{who}: {name}", row.errors.rate, factor * row.real_errors.rate + points, True))
        if crosses or row.similarity is None:
            continue
        is_tuned = row.condition == "tuned"
        if row.group == "en" and is_tuned:
            found.append(Requirement(f"{who}: the right one is nearest", row.similarity.nearest, 0.9, False))
        found.append(Requirement(f"{who}: normalised similarity", row.normalised, 0.7 if is_tuned else 0.4, False))
        found.append(Requirement(f"{who}: DNSMOS overall, synthetic - real", row.naturalness_gap, -0.4, False))
    if stress and peer in stress:
        theirs = sum(count.deletions + count.insertions for count in stress[peer].values())
        for maker, counts in stress.items():
            if maker != peer:
                ours = sum(count.deletions + count.insertions for count in counts.values())
                found.append(Requirement("stress sentences: words lost or added", ours, theirs, True))
    return found
