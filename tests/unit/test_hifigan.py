"""HiFi-GAN: lengths, gradients, sizes that do not fit; the judges and their losses."""

from __future__ import annotations

import math

import pytest
import torch

from yinse.core.errors import ConfigError
from yinse.models.discriminators import (
    FEATURE_WEIGHT,
    MEL_WEIGHT,
    DiscriminatorConfig,
    Discriminators,
    discriminator_loss,
    feature_loss,
    generator_losses,
)
from yinse.models.hifigan import GeneratorConfig, HifiGanConfig, HifiGanGenerator, HifiGanVocoder
from yinse.models.spectrogram import SpectrogramConfig

SMALL = GeneratorConfig(inputs=20, channels=32, upsampling=(8, 8, 2, 2), upsampling_kernels=(16, 16, 4, 4))
JUDGES = DiscriminatorConfig(scales=2, periods=(2, 3), channels=256)


@pytest.mark.parametrize(
    ("upsampling", "kernels", "hop"),
    [((8, 8, 2, 2), (16, 16, 4, 4), 256), ((10, 8, 2, 2, 2), (16, 16, 8, 2, 2), 640), ((5, 3), (11, 7), 15)],
)
def test_each_frame_gives_a_hop(upsampling: tuple[int, ...], kernels: tuple[int, ...], hop: int) -> None:
    config = GeneratorConfig(inputs=6, channels=32, upsampling=upsampling, upsampling_kernels=kernels)
    assert config.hop_samples == hop
    samples = HifiGanGenerator(config)(torch.randn(2, 6, 7))
    assert samples.shape == (2, 7 * hop)
    assert samples.abs().max() <= 1


def test_the_defaults_are_the_published_sizes() -> None:
    config = GeneratorConfig()
    assert math.prod(config.upsampling) == config.hop_samples == 256
    # Kong et al. give 13.92 million for V1, without the split of weight norm
    model = HifiGanGenerator(config)
    count = sum(p.numel() for name, p in model.named_parameters() if not name.endswith("original0"))
    assert count == pytest.approx(13.92e6, rel=0.005)


def test_the_condition_is_heard_and_named_as_published() -> None:
    torch.manual_seed(0)
    config = GeneratorConfig(inputs=6, channels=32, condition=5, outer_weight_norm=False, output_bias=False)
    model = HifiGanGenerator(config)
    frames = torch.randn(2, 6, 4)
    first, second = model(frames, torch.randn(2, 5)), model(frames, torch.randn(2, 5))
    assert not torch.equal(first, second)
    names = set(model.state_dict())
    assert {"conv_pre.weight", "conv_post.weight", "cond.weight", "cond.bias"} <= names
    assert "conv_post.bias" not in names
    assert any(name.startswith("resblocks.11.convs2.2.") for name in names)


def test_the_vocoder_is_called_as_any_other() -> None:
    torch.manual_seed(0)
    config = HifiGanConfig(generator=SMALL, spectrogram=SpectrogramConfig(hop_samples=256, mel_bins=20))
    model = HifiGanVocoder(config)
    mel, melody = torch.randn(2, 20, 9), torch.zeros(2, 9)
    samples = model(mel, melody, melody, generator=torch.Generator().manual_seed(1))
    assert samples.shape == (2, 8 * 256)
    assert model.log_mel(samples).shape == mel.shape
    # frame t stands around sample t * hop: the network's own samples, half a hop later
    assert torch.equal(samples, model.generator(mel)[:, 128 : 128 + 8 * 256])


@pytest.mark.parametrize(
    "sizes",
    [
        {"upsampling": (8, 8), "upsampling_kernels": (16,)},
        {"upsampling": (8, 8), "upsampling_kernels": (16, 15)},
        {"upsampling": (8, 8), "upsampling_kernels": (16, 6)},
        {"channels": 500},
    ],
)
def test_sizes_that_do_not_fit(sizes: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        GeneratorConfig(**sizes)


def test_hop_and_bins_must_be_those_of_the_mel() -> None:
    with pytest.raises(ConfigError, match="hop"):
        HifiGanConfig(generator=SMALL, spectrogram=SpectrogramConfig(hop_samples=300, mel_bins=20))


def test_judges_and_losses() -> None:
    torch.manual_seed(0)
    judges = Discriminators(JUDGES)
    real = torch.randn(2, 2048)
    made = torch.randn(2, 2048, requires_grad=True)
    judged_real, judged_made = judges(real), judges(made)
    assert [len(maps) for maps in judged_real] == [7, 7, 6, 6]
    assert all(maps[-1].shape[0] == 2 and maps[-1].ndim == 2 for maps in judged_real)
    assert feature_loss(judged_real, judged_real) == 0
    perfect = [[torch.ones(1, 3)]], [[torch.zeros(1, 3)]]
    assert discriminator_loss(*perfect) == 0
    assert discriminator_loss(*perfect[::-1]) == 2
    losses = generator_losses(judged_real, judged_made, mel_distance=torch.tensor(0.5))
    expected = losses["adversarial"] + FEATURE_WEIGHT * losses["feature"] + MEL_WEIGHT * 0.5
    assert torch.allclose(losses["loss"], expected)
    losses["loss"].backward()
    assert made.grad is not None and made.grad.abs().sum() > 0


def test_gradients_reach_every_weight() -> None:
    torch.manual_seed(0)
    spectrogram = SpectrogramConfig(hop_samples=256, mel_bins=20)
    model = HifiGanVocoder(HifiGanConfig(generator=SMALL, spectrogram=spectrogram))
    judges = Discriminators(JUDGES)
    real = 0.1 * torch.randn(2, 8 * 256)
    mel = model.log_mel(real)
    melody = torch.zeros(2, mel.shape[-1])
    made = model(mel, melody, melody)
    discriminator_loss(judges(real), judges(made.detach())).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in judges.parameters())
    judges.requires_grad_(False)
    distance = (model.log_mel(made) - mel).abs().mean()
    generator_losses(judges(real), judges(made), mel_distance=distance)["loss"].backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or p.grad.abs().sum() == 0]
    assert not silent
