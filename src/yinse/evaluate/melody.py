"""Plain numbers of how a sentence was read: melody, pace, and how far up its spectrum reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from yinse.audio.pitch import track_pitch
from yinse.audio.silence import speech_segments, trim_silence
from yinse.core.types import AudioClip

_FULL_BAND_RATE_HZ = 22_000


@dataclass(frozen=True, slots=True)
class Reading:
    """How a sentence was read.

    Attributes:
        f0_median_hz: median fundamental frequency; NaN if nothing is voiced.
        f0_spread_semitones: half the distance from the 16th to the 84th percentile of F0; NaN if nothing is voiced.
        speech_s: length without silence at the ends.
        pauses_s: silences of 0.15 s and more inside.
        rate_per_s: words or syllables per second of speech without those pauses.
        upper_band_db: energy at 8 to 11 kHz relative to 4 to 8 kHz; NaN for clips that hold no such frequencies.
    """

    f0_median_hz: float
    f0_spread_semitones: float
    speech_s: float
    pauses_s: float
    rate_per_s: float
    upper_band_db: float


def measure_reading(clip: AudioClip, *, units: int) -> Reading:
    """Measures how a clip `(S,)` of `units` words or syllables was read."""
    speech = trim_silence(clip, keep_s=0.0)
    pitch = track_pitch(clip)
    voiced = pitch.f0_hz[pitch.voiced]
    median = spread = float("nan")
    if len(voiced):
        low, middle, high = np.percentile(voiced, [16, 50, 84])
        median, spread = float(middle), float(6.0 * np.log2(high / low))
    spoken = speech_segments(speech, min_silence_s=0.15)
    pauses_s = sum(after.start_s - before.end_s for before, after in zip(spoken, spoken[1:], strict=False))
    articulated_s = max(speech.duration_s - pauses_s, 0.05)
    return Reading(median, spread, speech.duration_s, pauses_s, units / articulated_s, upper_band_db(clip))


def upper_band_db(clip: AudioClip) -> float:
    """Energy of a clip `(S,)` at 8 to 11 kHz relative to 4 to 8 kHz in dB; NaN below a rate of 22 kHz."""
    if clip.sample_rate_hz < _FULL_BAND_RATE_HZ or len(clip.samples) == 0:
        return float("nan")
    power = np.abs(np.fft.rfft(clip.samples.astype(np.float64))) ** 2
    hz = np.fft.rfftfreq(len(clip.samples), 1.0 / clip.sample_rate_hz)
    upper, middle = (power[(hz >= low) & (hz < high)].sum() for low, high in ((8000, 11000), (4000, 8000)))
    return float(10.0 * np.log10((upper + 1e-12) / (middle + 1e-12)))
