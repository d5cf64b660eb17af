"""Cleaning and cutting whole recordings: what the journal says was done, what is refused, what options change."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from made_voice import RATE_HZ, at_home, noisy, voice
from yinse.audio.frontend import clean, prepare
from yinse.audio.journal import plain_steps
from yinse.audio.loudness import integrated_lufs, true_peak_dbtp
from yinse.audio.options import PREPARATION, CleaningOptions, load_options, options_from, options_schema
from yinse.audio.quality import QualityLimits
from yinse.core.errors import ConfigError, QualityGateError
from yinse.core.types import AudioClip

GATE = replace(PREPARATION, denoise="gate")


def names(steps: object) -> list[str]:
    return [step.name for step in steps]  # type: ignore[attr-defined]


def test_cleaning_does_what_its_journal_says() -> None:
    recording = at_home(4.0)
    recording = AudioClip(recording.samples * np.float32(0.1) + np.float32(0.05), RATE_HZ)
    cleaned = clean(recording)
    assert names(cleaned.steps) == ["offset", "highpass", "denoise", "trim", "loudness"]
    assert cleaned.report_before.snr_db < 20.0 < cleaned.report_after.snr_db
    assert integrated_lufs(cleaned.clip) == pytest.approx(-18.0, abs=0.5)
    assert true_peak_dbtp(cleaned.clip) <= -0.99
    assert abs(cleaned.clip.samples.mean()) < 1e-3
    assert 3.5 < cleaned.clip.duration_s < 4.3
    np.testing.assert_array_equal(clean(recording).clip.samples, cleaned.clip.samples)


def test_quiet_recordings_keep_their_own_sound() -> None:
    heard = noisy(voice(3.0), 50.0)
    assert "denoise" not in names(clean(heard).steps)
    forced = clean(heard, options=CleaningOptions(strength=0.5, target_lufs=-20.0))
    assert ("strength", 0.5) in [pair for step in forced.steps for pair in step.parameters]
    assert integrated_lufs(forced.clip) == pytest.approx(-20.0, abs=0.5)


def test_a_hopeless_recording_is_refused_by_name() -> None:
    with pytest.raises(QualityGateError, match=r"take\.wav.*cannot be used.*above the noise.*Record in"):
        clean(noisy(voice(4.0), -8.0), where="take.wav")
    with pytest.raises(QualityGateError, match="no speech"):
        prepare(AudioClip(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ), options=GATE)


def test_what_cleaning_rescues_is_kept() -> None:
    heard = noisy(voice(4.0), 10.0)
    measured_db = prepare(heard, options=GATE).report_before.snr_db
    strict = QualityLimits(lowest_snr_db=measured_db + 2.0, hopeless_snr_db=measured_db - 2.0, rescued_snr_db=12.0)
    rescued = prepare(heard, options=replace(GATE, limits=strict)).report_before
    assert rescued.verdict == "warned"
    assert "good enough" in rescued.reasons[-1]
    for limits in (replace(strict, rescued_snr_db=60.0), replace(strict, hopeless_snr_db=measured_db + 1.0)):
        with pytest.raises(QualityGateError):
            prepare(heard, options=replace(GATE, limits=limits))
    with pytest.raises(QualityGateError):
        prepare(heard, options=replace(GATE, limits=strict, denoise="none"))


def test_preparing_cuts_levels_and_tells_what_it_did() -> None:
    pause = np.zeros(round(1.2 * RATE_HZ), dtype=np.float32)
    recording = noisy(np.concatenate([voice(5.0), pause, 0.3 * voice(4.0), pause, voice(9.0)]), 20.0)
    recording.samples[RATE_HZ : RATE_HZ + 20] += np.float32(0.8)  # a click
    prepared = prepare(recording, options=GATE)
    assert len(prepared.utterances) >= 3
    assert prepared.left_out == ()
    for one in prepared.utterances:
        assert one.clip.sample_rate_hz == 32_000
        assert 2.0 <= one.clip.duration_s <= 12.0
        assert integrated_lufs(one.clip) == pytest.approx(-17.0, abs=0.5)
        assert true_peak_dbtp(one.clip) <= -0.99
        assert one.clip.duration_s == pytest.approx(one.segment.duration_s, abs=0.001)
        assert names(one.steps) == ["cut", "compress", "loudness"]
    assert [0.0 < one.place < 1.0 for one in prepared.utterances] == [True] * len(prepared.utterances)
    assert any(abs(click.start_s - 1.0) < 0.01 for click in prepared.clicks)
    assert names(prepared.steps) == ["offset", "resample", "highpass", "repair clicks", "denoise"]
    json.dumps(plain_steps(prepared.steps))


def test_options_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('denoise = "gate"\nstrength = 0.6\n[limits]\ngood_snr_db = 20\n')
    (tmp_path / "a.json").write_text('{"compression": {"ratio": 3}, "rate_hz": 24000}')
    found = load_options(tmp_path / "a.toml")
    assert (found.denoise, found.strength, found.rate_hz) == ("gate", 0.6, 32_000)
    assert (found.limits.good_snr_db, found.limits.lowest_snr_db) == (20.0, 8.0)
    found = load_options(tmp_path / "a.json")
    assert found.compression is not None
    assert (found.compression.ratio, found.rate_hz) == (3.0, 24_000)
    assert options_from({}) == PREPARATION
    assert "good_snr_db" in json.dumps(options_schema())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"loudness": -17}', "'loudness'"),
        ('{"limits": {"good_snr": 3}}', "'limits.good_snr'"),
        ('{"strength": "much"}', "'strength'"),
        ('{"strength": 1.5}', "strength is 1.5"),
        ('{"denoise": "gat"}', "denoiser"),
        ('{"longest_s": 1}', "longest_s is 1"),
        ('{"limits": {"lowest_snr_db": 99}}', "not in order"),
        ("[1]", "no names"),
        ("{", "damaged"),
    ],
)
def test_wrong_options_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "options.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        load_options(path)


def test_other_files_are_no_options(tmp_path: Path) -> None:
    for name in ("missing.json", "options.ini"):
        with pytest.raises(ConfigError):
            load_options(tmp_path / name)
