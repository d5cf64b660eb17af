"""Stage 9: the content encoder, taught by the acoustic model that reads the transcript.

Three losses. The hidden frames of a recording, read in a random voice, shall be those which the acoustic model makes of
the transcript in that voice: who speaks in the recording is of no use for it. Spoken in its own voice, the recording
shall come back, though the encoder hears it with shifted formants, another microphone and noise. And the units tell
the phoneme. Now and then the language is told wrong, and the recording need only come back: so what hears Mandarin,
which synthetic speech alone teaches here, has heard recordings of people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from yinse.audio.measure import speech_frames
from yinse.core.types import FloatArray
from yinse.models.acoustic import AcousticModel
from yinse.models.content import ContentConfig, ContentModel, told_language
from yinse.models.spectrogram import SpectrogramConfig, hz_to_mel, mel_edges_hz
from yinse.text.symbols import SYMBOLS
from yinse.train.loop import Losses
from yinse.train.recipes.acoustic import SpeechData, collate, cut_window, inputs_of
from yinse.train.recipes.speaker import colour
from yinse.train.references import Reference

WARP = 0.14
"""How far formants are shifted, at most: about as far as a child's are from a man's."""
DRAWN = 1 / 3
"""Share of a batch that is spoken again in its own voice, for the trunk costs more than all else."""
MISLED = 0.5
"""How often a window that is spoken again is told to be in the other language."""
KNOWN = 0.85
"""How often the language is told. Untold, it would be guessed from the recording: who teaches Mandarin is synthetic."""
ECHO = 0.5
"""How often there is a room."""
OWN_MEAN = 0.4
"""How often a window is measured by itself, as a short recording has to be."""


class ContentTraining(nn.Module):
    """The content encoder, and the reader of its units that serves training only."""

    def __init__(self, config: ContentConfig) -> None:
        super().__init__()
        self.content = ContentModel(config)
        self.reader = nn.Conv1d(config.units, len(SYMBOLS), 1)

    def forward(self, mel: Tensor, f0: Tensor, voicing: Tensor, language: Tensor) -> Tensor:
        """Logits `(B, SYMBOLS, T_mel)` of the phoneme spoken in each frame; arguments as of `ContentModel.units`."""
        logits: Tensor = self.reader(self.content.units(mel, f0, voicing, language))
        return logits


def warped(mel: FloatArray, factor: float, spectrogram: SpectrogramConfig) -> FloatArray:
    """A log-mel `(T_mel, M)` of a speaker whose formants lie `factor` times as high."""
    centres = mel_edges_hz(spectrogram)[1:-1]
    edges = hz_to_mel(np.array([spectrogram.mel_min_hz, spectrogram.mel_max_hz]))
    step = (edges[1] - edges[0]) / (spectrogram.mel_bins + 1)
    place = np.clip((hz_to_mel(centres / factor) - edges[0]) / step - 1, 0, spectrogram.mel_bins - 1)
    below = np.minimum(place.astype(int), spectrogram.mel_bins - 2)
    weight = (place - below).astype(np.float32)
    return np.asarray(mel[:, below] * (1 - weight) + mel[:, below + 1] * weight, dtype=np.float32)


def disguised(mel: FloatArray, spectrogram: SpectrogramConfig, random: np.random.Generator) -> FloatArray:
    """A log-mel `(T_mel, M)`, relative to its speaker, as of another throat, microphone and room."""
    mel = warped(mel, float(np.exp(random.uniform(-WARP, WARP))), spectrogram)
    if random.random() < ECHO:
        mel = echoing(mel, decay=float(random.uniform(0.08, 0.5)), depth=float(random.uniform(1.0, 4.0)))
    mel = colour(mel, random)
    return recentred(mel) if random.random() < OWN_MEAN else mel


def echoing(mel: FloatArray, *, decay: float, depth: float) -> FloatArray:
    """A log-mel `(T_mel, M)` in a room: each sound lasts on `depth` nats below itself, falling `decay` nats a frame."""
    echo, heard = mel[0] - depth, mel.copy()
    for place, frame in enumerate(mel):
        heard[place] = np.logaddexp(frame, echo)
        echo = np.logaddexp(echo - decay, frame - depth - 1.0)
    return heard


def recentred(mel: FloatArray) -> FloatArray:
    """A log-mel `(T_mel, M)` relative to the mean of its own speech."""
    return mel - mel[speech_frames(mel)].mean(axis=0)


class ContentTask:
    """Windows of aligned speech, heard in disguise, and a voice to read each in.

    Args:
        data: aligned speech with references.
        acoustic: the teacher, which stays as it is.
        batch_size, window_frames: of a batch.
        seed: of the batches.
        augment: off: nothing is disguised.
    """

    def __init__(
        self,
        data: SpeechData,
        acoustic: AcousticModel,
        *,
        batch_size: int = 12,
        window_frames: int = 200,
        seed: int = 1,
        augment: bool = True,
    ) -> None:
        self.data, self.acoustic = data, acoustic
        self.batch_size, self.window_frames, self.seed, self.augment = batch_size, window_frames, seed, augment
        self.voices: list[Reference] = [one for group in data.references.values() for one in group]

    def batch(self, step: int) -> Mapping[str, Tensor]:
        """As of `collate`, with `heard (B, M, T_mel)`, `language`, and who reads: `reader`, `reader_measures`.

        `misled` is 1 where the language is told wrong.
        """
        random = np.random.default_rng((self.seed, step))
        rows = []
        for place in range(self.batch_size):
            speech, reference = self.data.draw(random)
            row = cut_window(speech, reference, self.window_frames, random, augment=False)
            count = int(row["valid"].sum())
            heard = row["mel"][:, :count].T
            heard = disguised(heard, self.acoustic.config.spectrogram, random) if self.augment else heard
            row["heard"] = np.pad(heard.T, ((0, 0), (0, self.window_frames - count)))
            known = not self.augment or random.random() < KNOWN
            row["language"] = told_language(speech.clip.language if known else None)
            again = place < drawn_rows(self.batch_size) < self.batch_size
            misled = self.augment and known and again and random.random() < MISLED
            if misled:
                row["language"] = row["language"][::-1].copy()
            row["misled"] = np.array(misled, dtype=np.float32)
            voice = self.voices[int(random.integers(len(self.voices)))]
            row["reader"], row["reader_measures"] = voice.speaker, voice.measures
            rows.append(row)
        return collate(rows)

    def losses(self, model: nn.Module, batch: Mapping[str, Tensor], step: int) -> Losses:
        """`frames`: distance to the teacher's hidden frames, as a share of their variance; `mel` in nats; `symbols`."""
        assert isinstance(model, ContentTraining)
        return content_losses(model, self.acoustic, batch)


