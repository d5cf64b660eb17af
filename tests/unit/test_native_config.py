"""Whole model sets: JSON, what is refused, and one training step of every part at the published sizes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from yinse.audio.measure import PhonemeProsody
from yinse.core.errors import ConfigError, UnknownName
from yinse.models.acoustic import MEASURES, AcousticInput, AcousticModel, regulate
from yinse.models.discriminators import DiscriminatorConfig, Discriminators, discriminator_loss, generator_losses
from yinse.models.hifigan import HifiGanVocoder
from yinse.models.native_config import NativeConfig, base, build_vocoder, large
from yinse.models.prosody import DURATION_FRAMES, ProsodyGPT, ProsodyInput, decode_prosody, encode_prosody
from yinse.models.speaker import SpeakerEncoder
from yinse.models.vocoder import SourceFilterVocoder
from yinse.text.symbols import BASES, SYMBOLS

FRAMES, PHONEMES = 8, 5


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("config", [base(), large()], ids=["base", "large"])
def test_json_round_trip(config: NativeConfig) -> None:
    text = config.to_json()
    assert NativeConfig.from_json(text) == config
    record = json.loads(text)
    assert list(record) == ["spectrogram", "acoustic", "prosody", "vocoder", "speaker"]
    assert "spectrogram" not in record["acoustic"] and "spectrogram" not in record["vocoder"]


def edited(path: str, value: object) -> str:
    """JSON of the base configuration with one entry set (or, for None, removed)."""
    record = json.loads(base().to_json())
    *folders, name = path.split(".")
    place = record
    for folder in folders:
        place = place[folder]
    if value is None:
        del place[name]
    else:
        place[name] = value
    return json.dumps(record)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("colour", 1, "unknown key 'colour'"),
        ("acoustic.chanels", 1, "acoustic: unknown key 'chanels'"),
        ("acoustic.spectrogram", {}, "unknown key 'spectrogram'"),
        ("spectrogram.hop", 1, "acoustic.spectrogram: unknown key 'hop'"),
        ("speaker", None, "key 'speaker' is missing"),
        ("prosody.symbols", None, "prosody: key 'symbols' is missing"),
        ("prosody.layers", "4", "prosody.layers: int is expected, not '4'"),
        ("prosody.layers", 4.0, "prosody.layers: int is expected"),
        ("prosody.layers", True, "prosody.layers: int is expected"),
        ("acoustic.trunk_dilations", 3, "acoustic.trunk_dilations: a list is expected"),
        ("acoustic.trunk_dilations", [1, "2"], "acoustic.trunk_dilations: int is expected"),
        ("vocoder", [], "vocoder: a table of settings is expected"),
        ("vocoder.generator", {}, "vocoder: unknown key 'generator'"),
        ("acoustic.tones", 9, "the parts differ in their tones: acoustic 9, prosody 6"),
        ("speaker.vector_size", 128, "speaker vector"),
        ("speaker.mel_bins", 101, "reads 101 bins of 100"),
        ("prosody.heads", 7, "7 heads"),
    ],
)
def test_what_is_refused(path: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        NativeConfig.from_json(edited(path, value))
    assert message in str(error.value)


def test_vocoders_come_from_a_closed_table() -> None:
    with pytest.raises(UnknownName, match=r"Did you mean 'hifi-gan'\?"):
        NativeConfig.from_json(edited("vocoder.kind", "hifigan"))
    with pytest.raises(ConfigError, match="not JSON"):
        NativeConfig.from_json("{")
    assert isinstance(build_vocoder(base().vocoder), SourceFilterVocoder)
    with pytest.raises(ConfigError, match="spectrogram"):
        replace(base(), vocoder=large().vocoder)


def test_missing_settings_take_their_defaults() -> None:
    assert NativeConfig.from_json(edited("prosody.layers", None)) == base()


def test_the_base_set_is_small_enough_to_ship() -> None:
    config = base()
    parts = (
        AcousticModel(config.acoustic),
        ProsodyGPT(config.prosody),
        build_vocoder(config.vocoder),
        SpeakerEncoder(config.speaker),
    )
    assert 2 * sum(parameters(part) for part in parts) < 22e6  # bytes in fp16


def test_the_large_sizes_are_the_published_ones() -> None:
    config = large()
    prosody, generator = config.prosody, config.vocoder.generator
    assert (prosody.layers, prosody.width, prosody.heads, prosody.inner) == (6, 768, 12, 3072)
    assert sum(prosody.token_counts) == 500
    assert (config.acoustic.channels, config.spectrogram.mel_bins) == (192, 80)
    assert (generator.upsampling, generator.channels, config.spectrogram.hop_samples) == ((8, 8, 2, 2), 512, 256)
    assert (config.acoustic.symbols, config.acoustic.bases) == (len(SYMBOLS), len(BASES))


@pytest.mark.parametrize("config", [base().prosody, large().prosody], ids=["base", "large"])
def test_prosody_survives_its_tokens(config: object) -> None:
    count = len(DURATION_FRAMES)
    pitch = np.linspace(-2.8, 2.8, count).astype(np.float32)
    voiced = (np.arange(count) % 3 > 0).astype(np.float32)
    energy = np.linspace(-3.3, 1.2, count).astype(np.float32)
    told = PhonemeProsody(np.array(DURATION_FRAMES, dtype=np.int32), pitch * voiced, voiced, energy)
    tokens = encode_prosody(told, config)
    assert (tokens >= 0).all() and (tokens < np.array(config.token_counts)).all()
    back = decode_prosody(tokens, config)
    assert np.array_equal(back.durations, told.durations)
    assert np.array_equal(back.voiced, told.voiced)
    assert np.abs(back.pitch - told.pitch).max() <= 0.1001
    assert np.abs(back.energy - told.energy).max() <= 0.1001
    assert np.array_equal(encode_prosody(back, config), tokens)


def step(module: nn.Module, loss: Tensor) -> None:
    """One step of AdamW: every parameter gets a gradient, and moves unless it is zero (blocks start as identities)."""
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3, weight_decay=0.0)
    loss.backward()
    without = [name for name, p in module.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert torch.isfinite(loss) and not without
    before = {name: p.detach().clone() for name, p in module.named_parameters() if p.grad.abs().sum() > 0}
    optimizer.step()
    assert before
    assert not [name for name, p in module.named_parameters() if name in before and torch.equal(before[name], p)]


def symbols(config: object) -> dict[str, Tensor]:
    return {
        name: torch.randint(getattr(config, name), (1, PHONEMES), generator=torch.Generator().manual_seed(1))
        for name in ("symbols", "bases", "tones")
    }


def test_large_acoustic_step() -> None:
    torch.manual_seed(0)
    config = large().acoustic
    model = AcousticModel(config)
    numbers = {name: torch.rand(1, PHONEMES) for name in ("pitch", "voiced", "energy")}
    length = regulate(torch.tensor([2, 0, 3, 1, 2]))
    speaker = nn.functional.normalize(torch.randn(1, 256), dim=-1)
    inputs = AcousticInput(
        **symbols(config), **numbers, length=length, speaker=speaker, measures=torch.rand(1, MEASURES)
    )
    log_f0, voicing = torch.full((1, FRAMES), 5.0), torch.ones(1, FRAMES)
    trunk, f0, logits = model(inputs, log_f0, log_f0 - 5.1, voicing)
    assert trunk.mel.shape == (1, 80, FRAMES) and trunk.hidden.shape == (1, 192, FRAMES)
    mel, time = torch.randn(1, 80, FRAMES), torch.rand(1)
    velocity = model.flow(torch.lerp(torch.randn_like(mel), mel, time), time, trunk)
    step(model, (trunk.mel - mel).abs().mean() + (velocity - mel).square().mean() + f0.square().mean() + logits.mean())


def test_large_prosody_step() -> None:
    torch.manual_seed(0)
    config = large().prosody
    model = ProsodyGPT(config)
    assert 42e6 < parameters(model) < 50e6
    inputs = ProsodyInput(
        **symbols(config), speaker=torch.randn(1, 256), measures=torch.rand(1, MEASURES), context=torch.randn(1, 5, 192)
    )
    tokens = torch.stack([torch.randint(count, (1, PHONEMES)) for count in config.token_counts], dim=-1)
    logits = model(inputs, tokens)
    losses = [nn.functional.cross_entropy(part[0], tokens[0, :, index]) for index, part in enumerate(logits)]
    step(model, torch.stack(losses).sum())


def test_large_vocoder_step() -> None:
    torch.manual_seed(0)
    model = build_vocoder(large().vocoder)
    assert isinstance(model, HifiGanVocoder)
    judges = Discriminators(DiscriminatorConfig())
    real = 0.1 * torch.randn(1, (FRAMES - 1) * 256)
    mel, melody = model.log_mel(real), torch.zeros(1, FRAMES)
    made = model(mel, melody, melody)
    assert made.shape == real.shape
    step(judges, discriminator_loss(judges(real), judges(made.detach())))
    judges.requires_grad_(False)
    distance = (model.log_mel(made) - mel).abs().mean()
    step(model, generator_losses(judges(real), judges(made), mel_distance=distance)["loss"])


def test_large_speaker_step() -> None:
    torch.manual_seed(0)
    model = SpeakerEncoder(large().speaker)
    vectors = model(torch.randn(2, 80, 40))
    step(model, nn.functional.cosine_similarity(vectors[:1], vectors[1:]).mean())
