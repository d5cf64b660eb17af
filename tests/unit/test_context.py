"""Context vectors from small language models of the real classes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from small_language_model import build
from yinse.core.errors import CheckpointKeys, MissingExtra, Offline, UnknownName
from yinse.models.context import (
    ContextEncoder,
    ContextProjection,
    LanguageModelContext,
    NoContext,
    align,
    phoneme_spans,
)
from yinse.models.prosody import ProsodyConfig, ProsodyGPT, ProsodyInput
from yinse.text.phonemes import phonemize

TEXT = "今天天气很好, hello reading world."
SAID = "我们 read the book."


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {kind: build(tmp_path_factory.mktemp(kind), kind) for kind in ("gpt2", "bert")}


@pytest.fixture(params=["gpt2", "bert"])
def encoder(request: pytest.FixtureRequest, folders: dict[str, Path]) -> LanguageModelContext:
    return LanguageModelContext.load(folders[request.param])


def test_one_vector_for_each_phoneme(encoder: LanguageModelContext) -> None:
    sequence = phonemize(TEXT)
    (vectors,) = encoder.encode([sequence])
    assert vectors.shape == (len(sequence.symbols), encoder.width) == (len(sequence.symbols), 48)
    assert np.isfinite(vectors).all()
    first = sequence.symbols.index("j")  # 今 is j + in1: both stand on one character
    assert np.array_equal(vectors[first], vectors[first + 1])
    assert not np.array_equal(vectors[first + 1], vectors[first + 2])  # 天 is another
    assert not vectors[0].any()  # nothing was said before the head


def test_the_same_twice_and_in_a_batch(encoder: LanguageModelContext) -> None:
    long, short = phonemize(TEXT), phonemize("读书.")
    alone = [encoder.encode([sequence])[0] for sequence in (short, long)]
    assert np.array_equal(alone[0], encoder.encode([short])[0])
    for single, batched in zip(alone, encoder.encode([short, long]), strict=True):
        np.testing.assert_allclose(batched, single, atol=1e-5)


def test_the_previous_sentence_is_heard(encoder: LanguageModelContext) -> None:
    sequence = phonemize(TEXT)
    plain, informed = encoder.encode([sequence, sequence], previous=["", SAID])
    assert plain.shape == informed.shape
    assert np.abs(plain - informed).max(axis=1).min() > 1e-4
    assert informed[0].any()


def test_long_texts_are_read_in_windows(encoder: LanguageModelContext) -> None:
    assert encoder.max_length == 32
    sequence = phonemize("我们读书" * 30)
    (vectors,) = encoder.encode([sequence], previous=["今天" * 1000])
    assert vectors.shape[0] == len(sequence.symbols)
    assert (np.abs(vectors[1:]).sum(axis=1) > 0).all()
    # the sentence stays whole when only the one before it is too long
    short = phonemize("我们读书.")
    windows, offsets = encoder._read(short.text, "今天" * 1000)
    assert len(windows) == 1 and len(windows[0]) == encoder.max_length
    assert offsets[offsets[:, 0] >= 0].shape[0] == len(short.text)


def test_nothing_in_the_language_model_learns(encoder: LanguageModelContext) -> None:
    assert not any(parameter.requires_grad for parameter in encoder.model.parameters())
    assert not encoder.model.training
    projection = ContextProjection(encoder.width)
    sequence = phonemize("今天天气.")
    vectors = torch.from_numpy(encoder.encode([sequence])[0])[None]
    context = projection(vectors)
    assert context.shape == (1, len(sequence.symbols), 192)
    assert not context[0, 0].any()
    before = [parameter.clone() for parameter in encoder.model.parameters()]
    config = ProsodyConfig(symbols=9, bases=9, tones=6, width=32, heads=2, layers=1, inner=64, dropout=0.0)
    model = ProsodyGPT(config)
    ids = torch.zeros((1, len(sequence.symbols)), dtype=torch.long)
    inputs = ProsodyInput(ids, ids, ids, torch.randn(1, 256), torch.randn(1, 13), context=context)
    durations, _, _ = model(inputs, torch.zeros((*ids.shape, 3), dtype=torch.long))
    optimizer = torch.optim.SGD(projection.parameters(), lr=0.1)
    durations.square().mean().backward()
    assert projection.linear.weight.grad.abs().sum() > 0
    optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(before, encoder.model.parameters(), strict=True))


def test_published_shape() -> None:
    assert ContextProjection(768)(torch.randn(1, 12, 768)).shape == (1, 12, 192)


def test_no_context() -> None:
    encoders: list[ContextEncoder] = [NoContext()]
    assert encoders[0].width == 0
    assert encoders[0].encode([phonemize("hello.")]) is None


def test_alignment() -> None:
    hidden = np.arange(4, dtype=np.float32)[:, None] + 1  # tokens 1, 2, 3, 4
    offsets = np.array([[0, 2], [2, 5], [6, 7], [6, 7]])
    spans = np.array([[0, 0], [0, 5], [3, 4], [5, 6], [5, 5], [6, 7], [7, 7], [9, 9]])
    assert align(hidden, offsets, spans)[:, 0].tolist() == [0.0, 1.5, 2.0, 2.0, 2.0, 3.5, 4.0, 4.0]
    assert align(hidden[:0], offsets[:0], spans).shape == (8, 1)


def test_spans_of_phonemes() -> None:
    sequence = phonemize("今天 hello.")
    spans = phoneme_spans(sequence)
    texts = [sequence.text[start:end] for start, end in spans]
    assert len(spans) == len(sequence.symbols)
    assert [text for text in texts if text in "今天" and text] == ["今", "今", "天", "天"]
    assert texts.count("hello") == 4


def test_what_cannot_be_loaded(folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Offline, match="safetensors"):
        LanguageModelContext.load(tmp_path / "nothing")
    with pytest.raises(Offline):
        LanguageModelContext.load("nobody/no-such-model")
    source = folders["gpt2"]
    foreign, partial = tmp_path / "foreign", tmp_path / "partial"
    for folder in (foreign, partial):
        folder.mkdir()
        for file in source.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
    (foreign / "config.json").write_text(json.dumps({"model_type": "t5"}))
    with pytest.raises(UnknownName, match="gpt2"):
        LanguageModelContext.load(foreign)
    config = json.loads((partial / "config.json").read_text())
    (partial / "config.json").write_text(json.dumps({**config, "n_layer": 3}))
    with pytest.raises(CheckpointKeys):
        LanguageModelContext.load(partial)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtra, match=r"yinse\[context\]"):
        LanguageModelContext.load(source)
