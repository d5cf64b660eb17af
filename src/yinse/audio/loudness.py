"""Loudness as ITU-R BS.1770 measures it, true peaks, and bringing a clip to a given level."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from yinse.audio.resample import resample
from yinse.core.types import AudioClip, FloatArray

TARGET_LUFS = -18.0
CEILING_DBTP = -1.0
_BLOCK_S, _BLOCK_HOPS = 0.4, 4
_OFFSET_LUFS, _ABSOLUTE_GATE_LUFS, _RELATIVE_GATE_LU = -0.691, -70.0, -10.0
_OVERSAMPLING = 4
_LIMITER_LOOKAHEAD_S = 0.005
_CLOSE_ENOUGH_LU = 0.1
_MOST_ROUNDS = 6


def integrated_lufs(clip: AudioClip) -> float:
    """Integrated loudness, ITU-R BS.1770-4 with both gates.

    A clip shorter than the 400 ms block of the standard is measured as one block of its own length: the mean square
    after K-weighting.

    Returns:
        Loudness in LUFS; minus infinity for silence, or below the absolute gate of -70 LUFS.
    """
    power = _block_power(clip)
    power = power[power > _power_of(_ABSOLUTE_GATE_LUFS)]
    if len(power) == 0:
        return -math.inf
    gated = power[power > power.mean() * 10.0 ** (_RELATIVE_GATE_LU / 10.0)]
    return _OFFSET_LUFS + 10.0 * math.log10(float(gated.mean()))


def _block_power(clip: AudioClip) -> NDArray[np.float64]:
    """Mean square of each block of 400 ms, one every 100 ms, after K-weighting; of the whole if it is shorter."""
    from scipy.signal import sosfilt

    if len(clip.samples) == 0:
        return np.zeros(0)
    weighted = np.square(sosfilt(_k_weighting(clip.sample_rate_hz), clip.samples.astype(np.float64)))
    hop = round(_BLOCK_S / _BLOCK_HOPS * clip.sample_rate_hz)
    hops = len(weighted) // hop if hop else 0
    if hops < _BLOCK_HOPS:
        return np.atleast_1d(weighted.mean())
    means = weighted[: hops * hop].reshape(hops, hop).mean(axis=1)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(means, _BLOCK_HOPS).mean(axis=1))


@cache
def _k_weighting(sample_rate_hz: int) -> NDArray[np.float64]:
    """Second-order sections `(2, 6)`: a shelf for the head, and a high-pass.

    The analogue prototypes behind the coefficients that BS.1770 gives for 48 kHz, so that any rate weighs alike.
    """
    shelf_hz, shelf_db, shelf_q = 1681.9744509555319, 3.99984385397, 0.7071752369554193
    k, high = math.tan(math.pi * shelf_hz / sample_rate_hz), 10.0 ** (shelf_db / 20.0)
    band = high**0.4996667741545416
    scale = 1.0 + k / shelf_q + k * k
    shelf = [high + band * k / shelf_q + k * k, 2.0 * (k * k - high), high - band * k / shelf_q + k * k]
    shelf = [value / scale for value in shelf] + [1.0, 2.0 * (k * k - 1.0) / scale, (1.0 - k / shelf_q + k * k) / scale]
    pass_hz, pass_q = 38.13547087602444, 0.5003270373238773
    k = math.tan(math.pi * pass_hz / sample_rate_hz)
    scale = 1.0 + k / pass_q + k * k
    highpass = [1.0, -2.0, 1.0, 1.0, 2.0 * (k * k - 1.0) / scale, (1.0 - k / pass_q + k * k) / scale]
    return np.array([shelf, highpass])


def _power_of(loudness_lufs: float) -> float:
    return float(10.0 ** ((loudness_lufs - _OFFSET_LUFS) / 10.0))


def true_peak_dbtp(clip: AudioClip) -> float:
    """Peak between the samples, found by fourfold oversampling, in dB of full scale; minus infinity for silence."""
    if not clip.samples.any():
        return -math.inf
    return 20.0 * math.log10(float(_peaks(clip).max()))


def normalize_loudness(
    clip: AudioClip, *, target_lufs: float = TARGET_LUFS, ceiling_dbtp: float = CEILING_DBTP
) -> AudioClip:
    """Brings a clip to a loudness; peaks that would pass the ceiling are turned down, not cut off.

    Args:
        clip: `(S,)`; silence is returned as it is.
        target_lufs: loudness wanted.
        ceiling_dbtp: highest true peak allowed. It comes first: a clip that is all peaks stays below the target.
    """
    gain_db = target_lufs - integrated_lufs(clip)
    if not math.isfinite(gain_db):
        return clip
    peaks = _peaks(clip)  # once: they grow as the gain does
    highest_dbtp = 20.0 * math.log10(float(peaks.max()))
    for _ in range(_MOST_ROUNDS):
        if highest_dbtp + gain_db <= ceiling_dbtp:
            return _amplified(clip, gain_db)
        # Turning peaks down costs loudness, which the next round gives back.
        result = _limited(clip, peaks, gain_db, ceiling_dbtp)
        missing_lu = target_lufs - integrated_lufs(result)
        if abs(missing_lu) <= _CLOSE_ENOUGH_LU:
            break
        gain_db += missing_lu
    return _below(result, ceiling_dbtp)


def limit_peaks(clip: AudioClip, *, ceiling_dbtp: float = CEILING_DBTP) -> AudioClip:
    """Turns the gain down for 5 ms around every true peak above the ceiling, without a delay."""
    if true_peak_dbtp(clip) <= ceiling_dbtp:
        return clip
    return _below(_limited(clip, _peaks(clip), 0.0, ceiling_dbtp), ceiling_dbtp)


def _peaks(clip: AudioClip) -> FloatArray:
    """The true peak around each sample `(S,)`."""
    finer = np.abs(resample(clip, clip.sample_rate_hz * _OVERSAMPLING).samples)
    phases = (finer[phase::_OVERSAMPLING] for phase in range(_OVERSAMPLING))
    return np.asarray(np.maximum.reduce([np.abs(clip.samples), *phases]))


def _limited(clip: AudioClip, peaks: FloatArray, gain_db: float, ceiling_dbtp: float) -> AudioClip:
    """A clip with a gain, less of it around each of its true peaks `(S,)` that would pass the ceiling."""
    from scipy.ndimage import minimum_filter1d
    from scipy.signal import oaconvolve

    reach = max(1, round(_LIMITER_LOOKAHEAD_S * clip.sample_rate_hz))
    ceiling = np.float32(10.0 ** ((ceiling_dbtp - gain_db) / 20.0))
    needed = np.minimum(np.float32(1.0), ceiling / np.maximum(peaks, np.float32(1e-9)))
    # The smallest gain within reach, smoothed over the same reach, is nowhere above what a peak needs.
    lowest = minimum_filter1d(needed, 2 * reach + 1)
    window = np.hanning(2 * reach + 3)[1:-1].astype(np.float32)
    gain = oaconvolve(np.pad(lowest, reach, mode="edge"), window / window.sum(), mode="valid")
    return _amplified(AudioClip(clip.samples * gain, clip.sample_rate_hz), gain_db)


def _below(clip: AudioClip, ceiling_dbtp: float) -> AudioClip:
    """A limited clip under its ceiling: a gain that moves shifts peaks between the samples by hundredths of a dB."""
    return _amplified(clip, min(0.0, ceiling_dbtp - true_peak_dbtp(clip)))


def _amplified(clip: AudioClip, gain_db: float) -> AudioClip:
    return AudioClip(clip.samples * np.float32(10.0 ** (gain_db / 20.0)), clip.sample_rate_hz)
