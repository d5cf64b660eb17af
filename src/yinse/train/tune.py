"""Few-shot tuning: a minute of speech with its words → low-rank updates for one voice.

The base stays as it is, bit for bit. What learns are low-rank updates of the acoustic model (trunk, melody, the
speaker's condition) and of the GPT's upper layers, under a tenth of the set's parameters. The flow decoder only adds
texture and stays too. A part of the minute is kept apart: its loss chooses the best moment and ends the training.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from yinse.audio.measure import SpeakerMeasure, fill_unvoiced, phoneme_prosody
from yinse.core.errors import BadAudio
from yinse.core.events import Event, Finished, Progress, Warned, relay
from yinse.core.types import AudioClip
from yinse.corpus.sampling import coverage_weights
from yinse.corpus.spoken_units import take_apart
from yinse.corpus.voice_units import figures_of_units
from yinse.models.acoustic import AcousticModel
from yinse.models.analysis import analyse
from yinse.models.context import ContextEncoder, NoContext
from yinse.models.low_rank import add_low_rank, low_rank_state
from yinse.models.prosody import ProsodyGPT, ProsodyInput, encode_prosody
from yinse.models.spectrogram import LogMel
from yinse.models.symbol_ids import symbol_ids
from yinse.models.voice_condition import trusted_bins, voice_condition
from yinse.text.phonemes import phonemize
from yinse.text.symbols import BOUNDARIES, SYMBOLS
from yinse.train.clip_context import ClipContext
from yinse.train.features import Clip
from yinse.train.loop import LoopConfig, Losses, Task, TrainingState, read_checkpoint, save_checkpoint, train
from yinse.train.recipes.acoustic import Speech, acoustic_losses, collate, cut_window
from yinse.train.references import Reference
from yinse.train.sound_losses import losses_by_sound
from yinse.voices.voice import ADAPTER_PREFIX, TOLD_VECTOR, Voice
from yinse.weights.native import NativeModels, adapt

_Speech = TypeVar("_Speech")
_Speech_contra = TypeVar("_Speech_contra", contravariant=True)


@dataclass(frozen=True)
class TuneConfig:
    """How a voice is tuned; chosen on the development speakers (docs/log.md).

    Attributes:
        rank: of the updates.
        steps: at most.
        learning_rate: of AdamW.
        batch_size, window_frames: windows per step.
        held_out_share: of the minute, kept apart (whole clips, at least one).
        patience: validations without a better one before it ends.
        validate_every: steps.
        acoustic_parts: of the acoustic model that are tuned; what reads the text stays as it is, for a minute holds too
            few sounds to learn it from.
        upper_layers: of the GPT that are tuned.
        typical_share: of what was learned that a voice keeps where the networks are told a typical speaker: part of an
            update keeps most of the likeness and loses fewer words (Wortsman et al., "Robust fine-tuning of zero-shot
            models", 2022). Other voices keep all of it.
        lowest_confidence: clips whose transcript fits worse are left out with a warning.
        rare_sounds: how far clips with rare phonemes are drawn more often, 0 (not at all) to 1; see
            `coverage_weights`.
    """

    rank: int = 16
    steps: int = 160
    learning_rate: float = 1e-3
    batch_size: int = 4
    window_frames: int = 200
    held_out_share: float = 0.12
    patience: int = 3
    validate_every: int = 20
    acoustic_parts: tuple[str, ...] = ("voice.", "melody.", "source.", "trunk_blocks.", "leave.")
    upper_layers: int = 2
    typical_share: float = 0.25
    lowest_confidence: float = -7.5
    rare_sounds: float = 0.0
    seed: int = 1


@dataclass(frozen=True)
class Tuned:
    """The result: tensors to merge into the voice (`adapter.*`), and the held-out losses before and after."""

    tensors: Mapping[str, np.ndarray]
    figures: Mapping[str, float]


class TunedParts(nn.Module):
    """The parts that learn, as one module."""

    def __init__(self, acoustic: AcousticModel, prosody: ProsodyGPT) -> None:
        super().__init__()
        self.acoustic, self.prosody = acoustic, prosody


def tuned_names(acoustic: AcousticModel, parts: Sequence[str]) -> list[str]:
    """Weights of these parts of the acoustic model that get updates: its larger convolutions and linear layers."""
    return [
        name
        for name, weight in acoustic.named_parameters()
        if name.startswith(tuple(parts)) and weight.dim() >= 2 and min(weight.shape[0], weight[0].numel()) >= 64
    ]


def upper_names(prosody: ProsodyGPT, layers: int) -> list[str]:
    """Weights of the GPT's upper layers."""
    first = len(prosody.blocks) - layers
    return [
        f"blocks.{index}.{name}.weight"
        for index in range(first, len(prosody.blocks))
        for name in ("query_key_value", "output", "feed_in", "feed_out")
    ]


class TuningTask(Task, Protocol[_Speech_contra]):
    """Batches and losses of one person, and what clips kept apart say."""

    def held_out_loss(self, model: TunedParts, speech: Sequence[_Speech_contra]) -> float:
        """Mean loss of clips not trained on: the same windows and noise every time."""
        ...


class TuneTask:
    """Windows and sentences of one person."""

    def __init__(
        self,
        speech: Sequence[Speech],
        reference: Reference,
        models: NativeModels,
        config: TuneConfig,
        *,
        context: ContextEncoder,
    ) -> None:
        self.speech, self.reference, self.models, self.config = list(speech), reference, models, config
        self.context = ClipContext(context)
        symbols = [[SYMBOLS[i] for i in item.ids.symbols if SYMBOLS[i] not in BOUNDARIES] for item in self.speech]
        lengths = [len(item.clip.mel) for item in self.speech]
        self.weights = coverage_weights(symbols, lengths, power=config.rare_sounds)
        self.factors = self.weights / coverage_weights(symbols, lengths, power=0.0)

    def batch(self, step: int) -> Mapping[str, Tensor]:
        """Windows for the acoustic model; `sentence` is the clip whose prosody the GPT learns in this step."""
        random = np.random.default_rng((self.config.seed, step))
        picks = random.choice(len(self.speech), self.config.batch_size, p=self.weights)
        rows = [
            cut_window(self.speech[i], self.reference, self.config.window_frames, random, augment=True, narrow=False)
            for i in picks
        ]
        return {**collate(rows), "sentence": torch.tensor(int(picks[0]))}

    def losses(self, model: nn.Module, batch: Mapping[str, Tensor], step: int) -> Losses:
        """The acoustic losses and, at a tenth, the GPT's."""
        assert isinstance(model, TunedParts)
        losses = acoustic_losses(model.acoustic, {k: v for k, v in batch.items() if k != "sentence"}, texture=False)
        prosody = self.prosody_loss(model.prosody, self.speech[int(batch["sentence"])])
        return {**losses, "loss": losses["loss"] + 0.1 * prosody, "prosody": prosody}

    def prosody_loss(self, prosody: ProsodyGPT, speech: Speech) -> Tensor:
        """Cross-entropy of one sentence's prosody tokens."""
        spoken = phoneme_prosody(speech.clip.mel, speech.clip.log_f0, speech.durations, measure=self.reference.measure)
        tokens = torch.from_numpy(encode_prosody(spoken, prosody.config))[None]
        inputs = ProsodyInput(
            symbols=torch.from_numpy(speech.ids.symbols)[None],
            bases=torch.from_numpy(speech.ids.bases)[None],
            tones=torch.from_numpy(speech.ids.tones)[None],
            speaker=torch.from_numpy(self.reference.speaker)[None],
            measures=torch.from_numpy(self.reference.measures)[None],
            context=torch.from_numpy(self.context.of(speech.clip))[None] if self.context.width else None,
        )
        logits = prosody(inputs, tokens)
        return torch.stack(
            [nn.functional.cross_entropy(part[0].float(), tokens[0, :, i]) for i, part in enumerate(logits)]
        ).mean()

    @torch.inference_mode()
    def held_out_loss(self, model: TunedParts, speech: Sequence[Speech]) -> float:
        """Mean loss of clips not trained on: the same windows and noise every time."""
        random = np.random.default_rng(self.config.seed)
        rows = [
            cut_window(item, self.reference, self.config.window_frames, random, augment=False, narrow=False)
            for item in speech
            for _ in range(2)
        ]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed)
            return float(acoustic_losses(model.acoustic, collate(rows), texture=False)["loss"])


