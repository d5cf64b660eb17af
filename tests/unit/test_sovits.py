"""SoVITS and what it reads: padding, speed, pieces, names of weights, the prepared generator, features."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from yinse.core.errors import BadAudio, CheckpointKeys, ConfigError
from yinse.models.hifigan import GeneratorConfig, HifiGanGenerator
from yinse.models.hifigan_prepared import PIECE_FRAMES, PreparedGenerator
from yinse.models.kaldi_features import fbank
from yinse.models.sovits import Reference, SoVITS, SoVITSConfig
from yinse.models.sovits_keys import config_from_official, convert_official, our_name
from yinse.models.speaker_verification import SpeakerVerification, SpeakerVerificationConfig

GENERATOR = GeneratorConfig(
    inputs=8,
    channels=16,
    upsampling=(5, 2),
    upsampling_kernels=(9, 2),
    resblock_kernels=(3, 7),
    condition=12,
    weight_norm=False,
    output_bias=False,
)
CONFIG = SoVITSConfig(
    phonemes=20,
    codes=16,
    ssl_size=10,
    latent=8,
    hidden=12,
    inner=16,
    layers=2,
    fusion_hidden=12,
    fusion_heads=2,
    reference_bins=9,
    style_hidden=8,
    condition=12,
    generator=GENERATOR,
)


@pytest.fixture(scope="module")
def model() -> SoVITS:
    torch.manual_seed(0)
    made = SoVITS(CONFIG).eval()
    for parameter in made.flow.parameters():  # the last layers begin with zeros, which would hide the flow
        torch.nn.init.normal_(parameter, std=0.2)
    return made


@torch.inference_mode()
def test_padding_is_not_heard(model: SoVITS) -> None:
    codes, phonemes = torch.randint(16, (2, 6)), torch.randint(20, (2, 5))
    condition = torch.randn(2, 12)
    noise = torch.randn(2, 8, 12)
    lengths = {"code_lengths": torch.tensor([6, 4]), "phoneme_lengths": torch.tensor([5, 3])}
    prior = model.infer_prior(codes, phonemes, condition, **lengths)
    latent = model.sample(prior, condition, noise=noise, noise_scale=0.5)
    alone = model.infer_prior(codes[1:, :4], phonemes[1:, :3], condition[1:])
    latent_alone = model.sample(alone, condition[1:], noise=noise[1:, :, :8], noise_scale=0.5)
    assert torch.allclose(latent[1:, :, :8], latent_alone, atol=1e-5)
    assert latent[1, :, 8:].abs().max() == 0


@torch.inference_mode()
def test_flow_can_be_undone(model: SoVITS) -> None:
    x, mask, condition = torch.randn(1, 8, 7), torch.ones(1, 1, 7), torch.randn(1, 12, 1)
    there = model.flow(x, mask, condition)
    assert not torch.allclose(there, x, atol=0.1)
    assert torch.allclose(model.flow(there, mask, condition, reverse=True), x, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize(("speed", "frames"), [(1.0, 12), (1.3, 10), (0.7, 18)])
def test_speed_changes_the_length(model: SoVITS, speed: float, frames: int) -> None:
    assert model.latent_frames(6, speed=speed) == frames
    codes, phonemes = torch.randint(16, (1, 6)), torch.randint(20, (1, 5))
    noise = torch.randn(1, 8, frames)
    decoded = model(codes, phonemes, torch.randn(1, 12), noise=noise, speed=speed)
    assert decoded.samples.shape == (1, frames * 10)
    assert decoded.hidden.shape == (1, 12, 12)


@torch.inference_mode()
def test_a_piece_fades_over_from_the_hidden_frames_before_it(model: SoVITS) -> None:
    codes, phonemes, condition = torch.randint(16, (1, 6)), torch.randint(20, (1, 5)), torch.randn(1, 12)
    whole = model(codes, phonemes, condition).hidden
    before = torch.randn(1, 12, 4)
    piece = model(codes, phonemes, condition, keep_codes=3, overlap=before).hidden
    assert torch.equal(piece[:, :, 0], before[:, :, 0])
    assert torch.allclose(piece[:, :, 4:], whole[:, :, -2:])
    assert not torch.allclose(piece[:, :, 3], before[:, :, 3])


@torch.inference_mode()
def test_codes_are_the_nearest_entries(model: SoVITS) -> None:
    ssl = torch.randn(2, 10, 9)
    codes = model.encode(ssl)
    assert codes.shape == (2, 4)
    distance = torch.cdist(model.semantic_projection(ssl).transpose(1, 2), model.codebook.weight[None])
    assert torch.equal(codes, distance.argmin(dim=2))


@torch.inference_mode()
def test_references_are_averaged_and_checked(model: SoVITS) -> None:
    first, second = (Reference(torch.rand(1, 11, frames)) for frames in (6, 9))
    both = model.condition([first, second])
    assert torch.allclose(both, (model.condition([first]) + model.condition([second])) / 2)
    with pytest.raises(ConfigError, match="no reference"):
        model.condition([])
    with pytest.raises(ConfigError, match="speaker vector of size 5"):
        model.condition([Reference(first.spectrum, torch.randn(1, 5))])


def test_a_speaker_vector_changes_the_timbre() -> None:
    torch.manual_seed(0)
    made = SoVITS(replace(CONFIG, speaker_vector=5)).eval()
    spectrum = torch.rand(1, 11, 6)
    timbres = [made.condition([Reference(spectrum, torch.randn(1, 5))]) for _ in range(2)]
    assert not torch.allclose(*timbres)
    assert made(torch.randint(16, (1, 4)), torch.randint(20, (1, 5)), timbres[0]).samples.shape == (1, 80)
    with pytest.raises(ConfigError, match="speaker vector of size 0"):
        made.condition([Reference(spectrum)])


def test_gradients_reach_what_speaks(model: SoVITS) -> None:
    codes, phonemes = torch.randint(16, (1, 6)), torch.randint(20, (1, 5))
    condition = model.condition([Reference(torch.rand(1, 11, 6))])
    model(codes, phonemes, condition, noise=torch.randn(1, 8, 12)).samples.square().sum().backward()
    without = [name for name, p in model.named_parameters() if p.grad is None and not name.startswith("semantic")]
    model.zero_grad()
    assert not without


def test_parts_that_do_not_fit() -> None:
    with pytest.raises(ConfigError, match="generator"):
        replace(CONFIG, latent=10)
    with pytest.raises(ConfigError, match="one size"):
        replace(CONFIG, fusion_hidden=16)


def test_split_weights_are_multiplied_together() -> None:
    convolution = torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv1d(3, 4, 5))
    length, direction = (
        convolution.parametrizations.weight.original0.detach() * 2,
        convolution.parametrizations.weight.original1.detach(),
    )
    with torch.no_grad():
        convolution.parametrizations.weight.original0.copy_(length)
    published = {"dec.ups.0.weight_g": length, "dec.ups.0.weight_v": direction}
    converted = convert_official(published)
    assert torch.allclose(converted.weights["generator.ups.0.weight"], convolution.weight)
    for half, value in published.items():
        with pytest.raises(CheckpointKeys):
            convert_official({half: value})


def test_what_is_left_out_is_said() -> None:
    keys = {"enc_q.pre.weight", "quantizer.vq.layers.0._codebook.inited", "optimizer", "decoder.weight"}
    converted = convert_official({key: torch.zeros(1) for key in keys})
    assert set(converted.dropped) == {"enc_q.pre.weight", "quantizer.vq.layers.0._codebook.inited"}
    assert set(converted.unexpected) == {"optimizer", "decoder.weight"}
    assert our_name("flow.flows.6.enc.in_layers.3.bias") == "flow.couplings.3.network.gates.3.bias"


def test_sizes_of_another_file() -> None:
    with pytest.raises(ConfigError, match="not the sizes"):
        config_from_official({}, {"h.layers.0.linear1.weight": (4, 4)})


@torch.inference_mode()
@pytest.mark.parametrize("paired", [True, False])
def test_prepared_generator_says_the_same(paired: bool) -> None:
    torch.manual_seed(0)
    config = replace(
        GENERATOR,
        channels=256,
        upsampling=(3, 2),
        upsampling_kernels=(7, 2),
        resblock_kernels=(3, 7, 11),
        paired=paired,
        weight_norm=True,
        output_bias=True,
    )
    plain = HifiGanGenerator(config)
    for parameter in plain.parameters():  # the published start is so small that tanh(x) = x
        parameter.mul_(3)
    frames, condition = torch.randn(2, 8, 24), torch.randn(2, 12)
    expected = plain(frames, condition)
    made = PreparedGenerator(plain)(frames, condition)
    assert made.shape == expected.shape
    assert (made - expected).abs().max() < 1e-5 * expected.abs().max()
    rough = PreparedGenerator(plain, precision=torch.bfloat16)(frames, condition)
    error = (rough - expected).square().mean() / expected.square().mean()
    assert 0 < error < 1e-3


@torch.inference_mode()
def test_a_long_sentence_in_pieces_is_the_same() -> None:
    torch.manual_seed(0)
    plain = HifiGanGenerator(replace(GENERATOR, upsampling=(2, 2), upsampling_kernels=(4, 4)))
    for parameter in plain.parameters():
        parameter.mul_(10)
    frames, condition = torch.randn(1, 8, 2 * PIECE_FRAMES + 7), torch.randn(1, 12)
    expected = plain(frames, condition)
    made = PreparedGenerator(plain)(frames, condition)
    assert (made - expected).abs().max() < 1e-5 * expected.abs().max()


def test_prepared_model_speaks_where_gradients_are_kept() -> None:
    torch.manual_seed(0)
    made = SoVITS(replace(CONFIG, generator=replace(GENERATOR, channels=256))).eval()
    codes, phonemes, condition = torch.randint(16, (1, 4)), torch.randint(20, (1, 5)), torch.randn(1, 12)
    expected = made(codes, phonemes, condition).samples
    made.prepare()
    made.prepare()  # a second time changes nothing
    samples = made(codes, phonemes, condition).samples
    assert not samples.requires_grad
    assert (samples - expected).abs().max() < 1e-5 * expected.abs().max()


def test_filter_banks() -> None:
    time_s = torch.arange(16000) / 16000
    energies = fbank(0.5 * torch.sin(2 * torch.pi * 1000 * time_s) + 0.3)
    assert energies.shape == (98, 80)
    # 1 kHz lies at 1000 mel; the triangles' tops are at 20 Hz (31.7 mel) and every 34.7 mel above
    assert energies.mean(dim=0).argmax() == 27
    assert torch.allclose(energies, fbank(0.5 * torch.sin(2 * torch.pi * 1000 * time_s)), atol=0.5)
    assert fbank(torch.zeros(399)).shape == (0, 80)


def test_speaker_vectors() -> None:
    torch.manual_seed(0)
    config = SpeakerVerificationConfig(channels=16, blocks=(1, 1, 1, 1), base_width=32, scale=2, expansion=2)
    made = SpeakerVerification(config).eval()
    samples = torch.randn(2, 8000)
    vectors = made.vectors(samples)
    assert vectors.shape == (2, config.feature_size)
    assert torch.allclose(vectors[1:], made.vectors(samples[1:]), atol=1e-4)
    with pytest.raises(BadAudio):
        made.vectors(torch.randn(1, 300))
