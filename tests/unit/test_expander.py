"""Pauses of speech that is spoken."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from yinse.synth.expander import QUIET, RATIO, quieter_pauses


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_nothing_grows_and_bands_keep_their_proportions(seed: int, frames: int) -> None:
    mel = torch.from_numpy(np.random.default_rng(seed).normal(-4.0, 3.0, (1, 20, frames)).astype(np.float32))
    change = quieter_pauses(mel) - mel
    assert change.shape == mel.shape and torch.isfinite(change).all() and (change <= 1e-4).all()
    torch.testing.assert_close(change, change[:, :1].expand_as(change), atol=1e-4, rtol=0)


def test_pauses_fall_and_speech_stays() -> None:
    """A pause 4.2 nats below speech lies a nat below the threshold: it goes three times as far."""
    mel = torch.full((1, 10, 100), -2.0)
    mel[:, :, 40:60] = -2.0 - QUIET - 1.0
    made = quieter_pauses(mel)
    torch.testing.assert_close(made[:, :, :38], mel[:, :, :38])
    torch.testing.assert_close(made[:, :, 62:], mel[:, :, 62:])
    torch.testing.assert_close(made[:, :, 42:58], mel[:, :, 42:58] - (RATIO - 1.0))
