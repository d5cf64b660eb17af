"""How good a recording is, in numbers, with a verdict, its reasons and advice in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from yinse.audio.bandwidth import bandwidth_hz
from yinse.audio.hum import Hum, find_hum
from yinse.audio.loudness import integrated_lufs
from yinse.audio.music import held_tone_share
from yinse.audio.reverberation import reverberation_s
from yinse.audio.rumble import without_rumble
from yinse.audio.silence import speech_segments
from yinse.audio.snr import band_levels_db, estimate_snr_db
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip

Verdict = Literal["good", "warned", "refused"]

_CLIPPED_NEAR_PEAK = 0.998


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Where a recording stops being good.

    Attributes:
        good_snr_db: below it a recording is warned about.
        lowest_snr_db: below it a recording is refused, unless cleaning rescues it.
        hopeless_snr_db: below it no cleaning rescues a recording.
        rescued_snr_db: what is left after cleaning must reach this for a recording below the lowest to be kept.
        min_speech_s: less speech than this is refused.
        most_clipping: share of clipped samples above which a recording is warned about.
        narrow_band_hz: bandwidth below which a recording is warned about.
        quietest_lufs: loudness below which a recording is warned about.
        longest_reverberation_s: time in which the room's sound falls by 60 dB above which a recording is warned about.
        loudest_hum_db: hum less than this below the voice is warned about.
        most_held_tones: share of the time with tones that no voice makes above which music is suspected.
    """

    good_snr_db: float = 25.0
    lowest_snr_db: float = 8.0
    hopeless_snr_db: float = 0.0
    rescued_snr_db: float = 25.0
    min_speech_s: float = 0.8
    most_clipping: float = 0.001
    narrow_band_hz: float = 6_500.0
    quietest_lufs: float = -45.0
    longest_reverberation_s: float = 0.5
    loudest_hum_db: float = 40.0
    most_held_tones: float = 0.22

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not self.hopeless_snr_db <= self.lowest_snr_db <= self.good_snr_db:
            raise ConfigError(
                "the limits of the signal-to-noise ratio are not in order",
                advice="Use hopeless_snr_db <= lowest_snr_db <= good_snr_db.",
            )


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What was measured on a recording.

    Attributes:
        snr_db: power of the voice over that of the noise, from -20 to 60.
        clipping_ratio: share of samples that were cut off at a ceiling.
        bandwidth_hz: highest frequency at which the voice is heard.
        loudness_lufs: integrated loudness.
        duration_s: length of the recording.
        speech_s: length of the speech in it.
        verdict: "good", "warned", or "refused".
        reasons: why, one sentence each; never empty.
        advice: one sentence on how to record better; empty when the recording is good.
        reverberation_s: time in which the room's sound falls by 60 dB; None where it cannot be told.
        hum: mains hum, if there is any.
        held_tones: share of the time with tones that stay on one pitch, as in music.
    """

    snr_db: float
    clipping_ratio: float
    bandwidth_hz: float
    loudness_lufs: float
    duration_s: float
    speech_s: float
    verdict: Verdict
    reasons: tuple[str, ...]
    advice: str
    reverberation_s: float | None = None
    hum: Hum | None = None
    held_tones: float = 0.0


def assess_quality(
    clip: AudioClip,
    *,
    limits: QualityLimits | None = None,
    speech_s: float | None = None,
    steady: AudioClip | None = None,
) -> QualityReport:
    """Measures a recording and judges it.

    Args:
        clip: `(S,)`.
        limits: where a recording stops being good.
        speech_s: length of the speech in it, where it is known better than by the level of the clip itself.
        steady: the clip without rumble and clicks, if it is at hand.
    """
    limits = limits or QualityLimits()
    steady = steady or without_rumble(clip)
    if speech_s is None:
        speech_s = sum(segment.duration_s for segment in speech_segments(steady))
    levels_db = band_levels_db(steady)
    report = QualityReport(
        snr_db=estimate_snr_db(steady, levels_db=levels_db),
        clipping_ratio=clipping_ratio(clip),
        bandwidth_hz=bandwidth_hz(clip),
        loudness_lufs=integrated_lufs(clip),
        duration_s=clip.duration_s,
        speech_s=speech_s,
        verdict="good",
        reasons=(),
        advice="",
        reverberation_s=reverberation_s(steady, levels_db=levels_db),
        hum=find_hum(clip),
        held_tones=held_tone_share(steady),
    )
    return judge(report, limits)


def judge(report: QualityReport, limits: QualityLimits) -> QualityReport:
    """The same measurements with verdict, reasons and advice by other limits."""
    if report.speech_s < limits.min_speech_s:
        reason = f"there are only {report.speech_s:.1f} s of speech" if report.speech_s else "there is no speech in it"
        return replace(report, verdict="refused", reasons=(reason,), advice="Record at least a few seconds of speech.")
    findings = tuple(_findings(report, limits))
    reasons = tuple(reason for reason, _ in findings)
    verdict: Verdict = "warned" if findings else "good"
    if report.snr_db < limits.lowest_snr_db:
        verdict = "refused"
    return replace(
        report,
        verdict=verdict,
        reasons=reasons or (f"the voice stands {report.snr_db:.0f} dB above the noise",),
        advice=findings[0][1] if findings else "",
    )


def _findings(report: QualityReport, limits: QualityLimits) -> Iterator[tuple[str, str]]:
    """What is wrong, each with its advice, the weightiest first."""
    if report.snr_db < limits.good_snr_db:
        yield (
            f"the voice stands only {report.snr_db:.0f} dB above the noise",
            "Record in a quieter room, closer to the microphone.",
        )
    if report.clipping_ratio > limits.most_clipping:
        yield (
            f"{report.clipping_ratio:.1%} of the samples are clipped",
            "Lower the recording level or step back a little.",
        )
    if report.held_tones > limits.most_held_tones:
        yield (
            f"tones that no voice makes sound {report.held_tones:.0%} of the time, as music does",
            "Turn music and television off.",
        )
    if 0.0 < report.bandwidth_hz < limits.narrow_band_hz:
        yield (
            f"the voice ends at {report.bandwidth_hz / 1000:.1f} kHz, as on the telephone",
            "Record with the microphone itself, not through a call or a headset's radio link.",
        )
    if report.reverberation_s is not None and report.reverberation_s > limits.longest_reverberation_s:
        yield (
            f"the room echoes: its sound takes {report.reverberation_s:.1f} s to die away",
            "Record in a room with curtains, carpets or a full wardrobe, a hand's width from the microphone.",
        )
    if report.hum is not None and report.hum.below_voice_db < limits.loudest_hum_db:
        yield (
            f"the mains hum at {report.hum.mains_hz:.0f} Hz, {report.hum.below_voice_db:.0f} dB below the voice",
            "Use another cable or socket, or run the recorder on its battery.",
        )
    if report.loudness_lufs < limits.quietest_lufs:
        yield (
            f"the recording is very quiet ({report.loudness_lufs:.0f} LUFS)",
            "Move closer to the microphone or raise its level.",
        )


def clipping_ratio(clip: AudioClip) -> float:
    """Share of samples pressed against the highest or lowest value of the clip.

    A voice touches its own extremes once or twice; where the recorder ran out of room they recur. One such sample on
    each side is free.
    """
    samples = clip.samples
    if len(samples) == 0:
        return 0.0
    high, low = float(samples.max()), float(samples.min())
    pressed = 0
    if high > 0.0:
        pressed += int(np.count_nonzero(samples >= _CLIPPED_NEAR_PEAK * high)) - 1
    if low < 0.0:
        pressed += int(np.count_nonzero(samples <= _CLIPPED_NEAR_PEAK * low)) - 1
    return pressed / len(samples)
