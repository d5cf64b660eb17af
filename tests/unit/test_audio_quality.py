"""Judging recordings: clipping, bandwidth, hum, music, rooms, limits, on a voice and noises made by rule."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import fftconvolve

from made_voice import RATE_HZ, noisy, voice
from yinse.audio.bandwidth import bandwidth_hz
from yinse.audio.decode import decode
from yinse.audio.hum import find_hum
from yinse.audio.music import held_tone_share
from yinse.audio.quality import QualityLimits, QualityReport, assess_quality, clipping_ratio, judge
from yinse.audio.resample import resample
from yinse.audio.reverberation import reverberation_s
from yinse.audio.rumble import without_rumble
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip, FloatArray


def kokoro(shared: Path, number: int = 0) -> AudioClip:
    """Clean speech."""
    paths = sorted((shared / "data" / "zh_en_kokoro" / "af_heart").glob("*.ogg"))
    if not paths:
        pytest.skip("needs the recordings of the shared data folder")
    return resample(decode(paths[number]), RATE_HZ)


def test_rumble_is_taken_away_without_moving_the_voice() -> None:
    samples = voice()
    hum = 0.2 * np.sin(2 * np.pi * 12.0 * np.arange(len(samples)) / RATE_HZ)
    middle = slice(RATE_HZ, -RATE_HZ)
    steady = without_rumble(AudioClip(samples, RATE_HZ)).samples[middle]
    result = without_rumble(AudioClip((samples + hum + 0.3).astype(np.float32), RATE_HZ)).samples[middle]
    assert np.sum((result - steady) ** 2) < 0.01 * np.sum(steady**2)
    tone = np.sin(2 * np.pi * 200.0 * np.arange(len(samples)) / RATE_HZ).astype(np.float32)
    np.testing.assert_allclose(without_rumble(AudioClip(tone, RATE_HZ)).samples[middle], tone[middle], atol=0.02)
    for length in (0, 1, 5):
        assert len(without_rumble(AudioClip(np.ones(length, dtype=np.float32), RATE_HZ)).samples) == length


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


# ------------------------------------------------------------------------- hum, music, rooms


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_mains_hum_is_found_and_named(mains_hz: float) -> None:
    clean = voice()
    times = np.arange(len(clean)) / RATE_HZ
    hum = sum(np.sin(2 * np.pi * mains_hz * k * times + k) / k for k in range(1, 10))
    hum *= np.sqrt(np.mean(clean**2) / np.mean(hum**2)) * 10 ** (-20 / 20)
    found = find_hum(AudioClip((clean + hum).astype(np.float32), RATE_HZ))
    assert found is not None
    assert (found.mains_hz, found.harmonics >= 3) == (mains_hz, True)
    assert found.below_voice_db == pytest.approx(22.0, abs=4.0)
    assert find_hum(AudioClip(clean, RATE_HZ)) is None
    assert find_hum(AudioClip(clean[: RATE_HZ // 2], RATE_HZ)) is None


def melody(duration_s: float) -> FloatArray:
    """Three parts of plucked notes."""
    random = np.random.default_rng(2)
    times = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    heard = np.zeros(len(times))
    for interval in (1.0, 1.25, 1.5):
        start_s = 0.0
        while start_s < duration_s:
            length_s = float(random.choice([0.25, 0.5, 0.75]))
            note = (times >= start_s) & (times < start_s + length_s)
            since = times[note] - start_s
            pitch_hz = 220.0 * 2 ** (random.integers(0, 12) / 12) * interval
            partials = sum(np.sin(2 * np.pi * pitch_hz * k * since) / k for k in (1, 2, 3, 4))
            heard[note] += partials * np.exp(-2.0 * since) * np.minimum(1.0, since / 0.01)
            start_s += length_s
    return (heard / np.abs(heard).max()).astype(np.float32)


def test_music_behind_a_voice_is_noticed(shared: Path) -> None:
    limit = QualityLimits().most_held_tones
    for number in range(3):
        clip = kokoro(shared, number)
        music = melody(clip.duration_s)[: len(clip.samples)]
        music *= np.sqrt(np.mean(clip.samples**2) / np.mean(music**2))
        assert held_tone_share(clip) < limit
        for snr_db in (0.0, 5.0, 10.0):
            mixed = clip.samples + music * np.float32(10 ** (-snr_db / 20))
            assert held_tone_share(AudioClip(mixed, RATE_HZ)) > limit, snr_db


def test_level_tones_of_mandarin_are_no_music(shared: Path) -> None:
    # Her lowest partials stay on one pitch for a quarter of the time.
    names = [f"BAC009S0252W0{number}.ogg" for number in (138, 142, 145, 161)]
    paths = [path for name in names for path in (shared / "data" / "zh_aishell_sample").rglob(name)]
    if not paths:
        pytest.skip("needs the recordings of the shared data folder")
    for path in paths:
        assert held_tone_share(without_rumble(decode(path))) < 0.8 * QualityLimits().most_held_tones


def test_noise_and_hum_are_no_music() -> None:
    noise = np.random.default_rng(0).standard_normal(4 * RATE_HZ).astype(np.float32)
    assert held_tone_share(AudioClip(0.1 * noise, RATE_HZ)) < 0.05
    tone = np.sin(2 * np.pi * 440.0 * np.arange(4 * RATE_HZ) / RATE_HZ).astype(np.float32)
    assert held_tone_share(AudioClip(0.1 * tone, RATE_HZ)) == 0.0
    assert held_tone_share(AudioClip(noise[:100], RATE_HZ)) == 0.0


def test_rooms_are_told_apart(shared: Path) -> None:
    random = np.random.default_rng(1)
    clip = kokoro(shared)
    heard = []
    for time_s in (0.01, 0.3, 0.5):
        times = np.arange(round(time_s * RATE_HZ)) / RATE_HZ
        response = random.normal(size=len(times)) * 10 ** (-3.0 * times / time_s)
        response /= np.sqrt(np.sum(response**2))
        response[0] = 1.0
        reverberant = fftconvolve(clip.samples, response)[: len(clip.samples)].astype(np.float32)
        estimate = reverberation_s(AudioClip(reverberant, RATE_HZ))
        assert estimate is not None
        heard.append(estimate)
    assert heard[0] < 0.15
    assert heard[1] == pytest.approx(0.3, abs=0.15)
    assert heard[2] == pytest.approx(0.5, abs=0.2)
    assert reverberation_s(AudioClip(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ)) is None


# ------------------------------------------------------------------------- verdicts


GOOD = QualityReport(
    snr_db=40.0,
    clipping_ratio=0.0,
    bandwidth_hz=12_000.0,
    loudness_lufs=-20.0,
    duration_s=10.0,
    speech_s=8.0,
    verdict="good",
    reasons=(),
    advice="",
)


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({}, "good", "40 dB above"),
        ({"snr_db": 24.9}, "warned", "25 dB above"),
        ({"snr_db": 8.1}, "warned", "8 dB above"),
        ({"snr_db": 7.9}, "refused", "8 dB above"),
        ({"clipping_ratio": 0.02}, "warned", "2.0% of the samples"),
        ({"bandwidth_hz": 3_900.0}, "warned", "telephone"),
        ({"reverberation_s": 0.8}, "warned", "room"),
        ({"held_tones": 0.5}, "warned", "music"),
        ({"loudness_lufs": -60.0}, "warned", "quiet"),
        ({"speech_s": 0.5}, "refused", "only 0.5 s"),
        ({"speech_s": 0.0}, "refused", "no speech"),
    ],
)
def test_every_verdict_has_reason_and_advice(changes: dict[str, float], verdict: str, reason: str) -> None:
    report = judge(replace(GOOD, **changes), QualityLimits())  # type: ignore[arg-type]
    assert report.verdict == verdict
    assert reason in "; ".join(report.reasons)
    assert (report.advice == "") == (verdict == "good")
    assert report.advice.count(".") <= 1


def test_the_weightiest_finding_comes_first() -> None:
    report = judge(replace(GOOD, snr_db=12.0, clipping_ratio=0.1, loudness_lufs=-50.0), QualityLimits())
    assert [word in reason for word, reason in zip(("noise", "clipped", "quiet"), report.reasons, strict=True)] == [
        True,
        True,
        True,
    ]
    assert "quieter room" in report.advice


def test_limits_decide() -> None:
    report = replace(GOOD, snr_db=15.0)
    assert judge(report, QualityLimits(good_snr_db=10.0)).verdict == "good"
    assert judge(report, QualityLimits(lowest_snr_db=20.0)).verdict == "refused"
    with pytest.raises(ConfigError, match="not in order"):
        QualityLimits(lowest_snr_db=30.0)


@pytest.mark.parametrize(
    ("clip", "reason"),
    [
        (AudioClip(np.zeros(2 * RATE_HZ, dtype=np.float32), RATE_HZ), "no speech"),
        (AudioClip(np.zeros(0, dtype=np.float32), RATE_HZ), "no speech"),
        (AudioClip(np.full(RATE_HZ, 0.2, dtype=np.float32), RATE_HZ), "no speech"),
        (AudioClip(voice(0.3), RATE_HZ), "s of speech"),
        (noisy(voice(4.0), -8.0), "above the noise"),
    ],
    ids=["silence", "empty", "offset", "too short", "too noisy"],
)
def test_hopeless_recordings_are_refused(clip: AudioClip, reason: str) -> None:
    report = assess_quality(clip)
    assert report.verdict == "refused"
    assert reason in " ".join(report.reasons)
    assert report.advice
