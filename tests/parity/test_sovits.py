"""SoVITS gives the numbers of the published modules: whole models, and their parts alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from parity.kit import ParityFile, ParityFolder, difference
from yinse.models.hifigan import GeneratorConfig
from yinse.models.sovits import PriorEncoder, Reference, SoVITS, SoVITSConfig, mask_of
from yinse.models.sovits_keys import config_from_official, convert_official
from yinse.models.sovits_layers import CouplingFlow, StyleEncoder
from yinse.models.spectrogram import LogMel, SpectrogramConfig

WHOLE = ("v1_full", "v2_full", "v2Pro_full", "v2ProPlus_full", "v2_small", "v2Pro_small")


def put(model: nn.Module, weights: dict[str, Tensor]) -> nn.Module:
    """The model at rest with these weights; every name must be known."""
    model.load_state_dict(weights, assign=True)
    return model.eval()


def part(module: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our weights of one module of the model, its published keys given without the module's own name in front."""
    theirs = {"prior": "enc_p", "flow": "flow", "style": "ref_enc"}[module]
    converted = convert_official({f"{theirs}.{key}": value for key, value in weights.items()})
    assert not converted.unexpected
    return {name.removeprefix(f"{module}."): value for name, value in converted.weights.items()}


def official_weights(parity: ParityFolder, file: ParityFile) -> dict[str, Tensor]:
    """All published weights but the posterior's, which no inference needs."""
    if any(name.startswith("weights.") for name in file.tensors):
        return file.weights()
    listed = parity.text(f"keys_s2_{file.config['version']}")
    return file.weights({key: shape for key, (shape, _) in listed.items() if not key.startswith("enc_q.")})


def references(file: ParityFile) -> list[Reference]:
    """The recorded references, in order."""
    count = sum(name.startswith("in.refer") for name in file.tensors)
    speakers = [file.tensors.get(f"in.sv_emb{index}") for index in range(count)]
    return [Reference(file[f"in.refer{index}"], speaker) for index, speaker in enumerate(speakers)]


def as_recorded(model: SoVITS, given: list[Reference]) -> tuple[Tensor, Tensor]:
    """Style vector and timbre of a recording that hands the first reference's style vector to the later ones, too.

    Each speaker vector is added to that vector where it stands. Listening inside the published model does this;
    `noise0` and the streams were made without listening: they hold the true mean over references.
    """
    spectrum = given[0].spectrum
    vector = model.style(spectrum[:, : model.config.reference_bins], mask_of(None, spectrum))[:, :, 0]
    timbres = [vector]
    if model.config.speaker_vector:
        timbres = []
        for reference in given:
            vector = vector + model.speaker_projection(reference.speaker)
            timbres.append(model.speaker_activation(vector))
    return vector, torch.stack(timbres).mean(dim=0)


