"""Makes the small files of `golden` with our own code, once it gives the published numbers.

python tests/parity/make_golden.py
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from yinse.models.hifigan import GeneratorConfig
from yinse.models.semantic_gpt import SemanticConfig, SemanticGPT, official_keys
from yinse.models.semantic_sampling import SamplingOptions
from yinse.models.semantic_writing import SemanticText, write, write_batch
from yinse.models.sovits import Reference, SoVITS, SoVITSConfig
from yinse.models.spectrogram import LogMel, SpectrogramConfig

GOLDEN = Path(__file__).resolve().parent / "golden"


def semantic_gpt() -> None:
    """Two layers over 20 phonemes and 24 codes; rows end by themselves or at 40 codes."""
    chance = torch.Generator().manual_seed(142)
    config = SemanticConfig(phonemes=20, codes=25, width=8, heads=2, layers=2, inner=32, context_size=6)
    model = SemanticGPT(config).eval()
    for weight in model.parameters():
        weight.data = (torch.randn(weight.shape, generator=chance) * (0.8 if weight.dim() > 1 else 0.3)).half().float()
    tensors: dict[str, Tensor] = {}
    for theirs, ours in official_keys(config).items():
        tensors[f"weights.{theirs}"] = model.state_dict()[ours].half()
    texts = []
    for name, length in (("phones", 9), ("batch.phones0", 9), ("batch.phones1", 4), ("batch.phones2", 7)):
        phonemes = torch.randint(config.phonemes, (length,), generator=chance)
        context = torch.randn(length, config.context_size, generator=chance)
        tensors[f"in.{name}"] = phonemes
        tensors[f"in.{name.replace('phones', 'bert')}"] = context.T.contiguous()
        texts.append(SemanticText(phonemes, context))
    prompt = tensors["in.prompt"] = torch.randint(config.end, (5,), generator=chance)
    tensors["in.eos_row"] = torch.randn(config.width, generator=chance)

    def record(case: str, given: Tensor, options: SamplingOptions) -> Tensor:
        written = write(model, texts[0], given, options=options)
        tensors[f"out.{case}.y"] = torch.cat([given, written.codes])
        length = len(written.codes) - (not written.ended)
        tensors[f"out.{case}.idx"] = torch.tensor(length if len(given) else 0)
        return tensors[f"out.{case}.y"]

    whole = SamplingOptions(top_k=1, maximum_codes=16, cut_drops_first=False)
    for penalty in (1.0, 1.35):
        y = record(f"greedy_rep{penalty}", prompt, dataclasses.replace(whole, repetition_penalty=penalty))
        with torch.inference_mode():
            logits = model(y[None], phonemes=texts[0].phonemes[None], context=texts[0].context[None])[0]
        tensors[f"out.greedy_rep{penalty}.step_logits"] = logits[len(prompt) :][:12].clone()
    record("noprompt", prompt[:0], whole)
    with torch.no_grad():
        model.logits.weight[-1] = tensors["in.eos_row"]
    record("eos", prompt, dataclasses.replace(whole, maximum_codes=1500))
    limit = dataclasses.replace(whole, maximum_codes=40)
    together = write_batch(model, texts[1:], prompt, options=limit, generators=[None] * 3)
    for row, text in enumerate(texts[1:]):
        alone = write(model, text, prompt, options=limit)
        for case, codes in (("batch", together[row].codes), ("batch_naive", alone.codes)):
            tensors[f"out.{case}.y{row}"] = torch.cat([prompt, codes])
            tensors[f"out.{case}.idx{row}"] = torch.tensor(len(alone.codes) - (not alone.ended))
    sizes = {
        "hidden_dim": config.width,
        "head": config.heads,
        "n_layer": config.layers,
        "vocab_size": config.codes,
        "phoneme_vocab_size": config.phonemes,
    }
    GOLDEN.mkdir(exist_ok=True)
    metadata = {"config": json.dumps({"config": {"model": sizes}})}
    save_file(tensors, GOLDEN / "s1_t2s_tiny.safetensors", metadata)


@torch.inference_mode()
def sovits() -> None:
    """A SoVITS with a speaker vector and 160 samples a code, under our own names."""
    chance = torch.Generator().manual_seed(143)
    config = SoVITSConfig(
        phonemes=12,
        codes=8,
        ssl_size=6,
        latent=4,
        hidden=8,
        inner=8,
        layers=2,
        fusion_hidden=8,
        fusion_heads=2,
        reference_bins=24,
        style_hidden=8,
        style_kernel=3,
        condition=8,
        speaker_vector=5,
        couplings=2,
        flow_kernel=3,
        flow_layers=2,
        generator=GeneratorConfig(
            inputs=4,
            channels=8,
            upsampling=(8, 5, 2),
            upsampling_kernels=(16, 9, 2),
            resblock_kernels=(3, 7),
            condition=8,
            weight_norm=False,
            output_bias=False,
        ),
        spectrogram=SpectrogramConfig(16000, 64, 20, 20, mel_max_hz=8000.0, centred=False, power_floor=1e-8),
    )
    model = SoVITS(config).eval()
    tensors: dict[str, Tensor] = {}
    for name, weight in model.named_parameters():
        spread = 0.3 if weight.dim() < 2 else (1.5 / weight[0].numel()) ** 0.5
        weight.copy_((torch.randn(weight.shape, generator=chance) * spread).half())
        tensors[f"weights.{name}"] = weight.half()
    given = {
        "reference": torch.randn(1, 200, generator=chance) * 0.3,
        "speaker": torch.randn(1, 5, generator=chance),
        "ssl": torch.randn(1, 6, 9, generator=chance),
        "codes": torch.randint(8, (1, 7), generator=chance),
        "phonemes": torch.randint(12, (1, 5), generator=chance),
    }
    spectrum = LogMel(config.spectrogram).magnitude(given["reference"])
    condition = model.condition([Reference(spectrum, given["speaker"])])
    tensors |= {f"in.{name}": value for name, value in given.items()}
    tensors |= {"out.spectrum": spectrum, "out.codes": model.encode(given["ssl"]), "out.condition": condition}
    for case, speed in (("plain", 1.0), ("faster", 1.3)):
        noise = torch.randn(1, config.latent, model.latent_frames(7, speed=speed), generator=chance)
        decoded = model(given["codes"], given["phonemes"], condition, noise=noise, speed=speed)
        tensors |= {f"in.{case}.noise": noise, f"out.{case}.samples": decoded.samples}
        tensors[f"out.{case}.hidden"] = decoded.hidden
    tensors = {name: value.contiguous() for name, value in tensors.items()}
    save_file(tensors, GOLDEN / "s2_tiny.safetensors", {"config": json.dumps(dataclasses.asdict(config))})


if __name__ == "__main__":
    semantic_gpt()
    sovits()
