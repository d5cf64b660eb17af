"""Loudness as ITU-R BS.1770 measures it, true peaks, and bringing a clip to a given level."""

from __future__ import annotations

import math

import numpy as np

from yinse.audio.resample import resample
from yinse.core.types import AudioClip

TARGET_LUFS = -18.0
CEILING_DBTP = -1.0
_BLOCK_S = 0.4
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
    if not clip.samples.any():
        return -math.inf
    import pyloudnorm

    duration_s = clip.duration_s
    meter = pyloudnorm.Meter(clip.sample_rate_hz, block_size=min(_BLOCK_S, duration_s))
    with np.errstate(divide="ignore", invalid="ignore"):
        loudness = float(meter.integrated_loudness(clip.samples.astype(np.float64)))
    return -math.inf if math.isnan(loudness) else loudness


def true_peak_dbtp(clip: AudioClip) -> float:
    """Peak between the samples, found by fourfold oversampling, in dB of full scale; minus infinity for silence."""
    if not clip.samples.any():
        return -math.inf
    finer = resample(clip, clip.sample_rate_hz * _OVERSAMPLING)
    return 20.0 * math.log10(max(float(np.abs(finer.samples).max()), float(np.abs(clip.samples).max())))


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
    for _ in range(_MOST_ROUNDS):
        # Turning peaks down costs loudness, which the next round gives back.
        result = limit_peaks(_amplified(clip, gain_db), ceiling_dbtp=ceiling_dbtp)
        missing_lu = target_lufs - integrated_lufs(result)
        if abs(missing_lu) <= _CLOSE_ENOUGH_LU:
            break
        gain_db += missing_lu
    return result


def limit_peaks(clip: AudioClip, *, ceiling_dbtp: float = CEILING_DBTP) -> AudioClip:
    """Turns the gain down for 5 ms around every true peak above the ceiling, without a delay."""
    if true_peak_dbtp(clip) <= ceiling_dbtp:
        return clip
    from scipy.ndimage import minimum_filter1d
    from scipy.signal import fftconvolve

    reach = max(1, round(_LIMITER_LOOKAHEAD_S * clip.sample_rate_hz))
    finer = np.abs(resample(clip, clip.sample_rate_hz * _OVERSAMPLING).samples)
    peaks = np.maximum(finer.reshape(-1, _OVERSAMPLING).max(axis=1), np.abs(clip.samples))
    ceiling = 10.0 ** (ceiling_dbtp / 20.0)
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    # The smallest gain within reach, smoothed over the same reach, is nowhere above what a peak needs.
    lowest = minimum_filter1d(needed, 2 * reach + 1)
    window = np.hanning(2 * reach + 3)[1:-1]
    padded = np.pad(lowest, reach, mode="edge")
    gain = fftconvolve(padded, window / window.sum(), mode="valid")
    limited = AudioClip((clip.samples * gain).astype(np.float32), clip.sample_rate_hz)
    # A gain that moves shifts the peaks between the samples by a few hundredths of a dB.
    return _amplified(limited, min(0.0, ceiling_dbtp - true_peak_dbtp(limited)))


def _amplified(clip: AudioClip, gain_db: float) -> AudioClip:
    return AudioClip(clip.samples * np.float32(10.0 ** (gain_db / 20.0)), clip.sample_rate_hz)
