"""From a casual recording to one that a model can learn from: the steps in order, with a journal."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from yinse.audio.denoise import DeepFilterNet, Denoiser
from yinse.audio.loudness import CEILING_DBTP, TARGET_LUFS, integrated_lufs, normalize_loudness
from yinse.audio.quality import QualityLimits, QualityReport, assess_quality, estimate_noise, judge_quality
from yinse.audio.rumble import RUMBLE_BELOW_HZ, without_rumble
from yinse.audio.silence import Segment, cut, speech_segments
from yinse.core.errors import QualityGateError
from yinse.core.types import AudioClip

# What DeepFilterNet leaves of voice and noise, as measured on speech at 15 to 30 dB; no mix was worse than both.
_DENOISED_SNR_DB = 22.0


@dataclass(frozen=True, slots=True)
class CleaningOptions:
    """How a recording is cleaned.

    Attributes:
        highpass_hz: rumble below this frequency is taken away.
        denoise_below_db: recordings whose signal-to-noise ratio is above this are left to their own noise.
        margin_s: silence kept at both ends.
        target_lufs: loudness of the result.
        ceiling_dbtp: highest true peak of the result.
        limits: what is refused.
    """

    highpass_hz: float = RUMBLE_BELOW_HZ
    denoise_below_db: float = 30.0
    margin_s: float = 0.1
    target_lufs: float = TARGET_LUFS
    ceiling_dbtp: float = CEILING_DBTP
    limits: QualityLimits = field(default_factory=QualityLimits)


@dataclass(frozen=True, slots=True)
class CleaningStep:
    """One thing that was done to a recording, with its numbers."""

    name: str
    parameters: tuple[tuple[str, float | str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class CleanedRecording:
    """A recording after cleaning.

    Attributes:
        clip: the result, at the rate of the original.
        report_before: quality of the recording.
        report_after: quality of the result.
        steps: what was done, in order.
    """

    clip: AudioClip
    report_before: QualityReport
    report_after: QualityReport
    steps: tuple[CleaningStep, ...]


def clean(
    clip: AudioClip,
    *,
    options: CleaningOptions | None = None,
    denoiser: Denoiser | None = None,
    where: str | None = None,
) -> CleanedRecording:
    """Cleans a recording: no offset, no rumble, no noise, no silence at the ends, the right loudness.

    Args:
        clip: `(S,)` at its own rate.
        options: limits and targets.
        denoiser: used on every recording, however quiet; None: DeepFilterNet, where the noise calls for it.
        where: name of the recording for messages.

    Returns:
        The result with both reports and a journal. Pauses and breaths inside keep their length.

    Raises:
        QualityGateError: the recording is silent, too short or too noisy.
    """
    options = options or CleaningOptions()
    steps = [
        CleaningStep("offset", (("removed", float(clip.samples.mean()) if len(clip.samples) else 0.0),)),
        CleaningStep("highpass", (("cutoff_hz", options.highpass_hz),)),
    ]
    steady = without_rumble(clip, cutoff_hz=options.highpass_hz)
    speech = DeepFilterNet().denoise(steady)
    before = assess_quality(clip, limits=options.limits, speech=speech)
    if before.verdict == "refused":
        raise QualityGateError(
            f"the recording cannot be used: {', '.join(before.reasons)}", where=where, advice=before.advice
        )
    takes_voice = estimate_noise(steady, speech).takes_voice
    quiet = steady
    if denoiser is not None:
        quiet = denoiser.denoise(steady)
        steps.append(CleaningStep("denoise", (("denoiser", denoiser.name),)))
    elif takes_voice:
        steps.append(CleaningStep("denoise skipped", (("reason", "the denoiser would take voice for noise"),)))
    elif before.snr_db < options.denoise_below_db:
        # The mix with the least error, where noise and the denoiser's own error have nothing to do with each other.
        strength = 1.0 / (1.0 + 10.0 ** ((before.snr_db - _DENOISED_SNR_DB) / 10.0))
        mixed = steady.samples + np.float32(strength) * (speech.samples - steady.samples)
        quiet = AudioClip(mixed, clip.sample_rate_hz)
        steps.append(CleaningStep("denoise", (("denoiser", DeepFilterNet.name), ("strength", strength))))
    # The denoised voice shows best where speech begins and ends, also when the noise stays in.
    spans = (speech_segments(steady) if takes_voice else ()) or speech_segments(speech)
    kept = Segment(spans[0].start_s - options.margin_s, spans[-1].end_s + options.margin_s)
    trimmed = cut(quiet, kept)
    steps.append(
        CleaningStep("trim", (("start_s", max(0.0, kept.start_s)), ("end_s", min(clip.duration_s, kept.end_s))))
    )
    loudness_lufs = integrated_lufs(trimmed)
    leveled = normalize_loudness(trimmed, target_lufs=options.target_lufs, ceiling_dbtp=options.ceiling_dbtp)
    steps.append(CleaningStep("loudness", (("before_lufs", loudness_lufs), ("after_lufs", integrated_lufs(leveled)))))
    return CleanedRecording(
        clip=leveled,
        report_before=before,
        report_after=judge_quality(
            leveled, snr_db=estimate_noise(quiet, speech).snr_db, speech_s=before.speech_s, limits=options.limits
        ),
        steps=tuple(steps),
    )
