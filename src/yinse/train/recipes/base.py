"""Base training, stage after stage: each reads what those before it left in the work folder and can be run again.

prepare    recordings               → features
transcribe features                 → texts of clips that had none (only with a recogniser)
align      features, texts          → aligner, durations
vary       features, durations      → the same at other speeds, as further speakers
speaker    features                 → speaker encoder
acoustic   durations, encoder       → acoustic model
prosody    durations, encoder       → prosody GPT
vocoder    features                 → vocoder
content    durations, acoustic      → content encoder
assemble   all of these             → a model folder (`yinse.train.recipes.assemble`)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from safetensors.numpy import load_file
from torch import Tensor, nn

from yinse.audio.measure import fill_unvoiced
from yinse.core.errors import CheckpointKeys
from yinse.core.events import Event, Finished, relay
from yinse.core.types import FloatArray
from yinse.corpus.transcriber import FasterWhisper
from yinse.models.acoustic import AcousticModel
from yinse.models.aligner import Aligner
from yinse.models.content import ContentConfig
from yinse.models.context import load_context
from yinse.models.hifigan import HifiGanConfig
from yinse.models.native_config import NativeConfig, build_vocoder
from yinse.models.prosody import ProsodyGPT
from yinse.models.speaker import SpeakerEncoder
from yinse.models.voice_condition import trusted_bins
from yinse.train.board import Board
from yinse.train.clip_context import ClipContext
from yinse.train.features import Clip, load_clips, save_json, speaker_files
from yinse.train.held_out import HeldOut, Listen, Look, Watch
from yinse.train.loop import LoopConfig, Task, TrainingState, averaged_weights, read_progress, train
from yinse.train.recipes.acoustic import (
    AcousticTask,
    Speech,
    SpeechData,
    acoustic_losses,
    collate,
    cut_window,
    inputs_of,
)
from yinse.train.recipes.align import align, load_aligned, train_aligner
from yinse.train.recipes.content import ContentTask, ContentTraining, content_losses
from yinse.train.recipes.hifigan import HifiGanTask, HifiGanTraining
from yinse.train.recipes.prepare import prepare
from yinse.train.recipes.prosody import ProsodyTask
from yinse.train.recipes.speaker import SpeakerTask, teach
from yinse.train.recipes.transcribe import read_transcripts, transcribe
from yinse.train.recipes.vary import vary
from yinse.train.recipes.vocoder import VocoderTask
from yinse.train.references import NARROW_BAND_HZ, Reference
from yinse.train.work import Work, needed

LOOPS: Mapping[str, LoopConfig] = MappingProxyType(
    {
        "speaker": LoopConfig(steps=1200, learning_rate=2e-3, weight_decay=0.02, report_every_steps=100),
        "acoustic": LoopConfig(steps=6500, learning_rate=1e-3, decay_from=0.35, ema_decay=0.999),
        "prosody": LoopConfig(steps=2200, learning_rate=1.5e-3, weight_decay=0.05, report_every_steps=25),
        "vocoder": LoopConfig(steps=2400, learning_rate=1e-3, gradient_clip=5.0),
        "content": LoopConfig(steps=13_000, learning_rate=1.5e-3, decay_from=0.35, ema_decay=0.999),
    }
)
"""How the shipped set was trained (docs/log.md)."""
ADVERSARIAL_LOOP = LoopConfig(steps=400_000, learning_rate=2e-4, gradient_clip=1000.0, decay_from=0.5)
"""Instead of the vocoder's, for HiFi-GAN."""

_VOCODER_CLIPS = 20
"""Of each speaker: more would not fit into memory, and a vocoder needs breadth."""
_WATCHED_CLIPS = 4
_WATCHED_FRAMES = 200
_WATCHED_SENTENCES = 8
_SOUND_FLOW_STEPS, _SOUND_TEMPERATURE = 4, 0.2


