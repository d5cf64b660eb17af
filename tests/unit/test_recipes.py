"""Recipes of base training on synthesised speech: every stage learns, and what comes out is a model that speaks."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import nn

from synthesised_speech import SPEAKERS, TINY, clip_of, make_pack, make_work, save_fresh_encoder, sentences_of
from yinse.audio.measure import measure_speaker
from yinse.core.errors import CheckpointKeys, ConfigError, Incompatible, MissingExtra, UnknownName
from yinse.core.events import Artifact, Finished, Progress
from yinse.core.types import AudioClip, SpeakRequest
from yinse.models.acoustic import AcousticModel, regulate
from yinse.models.discriminators import DiscriminatorConfig
from yinse.models.hifigan import GeneratorConfig, HifiGanConfig
from yinse.models.low_rank import add_low_rank, low_rank_state
from yinse.models.native_config import build_vocoder, large
from yinse.models.prosody import ProsodyGPT
from yinse.models.speaker import SpeakerEncoder
from yinse.models.spectrogram import SpectrogramConfig
from yinse.models.voice_condition import trusted_bins
from yinse.synth.native import NativeSynthesizer
from yinse.train.features import Clip, iterate_clips, load_clips, speaker_files
from yinse.train.loop import LoopConfig, Task, averaged_weights, train
from yinse.train.recipes.acoustic import AcousticTask, SpeechData, collate, cut_window, inputs_of
from yinse.train.recipes.align import AlignedClip, align, load_aligned, train_aligner
from yinse.train.recipes.assemble import full_band
from yinse.train.recipes.base import BaseRun, train_acoustic
from yinse.train.recipes.hifigan import HifiGanTask, HifiGanTraining
from yinse.train.recipes.prepare import prepare
from yinse.train.recipes.prosody import ProsodyTask
from yinse.train.recipes.speaker import SpeakerTask
from yinse.train.recipes.vocoder import VocoderTask
from yinse.train.work import Work
from yinse.voices.bundle import read_voice
from yinse.voices.voice import Voice
from yinse.weights.native import adapt, load_native, save_typical_speakers
from yinse.workflows import train as workflow
from yinse.workflows.builtin_voices import Candidate, at_slower_pace, distinct_pair, voice_clips
from yinse.workflows.train import train_base

STEPS = {"speaker": 40, "acoustic": 40, "prosody": 40, "vocoder": 40}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Work:
    return make_work(tmp_path_factory.mktemp("training") / "work")


@pytest.fixture(scope="module")
def data(work: Work) -> SpeechData:
    def embed(clips: Any) -> Any:
        return np.eye(1, 256, dtype=np.float32)[0]

    return SpeechData(load_aligned(work.features(), work.alignments()), embed, spectrogram=TINY.spectrogram)


@pytest.fixture(scope="module")
def trained(work: Work) -> list[Any]:
    """Events of a whole training from features to voices; its folder is that of `work`."""
    loops = {
        name: replace(loop, report_every_steps=10, warmup_steps=5, learning_rate=5e-3)
        for name, loop in workflow.LOOPS.items()
    }
    stages = ("align", "speaker", "acoustic", "prosody", "vocoder", "assemble", "voices")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workflow, "LOOPS", loops)
        return list(train_base(work.folder / "no-data", work.folder, stages=stages, steps=STEPS, sizes=TINY))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("stage", STEPS)
def test_every_stage_learns(trained: list[Any], work: Work, stage: str) -> None:
    losses = [line["loss"] for line in lines(work.stage(stage) / "losses.jsonl")]
    assert np.mean(losses[-2:]) < 0.95 * losses[0]
    assert any(isinstance(e, Progress) and e.stage == stage and "min left" in e.note for e in trained)


@pytest.mark.parametrize("stage", STEPS)
def test_held_out_losses_by_speaker(trained: list[Any], work: Work, stage: str) -> None:
    last = lines(work.stage(stage) / "heldout.jsonl")[-1]
    assert last["step"] == STEPS[stage]
    assert set(last["speakers"]) == {"zh_en_kokoro/blend_f13", "en_librispeech/ls-1089"}
    assert all(np.isfinite(value) for losses in last["speakers"].values() for value in losses.values())


def test_the_set_comes_back_from_its_folder(trained: list[Any], work: Work) -> None:
    folder = work.folder / "base"
    models = load_native(folder)
    assert trained[-1].result == folder
    for name in STEPS:
        weights = averaged_weights(work.checkpoint(name))
        state = getattr(models, name).state_dict()
        assert all(torch.equal(state[key], weights[key].half().float()) for key in state)
    assert load_native(folder).fingerprint == models.fingerprint
    provenance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["stages"]["acoustic"]["steps"] == STEPS["acoustic"]
    assert provenance["data"]["zh_en_kokoro"]["speakers"] == 4
    assert "LibriSpeech" in (folder / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_builtin_voices_speak(trained: list[Any], work: Work) -> None:
    models = load_native(work.folder / "base")
    written = [Path(event.path) for event in trained if isinstance(event, Artifact) and event.kind == "voice"]
    voices = {path.stem: read_voice(path) for path in written}
    assert set(voices) == {"lan", "mei", "shan", "ming"}
    assert all(voice.synthetic and "style_tokens" in voice.tensors for voice in voices.values())
    assert not any({"readout", "told_vector"} & set(voice.tensors) for voice in voices.values())
    medians = [float(voices[name].tensors["numbers"][0]) for name in ("shan", "ming", "lan", "mei")]
    assert medians == sorted(medians)
    (chunk,) = NativeSynthesizer(models).stream(SpeakRequest("Good morning."), voices["lan"])
    assert len(chunk.samples) and np.isfinite(chunk.samples).all()


def test_an_adapter_leaves_the_base_bit_for_bit(trained: list[Any], work: Work) -> None:
    models = load_native(work.folder / "base")
    before = {name: p.clone() for name, p in models.acoustic.named_parameters()}
    learner = load_native(work.folder / "base").acoustic
    name = "trunk_blocks.0.first.weight"
    for parameter in add_low_rank(learner, [name], rank=2):
        nn.init.normal_(parameter)
    updates = {f"adapter.acoustic.{key}": value.numpy() for key, value in low_rank_state(learner).items()}
    adapted = adapt(models, updates)
    after = dict(models.acoustic.named_parameters())
    assert all(torch.equal(after[key], value) for key, value in before.items())
    changed = {k for k, p in adapted.acoustic.named_parameters() if not torch.equal(p, before[k])}
    assert changed == {name}
    assert torch.allclose(adapted.acoustic.get_parameter(name), learner.trunk_blocks[0].first.weight, atol=1e-6)
    assert adapted.prosody is models.prosody


def test_full_band(work: Work) -> None:
    high_band, floor_depth = full_band(work.features(), TINY.spectrogram)
    narrow = trusted_bins(TINY.spectrogram, 8000)
    bands, floors = [], []
    for path in speaker_files(work.features()):
        clips = load_clips(path)
        measure = measure_speaker([clip.mel for clip in clips], [clip.log_f0 for clip in clips])
        if clips[0].synthetic:  # those are the full-band ones, too
            bands.append(measure.mean_spectrum - measure.mean_spectrum[narrow][-8:].mean())
            floors.append(measure.floor_depth)
    assert len(bands) == 4
    np.testing.assert_allclose(high_band, np.mean(bands, axis=0), atol=1e-5)
    np.testing.assert_allclose(floor_depth, np.mean(floors, axis=0), atol=1e-5)


def test_typical_speakers_of_what_only_synthetic_voices_taught(trained: list[Any], work: Work) -> None:
    folder = work.folder / "base"
    models = load_native(folder)
    spoken = [[c.mel for c in load_clips(path) if c.language == "zh"] for path in speaker_files(work.features())]
    vectors = [models.speaker.embed(mels) for mels in spoken if mels]
    middle = np.mean(vectors, axis=0)
    found = models.typical_speakers
    assert set(found) == {"zh"} and len(vectors) > 1  # there are recordings of people who speak English
    np.testing.assert_allclose(found["zh"], middle / np.linalg.norm(middle), atol=1e-4)
    (folder / "speakers.safetensors").rename(folder / "elsewhere")
    assert load_native(folder).typical_speakers == {}
    (folder / "speakers.safetensors").write_bytes(b"no weights")
    with pytest.raises(Incompatible, match=r"damaged.*speakers\.safetensors|speakers\.safetensors.*damaged"):
        load_native(folder)
    save_typical_speakers({"zh": np.ones(3, dtype=np.float32)}, folder)
    with pytest.raises(CheckpointKeys, match="zh"):
        load_native(folder)
    (folder / "elsewhere").replace(folder / "speakers.safetensors")


def test_features_come_back_clip_by_clip(work: Work) -> None:
    clip, _ = clip_of(sentences_of("zh_en_kokoro")[1], "blend_f00", *SPEAKERS["blend_f00"])
    path = work.features() / "zh_en_kokoro.blend_f00.safetensors"
    assert len(load_clips(path)) == 4 and not len(load_clips(path)[0].samples)
    (_, second) = load_clips(path, with_samples=True, limit=2)
    for name in ("mel", "log_f0", "samples"):
        np.testing.assert_array_equal(getattr(second, name), getattr(clip, name))
    assert second.text == clip.text


def test_training_forward_equals_inference_forward(data: SpeechData) -> None:
    """A window that spans a clip gives the trunk that synthesis makes of its durations and melody."""
    torch.manual_seed(0)
    model = AcousticModel(TINY.acoustic).eval()
    speech = data.speech["zh_en_kokoro"]["blend_f00"][0]
    reference = data.references["blend_f00", speech.clip.language][0]
    frames = len(speech.clip.mel)
    random = np.random.default_rng(0)
    batch = collate([cut_window(speech, reference, frames, random, augment=False)])
    with torch.inference_mode():
        f0 = batch["f0"] * batch["voicing"]
        trained, melody, voicing = model(inputs_of(batch), batch["log_f0"], f0, batch["voicing"])
        inputs = replace(inputs_of(batch), length=regulate(torch.from_numpy(speech.durations)))
        condition = model.condition(inputs)
        hidden = model.frames(inputs, condition)
        spoken = model.trunk(hidden, batch["log_f0"], f0, batch["voicing"], condition)
        told_melody, told_voicing = model.melody(hidden, condition)
    assert torch.allclose(trained.mel, spoken.mel, atol=1e-5)
    assert torch.allclose(melody, told_melody, atol=1e-5) and torch.allclose(voicing, told_voicing, atol=1e-5)


def make_task(stage: str, data: SpeechData, work: Work, seed: int) -> tuple[nn.Module, Task]:
    torch.manual_seed(0)
    if stage == "speaker":
        return SpeakerEncoder(TINY.speaker), SpeakerTask(work.features(), work.teacher_vectors(), seed=seed)
    if stage == "acoustic":
        return AcousticModel(TINY.acoustic), AcousticTask(data, batch_size=2, seed=seed)
    if stage == "prosody":
        return ProsodyGPT(TINY.prosody), ProsodyTask(data, TINY.prosody, batch_size=2, seed=seed)
    clips = list(iterate_clips(work.features(), with_samples=True))
    vocoder = build_vocoder(TINY.vocoder)
    nn.init.normal_(vocoder.get_parameter("leave.weight"), std=0.05)  # as if it had learned something
    return vocoder, VocoderTask(clips, hop_samples=300, batch_size=2, seed=seed)


@pytest.mark.parametrize("stage", STEPS)
def test_batches_and_losses_come_from_the_seed(stage: str, data: SpeechData, work: Work, tmp_path: Path) -> None:
    logs = []
    for index, seed in enumerate((1, 1, 2)):
        model, task = make_task(stage, data, work, seed)
        config = LoopConfig(steps=2, seed=seed, report_every_steps=1)
        list(train(model, task, config=config, folder=tmp_path / str(index)))
        logs.append((tmp_path / str(index) / "losses.jsonl").read_text(encoding="utf-8"))
    assert logs[0] == logs[1] != logs[2]


@pytest.mark.parametrize("stage", STEPS)
def test_bf16_is_near_single_precision(stage: str, data: SpeechData, work: Work, tmp_path: Path) -> None:
    losses = {}
    for bf16 in (False, True):
        model, task = make_task(stage, data, work, 1)
        config = LoopConfig(steps=2, report_every_steps=1, bf16=bf16)
        list(train(model, task, config=config, folder=tmp_path / str(bf16)))
        losses[bf16] = [line["loss"] for line in lines(tmp_path / str(bf16) / "losses.jsonl")]
    assert losses[True] != losses[False]
    np.testing.assert_allclose(losses[True], losses[False], rtol=0.05)


@pytest.mark.parametrize("stage", ["speaker", "acoustic", "prosody"])
def test_losses_stay_on_the_device_of_the_model(stage: str, data: SpeechData, work: Work) -> None:
    """On the meta device every tensor left behind on the processor is an error, as it would be on a GPU."""
    model, task = make_task(stage, data, work, 1)
    batch = {name: value.to("meta") for name, value in task.batch(0).items()}
    losses = task.losses(model.to("meta"), batch, 0)
    losses["loss"].backward()
    assert {value.device.type for value in losses.values()} == {"meta"}
    assert all(p.grad is None or p.grad.device.type == "meta" for p in model.parameters())


def test_hifigan_and_its_judges_learn_apart(work: Work) -> None:
    generator = GeneratorConfig(
        inputs=100, channels=16, upsampling=(10, 10, 3), upsampling_kernels=(20, 20, 5), resblock_kernels=(3,)
    )
    config = HifiGanConfig(generator, SpectrogramConfig())
    torch.manual_seed(0)
    model = HifiGanTraining(config, DiscriminatorConfig(scales=1, periods=(2,), channels=256))
    clips = list(iterate_clips(work.features(), with_samples=True))
    task = HifiGanTask(clips, hop_samples=300, batch_size=2, window_frames=24)
    losses = task.losses(model, task.batch(0), 0)

    def reached(loss: torch.Tensor) -> set[str]:
        gradients = torch.autograd.grad(loss, list(model.parameters()), retain_graph=True, allow_unused=True)
        names = [name.split(".")[0] for name, _ in model.named_parameters()]
        return {name for name, gradient in zip(names, gradients, strict=True) if gradient is not None}

    assert reached(losses["judges"]) == {"discriminators"}
    assert reached(losses["adversarial"] + losses["feature"] + losses["mel"]) == {"vocoder"}
    before = float(losses["mel"].detach())
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for step in range(6):
        optimizer.zero_grad()
        task.losses(model, task.batch(0), step)["loss"].backward()
        optimizer.step()
    assert all(p.grad is not None for p in model.parameters())
    assert float(task.losses(model, task.batch(0), 9)["mel"].detach()) < before


def as_large(item: AlignedClip) -> AlignedClip:
    """A clip as the large spectrogram shows it, nearly."""
    clip, config = item.clip, large().spectrogram
    frames = len(clip.samples) // config.hop_samples + 1
    place = np.linspace(0, len(clip.mel) - 1, frames).astype(int)
    ends = np.round(np.cumsum(item.durations) * (frames / len(clip.mel))).astype(int)
    clip = replace(clip, mel=clip.mel[place][:, : config.mel_bins], log_f0=clip.log_f0[place])
    return AlignedClip(clip, item.symbols, np.diff(ends, prepend=0), item.confidence)


@pytest.mark.parametrize("stage", STEPS)
def test_large_sizes_take_a_step(stage: str, work: Work) -> None:
    """The published sizes, from a batch to finite gradients of all parameters."""
    sizes = large()
    aligned = [as_large(a) for a in load_aligned(work.features(), work.alignments(), with_samples=True)]
    clips = [item.clip for item in aligned]
    data = SpeechData(aligned, lambda _: np.eye(1, 256, dtype=np.float32)[0], spectrogram=sizes.spectrogram)
    model: nn.Module
    task: Task
    if stage == "speaker":
        model, task = SpeakerEncoder(sizes.speaker), SpeakerTask(work.features(), work.teacher_vectors())
    elif stage == "acoustic":
        model, task = AcousticModel(sizes.acoustic), AcousticTask(data, batch_size=1, window_frames=32)
    elif stage == "prosody":
        model = ProsodyGPT(replace(sizes.prosody, context_size=0))  # what a context says is learned with the context
        task = ProsodyTask(data, sizes.prosody, batch_size=1, longest=16)
    else:
        assert isinstance(sizes.vocoder, HifiGanConfig)
        model = HifiGanTraining(sizes.vocoder, DiscriminatorConfig(scales=1, periods=(2,), channels=256))
        task = HifiGanTask(clips, hop_samples=sizes.spectrogram.hop_samples, batch_size=1, window_frames=4)
    task.losses(model.train(), task.batch(0), 0)["loss"].backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


def test_align_learns_and_writes_durations(work: Work, tmp_path: Path) -> None:
    for event in train_aligner(work.features(), tmp_path / "aligner.safetensors", config=TINY.aligner):
        if isinstance(event, Finished):
            list(align(work.features(), tmp_path / "alignments", aligner=event.result))
    found = list(load_aligned(work.features(), tmp_path / "alignments"))
    truth = {item.clip.id: item for item in load_aligned(work.features(), work.alignments())}
    assert len(found) == len(truth) == 18
    assert all(item.durations.sum() == len(item.clip.mel) for item in found)
    near = [np.abs(np.cumsum(item.durations) - np.cumsum(truth[item.clip.id].durations)) for item in found]
    assert np.median(np.concatenate(near)) <= 4


def test_prepare_makes_features_of_a_pack(tmp_path: Path) -> None:
    data, work = tmp_path / "data", Work(tmp_path / "work")
    with pytest.raises(ConfigError, match=r"splits\.json"):
        list(prepare(data, work.features()))
    data.mkdir()
    (data / "splits.json").write_text('{"base_training": {}}')
    with pytest.raises(ConfigError, match="no pack"):
        list(prepare(data, work.features()))
    make_pack(data)
    for held_out in (False, True):
        list(prepare(data, work.features(held_out=held_out), held_out=held_out, jobs=1))
    (clips,) = [load_clips(path, with_samples=True) for path in speaker_files(work.features())]
    assert {clip.speaker for clip in clips} == {"blend_f00"} and len(clips) == 4
    (unheard,) = speaker_files(work.features(held_out=True))
    assert unheard.name == "zh_en_kokoro.blend_f13.safetensors"
    assert all(len(clip.mel) == len(clip.samples) // 300 + 1 == len(clip.log_f0) for clip in clips)
    voiced = np.concatenate([clip.log_f0[clip.log_f0 > 0] for clip in clips])
    assert np.exp(np.median(voiced)) == pytest.approx(205, rel=0.15)
    (again,) = list(prepare(data, work.features(), jobs=1))
    assert isinstance(again, Finished) and again.result == 0


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    def first(**options: Any) -> Any:
        return list(train_base(tmp_path, tmp_path / "work", **{"sizes": TINY, **options}))

    for stage in ("align", "acoustic", "prosody", "vocoder", "assemble"):
        with pytest.raises(ConfigError, match="has not been run"):
            first(stages=(stage,))
    with pytest.raises(UnknownName, match="acoustic"):
        first(stages=("acustic",))
    with pytest.raises(UnknownName, match="prosody"):
        first(steps={"prosodie": 3})
    with pytest.raises(ConfigError, match="0 steps"):
        first(steps={"prosody": 0})
    with pytest.raises(ConfigError, match="device"):
        first(device="abacus")


def test_the_speaker_encoder_needs_its_teacher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = make_work(tmp_path / "work")
    copy.teacher_vectors().unlink()
    monkeypatch.setitem(sys.modules, "resemblyzer", None)
    with pytest.raises(MissingExtra, match=r"yinse\[eval\]"):
        list(train_base(tmp_path, copy.folder, stages=("speaker",), sizes=TINY))


def test_a_finished_stage_is_looked_at_but_not_trained(work: Work, trained: list[Any]) -> None:
    log, before = work.stage("prosody") / "heldout.jsonl", work.checkpoint("prosody").read_bytes()
    known = log.read_text(encoding="utf-8")
    log.unlink()
    events = list(
        train_base(work.folder, work.folder, stages=("prosody",), steps={"prosody": STEPS["prosody"]}, sizes=TINY)
    )
    assert log.read_text(encoding="utf-8") == known
    assert work.checkpoint("prosody").read_bytes() == before
    assert events[-1].result == work.folder


def test_curves_and_sounds_on_request(work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorboard")
    copy = make_work(tmp_path / "work")
    save_fresh_encoder(copy)
    run = BaseRun(tmp_path, copy, TINY, {"acoustic": LoopConfig(steps=2, report_every_steps=1)}, tensorboard=True)
    list(train_acoustic(run))
    (events,) = (copy.stage("acoustic") / "tensorboard").iterdir()
    content = events.read_bytes()
    for name in (b"training/loss", b"held-out zh_en_kokoro/mel", b"held-out by speaker", b"audio/wav"):
        assert name in content
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtra, match=r"yinse\[train\]"):
        list(train_acoustic(run))


def test_distinct_pair_is_clear_far_apart_and_ordered() -> None:
    vector = np.eye(1, 256, dtype=np.float32)[0]
    found = [Candidate(name, clarity, log_f0, vector) for name, clarity, log_f0 in (
        ("a", -1.0, 5.4), ("b", -1.0, 5.2), ("c", -1.1, 5.3), ("unclear", -9.0, 6.0), ("d", -5.0, 5.9), ("e", -6.0, 4.5)
    )]  # fmt: skip
    assert [one.stem for one in distinct_pair(found)] == ["b", "a"]


def test_a_builtin_voice_keeps_the_slower_of_its_paces() -> None:
    nothing = np.zeros(0, dtype=np.float32)
    clips = [
        Clip(f"{language} {n}", "", "", language, language, True, True, 12_000.0, nothing, nothing, nothing)
        for language in ("zh", "en")
        for n in range(9)
    ]
    chosen = voice_clips(clips)
    assert [clip.id for clip in chosen] == [f"{language} {n}" for language in ("zh", "en") for n in range(8)]

    class Measured:
        def pace(self, voice: Voice, audio: Sequence[AudioClip], texts: Sequence[str]) -> np.ndarray:
            assert len(audio) == 8
            assert len(set(texts)) == 1
            return np.array([5.0, 0.3, 1.0, {"zh": 0.86, "en": 0.99}[texts[0]]], dtype=np.float32)

    voice = read_voice(Path(str(files("yinse") / "assets" / "voices" / "mei.voice")))
    spoken = [(clip, AudioClip(nothing, 24_000)) for clip in chosen]
    paced = at_slower_pace(cast(NativeSynthesizer, Measured()), voice, spoken)
    assert paced.tensors["numbers"][-1] == np.float32(0.99)
    assert at_slower_pace(cast(NativeSynthesizer, Measured()), voice, []) is voice


def test_teacher_vectors_belong_to_clips(work: Work) -> None:
    assert load_file(str(work.teacher_vectors())).keys() == {clip.id for clip in iterate_clips(work.features())}
