"""The signal-to-noise ratio of mixtures whose ratio is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from made_voice import RATE_HZ, noisy, voice
from yinse.audio.decode import decode
from yinse.audio.parted_snr import refine_snr_db
from yinse.audio.resample import resample
from yinse.audio.rumble import without_rumble
from yinse.audio.silence import speech_segments
from yinse.audio.snr import LOWEST_SNR_DB, band_levels_db, estimate_snr_db
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip

UNHEARD = ("exercise_bike", "rain", "sb_noise1", "storm", "doing_the_dishes")


def test_real_speech_in_real_noise(shared: Path) -> None:
    paths = sorted((shared / "data" / "zh_en_kokoro" / "blend_f13").glob("*.ogg"))
    if not paths:
        pytest.skip("needs the recordings of the shared data folder")
    random = np.random.default_rng(0)
    errors = []
    for number, name in enumerate(UNHEARD):
        (path,) = (shared / "data" / "noise" / "audio").glob(f"{name}.*")
        noise = without_rumble(resample(decode(path), RATE_HZ)).samples
        clip = resample(decode(paths[number]), RATE_HZ).samples
        added = np.resize(np.roll(noise, -int(random.integers(len(noise)))), len(clip))
        spoken = clip[np.abs(clip) > 0.01 * np.abs(clip).max()]
        added *= np.sqrt(np.mean(spoken**2) / np.mean(added**2))
        for snr_db in (0.0, 10.0, 20.0, 30.0, 40.0):
            mixed = clip + added * np.float32(10 ** (-snr_db / 20))
            errors.append(abs(estimate_snr_db(AudioClip(mixed, RATE_HZ)) - snr_db))
    assert np.median(errors) < 2.5
    assert np.quantile(errors, 0.9) < 5.0


def test_more_noise_is_a_lower_ratio() -> None:
    found = [estimate_snr_db(noisy(voice(), snr_db)) for snr_db in (-5.0, 5.0, 15.0, 25.0, 35.0)]
    assert found == sorted(found)
    np.testing.assert_allclose(found[1:4], (5.0, 15.0, 25.0), atol=6.0)


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_rate_and_level_do_not_matter(rate_hz: int) -> None:
    heard = noisy(voice(4.0), 15.0)
    usual = estimate_snr_db(heard)
    assert estimate_snr_db(resample(heard, rate_hz)) == pytest.approx(usual, abs=1.5)
    assert estimate_snr_db(AudioClip(heard.samples * np.float32(0.02), RATE_HZ)) == pytest.approx(usual, abs=0.5)


def test_a_long_recording_is_judged_like_its_parts() -> None:
    part = noisy(voice(6.0), 15.0)
    whole = AudioClip(np.tile(part.samples, 14), RATE_HZ)
    levels_db = band_levels_db(whole)
    assert levels_db is not None
    assert len(levels_db) == 6_000
    assert estimate_snr_db(whole) == pytest.approx(estimate_snr_db(part), abs=1.0)


def test_silence_has_no_ratio() -> None:
    for samples in (0, 100, RATE_HZ):
        silent = AudioClip(np.zeros(samples, dtype=np.float32), RATE_HZ)
        assert band_levels_db(silent) is None
        assert estimate_snr_db(silent) == LOWEST_SNR_DB


@pytest.mark.parametrize("snr_db", [0.0, 9.0, 25.0, 35.0])
def test_what_a_denoiser_parted_tells_the_ratio(snr_db: float) -> None:
    clip, speech = noisy(voice(4.0), snr_db), AudioClip(voice(4.0), RATE_HZ)
    spans = speech_segments(speech)
    found = refine_snr_db(estimate_snr_db(clip), clip, speech, spans)
    assert found == pytest.approx(snr_db, abs=4.0)
    louder = [AudioClip(one.samples * np.float32(3.0), RATE_HZ) for one in (clip, speech)]
    assert refine_snr_db(estimate_snr_db(louder[0]), *louder, spans) == pytest.approx(found, abs=0.1)


def test_a_denoiser_that_takes_voice_is_not_believed() -> None:
    # Half of the voice is gone: read plainly, it would stand 0 dB above the noise.
    clip, weakened = noisy(voice(4.0), 35.0), AudioClip(np.float32(0.5) * voice(4.0), RATE_HZ)
    assert refine_snr_db(estimate_snr_db(clip), clip, weakened, speech_segments(weakened)) > 20.0


def test_where_nothing_was_parted_the_estimate_stays() -> None:
    clip, speech = noisy(voice(1.0), 12.0), AudioClip(voice(1.0), RATE_HZ)
    assert refine_snr_db(12.0, clip, speech, ()) == 12.0
    spans = speech_segments(speech)
    brief = [AudioClip(one.samples[:3_000], RATE_HZ) for one in (clip, speech)]
    assert refine_snr_db(12.0, *brief, spans) == 12.0
    for nothing in (clip, AudioClip(np.zeros_like(clip.samples), RATE_HZ)):  # nothing removed, nothing left
        assert -20.0 <= refine_snr_db(12.0, clip, nothing, spans) <= 60.0
    with pytest.raises(ConfigError):
        refine_snr_db(12.0, clip, resample(speech, 16_000), spans)
