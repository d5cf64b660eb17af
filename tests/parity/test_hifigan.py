"""The generator and the discriminators give the numbers of the published GPT-SoVITS modules."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from yinse.models.discriminators import (
    FEATURE_WEIGHT,
    DiscriminatorConfig,
    Discriminators,
    adversarial_loss,
    discriminator_loss,
    feature_loss,
)
from yinse.models.hifigan import GeneratorConfig, HifiGanGenerator


def fixture(path: Path) -> tuple[dict[str, object], dict[str, Tensor]]:
    """Recorded sizes and tensors."""
    with safe_open(str(path), framework="pt") as file:
        names = list(file.keys())
        return json.loads(file.metadata()["config"]), {name: file.get_tensor(name) for name in names}


def difference(ours: Tensor, theirs: Tensor) -> float:
    """Largest difference relative to the largest value."""
    return float((ours - theirs).detach().abs().max() / theirs.abs().max())


@pytest.mark.parametrize("name", ["s2_generator_resblock1", "s2_generator_v4_vocoder"])
def test_generator(shared: Path, name: str) -> None:
    sizes, tensors = fixture(shared / "parity" / f"{name}.safetensors")
    model = HifiGanGenerator(
        GeneratorConfig(
            inputs=sizes["initial_channel"],
            channels=sizes["upsample_initial_channel"],
            upsampling=tuple(sizes["upsample_rates"]),
            upsampling_kernels=tuple(sizes["upsample_kernel_sizes"]),
            condition=sizes["gin_channels"],
            outer_weight_norm=False,
            output_bias=sizes.get("is_bias", False),
        )
    )
    model.load_state_dict({key[8:]: value for key, value in tensors.items() if key.startswith("weights.")})
    condition = tensors["in.g"][..., 0] if "in.g" in tensors else None
    with torch.inference_mode():
        samples = model(tensors["in.x"], condition)
    assert difference(samples, tensors["out.audio"][:, 0]) < 1e-4


def test_discriminators(shared: Path) -> None:
    sizes, tensors = fixture(shared / "parity" / "s2_discriminator_v2.safetensors")
    spec = importlib.util.spec_from_file_location("fill", shared / "parity" / "fill.py")
    fill = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fill)
    weights = fill.state_dict(shared / "parity" / "keys_s2D_v2.json", sizes["fill_seed"], sizes["gain"])
    model = Discriminators(DiscriminatorConfig(scales=1))
    model.load_state_dict({key: torch.from_numpy(value) for key, value in weights.items()})
    made = tensors["in.y_hat"][:, 0].clone().requires_grad_()
    real, fake = model(tensors["in.y"][:, 0]), model(made)
    for index, judged in enumerate(fake):
        assert difference(judged[-1], tensors[f"out.fake{index}"]) < 1e-4
    feature, adversarial = FEATURE_WEIGHT * feature_loss(real, fake), adversarial_loss(fake)
    assert float(feature.detach()) == pytest.approx(float(tensors["out.feature_loss"]), rel=1e-4)
    assert float(adversarial.detach()) == pytest.approx(float(tensors["out.generator_loss"]), rel=1e-4)
    judged = discriminator_loss(real, fake)
    assert float(judged.detach()) == pytest.approx(float(tensors["out.discriminator_loss"]), rel=1e-4)
    (feature + adversarial).backward()
    assert difference(made.grad, tensors["out.grad_y_hat"][:, 0]) < 2e-3
