"""Judges of speakers and of reading, on clips and vectors whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fakes import humming
from yinse.core.errors import BadAudio
from yinse.core.types import AudioClip, FloatArray
from yinse.evaluate.melody import measure_reading, upper_band_db
from yinse.evaluate.recogniser import word_errors
from yinse.evaluate.speaker_judge import mean_vector, similarity_figures, similarity_table
from yinse.evaluate.spectral_judge import SpectralJudge


class LoudnessJudge:
    """Takes the first sample for the speaker: a clip of ones is person 0, of twos person 1."""

    def embed(self, clip: AudioClip) -> FloatArray:
        if not clip.samples.any():
            raise BadAudio("silent")
        return np.eye(4, dtype=np.float32)[round(float(clip.samples[0]) * 4) - 1]


def clip_of(person: int) -> AudioClip:
    return AudioClip(np.full(8, (person + 1) / 4, dtype=np.float32), 16_000)


def noise(seed: int, *, seconds: float = 2.0, resonance_hz: float = 700.0) -> AudioClip:
    """Noise through a resonance that comes and goes."""
    from scipy.signal import lfilter

    random, rate_hz = np.random.default_rng(seed), 16_000
    samples = random.normal(size=round(seconds * rate_hz))
    for hz in (resonance_hz, 2.4 * resonance_hz, 3.6 * resonance_hz, 5.0 * resonance_hz):
        pole = 0.97 * np.exp(2j * np.pi * hz / rate_hz)
        samples = lfilter([1.0], [1.0, -2 * pole.real, abs(pole) ** 2], samples)
        samples /= np.abs(samples).max()
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * 3 * np.arange(len(samples)) / rate_hz)
    return AudioClip((0.5 * samples * swell).astype(np.float32), rate_hz)


def test_right_speaker_is_nearest() -> None:
    references = {"a": [clip_of(0)], "b": [clip_of(1)]}
    figures = similarity_table(LoudnessJudge(), references, [("a", clip_of(0)), ("b", clip_of(0))])
    assert (figures.target, figures.others, figures.nearest, figures.clips) == (0.5, 0.5, 0.5, 2)


def test_every_person_weighs_the_same() -> None:
    judged = [("a", {"a": 1.0, "b": 0.0})] * 3 + [("b", {"a": 0.5, "b": 0.0})]
    figures = similarity_figures(judged)
    assert (figures.target, figures.others, figures.nearest) == (0.5, 0.25, 0.5)


def test_pools_name_the_strangers() -> None:
    judged = [("a", {"a": 0.8, "b": 0.9, "c": 0.2})]
    figures = similarity_figures(judged, pools={"a": ["a", "c"]})
    assert (figures.others, figures.nearest) == (pytest.approx(0.2), 1.0)


def test_normalised_similarity_spans_strangers_to_recordings() -> None:
    real = similarity_figures([("a", {"a": 0.9, "b": 0.5})])
    clone = similarity_figures([("a", {"a": 0.7, "b": 0.5})])
    assert clone.normalised(real) == pytest.approx(0.5)
    assert real.normalised(real) == pytest.approx(1.0)


def test_silent_clips_are_left_out_of_the_mean() -> None:
    silent = AudioClip(np.zeros(8, dtype=np.float32), 16_000)
    assert mean_vector(LoudnessJudge(), [clip_of(0), silent]) == pytest.approx([1, 0, 0, 0])
    with pytest.raises(BadAudio):
        mean_vector(LoudnessJudge(), [silent])


def test_word_errors_adds_up_clips() -> None:
    class Parrot:
        def hear(self, clip: AudioClip, *, language: str) -> str:
            return "good day"

    counts, heard = word_errors(Parrot(), [(clip_of(0), "good day"), (clip_of(1), "bad day")], language="en")
    assert (counts.substitutions, counts.units) == (1, 4)
    assert heard == ["good day", "good day"]


def test_spectral_judge_hears_resonances_not_level() -> None:
    judge = SpectralJudge()
    first, again, other = judge.measure(noise(1)), judge.measure(noise(2)), judge.measure(noise(3, resonance_hz=560.0))
    assert judge.distance(first, again) < 0.7 * judge.distance(first, other)
    quiet = AudioClip(0.3 * noise(1).samples, 16_000)
    assert judge.distance(first, judge.measure(quiet)) < 0.3 * judge.distance(first, again)


def test_spectral_judge_refuses_silence() -> None:
    with pytest.raises(BadAudio):
        SpectralJudge().measure(AudioClip(np.zeros(16_000, dtype=np.float32), 16_000))


def test_reading_is_measured() -> None:
    clip = humming([(0.3, False), (1.0, True), (0.5, False), (1.0, True), (0.3, False)], f0_hz=120.0)
    reading = measure_reading(clip, units=10)
    assert reading.f0_median_hz == pytest.approx(120.0, rel=0.03)
    assert reading.speech_s == pytest.approx(2.5, abs=0.15)
    assert reading.pauses_s == pytest.approx(0.5, abs=0.15)
    assert reading.rate_per_s == pytest.approx(5.0, rel=0.15)


def test_reading_of_silence_has_no_melody() -> None:
    reading = measure_reading(AudioClip(np.zeros(24_000, dtype=np.float32), 24_000), units=3)
    assert math.isnan(reading.f0_median_hz)


def test_upper_band_compares_energies() -> None:
    times = np.arange(24_000) / 24_000
    samples = np.sin(2 * np.pi * 6000 * times) + 0.1 * np.sin(2 * np.pi * 9000 * times)
    assert upper_band_db(AudioClip(samples.astype(np.float32), 24_000)) == pytest.approx(-20.0, abs=0.1)
    assert math.isnan(upper_band_db(AudioClip(samples.astype(np.float32), 16_000)))
