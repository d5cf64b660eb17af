"""A spectral gate: what stays near the noise floor of its frequency is turned down, what rises above it passes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from yinse.audio.blend import blend, check_strength
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip, FloatArray

DEFAULT_STRENGTH = 0.7
_HOP_S = 0.008
_OVERLAP = 4


class SpectralGate:
    """Turns down noise that is steady over a second or so; needs no network and no passage without speech.

    The noise floor of each frequency is the minimum of its smoothed power within a second and a half around each
    frame (R. Martin, Noise power spectral density estimation based on optimal smoothing and minimum statistics, 2001),
    so speech may begin with the first sample. With `noise_from` the floor is the mean over a passage known to hold
    noise alone.

    Args:
        strength: `prop_decrease`: noise falls to `1 - strength` of its amplitude.
        noise_from: start and end in seconds of a passage without speech.

    Raises:
        ConfigError: strength is out of range, or the passage is empty.
    """

    name = "gate"

    def __init__(self, *, strength: float = DEFAULT_STRENGTH, noise_from: tuple[float, float] | None = None) -> None:
        if noise_from is not None and not 0.0 <= noise_from[0] < noise_from[1]:
            raise ConfigError(f"there is no passage from {noise_from[0]} to {noise_from[1]} s")
        self.strength = check_strength(strength)
        self.noise_from = noise_from

    def denoise(self, clip: AudioClip) -> AudioClip:
        """Returns a clip of the same rate and length, aligned sample by sample with the original."""
        if self.strength == 0.0 or len(clip.samples) == 0:
            return clip
        hop, size = frame_sizes(clip.sample_rate_hz)
        window = np.hanning(size + 1)[:-1].astype(np.float32)
        spectra = _spectra(clip.samples, window, hop)
        power = np.square(spectra.real) + np.square(spectra.imag)
        noise = self._noise(power, clip, hop)
        spectra *= _gain(power, noise)
        return blend(
            clip, AudioClip(_overlapped(spectra, window, hop, len(clip.samples)), clip.sample_rate_hz), self.strength
        )

    def _noise(self, power: FloatArray, clip: AudioClip, hop: int) -> FloatArray:
        """Power of the noise `(T, F)` or `(F,)` behind the power of each frame `(T, F)`."""
        if self.noise_from is None:
            return _tracked_floor(power)
        first, last = (round(time_s * clip.sample_rate_hz / hop) for time_s in self.noise_from)
        if last > len(power):
            raise ConfigError(f"the recording ends before {self.noise_from[1]} s")
        return np.asarray(power[first : max(last, first + 1)].mean(axis=0))


def frame_sizes(sample_rate_hz: int) -> tuple[int, int]:
    """Hop of 8 ms and window of four hops, in samples, rounded up to what a fast Fourier transform likes."""
    from scipy.fft import next_fast_len

    hop = int(next_fast_len(max(1, round(_HOP_S * sample_rate_hz)), real=True))
    return hop, _OVERLAP * hop


def _spectra(samples: FloatArray, window: FloatArray, hop: int) -> NDArray[np.complex64]:
    """Spectra `(T, F)` of frames centred on multiples of the hop."""
    from scipy.fft import rfft

    size = len(window)
    frames = -(-len(samples) // hop) + 1
    padded = np.zeros((frames - 1) * hop + size, dtype=np.float32)
    padded[size // 2 : size // 2 + len(samples)] = samples
    framed = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    return np.asarray(rfft(framed * window, axis=1))


def _overlapped(spectra: NDArray[np.complex64], window: FloatArray, hop: int, length: int) -> FloatArray:
    """Samples `(S,)` of spectra `(T, F)`; the inverse of `_spectra`."""
    from scipy.fft import irfft

    size = len(window)
    # Squared Hann windows that overlap by three quarters add up to one and a half.
    framed = irfft(spectra, n=size, axis=1, overwrite_x=True)
    framed *= window / np.float32(1.5)
    total = np.zeros((len(framed) + _OVERLAP - 1) * hop, dtype=np.float32)
    for part in range(_OVERLAP):
        total[part * hop : (part + len(framed)) * hop] += framed[:, part * hop : (part + 1) * hop].reshape(-1)
    return total[size // 2 : size // 2 + length]


_SMOOTHING = 0.8
_WINDOW_FRAMES = 187
_BIAS = 2.2


def _tracked_floor(power: FloatArray) -> FloatArray:
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    smooth = uniform_filter1d(power, 9, axis=0, mode="nearest")
    smooth = uniform_filter1d(smooth, 3, axis=1, mode="nearest")
    lowest = minimum_filter1d(smooth, _WINDOW_FRAMES, axis=0, mode="nearest")
    return np.asarray(np.float32(_BIAS) * uniform_filter1d(lowest, 63, axis=0, mode="nearest"))


def _gain(power: FloatArray, noise: FloatArray) -> FloatArray:
    from scipy.ndimage import uniform_filter

    ratio = uniform_filter(power, (3, 3), mode="nearest") / np.maximum(noise, np.float32(1e-12))
    gain = np.sqrt(np.clip(1.0 - 1.5 / np.maximum(ratio, 1e-6), 0.0, 1.0))
    return np.asarray(uniform_filter(gain, (3, 3), mode="nearest"), dtype=np.float32)
