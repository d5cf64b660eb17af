"""Fine structure made stronger."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dct

from yinse.synth.sharpening import FULL, GAIN, NEIGHBOURS, sharpened

BINS = 100
EDGE = round(3 * NEIGHBOURS)


def mel_of(cepstrum: int, size: float) -> torch.Tensor:
    """One frame `(1, M, 1)`: a cosine around -4 nats."""
    cepstra = np.zeros(BINS)
    cepstra[cepstrum] = size
    return torch.from_numpy(dct(np.eye(BINS), axis=0, norm="ortho").T @ cepstra).float()[None, :, None] - 4.0


@pytest.mark.parametrize(("cepstrum", "gain"), [(3, 1.0), (FULL + 10, GAIN)])
def test_ripples_grow_and_envelopes_stay(cepstrum: int, gain: float) -> None:
    mel = mel_of(cepstrum, 2.0)
    made = sharpened(mel, torch.full((1, BINS, 1), -4.0))
    inner = slice(EDGE, -EDGE)
    spread = made[:, inner].std() / mel[:, inner].std()
    assert spread == pytest.approx(gain, rel=0.05)


def test_neighbourhoods_keep_their_magnitude() -> None:
    mel = mel_of(FULL + 10, 6.0)
    made = sharpened(mel, torch.full((1, BINS, 1), -4.0))
    assert float(made.exp().mean()) == pytest.approx(float(mel.exp().mean()), rel=0.05)
    assert (made - mel).abs().max() > 0.1


def test_the_mean_of_a_voice_is_not_sharpened() -> None:
    mean = mel_of(FULL + 10, 3.0)
    torch.testing.assert_close(sharpened(mean.repeat(1, 1, 4), mean), mean.repeat(1, 1, 4), atol=1e-4, rtol=0)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([1.0, 4.0, 100.0]))
def test_any_mel_comes_out_finite_and_frame_by_frame(seed: int, frames: int, spread: float) -> None:
    random = np.random.default_rng(seed)
    mel = torch.from_numpy(random.normal(-5.0, spread, (1, BINS, frames)).astype(np.float32))
    mean = torch.from_numpy(random.normal(-5.0, 2.0, (1, BINS, 1)).astype(np.float32))
    made = sharpened(mel, mean)
    assert made.shape == mel.shape and torch.isfinite(made).all()
    torch.testing.assert_close(sharpened(mel[:, :, :1], mean), made[:, :, :1], atol=1e-3, rtol=0)
