"""Silence and speech, by energy and zero crossings and by a network: what is cut, what stays, how far they agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from yinse.audio.decode import decode
from yinse.audio.resample import resample
from yinse.audio.silence import Segment
from yinse.audio.voice_activity import EnergyDetector, SileroDetector, agreement, speech_probabilities
from yinse.core.types import AudioClip

RATE_HZ = 24_000


def noise(duration_s: float, level: float) -> np.ndarray:
    return (level * np.random.default_rng(0).standard_normal(round(duration_s * RATE_HZ))).astype(np.float32)


def test_the_network_hears_no_speech_in_sounds() -> None:
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    for samples in (noise(2.0, 0.1), 0.3 * np.sin(2 * np.pi * 440.0 * time_s), np.zeros(0), np.zeros(100)):
        clip = AudioClip(np.asarray(samples, dtype=np.float32), RATE_HZ)
        assert SileroDetector().segments(clip) == ()
        assert len(speech_probabilities(clip)) == -(-len(resample(clip, 16_000).samples) // 512)


def test_both_find_real_speech_between_silences(shared: Path) -> None:
    path = min((shared / "data" / "zh_en_kokoro" / "af_heart").glob("*.ogg"), default=None)
    if path is None:
        pytest.skip("needs the recordings of the shared data folder")
    spoken = resample(decode(path), RATE_HZ)
    quiet = noise(1.0, 1e-4)
    clip = AudioClip(np.concatenate([quiet, spoken.samples, quiet]), RATE_HZ)
    found = [detector.segments(clip) for detector in (EnergyDetector(), SileroDetector())]
    for segments in found:
        assert 0.9 < segments[0].start_s < 1.6
        assert 0.4 < clip.duration_s - segments[-1].end_s < 1.6
    assert agreement(found[0], found[1], clip.duration_s) > 0.9
    # In loud noise energy is no guide; the network is.
    loud = AudioClip(clip.samples + noise(clip.duration_s, 0.02)[: len(clip.samples)], RATE_HZ)
    assert agreement(SileroDetector().segments(loud), found[1], clip.duration_s) > 0.9


def test_agreement_is_a_share_of_time() -> None:
    assert agreement([Segment(0.0, 1.0)], [Segment(0.5, 1.0)], 2.0) == pytest.approx(0.75, abs=0.01)
    assert agreement([], [], 3.0) == 1.0
    assert agreement([], [], 0.0) == 1.0
