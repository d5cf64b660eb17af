"""Cached training features: one safetensors file per speaker, read back as a list of clips."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from yinse.core.types import FloatArray


@dataclass(frozen=True)
class Clip:
    """One utterance ready for training.

    Attributes:
        id: file name within its pack.
        speaker: who speaks.
        pack: where the clip comes from.
        text: transcript, "" if there is none.
        language: "zh", "en" or another code.
        punctuated: whether the transcript holds punctuation.
        synthetic: whether a teacher spoke.
        bandwidth_hz: nothing is above.
        mel: `(T_mel, M)` log-mel, float16 in files.
        log_f0: `(T_mel,)`, 0 where unvoiced.
        samples: `(S,)` int16 at the model's rate, `T_mel == S // hop + 1`.
    """

    id: str
    speaker: str
    pack: str
    text: str
    language: str
    punctuated: bool
    synthetic: bool
    bandwidth_hz: int
    mel: np.ndarray
    log_f0: FloatArray
    samples: NDArray[np.int16]


_TEXT_FIELDS = ("id", "speaker", "pack", "text", "language", "punctuated", "synthetic", "bandwidth_hz")


def save_clips(path: Path, clips: Sequence[Clip]) -> None:
    """Write a speaker's clips; the file appears whole or not at all."""
    records = [
        {name: getattr(clip, name) for name in _TEXT_FIELDS} | {"frames": len(clip.mel), "samples": len(clip.samples)}
        for clip in clips
    ]
    part = path.with_suffix(".part")
    save_file(
        {
            # safetensors writes the buffer as it lies in memory: it must lie row by row
            "mel": np.ascontiguousarray(np.concatenate([clip.mel for clip in clips])),
            "log_f0": np.concatenate([clip.log_f0 for clip in clips]).astype(np.float32),
            "samples": np.concatenate([clip.samples for clip in clips]),
        },
        str(part),
        metadata={"clips": json.dumps(records, ensure_ascii=False)},
    )
    part.replace(path)


def read_records(path: Path) -> list[dict[str, Any]]:
    """What a speaker's file says about its clips (the fields of `Clip` that are no arrays, frames, samples)."""
    with safe_open(str(path), framework="numpy") as file:
        records: list[dict[str, Any]] = json.loads(file.metadata()["clips"])
        return records


def load_clips(path: Path, *, with_samples: bool = False, limit: int | None = None) -> list[Clip]:
    """Read a speaker's clips.

    Args:
        path: of the speaker.
        with_samples: without it, `samples` are empty.
        limit: only the first clips.
    """
    records = read_records(path)[:limit]
    frames, count = (sum(record[name] for record in records) for name in ("frames", "samples"))
    with safe_open(str(path), framework="numpy") as file:
        mel, log_f0 = (file.get_slice(name)[:frames] for name in ("mel", "log_f0"))
        samples = file.get_slice("samples")[:count] if with_samples else None
    clips, frame, sample = [], 0, 0
    for record in records:
        frames, count = record.pop("frames"), record.pop("samples")
        wave = np.zeros(0, dtype=np.int16) if samples is None else samples[sample : sample + count]
        clips.append(
            Clip(**record, mel=mel[frame : frame + frames], log_f0=log_f0[frame : frame + frames], samples=wave)
        )
        frame, sample = frame + frames, sample + count
    return clips


def speaker_files(folder: Path) -> list[Path]:
    """Feature files of a folder, by name."""
    return sorted(folder.glob("*.safetensors"))


def iterate_clips(folder: Path, *, with_samples: bool = False) -> Iterator[Clip]:
    """All clips of all speakers."""
    for path in speaker_files(folder):
        yield from load_clips(path, with_samples=with_samples)


def save_json(path: Path, value: object) -> None:
    """Write JSON; the file appears whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    part.replace(path)
