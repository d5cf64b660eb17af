"""Resampling, loudness, silence, cutting and pitch, on signals whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yinse.audio.loudness import integrated_lufs, limit_peaks, normalize_loudness, true_peak_dbtp
from yinse.audio.pitch import track_pitch
from yinse.audio.resample import resample
from yinse.audio.silence import speech_frames, speech_segments, trim_silence
from yinse.audio.slicing import SHORTEST_S, slice_utterances
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip, FloatArray

RATE_HZ = 24_000


def sine(frequency_hz: float, duration_s: float, *, level: float = 0.3, rate_hz: int = RATE_HZ) -> FloatArray:
    phase = 2 * np.pi * frequency_hz * np.arange(round(duration_s * rate_hz)) / rate_hz
    return (level * np.sin(phase)).astype(np.float32)


def vowel(duration_s: float, *, f0_hz: float = 150.0, level: float = 0.1) -> FloatArray:
    """A buzz of 20 harmonics."""
    partials = [sine(f0_hz * k, duration_s, level=level / k) for k in range(1, 21)]
    return np.sum(partials, axis=0, dtype=np.float32)


def silence(duration_s: float, *, seed: int = 0) -> FloatArray:
    """Noise at -80 dB of full scale."""
    noise = np.random.default_rng(seed).standard_normal(round(duration_s * RATE_HZ))
    return (1e-4 * noise).astype(np.float32)


def clip_of(*parts: FloatArray) -> AudioClip:
    return AudioClip(np.concatenate(parts), RATE_HZ)


@pytest.mark.parametrize(
    "rates", [(48_000, 24_000), (44_100, 24_000), (16_000, 24_000), (24_000, 32_000), (8_000, 48_000)]
)
def test_resampling_keeps_tones_and_their_place(rates: tuple[int, int]) -> None:
    before, after = rates
    heard = resample(AudioClip(sine(1_000.0, 1.0, rate_hz=before), before), after).samples
    wanted = sine(1_000.0, 1.0, rate_hz=after)
    assert len(heard) == len(wanted)
    np.testing.assert_allclose(heard[2_000:-2_000], wanted[2_000:-2_000], atol=1e-3)


def test_resampling_lets_nothing_fold_back() -> None:
    high = resample(AudioClip(sine(15_000.0, 1.0, level=1.0, rate_hz=48_000), 48_000), 24_000)
    assert np.abs(high.samples[2_000:-2_000]).max() < 10 ** (-80 / 20)


@given(length=st.integers(0, 3_000), rate=st.sampled_from([8_000, 11_025, 16_000, 44_100, 48_000]))
def test_resampled_length_is_exact(length: int, rate: int) -> None:
    clip = resample(AudioClip(np.zeros(length, dtype=np.float32), rate), RATE_HZ)
    assert len(clip.samples) == round(length * RATE_HZ / rate)


def test_loudness_of_the_reference_tone() -> None:
    # ITU-R BS.1770: a 997 Hz sine at full scale in one channel reads -3.01 LUFS.
    clip = AudioClip(sine(997.0, 5.0, level=1.0, rate_hz=48_000), 48_000)
    assert integrated_lufs(clip) == pytest.approx(-3.01, abs=0.1)
    # The gate leaves silence out.
    longer = AudioClip(np.concatenate([clip.samples, np.zeros(480_000, dtype=np.float32)]), 48_000)
    assert integrated_lufs(longer) == pytest.approx(-3.01, abs=0.3)


@pytest.mark.parametrize(
    ("levels_dbfs", "durations_s", "expected_lufs"),
    [
        ((-23.0,), (20.0,), -23.0),  # case 1 of EBU Tech 3341
        ((-33.0,), (20.0,), -33.0),  # case 2
        ((-36.0, -23.0, -36.0), (10.0, 60.0, 10.0), -23.0),  # case 3: the relative gate
        ((-72.0, -36.0, -23.0, -36.0, -72.0), (10.0, 10.0, 60.0, 10.0, 10.0), -23.0),  # case 4: the absolute gate
        ((-26.0, -20.0, -26.0), (20.0, 20.1, 20.0), -23.0),  # case 5
    ],
)
def test_loudness_of_the_signals_of_the_ebu(
    levels_dbfs: tuple[float, ...], durations_s: tuple[float, ...], expected_lufs: float
) -> None:
    # The cases are stereo; a single channel reads 3.01 lower, which the levels here make up for.
    parts = [
        sine(1_000.0, duration_s, level=10 ** ((level + 3.01) / 20), rate_hz=48_000)
        for level, duration_s in zip(levels_dbfs, durations_s, strict=True)
    ]
    clip = AudioClip(np.concatenate(parts), 48_000)
    assert integrated_lufs(clip) == pytest.approx(expected_lufs, abs=0.1)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000, 44_100, 48_000])
def test_loudness_agrees_with_another_meter(rate_hz: int) -> None:
    pyloudnorm = pytest.importorskip("pyloudnorm")
    noise = np.random.default_rng(0).standard_normal(8 * rate_hz) * np.repeat([0.001, 0.1, 0.02, 0.2], 2 * rate_hz)
    heard = np.cumsum(noise - np.mean(noise))
    heard = (0.1 * heard / np.abs(heard).max() + 0.3 * noise).astype(np.float32)
    meter = pyloudnorm.Meter(rate_hz, filter_class="DeMan")
    assert integrated_lufs(AudioClip(heard, rate_hz)) == pytest.approx(
        meter.integrated_loudness(heard.astype(np.float64)), abs=0.1
    )


@pytest.mark.parametrize(
    ("frequency_share", "phase_degrees", "level", "expected_dbtp"),
    [(4, 0.0, 0.5, -6.0), (4, 45.0, 0.5, -6.0), (6, 60.0, 0.5, -6.0), (8, 67.5, 0.5, -6.0), (4, 45.0, 1.41, 3.0)],
)
def test_true_peaks_of_the_signals_of_the_ebu(
    frequency_share: int, phase_degrees: float, level: float, expected_dbtp: float
) -> None:
    # Cases 15 to 19 of EBU Tech 3341: sines at a fraction of the rate whose samples miss the peaks; +0.2, -0.4 dB.
    time = np.arange(48_000)
    fade = np.minimum(1.0, np.minimum(time, time[::-1]) / 4_800)
    tone = level * fade * np.sin(2 * np.pi * time / frequency_share + np.radians(phase_degrees))
    peak = true_peak_dbtp(AudioClip(tone.astype(np.float32), 48_000))
    assert expected_dbtp - 0.4 <= peak <= expected_dbtp + 0.2


@pytest.mark.parametrize("rate_hz", [24_000, 32_000, 48_000])
@pytest.mark.parametrize("source_hz", [16_000, 44_100, 48_000])
def test_resampling_is_flat_and_folds_nothing(source_hz: int, rate_hz: int) -> None:
    # All frequencies at once: an impulse. Up to 0.9 of the lower half rate nothing changes by 0.1 dB.
    if source_hz == rate_hz:
        return
    impulse = np.zeros(source_hz, dtype=np.float32)
    impulse[source_hz // 2] = 1.0
    response = np.abs(np.fft.rfft(resample(AudioClip(impulse, source_hz), rate_hz).samples)) * source_hz / rate_hz
    band = round(0.9 * min(source_hz, rate_hz) / 2)  # one bin per hertz
    assert np.abs(20 * np.log10(response[20:band])).max() < 0.1
    # What lies above the lower half rate is gone, wherever it would fold to.
    if rate_hz < source_hz:
        for frequency_hz in np.linspace(1.02 * rate_hz / 2, 0.98 * source_hz / 2, 5):
            heard = resample(
                AudioClip(sine(float(frequency_hz), 1.0, level=1.0, rate_hz=source_hz), source_hz), rate_hz
            )
            assert np.abs(heard.samples[2_000:-2_000]).max() < 10 ** (-80 / 20)
    else:
        images = response[round(1.05 * source_hz / 2) :]
        assert 20 * np.log10(images.max()) < -80.0


def test_short_and_silent_clips_have_a_loudness() -> None:
    assert integrated_lufs(AudioClip(sine(997.0, 0.2, level=0.1), RATE_HZ)) == pytest.approx(-23.0, abs=0.5)
    assert integrated_lufs(AudioClip(sine(997.0, 1.0, level=0.0), RATE_HZ)) == -math.inf
    assert integrated_lufs(AudioClip(np.zeros(0, dtype=np.float32), RATE_HZ)) == -math.inf
    assert math.isfinite(integrated_lufs(AudioClip(np.ones(1, dtype=np.float32), RATE_HZ)))


@pytest.mark.parametrize("level", [0.001, 0.02, 0.9])
@pytest.mark.parametrize("duration_s", [0.2, 3.0])
def test_loudness_is_brought_to_target_below_the_ceiling(level: float, duration_s: float) -> None:
    peaky = vowel(duration_s, level=level)
    peaky[:: RATE_HZ // 10] *= 6.0
    result = normalize_loudness(AudioClip(np.clip(peaky, -1, 1), RATE_HZ))
    assert integrated_lufs(result) == pytest.approx(-18.0, abs=0.5)
    assert true_peak_dbtp(result) <= -0.99


def test_a_limited_clip_has_its_loudness_whatever_it_had_before() -> None:
    peaky = vowel(2.0, level=0.02)
    peaky[20 :: RATE_HZ // 10] *= 20.0
    loud = normalize_loudness(AudioClip(peaky, RATE_HZ), target_lufs=-14.0)
    quiet = normalize_loudness(AudioClip(peaky * 0.1, RATE_HZ), target_lufs=-14.0)
    assert integrated_lufs(loud) == pytest.approx(-14.0, abs=0.15)
    assert -1.3 <= true_peak_dbtp(loud) <= -0.999
    np.testing.assert_allclose(quiet.samples, loud.samples, atol=1e-3)


def test_limiter_touches_only_the_neighbourhood_of_peaks() -> None:
    samples = sine(200.0, 1.0, level=0.2)
    samples[12_000] = 1.5
    limited = limit_peaks(AudioClip(samples, RATE_HZ))
    assert true_peak_dbtp(limited) <= -0.99
    np.testing.assert_allclose(limited.samples[:11_000], samples[:11_000], rtol=0.02, atol=1e-6)


def test_silence_is_told_from_speech_at_any_level() -> None:
    for level in (0.003, 0.03, 0.5):
        clip = clip_of(silence(1.0) * level, vowel(2.0, level=level), silence(1.0, seed=1) * level)
        (segment,) = speech_segments(clip)
        assert segment.start_s == pytest.approx(1.0, abs=0.02)
        assert segment.end_s == pytest.approx(3.0, abs=0.02)


def test_fricatives_are_speech() -> None:
    hiss = np.diff(np.random.default_rng(0).standard_normal(RATE_HZ // 4 + 1)).astype(np.float32) * 0.002
    clip = clip_of(silence(1.0), hiss, vowel(1.0), hiss, silence(1.0))
    (segment,) = speech_segments(clip)
    assert segment.start_s == pytest.approx(1.0, abs=0.03)
    assert segment.end_s == pytest.approx(2.5, abs=0.03)


def test_short_pauses_stay_and_clicks_do_not_count() -> None:
    click = silence(0.01)
    click[100] = 0.5
    clip = clip_of(click, silence(1.0), vowel(1.0), silence(0.4), vowel(1.0), silence(0.8), vowel(1.0), silence(0.5))
    segments = speech_segments(clip)
    assert [round(segment.duration_s, 1) for segment in segments] == [2.4, 1.0]
    assert trim_silence(clip, keep_s=0.1).duration_s == pytest.approx(4.2 + 0.2, abs=0.04)


def test_nothing_is_speech_in_silence() -> None:
    for clip in (clip_of(silence(2.0)), clip_of(silence(0.001)), clip_of(np.zeros(0, dtype=np.float32))):
        assert speech_segments(clip) == ()
        assert len(trim_silence(clip).samples) == 0


def test_noise_does_not_hide_the_pauses() -> None:
    clip = clip_of(silence(1.0) * 100, vowel(2.0) + silence(2.0, seed=1) * 100, silence(1.0, seed=2) * 100)
    (segment,) = speech_segments(clip)
    assert segment.start_s == pytest.approx(1.0, abs=0.03)
    assert segment.end_s == pytest.approx(3.0, abs=0.03)


@settings(max_examples=25)
@given(parts=st.lists(st.tuples(st.floats(0.05, 6.0), st.floats(0.02, 3.0)), min_size=1, max_size=8))
def test_slices_keep_all_speech_and_cut_only_in_pauses(parts: list[tuple[float, float]]) -> None:
    clip = clip_of(*(piece for spoken_s, pause_s in parts for piece in (sine(200.0, spoken_s), silence(pause_s))))
    slices = slice_utterances(clip)
    if clip.duration_s < SHORTEST_S:
        assert slices == []
        return
    covered = np.zeros(len(clip.samples) + 1)
    for piece in slices:
        assert piece.clip.duration_s >= SHORTEST_S - 1e-3
        start, end = (round(time_s * RATE_HZ) for time_s in (piece.segment.start_s, piece.segment.end_s))
        np.testing.assert_array_equal(piece.clip.samples, clip.samples[start:end])
        assert not covered[start + 1 : end].any()
        covered[start:end] = 1
    hop = RATE_HZ // 100
    for frame in np.flatnonzero(speech_frames(clip)):
        middle = int(frame) * hop + hop
        assert covered[middle] or not covered.any()


def test_slices_have_the_wanted_lengths() -> None:
    sentences = [piece for _ in range(12) for piece in (vowel(1.4), silence(0.2), vowel(1.4), silence(0.6))]
    slices = slice_utterances(clip_of(*sentences))
    lengths = [piece.clip.duration_s for piece in slices]
    assert all(2.0 <= length <= 12.0 for length in lengths)
    # Sentences are never cut at their short inner pause.
    assert all(abs(piece.segment.start_s % 3.6 - 3.6) < 0.2 or piece.segment.start_s < 0.2 for piece in slices)
    with pytest.raises(ConfigError):
        slice_utterances(clip_of(vowel(1.0)), min_s=5.0, max_s=3.0)


def test_pitch_of_a_gliding_voice() -> None:
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    f0_hz = 120.0 * 2.0 ** (time_s / 2.0)
    phase = 2 * np.pi * np.cumsum(f0_hz) / RATE_HZ
    voice = np.sum([0.2 / k * np.sin(k * phase) for k in range(1, 12)], axis=0).astype(np.float32)
    pitch = track_pitch(clip_of(silence(1.0), voice, silence(1.0)))
    assert len(pitch.f0_hz) == len(pitch.voiced) == 4 * RATE_HZ // 300 + 1
    frames = np.arange(90, 230)  # well inside the voice, 80 frames per second
    assert pitch.voiced[frames].all()
    np.testing.assert_allclose(pitch.f0_hz[frames], 120.0 * 2.0 ** ((frames / 80 - 1.0) / 2.0), rtol=0.02)
    assert not pitch.voiced[:70].any()
    assert (pitch.f0_hz[~pitch.voiced] == 0.0).all()


@pytest.mark.parametrize("samples", [0, 1, 299, 300, 5_000])
def test_pitch_has_a_frame_per_hop(samples: int) -> None:
    pitch = track_pitch(AudioClip(np.zeros(samples, dtype=np.float32), RATE_HZ))
    assert len(pitch.f0_hz) == samples // 300 + 1
    assert not pitch.voiced.any()
