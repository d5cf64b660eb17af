"""Up to which frequency a voice is heard: a telephone codec inside a studio file is found by it."""

from __future__ import annotations

import numpy as np

from yinse.core.types import AudioClip

_WINDOW_S = 0.032
_BAND_WIDTH_HZ = 250.0
_BAND_BELOW_PEAK_DB = 65.0
_BAND_CONTRAST_DB = 8.0
_NOTHING_DB = -100.0
_MOST_FRAMES = 1_500


def bandwidth_hz(clip: AudioClip) -> float:
    """Highest frequency at which the voice is heard: within 65 dB of its strongest band, and not constant in time.

    Finds a telephone codec inside a recording of any rate; 0 for silence.
    """
    rate = clip.sample_rate_hz
    size = max(64, 1 << round(np.log2(_WINDOW_S * rate)))
    if len(clip.samples) < size:
        return 0.0
    windows = np.lib.stride_tricks.sliding_window_view(clip.samples, size)[:: size // 2]
    # A long recording needs no more than some frames, spread evenly.
    windows = windows[:: max(1, len(windows) // _MOST_FRAMES)]
    power = np.square(np.abs(np.fft.rfft(windows * np.hanning(size).astype(np.float32), axis=1)))
    width = max(1, round(_BAND_WIDTH_HZ * size / rate))
    bands = power.shape[1] // width
    bands_db = 10.0 * np.log10(power[:, : bands * width].reshape(len(power), bands, width).mean(axis=2) + 1e-12)
    loud, low = np.percentile(bands_db, [98.0, 10.0], axis=0)
    heard = (loud >= loud.max() - _BAND_BELOW_PEAK_DB) & (loud - low >= _BAND_CONTRAST_DB) & (loud > _NOTHING_DB)
    return float(min((np.flatnonzero(heard)[-1] + 1) * width * rate / size, rate / 2)) if heard.any() else 0.0
