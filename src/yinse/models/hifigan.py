"""HiFi-GAN generator (Kong, Kim and Bae, "HiFi-GAN", 2020): frames → waveform through transposed convolutions.

`HifiGanGenerator` is the network alone; its sizes also describe the generators inside VITS-like models, which read
latent frames and a speaker vector and whose outer convolutions differ in bias and weight norm. Module names are those
of the published code, so that published weights need no renaming. `HifiGanVocoder` puts it in the place of any other
vocoder of a log-mel.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from yinse.core.errors import ConfigError
from yinse.models.spectrogram import LogMel, SpectrogramConfig

LEAKY_SLOPE = 0.1


@dataclass(frozen=True)
class GeneratorConfig:
    """Sizes of a HiFi-GAN generator; the defaults are the paper's largest (V1).

    Attributes:
        inputs: channels of the frames read.
        channels: channels before the first upsampling; each upsampling halves them.
        upsampling: factors; their product is the hop.
        upsampling_kernels: one for each factor, of the same parity.
        resblock_kernels: residual blocks that run side by side after each upsampling.
        resblock_dilations: of the convolutions inside each block; one tuple for all blocks, or one for each kernel.
        paired: whether an undilated convolution follows each dilated one (the paper's first kind of block).
        condition: width of a vector added to all frames, 0 for none.
        weight_norm: whether weights are split into length and direction (Salimans and Kingma, 2016) for training.
        outer_weight_norm: whether the first and the last convolution are split, too.
        output_bias: whether the last convolution has a bias.

    Raises:
        ConfigError: the sizes do not fit together.
    """

    inputs: int = 80
    channels: int = 512
    upsampling: tuple[int, ...] = (8, 8, 2, 2)
    upsampling_kernels: tuple[int, ...] = (16, 16, 4, 4)
    resblock_kernels: tuple[int, ...] = (3, 7, 11)
    resblock_dilations: tuple[int, ...] | tuple[tuple[int, ...], ...] = (1, 3, 5)
    paired: bool = True
    condition: int = 0
    weight_norm: bool = True
    outer_weight_norm: bool = True
    output_bias: bool = True

    def __post_init__(self) -> None:
        pairs = list(zip(self.upsampling, self.upsampling_kernels, strict=False))
        fits = all(kernel >= factor and (kernel - factor) % 2 == 0 for factor, kernel in pairs)
        if len(self.upsampling) != len(self.upsampling_kernels) or not fits:
            raise ConfigError(
                f"upsampling {self.upsampling} and kernels {self.upsampling_kernels} do not fit",
                advice="Give each factor a kernel that is at least as large and differs by an even number.",
            )
        if self.channels % 2 ** len(self.upsampling):
            raise ConfigError(f"{self.channels} channels cannot be halved {len(self.upsampling)} times")
        if len(self.dilations) != len(self.resblock_kernels):
            raise ConfigError(f"{len(self.resblock_kernels)} kernels, but dilations for {len(self.dilations)} blocks")

    @property
    def dilations(self) -> tuple[tuple[int, ...], ...]:
        """Dilations inside the block of each kernel."""
        nested = tuple(entry for entry in self.resblock_dilations if isinstance(entry, tuple))
        plain = tuple(entry for entry in self.resblock_dilations if not isinstance(entry, tuple))
        return nested or (plain,) * len(self.resblock_kernels)

    @property
    def hop_samples(self) -> int:
        """Samples per frame."""
        return math.prod(self.upsampling)


class ResidualBlock(nn.Module):
    """Dilated convolutions, each alone or with an undilated one behind it, each around a residual."""

    def __init__(
        self, channels: int, *, kernel: int, dilations: tuple[int, ...], paired: bool = True, normed: bool = True
    ) -> None:
        super().__init__()

        def convolutions(dilations: Iterable[int]) -> nn.ModuleList:
            made = (
                nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=dilation * (kernel - 1) // 2)
                for dilation in dilations
            )
            return nn.ModuleList(weight_norm(_small(one)) if normed else _small(one) for one in made)

        if paired:
            self.convs1 = convolutions(dilations)
            self.convs2 = convolutions(1 for _ in dilations)
        else:
            self.convs = convolutions(dilations)

    def steps(self) -> list[tuple[nn.Module, ...]]:
        """The convolutions around each residual, in order."""
        if hasattr(self, "convs"):
            return [(one,) for one in self.convs]
        return list(zip(self.convs1, self.convs2, strict=True))

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, S)` to the same shape."""
        for convolutions in self.steps():
            inside = x
            for convolution in convolutions:
                inside = convolution(nn.functional.leaky_relu(inside, LEAKY_SLOPE))
            x = x + inside
        return x


class HifiGanGenerator(nn.Module):
    """Frames to a waveform, `hop_samples` for each frame."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.channels // 2**stage for stage in range(len(config.upsampling) + 1)]
        split = weight_norm if config.weight_norm else _unchanged
        outer = split if config.outer_weight_norm else _unchanged
        self.conv_pre = outer(nn.Conv1d(config.inputs, widths[0], 7, padding=3))
        self.cond = nn.Conv1d(config.condition, widths[0], 1) if config.condition else None
        self.ups = nn.ModuleList(
            split(_small(nn.ConvTranspose1d(wide, narrow, kernel, factor, padding=(kernel - factor) // 2)))
            for wide, narrow, factor, kernel in zip(
                widths[:-1], widths[1:], config.upsampling, config.upsampling_kernels, strict=True
            )
        )
        self.resblocks = nn.ModuleList(
            ResidualBlock(width, kernel=kernel, dilations=dilations, paired=config.paired, normed=config.weight_norm)
            for width in widths[1:]
            for kernel, dilations in zip(config.resblock_kernels, config.dilations, strict=True)
        )
        self.conv_post = outer(_small(nn.Conv1d(widths[-1], 1, 7, padding=3, bias=config.output_bias)))

    def forward(self, frames: Tensor, condition: Tensor | None = None) -> Tensor:
        """Waveform `(B, T * hop)` of `frames (B, C, T)` and, if configured, `condition (B, D)`."""
        x = self.conv_pre(frames)
        if self.cond is not None and condition is not None:
            x = x + self.cond(condition.unsqueeze(-1))
        parallel = len(self.config.resblock_kernels)
        for stage, upsample in enumerate(self.ups):
            x = upsample(nn.functional.leaky_relu(x, LEAKY_SLOPE))
            blocks = self.resblocks[stage * parallel : (stage + 1) * parallel]
            x = torch.stack([block(x) for block in blocks]).mean(dim=0)
        # the published code uses PyTorch's default slope of 0.01 here
        waveform: Tensor = torch.tanh(self.conv_post(nn.functional.leaky_relu(x)))
        return waveform[:, 0]


@dataclass(frozen=True)
class HifiGanConfig:
    """A HiFi-GAN as the vocoder of a log-mel.

    Raises:
        ConfigError: generator and spectrogram differ in hop or bins.
    """

    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    spectrogram: SpectrogramConfig = field(default_factory=lambda: SpectrogramConfig(hop_samples=256, mel_bins=80))

    def __post_init__(self) -> None:
        made = (self.generator.hop_samples, self.generator.inputs, self.generator.condition)
        wanted = (self.spectrogram.hop_samples, self.spectrogram.mel_bins, 0)
        if made != wanted:
            raise ConfigError(
                f"the generator has (hop, inputs, condition) {made}, the spectrogram asks for {wanted}",
                advice="The product of the upsampling factors must be the hop.",
            )


class HifiGanVocoder(nn.Module):
    """Log-mel to a waveform; called as `SourceFilterVocoder` is."""

    def __init__(self, config: HifiGanConfig) -> None:
        super().__init__()
        self.config = config
        self.log_mel = LogMel(config.spectrogram)
        self.generator = HifiGanGenerator(config.generator)

    def forward(
        self, mel: Tensor, log_f0: Tensor, voicing: Tensor, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Waveform `(B, (T_mel - 1) * hop)` of a mel `(B, M, T_mel)`.

        The melody (`log_f0` and `voicing`, `(B, T_mel)`) is read out of the mel, and nothing is drawn by chance: the
        other arguments are those of every vocoder.
        """
        samples = self.generator(mel)
        # a frame's samples lie around its centre: half a hop is before the first centre, half behind the last
        hop = self.config.spectrogram.hop_samples
        return samples[:, hop // 2 : hop // 2 + (mel.shape[-1] - 1) * hop]


def _small(module: nn.Module) -> nn.Module:
    """The published initialisation; it must come before weight norm splits the weight."""
    nn.init.normal_(module.weight, std=0.01)  # type: ignore[arg-type]
    return module


def _unchanged(module: nn.Module) -> nn.Module:
    return module
