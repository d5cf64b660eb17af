"""Tuning with the shipped models on what a built-in voice says: what moves, what stays, what is refused."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from yinse.core.errors import BadAudio
from yinse.core.events import Finished, Progress, Warned
from yinse.core.types import AudioClip, SpeakRequest
from yinse.corpus.losses import losses_of_figures
from yinse.corpus.voice_units import units_of_figures
from yinse.models.context import NoContext
from yinse.models.low_rank import add_low_rank
from yinse.synth.native import NativeSynthesizer
from yinse.train import tune as tune_module
from yinse.train.loop import LoopConfig
from yinse.train.recipes.acoustic import acoustic_losses
from yinse.train.tune import (
    TuneConfig,
    Tuned,
    TunedParts,
    TuneTask,
    kept_updates,
    prepare_speech,
    share_of,
    tune,
    tuned_names,
    upper_names,
)
from yinse.voices.voice import Voice
from yinse.weights.native import PARTS, NativeModels, adapt

SAID = ("Good morning.", "今天天气很好。", "How are you?", "我们走吧。")
FEW = TuneConfig(rank=4, steps=5, batch_size=2, window_frames=60, validate_every=2)


@pytest.fixture(scope="module")
def clips(synthesizer: NativeSynthesizer, voice: Voice) -> list[AudioClip]:
    spoken = [list(synthesizer.stream(SpeakRequest(text), voice)) for text in SAID]
    return [AudioClip(chunk.samples, chunk.sample_rate_hz) for (chunk,) in spoken]


def weights(models: NativeModels) -> dict[str, Tensor]:
    """All of a set's numbers by part and name, copied."""
    found = {f"{part}.{name}": v.clone() for part in PARTS for name, v in getattr(models, part).state_dict().items()}
    return found | {f"aligner.{n}": torch.tensor(np.array(v)) for n, v in models.aligner.state_dict().items()}


