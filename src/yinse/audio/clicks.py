"""Clicks of keys, mouths and bad connections: finding them, and filling the short gaps they leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yinse.core.types import AudioClip, FloatArray

_BLOCK_S = 0.03
_ORDER_S = 0.001
_LOUD_RATIO = 12.0
_LONGEST_S = 0.012
_REPAIRED_UP_TO_S = 0.012


@dataclass(frozen=True, slots=True, order=True)
class Click:
    """A short burst that does not belong to the voice.

    Attributes:
        start_s: where it begins.
        end_s: where it has died away.
        loudness_db: its peak over what surrounds it, both with the voice's own spectrum taken out.
    """

    start_s: float
    end_s: float
    loudness_db: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


def find_clicks(clip: AudioClip) -> tuple[Click, ...]:
    """Clicks in a clip `(S,)`, in order."""
    rate = clip.sample_rate_hz
    if len(clip.samples) < round(_BLOCK_S * rate):
        return ()
    from scipy.ndimage import maximum_filter1d, percentile_filter

    residual = np.abs(_whitened(clip.samples, rate))
    step = max(1, round(0.0005 * rate))
    steps = len(residual) // step
    peaks = residual[: steps * step].reshape(steps, step).max(axis=1)
    usual = percentile_filter(peaks, 60, size=81, mode="nearest") + 1e-6
    usual = maximum_filter1d(usual, 3)
    ratio = peaks / usual
    found = np.flatnonzero(np.diff(np.pad((ratio > 0.4 * _LOUD_RATIO).astype(np.int8), 1)))
    clicks = []
    for start, end in zip(found[::2].tolist(), found[1::2].tolist(), strict=True):
        loudest = float(ratio[start:end].max())
        if loudest >= _LOUD_RATIO and (end - start) * step <= _LONGEST_S * rate:
            clicks.append(Click(start * step / rate, end * step / rate, 20.0 * float(np.log10(loudest))))
    return tuple(clicks)


def repair_clicks(clip: AudioClip, clicks: Sequence[Click]) -> AudioClip:
    """Fills short clicks with what the sound around them lets expect; longer ones stay.

    Least-squares interpolation of an autoregressive process (A. Janssen, R. Veldhuis, L. Vries, Adaptive
    interpolation of discrete-time signals that can be modeled as autoregressive processes, 1986).

    Args:
        clip: `(S,)`.
        clicks: what `find_clicks` found in it.
    """
    samples = clip.samples.copy()
    for click in clicks:
        if click.duration_s <= _REPAIRED_UP_TO_S:
            _fill(samples, round(click.start_s * clip.sample_rate_hz), round(click.end_s * clip.sample_rate_hz) + 1)
    return AudioClip(samples, clip.sample_rate_hz)


def _whitened(samples: FloatArray, rate_hz: int) -> FloatArray:
    """The part `(S,)` of samples that a linear prediction from the last millisecond does not explain."""
    from scipy.linalg import solve_toeplitz
    from scipy.signal import lfilter

    order, block = max(4, round(_ORDER_S * rate_hz)), round(_BLOCK_S * rate_hz)
    residual = np.zeros(len(samples), dtype=np.float32)
    for start in range(0, len(samples), block):
        piece = samples[max(0, start - order) : start + block].astype(np.float64)
        spectrum = np.fft.rfft(piece * np.hanning(len(piece)), 2 * len(piece))
        correlation = np.fft.irfft(np.square(np.abs(spectrum)))[: order + 1]
        correlation[0] = correlation[0] * 1.001 + 1e-9
        prediction = solve_toeplitz(correlation[:-1], correlation[1:])
        filtered = lfilter(np.concatenate(([1.0], -prediction)), [1.0], piece)
        residual[start : start + block] = filtered[len(piece) - len(samples[start : start + block]) :]
    return residual


def _fill(samples: FloatArray, start: int, end: int) -> None:
    """Replaces the samples from `start` to `end` in place."""
    from scipy.linalg import solve_toeplitz, solveh_banded

    start, end = max(0, start), min(len(samples), end)
    order = min(4 * (end - start) + 32, 400)
    low, high = max(0, start - 8 * order), min(len(samples), end + 8 * order)
    piece = samples[low:high].astype(np.float64)
    gap = slice(start - low, end - low)
    known = piece.copy()
    known[gap] = 0.0
    if not known.any() or gap.start < order or len(piece) - gap.stop < order:
        samples[start:end] = 0.0
        return
    for _ in range(2):
        spectrum = np.fft.rfft(piece, 2 * len(piece))
        correlation = np.fft.irfft(np.square(np.abs(spectrum)))[: order + 1]
        correlation[0] *= 1.0 + 1e-6
        model = np.concatenate(([1.0], -solve_toeplitz(correlation[:-1], correlation[1:])))
        # Coefficients of the normal equations: the autocorrelation of the prediction filter.
        bands: NDArray[np.float64] = np.correlate(model, model, "full")[order:]
        missing = gap.stop - gap.start
        width = min(missing, order + 1)
        known = piece.copy()
        known[gap] = 0.0
        right = -np.convolve(known, np.concatenate((bands[:0:-1], bands)), "same")[gap]
        lower = np.zeros((width, missing))
        for row in range(width):
            lower[row, : missing - row] = bands[row]
        piece[gap] = solveh_banded(lower, right, lower=True)
    samples[start:end] = piece[gap]