def prepare_speech(
    models: NativeModels, voice: Voice, clips: Sequence[AudioClip], transcripts: Sequence[str], *, config: TuneConfig
) -> tuple[list[Speech], Reference, list[str]]:
    """Aligned clips of one person, what the models are told of them, and warnings.

    Raises:
        BadAudio: fewer than two clips can be used.
    """
    log_mel = LogMel(models.config.spectrogram)
    analyses = [analyse(clip, log_mel) for clip in clips]
    texts = [phonemize(text) for text in transcripts]
    mels = [a.mel for a in analyses]
    found = models.aligner.align(mels, [t.symbols for t in texts])
    condition = voice_condition(voice.tensors, floor_depth=voice.tensors["floor_depth"])
    measure: SpeakerMeasure = condition.measure
    reference = Reference(measure, condition.measures[0].numpy(), condition.speaker[0].numpy())
    trusted = trusted_bins(models.config.spectrogram, voice.bandwidth_hz)
    speech, warnings = [], []
    for index, (seen, text, alignment) in enumerate(zip(analyses, texts, found, strict=True)):
        if alignment is None or alignment.confidence < config.lowest_confidence:
            warnings.append(f"line {index + 1} of the transcript does not fit its recording: left out")
            continue
        clip = Clip(
            id=str(index), speaker="", pack="", text=transcripts[index], language="", punctuated=True, synthetic=False,
            bandwidth_hz=int(voice.bandwidth_hz), mel=seen.mel, log_f0=seen.log_f0, samples=np.zeros(0, dtype=np.int16),
        )  # fmt: skip
        melody = fill_unvoiced(seen.log_f0)
        speech.append(
            Speech(clip, symbol_ids(text.symbols), alignment.durations.astype(np.int64), melody, trusted, trusted)
        )
    if len(speech) < 2:
        raise BadAudio(
            "fewer than two utterances fit their transcripts", advice="Check the transcripts, or use --no-tune."
        )
    return speech, reference, warnings


