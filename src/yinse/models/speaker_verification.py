"""ERes2NetV2: filter bank energies to what tells speakers apart (Chen et al., "ERes2NetV2", 2024).

A Res2Net whose branches, and whose two last stages, are joined by attentive fusion. Module names are those of the
published code (3D-Speaker), so that published weights need no renaming. Maps are `(B, C, F, T)`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from yinse.core.errors import BadAudio
from yinse.models.kaldi_features import MEL_BINS, fbank

_REDUCTION = 4
"""How much narrower the attention inside a fusion is than its channels."""


@dataclass(frozen=True)
class SpeakerVerificationConfig:
    """Sizes of an ERes2NetV2; the defaults are those of `eres2netv2w24s4ep4`.

    Attributes:
        channels: of the first stage; each later one doubles them.
        blocks: residual blocks of each stage.
        base_width: channels of a branch for every 64 of the stage.
        scale: branches of a block.
        expansion: channels that leave a block, in units of the stage's.
        vector_size: of the embedding.
    """

    channels: int = 64
    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    base_width: int = 24
    scale: int = 4
    expansion: int = 4
    vector_size: int = 192

    @property
    def feature_size(self) -> int:
        """Size of the vectors that `SpeakerVerification.features` gives."""
        return self.channels * 8 * self.expansion * (MEL_BINS // 8)


class AttentiveFusion(nn.Module):
    """Weighs two maps against each other, point by point."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inside = channels // _REDUCTION
        self.local_att = nn.Sequential(
            nn.Conv2d(2 * channels, inside, 1),
            nn.BatchNorm2d(inside),
            nn.SiLU(),
            nn.Conv2d(inside, channels, 1),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """`(B, C, F, T)` of two such maps."""
        weight = torch.tanh(self.local_att(torch.cat([x, other], dim=1)))
        return x * (1 + weight) + other * (1 - weight)


class BranchedBlock(nn.Module):
    """Residual block whose channels go through a row of branches, each of which hears the one before."""

    def __init__(self, inputs: int, channels: int, config: SpeakerVerificationConfig, *, stride: int, fused: bool):
        super().__init__()
        width, scale = channels * config.base_width // 64, config.scale
        outputs = channels * config.expansion
        self.width = width
        self.conv1 = nn.Conv2d(inputs, width * scale, 1, stride=stride, bias=False)
        self.bn1 = nn.BatchNorm2d(width * scale)
        self.convs = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in range(scale))
        self.bns = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(scale))
        self.fuse_models = nn.ModuleList(AttentiveFusion(width) for _ in range(scale - 1 if fused else 0))
        self.conv3 = nn.Conv2d(width * scale, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, F, T)` to maps of this block's channels, the stride smaller."""
        branches = _bounded(self.bn1(self.conv1(x))).split(self.width, dim=1)
        heard: list[Tensor] = []
        for index, (branch, convolution, norm) in enumerate(zip(branches, self.convs, self.bns, strict=True)):
            given = branch
            if heard:
                given = self.fuse_models[index - 1](heard[-1], branch) if self.fuse_models else heard[-1] + branch
            heard.append(_bounded(norm(convolution(given))))
        return _bounded(self.bn3(self.conv3(torch.cat(heard, dim=1))) + self.shortcut(x))


class SpeakerVerification(nn.Module):
    """Filter bank energies to a speaker vector."""

    def __init__(self, config: SpeakerVerificationConfig) -> None:
        super().__init__()
        self.config = config
        self.conv1 = nn.Conv2d(1, config.channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(config.channels)
        self.layer1, self.layer2, self.layer3, self.layer4 = (_stage(config, stage) for stage in range(4))
        widest = config.channels * 8
        third, last = widest // 2 * config.expansion, widest * config.expansion
        self.layer3_ds = nn.Conv2d(third, last, 3, stride=2, padding=1, bias=False)
        self.fuse34 = AttentiveFusion(last)
        self.seg_1 = nn.Linear(2 * config.feature_size, config.vector_size)

    def features(self, energies: Tensor) -> Tensor:
        """Last maps, channels and frequencies in one row, `(B, C * F, T / 8)` of energies `(B, T, 80)`."""
        x = torch.relu(self.bn1(self.conv1(energies.transpose(1, 2)[:, None])))
        third = self.layer3(self.layer2(self.layer1(x)))
        fused: Tensor = self.fuse34(self.layer4(third), self.layer3_ds(third))
        return fused.flatten(1, 2)

    def summary(self, energies: Tensor) -> Tensor:
        """Mean over time of the last maps, `(B, feature_size)`: what SoVITS reads of energies `(B, T, 80)`."""
        return self.features(energies).mean(dim=2)

    @torch.inference_mode()
    def vectors(self, samples: Tensor) -> Tensor:
        """Summaries `(B, feature_size)` of waveforms `(B, S)` of ±1 at 16 kHz.

        Raises:
            BadAudio: too short for a frame.
        """
        energies = torch.stack([fbank(row) for row in samples])
        if not energies.shape[1]:
            raise BadAudio(f"{samples.shape[1]} samples are too few to know a speaker by")
        return self.summary(energies)

    def forward(self, energies: Tensor) -> Tensor:
        """Embedding `(B, vector_size)` of energies `(B, T, 80)`; at least nine frames."""
        maps = self.features(energies)
        spread = (maps.var(dim=2) + 1e-8).sqrt()
        vector: Tensor = self.seg_1(torch.cat([maps.mean(dim=2), spread], dim=1))
        return vector


def _stage(config: SpeakerVerificationConfig, stage: int) -> nn.Sequential:
    """Blocks of one width; all stages but the first begin with a stride of 2."""
    width = config.channels * 2**stage
    inputs = width // 2 * config.expansion if stage else config.channels
    return nn.Sequential(
        *(
            BranchedBlock(
                width * config.expansion if index else inputs,
                width,
                config,
                stride=2 if stage and not index else 1,
                fused=stage >= 2,
            )
            for index in range(config.blocks[stage])
        )
    )


def _bounded(x: Tensor) -> Tensor:
    """Rectifier that ends at 20, as the published blocks have it."""
    return x.clamp(0, 20)
