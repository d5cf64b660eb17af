"""How much of the room is in a recording, told by how fast speech dies away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from yinse.audio.snr import HOP_S, band_levels_db
from yinse.core.types import AudioClip

_BANDS = slice(5, 20)
_DEEPEST_DB = 12.0
_FEWEST_DECAYS = 20
_LONGEST_S = 3.0
# Medians of falls in rooms of known reverberation (exponential tails, 5 dB under the direct sound to 3 dB over it) on
# development speech: 0.18 s when dry, 0.23 at 0.15 s, 0.32 at 0.3 s, 0.40 at 0.5 s; above it hardly grows.
_DRY_S, _DRY_MEDIAN_S, _STEEPNESS = 0.05, 0.18, 1.9


def decay_times_s(levels_db: NDArray[np.float64]) -> NDArray[np.float64]:
    """Times `(N,)` for 60 dB, told by each fall of a band's level by 12 dB or more that nothing interrupts.

    Args:
        levels_db: band levels `(T, 22)` every 10 ms.
    """
    bands = levels_db[:, _BANDS]
    smooth = (bands[:-2] + bands[1:-1] + bands[2:]) / 3
    floor = np.percentile(smooth, 10.0, axis=0) + 6.0
    times = []
    for band in range(smooth.shape[1]):
        falling = np.diff(smooth[:, band]) < 0.0
        edges = np.flatnonzero(np.diff(np.pad(falling.astype(np.int8), 1))).tolist()
        level = smooth[:, band].tolist()
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            # Below the noise floor nothing can be seen to fall.
            stop = end
            while stop > start and level[stop] < floor[band]:
                stop -= 1
            depth = level[start] - level[stop]
            if depth >= _DEEPEST_DB:
                times.append(60.0 * (stop - start) * HOP_S / depth)
    return np.asarray(times)


def reverberation_s(clip: AudioClip, *, levels_db: NDArray[np.float64] | None = None) -> float | None:
    """Estimated time in which the room's sound falls by 60 dB; None where too little speech ends freely.

    Args:
        clip: `(S,)`.
        levels_db: `(T, 22)` its band levels, if they are at hand.
    """
    levels_db = band_levels_db(clip) if levels_db is None else levels_db
    if levels_db is None:
        return None
    times = decay_times_s(levels_db)
    if len(times) < _FEWEST_DECAYS:
        return None
    return float(np.clip(_DRY_S + _STEEPNESS * (np.median(times) - _DRY_MEDIAN_S), 0.0, _LONGEST_S))