def tune(
    models: NativeModels,
    voice: Voice,
    clips: Sequence[AudioClip],
    transcripts: Sequence[str],
    *,
    folder: Path,
    config: TuneConfig | None = None,
    context: ContextEncoder | None = None,
) -> Iterator[Event]:
    """Adapt the models to a voice; the last event holds a `Tuned`.

    Args:
        models: the base set; not changed.
        voice: as enrolled, without an adapter.
        clips: utterances of about 2 to 12 s.
        transcripts: what is said in each.
        folder: where the state is kept; killed and run again with the same input, it goes on from there.
        config: how.
        context: the language model that the set reads, if it reads one.

    Raises:
        BadAudio: fewer than two clips can be used.
    """
    config = config or TuneConfig()
    yield Progress("align", 0, 1)
    speech, reference, warnings = prepare_speech(models, voice, clips, transcripts, config=config)
    yield from (Warned(warning) for warning in warnings)
    kept, held_out = apart(speech, config.held_out_share)
    torch.manual_seed(config.seed)
    enrolled = adapt(models, voice.tensors)
    parts = TunedParts(copy.deepcopy(enrolled.acoustic), copy.deepcopy(enrolled.prosody))
    add_low_rank(parts.acoustic, tuned_names(parts.acoustic, config.acoustic_parts), rank=config.rank)
    add_low_rank(parts.prosody, upper_names(parts.prosody, config.upper_layers), rank=config.rank)
    task = TuneTask(kept, reference, models, config, context=context or NoContext())
    if config.rare_sounds:
        factors = zip(kept, task.factors, strict=True)
        told = ", ".join(f"{item.clip.text[:12]} x{factor:.2f}" for item, factor in factors)
        yield Progress("clips with rare sounds are drawn more often", 1, 1, told)
    learned = (item for clip in kept for item in (clip.clip.text.encode(), clip.clip.mel))
    best: Tuned = yield from relay(
        learn(parts, task, held_out, learned, folder=folder, config=config, share=share_of(voice, config))
    )
    tuned = adapt(models, {**voice.tensors, **best.tensors})
    figures = dict(best.figures)
    figures |= losses_by_sound(tuned.acoustic.eval(), held_out, reference).as_figures()
    figures |= figures_of_units([take_apart(item.clip.text) for item in speech])
    yield Finished(Tuned(best.tensors, figures))