@dataclass(frozen=True)
class BaseRun:
    """What all stages share.

    Attributes:
        data: folder of packs.
        work: what the stages leave.
        sizes: of all parts.
        loops: how each network is trained.
        tensorboard: whether curves and sounds are written.
        jobs: processes that prepare recordings.
        recogniser: folder of a faster-whisper model, or its name in the hub's cache; without it clips that came
            without a text teach speaker encoder and vocoder only.
        content: the content encoder, as far as `sizes` do not decide.
    """

    data: Path
    work: Work
    sizes: NativeConfig
    loops: Mapping[str, LoopConfig]
    tensorboard: bool = False
    jobs: int = 2
    recogniser: str | None = None
    content: ContentConfig = ContentConfig()


def prepare_recordings(run: BaseRun) -> Iterator[Event]:
    """Stage 1: features of those trained on and of those who stay unheard."""
    for held_out in (False, True):
        out, spectrogram = run.work.features(held_out=held_out), run.sizes.spectrogram
        yield from relay(prepare(run.data, out, held_out=held_out, jobs=run.jobs, spectrogram=spectrogram))
    yield Finished(None)


def transcribe_rest(run: BaseRun) -> Iterator[Event]:
    """Stage 2: texts of training clips without one, if a recogniser was named."""
    work = run.work
    if run.recogniser:
        features, rate = needed(work.features(), "prepare"), run.sizes.spectrogram.sample_rate_hz
        listener = FasterWhisper(run.recogniser)
        yield from relay(transcribe(features, work.transcripts, transcriber=listener, sample_rate_hz=rate))
    yield Finished(None)


def align_transcripts(run: BaseRun) -> Iterator[Event]:
    """Stage 3: the aligner, unless it is there, and durations of all clips."""
    work = run.work
    features = needed(work.features(), "prepare")
    if not work.aligner.exists():
        yield from relay(train_aligner(features, work.aligner, config=run.sizes.aligner))
    aligner = Aligner.from_state_dict(load_file(str(work.aligner)), config=run.sizes.aligner)
    for held_out in (False, True):
        out = work.alignments(held_out=held_out)
        texts = {} if held_out else read_transcripts(work.transcripts)
        yield from relay(align(work.features(held_out=held_out), out, aligner=aligner, transcripts=texts))
    yield Finished(None)


def vary_speakers(run: BaseRun) -> Iterator[Event]:
    """Stage 4: aligned speakers at other speeds."""
    features, alignments = (needed(path, "align") for path in (run.work.features(), run.work.alignments()))
    yield from relay(vary(features, alignments, run.work.varied, spectrogram=run.sizes.spectrogram))
    yield Finished(None)


def train_speaker(run: BaseRun) -> Iterator[Event]:
    """Stage 5: the speaker encoder; its teacher is asked once."""
    work, loop = run.work, run.loops["speaker"]
    for held_out in (False, True):
        features, vectors = work.features(held_out=held_out), work.teacher_vectors(held_out=held_out)
        if not vectors.exists():
            needed(features, "prepare")
            yield from relay(teach(features, vectors, spectrogram=run.sizes.spectrogram))
    task = SpeakerTask(work.features(), work.teacher_vectors())
    torch.manual_seed(loop.seed)
    model = SpeakerEncoder(run.sizes.speaker)
    targets = load_file(str(work.teacher_vectors(held_out=True)))

    def look(clips: Sequence[Clip]) -> Look:
        def losses(model: nn.Module) -> Mapping[str, Tensor]:
            assert isinstance(model, SpeakerEncoder)
            found = np.stack([model.embed([clip.mel]) for clip in clips])
            distance = 1 - (found * np.stack([targets[clip.id] for clip in clips])).sum(axis=1).mean()
            return {"distance": torch.tensor(distance)}

        return losses

    looks = {}
    for path in speaker_files(work.features(held_out=True)):
        if clips := [clip for clip in load_clips(path, limit=_WATCHED_CLIPS) if clip.id in targets]:
            looks[f"{clips[0].pack}/{clips[0].speaker}"] = look(clips)
    yield from _train(run, "speaker", model, task, HeldOut(looks))


