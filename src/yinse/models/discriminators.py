"""Judges of waveforms, and the losses of adversarial training.

Multi-period discriminators (Kong et al., "HiFi-GAN", 2020, section 2.3) fold the waveform at prime periods and read it
as a picture; scale discriminators (Kumar et al., "MelGAN", 2019) read it at several rates. Scores are trained by least
squares (Mao et al. 2017). Module names are those of the published code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

LEAKY_SLOPE = 0.1
FEATURE_WEIGHT = 2.0
MEL_WEIGHT = 45.0

Judgement = list[Tensor]
"""Feature maps of one discriminator; the last is the score map `(B, N)`."""


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Which discriminators there are.

    Attributes:
        scales: scale discriminators: the waveform itself, then halved in rate again and again.
        periods: period discriminators.
        channels: channels of the widest layers, a multiple of 256.
    """

    scales: int = 3
    periods: tuple[int, ...] = (2, 3, 5, 7, 11)
    channels: int = 1024


class ScaleDiscriminator(nn.Module):
    """Grouped strided convolutions over a waveform."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = (1, channels // 64, channels // 16, channels // 4, channels, channels, channels)
        kernels, strides = (15, 41, 41, 41, 41, 5), (1, 4, 4, 4, 4, 1)
        self.convs = nn.ModuleList(
            # strided layers read four channels at a time
            weight_norm(
                nn.Conv1d(inputs, outputs, kernel, stride, kernel // 2, groups=inputs // 4 if stride > 1 else 1)
            )
            for inputs, outputs, kernel, stride in zip(widths[:-1], widths[1:], kernels, strides, strict=True)
        )
        self.conv_post = weight_norm(nn.Conv1d(channels, 1, 3, padding=1))

    def forward(self, samples: Tensor) -> Judgement:
        """Feature maps of a waveform `(B, S)`."""
        return _judge(self, samples[:, None])


class PeriodDiscriminator(nn.Module):
    """Strided convolutions along each of the phases of a period."""

    def __init__(self, period: int, channels: int) -> None:
        super().__init__()
        self.period = period
        widths = (1, channels // 32, channels // 8, channels // 2, channels, channels)
        self.convs = nn.ModuleList(
            weight_norm(nn.Conv2d(inputs, outputs, (5, 1), (stride, 1), padding=(2, 0)))
            for inputs, outputs, stride in zip(widths[:-1], widths[1:], (3, 3, 3, 3, 1), strict=True)
        )
        self.conv_post = weight_norm(nn.Conv2d(channels, 1, (3, 1), padding=(1, 0)))

    def forward(self, samples: Tensor) -> Judgement:
        """Feature maps of a waveform `(B, S)`, `S` longer than the period."""
        rest = -samples.shape[1] % self.period
        folded = nn.functional.pad(samples[:, None], (0, rest), mode="reflect")
        return _judge(self, folded.unflatten(2, (-1, self.period)))


class Discriminators(nn.Module):
    """All judges together."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.scales = config.scales
        self.discriminators = nn.ModuleList(
            [
                *(ScaleDiscriminator(config.channels) for _ in range(config.scales)),
                *(PeriodDiscriminator(period, config.channels) for period in config.periods),
            ]
        )

    def forward(self, samples: Tensor) -> list[Judgement]:
        """What each discriminator makes of a waveform `(B, S)`."""
        judged, halved = [], samples
        for index, judge in enumerate(self.discriminators):
            if 0 < index < self.scales:
                halved = nn.functional.avg_pool1d(halved[:, None], 4, 2, padding=2)[:, 0]
            judged.append(judge(halved if index < self.scales else samples))
        return judged


def discriminator_loss(real: Sequence[Judgement], fake: Sequence[Judgement]) -> Tensor:
    """Least squares: scores of real waveforms should be 1, of made ones 0."""
    terms = [
        (1 - ours[-1]).square().mean() + theirs[-1].square().mean() for ours, theirs in zip(real, fake, strict=True)
    ]
    return torch.stack(terms).sum()


def adversarial_loss(fake: Sequence[Judgement]) -> Tensor:
    """Least squares: the generator wants the scores of its waveforms to be 1."""
    return torch.stack([(1 - judged[-1]).square().mean() for judged in fake]).sum()


def feature_loss(real: Sequence[Judgement], fake: Sequence[Judgement]) -> Tensor:
    """Mean distance of the feature maps of real and made waveforms (Larsen et al. 2016), summed over the maps."""
    terms = [
        (wanted.detach() - made).abs().mean()
        for ours, theirs in zip(real, fake, strict=True)
        for wanted, made in zip(ours, theirs, strict=True)
    ]
    return torch.stack(terms).sum()


def generator_losses(
    real: Sequence[Judgement], fake: Sequence[Judgement], *, mel_distance: Tensor
) -> Mapping[str, Tensor]:
    """The generator's loss and its parts (HiFi-GAN, equation 7).

    Args:
        real: judgement of the real waveforms.
        fake: judgement of the made ones, with gradient.
        mel_distance: mean L1 distance of the log-mels of both.
    """
    adversarial, feature = adversarial_loss(fake), feature_loss(real, fake)
    loss = adversarial + FEATURE_WEIGHT * feature + MEL_WEIGHT * mel_distance
    return {"loss": loss, "adversarial": adversarial, "feature": feature, "mel": mel_distance}


def _judge(module: ScaleDiscriminator | PeriodDiscriminator, x: Tensor) -> Judgement:
    maps: Judgement = []
    for convolution in module.convs:
        x = nn.functional.leaky_relu(convolution(x), LEAKY_SLOPE)
        maps.append(x)
    x = module.conv_post(x)
    return [*maps, x.flatten(1)]