def apart(speech: Sequence[_Speech], share: float) -> tuple[list[_Speech], list[_Speech]]:
    """Clips to learn from, and a share of them kept apart, at least one.

    They are evenly spread, not the ends: people tire and the first sentence is often different.
    """
    count = max(1, round(share * len(speech)))
    picked = {int(i) for i in np.linspace(0, len(speech) - 1, count + 2)[1:-1]}
    kept, held_out = ([s for i, s in enumerate(speech) if (i in picked) == wanted] for wanted in (False, True))
    return kept, held_out


def learn(
    parts: TunedParts,
    task: TuningTask[_Speech],
    held_out: Sequence[_Speech],
    learned: Iterable[bytes | np.ndarray],
    *,
    folder: Path,
    config: TuneConfig,
    share: float,
) -> Iterator[Event]:
    """Train the updates of `parts` until held-out clips gain no more; the last event holds a `Tuned`.

    Args:
        parts: with low-rank updates.
        task: batches and losses.
        held_out: clips kept apart.
        learned: what is learned from, told apart by content: the same goes on where it was.
        folder: where the state is kept.
        config: how.
        share: of what is learned that is kept; the losses reported are those of all of it.
    """
    key = _digest(learned, config)
    chooser = _Chooser(task, parts, held_out, folder / f"best-{key}.safetensors", config)
    loop = LoopConfig(
        steps=config.steps, learning_rate=config.learning_rate, warmup_steps=10, decay_from=0.3, ema_decay=0.9,
        weight_decay=0.0, checkpoint_every_s=15.0, report_every_steps=config.validate_every, seed=config.seed,
    )  # fmt: skip
    for event in train(parts, task, config=loop, folder=folder / f"state-{key}", on_validate=chooser.validate):
        if not isinstance(event, Finished):
            yield event
    best, record = read_checkpoint(chooser.path)
    figures = {"held_out_loss_before": record["before"], "held_out_loss_after": record["loss"], "steps": record["step"]}
    yield Finished(Tuned(kept_updates(best, share=share), figures))


def share_of(voice: Voice, config: TuneConfig) -> float:
    """What a voice keeps of the updates that are learned for it."""
    return config.typical_share if TOLD_VECTOR in voice.tensors else 1.0


def kept_updates(learned: Mapping[str, Tensor], *, share: float) -> dict[str, np.ndarray]:
    """A share of updates `PART.NAME.up` and `.down`, as tensors of a voice; an update is up · down: one carries it."""
    kept = {name: share * tensor if name.endswith(".up") else tensor for name, tensor in learned.items()}
    return {f"{ADAPTER_PREFIX}{name}": tensor.half().numpy() for name, tensor in kept.items()}


def _digest(learned: Iterable[bytes | np.ndarray], config: TuneConfig) -> str:
    digest = hashlib.sha256(repr(config).encode())
    for item in learned:
        digest.update(item if isinstance(item, bytes) else np.ascontiguousarray(item).tobytes())
    return digest.hexdigest()[:12]


class _Chooser(Generic[_Speech]):
    """Keeps the updates with the lowest held-out loss and says when to stop."""

    def __init__(
        self,
        task: TuningTask[_Speech],
        parts: TunedParts,
        held_out: Sequence[_Speech],
        path: Path,
        config: TuneConfig,
    ) -> None:
        self.task, self.parts, self.held_out, self.path, self.config = task, parts, held_out, path, config
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            before = task.held_out_loss(self.parts.eval(), held_out)
            self._save(before, before, 0)

    def validate(self, state: TrainingState) -> bool:
        """Whether to go on after a validation of the averaged updates."""
        _, record = read_checkpoint(self.path)
        if state.step <= record["step"]:
            return True
        with state.averaged():
            loss = self.task.held_out_loss(self.parts.eval(), self.held_out)
            if loss < record["loss"]:
                self._save(record["before"], loss, state.step)
                return True
        return state.step - record["step"] < self.config.patience * self.config.validate_every

    def _save(self, before: float, loss: float, step: int) -> None:
        updates = {
            f"{part}.{name}": tensor
            for part in ("acoustic", "prosody")
            for name, tensor in low_rank_state(getattr(self.parts, part)).items()
        }
        save_checkpoint(self.path, updates, {"before": before, "loss": loss, "step": step})
