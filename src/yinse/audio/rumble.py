"""Taking away what lies below any voice: a constant offset, mains and traffic rumble."""

from __future__ import annotations

import numpy as np

from yinse.core.types import AudioClip

RUMBLE_BELOW_HZ = 50.0


def without_rumble(clip: AudioClip, *, cutoff_hz: float = RUMBLE_BELOW_HZ) -> AudioClip:
    """Takes the mean and all below the cut-off away, with a causal Butterworth filter of fourth order.

    Args:
        clip: `(S,)`.
        cutoff_hz: frequency that is weakened by 3 dB.
    """
    from scipy.signal import butter, sosfilt

    if len(clip.samples) == 0:
        return clip
    sections = butter(4, cutoff_hz, "highpass", fs=clip.sample_rate_hz, output="sos")
    centred = clip.samples - clip.samples.mean(dtype=np.float64)
    return AudioClip(sosfilt(sections, centred).astype(np.float32), clip.sample_rate_hz)
