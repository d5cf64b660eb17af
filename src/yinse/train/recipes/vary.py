"""Stage 4: more speakers out of those there are, by playing their recordings faster or slower.

Pitch, formants and tempo move together, as between people of different size (speed perturbation: Ko et al., "Audio
augmentation for speech recognition", 2015); a speaker of another speed counts as another speaker (Yamamoto et al.,
"Speaker augmentation and bandwidth extension for deep speaker embedding", 2019). Nothing is tracked or aligned again:
melody and durations follow from those of the original.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from yinse.core.events import Event, Finished, Progress
from yinse.models.spectrogram import LogMel, SpectrogramConfig
from yinse.train.features import Clip, load_clips, save_clips, save_json

SPEEDS = (0.89, 1.12)
"""Two semitones down and up: beyond them voices begin to sound processed."""
VARIED = "-varied"
"""Ends the names of packs made here."""
_SECONDS_PER_SPEAKER = 100.0


def vary(
    features: Path, alignments: Path, out: tuple[Path, Path], *, spectrogram: SpectrogramConfig
) -> Iterator[Event]:
    """Write features and alignments of every aligned speaker at each of `SPEEDS`; run again to go on.

    Args:
        features: folder of feature files.
        alignments: folder of their durations.
        out: folders for the varied features and for their durations.
        spectrogram: analysis sizes.
    """
    log_mel = LogMel(spectrogram)
    for folder in out:
        folder.mkdir(parents=True, exist_ok=True)
    files = sorted(alignments.glob("*.json"))
    for done, path in enumerate(files, start=1):
        records = json.loads(path.read_text(encoding="utf-8"))
        clips = _some(load_clips(features / f"{path.stem}.safetensors", with_samples=True), records, spectrogram)
        for index, speed in enumerate(SPEEDS):
            name = f"{path.stem}{VARIED}-{round(100 * speed)}"
            target = out[1] / f"{name}.json"
            chosen = clips[index :: len(SPEEDS)] or clips
            if target.exists() or not chosen:
                continue
            varied = [vary_clip(clip, speed, log_mel) for clip in chosen]
            save_clips(out[0] / f"{name}.safetensors", varied)
            changed = {}
            for clip, new in zip(chosen, varied, strict=True):
                record = records[clip.id]
                changed[new.id] = record | {"durations": vary_durations(record["durations"], len(new.mel))}
            save_json(target, changed)
        yield Progress("vary", done, len(files))
    yield Finished(len(files))


def vary_clip(clip: Clip, speed: float, log_mel: LogMel) -> Clip:
    """A clip played `speed` times as fast, as another speaker's."""
    import soxr

    samples = soxr.resample(clip.samples / np.float32(32768), speed * 48_000, 48_000)
    with torch.inference_mode():
        mel = log_mel(torch.from_numpy(samples.astype(np.float32))[None])[0].T.contiguous().numpy()
    # a varied frame lies `speed` times as far in the original; melody holds its unvoiced frames apart
    nearest = np.minimum(np.round(np.arange(len(mel)) * speed).astype(int), len(clip.log_f0) - 1)
    there = clip.log_f0[nearest]
    log_f0 = np.where(there > 0, there + np.log(speed), 0.0).astype(np.float32)
    return replace(
        clip,
        speaker=f"{clip.speaker}{VARIED}-{round(100 * speed)}",
        pack=clip.pack + VARIED,
        bandwidth_hz=min(round(clip.bandwidth_hz * speed), log_mel.config.sample_rate_hz // 2),
        mel=mel.astype(np.float16),
        log_f0=log_f0,
        samples=np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16),
    )


def vary_durations(durations: Sequence[int], frames: int) -> list[int]:
    """Durations that keep their proportions, sum to `frames`, and stay above 0 where they were."""
    old = np.asarray(durations)
    ends = np.round(np.cumsum(old) * (frames / old.sum())).astype(int)
    new = np.diff(ends, prepend=0)
    for index in np.flatnonzero((new == 0) & (old > 0)):
        new[index] += 1
        new[np.argmax(new)] -= 1
    return [int(count) for count in new]


def _some(clips: Sequence[Clip], records: dict[str, object], spectrogram: SpectrogramConfig) -> list[Clip]:
    """The first aligned clips, up to `_SECONDS_PER_SPEAKER` for each speed."""
    chosen, seconds = [], 0.0
    for clip in clips:
        if clip.id in records and seconds < _SECONDS_PER_SPEAKER * len(SPEEDS):
            chosen.append(clip)
            seconds += len(clip.samples) / spectrogram.sample_rate_hz
    return chosen