def train_acoustic(run: BaseRun) -> Iterator[Event]:
    """Stage 6: the acoustic model."""
    loop = run.loops["acoustic"]
    data, held_out = (speech_data(run, held_out=held_out) for held_out in (False, True))
    torch.manual_seed(loop.seed)
    model = AcousticModel(run.sizes.acoustic)
    random = np.random.default_rng(loop.seed)

    def look(speech: Sequence[Speech]) -> Look:
        rows = [
            cut_window(item, _reference(held_out, item), _WATCHED_FRAMES, random, augment=False)
            for item in speech[:_WATCHED_CLIPS]
        ]
        batch = _on_device(collate(rows), loop)

        def losses(model: nn.Module) -> Mapping[str, Tensor]:
            assert isinstance(model, AcousticModel)
            return acoustic_losses(model, batch)

        return losses

    looks = {f"{pack}/{speaker}": look(speech) for pack, speaker, speech in _speakers(held_out)}
    heard = HeldOut(looks, _acoustic_sounds(run, held_out), run.sizes.spectrogram.sample_rate_hz)
    yield from _train(run, "acoustic", model, AcousticTask(data, seed=loop.seed), heard)


def train_prosody(run: BaseRun) -> Iterator[Event]:
    """Stage 7: the prosody GPT, and the projection of its context if it reads a language model."""
    loop, config = run.loops["prosody"], run.sizes.prosody
    data, held_out = (speech_data(run, held_out=held_out) for held_out in (False, True))
    context = ClipContext(load_context(config.language_model, width=config.language_model_size, device=loop.device))
    torch.manual_seed(loop.seed)
    model = ProsodyGPT(config)

    def look(pack: str, speaker: str) -> Look:
        own = held_out.only(pack, speaker)
        task = ProsodyTask(own, config, batch_size=_WATCHED_SENTENCES, seed=loop.seed, augment=False, context=context)
        batch = _on_device(task.batch(0), loop)
        return lambda model: task.losses(model, batch, 0)

    looks = {f"{pack}/{speaker}": look(pack, speaker) for pack, speaker, _ in _speakers(held_out)}
    # short windows: on a processor attention over 240 phonemes costs more than it teaches
    task = ProsodyTask(data, config, batch_size=12, longest=150, seed=loop.seed, context=context)
    yield from _train(run, "prosody", model, task, HeldOut(looks))


def train_vocoder(run: BaseRun) -> Iterator[Event]:
    """Stage 8: the vocoder, source-filter or HiFi-GAN."""
    loop, config = run.loops["vocoder"], run.sizes.vocoder
    adversarial = isinstance(config, HifiGanConfig)
    make_task = HifiGanTask if adversarial else VocoderTask
    hop = run.sizes.spectrogram.hop_samples
    files = speaker_files(needed(run.work.features(), "prepare"))
    clips = [clip for path in files for clip in load_clips(path, with_samples=True, limit=_VOCODER_CLIPS)]
    torch.manual_seed(loop.seed)
    model = HifiGanTraining(config) if isinstance(config, HifiGanConfig) else build_vocoder(config)

    task = make_task(clips, hop_samples=hop, seed=loop.seed)

    def look(own: Sequence[Clip]) -> Look:
        batch = _on_device(make_task(own, hop_samples=hop, batch_size=_WATCHED_CLIPS, seed=loop.seed).batch(0), loop)
        return lambda model: task.losses(model, batch, 0)

    looks, sounds = {}, {}
    for path in speaker_files(run.work.features(held_out=True)):
        own = load_clips(path, with_samples=True, limit=_WATCHED_CLIPS)
        looks[f"{own[0].pack}/{own[0].speaker}"] = look(own)
        sounds[own[0].pack] = own[0]
    heard = HeldOut(looks, _vocoder_sounds(run, sounds), run.sizes.spectrogram.sample_rate_hz)
    yield from _train(run, "vocoder", model, task, heard)


