"""How near 8-bit weights come on trained weights: the prosody GPT that comes with Yinse.

    python benchmarks/int8_native.py [--prompts 50]

The counterpart of `gpt_sovits.py --gate`, whose weights are random. Every linear layer of the blocks holds 8-bit
weights as the semantic GPT's do in "int8". Half of the prompts are English, half Mandarin, from the bank of sentences
to record, in the manner of the built-in voices in turn. The GPT decides a duration, a pitch and an energy for each
phoneme: three distributions, the later ones given the earlier choices, in place of one over codes. Both models are
told the decisions that the exact one made. "decision" counts a phoneme whose three likeliest tokens are all the same;
its divergence is the sum of the three.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json

import torch

from yinse.corpus.bank import shipped_bank
from yinse.models.prosody import ProsodyGPT, ProsodyInput
from yinse.models.semantic_precision import PARTS, Int8Linear
from yinse.models.symbol_ids import symbol_ids
from yinse.models.voice_condition import voice_condition
from yinse.synth.native import NativeSynthesizer, voice_style
from yinse.text.phonemes import phonemize
from yinse.text.symbols import BOUNDARIES
from yinse.voices.store import VoiceStore
from yinse.weights.native import load_native

DECISIONS = ("duration", "pitch", "energy")


def in_8_bits(model: ProsodyGPT) -> ProsodyGPT:
    """A copy whose blocks hold 8-bit weights."""
    reduced = copy.deepcopy(model)
    for block in reduced.blocks:
        for name in PARTS:
            linear = getattr(block, name)
            setattr(block, name, Int8Linear(linear.weight.detach(), linear.bias.detach()))
    return reduced


@torch.inference_mode()
def native_gate(prompts: int) -> dict[str, dict[str, float]]:
    """Share of the same likeliest tokens and mean Kullback-Leibler divergence, by decision and in all."""
    models = load_native()
    config = NativeSynthesizer(models).config
    reduced = in_8_bits(models.prosody)
    voices = [stored.read() for stored in VoiceStore().entries() if stored.is_builtin]
    banks = (shipped_bank("en"), shipped_bank("zh"))
    texts = list(itertools.chain.from_iterable(zip(*banks, strict=False)))[:prompts]
    same = torch.zeros(len(DECISIONS) + 1)
    divergence = torch.zeros(len(DECISIONS) + 1)
    steps = 0
    for index, prompt in enumerate(texts):
        # two texts a voice, so that every voice speaks both languages
        voice = voices[index // 2 % len(voices)]
        condition = voice_condition(voice.tensors, floor_depth=models.floor_depth)
        style = voice_style(voice)
        symbols = (*(style.symbols if style else ()), *phonemize(prompt.text).symbols)
        given = torch.from_numpy(style.tokens) if style else torch.zeros((0, 3), dtype=torch.long)
        ids = symbol_ids(symbols)
        inputs = ProsodyInput(
            symbols=torch.from_numpy(ids.symbols)[None],
            bases=torch.from_numpy(ids.bases)[None],
            tones=torch.from_numpy(ids.tones)[None],
            speaker=condition.speaker,
            measures=condition.measures,
        )
        decided = models.prosody.generate(
            inputs,
            boundaries=torch.tensor([symbol in BOUNDARIES for symbol in symbols]),
            prompt=given,
            temperature=config.prosody_temperature,
            top_p=config.prosody_top_p,
            generator=torch.Generator().manual_seed(index),
        )
        told = torch.cat([given, decided])[None]
        pairs = zip(models.prosody(inputs, told), reduced(inputs, told), strict=True)
        equal, apart = [], []
        for exact_logits, reduced_logits in pairs:
            true, near = (logits[0, len(given) :].log_softmax(dim=-1) for logits in (exact_logits, reduced_logits))
            equal.append(true.argmax(dim=-1) == near.argmax(dim=-1))
            apart.append((true.exp() * (true - near)).sum(dim=-1))
        equal.append(torch.stack(equal).all(dim=0))
        apart.append(torch.stack(apart).sum(dim=0))
        same += torch.stack([values.sum() for values in equal])
        divergence += torch.stack([values.sum() for values in apart])
        steps += len(decided)
    return {
        name: {"likeliest": float(same[index] / steps), "divergence": float(divergence[index] / steps), "steps": steps}
        for index, name in enumerate((*DECISIONS, "decision"))
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=50)
    print(json.dumps(native_gate(parser.parse_args().prompts), indent=1))


if __name__ == "__main__":
    main()
