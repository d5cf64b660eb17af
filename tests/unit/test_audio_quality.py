"""Denoising, judging and cleaning, on a voice and noises made by rule."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import lfilter

from yinse.audio.decode import decode
from yinse.audio.denoise import DeepFilterNet, Denoiser, NoDenoiser
from yinse.audio.frontend import CleaningOptions, clean
from yinse.audio.loudness import integrated_lufs, true_peak_dbtp
from yinse.audio.quality import QualityLimits, assess_quality, bandwidth_hz, clipping_ratio, estimate_noise
from yinse.audio.resample import resample
from yinse.audio.rumble import without_rumble
from yinse.core.errors import ConfigError, QualityGateError
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


def si_sdr_db(reference: FloatArray, heard: FloatArray) -> float:
    target = np.dot(reference, heard) / np.dot(reference, reference) * reference
    return float(10 * np.log10(np.sum(target**2) / np.sum((heard - target) ** 2)))


def test_denoising_helps_and_keeps_the_place_of_every_sample() -> None:
    reference = voice(4.0)
    heard = noisy(reference, 5.0)
    cleaned = DeepFilterNet().denoise(heard)
    half = DeepFilterNet(strength=0.5).denoise(heard)
    assert len(cleaned.samples) == len(heard.samples)
    assert cleaned.sample_rate_hz == heard.sample_rate_hz
    # The network takes part of so plain a voice for noise; on real voices it gains twice as much, see below.
    assert si_sdr_db(reference, cleaned.samples) > si_sdr_db(reference, heard.samples) + 2.0
    np.testing.assert_allclose(half.samples, (heard.samples + cleaned.samples) / 2, atol=1e-5)
    lags = [float(np.dot(reference[100:-100], np.roll(cleaned.samples, -lag)[100:-100])) for lag in range(-20, 21)]
    assert int(np.argmax(lags)) - 20 in (-1, 0, 1)
    np.testing.assert_array_equal(DeepFilterNet().denoise(heard).samples, cleaned.samples)


@pytest.mark.parametrize("denoiser", [DeepFilterNet(), DeepFilterNet(strength=0.0), NoDenoiser()])
@pytest.mark.parametrize(("samples", "rate_hz"), [(0, 24_000), (1, 24_000), (999, 8_000), (3_000, 44_100)])
def test_every_denoiser_keeps_length_and_rate(denoiser: Denoiser, samples: int, rate_hz: int) -> None:
    clip = AudioClip(np.full(samples, 0.1, dtype=np.float32), rate_hz)
    cleaned = denoiser.denoise(clip)
    assert (len(cleaned.samples), cleaned.sample_rate_hz) == (samples, rate_hz)
    assert denoiser.name


def test_strength_has_a_range() -> None:
    with pytest.raises(ConfigError):
        DeepFilterNet(strength=1.2)


def test_rumble_is_taken_away_without_moving_the_voice() -> None:
    samples = voice()
    hum = 0.2 * np.sin(2 * np.pi * 12.0 * np.arange(len(samples)) / RATE_HZ)
    middle = slice(RATE_HZ, -RATE_HZ)
    steady = without_rumble(AudioClip(samples, RATE_HZ)).samples
    result = without_rumble(AudioClip((samples + hum + 0.3).astype(np.float32), RATE_HZ)).samples
    assert si_sdr_db(steady[middle], result[middle]) > 20.0
    tone = np.sin(2 * np.pi * 200.0 * np.arange(len(samples)) / RATE_HZ).astype(np.float32)
    assert si_sdr_db(tone[middle], without_rumble(AudioClip(tone, RATE_HZ)).samples[middle]) > 30.0
    for length in (0, 1, 5):
        assert len(without_rumble(AudioClip(np.ones(length, dtype=np.float32), RATE_HZ)).samples) == length


@pytest.mark.parametrize("snr_db", [0.0, 5.0, 10.0, 15.0, 20.0, 30.0])
def test_snr_is_found_within_two_db(snr_db: float) -> None:
    # The estimator alone: a denoiser that knows the voice.
    reference = voice()
    found = estimate_noise(noisy(reference, snr_db), AudioClip(reference, RATE_HZ))
    assert found.snr_db == pytest.approx(snr_db, abs=2.0)
    assert not found.takes_voice


@pytest.mark.parametrize("snr_db", [0.0, 6.0])
def test_snr_by_the_real_denoiser(snr_db: float) -> None:
    assert assess_quality(noisy(voice(4.0), snr_db)).snr_db == pytest.approx(snr_db, abs=3.0)


def test_a_denoiser_that_takes_voice_is_found_out() -> None:
    heard = noisy(voice(), 30.0)
    weakened = AudioClip(0.3 * voice(), RATE_HZ)
    found = estimate_noise(heard, weakened)
    assert found.takes_voice
    assert found.snr_db == pytest.approx(30.0, abs=3.0)
    with pytest.raises(ConfigError):
        estimate_noise(heard, resample(weakened, 16_000))


@pytest.mark.parametrize("level_db", [-30.0, 0.0])
def test_real_speech_in_real_noise(shared: Path, level_db: float) -> None:
    path = min((shared / "data" / "zh_en_kokoro" / "af_heart").glob("*.ogg"), default=None)
    if path is None:
        pytest.skip("needs the recordings of the shared data folder")
    reference = decode(path)
    noise = resample(decode(shared / "data" / "noise" / "audio" / "babble_coffee_shop.ogg"), reference.sample_rate_hz)
    added = np.resize(without_rumble(noise).samples, len(reference.samples))
    added *= np.sqrt(np.mean(reference.samples**2) / np.mean(added**2)) * 10 ** (-10.0 / 20)
    gain = np.float32(10 ** (level_db / 20))
    heard = AudioClip(gain * (reference.samples + added), reference.sample_rate_hz)
    cleaned = DeepFilterNet().denoise(heard)
    assert si_sdr_db(reference.samples, cleaned.samples) > si_sdr_db(reference.samples, heard.samples) + 4.0
    assert assess_quality(heard, speech=cleaned).snr_db == pytest.approx(10.0, abs=2.0)


def test_clipping_is_counted() -> None:
    clean_voice = voice()
    assert clipping_ratio(AudioClip(clean_voice, RATE_HZ)) < 0.001
    cut_off = np.clip(clean_voice * 8.0, -1.0, 1.0)
    assert clipping_ratio(AudioClip(cut_off * np.float32(0.5), RATE_HZ)) > 0.01
    assert clipping_ratio(AudioClip(np.zeros(0, dtype=np.float32), RATE_HZ)) == 0.0


def test_telephone_bandwidth_is_found_inside_a_studio_file() -> None:
    wide = AudioClip(voice(), RATE_HZ)
    narrow = resample(resample(wide, 8_000), 48_000)
    assert bandwidth_hz(narrow) == pytest.approx(4_000.0, abs=300.0)
    buffer = io.BytesIO()
    soundfile.write(buffer, narrow.samples, 48_000, format="MP3", subtype="MPEG_LAYER_III")
    assert bandwidth_hz(decode(buffer.getvalue())) == pytest.approx(4_000.0, abs=400.0)
    assert bandwidth_hz(wide) > 10_000.0
    assert bandwidth_hz(AudioClip(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ)) == 0.0


@pytest.mark.parametrize(
    ("clip", "reason"),
    [
        (AudioClip(np.zeros(2 * RATE_HZ, dtype=np.float32), RATE_HZ), "no speech"),
        (AudioClip(np.zeros(0, dtype=np.float32), RATE_HZ), "no speech"),
        (AudioClip(np.full(RATE_HZ, 0.2, dtype=np.float32), RATE_HZ), "no speech"),
        (AudioClip(voice(0.3), RATE_HZ), "s of speech"),
        (noisy(voice(4.0), -5.0), "above the noise"),
    ],
    ids=["silence", "empty", "offset", "too short", "too noisy"],
)
def test_hopeless_recordings_are_refused(clip: AudioClip, reason: str) -> None:
    report = assess_quality(clip)
    assert report.verdict == "refused"
    assert reason in " ".join(report.reasons)
    assert report.advice
    with pytest.raises(QualityGateError, match=r"take\.wav.*cannot be used"):
        clean(clip, where="take.wav")


def test_limits_decide() -> None:
    clip, speech = noisy(voice(), 15.0), AudioClip(voice(), RATE_HZ)
    assert assess_quality(clip, speech=speech).verdict == "warned"
    assert assess_quality(clip, speech=speech, limits=QualityLimits(good_snr_db=10.0)).verdict == "good"
    refused = assess_quality(clip, speech=speech, limits=QualityLimits(lowest_snr_db=20.0))
    assert refused.verdict == "refused"


def test_cleaning_does_what_its_journal_says() -> None:
    quiet = np.zeros(RATE_HZ, dtype=np.float32)
    recording = noisy(np.concatenate([quiet, voice(), quiet]), 12.0)
    recording = AudioClip(recording.samples * np.float32(0.1) + np.float32(0.05), RATE_HZ)
    cleaned = clean(recording)
    assert [step.name for step in cleaned.steps] == ["offset", "highpass", "denoise", "trim", "loudness"]
    assert cleaned.report_before.snr_db < 20.0 < cleaned.report_after.snr_db
    assert integrated_lufs(cleaned.clip) == pytest.approx(-18.0, abs=0.5)
    assert true_peak_dbtp(cleaned.clip) <= -0.99
    assert abs(cleaned.clip.samples.mean()) < 1e-3
    assert 5.5 < cleaned.clip.duration_s < 6.3
    np.testing.assert_array_equal(clean(recording).clip.samples, cleaned.clip.samples)


def test_quiet_recordings_keep_their_own_sound() -> None:
    heard = noisy(voice(4.0), 50.0)
    assert "denoise" not in [step.name for step in clean(heard).steps]
    forced = clean(heard, denoiser=DeepFilterNet(strength=0.5), options=replace(CleaningOptions(), target_lufs=-20.0))
    assert ("denoiser", "deepfilternet") in [pair for step in forced.steps for pair in step.parameters]
    assert integrated_lufs(forced.clip) == pytest.approx(-20.0, abs=0.5)
