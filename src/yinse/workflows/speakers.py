"""Whether recordings hold one person or two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from yinse.core.types import FloatArray

FEWEST_UTTERANCES = 4
"""With fewer, nothing can be told."""
_ROUNDS = 10
_SMALLEST_SHARE = 0.15
# Ten utterances of each of 14 unheard people: two halves of one person are alike by 0.88 or more, and at most 0.04 less
# than utterances within a half; two people by 0.81 or less, and 97 % of the 91 pairs at least 0.1 less.
_MOST_ALIKE = 0.85
_LEAST_APART = 0.1


def two_speakers(vectors: Sequence[FloatArray], durations_s: Sequence[float]) -> tuple[int, ...]:
    """Which utterances a second person speaks.

    The vectors are parted in two groups (2-means on the sphere). They are two people when each has a fair share of
    the time, and the groups are less alike than one person's utterances are, among themselves and in absolute terms.

    Args:
        vectors: speaker vectors `(256,)` of length 1, one per utterance.
        durations_s: lengths of the utterances.

    Returns:
        Indices of the smaller group; empty for one person, or fewer than four utterances.
    """
    if len(vectors) < FEWEST_UTTERANCES:
        return ()
    points, weights = np.stack(vectors).astype(np.float64), np.asarray(durations_s)
    alike = points @ points.T
    centres = points[list(np.unravel_index(alike.argmin(), alike.shape))]
    for _ in range(_ROUNDS):
        second = np.asarray((points @ centres.T).argmax(axis=1) == 1)
        if second.all() or not second.any():
            return ()
        sums = np.stack([(points[group] * weights[group, None]).sum(axis=0) for group in (~second, second)])
        centres = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    if weights[second].sum() > weights.sum() / 2:
        second = ~second
    if second.sum() < 2 or weights[second].sum() < _SMALLEST_SHARE * weights.sum():
        return ()
    across = alike[np.ix_(~second, second)].mean()
    within = np.mean(
        [alike[np.ix_(group, group)][~np.eye(group.sum(), dtype=bool)].mean() for group in (second, ~second)]
    )
    if across > _MOST_ALIKE or within - across < _LEAST_APART:
        return ()
    return tuple(np.flatnonzero(second).tolist())


def _mean_off_diagonal(values: NDArray[np.float64]) -> float:
    return float(values[~np.eye(len(values), dtype=np.bool_)].mean())