def content_sizes(run: BaseRun) -> ContentConfig:
    """Sizes of the content encoder: it fits the acoustic model and hears what narrow-band recordings have."""
    heard = int(trusted_bins(run.sizes.spectrogram, NARROW_BAND_HZ).sum())
    acoustic = run.sizes.acoustic
    return replace(run.content, mel_bins=heard, condition=acoustic.condition, hidden=acoustic.channels)


def train_content(run: BaseRun) -> Iterator[Event]:
    """Stage 9: the content encoder, taught by the acoustic model."""
    loop = run.loops["content"]
    data, held_out = (speech_data(run, held_out=held_out) for held_out in (False, True))
    teacher = AcousticModel(run.sizes.acoustic)
    load_averaged(teacher, needed(run.work.checkpoint("acoustic"), "acoustic"))
    teacher.to(loop.device)
    torch.manual_seed(loop.seed)
    model = ContentTraining(content_sizes(run))

    def look(pack: str, speaker: str) -> Look:
        own = held_out.only(pack, speaker)
        task = ContentTask(own, teacher, batch_size=_WATCHED_CLIPS, seed=loop.seed, augment=False)
        batch = _on_device(task.batch(0), loop)

        def losses(model: nn.Module) -> Mapping[str, Tensor]:
            assert isinstance(model, ContentTraining)
            return content_losses(model, teacher, batch)

        return losses

    looks = {f"{pack}/{speaker}": look(pack, speaker) for pack, speaker, _ in _speakers(held_out)}
    yield from _train(run, "content", model, ContentTask(data, teacher, seed=loop.seed), HeldOut(looks))


STAGES: Mapping[str, Callable[[BaseRun], Iterator[Event]]] = MappingProxyType(
    {
        "prepare": prepare_recordings,
        "transcribe": transcribe_rest,
        "align": align_transcripts,
        "vary": vary_speakers,
        "speaker": train_speaker,
        "acoustic": train_acoustic,
        "prosody": train_prosody,
        "vocoder": train_vocoder,
        "content": train_content,
    }
)


def load_averaged(model: nn.Module, path: Path, *, prefix: str = "") -> None:
    """Put the averaged weights of a checkpoint into a model, in evaluation mode.

    Raises:
        CheckpointKeys: they do not fit.
    """
    weights = {n.removeprefix(prefix): w for n, w in averaged_weights(path).items() if n.startswith(prefix)}
    wanted = model.state_dict()
    missing = [n for n, w in wanted.items() if n not in weights or weights[n].shape != w.shape]
    unexpected = weights.keys() - wanted.keys()
    if missing or unexpected:
        raise CheckpointKeys(str(path), missing=missing, unexpected=unexpected)
    model.load_state_dict(weights)
    model.eval().requires_grad_(False)


def load_vocoder(run: BaseRun) -> nn.Module:
    """The vocoder as far as it was trained; with fresh weights, which speak roughly, if it was not."""
    vocoder = build_vocoder(run.sizes.vocoder).eval()
    path = run.work.checkpoint("vocoder")
    if path.exists():
        load_averaged(vocoder, path, prefix="vocoder." if isinstance(run.sizes.vocoder, HifiGanConfig) else "")
    return vocoder


def speech_data(run: BaseRun, *, held_out: bool) -> SpeechData:
    """Aligned speech, its speakers as the trained encoder hears them: as it will be when a voice is cloned.

    Args:
        run: tells where it is.
        held_out: of those who stay unheard; of the others also at other speeds.
    """
    work = run.work
    encoder = SpeakerEncoder(run.sizes.speaker)
    load_averaged(encoder, needed(work.checkpoint("speaker"), "speaker"))
    alignments = needed(work.alignments(held_out=held_out), "align")
    aligned = load_aligned(work.features(held_out=held_out), alignments)
    if not held_out:
        aligned = chain(aligned, load_aligned(*work.varied))
    heard: dict[str, FloatArray] = {}

    def embed(clips: Sequence[Clip]) -> FloatArray:
        for clip in clips:
            # clips serve in several references: each is listened to once
            if (key := f"{clip.pack}/{clip.speaker}/{clip.id}") not in heard:
                heard[key] = encoder.segments(clip.mel)
        return encoder.pool([heard[f"{clip.pack}/{clip.speaker}/{clip.id}"] for clip in clips])

    return SpeechData(aligned, embed, spectrogram=run.sizes.spectrogram, references=1 if held_out else 6)


