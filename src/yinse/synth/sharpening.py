"""Harmonics and formants as sharp as recordings have them: a regression draws the middle of what it deems possible.

A postfilter after the mel-cepstral ones of statistical synthesis (Yoshimura et al., "Incorporating a mixed excitation
model and postfilter into HMM-based text-to-speech synthesis", 2005): cepstra beyond the envelope are made stronger,
and every neighbourhood of bins keeps its magnitude. Without the latter, speech that is sharper is brighter too, and
less alike (docs/log.md).
"""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor

GAIN = 1.4
"""Of the cepstra that are made stronger in full."""
FIRST, FULL = 10, 16
"""Cepstra up to the one are left as they are, from the other on they are made stronger in full."""
NEIGHBOURS = 5.0
"""Standard deviation, in bins, of the neighbourhoods that keep their magnitude."""

_SILENCE = 1e-30


def sharpened(mel: Tensor, mean_spectrum: Tensor) -> Tensor:
    """A log-mel with stronger fine structure.

    Args:
        mel: `(B, M, T_mel)`, nats.
        mean_spectrum: of the voice, `(M, 1)`, nats: what it has of fine structure was measured and stays as it is.
    """
    sharpen, blur = (torch.from_numpy(matrix).to(mel) for matrix in _matrices(mel.shape[1]))
    sharp = torch.matmul(sharpen, mel - mean_spectrum) + mean_spectrum
    return sharp + _level(blur, mel) - _level(blur, sharp)


def _level(blur: Tensor, mel: Tensor) -> Tensor:
    """Log of the mean magnitude around each bin; against the loudest, so that nothing overflows or is lost."""
    loudest = mel.amax(dim=1, keepdim=True)
    return torch.matmul(blur, (mel - loudest).exp()).clamp_min(_SILENCE).log() + loudest


@functools.cache
def _matrices(bins: int) -> tuple[np.ndarray, np.ndarray]:
    """What sharpens the frames of a log-mel, and what averages their magnitudes over neighbours; `(M, M)` both."""
    index = np.arange(bins)
    # the orthonormal cosine transform; scipy, which has it, would keep the first sentence waiting to be imported
    cepstra = np.cos(np.pi / bins * np.outer(index, index + 0.5)) * np.sqrt(2 / bins)
    cepstra[0] /= np.sqrt(2)
    gains = np.interp(index, (FIRST, FULL), (1.0, GAIN))
    distances = np.subtract.outer(index, index)
    weights = np.exp(-np.square(distances / NEIGHBOURS) / 2)
    blur = weights / weights.sum(axis=1, keepdims=True)
    return (cepstra.T @ (gains[:, None] * cepstra)).astype(np.float32), blur.astype(np.float32)
