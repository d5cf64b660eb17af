"""The semantic GPT: batches, streams, sampling options, attention, and the forms of its weights."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from yinse.core.errors import BadText, ConfigError
from yinse.models.semantic_gpt import PhonemeAttention, SemanticConfig, SemanticGPT, official_keys
from yinse.models.semantic_precision import HalfLinear, Int8Linear, agreement, prepare
from yinse.models.semantic_sampling import SamplingOptions, draw, penalise, probabilities
from yinse.models.semantic_writing import SemanticCodes, SemanticText, chunks, stream, write, write_batch

CONFIG = SemanticConfig(phonemes=30, codes=65, width=32, heads=4, layers=3, inner=128, context_size=12)
OPTIONS = SamplingOptions(top_k=8, maximum_codes=24)
NONE = torch.zeros(0, dtype=torch.long)


def made(seed: int = 0) -> SemanticGPT:
    chance = torch.Generator().manual_seed(seed)
    model = SemanticGPT(CONFIG).eval()
    for weight in model.parameters():
        weight.data = (torch.randn(weight.shape, generator=chance) * (0.3 if weight.dim() > 1 else 0.2)).half().float()
    for block in model.blocks:
        for norm in (block.attention_norm, block.feed_norm):
            norm.weight.data = (norm.weight.data + 1).half().float()
    return model


@pytest.fixture(scope="module")
def model() -> SemanticGPT:
    return made()


@pytest.fixture(scope="module")
def texts() -> list[SemanticText]:
    chance = torch.Generator().manual_seed(1)
    lengths = (9, 4, 7)
    phonemes = [torch.randint(CONFIG.phonemes, (length,), generator=chance) for length in lengths]
    return [SemanticText(row, torch.randn(len(row), CONFIG.context_size, generator=chance)) for row in phonemes]


@pytest.fixture(scope="module")
def prompt() -> Tensor:
    return torch.randint(CONFIG.end, (6,), generator=torch.Generator().manual_seed(2))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def all_of(written: SemanticCodes) -> list[int]:
    return written.codes.tolist()


def test_every_weight_has_one_published_name() -> None:
    keys = official_keys(CONFIG)
    assert sorted(keys.values()) == sorted(made().state_dict())
    assert len(official_keys(SemanticConfig())) == 295


def test_heads_divide_width() -> None:
    with pytest.raises(ConfigError, match="heads"):
        SemanticConfig(width=30, heads=4)


def test_batch_writes_what_each_text_writes_alone(texts: list[SemanticText], prompt: Tensor) -> None:
    model = made()
    model.logits.weight.data[-1] *= -3.0  # so that texts end by themselves, each at its time
    options = dataclasses.replace(
        OPTIONS, minimum_codes=2, maximum_codes=40, cut_drops_first=False, batch_cut_drops_last=False
    )
    alone = [write(model, text, prompt, options=options, generator=seeded(row)) for row, text in enumerate(texts)]
    together = write_batch(model, texts, prompt, options=options, generators=[seeded(row) for row in range(3)])
    assert [all_of(row) for row in together] == [all_of(row) for row in alone]
    assert [row.ended for row in together] == [row.ended for row in alone]
    assert len({len(row.codes) for row in together}) > 1


def test_seeds_decide(model: SemanticGPT, texts: list[SemanticText], prompt: Tensor) -> None:
    first, again, other = (
        write(model, texts[0], prompt, options=OPTIONS, generator=seeded(seed)) for seed in (5, 5, 6)
    )
    assert all_of(first) == all_of(again) != all_of(other)


def test_cut_text_loses_what_the_published_program_loses(
    model: SemanticGPT, texts: list[SemanticText], prompt: Tensor
) -> None:
    greedy = SamplingOptions(top_k=1, maximum_codes=10)
    whole = write(model, texts[0], prompt, options=dataclasses.replace(greedy, cut_drops_first=False))
    assert not whole.ended
    assert len(whole.codes) == 10
    assert all_of(write(model, texts[0], prompt, options=greedy)) == all_of(whole)[1:]
    assert len(write(model, texts[0], NONE, options=greedy).codes) == 10
    [row] = write_batch(model, texts[:1], prompt, options=greedy, generators=[None])
    assert all_of(row) == all_of(whole)[:-1]
    assert list(stream(model, texts[0], prompt, options=greedy)) == all_of(whole)


def test_stream_writes_the_same(model: SemanticGPT, texts: list[SemanticText], prompt: Tensor) -> None:
    options = dataclasses.replace(OPTIONS, cut_drops_first=False)
    whole = write(model, texts[1], prompt, options=options, generator=seeded(3))
    assert list(stream(model, texts[1], prompt, options=options, generator=seeded(3))) == all_of(whole)


def test_stream_writes_no_further_than_asked(
    model: SemanticGPT, texts: list[SemanticText], prompt: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    forward = SemanticGPT.forward

    def counted(self: SemanticGPT, codes: Tensor, **options: object) -> Tensor:
        calls.append(codes.shape[1])
        return forward(self, codes, **options)

    monkeypatch.setattr(SemanticGPT, "forward", counted)
    codes = stream(model, texts[0], prompt, options=OPTIONS, generator=seeded(0))
    next(codes)
    assert calls == [len(prompt)]
    next(codes)
    assert calls == [len(prompt), 1]


def test_a_text_without_phonemes_is_refused(model: SemanticGPT, prompt: Tensor) -> None:
    with pytest.raises(BadText, match="without phonemes"):
        write(model, SemanticText(NONE), prompt, options=OPTIONS)


def test_no_context_is_zeros(model: SemanticGPT, texts: list[SemanticText], prompt: Tensor) -> None:
    bare = SemanticText(texts[0].phonemes)
    zeros = SemanticText(texts[0].phonemes, torch.zeros_like(texts[0].context))
    results = [write(model, text, prompt, options=OPTIONS, generator=seeded(0)) for text in (bare, zeros)]
    assert all_of(results[0]) == all_of(results[1])


@pytest.mark.parametrize("given", [6, 0])
def test_attention_of_each_code(model: SemanticGPT, texts: list[SemanticText], prompt: Tensor, given: int) -> None:
    heads = torch.full((CONFIG.layers, CONFIG.heads), 1 / (CONFIG.layers * CONFIG.heads))
    options = dataclasses.replace(OPTIONS, cut_drops_first=False)
    written = write(model, texts[0], prompt[:given], options=options, generator=seeded(0), attention=heads)
    plain = write(model, texts[0], prompt[:given], options=options, generator=seeded(0))
    assert all_of(written) == all_of(plain)
    assert plain.attention is None
    record = PhonemeAttention(heads)
    with torch.inference_mode():
        model(
            torch.cat([prompt[:given], written.codes])[None],
            phonemes=texts[0].phonemes[None],
            context=texts[0].context[None],
            record=record,
        )
    torch.testing.assert_close(written.attention, record.share[0, given:][: len(written.codes)])
    assert written.attention.shape == (len(written.codes), len(texts[0].phonemes))
    # the rest looks at codes; the first code of all can look at phonemes alone
    assert float(written.attention.sum(dim=1).max()) <= 1 + 1e-5
    if not given:
        assert float(written.attention[0].sum()) == pytest.approx(1.0, abs=1e-5)


def test_attention_of_heads_adds_up(model: SemanticGPT, texts: list[SemanticText], prompt: Tensor) -> None:
    def of(weights: Tensor) -> Tensor:
        return write(model, texts[0], prompt, options=OPTIONS, generator=seeded(0), attention=weights).attention

    mean, apart = torch.full((CONFIG.layers, CONFIG.heads), 1 / 12), []
    for layer in range(CONFIG.layers):
        alone = torch.zeros_like(mean)
        alone[layer] = mean[layer]
        apart.append(of(alone))
    torch.testing.assert_close(of(mean), torch.stack(apart).sum(dim=0))
    assert not torch.equal(apart[0], apart[1])


def test_attention_of_no_head_is_refused() -> None:
    with pytest.raises(ConfigError, match="no head"):
        PhonemeAttention(torch.zeros(CONFIG.layers, CONFIG.heads))


def test_attention_in_a_batch(model: SemanticGPT, texts: list[SemanticText], prompt: Tensor) -> None:
    one_head = torch.zeros(CONFIG.layers, CONFIG.heads)
    one_head[1, 2] = 1.0
    options = dataclasses.replace(OPTIONS, cut_drops_first=False, batch_cut_drops_last=False)
    together = write_batch(
        model, texts, prompt, options=options, generators=[seeded(row) for row in range(3)], attention=one_head
    )
    for row, text in enumerate(texts):
        alone = write(model, text, prompt, options=options, generator=seeded(row), attention=one_head)
        torch.testing.assert_close(together[row].attention, alone.attention)


def test_padding_is_not_seen_in_training(model: SemanticGPT, texts: list[SemanticText]) -> None:
    codes = torch.randint(CONFIG.end, (1, 8), generator=seeded(0))
    short = texts[1]
    padded = torch.cat([torch.full((5,), 3), short.phonemes])
    context = torch.cat([torch.ones(5, CONFIG.context_size), short.context])
    mask = torch.arange(len(padded)) >= 5
    with torch.inference_mode():
        alone = model(codes, phonemes=short.phonemes[None], context=short.context[None])
        beside = model(codes, phonemes=padded[None], context=context[None], phoneme_mask=mask[None])
    torch.testing.assert_close(beside, alone)
    assert alone.shape == (1, 9, CONFIG.codes)


def test_training_reaches_every_weight() -> None:
    model = made().train()
    logits = model(torch.tensor([[1, 2, 3]]), phonemes=torch.tensor([[4, 5]]), context=torch.ones(1, 2, 12))
    nothing = torch.nn.functional.cross_entropy(logits[0], torch.tensor([1, 2, 3, CONFIG.end]))
    nothing.backward()
    assert not [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]


LOGITS = torch.tensor([[3.0, 2.0, 1.0, 0.0, -1.0]])  # shares 0.64, 0.23, 0.09, 0.03, 0.01


def kept(**options: object) -> list[int]:
    share = probabilities(LOGITS, SamplingOptions(**{"top_k": 0, **options}))
    assert float(share.sum()) == pytest.approx(1.0)
    return share[0].nonzero()[:, 0].tolist()


def test_top_k_and_top_p() -> None:
    assert kept() == [0, 1, 2, 3, 4]
    assert kept(top_k=2) == [0, 1]
    assert kept(top_p=0.9) == [0, 1]
    assert kept(top_p=0.9, top_p_keeps_crossing=True) == [0, 1, 2]
    assert kept(top_p=0.1) == [0]


def test_top_p_looks_before_or_after_the_temperature() -> None:
    assert kept(top_p=0.9, temperature=3.0) == [0, 1]
    assert kept(top_p=0.9, temperature=3.0, top_p_before_temperature=False) == [0, 1, 2]


def test_repetition_penalty_counts_each_code_once() -> None:
    punished = penalise(LOGITS, torch.tensor([[0, 0, 4]]), 2.0)
    assert punished.tolist() == [[1.5, 2.0, 1.0, 0.0, -2.0]]
    assert LOGITS[0, 0] == 3.0


def test_drawing_follows_the_probabilities() -> None:
    share = torch.tensor([[0.5, 0.3, 0.2]])
    chance = seeded(0)
    drawn = torch.cat([draw(share, [chance]) for _ in range(4000)])
    assert (drawn.bincount(minlength=3) / 4000).tolist() == pytest.approx([0.5, 0.3, 0.2], abs=0.025)


def ending(row: Tensor) -> SemanticGPT:
    """A model whose end token has the given score at every step: its last norm writes ones, its codes score 0 to 1."""
    model = made()
    model.blocks[-1].feed_norm.weight.data.zero_()
    model.blocks[-1].feed_norm.bias.data.fill_(1 / CONFIG.width)
    model.logits.weight.data = row[:, None].expand(-1, CONFIG.width).contiguous()
    return model


def test_end_token_waits_its_turn(texts: list[SemanticText], prompt: Tensor) -> None:
    scores = torch.zeros(CONFIG.codes)
    scores[CONFIG.end] = 50.0
    for least in (11, 4, 0):
        options = dataclasses.replace(OPTIONS, minimum_codes=least)
        written = write(ending(scores), texts[0], prompt, options=options, generator=seeded(0))
        assert written.ended
        assert len(written.codes) == least
    heads = torch.ones(CONFIG.layers, CONFIG.heads)
    silent = write(ending(scores), texts[0], prompt, options=options, generator=seeded(0), attention=heads)
    assert silent.attention.shape == (0, len(texts[0].phonemes))


def test_likeliest_end_token_stops_though_another_is_drawn(texts: list[SemanticText], prompt: Tensor) -> None:
    scores = torch.zeros(CONFIG.codes)
    scores[CONFIG.end] = 0.1
    for stops in (True, False):
        options = SamplingOptions(
            top_k=0, repetition_penalty=1.0, minimum_codes=2, maximum_codes=8, end_when_likeliest=stops
        )
        written = write(ending(scores), texts[0], prompt, options=options, generator=seeded(1))
        assert written.ended == stops


def test_prompt_can_be_spared_the_penalty(texts: list[SemanticText], prompt: Tensor) -> None:
    scores = torch.zeros(CONFIG.codes)
    scores[prompt[0]], scores[1] = 2.0, 1.5
    greedy = SamplingOptions(top_k=1, maximum_codes=1, cut_drops_first=False)
    assert 1 not in prompt
    assert all_of(write(ending(scores), texts[0], prompt, options=greedy)) == [1]
    spared = dataclasses.replace(greedy, penalise_prompt=False)
    assert all_of(write(ending(scores), texts[0], prompt, options=spared)) == [int(prompt[0])]


@pytest.mark.parametrize(
    "wrong",
    [{"top_k": -1}, {"top_p": 0.0}, {"top_p": 1.1}, {"temperature": -1.0}, {"repetition_penalty": 0.0},
     {"maximum_codes": 0}, {"minimum_codes": -1}],
)  # fmt: skip
def test_senseless_options_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        SamplingOptions(**wrong)


def test_chunks_of_one_length() -> None:
    assert list(chunks(range(7), length=3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert not list(chunks([], length=3))


def test_chunks_end_where_it_is_quiet() -> None:
    similarity = torch.tensor([0.0, 0.9, -0.5])
    # code 1 is near silence: too early in the first chunk, then at place 4
    assert list(chunks([0, 1, 0, 0, 1, 0, 0], length=3, similarity=similarity, threshold=0.3)) == [
        [0, 1, 0, 0, 1],
        [0, 0],
    ]
    assert list(chunks([2] * 7, length=3, similarity=similarity)) == [[2] * 6, [2]]


def test_similarity_to_a_code(model: SemanticGPT) -> None:
    similarity = model.similarity(5)
    assert float(similarity[5]) == pytest.approx(1.0)
    assert int(similarity.argmax()) == 5


def test_exact_precision_keeps_the_numbers(texts: list[SemanticText], prompt: Tensor) -> None:
    plain, ready = made(), made()
    # half precision has no more than 10 bits below 2**-14, and still these are kept
    for model in (plain, ready):
        model.blocks[0].feed_in.weight.data[:8] = torch.arange(32) * 2.0**-24
    prepare(ready)
    assert isinstance(ready.blocks[0].feed_in, HalfLinear)
    same = agreement(plain, ready, [(text, prompt) for text in texts])
    assert same.likeliest == 1.0
    assert same.divergence < 1e-9
    assert all_of(write(plain, texts[0], prompt, options=OPTIONS, generator=seeded(0))) == all_of(
        write(ready, texts[0], prompt, options=OPTIONS, generator=seeded(0))
    )


def test_exact_precision_rounds_no_weight() -> None:
    model = made()
    model.blocks[1].output.weight.data[0, 0] = 1 + 2.0**-20
    prepare(model)
    assert isinstance(model.blocks[1].output, torch.nn.Linear)
    assert isinstance(model.blocks[0].output, HalfLinear)


def test_half_precision_weights_are_taken_as_they_are(texts: list[SemanticText], prompt: Tensor) -> None:
    plain, halved = made(), made().half()
    prepare(halved)
    assert agreement(plain, halved, [(texts[0], prompt)]).divergence < 1e-9


def test_eight_bits_come_near(texts: list[SemanticText], prompt: Tensor) -> None:
    plain, reduced = made(), made()
    prepare(reduced, "int8")
    assert isinstance(reduced.blocks[0].output, Int8Linear)
    near = agreement(plain, reduced, [(text, prompt) for text in texts], start=1)
    assert near.steps == 3 * 6
    assert 0 < near.divergence < 0.01
    worse = agreement(plain, made(1), [(text, prompt) for text in texts])
    assert not worse.good
