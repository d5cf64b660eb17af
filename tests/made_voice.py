"""A voice made by rule: vowels with formants and a melody, fricatives, pauses; and noise around it."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from yinse.core.types import AudioClip, FloatArray

RATE_HZ = 24_000
VOWELS_HZ = ((730, 1090, 2440, 3400), (270, 2290, 3010, 3700), (300, 870, 2240, 3300), (530, 1840, 2480, 3500))


def voice(duration_s: float = 6.0) -> FloatArray:
    """Vowels of four formants with a gliding melody, a fricative after every fourth, then a pause of 0.4 s."""
    samples = round(duration_s * RATE_HZ)
    time_s = np.arange(samples) / RATE_HZ
    f0_hz = 130.0 + 25.0 * np.sin(2 * np.pi * 0.7 * time_s) + 8.0 * np.sin(2 * np.pi * 2.3 * time_s)
    pulses = np.diff(np.floor(np.cumsum(f0_hz) / RATE_HZ), prepend=0.0)
    breath = np.random.default_rng(5).standard_normal(samples) * 0.003
    spoken = np.zeros(samples)
    for index, start in enumerate(range(0, samples, RATE_HZ // 5)):
        if index % 7 >= 5:
            continue
        part = (pulses + breath)[start : start + RATE_HZ // 5]
        if index % 7 == 4:
            hiss = np.diff(breath[start : start + len(part)], prepend=0.0)
            spoken[start : start + len(part)] = 0.15 * hiss / np.abs(hiss).max() * np.hanning(len(part))
            continue
        for formant_hz in VOWELS_HZ[index % 4]:
            radius = np.exp(-np.pi * 90.0 / RATE_HZ)
            angle = 2 * np.pi * formant_hz / RATE_HZ
            part = lfilter([1.0 - radius], [1.0, -2 * radius * np.cos(angle), radius**2], part)
        spoken[start : start + len(part)] = part / np.abs(part).max() * np.hanning(len(part)) ** 0.5
    return (0.3 * spoken).astype(np.float32)


def noisy(samples: FloatArray, snr_db: float, *, seed: int = 0) -> AudioClip:
    """The voice in pink-like noise."""
    noise = lfilter([1.0], [1.0, -0.8], np.random.default_rng(seed).standard_normal(len(samples)))
    gain = np.sqrt(np.mean(samples**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    return AudioClip((samples + gain * noise).astype(np.float32), RATE_HZ)


def at_home(duration_s: float = 6.0, *, snr_db: float = 12.0, seed: int = 0) -> AudioClip:
    """The voice with a second of noise before and after it."""
    quiet = np.zeros(RATE_HZ, dtype=np.float32)
    return noisy(np.concatenate([quiet, voice(duration_s), quiet]), snr_db, seed=seed)
