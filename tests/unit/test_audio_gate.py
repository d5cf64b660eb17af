"""The spectral gate: noise falls by its strength, speech from the first sample on and fricatives stay."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, lfilter, sosfilt

from yinse.audio.spectral_gate import SpectralGate
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip, FloatArray

RATE_HZ = 24_000


def noise(duration_s: float, *, level: float = 0.01, seed: int = 0) -> FloatArray:
    """What a fan blows: noise that falls with frequency."""
    white = np.random.default_rng(seed).standard_normal(round(duration_s * RATE_HZ))
    return (level * lfilter([1.0], [1.0, -0.7], white)).astype(np.float32)


def vowels(duration_s: float) -> FloatArray:
    """Syllables of harmonics from the first sample on, 250 ms each with 200 ms between them."""
    time_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    hum = sum(np.sin(2 * np.pi * 140.0 * k * time_s) / k for k in range(1, 16))
    return (0.05 * hum * (time_s % 0.45 < 0.25)).astype(np.float32)


def power_db(samples: FloatArray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


@pytest.mark.parametrize("strength", [0.3, 0.6, 0.9])
def test_noise_falls_by_the_strength(strength: float) -> None:
    heard = noise(4.0)
    quiet = SpectralGate(strength=strength).denoise(AudioClip(heard, RATE_HZ)).samples
    fall_db = power_db(heard[4_800:-4_800]) - power_db(quiet[4_800:-4_800])
    assert fall_db == pytest.approx(-20 * np.log10(1 - strength), rel=0.2)


def test_strength_is_the_share_of_the_gated_sound() -> None:
    clip = AudioClip(vowels(2.0) + noise(2.0), RATE_HZ)
    full = SpectralGate(strength=1.0).denoise(clip).samples
    some = SpectralGate(strength=0.4).denoise(clip).samples
    np.testing.assert_allclose(some, clip.samples + 0.4 * (full - clip.samples), atol=1e-6)
    assert SpectralGate(strength=0.0).denoise(clip) is clip


def test_speech_from_the_first_sample_on_stays() -> None:
    clean = vowels(4.0)
    cleaned = SpectralGate().denoise(AudioClip(clean + noise(4.0), RATE_HZ)).samples
    spoken = (np.arange(len(clean)) / RATE_HZ) % 0.45 < 0.25
    # The first syllable; what is left of it is measured along the clean one.
    first = slice(0, RATE_HZ // 4)
    assert np.dot(cleaned[first], clean[first]) / np.dot(clean[first], clean[first]) > 0.85
    assert power_db(cleaned[spoken] - clean[spoken]) < power_db(noise(4.0)[spoken])
    assert power_db(cleaned[~spoken]) < power_db(noise(4.0)[~spoken]) - 7.0


@pytest.mark.parametrize("above_noise_db", [6.0, 10.0])
def test_fricatives_stay(above_noise_db: float) -> None:
    # /s/ of 120 ms from 4 to 8 kHz between vowels, so many decibels above the noise in its band.
    sections = butter(4, (4_000, 8_000), "bandpass", fs=RATE_HZ, output="sos")
    floor = noise(5.0)
    hiss = sosfilt(sections, np.random.default_rng(3).standard_normal(len(floor)))
    time_s = np.arange(len(floor)) / RATE_HZ
    spoken = (time_s % 0.6 > 0.35) & (time_s % 0.6 < 0.47)
    in_band_db = power_db(sosfilt(sections, floor)) + above_noise_db
    hiss = (hiss * spoken * 10 ** ((in_band_db - power_db(hiss[spoken])) / 20)).astype(np.float32)
    cleaned = SpectralGate().denoise(AudioClip(vowels(5.0) + hiss + floor, RATE_HZ)).samples
    kept = np.dot(cleaned[spoken], hiss[spoken]) / np.dot(hiss[spoken], hiss[spoken])
    assert -20 * np.log10(kept) < (3.0 if above_noise_db < 10.0 else 1.0)


def test_a_stated_passage_is_the_noise() -> None:
    # A swelling noise: the passage is quieter than the rest, and only the passage counts.
    heard = np.concatenate([noise(1.0), noise(3.0, seed=1), 4 * noise(1.0, seed=2)])
    cleaned = SpectralGate(strength=1.0, noise_from=(0.0, 0.5)).denoise(AudioClip(heard, RATE_HZ)).samples
    middle, end = slice(2 * RATE_HZ, 3 * RATE_HZ), slice(-RATE_HZ // 2, -RATE_HZ // 8)
    assert power_db(cleaned[middle]) < power_db(heard[middle]) - 10.0
    assert power_db(cleaned[end]) > power_db(heard[end]) - 2.0
    with pytest.raises(ConfigError):
        SpectralGate(noise_from=(0.5, 0.5))
    with pytest.raises(ConfigError, match="ends before"):
        SpectralGate(noise_from=(0.0, 9.0)).denoise(AudioClip(heard, RATE_HZ))


@pytest.mark.parametrize("causal", [False, True])
def test_digital_silence_says_nothing_about_the_noise(causal: bool) -> None:
    nothing = np.zeros(2 * RATE_HZ, dtype=np.float32)
    clip = AudioClip(np.concatenate([nothing, noise(5.0), nothing]), RATE_HZ)
    cleaned = SpectralGate(strength=1.0, causal=causal).denoise(clip).samples
    noisy = slice(round(4.2 * RATE_HZ), round(6.8 * RATE_HZ))
    assert power_db(cleaned[noisy]) < power_db(clip.samples[noisy]) - 15.0
    assert not cleaned[:RATE_HZ].any()


@pytest.mark.parametrize("length", [1, 2, 383, 384, 385, 10_007])
@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 44_100, 48_000])
def test_nothing_moves_and_nothing_is_lost(length: int, rate_hz: int) -> None:
    time_s = np.arange(length) / rate_hz
    clip = AudioClip((0.2 * np.sin(2 * np.pi * 500.0 * time_s)).astype(np.float32), rate_hz)
    # Without noise nothing is near the floor but the tone itself: the tone of steady level counts as noise, so ask
    # for very little.
    cleaned = SpectralGate(strength=1e-6).denoise(clip)
    assert cleaned.sample_rate_hz == rate_hz
    np.testing.assert_allclose(cleaned.samples, clip.samples, atol=1e-6)


def test_frames_add_up_to_the_samples() -> None:
    # Speech that is loud everywhere passes unchanged.
    random = np.random.default_rng(0)
    clip = AudioClip((random.standard_normal(RATE_HZ) * np.hanning(RATE_HZ) ** 8).astype(np.float32), RATE_HZ)
    cleaned = SpectralGate(strength=1.0).denoise(clip)
    loud = slice(RATE_HZ // 2 - 2_000, RATE_HZ // 2 + 2_000)
    np.testing.assert_allclose(cleaned.samples[loud], clip.samples[loud], atol=0.02)
