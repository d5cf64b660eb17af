"""What one recording becomes, in a process of its own: utterances and a description of them, kept in the cache."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from yinse import __version__
from yinse.audio.decode import decode
from yinse.audio.frontend import REVISION, PreparedRecording, prepare
from yinse.audio.journal import plain_steps
from yinse.audio.options import CleaningOptions
from yinse.audio.write import write_audio
from yinse.core.errors import BadAudio, QualityGateError, YinseError
from yinse.core.files import WholeFile
from yinse.workflows.batch import Crashed
from yinse.workflows.cache import RESULT, ResultCache
from yinse.workflows.second_speaker import find_second_speaker, warned


@dataclass(frozen=True, slots=True)
class PrepJob:
    """A recording to be prepared.

    Attributes:
        path: the recording.
        sha256: of its bytes.
        key: of the result in the cache, see `result_key`.
        options: how it is cleaned and cut.
        cache: folder of the cache.
    """

    path: Path
    sha256: str
    key: str
    options: CleaningOptions
    cache: Path


def result_key(sha256: str, options: CleaningOptions) -> str:
    """What a result is kept under: the recording's bytes, the options, and who made it."""
    made_by = json.dumps([__version__, REVISION, sha256, asdict(options)], sort_keys=True)
    return hashlib.sha256(made_by.encode()).hexdigest()[:40]


def prepare_one(job: PrepJob) -> Path | Crashed:
    """Prepares one recording and keeps the result, also when it is that the recording is of no use.

    Returns:
        Folder with `result.json` and the utterances; `Crashed` where a bug of ours met this recording.

    Raises:
        MissingExtra: the denoiser's package is not installed.
        ResourceError: the cache cannot be written.
    """

    def write(folder: Path) -> None:
        try:
            prepared = prepare(decode(job.path), options=job.options)
        except QualityGateError as error:
            result = failure("refused", error.what.partition(": ")[2] or error.what, error.advice)
        except BadAudio as error:
            result = failure("unreadable", error.what, error.advice)
        else:
            result = _success(prepared)
            for piece, utterance in zip(result["utterances"], prepared.utterances, strict=True):
                write_audio(folder / piece["file"], utterance.clip)
        with WholeFile(folder / RESULT) as file:
            file.write(json.dumps(result, ensure_ascii=False).encode())

    try:
        return ResultCache(job.cache).put(job.key, write)
    except YinseError:
        raise
    except Exception as error:  # one bad recording never stops the rest
        return Crashed(f"{type(error).__name__}: {error}")


def failure(status: str, reason: str, advice: str | None) -> dict[str, Any]:
    """The result of a recording that was "refused" or is "unreadable"."""
    return {"status": status, "reasons": [reason], "advice": advice or "", "utterances": [], "left_out": []}


def _success(prepared: PreparedRecording) -> dict[str, Any]:
    second = find_second_speaker([one.clip for one in prepared.utterances])
    before = warned(prepared.report_before, [prepared.utterances[index].segment.start_s for index in second])
    after = prepared.report_after
    repaired = {one.name for one in prepared.steps} & {"denoise", "repair clicks"}
    return {
        "status": "repaired" if repaired else "accepted",
        "reasons": list(before.reasons) if before.verdict == "warned" else [],
        "advice": before.advice,
        "before": asdict(before),
        "after": asdict(after),
        "journal": plain_steps(prepared.steps),
        "left_out": [[span.start_s, span.end_s] for span in prepared.left_out],
        "utterances": [
            {
                "file": f"{number:03d}.wav",
                "start_s": round(one.segment.start_s, 4),
                "end_s": round(one.segment.end_s, 4),
                "duration_s": round(one.clip.duration_s, 4),
                "sample_rate_hz": one.clip.sample_rate_hz,
                "snr_db": round(one.snr_db, 2),
                "snr_before_db": round(one.snr_before_db, 2),
                "held_tones": round(one.held_tones, 3),
                "loudness_lufs": round(one.loudness_lufs, 2),
                "place": round(one.place, 4),
                "second_speaker": number in second,
                "journal": plain_steps(one.steps),
            }
            for number, one in enumerate(prepared.utterances)
        ],
    }
