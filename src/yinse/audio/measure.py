"""Plain numbers measured on a speaker's log-mels and pitch: the part of a voice that needs no network.

A model that predicts spectra relative to the speaker's mean spectrum, and melody relative to the speaker's median,
starts close to the voice before it has learned anything about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from yinse.core.errors import BadAudio
from yinse.core.types import AudioClip, FloatArray

SPEECH_LEVEL_DBFS = -26.0
ACTIVE_BELOW_PEAK = 3.5
"""A frame is speech when its mean log magnitude is within 3.5 nats (30 dB) of the loud frames."""
QUIET_PERCENTILE = 6
"""The noise floor is read off the quietest frames; a level threshold would find none in a noisy recording."""
FLOOR_BANDS = 8


@dataclass(frozen=True)
class SpeakerMeasure:
    """What is measured on a speaker's recordings.

    Attributes:
        mean_spectrum: `(M,)` mean log-mel of speech frames, nats.
        floor_depth: `(FLOOR_BANDS,)` silence relative to the mean spectrum, nats, by bands of equal width in mel bins.
        log_f0_median: natural logarithm of the median F0 in Hz.
        log_f0_spread: half the distance from the 16th to the 84th percentile of log F0.
        tempo: mean spectral change per frame in speech, nats: a measure of articulation rate.
    """

    mean_spectrum: FloatArray
    floor_depth: FloatArray
    log_f0_median: float
    log_f0_spread: float
    tempo: float


def level_speech(clip: AudioClip, *, target_dbfs: float = SPEECH_LEVEL_DBFS) -> AudioClip:
    """Scale a clip so that its speech frames (25 ms, within 30 dB of the loud ones) have this root mean square.

    Raises:
        BadAudio: the clip is silent or shorter than 0.1 s.
    """
    size = clip.sample_rate_hz // 40
    frames = clip.samples[: len(clip.samples) // size * size].reshape(-1, size)
    power = np.square(frames, dtype=np.float64).mean(axis=1)
    if len(power) < 4 or power.max() < 1e-9:
        raise BadAudio(
            "the recording is silent or shorter than 0.1 s", advice="Record again, closer to the microphone."
        )
    speech = power[power > np.percentile(power, 95) * 1e-3]
    gain = 10 ** (target_dbfs / 20) / np.sqrt(speech.mean())
    return AudioClip((clip.samples * gain).astype(np.float32), clip.sample_rate_hz)


def frame_level(mel: FloatArray) -> FloatArray:
    """Mean log magnitude `(T_mel,)` below two thirds of the bins of a log-mel `(T_mel, M)`, nats."""
    return np.asarray(np.mean(mel[:, : mel.shape[1] * 2 // 3], axis=1), dtype=np.float32)


def speech_frames(mel: FloatArray) -> np.ndarray:
    """Boolean `(T_mel,)`: frames of a log-mel `(T_mel, M)` loud enough to be speech."""
    level = frame_level(mel)
    return np.asarray(level > np.percentile(level, 95) - ACTIVE_BELOW_PEAK)


def measure_speaker(mels: Sequence[FloatArray], log_f0s: Sequence[FloatArray]) -> SpeakerMeasure:
    """Measure a speaker.

    Args:
        mels: log-mels `(T_mel, M)` of loudness-normalised clips.
        log_f0s: natural log of F0 in Hz per frame `(T_mel,)`, 0 where unvoiced.

    Raises:
        BadAudio: nothing in the clips is speech.
    """
    speech, silence, changes = [], [], []
    for mel in (np.asarray(one, dtype=np.float32) for one in mels):
        level = frame_level(mel)
        active = speech_frames(mel)
        speech.append(mel[active])
        silence.append(mel[level <= np.percentile(level, QUIET_PERCENTILE)])
        low = mel[:, : mel.shape[1] * 2 // 3]
        changes.append(np.abs(low[2:] - low[:-2]).mean(axis=1)[active[1:-1]])
    voiced = np.concatenate([f0[f0 > 0] for f0 in log_f0s])
    frames = np.concatenate(speech)
    if len(voiced) < 10 or len(frames) < 20:
        raise BadAudio("no speech found in the recording", advice="Record at least a few seconds of clear speech.")
    mean = frames.mean(axis=0)
    depth = np.concatenate(silence).mean(axis=0) - mean
    low_f0, high_f0 = np.percentile(voiced, [16, 84])
    return SpeakerMeasure(
        mean_spectrum=mean.astype(np.float32),
        floor_depth=np.array([band.mean() for band in np.array_split(depth, FLOOR_BANDS)], dtype=np.float32),
        log_f0_median=float(np.median(voiced)),
        log_f0_spread=float(max((high_f0 - low_f0) / 2, 0.03)),
        tempo=float(np.concatenate(changes).mean()),
    )


def fill_unvoiced(log_f0: FloatArray) -> FloatArray:
    """A continuous melody `(T_mel,)`: unvoiced frames (0) take the line between their voiced neighbours."""
    voiced = np.flatnonzero(log_f0 > 0)
    if len(voiced) == 0:
        return np.full(len(log_f0), np.log(150.0), dtype=np.float32)
    return np.interp(np.arange(len(log_f0)), voiced, log_f0[voiced]).astype(np.float32)


@dataclass(frozen=True)
class PhonemeProsody:
    """How each phoneme was spoken, relative to the speaker.

    Attributes:
        durations: frames `(T_ph,)`, int32.
        pitch: mean log F0 from the speaker's median in units of the speaker's spread, 0 if unvoiced `(T_ph,)`.
        voiced: 0 or 1 `(T_ph,)`.
        energy: mean log magnitude relative to the speaker's mean spectrum, nats `(T_ph,)`.
    """

    durations: np.ndarray
    pitch: FloatArray
    voiced: FloatArray
    energy: FloatArray


def phoneme_prosody(
    mel: FloatArray, log_f0: FloatArray, durations: np.ndarray, *, measure: SpeakerMeasure
) -> PhonemeProsody:
    """Prosody per phoneme of an aligned clip.

    Args:
        mel: log-mel `(T_mel, M)`.
        log_f0: `(T_mel,)`, 0 where unvoiced.
        durations: frames per phoneme `(T_ph,)`; they sum to `T_mel`.
        measure: the speaker's.
    """
    count = len(durations)
    phoneme = np.repeat(np.arange(count), durations)
    frames = np.maximum(durations, 1).astype(np.float32)
    voiced_frames = np.bincount(phoneme, weights=log_f0 > 0, minlength=count)
    relative = np.where(log_f0 > 0, (log_f0 - measure.log_f0_median) / measure.log_f0_spread, 0.0)
    pitch = np.bincount(phoneme, weights=relative, minlength=count) / np.maximum(voiced_frames, 1)
    voiced = voiced_frames >= np.maximum(1, 0.4 * durations)
    level = frame_level(mel) - frame_level(measure.mean_spectrum[None])[0]
    energy = np.bincount(phoneme, weights=level, minlength=count) / frames
    return PhonemeProsody(
        durations=durations.astype(np.int32),
        pitch=np.where(voiced, pitch, 0.0).astype(np.float32),
        voiced=voiced.astype(np.float32),
        energy=energy.astype(np.float32),
    )
