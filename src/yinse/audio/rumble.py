"""Taking away what lies below any voice: a constant offset, mains and traffic rumble."""

from __future__ import annotations

import numpy as np

from yinse.core.types import AudioClip

RUMBLE_BELOW_HZ = 50.0


def without_rumble(clip: AudioClip, *, cutoff_hz: float = RUMBLE_BELOW_HZ) -> AudioClip:
    """Takes the mean and all below the cut-off away, without shifting any phase.

    Args:
        clip: `(S,)`.
        cutoff_hz: frequency that a Butterworth filter of second order, run forwards and backwards, halves.
    """
    from scipy.signal import butter, sosfiltfilt

    if len(clip.samples) == 0:
        return clip
    sections = butter(2, cutoff_hz, "highpass", fs=clip.sample_rate_hz, output="sos")
    centred = clip.samples - clip.samples.mean(dtype=np.float64)
    edge = min(len(centred) - 1, 9)  # what the filter mirrors at both ends; scipy wants less than the whole clip
    return AudioClip(sosfiltfilt(sections, centred, padlen=edge).astype(np.float32), clip.sample_rate_hz)
