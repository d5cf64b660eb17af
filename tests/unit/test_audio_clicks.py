"""Clicks: found where they were put, told from the bursts of stops, and filled so that the voice goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from yinse.audio.clicks import Click, find_clicks, repair_clicks
from yinse.audio.decode import decode
from yinse.audio.resample import resample
from yinse.core.types import AudioClip, FloatArray

RATE_HZ = 24_000
VOICE_PEAK_DB = 12.0  # how far the highest samples of a voice lie above the level of its loud frames


def voice(duration_s: float, *, seed: int = 0) -> FloatArray:
    """Fifteen harmonics of a gliding pitch that come and go, above a little breath."""
    random = np.random.default_rng(seed)
    time_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(150.0 + 20.0 * np.sin(4.0 * time_s)) / RATE_HZ
    hum = sum(np.sin(k * phase + k * k) / k for k in range(1, 16)) * (0.6 + 0.4 * np.sin(9.0 * time_s))
    return (0.1 * hum + 0.002 * random.standard_normal(len(time_s))).astype(np.float32)


def click(random: np.random.Generator, kind: int, rate_hz: int) -> FloatArray:
    """A few broken samples, a ringing key, or a crackle, with a peak of 1."""
    time_s = np.arange(round(0.008 * rate_hz)) / rate_hz
    if kind == 0:
        burst = np.where(np.arange(len(time_s)) < random.integers(1, 4), random.choice([-1.0, 1.0]), 0.0)
    elif kind == 1:
        ringing_hz = random.uniform(1_500, 9_000, 4)[:, None]
        burst = np.sin(2 * np.pi * ringing_hz * time_s).sum(axis=0) * np.exp(-time_s / random.uniform(4e-4, 1.2e-3))
    else:
        burst = random.standard_normal(len(time_s)) * np.exp(-time_s / random.uniform(3e-4, 9e-4))
    return (burst / np.abs(burst).max()).astype(np.float32)


def with_clicks(
    samples: FloatArray, places: np.ndarray, random: np.random.Generator, *, rate_hz: int, over_loud_db: float
) -> FloatArray:
    frames = samples[: len(samples) // 480 * 480].reshape(-1, 480)
    loud = np.sqrt(np.percentile(np.square(frames).mean(axis=1), 95))
    heard = samples.copy()
    for number, place in enumerate(places):
        burst = click(random, number % 3, rate_hz)
        heard[place : place + len(burst)] += np.float32(loud * 10 ** (over_loud_db / 20)) * burst
    return heard


def hits(found: tuple[Click, ...], places: np.ndarray, rate_hz: int) -> tuple[int, int]:
    """How many places were found, and how many finds are at no place."""
    starts = np.array([one.start_s for one in found])
    near = [len(starts) > 0 and float(np.abs(starts - place / rate_hz).min()) < 0.004 for place in places]
    false = [float(np.abs(places / rate_hz - start).min()) >= 0.004 for start in starts]
    return sum(near), sum(false)


def test_clicks_in_a_voice_are_found_and_repaired() -> None:
    random = np.random.default_rng(1)
    clean = voice(6.0)
    places = np.arange(20) * 6_500 + random.integers(2_000, 4_000, 20)
    heard = AudioClip(with_clicks(clean, places, random, rate_hz=RATE_HZ, over_loud_db=VOICE_PEAK_DB), RATE_HZ)
    assert find_clicks(AudioClip(clean, RATE_HZ)) == ()
    found = find_clicks(heard)
    right, wrong = hits(found, places, RATE_HZ)
    assert right >= 19
    assert wrong <= 1
    assert all(0.0 < one.duration_s < 0.02 and one.loudness_db > 10.0 for one in found)
    repaired = repair_clicks(heard, found)
    before, after = (float(np.sum(np.square(clip.samples - clean))) for clip in (heard, repaired))
    assert after < before / 10  # 10 dB
    untouched = np.ones(len(clean), dtype=np.bool_)
    for one in found:
        untouched[round(one.start_s * RATE_HZ) : round(one.end_s * RATE_HZ) + 1] = False
    np.testing.assert_array_equal(repaired.samples[untouched], heard.samples[untouched])


def test_a_gap_in_a_tone_is_filled_as_if_it_had_not_been() -> None:
    tone = (0.3 * np.sin(2 * np.pi * 441.0 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.float32)
    broken = tone.copy()
    broken[12_000:12_072] = 0.9
    filled = repair_clicks(AudioClip(broken, RATE_HZ), [Click(0.5, 0.503, 30.0)])
    np.testing.assert_allclose(filled.samples, tone, atol=0.01)


def test_what_lasts_longer_is_reported_and_left() -> None:
    clip = AudioClip(voice(1.0), RATE_HZ)
    np.testing.assert_array_equal(repair_clicks(clip, [Click(0.5, 0.52, 30.0)]).samples, clip.samples)


@pytest.mark.parametrize("length", [0, 1, 200, 300, 2_000])
def test_any_length_of_silence_or_noise_has_an_answer(length: int) -> None:
    assert find_clicks(AudioClip(np.zeros(length, dtype=np.float32), RATE_HZ)) == ()
    noise = np.random.default_rng(0).standard_normal(length).astype(np.float32) * np.float32(0.1)
    assert find_clicks(AudioClip(noise, RATE_HZ)) == ()
    # A click at the very edge is filled with what is there.
    clip = AudioClip(np.ones(length, dtype=np.float32), RATE_HZ)
    assert len(repair_clicks(clip, [Click(0.0, 0.001, 20.0)]).samples) == length


def test_noise_that_ends_at_once_is_no_click() -> None:
    noise = np.random.default_rng(0).standard_normal(12_000).astype(np.float32)
    clip = AudioClip(np.concatenate([0.1 * noise, 1e-4 * noise, 0.1 * noise]), RATE_HZ)
    assert find_clicks(clip) == ()


def test_stops_of_real_speech_are_no_clicks(shared: Path) -> None:
    random = np.random.default_rng(2)
    right = wrong = count = 0
    duration_s = 0.0
    for speaker in ("blend_f13", "blend_m13", "bf_isabella", "am_liam"):  # kept unheard by whatever was fitted
        for path in sorted((shared / "data" / "zh_en_kokoro" / speaker).glob("*.ogg"))[:2]:
            clip = resample(decode(path), RATE_HZ)
            duration_s += clip.duration_s
            wrong += len(find_clicks(clip))
            places = np.sort(random.choice(np.arange(1, 20), 8, replace=False)) * (len(clip.samples) // 21)
            heard = with_clicks(clip.samples, places, random, rate_hz=RATE_HZ, over_loud_db=VOICE_PEAK_DB)
            found, false = hits(find_clicks(AudioClip(heard, RATE_HZ)), places, RATE_HZ)
            right, wrong, count = right + found, wrong + false, count + len(places)
    if count == 0:
        pytest.skip("needs the recordings of the shared data folder")
    assert right / count > 0.9
    # Every clip was heard twice, once as it is.
    assert right / (right + wrong) > 0.9
    assert wrong / (2 * duration_s) < 0.1
