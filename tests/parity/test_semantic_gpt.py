"""The semantic GPT gives the numbers of the published Text2SemanticDecoder, inference only."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
import torch
from torch import Tensor

from parity.kit import ParityFile, ParityFolder
from yinse.models.semantic_gpt import SemanticConfig, SemanticGPT, official_keys
from yinse.models.semantic_precision import prepare
from yinse.models.semantic_sampling import SamplingOptions, penalise, probabilities
from yinse.models.semantic_writing import SemanticCodes, SemanticText, write, write_batch

FILES = ["golden/s1_t2s_tiny", "s1_t2s_small", "s1_t2s_small_v1vocab"]
TRAINING = ("train_", "dpo_")
GREEDY = SamplingOptions(top_k=1)


def model_of(file: ParityFile, *, prepared: bool, ending: bool = False) -> SemanticGPT:
    """The model with the weights of the file, made ready to write fast or not, and to end by itself or not."""
    sizes = file.config["config"]["model"]
    config = SemanticConfig(
        phonemes=sizes["phoneme_vocab_size"],
        codes=sizes["vocab_size"],
        width=sizes["hidden_dim"],
        heads=sizes["head"],
        layers=sizes["n_layer"],
        inner=4 * sizes["hidden_dim"],
        context_size=len(file["in.bert"]),
    )
    with torch.device("meta"):
        model = SemanticGPT(config).eval()
    keys, ours = official_keys(config), model.state_dict()
    weights = file.weights({theirs: ours[name].shape for theirs, name in keys.items()})
    model.load_state_dict({keys[name]: value for name, value in weights.items()}, assign=True)
    if ending:
        model.logits.weight.data[-1] = file["in.eos_row"]
    if prepared:
        prepare(model)
    return model


def text_of(file: ParityFile, part: str = "", index: str = "") -> SemanticText:
    return SemanticText(file[f"in.{part}phones{index}"], file[f"in.{part}bert{index}"].T)


def agree(file: ParityFile, case: str, prompt: Tensor, written: SemanticCodes, *, index: str = "") -> None:
    """Compare prompt and codes, and how many codes the published program goes on with (0 without a prompt: all)."""
    file.agree(f"{case}.y{index}", torch.cat([prompt, written.codes]))
    cut_first = int(not written.ended and case != "batch")
    file.agree(f"{case}.idx{index}", torch.tensor(len(written.codes) - cut_first if len(prompt) else 0))


@pytest.mark.parametrize(
    ("name", "prepared"), [*itertools.product(FILES, [False, True]), ("s1_t2s_full", True)], ids=str
)
def test_text_to_codes(parity: ParityFolder, name: str, prepared: bool) -> None:
    file = parity.open(name)
    model = model_of(file, prepared=prepared)
    text, none = text_of(file), torch.zeros(0, dtype=torch.long)
    for case in (key[4:-2] for key in file.tensors if key.endswith(".y") and key != "out.eos.y"):
        prompt = none if case == "noprompt" else file["in.prompt"]
        expected = file[f"out.{case}.y"]
        options = dataclasses.replace(
            GREEDY,
            repetition_penalty=float(case[10:]) if case.startswith("greedy_rep") else 1.35,
            maximum_codes=len(expected) - len(prompt),
            cut_drops_first=False,
        )
        agree(file, case, prompt, write(model, text, prompt, options=options))
        if f"out.{case}.step_logits" in file:
            steps = len(file[f"out.{case}.step_logits"])
            file.agree(f"{case}.step_logits", told(model, text, expected)[len(prompt) :][:steps])
            file.agree(f"{case}.step_logits", step_by_step(model, text, expected, len(prompt), steps))
    if "in.eos_row" in file:
        model = model_of(file, prepared=prepared, ending=True)
        agree(file, "eos", file["in.prompt"], write(model, text, file["in.prompt"], options=GREEDY))
        batch(file, model)
    assert not file.not_compared(out_of_scope=TRAINING)


def told(model: SemanticGPT, text: SemanticText, codes: Tensor) -> Tensor:
    """Logits of all codes at once, as training has them."""
    with torch.inference_mode():
        return model(codes[None], phonemes=text.phonemes[None], context=text.context[None])[0]


def step_by_step(model: SemanticGPT, text: SemanticText, codes: Tensor, start: int, steps: int) -> Tensor:
    """The same through the cache, code by code."""
    count = len(text.phonemes)
    cache, codes = model.cache(1, count + start + steps), codes[None]
    with torch.inference_mode():
        rows = [model(codes[:, :start], phonemes=text.phonemes[None], context=text.context[None], cache=cache)[:, -1]]
        for place in range(start, start + steps - 1):
            rows.append(model(codes[:, place : place + 1], cache=cache, phoneme_count=count)[:, -1])
    return torch.cat(rows)


def batch(file: ParityFile, model: SemanticGPT) -> None:
    """Texts of unequal length together, and one after the other; those that do not end are as long as the limit."""
    count = sum(key.startswith("in.batch.phones") for key in file.tensors)
    prompt, texts = file["in.prompt"], [text_of(file, "batch.", str(row)) for row in range(count)]
    limit = max(len(file[f"out.batch_naive.y{row}"]) for row in range(count)) - len(prompt)
    options = dataclasses.replace(GREEDY, maximum_codes=limit, cut_drops_first=False)
    together = write_batch(model, texts, prompt, options=options, generators=[None] * count)
    for row, text in enumerate(texts):
        agree(file, "batch", prompt, together[row], index=str(row))
        agree(file, "batch_naive", prompt, write(model, text, prompt, options=options), index=str(row))


def test_sampling(parity: ParityFolder) -> None:
    file = parity.open("s1_sampling")
    [cases] = [value for key, value in file.config.items() if key.startswith("cases")]
    for index, (top_k, top_p, temperature, penalty) in enumerate(cases):
        options = SamplingOptions(top_k=top_k or 0, top_p=top_p, temperature=temperature, repetition_penalty=penalty)
        logits = penalise(file["in.logits"], file["in.previous"], penalty)
        file.agree(f"probs{index}", probabilities(logits, options))
    assert not file.not_compared()
