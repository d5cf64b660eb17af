"""Whether a recording holds a second person, told by the speaker encoder of the shipped models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from yinse.audio.quality import QualityReport
from yinse.core.types import AudioClip
from yinse.workflows.speakers import FEWEST_UTTERANCES, two_speakers

ADVICE = "Record one person alone, or cut the other one out."


def find_second_speaker(utterances: Sequence[AudioClip]) -> tuple[int, ...]:
    """Which utterances a second person speaks; none in fewer than four, for which no model is loaded.

    Args:
        utterances: of one recording, in order.

    Raises:
        Offline: there are no models.
    """
    if len(utterances) < FEWEST_UTTERANCES:
        return ()
    from yinse.workflows.native import load_engine

    return two_speakers(load_engine().speaker_vectors(utterances), [one.duration_s for one in utterances])


def warned(report: QualityReport, starts_s: Sequence[float]) -> QualityReport:
    """The report of a recording in which a second person speaks at these times; as it was, if there are none."""
    if not starts_s:
        return report
    places = ", ".join(f"{start_s:.0f} s" for start_s in starts_s[:5])
    return replace(
        report,
        verdict="refused" if report.verdict == "refused" else "warned",
        reasons=(*report.reasons, f"a second person seems to speak, at {places}"),
        advice=report.advice or ADVICE,
    )
