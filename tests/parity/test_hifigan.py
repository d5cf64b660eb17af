"""The generator and the discriminators give the numbers of the published GPT-SoVITS modules."""

from __future__ import annotations

import pytest
import torch

from parity.kit import ParityFolder
from yinse.models.discriminators import (
    FEATURE_WEIGHT,
    DiscriminatorConfig,
    Discriminators,
    adversarial_loss,
    discriminator_loss,
    feature_loss,
)
from yinse.models.hifigan import GeneratorConfig, HifiGanGenerator


@pytest.mark.parametrize("name", ["s2_generator_resblock1", "s2_generator_resblock2", "s2_generator_v4_vocoder"])
def test_generator(parity: ParityFolder, name: str) -> None:
    file = parity.open(name)
    sizes = file.config
    model = HifiGanGenerator(
        GeneratorConfig(
            inputs=sizes["initial_channel"],
            channels=sizes["upsample_initial_channel"],
            upsampling=tuple(sizes["upsample_rates"]),
            upsampling_kernels=tuple(sizes["upsample_kernel_sizes"]),
            resblock_kernels=tuple(sizes["resblock_kernel_sizes"]),
            resblock_dilations=tuple(tuple(row) for row in sizes["resblock_dilation_sizes"]),
            paired=sizes["resblock"] == "1",
            condition=sizes["gin_channels"],
            outer_weight_norm=False,
            output_bias=sizes.get("is_bias", False),
        )
    )
    model.load_state_dict(file.weights())
    condition = file["in.g"][..., 0] if "in.g" in file else None
    with torch.inference_mode():
        samples = model(file["in.x"], condition)
    file.agree("audio", samples[:, None])


def test_discriminators(parity: ParityFolder) -> None:
    file = parity.open("s2_discriminator_v2")
    model = Discriminators(DiscriminatorConfig(scales=1))
    model.load_state_dict(file.weights("keys_s2D_v2.json"))
    made = file["in.y_hat"][:, 0].clone().requires_grad_()
    real, fake = model(file["in.y"][:, 0]), model(made)
    for index, judged in enumerate(fake):
        file.agree(f"fake{index}", judged[-1])
    feature, adversarial = FEATURE_WEIGHT * feature_loss(real, fake), adversarial_loss(fake)
    file.agree("feature_loss", feature)
    file.agree("generator_loss", adversarial)
    file.agree("discriminator_loss", discriminator_loss(real, fake))
    (feature + adversarial).backward()
    assert made.grad is not None
    file.agree("grad_y_hat", made.grad[:, None], tolerance=2e-3)
