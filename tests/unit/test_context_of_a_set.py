"""A model set that reads a small language model: saved, trained, tuned and spoken with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from small_language_model import build
from synthesised_speech import TINY, make_work, save_fresh_encoder
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip, FloatArray, PhonemeSequence, SpeakRequest
from yinse.models.context import LanguageModelContext, NoContext, load_context
from yinse.models.native_config import NativeConfig, base
from yinse.models.prosody import ProsodyConfig, ProsodyGPT
from yinse.synth.native import NativeSynthesizer
from yinse.train.features import load_clips, speaker_files
from yinse.train.loop import averaged_weights
from yinse.train.recipes.prosody import ProsodyTask
from yinse.train.tune import TuneConfig, TuneTask, prepare_speech
from yinse.voices.voice import Voice
from yinse.weights.native import NativeModels, load_native, save_native
from yinse.workflows.train import train_base

TEXT = "Good day. 今天天气很好。"


@pytest.fixture(scope="module")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(build(tmp_path_factory.mktemp("gpt2"), "gpt2"))


@pytest.fixture(scope="module")
def models(synthesizer: NativeSynthesizer, language_model: str) -> NativeModels:
    """The shipped set with a projection that has learned nothing yet."""
    plain = synthesizer.models
    sizes = replace(plain.config.prosody, language_model=language_model, language_model_size=48)
    torch.manual_seed(0)
    prosody = ProsodyGPT(sizes)
    prosody.load_state_dict(plain.prosody.state_dict(), strict=False)
    torch.nn.init.normal_(prosody.projection.linear.weight)
    prosody.eval().requires_grad_(False)
    return replace(plain, prosody=prosody, config=replace(plain.config, prosody=sizes))


def samples(synthesizer: NativeSynthesizer, voice: Voice, text: str) -> list[FloatArray]:
    return [chunk.samples for chunk in synthesizer.stream(SpeakRequest(text), voice)]


def test_configurations_without_and_with_a_language_model(language_model: str) -> None:
    record = json.loads(base().to_json())
    for name in ("language_model", "language_model_size"):
        del record["prosody"][name]
    assert NativeConfig.from_json(json.dumps(record)) == base()  # as sets were written before
    sizes = {"symbols": 9, "bases": 7, "tones": 6}
    with pytest.raises(ConfigError, match="belong together"):
        ProsodyConfig(**sizes, language_model="x")
    with pytest.raises(ConfigError, match="belong together"):
        ProsodyConfig(**sizes, language_model_size=9)
    with pytest.raises(ConfigError, match="context size"):
        ProsodyConfig(**sizes, language_model="x", language_model_size=9, context_size=0)
    assert isinstance(load_context("", width=0), NoContext)
    assert load_context(language_model, width=48).width == 48
    with pytest.raises(ConfigError, match="made for 768"):
        load_context(language_model, width=768)


def test_the_projection_is_saved_with_the_set(models: NativeModels, voice: Voice, tmp_path: Path) -> None:
    save_native(models, tmp_path, provenance={}, card="")
    loaded = load_native(tmp_path)
    assert loaded.config == models.config
    weight = models.prosody.projection.linear.weight
    assert weight.shape == (192, 48)
    assert torch.equal(loaded.prosody.projection.linear.weight, weight.half().float())


def test_a_sentence_is_spoken_with_the_one_before_it_in_mind(
    synthesizer: NativeSynthesizer, models: NativeModels, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    informed = NativeSynthesizer(models)
    asked: list[tuple[str, Sequence[str] | None]] = []
    seen: list[Any] = []
    encode, generate = informed.context.encode, models.prosody.generate

    def watched_encode(texts: Sequence[PhonemeSequence], *, previous: Sequence[str] | None = None) -> Any:
        asked.append((texts[0].text, previous))
        return encode(texts, previous=previous)

    def watched_generate(inputs: Any, **options: Any) -> Any:
        seen.append((inputs.context, len(options["prompt"])))
        return generate(inputs, **options)

    monkeypatch.setattr(informed.context, "encode", watched_encode)
    monkeypatch.setattr(models.prosody, "generate", watched_generate)
    spoken = samples(informed, voice, "Hello book. 😀。 今天天气很好。")
    assert [previous for _, previous in asked] == [[""], ["Hello book."]]
    for context, given in seen:
        assert given > 0  # the built-in voice has a style
        assert context.shape[0] == 1 and context.shape[2] == 48
        assert not context[0, :given].any()
        assert context[0, given + 1 :].any(dim=1).all()
    # what was said before is heard, and a projection of zeros says nothing
    after_other = samples(informed, voice, "Read world. 😀。 今天天气很好。")
    assert not np.array_equal(spoken[1][:9000], after_other[1][:9000])
    with torch.no_grad():
        kept = models.prosody.projection.linear.weight.clone()
        models.prosody.projection.linear.weight.zero_()
    silent = samples(informed, voice, TEXT)
    with torch.no_grad():
        models.prosody.projection.linear.weight.copy_(kept)
    for one, other in zip(silent, samples(synthesizer, voice, TEXT), strict=True):
        np.testing.assert_array_equal(one, other)


def test_only_the_gpt_and_the_projection_learn(
    language_model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = make_work(tmp_path / "work")
    tiny = replace(TINY, prosody=replace(TINY.prosody, context_size=192))
    save_fresh_encoder(work)
    asked: list[str] = []
    used: list[LanguageModelContext] = []
    encode = LanguageModelContext.encode

    def watched(self: LanguageModelContext, texts: Sequence[PhonemeSequence], **options: Any) -> Any:
        asked.append(texts[0].text)
        used.append(self)
        return encode(self, texts, **options)

    batches: list[Any] = []
    draw = ProsodyTask.batch

    def drawn(self: ProsodyTask, step: int) -> Any:
        batches.append(draw(self, step))
        return batches[-1]

    monkeypatch.setattr(LanguageModelContext, "encode", watched)
    monkeypatch.setattr(ProsodyTask, "batch", drawn)
    *_, _ = train_base(
        tmp_path / "none", work.folder, stages=("prosody",), steps={"prosody": 3}, sizes=tiny,
        language_model=language_model,
    )  # fmt: skip
    folders = [work.features(held_out=held_out) for held_out in (False, True)]
    clips = sum(len(load_clips(path)) for folder in folders for path in speaker_files(folder))
    assert 0 < len(asked) <= clips  # each clip once
    assert len(set(map(id, used))) == 1
    for batch in batches:
        assert batch["context"].shape == (*batch["symbols"].shape, 48)
        assert batch["context"].any()
    weights = averaged_weights(work.checkpoint("prosody"))
    assert not [name for name in weights if "wte" in name or name.startswith("model.")]
    torch.manual_seed(1)
    sizes = replace(tiny.prosody, language_model=language_model, language_model_size=48)
    fresh = ProsodyGPT(sizes)
    assert weights.keys() == fresh.state_dict().keys()
    assert not torch.equal(weights["projection.linear.weight"], fresh.projection.linear.weight)
    asleep = LanguageModelContext.load(language_model).model.state_dict()
    assert all(torch.equal(value, asleep[name]) for name, value in used[0].model.state_dict().items())


def test_tuning_hears_the_context(synthesizer: NativeSynthesizer, models: NativeModels, voice: Voice) -> None:
    said = ("Good day.", "天气很好。")
    clips = [AudioClip(samples(synthesizer, voice, text)[0], synthesizer.sample_rate_hz) for text in said]
    config = TuneConfig()
    speech, reference, _ = prepare_speech(models, voice, clips, said, config=config)
    encoder = NativeSynthesizer(models).context
    with torch.no_grad():
        told, untold = (
            float(TuneTask(speech, reference, models, config, context=context).prosody_loss(models.prosody, speech[1]))
            for context in (encoder, NoContext())
        )
    assert np.isfinite(told) and told != untold
