"""Streams: as many samples out as in, a stated time later, and the same as offline where that looks back only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from yinse.audio.compressor import CompressorSettings, compress
from yinse.audio.deep_filter import DeepFilterState
from yinse.audio.loudness import integrated_lufs
from yinse.audio.silence import frame_levels
from yinse.audio.spectral_gate import SpectralGate
from yinse.audio.streaming import Chain, CompressorStream, GateStream, LevelStream, NetworkStream, Stage
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip, FloatArray

RATE_HZ = 24_000


def heard(duration_s: float = 3.0, *, rate_hz: int = RATE_HZ) -> FloatArray:
    """Bursts of tone in noise."""
    random = np.random.default_rng(0)
    time_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    bursts = 0.3 * np.sin(2 * np.pi * 300.0 * time_s) * (np.sin(2 * np.pi * 1.3 * time_s) > 0.2)
    return (bursts + 0.01 * random.standard_normal(len(time_s))).astype(np.float32)


def streamed(stage: Stage, samples: FloatArray, sizes: tuple[int, ...]) -> FloatArray:
    """What comes out for pieces of these sizes in turn, its latency taken out."""
    out, place, turn = [], 0, 0
    while place < len(samples):
        piece = samples[place : place + sizes[turn % len(sizes)]]
        out.append(stage.push(piece))
        assert len(out[-1]) == len(piece)
        place, turn = place + len(piece), turn + 1
    out.append(stage.finish())
    assert len(out[-1]) == stage.latency_samples
    return np.concatenate(out)[stage.latency_samples :]


SIZES = [(480,), (1, 777, 24, 5_000), (100_000,)]


@pytest.mark.parametrize("sizes", SIZES)
def test_the_gate_streams_what_its_causal_form_gives(sizes: tuple[int, ...]) -> None:
    samples = heard()
    causal = SpectralGate(strength=0.7, causal=True).denoise(AudioClip(samples, RATE_HZ)).samples
    np.testing.assert_allclose(streamed(GateStream(RATE_HZ, strength=0.7), samples, sizes), causal, atol=2e-5)


def test_the_ordinary_gate_looks_ahead() -> None:
    # Noise that begins with a burst: only who looks ahead knows from the start what is noise.
    clip = AudioClip(heard(), RATE_HZ)
    causal, ordinary = (SpectralGate(causal=causal).denoise(clip).samples for causal in (True, False))
    assert np.abs(causal - ordinary).max() > 1e-3


@pytest.mark.parametrize("sizes", SIZES)
def test_compression_streams_what_it_is_offline(sizes: tuple[int, ...]) -> None:
    clip = AudioClip(heard() * np.float32(0.4), RATE_HZ)
    settings = CompressorSettings(ratio=3.0, threshold_dbfs=-30.0)
    stage = CompressorStream(RATE_HZ, settings=settings, loudness_lufs=integrated_lufs(clip))
    np.testing.assert_allclose(streamed(stage, clip.samples, sizes), compress(clip, settings).samples, atol=1e-6)
    # Without the loudness of the whole the threshold lies elsewhere.
    other = streamed(CompressorStream(RATE_HZ, settings=settings), clip.samples, sizes)
    assert np.abs(other - compress(clip, settings).samples).max() > 1e-3


def test_a_network_streams_what_it_makes_of_the_whole() -> None:
    samples = heard(0.5, rate_hz=48_000)
    delay = DeepFilterState.delay_samples
    whole = DeepFilterState().process(np.concatenate([samples, np.zeros(delay, dtype=np.float32)]))[delay:]
    np.testing.assert_allclose(streamed(NetworkStream(), samples, (960,)), whole, atol=1e-6)
    half = streamed(NetworkStream(strength=0.5), samples, (300, 4_801))
    np.testing.assert_allclose(half, (samples + whole) / 2, atol=1e-6)


@pytest.mark.parametrize("size", [240, 480, 7_001])
def test_levels_stream_as_they_are_offline(size: int) -> None:
    samples = heard(1.0)
    stream = LevelStream(RATE_HZ)
    found = [stream.push(samples[start : start + size]) for start in range(0, len(samples), size)]
    offline = frame_levels(AudioClip(samples, RATE_HZ))
    np.testing.assert_allclose(np.concatenate([one.level_db for one in found]), offline.level_db, atol=1e-6)
    np.testing.assert_allclose(np.concatenate([one.crossings_hz for one in found]), offline.crossings_hz)


def test_stages_in_a_row_add_their_latencies() -> None:
    samples = heard()
    chain = Chain([GateStream(RATE_HZ), CompressorStream(RATE_HZ)])
    assert chain.latency_samples / RATE_HZ == pytest.approx(0.034)
    gated = streamed(GateStream(RATE_HZ), samples, (480,))
    expected = streamed(CompressorStream(RATE_HZ), gated, (480,))
    np.testing.assert_allclose(streamed(chain, samples, (480,)), expected, atol=1e-4)


@pytest.mark.parametrize("make", [lambda: NetworkStream("gate"), lambda: GateStream(RATE_HZ, strength=2.0)])
def test_wrong_settings_are_refused(make: Callable[[], Stage]) -> None:
    with pytest.raises(ConfigError):
        make()
