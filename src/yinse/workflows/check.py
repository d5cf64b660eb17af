"""How good recordings are, before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from yinse.audio.decode import decode
from yinse.audio.frontend import examine
from yinse.audio.quality import QualityLimits, QualityReport
from yinse.audio.rumble import without_rumble
from yinse.audio.slicing import slice_utterances
from yinse.core.errors import BadAudio
from yinse.core.events import Event, Finished, Progress
from yinse.core.types import AudioClip
from yinse.workflows.recordings import find_recordings
from yinse.workflows.second_speaker import find_second_speaker, warned


@dataclass(frozen=True, slots=True)
class CheckedRecording:
    """A recording with its report, or with what keeps it from being read."""

    path: Path
    report: QualityReport | None
    problem: str | None = None


def check_recordings(
    paths: Sequence[Path], *, limits: QualityLimits | None = None, denoise: str = "none"
) -> Iterator[Event]:
    """Measures recordings; the last event holds a tuple of `CheckedRecording`.

    Args:
        paths: recordings, or folders of them.
        limits: where a recording stops being good.
        denoise: denoiser that helps to tell voice from noise, see `yinse.audio.frontend.examine`; with one, second
            speakers are looked for too.

    Raises:
        BadAudio: a path does not exist, or a folder holds no audio.
    """
    recordings = find_recordings(paths)
    checked = []
    for index, path in enumerate(recordings):
        yield Progress("check", index, len(recordings), path.name)
        try:
            clip = decode(path)
            report = examine(clip, limits=limits, denoise=denoise)
            if report.verdict != "refused" and denoise != "none":
                report = _with_second_speaker(report, clip)
            checked.append(CheckedRecording(path, report))
        except BadAudio as error:
            checked.append(CheckedRecording(path, None, f"{error.what}. {error.advice or ''}".strip()))
    yield Progress("check", len(recordings), len(recordings))
    yield Finished(tuple(checked))


def _with_second_speaker(report: QualityReport, clip: AudioClip) -> QualityReport:
    pieces = slice_utterances(without_rumble(clip))
    second = find_second_speaker([piece.clip for piece in pieces])
    return warned(report, [pieces[index].segment.start_s for index in second])
