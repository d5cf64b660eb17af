"""Speaker encoder: a few seconds of log-mel to one unit vector that says whose voice it is.

Convolutions that halve the frame rate twice, a gated recurrent network, the mean over time, a projection to 256
numbers of unit length (the shape of GE2E's encoder: Wan et al., "Generalized end-to-end loss for speaker
verification", 2018, section 2). Only bins below about 8 kHz are read, so that wide- and full-band recordings of a
person give one vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from yinse.core.types import FloatArray


@dataclass(frozen=True)
class SpeakerEncoderConfig:
    """Sizes of the speaker encoder."""

    mel_bins: int = 80
    channels: int = 128
    hidden: int = 256
    layers: int = 2
    vector_size: int = 256
    segment_frames: int = 200
    outlier_cosine: float = 0.15


class SpeakerEncoder(nn.Module):
    """Log-mel to a speaker vector of length 1."""

    def __init__(self, config: SpeakerEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.downsample = nn.Sequential(
            nn.Conv1d(config.mel_bins, config.channels, 5, stride=2, padding=2),
            nn.GELU(),
            nn.Conv1d(config.channels, config.channels, 5, stride=2, padding=2),
            nn.GELU(),
        )
        self.recurrent = nn.GRU(config.channels, config.hidden, config.layers, batch_first=True)
        self.project = nn.Linear(config.hidden, config.vector_size)

    def forward(self, mel: Tensor) -> Tensor:
        """Unit vectors `(B, G)` of log-mels `(B, M, T_mel)` (bins above the first `mel_bins` are ignored)."""
        low = mel[:, : self.config.mel_bins]
        # loudness is not identity: the clip's level is taken out, its spectrum stays
        low = (low - low.mean(dim=(1, 2), keepdim=True)) / 3.0
        states, _ = self.recurrent(self.downsample(low).transpose(1, 2))
        return nn.functional.normalize(self.project(states.mean(dim=1)), dim=-1)

    @torch.inference_mode()
    def segments(self, mel: FloatArray) -> FloatArray:
        """Unit vectors `(N, G)` of a clip's equal segments, each of about `segment_frames`, from `(T_mel, M)`."""
        pieces = max(1, round(len(mel) / self.config.segment_frames))
        size = len(mel) // pieces
        cut = np.asarray(mel[: pieces * size], dtype=np.float32).reshape(pieces, size, -1)
        found = self(torch.from_numpy(cut).transpose(1, 2).to(self.project.weight.device))
        return np.asarray(found.cpu().numpy(), dtype=np.float32)

    def pool(self, segments: Sequence[FloatArray]) -> FloatArray:
        """One vector `(G,)` for a speaker: the mean over the `segments` of clips, outliers left out."""
        stacked = np.concatenate(segments)
        similarity = stacked @ mean_direction(stacked)
        return mean_direction(stacked[similarity >= np.median(similarity) - self.config.outlier_cosine])

    def embed(self, mels: Sequence[FloatArray]) -> FloatArray:
        """One vector `(G,)` for the speaker of some clips, log-mels `(T_mel, M)`."""
        return self.pool([self.segments(mel) for mel in mels])


def mean_direction(vectors: Sequence[FloatArray] | FloatArray) -> FloatArray:
    """The unit vector `(G,)` in the middle of unit vectors `(N, G)`."""
    mean = np.mean(vectors, axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)
