"""Denoisers by name: all keep length, rate and place; what is not installed or makes no sense is said."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from yinse.audio import rnnoise
from yinse.audio.blend import blend, blend_around_speech
from yinse.audio.denoise import METHODS, DeepFilterNet, denoise, make_denoiser, strengths_for
from yinse.core.errors import ConfigError, MissingExtra, UnknownName
from yinse.core.types import AudioClip

RATE_HZ = 48_000


def heard() -> tuple[AudioClip, AudioClip]:
    """A voice-like buzz, and the same in noise."""
    time_s = np.arange(RATE_HZ) / RATE_HZ
    pitch = 2 * np.pi * np.cumsum(130.0 + 30.0 * np.sin(5.0 * time_s)) / RATE_HZ
    buzz = sum(np.sin(k * pitch) / k for k in range(1, 25)) * (0.55 - 0.45 * np.cos(2 * np.pi * 3.0 * time_s))
    noise = np.random.default_rng(0).standard_normal(RATE_HZ)
    return AudioClip((0.1 * buzz).astype(np.float32), RATE_HZ), AudioClip(
        (0.1 * buzz + 0.03 * noise).astype(np.float32), RATE_HZ
    )


@pytest.mark.parametrize("method", METHODS)
def test_every_method_keeps_the_place_of_every_sample(method: str) -> None:
    clean, noisy = heard()
    try:
        cleaned = denoise(noisy, method=method, strength=1.0)
    except MissingExtra:
        pytest.skip("not installed")
    assert (len(cleaned.samples), cleaned.sample_rate_hz) == (RATE_HZ, RATE_HZ)
    lags = [float(np.dot(clean.samples[100:-100], np.roll(cleaned.samples, -lag)[100:-100])) for lag in range(-40, 41)]
    assert abs(int(np.argmax(lags)) - 40) <= 1
    # The networks may take so plain a buzz for noise; the gate and "none" have an answer.
    if method not in ("gate", "none"):
        return
    left = float(np.std(cleaned.samples[::7] - clean.samples[::7]) / np.std(noisy.samples[::7] - clean.samples[::7]))
    assert left == pytest.approx(1.0) if method == "none" else left < 0.95


@pytest.mark.parametrize("method", METHODS)
def test_methods_have_a_name_and_a_default_strength(method: str) -> None:
    try:
        denoiser = make_denoiser(method)
    except MissingExtra:
        pytest.skip("not installed")
    assert denoiser.name == method
    assert 0.0 <= denoiser.strength <= 1.0
    empty = AudioClip(np.zeros(0, dtype=np.float32), RATE_HZ)
    assert len(denoiser.denoise(empty).samples) == 0


def test_strength_follows_the_noise() -> None:
    strengths = [strengths_for(snr_db, most_in_speech=0.65) for snr_db in (0.0, 12.0, 21.0, 30.0, 50.0)]
    np.testing.assert_allclose(strengths, [(1.0, 0.65), (1.0, 0.65), (0.5, 0.5), (0.0, 0.0), (0.0, 0.0)])
    gate = [strengths_for(snr_db, method="gate", most_in_speech=0.65) for snr_db in (0.0, 10.0, 21.0)]
    np.testing.assert_allclose(gate, [(0.7, 0.7), (0.7, 0.7), (0.5, 0.5)])
    assert [strengths_for(snr_db, none_from_db=10.0) for snr_db in (9.9, 10.0)] == [(1.0, 1.0), (0.0, 0.0)]


def test_pauses_are_cleaned_more_than_speech() -> None:
    random = np.random.default_rng(1)
    word = np.where(np.arange(2 * RATE_HZ) // (RATE_HZ // 2) % 4 == 1, 0.3, 1e-4)
    voice = AudioClip((word * np.sin(np.arange(2 * RATE_HZ) * 0.05)).astype(np.float32), RATE_HZ)
    noise = (0.02 * random.normal(size=2 * RATE_HZ)).astype(np.float32)
    noisy = AudioClip(voice.samples + noise, RATE_HZ)
    left = blend_around_speech(noisy, voice, in_pauses=1.0, in_speech=0.6).samples - voice.samples
    spoken, pause = slice(RATE_HZ // 2, RATE_HZ), slice(5 * RATE_HZ // 4, 2 * RATE_HZ)
    np.testing.assert_allclose(left[spoken], 0.4 * noise[spoken], atol=1e-6)
    np.testing.assert_allclose(left[pause], 0.0, atol=1e-6)


def test_only_what_both_hearings_call_noise_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    rate, times = 24_000, np.arange(24_000) / 24_000
    low, high, hiss = (0.2 * np.sin(2 * np.pi * hz * times).astype(np.float32) for hz in (300, 1_500, 6_000))
    heard = []

    def filtered(self: DeepFilterNet, clip: AudioClip) -> np.ndarray:
        heard.append(clip.sample_rate_hz)
        level = np.float32(np.abs(clip.samples).max() / np.abs(low + high + hiss).max())
        return level * (low if clip.sample_rate_hz == rate else high)

    monkeypatch.setattr(DeepFilterNet, "_filtered", filtered)
    left = DeepFilterNet().denoise(AudioClip(low + high + hiss, rate))
    assert heard == [rate, 31_200]
    middle = slice(2_000, -2_000)
    assert np.abs(left.samples - (low + high))[middle].max() < 0.01


def test_wrong_choices_are_refused() -> None:
    with pytest.raises(UnknownName, match="gate"):
        make_denoiser("gaet")
    with pytest.raises(ConfigError):
        make_denoiser("gate", strength=1.1)
    with pytest.raises(ConfigError, match="noise passage"):
        make_denoiser("deepfilternet", noise_from=(0.0, 0.5))


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    rnnoise._library.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"yinse\[rnnoise\]"):
        make_denoiser("rnnoise")


def test_mixes() -> None:
    clean, noisy = heard()
    np.testing.assert_allclose(
        blend(noisy, clean, 0.25).samples, 0.75 * noisy.samples + 0.25 * clean.samples, atol=1e-6
    )
    assert blend(noisy, clean, 0.0) is noisy
    assert blend(noisy, clean, 1.0) is clean
    with pytest.raises(ConfigError):
        blend(noisy, AudioClip(clean.samples[1:], RATE_HZ), 0.5)
