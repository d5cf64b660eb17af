"""Compression: the range shrinks as the ratio says, pauses are not pumped up, nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest

from yinse.audio.compressor import CompressorSettings, compress
from yinse.audio.loudness import integrated_lufs, normalize_loudness, true_peak_dbtp
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip, FloatArray

RATE_HZ = 24_000


def tone(level_dbfs: float, duration_s: float) -> FloatArray:
    """A sine of so many dB of full scale (mean power)."""
    phase = 2 * np.pi * 1_000.0 * np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    return (np.sqrt(2.0) * 10 ** (level_dbfs / 20) * np.sin(phase)).astype(np.float32)


def level_dbfs(samples: FloatArray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


def loudness_range_lu(samples: FloatArray) -> float:
    """EBU Tech 3342 on 3 s windows, without the weighting of frequencies: the test's sounds have but one."""
    windows = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), 3 * RATE_HZ)[:: RATE_HZ // 10]
    power = np.square(windows).mean(axis=1)
    power = power[power > 1e-7]
    power = power[power > power.mean() / 100]
    low, high = np.percentile(10 * np.log10(power), [10, 95])
    return float(high - low)


def test_the_range_shrinks_by_the_ratio() -> None:
    parts = [tone(level, 4.0) for level in (-12.0, -24.0, -12.0, -24.0)]
    clip = AudioClip(np.concatenate(parts), RATE_HZ)
    result = compress(clip, CompressorSettings(threshold_dbfs=-40.0, ratio=2.0))
    quiet, loud = (result.samples[round(time_s * RATE_HZ) :][: 2 * RATE_HZ] for time_s in (6.0, 9.0))
    assert level_dbfs(loud) - level_dbfs(quiet) == pytest.approx(6.0, abs=0.3)
    assert loudness_range_lu(result.samples) < 0.6 * loudness_range_lu(clip.samples)
    levelled = normalize_loudness(result)
    assert true_peak_dbtp(levelled) <= -0.99
    assert integrated_lufs(levelled) == pytest.approx(-18.0, abs=0.5)


def test_it_does_the_same_at_any_level() -> None:
    clip = AudioClip(np.concatenate([tone(-12.0, 2.0), tone(-30.0, 2.0)]), RATE_HZ)
    quieter = AudioClip(clip.samples * np.float32(0.1), RATE_HZ)
    np.testing.assert_allclose(compress(quieter).samples * 10, compress(clip).samples, atol=1e-4)


def test_pauses_are_not_pumped_up() -> None:
    # A pause of two seconds: the gain must be in it what it was at the end of the word.
    pause = tone(-60.0, 2.0)
    clip = AudioClip(np.concatenate([tone(-14.0, 2.0), pause, tone(-14.0, 2.0)]), RATE_HZ)
    settings = CompressorSettings(threshold_dbfs=-24.0, ratio=2.0)
    gain = compress(clip, settings).samples / np.where(np.abs(clip.samples) < 1e-5, np.nan, clip.samples)
    early, late = (np.nanmedian(gain[round(time_s * RATE_HZ) :][:2_400]) for time_s in (2.1, 3.8))
    assert early < 0.8
    assert late == pytest.approx(early, rel=0.01)


def test_attack_and_release_take_their_time() -> None:
    settings = CompressorSettings(threshold_dbfs=-30.0, ratio=4.0, knee_db=0.0, attack_s=0.02, release_s=0.5)
    loud, soft = tone(-10.0, 3.0), tone(-34.0, 3.0)
    clip = AudioClip(np.concatenate([soft, loud, soft]), RATE_HZ)
    gain = compress(clip, settings).samples / np.where(np.abs(clip.samples) < 1e-4, np.nan, clip.samples)
    gain_db = 20 * np.log10(np.array([np.nanmedian(gain[start : start + 240]) for start in range(0, len(gain), 240)]))
    settled_db = gain_db[590]
    # One time constant after the step the gain has made 63 % of its way.
    assert gain_db[301] == pytest.approx(0.63 * settled_db, rel=0.3)
    # 10 dB in half a second.
    assert gain_db[630] - gain_db[605] == pytest.approx(5.0, abs=0.5)


def test_what_cannot_be_compressed_stays() -> None:
    for samples in (np.zeros(0), np.zeros(5_000), np.full(3, 0.1)):
        clip = AudioClip(samples.astype(np.float32), RATE_HZ)
        assert len(compress(clip).samples) == len(samples)
    clip = AudioClip(tone(-20.0, 1.0), RATE_HZ)
    np.testing.assert_array_equal(compress(clip, CompressorSettings(ratio=1.0)).samples, clip.samples)


@pytest.mark.parametrize("settings", [{"ratio": 0.5}, {"attack_s": 0.0}, {"release_s": -1.0}, {"knee_db": -1.0}])
def test_settings_have_ranges(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        CompressorSettings(**settings)
