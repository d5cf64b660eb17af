"""How good a recording is, in numbers, with a verdict, its reasons and advice in plain words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from yinse.audio.denoise import DeepFilterNet
from yinse.audio.loudness import integrated_lufs
from yinse.audio.rumble import without_rumble
from yinse.audio.silence import LOUD_PERCENTILE, frame_levels, speech_segments
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip

Verdict = Literal["good", "warned", "refused"]

HIGHEST_SNR_DB = 60.0
LOWEST_SNR_DB = -20.0
# What the denoiser removes is the noise as long as there is plenty of it; in quiet recordings its own error prevails
# and the pauses between words tell better.
_PAUSES_ABOVE_DB = 20.0
_PAUSE_DEPTH_DB = 35.0
_FEWEST_PAUSE_FRAMES = 10
# Bursts of noise that fall on words alone explain such a difference between the two answers; more of it means that
# the denoiser takes voice for noise, as it does with some distant microphones and with telephone speech.
_USUAL_GAP_DB = 6.0
_VOICE_LOST_GAP_DB = 12.0
_CLIPPED_NEAR_PEAK = 0.998
_BAND_WIDTH_HZ = 250.0
_BAND_BELOW_PEAK_DB = 65.0
_BAND_CONTRAST_DB = 8.0


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Where a recording stops being good.

    Attributes:
        good_snr_db: below it a recording is warned about.
        lowest_snr_db: below it a recording is refused.
        min_speech_s: less speech than this is refused.
        most_clipping: share of clipped samples above which a recording is warned about.
        narrow_band_hz: bandwidth below which a recording is warned about.
        quietest_lufs: loudness below which a recording is warned about.
    """

    good_snr_db: float = 25.0
    lowest_snr_db: float = 8.0
    min_speech_s: float = 0.8
    most_clipping: float = 0.001
    narrow_band_hz: float = 6_500.0
    quietest_lufs: float = -45.0


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


@dataclass(frozen=True, slots=True)
class NoiseEstimate:
    """How much noise a recording holds.

    Attributes:
        snr_db: power of the voice over that of the noise, from -20 to 60; the lowest for silence.
        takes_voice: whether the denoiser removed much more than the noise, so that its result is of no use.
    """

    snr_db: float
    takes_voice: bool


def assess_quality(
    clip: AudioClip, *, limits: QualityLimits | None = None, speech: AudioClip | None = None
) -> QualityReport:
    """Measures a recording and judges it.

    Args:
        clip: `(S,)`.
        limits: where a recording stops being good.
        speech: the clip without rumble and noise, `(S,)`, if a denoiser at full strength has been run already.
    """
    steady = without_rumble(clip)
    speech = speech or DeepFilterNet().denoise(steady)
    speech_s = sum(segment.duration_s for segment in speech_segments(speech))
    return judge_quality(clip, snr_db=estimate_noise(steady, speech).snr_db, speech_s=speech_s, limits=limits)


def judge_quality(
    clip: AudioClip, *, snr_db: float, speech_s: float, limits: QualityLimits | None = None
) -> QualityReport:
    """Judges a recording whose noise and speech have been measured already; see `assess_quality`.

    Args:
        clip: `(S,)`.
        snr_db: its signal-to-noise ratio.
        speech_s: length of the speech in it.
        limits: where a recording stops being good.
    """
    limits = limits or QualityLimits()
    loudness_lufs = integrated_lufs(clip)
    clipped = clipping_ratio(clip)
    band_hz = bandwidth_hz(clip)
    reasons: list[str] = []
    advice = ""
    verdict: Verdict = "good"
    # In rising order of weight: the last advice is the one that matters most.
    if loudness_lufs < limits.quietest_lufs:
        verdict = "warned"
        reasons.append(f"the recording is very quiet ({loudness_lufs:.0f} LUFS)")
        advice = "Move closer to the microphone or raise its level."
    if 0.0 < band_hz < limits.narrow_band_hz:
        verdict = "warned"
        reasons.append(f"the voice ends at {band_hz / 1000:.1f} kHz, as on the telephone")
        advice = "Record with the microphone itself, not through a call or a headset's radio link."
    if clipped > limits.most_clipping:
        verdict = "warned"
        reasons.append(f"{clipped:.1%} of the samples are clipped")
        advice = "Lower the recording level or step back a little."
    if snr_db < limits.good_snr_db:
        verdict = "warned"
        reasons.append(f"the voice stands only {snr_db:.0f} dB above the noise")
        advice = "Record in a quieter room, closer to the microphone."
    if speech_s < limits.min_speech_s:
        verdict = "refused"
        reasons = [f"there are only {speech_s:.1f} s of speech" if speech_s else "there is no speech in it"]
        advice = "Record at least a few seconds of speech."
    elif snr_db < limits.lowest_snr_db:
        verdict = "refused"
    return QualityReport(
        snr_db=snr_db,
        clipping_ratio=clipped,
        bandwidth_hz=band_hz,
        loudness_lufs=loudness_lufs,
        duration_s=clip.duration_s,
        speech_s=speech_s,
        verdict=verdict,
        reasons=tuple(reasons) or (f"the voice stands {snr_db:.0f} dB above the noise",),
        advice=advice,
    )