def drawn_rows(batch_size: int) -> int:
    """How many of a batch, the first ones, are spoken again in their own voice."""
    return max(1, round(DRAWN * batch_size))


def content_losses(model: ContentTraining, acoustic: AcousticModel, batch: Mapping[str, Tensor]) -> Losses:
    """Losses of a batch, frames that are there alone."""
    valid, voicing = batch["valid"], batch["voicing"]
    own = inputs_of(batch)
    other = replace(own, speaker=batch["reader"], measures=batch["reader_measures"])
    with torch.no_grad():
        conditions = acoustic.condition(own), acoustic.condition(other)
        wanted = acoustic.frames(other, conditions[1]).float()
    units = model.content.units(batch["heard"], batch["f0"], voicing, batch["language"])
    there = valid[:, None]
    taught = there * (1 - batch["misled"][:, None, None])
    variance = (wanted * taught).square().sum() / taught.sum() - ((wanted * taught).sum() / taught.sum()).square()
    distance = (model.content.frames(units, conditions[1]).float() - wanted).square()
    frames = (distance * taught).sum() / taught.sum() / variance
    some = slice(0, drawn_rows(len(units)))
    told = conditions[0][some]
    melody = batch["log_f0"][some], (batch["f0"] * voicing)[some], voicing[some]
    trunk = acoustic.trunk(model.content.frames(units[some], told), *melody, told)
    weight = there[some] * batch["trusted"][some, :, None]
    mel = ((trunk.mel.float() - batch["mel"][some]).abs() * weight).sum() / weight.sum()
    spoken = torch.gather(batch["symbols"], 1, batch["index"])
    cross = nn.functional.cross_entropy(model.reader(units).float(), spoken, reduction="none")
    symbols = (cross * taught[:, 0]).sum() / taught.sum()
    return {"loss": frames + mel + 0.3 * symbols, "frames": frames, "mel": mel, "symbols": symbols}
