"""Few-shot tuning without a transcript: the content encoder tells what is said, so a minute of speech is enough.

What learns, how long and by which measure is as in `yinse.train.tune`, except that the GPT stays as it is: manner is
learned from phonemes, and there are none.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from yinse.audio.measure import fill_unvoiced
from yinse.core.errors import BadAudio
from yinse.core.events import Event
from yinse.core.types import AudioClip, FloatArray
from yinse.models.acoustic import AcousticModel
from yinse.models.analysis import analyse
from yinse.models.content import ContentModel, relative
from yinse.models.low_rank import add_low_rank
from yinse.models.spectrogram import LogMel
from yinse.models.voice_condition import VoiceCondition, trusted_bins, voice_condition
from yinse.train.loop import Losses
from yinse.train.recipes.acoustic import drawing_losses, pad_frames
from yinse.train.tune import TuneConfig, TunedParts, apart, learn, share_of, tuned_names
from yinse.voices.voice import Voice
from yinse.weights.native import NativeModels, adapt


@dataclass(frozen=True)
class Heard:
    """A clip of which it is not known what is said: log-mel `(T_mel, M)` relative to the person's mean spectrum,
    natural log of F0 `(T_mel,)`, 0 where unvoiced, and units `(U, T_mel)`."""

    mel: FloatArray
    log_f0: FloatArray
    units: FloatArray


class UnitTask:
    """Windows of one person, read by units.

    Args:
        speech: what is trained on.
        condition: of the voice with the noise floor of its recordings.
        trusted: boolean `(M,)`, bins that the recordings have.
        content: the content encoder, which stays as it is.
        config: how.
    """

    def __init__(
        self,
        speech: Sequence[Heard],
        condition: VoiceCondition,
        trusted: np.ndarray,
        content: ContentModel,
        config: TuneConfig,
    ) -> None:
        self.speech, self.condition, self.trusted = list(speech), condition, trusted
        self.content, self.config = content, config
        lengths = np.array([len(item.mel) for item in self.speech], dtype=np.float64)
        self.weights = lengths / lengths.sum()

    def batch(self, step: int) -> Mapping[str, Tensor]:
        """Random windows."""
        random = np.random.default_rng((self.config.seed, step))
        picks = random.choice(len(self.speech), self.config.batch_size, p=self.weights)
        return self._windows([self.speech[i] for i in picks], random, jitter=0.15)

    def losses(self, model: nn.Module, batch: Mapping[str, Tensor], step: int) -> Losses:
        """The acoustic losses."""
        assert isinstance(model, TunedParts)
        return unit_losses(model.acoustic, self.content, batch)

    @torch.inference_mode()
    def held_out_loss(self, model: TunedParts, speech: Sequence[Heard]) -> float:
        """Mean loss of clips not trained on: the same windows and noise every time."""
        random = np.random.default_rng(self.config.seed)
        batch = self._windows([item for item in speech for _ in range(2)], random, jitter=0.0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed)
            return float(unit_losses(model.acoustic, self.content, batch)["loss"])

    def _windows(self, speech: Sequence[Heard], random: np.random.Generator, *, jitter: float) -> dict[str, Tensor]:
        rows = [self._window(item, random, jitter=jitter) for item in speech]
        return {name: torch.from_numpy(np.stack([row[name] for row in rows]).astype(np.float32)) for name in rows[0]}

    def _window(self, item: Heard, random: np.random.Generator, *, jitter: float) -> dict[str, np.ndarray]:
        measure, frames = self.condition.measure, self.config.window_frames
        start = int(random.integers(max(1, len(item.mel) - frames + 1)))
        here = slice(start, min(start + frames, len(item.mel)))
        melody = fill_unvoiced(item.log_f0)[here]
        vector = self.condition.speaker[0].numpy()
        return {
            "speaker": vector + random.normal(0, jitter / np.sqrt(len(vector)), len(vector)),
            "measures": self.condition.measures[0].numpy(),
            "units": pad_frames(item.units.T[here], frames).T,
            "mel": pad_frames(item.mel[here], frames).T,
            "log_f0": pad_frames(melody, frames),
            "f0": pad_frames((melody - measure.log_f0_median) / measure.log_f0_spread, frames),
            "voicing": pad_frames((item.log_f0[here] > 0).astype(np.float32), frames),
            "valid": pad_frames(np.ones(len(melody), dtype=np.float32), frames),
            "trusted": self.trusted,
        }


@dataclass(frozen=True)
class _Told:
    """Speaker vectors `(B, G)` and measures `(B, MEASURES)` of a batch."""

    speaker: Tensor
    measures: Tensor


def unit_losses(acoustic: AcousticModel, content: ContentModel, batch: Mapping[str, Tensor]) -> Losses:
    """The acoustic losses of a batch that is read by its units."""
    condition = acoustic.condition(_Told(batch["speaker"], batch["measures"]))
    frames = content.frames(batch["units"], condition)
    voicing = batch["voicing"]
    drawn = acoustic.follow(frames, condition, batch["log_f0"], batch["f0"] * voicing, voicing)
    return drawing_losses(acoustic, drawn, batch, texture=False)


def tune_by_units(
    models: NativeModels,
    content: ContentModel,
    voice: Voice,
    clips: Sequence[AudioClip],
    *,
    folder: Path,
    config: TuneConfig | None = None,
) -> Iterator[Event]:
    """Adapt the acoustic model to a voice; the last event holds a `Tuned`.

    Args:
        models: the base set; not changed.
        content: its content encoder.
        voice: as enrolled, without an adapter.
        clips: utterances of about 2 to 12 s.
        folder: where the state is kept; killed and run again with the same input, it goes on from there.
        config: how.

    Raises:
        BadAudio: there are fewer than two clips.
    """
    config = config or TuneConfig()
    if len(clips) < 2:
        raise BadAudio("a single utterance is too little to tune on", advice="Record a few sentences.")
    condition = voice_condition(voice.tensors, floor_depth=voice.tensors["floor_depth"])
    language = voice.languages[0] if len(voice.languages) == 1 else None
    speech = hear(models, content, clips, condition, language=language)
    kept, held_out = apart(speech, config.held_out_share)
    torch.manual_seed(config.seed)
    enrolled = adapt(models, voice.tensors)
    parts = TunedParts(copy.deepcopy(enrolled.acoustic), copy.deepcopy(enrolled.prosody).requires_grad_(False))
    add_low_rank(parts.acoustic, tuned_names(parts.acoustic, config.acoustic_parts), rank=config.rank)
    trusted = trusted_bins(models.config.spectrogram, voice.bandwidth_hz).astype(np.float32)
    task = UnitTask(kept, condition, trusted, content, config)
    learned = [item.mel for item in kept]
    share = share_of(voice, config)
    yield from learn(parts, task, held_out, learned, folder=folder, config=config, share=share)


@torch.inference_mode()
def hear(
    models: NativeModels,
    content: ContentModel,
    clips: Sequence[AudioClip],
    condition: VoiceCondition,
    *,
    language: str | None,
) -> list[Heard]:
    """Clips of one person with their units."""
    log_mel, measure = LogMel(models.config.spectrogram), condition.measure
    speech = []
    for clip in clips:
        seen = analyse(clip, log_mel)
        mel, *others = relative(seen, measure, language=language)
        units = content.units(mel, *others)[0].numpy()
        speech.append(Heard(np.ascontiguousarray(mel[0].T.numpy()), seen.log_f0, units))
    return speech
