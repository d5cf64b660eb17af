"""Which denoiser, and how much of it: what each does to noise, to fricatives and to the voice that is cloned.

    python benchmarks/denoise.py DATA [--clips 8] [--seed 0] [--test] [--methods ...] [--strengths ...] [--json]

Speech is mixed with real noises at 5, 10 and 15 dB. Each row is a method and a strength:
DNSMOS (overall) gained; SI-SDR gained; energy of fricatives between 4 and 8 kHz lost, as the part of the clean
fricative that is still in the result; similarity to the person as the judge of speakers hears it, 1 for the clean
recording and 0 for other people; share of clean recordings that lose more than 0.1 DNSMOS; time on one core.
Development people and noises are for choosing (the default), test people and noises for reporting. The rows of
a method are printed as soon as they are complete; 8 clips take a processor minute or two.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from mixtures import load_noise, load_speech, mix, noises, si_sdr_db, speech

from yinse.audio.blend import blend
from yinse.audio.denoise import METHODS, make_denoiser
from yinse.core.types import AudioClip, FloatArray
from yinse.evaluate.naturalness import Dnsmos
from yinse.evaluate.speaker_judge import Resemblyzer, SpeakerJudge

RATE_HZ = 24_000
SNRS_DB = (5.0, 10.0, 15.0)
PACKS = ("en_librispeech", "en_kathleen", "zh_en_kokoro", "zh_aishell_sample")
LENGTH_S = (3.0, 6.0)
HISS_HZ = (4_000.0, 8_000.0)
STRENGTHS = (0.5, 0.7, 1.0)


@dataclass(frozen=True)
class Case:
    """A clean recording, what noise made of it, and who speaks; no noise: infinite."""

    clean: AudioClip
    heard: AudioClip
    snr_db: float
    noise: str
    speaker: str


@dataclass(frozen=True)
class Row:
    """Means over the clips of one method, strength and noise level."""

    method: str
    strength: float
    snr_db: float
    clips: int
    dnsmos_gain: float
    dnsmos: float
    si_sdr_gain_db: float
    fricative_loss_db: float
    similarity: float
    clean_worse: float
    real_time_factor: float


def cases(data: Path, *, clips: int, seed: int, development: bool) -> list[Case]:
    """The mixtures: people and noises in turn, each clip once per noise level and once without noise."""
    random = np.random.default_rng(seed)
    found = [
        one
        for one in speech(data, development=development, packs=PACKS)
        if LENGTH_S[0] <= one.duration_s <= LENGTH_S[1]
    ]
    people = sorted({one.speaker for one in found})
    random.shuffle(people)
    loud = [load_noise(path, RATE_HZ) for path in noises(data, development=development)]
    names = [path.stem for path in noises(data, development=development)]
    made = []
    for number in range(clips):
        mine = [one for one in found if one.speaker == people[number % len(people)]]
        one = mine[int(random.integers(len(mine)))]
        clean = load_speech(one.path, RATE_HZ)
        place = number % len(loud)
        made.append(Case(clean, clean, float("inf"), "none", one.speaker))
        made += [
            Case(clean, mix(clean, loud[place], snr_db, random=random), snr_db, names[place], one.speaker)
            for snr_db in SNRS_DB
        ]
    return made


def fricative_loss_db(clean: FloatArray, result: FloatArray, rate_hz: int) -> float:
    """Energy from 4 to 8 kHz of fricatives that did not reach the result, in dB; NaN where there are none.

    Fricatives are the frames of the clean clip `(S,)` with more power in this band than below 3 kHz. What is kept is
    the projection of each frame of the result on that of the clean clip, so that noise left over does not count.
    """
    size = rate_hz // 50
    window = np.hanning(size)

    def spectra(samples: FloatArray) -> np.ndarray:
        framed = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), size)[:: size // 2]
        return np.fft.rfft(framed * window, axis=1)

    frequency_hz = np.fft.rfftfreq(size, 1 / rate_hz)
    band = (frequency_hz >= HISS_HZ[0]) & (frequency_hz <= HISS_HZ[1])
    low = (frequency_hz >= 100.0) & (frequency_hz <= 3_000.0)
    wanted, heard = spectra(clean), spectra(result)
    power = np.square(np.abs(wanted))
    hiss = power[:, band].sum(axis=1)
    chosen = (hiss > power[:, low].sum(axis=1)) & (hiss > 1e-3 * np.percentile(power.sum(axis=1), 95))
    if not chosen.any():
        return float("nan")
    kept = np.real(np.conj(wanted[chosen][:, band]) * heard[chosen][:, band]).sum(axis=1) / hiss[chosen]
    return float(-10.0 * np.log10(np.sum(kept**2 * hiss[chosen]) / np.sum(hiss[chosen])))


def with_gain(clean: FloatArray, heard: FloatArray) -> FloatArray:
    """The clean clip at the level it has in the mixture."""
    return (clean * (np.dot(clean, heard) / max(float(np.dot(clean, clean)), 1e-12))).astype(np.float32)


def mean_of_numbers(values: Sequence[float]) -> float:
    """Mean of those that are not NaN; NaN if there are none."""
    numbers = [value for value in values if not np.isnan(value)]
    return float(np.mean(numbers)) if numbers else float("nan")


class Meter:
    """Scores each waveform once."""

    def __init__(self) -> None:
        self._dnsmos = Dnsmos()
        self._speakers: SpeakerJudge = Resemblyzer()
        self._scores: dict[bytes, float] = {}
        self._vectors: dict[bytes, FloatArray] = {}

    def dnsmos(self, clip: AudioClip) -> float:
        key = hashlib.sha256(clip.samples).digest()
        if key not in self._scores:
            self._scores[key] = self._dnsmos.score(clip).overall
        return self._scores[key]

    def vector(self, clip: AudioClip) -> FloatArray:
        key = hashlib.sha256(clip.samples).digest()
        if key not in self._vectors:
            self._vectors[key] = self._speakers.embed(clip)
        return self._vectors[key]


def measure(
    made: Sequence[Case], methods: Sequence[str], strengths: Sequence[float], *, meter: Meter | None = None
) -> list[Row]:
    """One row per method, strength and noise level."""
    meter = meter or Meter()
    clean_vectors = [meter.vector(case.clean) for case in made]
    people = sorted({case.speaker for case in made})
    centre = {
        person: np.mean([v for v, c in zip(clean_vectors, made, strict=True) if c.speaker == person], axis=0)
        for person in people
    }
    before = [meter.dnsmos(case.heard) for case in made]
    found: dict[tuple[str, float, float], list[tuple[float, ...]]] = {}
    for method in methods:
        denoiser = make_denoiser(method, strength=1.0)
        for case, vector, score in zip(made, clean_vectors, before, strict=True):
            start_s = time.process_time()
            cleaned = denoiser.denoise(case.heard)
            spent_s = time.process_time() - start_s
            others = float(np.mean([vector @ centre[person] for person in people if person != case.speaker]))
            reference = with_gain(case.clean.samples, case.heard.samples)
            for strength in strengths if method != "none" else (0.0,):
                result = blend(case.heard, cleaned, strength)
                after = meter.dnsmos(result)
                similar = (float(meter.vector(result) @ vector) - others) / (1.0 - others)
                found.setdefault((method, strength, case.snr_db), []).append(
                    (
                        after - score,
                        after,
                        si_sdr_db(reference, result.samples) - si_sdr_db(reference, case.heard.samples)
                        if np.isfinite(case.snr_db)
                        else float("nan"),
                        fricative_loss_db(reference, result.samples, RATE_HZ),
                        similar,
                        float(after < score - 0.1) if np.isinf(case.snr_db) else float("nan"),
                        spent_s / case.heard.duration_s,
                    )
                )
    return [
        Row(*key, len(values), *(mean_of_numbers(column) for column in zip(*values, strict=True)))
        for key, values in found.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--test", action="store_true", help="people and noises kept for reporting")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=["none", "gate", "deepfilternet"])
    parser.add_argument("--strengths", nargs="+", type=float, default=list(STRENGTHS))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    made = cases(options.data, clips=options.clips, seed=options.seed, development=not options.test)
    meter = Meter()
    if options.json:
        json.dump([asdict(row) for row in measure(made, options.methods, options.strengths, meter=meter)], sys.stdout)
        return
    print(
        "| method | strength | SNR, dB | DNSMOS (gain) | SI-SDR gain, dB | fricatives lost, dB "
        "| similarity | worse | RTF |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for method in options.methods:
        for row in measure(made, [method], options.strengths, meter=meter):
            print(
                f"| {row.method} | {row.strength:g} | {row.snr_db:g} | {row.dnsmos:.2f} ({row.dnsmos_gain:+.2f}) "
                f"| {row.si_sdr_gain_db:+.1f} | {row.fricative_loss_db:.1f} | {row.similarity:.3f} "
                f"| {row.clean_worse:.0%} | {row.real_time_factor:.4f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
