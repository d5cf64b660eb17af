"""A spectral gate: what stays near the noise floor of its frequency is turned down, what rises above it passes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yinse.audio.blend import blend, check_strength
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip, FloatArray

DEFAULT_STRENGTH = 0.7
FLOOR_S = 1.5
"""Length of the stretch whose quietest moment is the noise: longer than any sound of speech."""
_HOP_S = 0.016
_OVERLAP = 2
# The minimum of noise smoothed over 5 frames and 3 frequencies lies below its mean by a factor of about 2.5. Noise in
# rooms comes and goes; 1.6 times more takes its usual swells away too (development noises at 10 dB, strength 0.7:
# 0.3 dB more SI-SDR, 0.2 dB more of fricatives lost).
_FLOOR_FRAMES, _FLOOR_BINS, _FLOOR_SMOOTHING_S, _FLOOR_BIAS = 5, 3, 0.5, 4.0
# Power over the floor, averaged near a point (3 frames x 3 frequencies) and along the frequencies (31): speech shows
# in both, a chance peak of noise in the first only. Each counts from the first number, in full from the second.
_NEAR, _NEAR_RATIOS = (3, 3), (1.5, 5.0)
_WIDE, _WIDE_RATIOS = (1, 31), (1.2, 2.5)
# Fricatives are broad and flat: above 3 kHz, power along the frequencies alone opens the gate, because point by point
# they look like noise.
_HISS_FROM_HZ, _HISS_RATIOS = 3_000.0, (1.5, 3.0)
_GAIN_SMOOTHING = (1, 3)
_LEAST_GAIN = 0.05
# Digital silence before or after a recording says nothing about its noise.
_SILENT_POWER = 1e-10
_LEAST_FLOOR = 1e-20


class SpectralGate:
    """Turns down noise that is steady over a second or so; needs no network and no passage without speech.

    The noise floor of each frequency is the minimum of its smoothed power around each frame (after R. Martin, Noise
    power spectral density estimation based on optimal smoothing and minimum statistics, 2001), so speech may begin
    with the first sample. With `noise_from` the floor is the mean over a passage known to hold noise alone.

    Args:
        strength: `prop_decrease`: noise falls to `1 - strength` of its amplitude.
        noise_from: start and end in seconds of a passage without speech.
        causal: look at this and earlier frames only, as `GateStream` has to; otherwise equally far into the future.
            Looking back only, the first syllable of a recording that begins with speech is noise until it pauses.

    Raises:
        ConfigError: strength is out of range, or the passage is empty.
    """

    name = "gate"

    def __init__(
        self,
        *,
        strength: float = DEFAULT_STRENGTH,
        noise_from: tuple[float, float] | None = None,
        causal: bool = False,
    ) -> None:
        if noise_from is not None and not 0.0 <= noise_from[0] < noise_from[1]:
            raise ConfigError(f"there is no passage from {noise_from[0]} to {noise_from[1]} s")
        self.strength = check_strength(strength)
        self.noise_from = noise_from
        self.causal = causal

    def denoise(self, clip: AudioClip) -> AudioClip:
        """Returns a clip of the same rate and length, aligned sample by sample with the original.

        Raises:
            ConfigError: the clip ends before the noise passage.
        """
        if self.strength == 0.0 or len(clip.samples) == 0:
            return clip
        frames = GateFrames.at(clip.sample_rate_hz)
        spectra = frames.spectra(clip.samples)
        power = np.square(spectra.real)
        power += np.square(spectra.imag)
        if self.noise_from is None:
            floor = _floor(power, frames, causal=self.causal)
        else:
            floor = _stated_floor(power, frames, self.noise_from)
        spectra *= _gain(power, floor, frames, causal=self.causal)
        return blend(clip, AudioClip(frames.samples(spectra, len(clip.samples)), clip.sample_rate_hz), self.strength)


@dataclass(frozen=True, slots=True, eq=False)
class GateFrames:
    """The frames of the gate: root-Hann windows of two hops, centred on multiples of the hop.

    Attributes:
        sample_rate_hz: samples per second.
        hop: samples between frames, about 16 ms.
        window: `(W,)`.
    """

    sample_rate_hz: int
    hop: int
    window: FloatArray

    @classmethod
    def at(cls, sample_rate_hz: int) -> GateFrames:
        """Frames whose length suits a fast Fourier transform at a rate."""
        from scipy.fft import next_fast_len

        hop = int(next_fast_len(max(2, round(_HOP_S * sample_rate_hz)), real=True))
        return cls(sample_rate_hz, hop, np.sqrt(np.hanning(_OVERLAP * hop + 1)[:-1]).astype(np.float32))

    def in_frames(self, time_s: float) -> int:
        """Frames in so many seconds, at least one, odd so that a middle exists."""
        return round(time_s * self.sample_rate_hz / self.hop) // 2 * 2 + 1

    @property
    def first_hiss_bin(self) -> int:
        """The first frequency at which fricatives are looked for."""
        return round(_HISS_FROM_HZ * len(self.window) / self.sample_rate_hz)

    @property
    def silent_power(self) -> float:
        """Power of a frame, summed over its frequencies, that only digital silence is below."""
        return _SILENT_POWER * float(np.square(self.window).sum()) * len(self.window) / 2

    def spectra(self, samples: FloatArray) -> NDArray[np.complex64]:
        """Spectra `(T, F)` of samples `(S,)`."""
        from scipy.fft import rfft

        size = len(self.window)
        padded = np.zeros((-(-len(samples) // self.hop)) * self.hop + size, dtype=np.float32)
        padded[size // 2 : size // 2 + len(samples)] = samples
        framed = np.lib.stride_tricks.sliding_window_view(padded, size)[:: self.hop]
        return np.asarray(rfft(framed * self.window, axis=1))

    def waves(self, spectra: NDArray[np.complex64]) -> FloatArray:
        """Windowed frames `(T, W)` of spectra `(T, F)`, ready to be added where they overlap."""
        from scipy.fft import irfft

        framed = irfft(spectra, n=len(self.window), axis=1)
        framed *= self.window
        return np.asarray(framed)

    def samples(self, spectra: NDArray[np.complex64], length: int) -> FloatArray:
        """Samples `(S,)` of spectra `(T, F)`; the inverse of `spectra`."""
        framed, hop = self.waves(spectra), self.hop
        total = np.zeros((len(framed) + _OVERLAP - 1) * hop, dtype=np.float32)
        for part in range(_OVERLAP):
            total[part * hop : (part + len(framed)) * hop] += framed[:, part * hop : (part + 1) * hop].reshape(-1)
        return total[len(self.window) // 2 : len(self.window) // 2 + length]


class GateState:
    """The causal gate frame by frame: what `SpectralGate(causal=True)` computes at once, to rounding."""

    def __init__(self, frames: GateFrames) -> None:
        self._frames = frames
        self._powers = _Past(_FLOOR_FRAMES)
        self._smooth = _Past(frames.in_frames(FLOOR_S))
        self._lowest = _Past(frames.in_frames(_FLOOR_SMOOTHING_S))
        self._ratios = _Past(_NEAR[0])

    def gain(self, power: FloatArray) -> FloatArray:
        """What the next frame is multiplied with `(F,)`, given its power `(F,)`."""
        smooth = self._powers.with_next(_over_bins(power, _FLOOR_BINS)).mean(axis=0)
        if power.sum() < self._frames.silent_power:
            smooth = np.full_like(smooth, np.inf)
        lowest = self._smooth.with_next(smooth).min(axis=0)
        lowest[np.isinf(lowest)] = 0.0
        floor = np.float32(_FLOOR_BIAS) * self._lowest.with_next(lowest).mean(axis=0)
        ratio: FloatArray = power / np.maximum(floor, np.float32(_LEAST_FLOOR))
        near = self._ratios.with_next(_over_bins(ratio, _NEAR[1])).mean(axis=0)
        gain = point_gain(near, _over_bins(ratio, _WIDE[1]), self._frames.first_hiss_bin)
        return _over_bins(gain, _GAIN_SMOOTHING[1])


class _Past:
    """The last so many rows `(F,)`, in no order; the first one fills all places."""

    def __init__(self, size: int) -> None:
        self._size, self._count = size, 0
        self._rows = np.zeros((0, 0), dtype=np.float32)

    def with_next(self, row: FloatArray) -> FloatArray:
        if self._count == 0:
            self._rows = np.repeat(row[None], self._size, axis=0)
        self._rows[self._count % self._size] = row
        self._count += 1
        return self._rows


def _over_bins(values: FloatArray, size: int) -> FloatArray:
    return np.asarray(_averaged(values[None], (1, size), causal=True)[0])


def _floor(power: FloatArray, frames: GateFrames, *, causal: bool) -> FloatArray:
    """Power of the noise `(T, F)` behind the power of each frame `(T, F)`."""
    smooth = _averaged(power, (_FLOOR_FRAMES, _FLOOR_BINS), causal=causal)
    smooth[power.sum(axis=1) < frames.silent_power] = np.inf
    size = frames.in_frames(FLOOR_S)
    lowest = _running_minimum(smooth, size, before=size - 1 if causal else size // 2)
    lowest[np.isinf(lowest)] = 0.0
    floor = _averaged(lowest, (frames.in_frames(_FLOOR_SMOOTHING_S), 1), causal=causal)
    floor *= np.float32(_FLOOR_BIAS)
    return floor


def _stated_floor(power: FloatArray, frames: GateFrames, noise_from: tuple[float, float]) -> FloatArray:
    """Mean power `(F,)` of the noise in a passage of frames `(T, F)`."""
    first, last = (round(time_s * frames.sample_rate_hz / frames.hop) for time_s in noise_from)
    if last > len(power):
        raise ConfigError(f"the recording ends before the noise passage does, at {noise_from[1]} s")
    return np.asarray(power[first : max(last, first + 1)].mean(axis=0))


def _gain(power: FloatArray, floor: FloatArray, frames: GateFrames, *, causal: bool) -> FloatArray:
    """What each frame and frequency `(T, F)` is multiplied with, from 0.05 to 1."""
    ratio = np.asarray(power / np.maximum(floor, np.float32(_LEAST_FLOOR)), dtype=np.float32)
    near, wide = _averaged(ratio, _NEAR, causal=causal), _averaged(ratio, _WIDE, causal=causal)
    return _averaged(point_gain(near, wide, frames.first_hiss_bin), _GAIN_SMOOTHING, causal=causal)


def point_gain(near: FloatArray, wide: FloatArray, first_hiss_bin: int) -> FloatArray:
    """Gain of points `(..., F)`: a Wiener filter where there is speech, little elsewhere.

    Args:
        near: power over the floor, averaged in the neighbourhood of each point.
        wide: the same, averaged along the frequencies.
        first_hiss_bin: from this frequency on, `wide` alone may open the gate.
    """
    gain = _wiener(near) * _between(near, _NEAR_RATIOS) * _between(wide, _WIDE_RATIOS)
    gain *= np.float32(1.0 - _LEAST_GAIN)
    gain += np.float32(_LEAST_GAIN)
    hiss = wide[..., first_hiss_bin:]
    opened = gain[..., first_hiss_bin:]
    np.maximum(opened, _between(hiss, _HISS_RATIOS) * np.sqrt(_wiener(hiss)), out=opened)
    return gain


def _wiener(ratio: FloatArray) -> FloatArray:
    return np.asarray(1.0 - 1.0 / np.maximum(ratio, np.float32(1.0)))


def _between(ratio: FloatArray, bounds: tuple[float, float]) -> FloatArray:
    """0 below the first bound, 1 above the second, in between even in decibels."""
    low, high = np.log(bounds)
    share = np.log(np.clip(ratio, np.float32(bounds[0]), np.float32(bounds[1])))
    share -= np.float32(low)
    share /= np.float32(high - low)
    return np.asarray(share)


def _averaged(values: FloatArray, sizes: tuple[int, int], *, causal: bool) -> FloatArray:
    """Means over rectangles of frames and frequencies; `causal`: no frame after the one in question."""
    frames, bins = sizes
    over_bins = _running_mean(values, bins, before=bins // 2, axis=1)
    return _running_mean(over_bins, frames, before=frames - 1 if causal else frames // 2, axis=0)


def _running_mean(values: FloatArray, size: int, *, before: int, axis: int) -> FloatArray:
    """Means of `size` neighbours along an axis, `before` of them earlier; the ends are repeated.

    Sums of 1, 2, 4, … neighbours, of which those are added that make up the size: a few passes over memory.
    """
    if size == 1:
        return values
    widened = _with_ends(values, before, size - 1 - before, axis=axis)
    sums, width, done = (widened if axis == 0 else widened.T), 1, 0
    count = values.shape[axis]
    total = np.zeros_like(sums[:count])
    while width <= size:
        if size & width:
            total += sums[done : done + count]
            done += width
        sums = sums[:-width] + sums[width:]
        width *= 2
    total *= np.float32(1.0 / size)
    return total if axis == 0 else total.T


def _running_minimum(values: FloatArray, size: int, *, before: int) -> FloatArray:
    """Smallest of `size` neighbours along the first axis, `before` of them earlier; the ends are repeated."""
    lowest, width = _with_ends(values, before, size - 1 - before, axis=0), 1
    while 2 * width <= size:
        lowest = np.minimum(lowest[:-width], lowest[width:])
        width *= 2
    return lowest if width == size else np.minimum(lowest[: width - size], lowest[size - width :])


def _with_ends(values: FloatArray, before: int, after: int, *, axis: int) -> FloatArray:
    first, last = (values[:1], values[-1:]) if axis == 0 else (values[:, :1], values[:, -1:])
    return np.concatenate((np.repeat(first, before, axis), values, np.repeat(last, after, axis)), axis)