def _train(run: BaseRun, stage: str, model: nn.Module, task: Task, held_out: HeldOut) -> Iterator[Event]:
    """Run the loop, looking at unheard speakers; how it was run is kept beside its checkpoint."""
    loop, folder = run.loops[stage], run.work.stage(stage)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = run.work.checkpoint(stage)
    if not checkpoint.exists() or read_progress(checkpoint)["step"] < loop.steps:
        save_json(folder / "loop.json", asdict(loop))
    board = Board(folder / "tensorboard") if run.tensorboard else None
    watch = Watch(held_out, loop, folder=folder, stage=stage, board=board)
    events = train(
        model, task, config=loop, folder=folder, stage=stage, on_report=watch.report, on_checkpoint=watch.look
    )
    try:
        state: TrainingState = yield from relay(events)
        if not watch.has_seen(state.step):
            yield from watch.look(state)
        yield Finished(state)
    finally:
        if board:
            board.close()


def _speakers(data: SpeechData) -> Iterator[tuple[str, str, list[Speech]]]:
    for pack, speakers in data.speech.items():
        for speaker, speech in speakers.items():
            yield pack, speaker, speech


def _reference(data: SpeechData, speech: Speech) -> Reference:
    return data.references[speech.clip.speaker, speech.clip.language][0]


def _on_device(batch: Mapping[str, Tensor], loop: LoopConfig) -> dict[str, Tensor]:
    return {name: value.to(loop.device) for name, value in batch.items()}


def _vocoder_sounds(run: BaseRun, clips: Mapping[str, Clip]) -> Listen:
    """A clip of each pack, from its own mel."""
    loop = run.loops["vocoder"]
    batches = {
        pack: _on_device(
            {
                "mel": torch.from_numpy(clip.mel.T.astype(np.float32))[None],
                "log_f0": torch.from_numpy(fill_unvoiced(clip.log_f0))[None],
                "voicing": torch.from_numpy((clip.log_f0 > 0).astype(np.float32))[None],
            },
            loop,
        )
        for pack, clip in clips.items()
    }

    def listen(model: nn.Module) -> Mapping[str, FloatArray]:
        generator = torch.Generator().manual_seed(loop.seed)
        return {pack: model(**batch, generator=generator)[0].cpu().numpy() for pack, batch in batches.items()}

    return listen


def _acoustic_sounds(run: BaseRun, data: SpeechData) -> Listen:
    """A clip of each pack, spoken with its own durations and melody."""
    loop = run.loops["acoustic"]
    chosen = {pack: next(iter(speakers.values()))[0] for pack, speakers in data.speech.items()}

    def listen(model: nn.Module) -> Mapping[str, FloatArray]:
        assert isinstance(model, AcousticModel)
        vocoder = load_vocoder(run).to(loop.device)
        sounds = {}
        for pack, speech in chosen.items():
            reference, frames = _reference(data, speech), len(speech.clip.mel)
            random, generator = np.random.default_rng(loop.seed), torch.Generator().manual_seed(loop.seed)
            row = cut_window(speech, reference, frames, random, augment=False)
            batch = _on_device(collate([row]), loop)
            trunk, _, _ = model(inputs_of(batch), batch["log_f0"], batch["f0"] * batch["voicing"], batch["voicing"])
            mel = model.refine(trunk, steps=_SOUND_FLOW_STEPS, temperature=_SOUND_TEMPERATURE, generator=generator)
            mel = mel + torch.from_numpy(reference.measure.mean_spectrum)[:, None].to(mel)
            samples = vocoder(mel, batch["log_f0"], batch["voicing"], generator=generator)
            sounds[pack] = samples[0].cpu().numpy()
        return sounds

    return listen
