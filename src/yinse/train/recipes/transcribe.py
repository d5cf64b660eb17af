"""Stage 2, if a recogniser is at hand: what is said in training clips that came without a transcript.

The aligner judges each text later on: a clip that was misheard badly does not fit its own sound and is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from yinse.core.events import Event, Finished, Progress
from yinse.core.types import AudioClip
from yinse.corpus.transcriber import Transcriber
from yinse.train.features import load_clips, save_json, speaker_files

_MARKS = re.compile(r"[^\w\s']|_")
_SAVED_EVERY = 20


def transcribe(features: Path, out: Path, *, transcriber: Transcriber, sample_rate_hz: int) -> Iterator[Event]:
    """Write the texts of all clips without one as `{pack/id: text}`, marks taken out; run again to go on.

    Marks are taken out because a recogniser sets them by grammar, not by the pauses that were made.

    Args:
        features: folder of feature files.
        out: JSON file.
        transcriber: the listener.
        sample_rate_hz: of the samples in the feature files.
    """
    texts: dict[str, str] = read_transcripts(out)
    files = speaker_files(features)
    for done, path in enumerate(files, start=1):
        for clip in load_clips(path, with_samples=True):
            key = f"{clip.pack}/{clip.id}"
            if clip.text or key in texts or clip.language not in ("zh", "en"):
                continue
            heard = AudioClip(np.divide(clip.samples, 32768, dtype=np.float32), sample_rate_hz)
            text = _MARKS.sub(" ", transcriber.transcribe(heard, language=clip.language))
            texts[key] = " ".join(text.split())
        if done % _SAVED_EVERY == 0 or done == len(files):
            save_json(out, texts)
        yield Progress("transcribe", done, len(files))
    yield Finished(len(texts))


def read_transcripts(path: Path) -> dict[str, str]:
    """What `transcribe` wrote, nothing if it was not run."""
    texts: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return texts
