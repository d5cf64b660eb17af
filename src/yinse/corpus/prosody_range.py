"""How lively a person speaks, in numbers: pitch, rate, loudness, pauses, and the rise of questions."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from yinse.audio.pitch import track_pitch
from yinse.audio.silence import frame_levels, speech_frames, speech_segments
from yinse.core.types import AudioClip
from yinse.corpus import sentence_types as kinds

PITCH_RANGE = "pitch range within an utterance (semitones)"
PITCH_VARIETY = "pitch difference between utterances (semitones)"
RATE = "syllables per second"
RATE_VARIETY = "fastest tenth over slowest tenth"
ENERGY_RANGE = "loudness range within an utterance (dB)"
ENERGY_VARIETY = "loudness difference between utterances (dB)"
PAUSE_SHARE = "share of pauses within utterances"
QUESTION_RISE = "end of yes/no questions above that of statements (semitones)"
MEASURES = (
    PITCH_RANGE, PITCH_VARIETY, RATE, RATE_VARIETY, ENERGY_RANGE, ENERGY_VARIETY, PAUSE_SHARE, QUESTION_RISE,
)  # fmt: skip

_PAUSE_S = 0.15
_ENDING_S = 0.15
_FEWEST_VOICED = 20
_FEWEST_UTTERANCES = 3
_SEMITONES = 12.0 / math.log(2.0)


@dataclass(frozen=True, slots=True)
class UtteranceProsody:
    """What is measured on one utterance.

    Attributes:
        speech_s: from the first word to the last, without pauses of 0.15 s and more.
        f0_median_hz: median F0.
        pitch_range: from the 5th to the 95th percentile of F0, semitones.
        ending: the last 0.15 s of voice against the utterance's median, semitones.
        level_db: mean power of speech, dB of full scale.
        energy_range_db: from the 10th to the 95th percentile of the levels of speech.
        pause_share: pauses within, relative to all from first word to last.
        syllables: how many were said; None where the text is not known.
        kind: main sentence type; None where it is not known.
    """

    speech_s: float
    f0_median_hz: float
    pitch_range: float
    ending: float
    level_db: float
    energy_range_db: float
    pause_share: float
    syllables: int | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A number and the range that people span.

    Attributes:
        value: the number; None where there was too little to measure it on.
        low: 10th percentile of the reference people.
        high: 90th percentile of them.
    """

    value: float | None
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """ "unknown", "low", "usual" or "high"."""
        if self.value is None:
            return "unknown"
        return "low" if self.value < self.low else "high" if self.value > self.high else "usual"


@dataclass(frozen=True, slots=True)
class ProsodyReport:
    """How lively the recordings are.

    Attributes:
        utterances: how many were measured.
        speech_s: their speech.
        f0_median_hz: median over utterances of the median F0.
        f0_low_hz: 5th percentile of utterances' F0 medians; `f0_high_hz` is the 95th.
        f0_high_hz: see `f0_low_hz`.
        measures: by the names in `MEASURES`.
        reference: whom the ranges were measured on.
    """

    utterances: int
    speech_s: float
    f0_median_hz: float
    f0_low_hz: float
    f0_high_hz: float
    measures: Mapping[str, Measured]
    reference: str


def measure_utterance(
    clip: AudioClip, *, syllables: int | None = None, kind: str | None = None
) -> UtteranceProsody | None:
    """Measures an utterance.

    Args:
        clip: `(S,)`, one utterance of a few seconds.
        syllables: how many are said, if that is known.
        kind: main sentence type, if that is known and the clip ends where the sentence does.

    Returns:
        The measures; None where less than 20 frames (0.25 s) are voiced.
    """
    pitch = track_pitch(clip)
    voiced = pitch.f0_hz[pitch.voiced]
    spans = speech_segments(clip, min_silence_s=_PAUSE_S)
    if len(voiced) < _FEWEST_VOICED or not spans:
        return None
    semitones = np.log(voiced) * _SEMITONES
    middle = float(np.median(semitones))
    low, high = np.percentile(semitones, [5.0, 95.0])
    times_s = np.flatnonzero(pitch.voiced) * pitch.hop_s
    ending = semitones[times_s > times_s[-1] - _ENDING_S]
    levels = frame_levels(clip).level_db[speech_frames(clip)]
    speech_s = sum(span.duration_s for span in spans)
    return UtteranceProsody(
        speech_s=speech_s,
        f0_median_hz=float(np.median(voiced)),
        pitch_range=float(high - low),
        ending=float(np.median(ending)) - middle,
        level_db=float(10.0 * np.log10(np.mean(10.0 ** (levels / 10.0)))),
        energy_range_db=float(np.subtract(*np.percentile(levels, [95.0, 10.0]))),
        pause_share=1.0 - speech_s / (spans[-1].end_s - spans[0].start_s),
        syllables=syllables,
        kind=kind,
    )


def summarise(utterances: Sequence[UtteranceProsody]) -> dict[str, float | None]:
    """The numbers of `MEASURES` for one person; None where fewer than three utterances tell."""
    enough = len(utterances) >= _FEWEST_UTTERANCES
    rates = [u.syllables / u.speech_s for u in utterances if u.syllables and u.speech_s > 0.5]
    medians = [math.log(u.f0_median_hz) * _SEMITONES for u in utterances]
    asked = [u.ending for u in utterances if u.kind == kinds.YES_NO_QUESTION]
    told = [u.ending for u in utterances if u.kind == kinds.STATEMENT]
    fast, slow = np.percentile(rates, [90.0, 10.0]) if len(rates) >= 5 else (0.0, 0.0)
    return {
        PITCH_RANGE: _median([u.pitch_range for u in utterances]),
        PITCH_VARIETY: float(np.std(medians)) if enough else None,
        RATE: _median(rates),
        RATE_VARIETY: float(fast / slow) if slow else None,
        ENERGY_RANGE: _median([u.energy_range_db for u in utterances]),
        ENERGY_VARIETY: float(np.std([u.level_db for u in utterances])) if enough else None,
        PAUSE_SHARE: float(np.mean([u.pause_share for u in utterances])) if enough else None,
        QUESTION_RISE: float(np.median(asked) - np.median(told)) if min(len(asked), len(told)) >= 3 else None,
    }


def prosody_report(utterances: Sequence[UtteranceProsody], *, language: str) -> ProsodyReport:
    """Measures of one person beside those of the reference people.

    Args:
        utterances: at least one.
        language: "zh" or "en", whose reference is taken.
    """
    reference = reference_ranges()[language]
    values = summarise(utterances)
    medians = [u.f0_median_hz for u in utterances]
    low_hz, high_hz = np.percentile(medians, [5.0, 95.0])
    return ProsodyReport(
        utterances=len(utterances),
        speech_s=sum(u.speech_s for u in utterances),
        f0_median_hz=float(np.median(medians)),
        f0_low_hz=float(low_hz),
        f0_high_hz=float(high_hz),
        measures={name: Measured(values[name], *reference["ranges"][name]) for name in MEASURES},
        reference=reference["people"],
    )


@cache
def reference_ranges() -> Mapping[str, Any]:
    """By language: `people`, who they are, and `ranges`, the 10th and 90th percentile of each measure.

    Made by `benchmarks/prosody_reference.py`.
    """
    table = files("yinse.corpus").joinpath("data", "prosody_reference.json").read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(table)
    return found


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None
