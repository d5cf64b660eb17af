"""Stage 6 with HiFi-GAN in the place of the source-filter vocoder: generator and judges in one step.

Both losses are taken of the same windows and weights, and one optimizer moves all: the judges' loss does not reach the
generator, the generator's does not reach the judges.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from yinse.models.discriminators import DiscriminatorConfig, Discriminators, discriminator_loss, generator_losses
from yinse.models.hifigan import HifiGanConfig, HifiGanVocoder
from yinse.train.loop import Losses
from yinse.train.recipes.vocoder import VocoderTask


class HifiGanTraining(nn.Module):
    """The vocoder and its judges."""

    def __init__(self, config: HifiGanConfig, discriminators: DiscriminatorConfig | None = None) -> None:
        super().__init__()
        self.vocoder = HifiGanVocoder(config)
        self.discriminators = Discriminators(discriminators or DiscriminatorConfig())

    def forward(self, mel: Tensor, log_f0: Tensor, voicing: Tensor, *, generator: torch.Generator) -> Tensor:
        """Waveform `(B, S)`, as the vocoder alone."""
        samples: Tensor = self.vocoder(mel, log_f0, voicing, generator=generator)
        return samples


class HifiGanTask(VocoderTask):
    """The windows of the source-filter vocoder, judged by adversaries."""

    def losses(self, model: nn.Module, batch: Mapping[str, Tensor], step: int) -> Losses:
        """Mel distance, adversarial and feature losses, and the judges' own."""
        assert isinstance(model, HifiGanTraining)
        judges, wanted = model.discriminators, batch["samples"]
        made = model.vocoder(batch["mel"], batch["log_f0"], batch["voicing"]).float()
        real = judges(wanted)
        judging = discriminator_loss(real, judges(made.detach()))
        with torch.autocast(made.device.type, enabled=False):
            distance = (model.vocoder.log_mel(made) - batch["mel"]).abs().mean()
        judges.requires_grad_(False)
        losses = generator_losses(real, judges(made), mel_distance=distance)
        judges.requires_grad_(True)
        return {**losses, "loss": losses["loss"] + judging, "judges": judging}
