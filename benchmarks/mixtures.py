"""Speech in noise with a known signal-to-noise ratio, from the shared data folder; which files may be learned from.

Noises in alphabetical order: every second one, from the first on, is for development, the others are for tests.
Speech for development comes from people of base training, speech for tests from people that `splits.json` keeps
unheard.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yinse.audio.decode import decode
from yinse.audio.resample import resample
from yinse.audio.rumble import without_rumble
from yinse.audio.silence import speech_segments
from yinse.core.types import AudioClip, FloatArray

FLOOR_FRAME_S = 0.02


@dataclass(frozen=True)
class Speech:
    """A recording of which the text may be known."""

    path: Path
    speaker: str
    language: str
    text: str
    duration_s: float


def noises(data: Path, *, development: bool) -> list[Path]:
    """Noise files for development or for tests."""
    found = sorted((data / "noise" / "audio").iterdir())
    return found[0::2] if development else found[1::2]


def speech(data: Path, *, development: bool, packs: Sequence[str]) -> list[Speech]:
    """Recordings of people of base training (for development), or of people kept unheard (for tests)."""
    splits = json.loads((data / "splits.json").read_text(encoding="utf-8"))
    allowed = splits["base_training" if development else "development"]
    found = []
    for pack in packs:
        people = allowed.get(pack, [])
        with open(data / pack / "metadata.csv", encoding="utf-8", newline="") as file:
            found += [
                Speech(
                    data / pack / row["file"], row["speaker"], row["language"], row["text"], float(row["duration_s"])
                )
                for row in csv.DictReader(file)
                if isinstance(people, str) or row["speaker"] in people
            ]
    return found


def mix(clip: AudioClip, noise: AudioClip, snr_db: float, *, random: np.random.Generator) -> AudioClip:
    """A clip in a random stretch of a noise; the ratio is of mean power while there is speech to mean noise power.

    The noise that the recording has of its own is counted in: less of the other is added.
    """
    mixed = clip.samples + added_noise(clip, noise, snr_db, random=random)
    return AudioClip((mixed * min(1.0, 0.98 / float(np.abs(mixed).max()))).astype(np.float32), clip.sample_rate_hz)


def added_noise(
    clip: AudioClip, noise: AudioClip, snr_db: float, *, random: np.random.Generator
) -> NDArray[np.float64]:
    """What `mix` adds to a clip, `(S,)`."""
    added = np.resize(np.roll(noise.samples, -int(random.integers(len(noise.samples)))), len(clip.samples))
    voice, floor = speech_and_floor_power(clip)
    wanted = max(voice / 10.0 ** (snr_db / 10.0) - floor, 0.0)
    power = float(np.mean(np.square(added, dtype=np.float64)))
    return np.asarray(added * np.sqrt(wanted / max(power, 1e-12)), dtype=np.float64)


def true_snr_db(clip: AudioClip, added: NDArray[np.float64]) -> float:
    """Mean power of a voice while it speaks over that of all noise meanwhile.

    Noise that comes and goes is counted where the voice is, not where it pauses; the recording's own floor is counted.

    Args:
        clip: the voice alone `(S,)`.
        added: the noise alone `(S,)`.
    """
    voice, floor = speech_and_floor_power(clip)
    noise = float(np.mean(np.square(added[spoken_samples(clip)], dtype=np.float64)))
    return float(10.0 * np.log10(max(voice, 1e-12) / max(noise + floor, 1e-12)))


def speech_and_floor_power(clip: AudioClip) -> tuple[float, float]:
    """Mean power of a clean recording while there is speech, and of its quietest twentieth."""
    voice = clip.samples[spoken_samples(clip)]
    size = round(FLOOR_FRAME_S * clip.sample_rate_hz)
    frames = clip.samples[: len(clip.samples) // size * size].reshape(-1, size).astype(np.float64)
    power = np.sort((frames**2).mean(axis=1))
    return float(np.mean(voice.astype(np.float64) ** 2)), float(power[: max(1, len(power) // 20)].mean())


def spoken_samples(clip: AudioClip) -> NDArray[np.bool_]:
    """Which samples `(S,)` of a clean recording lie in speech; pauses of less than 0.3 s are part of it."""
    spoken = np.zeros(len(clip.samples), dtype=np.bool_)
    for span in speech_segments(clip, min_silence_s=0.3):
        spoken[round(span.start_s * clip.sample_rate_hz) : round(span.end_s * clip.sample_rate_hz)] = True
    return spoken if spoken.any() else ~spoken


def own_snr_db(clip: AudioClip) -> float:
    """How clean a recording is by itself."""
    voice, floor = speech_and_floor_power(clip)
    return float(10.0 * np.log10(max(voice, 1e-12) / max(floor, 1e-12)))


def load_speech(path: Path, rate_hz: int) -> AudioClip:
    """A recording without rumble at a rate; the Opus files that hold 16 kHz speech decode to 48 kHz."""
    return resample(without_rumble(decode(path)), rate_hz)


def load_noise(path: Path, rate_hz: int) -> AudioClip:
    """A noise without rumble at a rate."""
    return resample(without_rumble(decode(path)), rate_hz)


def si_sdr_db(reference: FloatArray, heard: FloatArray) -> float:
    """Scale-invariant signal-to-distortion ratio of two signals `(S,)`.

    Source: J. Le Roux et al., SDR - half-baked or well done? (ICASSP 2019).
    """
    reference, heard = reference.astype(np.float64), heard.astype(np.float64)
    target = np.dot(reference, heard) / max(np.dot(reference, reference), 1e-12) * reference
    return float(10.0 * np.log10(max(np.sum(target**2), 1e-12) / max(np.sum((heard - target) ** 2), 1e-12)))
