"""Stage 2: the aligner, flat start, and with it the durations of every phoneme of the training clips."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from yinse.core.errors import BadText
from yinse.core.events import Event, Finished, Progress, Warned
from yinse.models.aligner import Aligner, AlignerConfig, TrainingUtterance, speaker_statistics
from yinse.text.phonemes import phonemize
from yinse.train.features import Clip, load_clips, save_json, speaker_files

CLIPS_PER_SPEAKER = 10
PAUSE_FRAMES = 12
"""A word boundary of unpunctuated text that lasts this long (150 ms) is written as a comma afterwards."""
LOWEST_CONFIDENCE = -14.0


@dataclass(frozen=True)
class AlignedClip:
    """A clip with its phonemes in time: symbols and frames per symbol, one each."""

    clip: Clip
    symbols: tuple[str, ...]
    durations: np.ndarray
    confidence: float


def read_symbols(clip: Clip) -> tuple[str, ...]:
    """Symbols of a clip's transcript, () if it has none that can be read."""
    if not clip.text or clip.language not in ("zh", "en"):
        return ()
    try:
        return phonemize(clip.text, language=clip.language, punctuated=clip.punctuated).symbols
    except BadText:
        return ()


def train_aligner(features: Path, out: Path, *, config: AlignerConfig | None = None, seed: int = 1) -> Iterator[Event]:
    """Learn the aligner from up to `CLIPS_PER_SPEAKER` clips of each speaker and save it."""
    utterances = []
    for path in speaker_files(features):
        clips = [clip for clip in load_clips(path) if clip.text]
        if not clips:
            continue
        statistics = speaker_statistics([clip.mel.astype(np.float32) for clip in clips], config=config)
        for clip in clips[:: max(1, len(clips) // CLIPS_PER_SPEAKER)][:CLIPS_PER_SPEAKER]:
            if symbols := read_symbols(clip):
                utterances.append(TrainingUtterance(clip.mel.astype(np.float32), symbols, statistics))
    yield Progress("aligner", 0, 1, f"{len(utterances)} clips")
    aligner = Aligner.train(utterances, config=config, seed=seed)
    part = out.with_suffix(".part")
    save_file(aligner.state_dict(), str(part))
    part.replace(out)
    yield Finished(aligner)


def mark_pauses(symbols: Sequence[str], durations: np.ndarray) -> tuple[str, ...]:
    """Write heard pauses at plain word boundaries as commas."""
    return tuple(
        "," if symbol == "|" and frames >= PAUSE_FRAMES else symbol
        for symbol, frames in zip(symbols, durations, strict=True)
    )


def align(
    features: Path, out: Path, *, aligner: Aligner, transcripts: Mapping[str, str] | None = None
) -> Iterator[Event]:
    """Durations of all transcribed clips, one JSON file per speaker beside the features.

    Args:
        features: folder of feature files.
        out: folder of durations.
        aligner: trained.
        transcripts: `pack/id` to text, of clips that came without one.
    """
    transcripts = transcripts or {}
    out.mkdir(parents=True, exist_ok=True)
    files = speaker_files(features)
    for done, path in enumerate(files, start=1):
        known = (
            replace(clip, text=clip.text or transcripts.get(f"{clip.pack}/{clip.id}", "")) for clip in load_clips(path)
        )
        clips = [(clip, symbols) for clip in known if (symbols := read_symbols(clip))]
        if clips:
            mels = [clip.mel.astype(np.float32) for clip, _ in clips]
            found = aligner.align(mels, [symbols for _, symbols in clips])
            records = {}
            for (clip, symbols), alignment in zip(clips, found, strict=True):
                if alignment is None or alignment.confidence < LOWEST_CONFIDENCE:
                    yield Warned("transcript does not fit the recording", where=clip.id)
                    continue
                marked = symbols if clip.punctuated else mark_pauses(symbols, alignment.durations)
                records[clip.id] = {
                    "symbols": marked,
                    "durations": alignment.durations.tolist(),
                    "confidence": round(alignment.confidence, 3),
                }
            save_json(out / f"{path.stem}.json", records)
        yield Progress("align", done, len(files))
    yield Finished(None)


def load_aligned(features: Path, alignments: Path, *, with_samples: bool = False) -> Iterator[AlignedClip]:
    """All clips that were aligned."""
    for path in sorted(alignments.glob("*.json")):
        records = json.loads(path.read_text(encoding="utf-8"))
        for clip in load_clips(features / f"{path.stem}.safetensors", with_samples=with_samples):
            if record := records.get(clip.id):
                durations = np.array(record["durations"], dtype=np.int64)
                yield AlignedClip(clip, tuple(record["symbols"]), durations, record["confidence"])
