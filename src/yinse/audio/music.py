"""Music behind or instead of a voice: tones that stay on one pitch, which no speaker does."""

from __future__ import annotations

import numpy as np

from yinse.audio.resample import resample
from yinse.core.types import AudioClip

_RATE_HZ = 8_000
_WINDOW_S, _HOP_S = 0.064, 0.02
# A voice holds its lowest partials when it speaks on a level tone or slowly; those further up it does not.
_BAND_HZ = (300.0, 3_500.0)
_HELD_FRAMES = 13
_PEAK_OVER_BESIDE_DB = 7.0
_NEAR_LOUDEST_DB = 45.0
_HUM_SHARE = 0.9
_MOST_FRAMES = 6_000


def held_tone_share(clip: AudioClip) -> float:
    """Share of the time in which a tone holds one pitch for 0.26 s or longer, 0 to 1; 0 for silence.

    Voices glide all the time, noise has no tones. Tones that last through the whole recording are hum, not music.

    Args:
        clip: `(S,)`.
    """
    from scipy.ndimage import binary_opening

    if clip.sample_rate_hz > _RATE_HZ:
        clip = resample(clip, _RATE_HZ)
    rate = clip.sample_rate_hz
    size, hop = round(_WINDOW_S * rate), round(_HOP_S * rate)
    if len(clip.samples) < size + 2 * _HELD_FRAMES * hop:
        return 0.0
    frames = np.lib.stride_tricks.sliding_window_view(clip.samples, size)[::hop][:_MOST_FRAMES]
    spectra = np.fft.rfft(frames * np.blackman(size).astype(np.float32), n=2 * size, axis=1)
    low, high = (round(edge * 2 * size / rate) for edge in _BAND_HZ)
    level = 20.0 * np.log10(np.abs(spectra[:, low - 8 : high + 8]) + 1e-9)
    middle = level[:, 8:-8]
    peak = (middle >= level[:, 7:-9]) & (middle > level[:, 9:-7])
    peak &= middle > np.maximum(level[:, :-16], level[:, 16:]) + _PEAK_OVER_BESIDE_DB
    peak &= middle > level.max() - _NEAR_LOUDEST_DB
    # A peak may sit between two bins.
    wide = peak | np.roll(peak, 1, axis=1)
    held = binary_opening(wide, np.ones((_HELD_FRAMES, 1), dtype=np.bool_))
    held[:, held.mean(axis=0) > _HUM_SHARE] = False
    return float(held.any(axis=1).mean())
