"""How steady a speaker vector is over the segments of a person's recordings, and which segments stand apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from yinse.core.types import FloatArray

_FEWEST = 4
_DEVIATIONS = 3.5
_MAD_TO_DEVIATION = 1.4826
_LEAST_APART = 0.08
"""A segment of the same person now and then lies 0.05 lower than the others; that alone is no reason to name it."""


@dataclass(frozen=True, slots=True)
class SpeakerSpread:
    """Likeness among the segments of one person; 1 is the same direction, two people are about 0.6 to 0.8 alike.

    Attributes:
        segments: how many there are.
        mean: mean cosine of a segment with the average of the others.
        lowest: the lowest of them.
        single_pair: mean cosine of two segments: how well one extraction is repeated.
        half_averages: cosine of the averages of two halves: how well an averaged vector is repeated.
        outliers: names of segments far from the others, with their cosine, lowest first.
        second: names of segments that a second person seems to speak.
    """

    segments: int
    mean: float
    lowest: float
    single_pair: float
    half_averages: float
    outliers: tuple[tuple[str, float], ...]
    second: tuple[str, ...] = ()


def speaker_spread(vectors: Sequence[FloatArray], names: Sequence[str]) -> SpeakerSpread | None:
    """Spread of speaker vectors.

    Args:
        vectors: `(G,)` of length 1, one per segment.
        names: of the segments.

    Returns:
        The spread; None for fewer than four segments.
    """
    if len(vectors) < _FEWEST:
        return None
    points = np.stack(vectors).astype(np.float64)
    total = points.sum(axis=0)
    others = total - points
    alike = np.sum(points * others, axis=1) / np.linalg.norm(others, axis=1)
    pairs = (np.linalg.norm(total) ** 2 - len(points)) / (len(points) * (len(points) - 1))
    halves = [half.sum(axis=0) / np.linalg.norm(half.sum(axis=0)) for half in (points[::2], points[1::2])]
    middle = float(np.median(alike))
    deviation = _MAD_TO_DEVIATION * float(np.median(np.abs(alike - middle)))
    limit = middle - max(_DEVIATIONS * deviation, _LEAST_APART)
    far = sorted((float(alike[place]), names[place]) for place in np.flatnonzero(alike < limit).tolist())
    return SpeakerSpread(
        segments=len(points),
        mean=float(alike.mean()),
        lowest=float(alike.min()),
        single_pair=float(pairs),
        half_averages=float(halves[0] @ halves[1]),
        outliers=tuple((name, value) for value, name in far),
    )