def assert_equal(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        np.testing.assert_array_equal(np.asarray(found[name]), np.asarray(value), err_msg=name)


def test_only_the_named_updates_move(
    synthesizer: NativeSynthesizer,
    voice: Voice,
    clips: list[AudioClip],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models, made = synthesizer.models, []

    class Watched(TunedParts):
        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts)
            made.append(self)

    monkeypatch.setattr(tune_module, "TunedParts", Watched)
    before = weights(models)
    *events, last = tune(models, voice, clips, SAID, folder=tmp_path, config=FEW)
    assert isinstance(last, Finished) and isinstance(last.result, Tuned)
    assert_equal(weights(models), before)

    names = [f"acoustic.{name}" for name in tuned_names(models.acoustic, FEW.acoustic_parts)]
    names += [f"prosody.{name}" for name in upper_names(models.prosody, FEW.upper_layers)]
    (parts,) = made
    state = parts.state_dict()
    learning = {name for name, p in parts.named_parameters() if p.requires_grad}
    updates = {re.sub(r"\.0\.(up|down)$", r".\1", name.replace(".parametrizations", "")) for name in learning}
    assert updates == {f"{name}.{side}" for name in names for side in ("up", "down")}
    assert any(state[name].any() for name in learning if name.endswith(".up"))  # it has learned
    # the frozen weights inside what was trained are those of the set, bit for bit
    for name, value in state.items():
        if name not in learning:
            plain = name.replace("parametrizations.", "").removesuffix(".original")
            assert torch.equal(value, before[plain]), name

    assert last.result.tensors.keys() == {f"adapter.{name}.{side}" for name in names for side in ("up", "down")}
    assert all(values.dtype == np.float16 for values in last.result.tensors.values())
    figures = last.result.figures
    assert figures["held_out_loss_after"] <= figures["held_out_loss_before"]
    tuned = adapt(models, last.result.tensors)
    for part in ("vocoder", "speaker", "aligner"):
        assert getattr(tuned, part) is getattr(models, part)
    assert_equal(weights(models), before)


def test_texture_is_no_part_of_what_is_learned(
    synthesizer: NativeSynthesizer, voice: Voice, clips: list[AudioClip]
) -> None:
    speech, reference, _ = prepare_speech(synthesizer.models, voice, clips, SAID, config=FEW)
    task = TuneTask(speech, reference, synthesizer.models, FEW, context=NoContext())
    batch = {name: value for name, value in task.batch(0).items() if name != "sentence"}
    acoustic = synthesizer.models.acoustic
    whole, tuned = acoustic_losses(acoustic, batch), acoustic_losses(acoustic, batch, texture=False)
    assert whole.keys() - tuned.keys() == {"flow"}
    torch.testing.assert_close(whole["loss"] - tuned["loss"], 0.5 * whole["flow"])
    parts = TunedParts(acoustic, synthesizer.models.prosody)
    assert task.held_out_loss(parts, speech) == task.held_out_loss(parts, speech)
    assert "flow" not in task.losses(parts, task.batch(0), 0)
    assert not any(name.startswith("flow.") for name in tuned_names(acoustic, FEW.acoustic_parts))


def test_at_least_nine_tenths_are_frozen(synthesizer: NativeSynthesizer) -> None:
    models, config = synthesizer.models, TuneConfig()
    acoustic, prosody = copy.deepcopy(models.acoustic), copy.deepcopy(models.prosody)
    learning = add_low_rank(acoustic, tuned_names(acoustic, config.acoustic_parts), rank=config.rank)
    learning += add_low_rank(prosody, upper_names(prosody, config.upper_layers), rank=config.rank)
    everything = sum(p.numel() for part in PARTS for p in getattr(models, part).parameters())
    assert sum(p.numel() for p in learning) <= 0.1 * everything
    # what reads the text stays, as do the lower layers of the GPT
    names = tuned_names(models.acoustic, config.acoustic_parts)
    assert not any(name.startswith("text") for name in names)
    layers = {name.split(".")[1] for name in upper_names(models.prosody, config.upper_layers)}
    assert layers == {str(len(models.prosody.blocks) - 1 - index) for index in range(config.upper_layers)}


def test_an_interrupted_tuning_goes_on(
    synthesizer: NativeSynthesizer,
    voice: Voice,
    clips: list[AudioClip],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def often(**options: Any) -> LoopConfig:
        return LoopConfig(**options | {"checkpoint_every_s": 0.0})

    monkeypatch.setattr(tune_module, "LoopConfig", often)
    *_, whole = tune(synthesizer.models, voice, clips, SAID, folder=tmp_path / "whole", config=FEW)
    broken = tune(synthesizer.models, voice, clips, SAID, folder=tmp_path / "broken", config=FEW)
    for event in broken:
        if isinstance(event, Progress) and event.stage == "train" and event.done >= 4:
            broken.close()  # type: ignore[attr-defined]
            break
    torch.manual_seed(99)
    first, *_, again = tune(synthesizer.models, voice, clips, SAID, folder=tmp_path / "broken", config=FEW)
    assert isinstance(first, Progress)
    assert isinstance(whole, Finished) and isinstance(again, Finished)
    assert again.result.figures == whole.result.figures
    assert_equal(again.result.tensors, whole.result.tensors)


def test_a_voice_that_is_told_a_typical_speaker_keeps_a_share_of_what_was_learned(
    synthesizer: NativeSynthesizer, voice: Voice
) -> None:
    told = replace(voice, tensors={**voice.tensors, "told_vector": voice.tensors["speaker_vector"]})
    config = TuneConfig(typical_share=0.5)
    assert (share_of(voice, config), share_of(told, config)) == (1.0, 0.5)
    models, name = synthesizer.models, "trunk_blocks.0.first.weight"
    before = models.acoustic.get_parameter(name)
    up, down = torch.randn(before.shape[0], 2) / 16, torch.randn(2, before[0].numel()) / 16
    kept = kept_updates({f"acoustic.{name}.up": up, f"acoustic.{name}.down": down}, share=0.5)
    after = adapt(models, kept).acoustic.get_parameter(name)
    torch.testing.assert_close(after, before + 0.5 * (up @ down).view_as(before), atol=1e-3, rtol=0)


def test_a_transcript_that_does_not_fit_is_named(
    synthesizer: NativeSynthesizer, voice: Voice, clips: list[AudioClip], tmp_path: Path
) -> None:
    lines = [*SAID[:2], SAID[0] * 20, SAID[3]]
    speech, _, warnings = prepare_speech(synthesizer.models, voice, clips, lines, config=FEW)
    assert [item.clip.id for item in speech] == ["0", "1", "3"]
    assert len(warnings) == 1 and "line 3" in warnings[0]
    events = tune(synthesizer.models, voice, clips, lines, folder=tmp_path, config=FEW)
    assert any(isinstance(event, Warned) and "line 3" in event.message for event in (next(events), next(events)))
    events.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("lines", [SAID[:1], (SAID[0], SAID[1] * 20)], ids=["one", "one-fits"])
def test_fewer_than_two_clips_are_too_few(
    synthesizer: NativeSynthesizer, voice: Voice, clips: list[AudioClip], tmp_path: Path, lines: tuple[str, ...]
) -> None:
    with pytest.raises(BadAudio, match="fewer than two"):
        list(tune(synthesizer.models, voice, clips[: len(lines)], lines, folder=tmp_path, config=FEW))
    assert not list(tmp_path.iterdir())


def test_what_was_said_and_what_is_weak_is_kept_and_rare_sounds_can_be_drawn_more_often(
    synthesizer: NativeSynthesizer, voice: Voice, clips: list[AudioClip], tmp_path: Path
) -> None:
    often = replace(FEW, rare_sounds=0.5)
    *events, last = tune(synthesizer.models, voice, clips, SAID, folder=tmp_path, config=often)
    assert isinstance(last, Finished)
    assert any(isinstance(event, Progress) and "rare sounds" in event.stage for event in events)
    losses = losses_of_figures(last.result.figures)
    assert losses is not None
    assert min(losses.phonemes.values()) > 0.0
    assert sum(losses.types.values()) > 0.0
    said = units_of_figures(last.result.figures)
    assert said is not None
    assert said.units["toned syllable", "tian1"] == 2
