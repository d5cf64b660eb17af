"""DeepFilterNet on a whole recording against the C library that comes with it."""

import numpy as np
import pytest

from yinse.audio import deep_filter as module
from yinse.audio.deep_filter import DEEP_FILTER_RATE_HZ as RATE_HZ
from yinse.audio.deep_filter import DeepFilterState, deep_filter


def noisy(seconds: float) -> np.ndarray:
    """Something like a voice, with pauses, in noise `(S,)`."""
    random = np.random.default_rng(4)
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    phase = 2.0 * np.pi * np.cumsum(120.0 + 20.0 * np.sin(3.0 * times)) / RATE_HZ
    voice = sum(np.sin(k * phase) / k for k in range(1, 25)) * np.maximum(0.0, np.sin(4.0 * times))
    return (0.08 * voice + 0.02 * random.normal(size=len(times))).astype(np.float32)


def by_library(samples: np.ndarray) -> np.ndarray:
    """What the C library leaves of samples `(S,)`, aligned with them."""
    state = DeepFilterState()
    whole = np.pad(samples, (0, state.delay_samples + -len(samples) % state.frame_samples))
    return state.process(whole)[state.delay_samples :][: len(samples)]


@pytest.mark.parametrize("length", [1, 479, 960, 100_003])
def test_it_is_what_the_library_makes_of_it(length: int) -> None:
    samples = noisy(3.0)[:length]
    cleaned = deep_filter(samples)
    assert cleaned.shape == samples.shape
    assert cleaned.dtype == np.float32
    np.testing.assert_allclose(cleaned, by_library(samples), atol=1e-5)


def test_noise_goes() -> None:
    noise = 0.05 * np.random.default_rng(1).normal(size=2 * RATE_HZ).astype(np.float32)
    left = deep_filter(noise)[RATE_HZ:]
    assert np.sqrt(np.mean(np.square(left))) < 0.05 * 10 ** (-25 / 20)


@pytest.mark.parametrize(("lead", "same"), [(10_000, True), (20, False)])
def test_blocks_told_all_before_them_make_the_whole(monkeypatch: pytest.MonkeyPatch, lead: int, same: bool) -> None:
    samples = noisy(2.0)
    whole = deep_filter(samples)
    monkeypatch.setattr(module, "_BLOCK_FRAMES", 70)
    monkeypatch.setattr(module, "_LEAD_FRAMES", lead)
    in_blocks = deep_filter(samples)
    assert len(in_blocks) == len(whole)
    assert np.allclose(in_blocks, whole, atol=1e-5) == same


def test_silence_stays_silent() -> None:
    assert not deep_filter(np.zeros(5_000, dtype=np.float32)).any()
    assert deep_filter(np.zeros(0, dtype=np.float32)).shape == (0,)