@pytest.mark.parametrize("name", WHOLE)
@torch.inference_mode()
def test_whole_model(parity: ParityFolder, name: str) -> None:
    file = parity.open(f"s2_{name}")
    weights = official_weights(parity, file)
    sizes: dict[str, Any] = file.config["ctor"]
    config = config_from_official(sizes, {key: tuple(value.shape) for key, value in weights.items()})
    converted = convert_official(weights)
    assert not converted.unexpected
    with torch.device("meta"):
        model = SoVITS(config)
    put(model, converted.weights)
    codes, text, noise = file["in.codes"][0], file["in.text"], file["in.noise"]

    latent_codes = model.encode(file["in.ssl"])
    file.agree("extract_latent", latent_codes[None])
    if "out.ssl_proj" in file:
        file.agree("ssl_proj", model.semantic_projection(file["in.ssl"]))
        file.agree("quantizer_decode", model.quantized(latent_codes))

    given = references(file)
    recorded, condition = min(
        (as_recorded(model, given), (as_recorded(model, given[:1])[0], model.condition(given))),
        key=lambda pair: difference(model.infer_prior(codes, text, pair[1]).hidden, file["out.mid.enc_p_y"]),
    )
    file.agree("mid.ge0", recorded[:, :, None])
    prior = model.infer_prior(codes, text, condition)
    file.agree("mid.enc_p_y", prior.hidden)
    file.agree("mid.m_p", prior.mean)
    file.agree("mid.logs_p", prior.log_std)
    file.agree("mid.z", model.sample(prior, condition, noise=noise, noise_scale=0.5))
    inside = between(model.prior, lambda: model.infer_prior(codes, text, condition))
    for place, value in inside.items():
        file.agree(f"mid.{place}", value)

    file.agree("audio", model(codes, text, condition, noise=noise).samples[:, None])
    file.agree("noise0.audio", model(codes, text, model.condition(given)).samples[:, None])
    for key in [key for key in file.tensors if key.startswith("in.speed") and key.endswith(".speed")]:
        case, speed = key[3:].removesuffix(".speed"), float(file[key])
        noise_here = file[f"in.{case}.noise"]
        assert model.latent_frames(codes.shape[1], speed=speed) == noise_here.shape[2]
        slower = model(codes, text, condition, noise=noise_here, speed=speed)
        file.agree(f"{case}.audio", slower.samples[:, None])

    if "in.stream.noise0" in file:
        timbre = model.condition(given[:1])
        first_noise, second_noise = file["in.stream.noise0"], file["in.stream.noise1"]
        repeat = config.frames_per_code
        begun = model(codes[:, : first_noise.shape[2] // repeat], text, timbre, noise=first_noise)
        file.agree("stream.audio0", begun.samples[:, None])
        file.agree("stream.latent0", begun.hidden)
        ended = model(
            codes,
            text,
            timbre,
            noise=second_noise,
            keep_codes=second_noise.shape[2] // repeat,
            overlap=begun.hidden[:, :, -4:],
        )
        file.agree("stream.audio1", ended.samples[:, None])
        file.agree("stream.latent1", ended.hidden)
    assert not file.not_compared(out_of_scope=("train.",))

    model.prepare()
    file.agree("audio", model(codes, text, condition, noise=noise).samples[:, None])


def between(prior: PriorEncoder, run: Any) -> dict[str, Tensor]:
    """What the prior's parts say while `run` runs, under the names of the file."""
    places = {"encoder_ssl": prior.code_encoder, "encoder_text": prior.phoneme_encoder}
    said: dict[str, Tensor] = {}
    parts: dict[str, nn.Module] = {name: layers[-1] for name, layers in places.items()}
    hooks = [
        module.register_forward_hook(lambda _, __, output, name=name: said.__setitem__(name, output))
        for name, module in {**parts, "mrte": prior.fusion}.items()
    ]
    run()
    for hook in hooks:
        hook.remove()
    return said


@torch.inference_mode()
def test_text_encoder(parity: ParityFolder) -> None:
    file = parity.open("s2_text_encoder")
    latent, hidden, inner, heads, layers, kernel, _ = file.config["ctor"]
    weights = part("prior", file.weights())
    condition, phonemes = file["in.ge"], file["in.text"]
    config = SoVITSConfig(
        phonemes=weights["phoneme_embedding.weight"].shape[0],
        ssl_size=file["in.y"].shape[1],
        latent=latent,
        hidden=hidden,
        inner=inner,
        heads=heads,
        layers=layers,
        kernel=kernel,
        fusion_hidden=condition.shape[1],
        condition=condition.shape[1],
        generator=GeneratorConfig(inputs=latent, condition=condition.shape[1], weight_norm=False),
    )
    encoder = put(PriorEncoder(config), weights)
    lengths = {"frames": file["in.y_len"], "phoneme_lengths": file["in.text_len"]}
    prior = encoder(file["in.y"], phonemes, condition, **lengths)
    file.agree("y", prior.hidden)
    file.agree("m", prior.mean)
    file.agree("logs", prior.log_std)
    file.agree("mask", prior.mask)
    for key in [name[4:-2] for name in file.tensors if name.startswith("out.speed") and name.endswith(".m")]:
        faster = encoder(file["in.y"], phonemes, condition, speed=float(key.removeprefix("speed")), **lengths)
        file.agree(f"{key}.m", faster.mean)
        file.agree(f"{key}.mask", faster.mask)
    assert not file.not_compared()


@torch.inference_mode()
def test_style_encoder(parity: ParityFolder) -> None:
    file = parity.open("s2_mel_style_encoder")
    weights = part("style", file.weights())
    hidden, bins = weights["spectral.0.weight"].shape
    assert bins == file.config["ctor"][0]
    kernel = weights["temporal.0.convolution.weight"].shape[2]
    encoder = put(StyleEncoder(bins, hidden, file.config["style_vector_dim"], heads=2, kernel=kernel), weights)
    file.agree("ge", encoder(file["in.x"], file["in.mask"].float()))
    assert not file.not_compared()


@torch.inference_mode()
def test_flow(parity: ParityFolder) -> None:
    file = parity.open("s2_flow")
    channels, hidden, kernel, _, layers = file.config["ctor"]
    weights = part("flow", file.weights())
    couplings = len({name.split(".")[1] for name in weights})
    flow = CouplingFlow(channels, hidden, file.config["gin"], couplings=couplings, kernel=kernel, layers=layers)
    put(flow, weights)
    file.agree("forward", flow(file["in.x"], file["in.mask"], file["in.g"]))
    file.agree("reverse", flow(file["in.x"], file["in.mask"], file["in.g"], reverse=True))
    assert not file.not_compared()


@torch.inference_mode()
def test_numbers_of_our_own(parity: ParityFolder) -> None:
    file = parity.open("golden/s2_tiny")
    sizes = {name: tuple(value) if isinstance(value, list) else value for name, value in file.config.items()}
    generator = {name: tuple(value) if isinstance(value, list) else value for name, value in sizes["generator"].items()}
    spectrogram = SpectrogramConfig(**sizes["spectrogram"])
    config = SoVITSConfig(**{**sizes, "generator": GeneratorConfig(**generator), "spectrogram": spectrogram})
    model = put(SoVITS(config), file.weights())
    spectrum = LogMel(spectrogram).magnitude(file["in.reference"])
    file.agree("spectrum", spectrum)
    file.agree("codes", model.encode(file["in.ssl"]))
    condition = model.condition([Reference(spectrum, file["in.speaker"])])
    file.agree("condition", condition)
    for case, speed in (("plain", 1.0), ("faster", 1.3)):
        decoded = model(file["in.codes"], file["in.phonemes"], condition, noise=file[f"in.{case}.noise"], speed=speed)
        file.agree(f"{case}.samples", decoded.samples)
        file.agree(f"{case}.hidden", decoded.hidden)
    assert not file.not_compared()


def test_masks_count_frames() -> None:
    frames = torch.zeros(2, 3, 4)
    assert mask_of(torch.tensor([4, 1]), frames).tolist() == [[[1, 1, 1, 1]], [[1, 0, 0, 0]]]
    assert mask_of(None, frames).tolist() == [[[1, 1, 1, 1]]] * 2
