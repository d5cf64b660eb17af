"""Changing the sample rate."""

from __future__ import annotations

import numpy as np

from yinse.core.types import AudioClip


def resample(clip: AudioClip, rate_hz: int) -> AudioClip:
    """Changes the rate of a clip with soxr at its highest quality (linear phase, no delay).

    Args:
        clip: `(S,)`.
        rate_hz: the new rate.

    Returns:
        A clip of exactly `round(S * rate_hz / clip.sample_rate_hz)` samples.
    """
    if rate_hz == clip.sample_rate_hz:
        return clip
    import soxr

    length = round(len(clip.samples) * rate_hz / clip.sample_rate_hz)
    if length == 0:
        return AudioClip(np.zeros(0, dtype=np.float32), rate_hz)
    converted = soxr.resample(clip.samples, clip.sample_rate_hz, rate_hz, quality="VHQ")[:length]
    return AudioClip(np.pad(converted, (0, length - len(converted))), rate_hz)
