"""The content encoder: what it hears and forgets, its file, its recipe, conversion and tuning by it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from synthesised_speech import TINY, make_work
from yinse.core.errors import BadAudio, CheckpointKeys, FingerprintMismatch, FormatTooNew, Incompatible, Offline
from yinse.core.events import Finished
from yinse.core.types import AudioClip, SpeakRequest
from yinse.models.acoustic import AcousticModel
from yinse.models.analysis import analyse
from yinse.models.content import ContentConfig, ContentModel, cosine_table, told_language
from yinse.models.spectrogram import SpectrogramConfig
from yinse.synth.conversion import convert, readout_by_units
from yinse.synth.native import NativeSynthesizer
from yinse.text.phonemes import phonemize
from yinse.train.loop import LoopConfig, averaged_weights, train
from yinse.train.recipes.acoustic import SpeechData
from yinse.train.recipes.align import load_aligned
from yinse.train.recipes.content import (
    ContentTask,
    ContentTraining,
    content_losses,
    disguised,
    drawn_rows,
    echoing,
    warped,
)
from yinse.train.tune import TuneConfig, Tuned
from yinse.train.tune_units import tune_by_units
from yinse.train.work import Work
from yinse.voices.store import VoiceStore
from yinse.voices.voice import READOUT, Voice
from yinse.weights.content import FILE, FORMAT, load_content, save_content
from yinse.weights.native import adapt, load_native, shipped_folder
from yinse.workflows.native import NativeEngine
from yinse.workflows.train import train_base

SMALL = ContentConfig(channels=16, dilations=(1,), units=8, condition=16, voice_channels=16, hidden=32)
SAID = ("Good morning, how are you?", "今天天气很好。", "We can go home now.", "我们走吧，好不好？")


def heard(frames: int = 40) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    return torch.randn(2, 100, frames), torch.randn(2, frames), (torch.rand(2, frames) > 0.3).float(), torch.eye(2)


# ------------------------------------------------------------------------- the model


def test_harmonics_are_not_heard() -> None:
    """A ripple as dense as harmonics of 100 Hz changes what is heard far less than one as wide as formants."""
    table = cosine_table(ContentConfig())
    bins = torch.arange(86)
    seen = {period: float((table @ torch.cos(2 * torch.pi * bins / period)).norm()) for period in (3, 12, 40)}
    assert seen[3] < 0.1 * min(seen[12], seen[40])


def test_units_are_bounded_and_rounded_when_asked_to() -> None:
    torch.manual_seed(0)
    soft = ContentModel(SMALL).eval()
    rounded = ContentModel(replace(SMALL, levels=5)).eval()
    rounded.load_state_dict(soft.state_dict())
    given, found = soft.units(*heard()), rounded.units(*heard())
    assert given.shape == found.shape == (2, 8, 40)
    assert float(given.detach().abs().max()) <= 1
    assert torch.equal(found * 2, (given * 2).round())
    assert len(given.unique()) > 100 and len(found.unique()) <= 5
    found.square().sum().backward()
    assert float(rounded.enter.weight.grad.abs().sum()) > 0  # type: ignore[union-attr]


def test_what_is_unvoiced_has_no_melody() -> None:
    model = ContentModel(SMALL).eval()
    mel, f0, voicing, language = heard()
    other = torch.where(voicing > 0, f0, 9.0)
    assert torch.equal(model.units(mel, f0, voicing, language), model.units(mel, other, voicing, language))


def test_a_language_may_be_told() -> None:
    assert told_language("zh").tolist() == [0, 1] and not told_language(None).any() and not told_language("de").any()
    model = ContentModel(SMALL).eval()
    mel, f0, voicing, language = heard()
    assert not torch.allclose(model.units(mel, f0, voicing, language), model.units(mel, f0, voicing, 0 * language))


def test_each_language_has_a_last_layer() -> None:
    model = ContentModel(SMALL).eval()
    mel, f0, voicing, language = heard()
    before = model.units(mel, f0, voicing, language)
    spoken = int(language[0].argmax())
    with torch.no_grad():
        rows = model.leave.weight.view(3, SMALL.units, -1)
        rows[[place for place in range(3) if place != spoken]] = 9.0
    assert torch.equal(model.units(mel, f0, voicing, language)[0], before[0])
    with torch.no_grad():
        rows[spoken] = 9.0
    assert not torch.allclose(model.units(mel, f0, voicing, language)[0], before[0])


def test_one_recording_in_two_voices() -> None:
    model = ContentModel(SMALL).eval()
    units = model.units(*heard())
    first, second = (model.frames(units, torch.randn(2, 16)) for _ in range(2))
    assert first.shape == (2, 32, 40)
    assert not torch.allclose(first, second)


# ------------------------------------------------------------------------- its file


def test_eight_bits_are_near(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = ContentModel(replace(SMALL, levels=3)).eval()
    for block in model.blocks:
        torch.nn.init.normal_(block.second.weight, std=0.1)
    path = save_content(model, tmp_path, fingerprint="abc")
    back = load_content(tmp_path, fingerprint="abc")
    assert back.config == model.config
    for name, value in model.state_dict().items():
        step = value.flatten(1).abs().amax(dim=1) / 127 if value.dim() > 1 else torch.tensor(1e-3)
        far = (back.state_dict()[name] - value).abs().reshape(len(value), -1).amax(dim=1)
        assert (far <= 0.6 * step + 1e-3 * value.abs().max()).all(), name
    assert path.stat().st_size < 1.2 * sum(p.numel() for p in model.parameters()) + 4000
    assert not any(p.requires_grad for p in back.parameters()) and not back.training


def test_a_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Offline, match="no content encoder"):
        load_content(tmp_path, fingerprint="abc")
    path = save_content(ContentModel(SMALL), tmp_path, fingerprint="abc")
    with pytest.raises(FingerprintMismatch, match="belongs to model abc"):
        load_content(tmp_path, fingerprint="def")
    tensors = load_file(str(path))
    with safe_open(str(path), framework="pt") as file:
        about = json.loads(file.metadata()["content"])
    save_file(tensors, str(path), metadata={"content": json.dumps(about | {"format": FORMAT + 1})})
    with pytest.raises(FormatTooNew):
        load_content(tmp_path, fingerprint="abc")
    del tensors["leave.weight"]
    save_file(tensors, str(path), metadata={"content": json.dumps(about)})
    with pytest.raises(CheckpointKeys, match=r"leave\.weight"):
        load_content(tmp_path, fingerprint="abc")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(Incompatible, match="damaged"):
        load_content(tmp_path, fingerprint="abc")


# ------------------------------------------------------------------------- its recipe


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Work:
    return make_work(tmp_path_factory.mktemp("content") / "work")


@pytest.fixture(scope="module")
def data(work: Work) -> SpeechData:
    random = np.random.default_rng(0)

    def embed(_: object) -> np.ndarray:
        vector = random.normal(size=256).astype(np.float32)
        return vector / np.linalg.norm(vector)

    return SpeechData(load_aligned(work.features(), work.alignments()), embed, spectrogram=TINY.spectrogram)


def test_formants_are_shifted() -> None:
    config = SpectrogramConfig()
    mel = np.zeros((3, 100), dtype=np.float32)
    mel[:, 40] = 1.0
    higher, same = warped(mel, 1.1, config), warped(mel, 1.0, config)
    np.testing.assert_allclose(same, mel, atol=1e-5)
    assert 42 <= int(higher[0].argmax()) <= 46


def test_a_disguise_is_another_recording_of_the_same_frames() -> None:
    steps = np.random.default_rng(0).normal(0, 0.3, (50, 100))
    mel = (np.cumsum(steps, axis=1) + np.linspace(0, -3, 50)[:, None]).astype(np.float32)
    one, other = (disguised(mel, SpectrogramConfig(), np.random.default_rng(seed)) for seed in (1, 2))
    assert one.shape == mel.shape
    assert np.abs(one - other).mean() > 0.1
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.5


def test_a_room_makes_sounds_last() -> None:
    mel = np.full((20, 4), -8.0, dtype=np.float32)
    mel[3] = 0.0
    heard = echoing(mel, decay=0.5, depth=2.0)
    assert (heard[:3] < -7.8).all() and (heard[3] > -0.01).all()
    assert (np.diff(heard[4:10], axis=0) < 0).all() and (heard[4] > -3.5).all()


def test_it_learns_and_the_teacher_does_not(data: SpeechData, tmp_path: Path) -> None:
    torch.manual_seed(0)
    teacher = AcousticModel(TINY.acoustic).eval().requires_grad_(False)
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    logs = []
    for index, seed in enumerate((1, 1, 2)):
        torch.manual_seed(0)
        model = ContentTraining(SMALL)
        task = ContentTask(data, teacher, batch_size=4, window_frames=60, seed=seed)
        loop = LoopConfig(steps=30, learning_rate=5e-3, warmup_steps=2, report_every_steps=10, seed=seed)
        list(train(model, task, config=loop, folder=tmp_path / str(index)))
        logs.append((tmp_path / str(index) / "losses.jsonl").read_text(encoding="utf-8"))
    first, *_, last = (json.loads(line) for line in logs[0].splitlines())
    assert logs[0] == logs[1] != logs[2]
    assert last["frames"] < 0.95 * first["frames"] and last["symbols"] < 0.9 * first["symbols"]
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())


def test_the_speaker_is_of_no_use(data: SpeechData) -> None:
    """The reading voice of a window is not the one that speaks in it."""
    task = ContentTask(data, AcousticModel(TINY.acoustic), batch_size=32)
    batch = task.batch(0)
    same = (batch["speaker"] * batch["reader"]).sum(dim=1) > 0.999
    assert float(same.float().mean()) < 0.3


def test_a_wrong_language_teaches_no_phonemes(data: SpeechData) -> None:
    teacher = AcousticModel(TINY.acoustic).eval().requires_grad_(False)
    batch = dict(ContentTask(data, teacher, batch_size=12, window_frames=40).batch(0))
    misled = batch["misled"] > 0
    assert 0 < int(misled.sum()) <= drawn_rows(12) < 12 and not misled[drawn_rows(12) :].any()
    assert not ContentTask(data, teacher, batch_size=12, window_frames=40, augment=False).batch(0)["misled"].any()
    model = ContentTraining(SMALL).eval()
    found = content_losses(model, teacher, batch)
    batch["symbols"] = torch.where(misled[:, None], 3, batch["symbols"])
    other = content_losses(model, teacher, batch)
    assert torch.allclose(found["symbols"], other["symbols"]) and torch.allclose(found["frames"], other["frames"])
    batch["mel"] = batch["mel"] + misled[:, None, None]
    assert not torch.allclose(content_losses(model, teacher, batch)["mel"], found["mel"])


def test_losses_stay_on_the_device_of_the_model(data: SpeechData) -> None:
    """On the meta device every tensor left behind on the processor is an error, as it would be on a GPU."""
    teacher = AcousticModel(TINY.acoustic).to("meta").eval()
    task = ContentTask(data, teacher, batch_size=2, window_frames=40)
    batch = {name: value.to("meta") for name, value in task.batch(0).items()}
    task.losses(ContentTraining(SMALL).to("meta"), batch, 0)["loss"].backward()


def test_a_trained_encoder_comes_with_the_set(work: Work) -> None:
    stages = ("align", "speaker", "acoustic", "prosody", "vocoder", "content", "assemble")
    steps = dict.fromkeys(("speaker", "acoustic", "prosody", "vocoder", "content"), 2)
    list(train_base(work.folder / "no-data", work.folder, stages=stages, steps=steps, sizes=TINY))
    models = load_native(work.folder / "base")
    content = load_content(work.folder / "base", fingerprint=models.fingerprint)
    weights = averaged_weights(work.checkpoint("content"))
    assert torch.allclose(content.leave.weight, weights["content.leave.weight"], atol=2e-3)
    assert content.config.hidden == TINY.acoustic.channels
    provenance = json.loads((work.folder / "base" / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["stages"]["content"]["steps"] == 2


# ------------------------------------------------------------------------- the shipped one


@pytest.fixture(scope="module")
def content(synthesizer: NativeSynthesizer) -> ContentModel:
    if not (shipped_folder() / FILE).is_file():
        pytest.skip("no content encoder is shipped yet")
    return load_content(fingerprint=synthesizer.models.fingerprint)


@pytest.fixture(scope="module")
def clips(synthesizer: NativeSynthesizer, voice: Voice) -> list[AudioClip]:
    spoken = [list(synthesizer.stream(SpeakRequest(text), voice)) for text in SAID]
    return [AudioClip(np.concatenate([chunk.samples for chunk in one]), 24_000) for one in spoken]


def test_the_shipped_set_stays_small(content: ContentModel) -> None:
    assert sum(path.stat().st_size for path in shipped_folder().iterdir()) <= 22_000_000


def test_a_sentence_in_another_voice(
    synthesizer: NativeSynthesizer, content: ContentModel, clips: list[AudioClip], voice: Voice
) -> None:
    voices = [entry.read() for entry in VoiceStore(Path("none")).entries()]
    target = max(voices, key=lambda one: abs(float(one.tensors["numbers"][0] - voice.tensors["numbers"][0])))
    source = AudioClip(clips[0].samples[:-100], 24_000)
    made = convert(synthesizer, content, source, target, seed=3)
    assert made.sample_rate_hz == 24_000 and len(made.samples) == len(source.samples)
    assert np.array_equal(made.samples, convert(synthesizer, content, source, target, seed=3).samples)
    assert not np.array_equal(made.samples, convert(synthesizer, content, source, target, seed=4).samples)
    seen, was = analyse(made, synthesizer.log_mel), analyse(source, synthesizer.log_mel)
    median = np.median(seen.log_f0[seen.log_f0 > 0])
    assert median == pytest.approx(float(target.tensors["numbers"][0]), abs=0.12)
    level = [one.mel.mean(axis=1)[:200] for one in (seen, was)]
    assert np.corrcoef(level[0], level[1])[0, 1] > 0.8
    vector = synthesizer.models.speaker.embed([seen.mel])
    near = {one.name: synthesizer.similarity(vector, one.tensors["speaker_vector"]) for one in (voice, target)}
    assert near[target.name] > near[voice.name]


def test_known_words_are_said_as_text_is(
    synthesizer: NativeSynthesizer, content: ContentModel, clips: list[AudioClip], voice: Voice
) -> None:
    by_units = convert(synthesizer, content, clips[0], voice, language="en")
    made = convert(synthesizer, content, clips[0], voice, transcript=SAID[0])
    assert len(made.samples) == len(by_units.samples)
    texts = [phonemize(SAID[0])]
    fits = [synthesizer.align([clip], texts)[0].confidence for clip in (made, by_units)]  # type: ignore[union-attr]
    assert fits[0] > fits[1]
    # words that were not said are of no use
    other = convert(synthesizer, content, clips[0], voice, transcript="Nobody likes purple elephants.", language="en")
    np.testing.assert_array_equal(other.samples, by_units.samples)


def test_what_nobody_says_stays_silent(synthesizer: NativeSynthesizer, content: ContentModel, voice: Voice) -> None:
    click = np.zeros(16_000, dtype=np.float32)
    click[8_000:8_300] = 0.5
    with pytest.raises(BadAudio):
        convert(synthesizer, content, AudioClip(click, 16_000), voice)
    engine = NativeEngine(synthesizer.models, content=lambda: content)
    made = engine.convert(AudioClip(click, 16_000), voice)
    assert len(made.samples) == 24_000 and not made.samples.any()


def test_a_voice_is_tuned_without_its_words(
    synthesizer: NativeSynthesizer, content: ContentModel, clips: list[AudioClip], voice: Voice, tmp_path: Path
) -> None:
    models = synthesizer.models
    before = {name: value.clone() for name, value in models.acoustic.state_dict().items()}
    frozen = {name: value.clone() for name, value in content.state_dict().items()}
    few = TuneConfig(rank=4, steps=6, batch_size=2, window_frames=60, validate_every=3)
    results = []
    for folder in ("one", "two"):
        *_, last = tune_by_units(models, content, voice, clips, folder=tmp_path / folder, config=few)
        assert isinstance(last, Finished)
        results.append(last.result)
    tuned: Tuned = results[0]
    assert tuned.figures["held_out_loss_after"] <= tuned.figures["held_out_loss_before"]
    assert tuned.tensors and all(name.startswith("adapter.acoustic.") for name in tuned.tensors)
    assert all(np.array_equal(value, results[1].tensors[name]) for name, value in tuned.tensors.items())
    assert all(torch.equal(value, before[name]) for name, value in models.acoustic.state_dict().items())
    assert all(torch.equal(value, frozen[name]) for name, value in content.state_dict().items())
    adapt(models, {**voice.tensors, **tuned.tensors})
    with pytest.raises(BadAudio, match="single utterance"):
        list(tune_by_units(models, content, voice, clips[:1], folder=tmp_path, config=few))


def test_a_last_layer_without_words(
    synthesizer: NativeSynthesizer, content: ContentModel, clips: list[AudioClip], voice: Voice
) -> None:
    readout = readout_by_units(synthesizer, content, clips, voice)
    leave = synthesizer.models.acoustic.leave
    assert readout.shape == (leave.weight.shape[0], leave.weight.shape[1] + 1)
    assert np.abs(readout.astype(np.float32)).max() > 0
    adapt(synthesizer.models, {**voice.tensors, READOUT: readout})
