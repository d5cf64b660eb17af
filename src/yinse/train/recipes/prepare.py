"""Stage 1: recordings to cached features (log-mel, F0, waveform), one file per speaker, resumable by file."""

from __future__ import annotations

import csv
import json
import multiprocessing
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from yinse.audio.decode import decode
from yinse.audio.measure import speech_frames
from yinse.core.errors import BadAudio, ConfigError
from yinse.core.events import Event, Finished, Progress, Warned
from yinse.core.types import AudioClip
from yinse.models.analysis import analyse
from yinse.models.spectrogram import LogMel, SpectrogramConfig
from yinse.train.features import Clip, save_clips

MARGIN_FRAMES = 10


@dataclass(frozen=True)
class PackConfig:
    """One pack of recordings: a folder with `metadata.csv` (file, speaker, language, text)."""

    name: str
    punctuated: bool
    synthetic: bool
    minutes_per_speaker: float
    licence: str


PACKS = (
    PackConfig(
        "zh_en_kokoro",
        punctuated=True,
        synthetic=True,
        minutes_per_speaker=60,
        licence="synthetic speech of Kokoro-82M (Apache-2.0)",
    ),
    PackConfig(
        "en_librispeech",
        punctuated=False,
        synthetic=False,
        minutes_per_speaker=6,
        licence="LibriSpeech (c) 2014 Vassil Panayotov, CC BY 4.0",
    ),
    PackConfig(
        "en_kathleen",
        punctuated=True,
        synthetic=False,
        minutes_per_speaker=60,
        licence="rhasspy/dataset-voice-kathleen, CC0 1.0",
    ),
    PackConfig(
        "en_librispeech_250spk_untranscribed",
        punctuated=False,
        synthetic=False,
        minutes_per_speaker=1,
        licence="LibriSpeech (c) 2014 Vassil Panayotov, CC BY 4.0",
    ),
    PackConfig(
        "zh_aishell_sample", punctuated=False, synthetic=False, minutes_per_speaker=5, licence="AISHELL-1, Apache-2.0"
    ),
)


@dataclass(frozen=True)
class SpeakerJob:
    """A speaker's rows of a pack, to be turned into one feature file."""

    pack: PackConfig
    speaker: str
    rows: tuple[Mapping[str, str], ...]
    source: Path
    target: Path
    spectrogram: SpectrogramConfig


def extract(clip: AudioClip, log_mel: LogMel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of one clip, heads and tails of silence cut to `MARGIN_FRAMES`.

    Returns:
        log-mel `(T_mel, M)` float16, log F0 `(T_mel,)` with 0 where unvoiced, samples `(S,)` int16.
    """
    hop = log_mel.config.hop_samples
    seen = analyse(clip, log_mel)
    loud = np.flatnonzero(speech_frames(seen.mel))
    first, last = max(0, loud[0] - MARGIN_FRAMES), min(len(seen.mel) - 1, loud[-1] + MARGIN_FRAMES)
    samples = np.round(np.clip(seen.samples, -1, 1) * 32767).astype(np.int16)[first * hop : last * hop]
    return seen.mel[first : last + 1].astype(np.float16), seen.log_f0[first : last + 1], samples


def prepare_speaker(job: SpeakerJob) -> list[str]:
    """Write one speaker's file; returns warnings about clips left out."""
    torch.set_num_threads(1)
    log_mel = LogMel(job.spectrogram)
    clips, warnings, seconds = [], [], 0.0
    for row in job.rows:
        if seconds > job.pack.minutes_per_speaker * 60:
            break
        try:
            audio = decode(job.source / row["file"])
            mel, log_f0, samples = extract(audio, log_mel)
        except BadAudio as error:
            warnings.append(str(error))
            continue
        seconds += audio.duration_s
        clips.append(
            Clip(
                id=row["file"],
                speaker=job.speaker,
                pack=job.pack.name,
                text=row["text"],
                language=row["language"],
                punctuated=job.pack.punctuated,
                synthetic=job.pack.synthetic,
                bandwidth_hz=min(audio.sample_rate_hz, job.spectrogram.sample_rate_hz) // 2,
                mel=mel,
                log_f0=log_f0,
                samples=samples,
            )
        )
    if clips:
        save_clips(job.target, clips)
    return warnings


def training_speakers(data: Path) -> dict[str, set[str] | None]:
    """Speakers allowed in base training by pack; None allows all of a pack.

    Raises:
        ConfigError: `splits.json` is not in the data folder.
    """
    path = data / "splits.json"
    if not path.is_file():
        raise ConfigError("no splits.json in the data folder", where=str(data), advice="Say who may be trained on.")
    packs = json.loads(path.read_text(encoding="utf-8"))["base_training"]
    return {pack: set(names) if isinstance(names, list) else None for pack, names in packs.items()}


def packs_of(data: Path) -> list[PackConfig]:
    """The packs that a data folder holds.

    Raises:
        ConfigError: none of those known.
    """
    found = [pack for pack in PACKS if (data / pack.name / "metadata.csv").is_file()]
    if not found:
        known = ", ".join(pack.name for pack in PACKS)
        raise ConfigError("no pack of recordings here", where=str(data), advice=f"Known packs: {known}.")
    return found


def plan(data: Path, out: Path, *, held_out: bool, spectrogram: SpectrogramConfig) -> Iterator[SpeakerJob]:
    """Jobs of all speakers for training, or of all who must stay unheard."""
    allowed = training_speakers(data)
    for pack in packs_of(data):
        source = data / pack.name
        with open(source / "metadata.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        by_speaker: dict[str, list[Mapping[str, str]]] = {}
        for row in rows:
            by_speaker.setdefault(row["speaker"], []).append(row)
        names = allowed.get(pack.name, set())
        for speaker, speaker_rows in by_speaker.items():
            if (names is None or speaker in names) == held_out:
                continue
            target = out / f"{pack.name}.{speaker}.safetensors"
            if not target.exists():
                yield SpeakerJob(pack, speaker, tuple(speaker_rows), source, target, spectrogram)


def prepare(
    data: Path, out: Path, *, held_out: bool = False, jobs: int = 2, spectrogram: SpectrogramConfig | None = None
) -> Iterator[Event]:
    """Cache features of a data folder (packs with `metadata.csv`, `splits.json`); run again to resume.

    Args:
        data: folder of packs.
        out: folder for the feature files.
        held_out: the speakers kept out of base training instead of those in it.
        jobs: processes; 1 stays in this one.
        spectrogram: analysis sizes.
    """
    out.mkdir(parents=True, exist_ok=True)
    todo = list(plan(data, out, held_out=held_out, spectrogram=spectrogram or SpectrogramConfig()))
    todo.sort(key=lambda job: -len(job.rows))
    with multiprocessing.get_context("spawn").Pool(jobs) if jobs > 1 else nullcontext() as pool:
        results = map(prepare_speaker, todo) if pool is None else pool.imap_unordered(prepare_speaker, todo)
        for done, warnings in enumerate(results, start=1):
            yield from (Warned(warning) for warning in warnings)
            yield Progress("prepare", done, len(todo))
    yield Finished(len(todo))