def estimate_noise(clip: AudioClip, speech: AudioClip) -> NoiseEstimate:
    """Signal-to-noise ratio of a recording: mean power of the voice over mean power of the noise.

    What a denoiser removed is the noise, whatever its kind, as long as there is plenty of it and the denoiser leaves
    the voice alone. Otherwise the noise is what remains where the voice pauses.

    Args:
        clip: the recording `(S,)`.
        speech: the same without its noise `(S,)`.

    Raises:
        ConfigError: the clips differ in length or rate.
    """
    if len(clip.samples) != len(speech.samples) or clip.sample_rate_hz != speech.sample_rate_hz:
        raise ConfigError("the denoised clip does not belong to the recording")
    spans = speech_segments(speech)
    if not spans:
        return NoiseEstimate(LOWEST_SNR_DB, takes_voice=False)
    rate = clip.sample_rate_hz
    spoken = np.zeros(len(clip.samples), dtype=np.bool_)
    for span in spans:
        spoken[round(span.start_s * rate) : round(span.end_s * rate)] = True
    total = float(np.mean(np.square(clip.samples[spoken], dtype=np.float64)))
    removed = float(np.mean(np.square(clip.samples[spoken] - speech.samples[spoken], dtype=np.float64)))
    snr_db, takes_voice = _snr_db(total, removed), False
    speech_db = frame_levels(speech).level_db
    pauses = speech_db < np.percentile(speech_db, LOUD_PERCENTILE) - _PAUSE_DEPTH_DB
    if pauses.sum() >= _FEWEST_PAUSE_FRAMES:
        quiet = np.sort(10.0 ** (frame_levels(clip).level_db[pauses] / 10.0))
        # The loudest fifth is speech that the denoiser swallowed.
        gap_db = _snr_db(total, float(quiet[: math.ceil(0.8 * len(quiet))].mean())) - snr_db
        doubt = float(np.clip((gap_db - _USUAL_GAP_DB) / (_VOICE_LOST_GAP_DB - _USUAL_GAP_DB), 0.0, 1.0))
        takes_voice = snr_db < _PAUSES_ABOVE_DB and doubt == 1.0
        if snr_db > _PAUSES_ABOVE_DB:
            doubt = 1.0
        snr_db += doubt * max(0.0, gap_db)
    return NoiseEstimate(float(np.clip(snr_db, LOWEST_SNR_DB, HIGHEST_SNR_DB)), takes_voice)


def _snr_db(total: float, noise: float) -> float:
    return 10.0 * math.log10(max(total - noise, 1e-12) / max(noise, 1e-12))


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
        pressed += int((samples >= _CLIPPED_NEAR_PEAK * high).sum()) - 1
    if low < 0.0:
        pressed += int((samples <= _CLIPPED_NEAR_PEAK * low).sum()) - 1
    return pressed / len(samples)


def bandwidth_hz(clip: AudioClip) -> float:
    """Highest frequency at which the voice is heard: within 65 dB of its strongest band, and not constant in time.

    Finds a telephone codec inside a recording of any rate; 0 for silence.
    """
    rate = clip.sample_rate_hz
    size = max(64, 1 << round(math.log2(0.032 * rate)))
    if len(clip.samples) < size:
        return 0.0
    windows = np.lib.stride_tricks.sliding_window_view(clip.samples, size)[:: size // 2]
    # A long recording needs no more than a few thousand frames, spread evenly.
    windows = windows[:: max(1, len(windows) // 4000)]
    power = np.abs(np.fft.rfft(windows * np.hanning(size).astype(np.float32), axis=1)) ** 2
    width = max(1, round(_BAND_WIDTH_HZ * size / rate))
    bands = power.shape[1] // width
    bands_db = 10.0 * np.log10(power[:, : bands * width].reshape(len(power), bands, width).mean(axis=2) + 1e-12)
    loud, low = np.percentile(bands_db, [98.0, 10.0], axis=0)
    heard = (loud >= loud.max() - _BAND_BELOW_PEAK_DB) & (loud - low >= _BAND_CONTRAST_DB) & (loud > -100.0)
    return float(min((np.flatnonzero(heard)[-1] + 1) * width * rate / size, rate / 2)) if heard.any() else 0.0
