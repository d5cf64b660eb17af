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

from yinse.models.semantic_gpt import SemanticConfig, SemanticGPT, official_keys
from yinse.models.semantic_sampling import SamplingOptions
from yinse.models.semantic_writing import SemanticText, write, write_batch

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


if __name__ == "__main__":
    semantic_gpt()
