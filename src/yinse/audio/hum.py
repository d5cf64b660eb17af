"""Mains hum: a steady tone of 50 or 60 Hz with its harmonics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from yinse.core.types import AudioClip

MAINS_HZ = (50.0, 60.0)
_WINDOW_S = 0.5
_HARMONICS = 8
_FEWEST_HARMONICS = 3
_PROMINENT_DB = 12.0
_STEADY_PERCENTILE = 20.0
_AROUND_HZ = (6.0, 18.0)


@dataclass(frozen=True, slots=True)
class Hum:
    """Hum in a recording.

    Attributes:
        mains_hz: 50 or 60.
        harmonics: how many of the first eight stand out.
        below_voice_db: level of all of them together under the loud half seconds of the recording.
    """

    mains_hz: float
    harmonics: int
    below_voice_db: float


def find_hum(clip: AudioClip) -> Hum | None:
    """Finds mains hum, or nothing; needs 2 s.

    A harmonic counts when the quiet fifth of half seconds holds at least 12 dB more at its frequency than beside it: a
    voice comes and goes, hum does not.

    Args:
        clip: `(S,)` with its low end still in place.
    """
    rate = clip.sample_rate_hz
    size = round(_WINDOW_S * rate)
    if len(clip.samples) < 4 * size:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(clip.samples, size)[:: size // 2]
    frames = frames[:: max(1, len(frames) // 120)]
    window = np.hanning(size).astype(np.float32)
    last = int(MAINS_HZ[-1] * _HARMONICS * _WINDOW_S + _AROUND_HZ[1] * _WINDOW_S) + 2
    power = np.square(np.abs(np.fft.rfft(frames * window, axis=1)[:, :last])) / np.square(window).sum() / size * 2
    loud = float(np.percentile(np.square(frames, dtype=np.float64).mean(axis=1), 90.0))
    steady = np.percentile(power, _STEADY_PERCENTILE, axis=0)
    best: Hum | None = None
    for mains_hz in MAINS_HZ:
        count, total = 0, 0.0
        for harmonic in range(1, _HARMONICS + 1):
            place = harmonic * mains_hz * _WINDOW_S
            near = steady[round(place) - 1 : round(place) + 2]
            low, high = (round(width * _WINDOW_S) for width in _AROUND_HZ)
            beside = np.concatenate(
                [steady[max(0, round(place) - high) : round(place) - low], steady[round(place) + low :][: high - low]]
            )
            if 10.0 * np.log10((near.max() + 1e-15) / (np.median(beside) + 1e-15)) >= _PROMINENT_DB:
                count += 1
                total += float(near.sum())
        if count >= _FEWEST_HARMONICS and (best is None or count > best.harmonics):
            best = Hum(mains_hz, count, float(10.0 * np.log10(max(loud, 1e-15) / max(total, 1e-15))))
    return best
