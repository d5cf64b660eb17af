"""From a casual recording to one that a model can learn from: the steps in order, with a journal."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from yinse.audio.blend import blend_around_speech
from yinse.audio.clicks import Click, find_clicks, repair_clicks
from yinse.audio.compressor import compress
from yinse.audio.denoise import DEFAULT_METHOD, make_denoiser, strengths_for
from yinse.audio.hum import find_hum
from yinse.audio.journal import CleaningStep, step
from yinse.audio.loudness import integrated_lufs, normalize_loudness
from yinse.audio.music import held_tone_share
from yinse.audio.options import CleaningOptions
from yinse.audio.parted_snr import refine_snr_db
from yinse.audio.quality import QualityLimits, QualityReport, assess_quality, clipping_ratio, judge
from yinse.audio.resample import resample
from yinse.audio.rumble import without_rumble
from yinse.audio.silence import Segment, cut, speech_segments
from yinse.audio.slicing import UtteranceSlice, slice_utterances
from yinse.audio.snr import estimate_snr_db
from yinse.core.errors import QualityGateError
from yinse.core.types import AudioClip

REVISION = 10
"""Grows whenever the same recording and options give another result: results kept from earlier are then of no use."""
# Noise that falls on words alone explains some difference between what the denoiser removed and the measured noise;
# more of it means that it takes voice for noise, as with some distant microphones and with telephone speech.
_VOICE_LOST_GAP_DB = 12.0
_PLENTY_OF_NOISE_DB = 20.0
_KNOWS_SPEECH = ("deepfilternet", "rnnoise")


@dataclass(frozen=True, slots=True, eq=False)
class CleanedRecording:
    """A recording after cleaning.

    Attributes:
        clip: the result; at the rate of the original unless the options name one.
        report_before: quality of the recording.
        report_after: quality of the result.
        steps: what was done, in order.
        clicks: what was found to click in the original.
    """

    clip: AudioClip
    report_before: QualityReport
    report_after: QualityReport
    steps: tuple[CleaningStep, ...]
    clicks: tuple[Click, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """A piece of a recording, ready to learn from.

    Attributes:
        clip: its audio.
        segment: where it lies in the recording.
        snr_db: its own signal-to-noise ratio.
        snr_before_db: that of the same stretch before cleaning.
        held_tones: share of the time with tones that no voice makes, before cleaning.
        loudness_lufs: its integrated loudness.
        place: where in the recording its middle lies, 0 to 1.
        steps: what was done to it after cutting.
    """

    clip: AudioClip
    segment: Segment
    snr_db: float
    snr_before_db: float
    held_tones: float
    loudness_lufs: float
    place: float
    steps: tuple[CleaningStep, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PreparedRecording:
    """A recording, cleaned and cut.

    Attributes:
        utterances: in order.
        left_out: stretches of speech of which no utterance could be made.
        report_before: quality of the recording.
        report_after: quality after cleaning.
        steps: what was done to the whole of it, in order.
        clicks: what was found to click in it.
    """

    utterances: tuple[Utterance, ...]
    left_out: tuple[Segment, ...]
    report_before: QualityReport
    report_after: QualityReport
    steps: tuple[CleaningStep, ...]
    clicks: tuple[Click, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Restored:
    """A recording without noise, before it is cut and brought to its level.

    Attributes:
        clip: the result `(S,)`, as long as the recording.
        steady: the recording without rumble and clicks `(S,)`, its noise left in.
        spans: where there is speech.
        report_before: quality of the recording.
        clicks: what was found to click in it.
        steps: what was done, in order.
    """

    clip: AudioClip
    steady: AudioClip
    spans: tuple[Segment, ...]
    report_before: QualityReport
    clicks: tuple[Click, ...] = ()
    steps: tuple[CleaningStep, ...] = field(default=())


def clean(clip: AudioClip, *, options: CleaningOptions | None = None, where: str | None = None) -> CleanedRecording:
    """Cleans a recording: no offset, no rumble, no noise, no silence at the ends, the right loudness.

    Args:
        clip: `(S,)` at its own rate.
        options: what is done, limits and targets.
        where: name of the recording for messages.

    Returns:
        The result with both reports and a journal. Pauses and breaths inside keep their length.

    Raises:
        QualityGateError: the recording is silent, too short or too noisy.
        MissingExtra: the denoiser's package is not installed.
    """
    options = options or CleaningOptions()
    restored = restore(clip, options=options, where=where)
    quiet, spans = restored.clip, restored.spans
    kept = Segment(
        max(0.0, spans[0].start_s - options.margin_s), min(quiet.duration_s, spans[-1].end_s + options.margin_s)
    )
    trimmed = cut(quiet, kept)
    leveled, loudness_lufs, level_steps = _leveled(trimmed, options)
    return CleanedRecording(
        clip=leveled,
        report_before=restored.report_before,
        report_after=_judged_again(leveled, loudness_lufs, restored.report_before, options),
        steps=(*restored.steps, step("trim", start_s=kept.start_s, end_s=kept.end_s), *level_steps),
        clicks=restored.clicks,
    )


def prepare(clip: AudioClip, *, options: CleaningOptions, where: str | None = None) -> PreparedRecording:
    """Cleans a recording and cuts it into utterances, each brought to its loudness.

    Arguments and errors as for `clean`.
    """
    return cut_up_restored(restore(clip, options=options, where=where), options=options)


def cut_up_restored(restored: Restored, *, options: CleaningOptions) -> PreparedRecording:
    """Cuts a recording without its noise into utterances, each brought to its loudness.

    Args:
        restored: what `restore` made with the same options.
        options: lengths, compression, loudness.
    """
    cut_up = slice_utterances(restored.clip, min_s=options.shortest_s, max_s=options.longest_s)
    utterances = tuple(_utterance(piece, restored, options, alone=len(cut_up) == 1) for piece in cut_up)
    return PreparedRecording(
        utterances=utterances,
        # Pieces hold all speech that there is; there are none only where it is too little for one.
        left_out=() if utterances else restored.spans,
        report_before=restored.report_before,
        report_after=_judged_again(
            restored.clip,
            options.target_lufs,
            restored.report_before,
            options,
            snr_db=utterances[0].snr_db if len(utterances) == 1 else None,
        ),
        steps=restored.steps,
        clicks=restored.clicks,
    )


def restore(clip: AudioClip, *, options: CleaningOptions, where: str | None = None) -> Restored:
    """Takes rumble, clicks and noise out of a recording and judges whether it can be used.

    Arguments and errors as for `clean`.
    """
    steps = [step("offset", removed=float(clip.samples.mean(dtype=np.float64)) if len(clip.samples) else 0.0)]
    if options.rate_hz not in (None, clip.sample_rate_hz):
        steps.append(step("resample", from_hz=clip.sample_rate_hz, to_hz=options.rate_hz or 0))
        clip = resample(clip, options.rate_hz or clip.sample_rate_hz)
    steps.append(step("highpass", cutoff_hz=options.highpass_hz))
    steady = without_rumble(clip, cutoff_hz=options.highpass_hz)
    clicks: tuple[Click, ...] = ()
    if options.repair_clicks:
        clicks = find_clicks(steady)
        if clicks:
            steady = repair_clicks(steady, clicks)
            steps.append(step("repair clicks", times_s=tuple(round(click.start_s, 4) for click in clicks)))
    speech = make_denoiser(options.denoise, strength=1.0, noise_from=options.noise_from).denoise(steady)
    before, spans = _examined(clip, steady, speech, denoise=options.denoise, limits=options.limits)
    takes_voice = _takes_voice(steady, speech, before.snr_db)
    quiet, denoise_steps = _denoised(steady, speech, before.snr_db, takes_voice=takes_voice, options=options)
    if before.verdict == "refused":
        before = _rescued(before, steady, speech, takes_voice=takes_voice, options=options)
        if before.verdict == "refused":
            raise QualityGateError(
                f"the recording cannot be used: {', '.join(before.reasons)}", where=where, advice=before.advice
            )
    # The denoised voice shows best where speech begins and ends, also when the noise stays in.
    spans = (speech_segments(steady) if takes_voice else ()) or spans
    return Restored(quiet, steady, spans, before, clicks, (*steps, *denoise_steps))


def examine(clip: AudioClip, *, limits: QualityLimits | None = None, denoise: str = DEFAULT_METHOD) -> QualityReport:
    """Judges a recording as `clean` does before it cleans.

    Args:
        clip: `(S,)`.
        limits: where a recording stops being good.
        denoise: denoiser that helps to tell voice from noise; a network makes the figures better and takes longer.
    """
    steady = without_rumble(clip)
    speech = make_denoiser(denoise, strength=1.0).denoise(steady)
    return _examined(clip, steady, speech, denoise=denoise, limits=limits or QualityLimits())[0]


def _examined(
    clip: AudioClip, steady: AudioClip, speech: AudioClip, *, denoise: str, limits: QualityLimits
) -> tuple[QualityReport, tuple[Segment, ...]]:
    """Report of a recording and where there is speech, told with the help of what a denoiser made of it."""
    spans = speech_segments(speech)
    report = assess_quality(clip, limits=limits, speech_s=sum(span.duration_s for span in spans), steady=steady)
    if denoise in _KNOWS_SPEECH:
        report = judge(replace(report, snr_db=refine_snr_db(report.snr_db, steady, speech, spans)), limits)
    return report, spans


def _denoised(
    steady: AudioClip, speech: AudioClip, snr_db: float, *, takes_voice: bool, options: CleaningOptions
) -> tuple[AudioClip, tuple[CleaningStep, ...]]:
    """As much of the denoised clip as the noise calls for, and what the journal says of it."""
    if options.denoise == "none" or options.strength == 0.0:
        return steady, ()
    if options.strength is not None:
        in_pauses = in_speech = options.strength
    else:
        if takes_voice:
            return steady, (step("denoise skipped", reason="the denoiser would take voice for noise"),)
        if snr_db >= options.denoise_below_db:
            return steady, ()
        in_pauses, in_speech = strengths_for(
            snr_db,
            method=options.denoise,
            none_from_db=options.denoise_below_db,
            most_in_speech=options.strength_in_speech,
        )
    done = step("denoise", denoiser=options.denoise, strength=in_speech, strength_in_pauses=in_pauses)
    return blend_around_speech(steady, speech, in_pauses=in_pauses, in_speech=in_speech), (done,)


def _takes_voice(steady: AudioClip, speech: AudioClip, snr_db: float) -> bool:
    """Whether the denoiser removed much more than the noise, so that its result is of no use."""
    total = float(np.mean(np.square(steady.samples, dtype=np.float64))) if len(steady.samples) else 0.0
    removed = float(np.mean(np.square(steady.samples - speech.samples, dtype=np.float64))) if total else 0.0
    by_denoiser_db = 10.0 * np.log10(max(total - removed, 1e-12) / max(removed, 1e-12))
    return bool(by_denoiser_db < _PLENTY_OF_NOISE_DB and snr_db - by_denoiser_db > _VOICE_LOST_GAP_DB)


def _rescued(
    before: QualityReport, steady: AudioClip, speech: AudioClip, *, takes_voice: bool, options: CleaningOptions
) -> QualityReport:
    """The report of a recording that is too noisy but clean enough once the noise is out; else as it was."""
    limits = options.limits
    if before.speech_s < limits.min_speech_s or before.snr_db < limits.hopeless_snr_db or takes_voice:
        return before
    if options.denoise == "none" or estimate_snr_db(speech) < limits.rescued_snr_db:
        return before
    return replace(
        before, verdict="warned", reasons=(*before.reasons, "without its noise the voice is good enough to use")
    )


def _utterance(piece: UtteranceSlice, restored: Restored, options: CleaningOptions, *, alone: bool) -> Utterance:
    leveled, loudness_lufs, steps = _leveled(piece.clip, options)
    whole, raw = restored.report_before, cut(restored.steady, piece.segment)
    return Utterance(
        clip=leveled,
        segment=piece.segment,
        snr_db=estimate_snr_db(leveled),
        snr_before_db=whole.snr_db if alone else estimate_snr_db(raw),
        held_tones=whole.held_tones if alone else held_tone_share(raw),
        loudness_lufs=loudness_lufs,
        place=(piece.segment.start_s + piece.segment.end_s) / 2 / max(whole.duration_s, 1e-6),
        steps=(step("cut", start_s=piece.segment.start_s, end_s=piece.segment.end_s), *steps),
    )


def _leveled(clip: AudioClip, options: CleaningOptions) -> tuple[AudioClip, float, tuple[CleaningStep, ...]]:
    """Compressed, if the options say so, and at its loudness, which is the second answer."""
    steps: list[CleaningStep] = []
    if options.compression is not None:
        clip = compress(clip, options.compression)
        settings = options.compression
        steps.append(
            step(
                "compress",
                ratio=settings.ratio,
                threshold_dbfs=settings.threshold_dbfs,
                attack_s=settings.attack_s,
                release_s=settings.release_s,
            )
        )
    leveled = normalize_loudness(clip, target_lufs=options.target_lufs, ceiling_dbtp=options.ceiling_dbtp)
    after_lufs = integrated_lufs(leveled)
    return leveled, after_lufs, (*steps, step("loudness", target_lufs=options.target_lufs, after_lufs=after_lufs))


def _judged_again(
    clip: AudioClip,
    loudness_lufs: float,
    before: QualityReport,
    options: CleaningOptions,
    *,
    snr_db: float | None = None,
) -> QualityReport:
    """Report of a result: noise, level and hum are measured again; room, band and music stay what they were."""
    return judge(
        replace(
            before,
            snr_db=estimate_snr_db(clip) if snr_db is None else snr_db,
            clipping_ratio=clipping_ratio(clip),
            loudness_lufs=loudness_lufs,
            duration_s=clip.duration_s,
            hum=find_hum(clip) if before.hum else None,
        ),
        options.limits,
    )
