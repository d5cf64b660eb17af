"""How often music behind a voice is noticed, and how often a clean voice is taken for music.

    python benchmarks/music.py DATA [--clips 400] [--mixed 12] [--development] [--seed 0]

Music is made by rule: notes of a major key, plucked, blown or struck, chords, drums, all at once. It is laid under
speech at 0 to 15 dB. People and noises are those that nothing was chosen on, or with --development the others.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from mixtures import load_noise, load_speech, noises, own_snr_db, speech, spoken_samples
from numpy.typing import NDArray

from yinse.audio.music import held_tone_share
from yinse.audio.quality import QualityLimits
from yinse.core.types import AudioClip

RATE_HZ = 16_000
PACKS = {
    True: ("en_librispeech", "zh_en_kokoro", "en_kathleen"),
    False: ("en_librispeech", "zh_aishell_sample", "zh_en_kokoro", "de_nl_fewshot_cc0"),
}
SNRS_DB = (0.0, 5.0, 10.0, 15.0)
MAJOR = (0, 2, 4, 5, 7, 9, 11)

Signal = NDArray[np.float64]
Player = Callable[[int, float, np.random.Generator], Signal]


def note(
    pitch_hz: float, length: int, *, partials: tuple[float, ...], decay: float, attack_s: float, vibrato: float
) -> Signal:
    """One tone `(length,)` of an instrument."""
    times = np.arange(length) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(pitch_hz * (1 + vibrato * np.sin(2 * np.pi * 5.5 * times))) / RATE_HZ
    tone = np.zeros(length)
    for k, strength in enumerate(partials, 1):
        if k * pitch_hz < RATE_HZ / 2:
            tone += strength * np.sin(k * phase)
    release = np.minimum(1.0, (length - np.arange(length)) / (0.01 * RATE_HZ))
    return np.asarray(tone * np.exp(-decay * times) * np.minimum(1.0, times / attack_s) * release)


def instrument(
    octave: float,
    beats: tuple[float, ...],
    partials: tuple[float, ...],
    *,
    decay: float,
    attack_s: float,
    together: tuple[int, ...] = (0,),
    vibrato: float = 0.0,
) -> Player:
    """A player who wanders through a scale, in single notes or in chords."""

    def play(length: int, beat_s: float, random: np.random.Generator) -> Signal:
        heard, place = np.zeros(length), 0
        root_hz = 220.0 * 2 ** (random.integers(0, 12) / 12 + octave)
        degree = int(random.integers(0, 7))
        while place < length:
            size = min(length - place, round(float(random.choice(beats)) * beat_s * RATE_HZ))
            degree = int(np.clip(degree + random.integers(-2, 3), 0, 13))
            for step in together:
                turns, tone = divmod(degree + step, 7)
                pitch_hz = root_hz * 2 ** ((MAJOR[tone] + 12 * turns) / 12)
                heard[place : place + size] += note(
                    pitch_hz, size, partials=partials, decay=decay, attack_s=attack_s, vibrato=vibrato
                )
            place += size
        return heard

    return play


def drums(length: int, beat_s: float, random: np.random.Generator) -> Signal:
    """A big drum, a snare and cymbals in four."""
    heard = np.zeros(length)
    since = np.arange(round(0.2 * RATE_HZ)) / RATE_HZ
    for count, place in enumerate(range(0, length, round(beat_s / 2 * RATE_HZ))):
        hit = 0.3 * np.diff(random.normal(size=len(since)), prepend=0) * np.exp(-60 * since)
        if count % 4 == 0:
            hit += 2 * np.sin(2 * np.pi * (50 * since + 4 * (1 - np.exp(-30 * since)))) * np.exp(-18 * since)
        if count % 4 == 2:
            hit += random.normal(size=len(since)) * np.exp(-25 * since)
        room = min(len(hit), length - place)
        heard[place : place + room] += hit[:room]
    return heard


MELODY = instrument(0, (0.5, 1, 1, 2), (1, 0.5, 0.33, 0.25), decay=3, attack_s=0.01)
CHORDS = instrument(-0.5, (2, 4), (1, 0.6, 0.4, 0.3, 0.2, 0.1), decay=0.5, attack_s=0.05, together=(0, 2, 4))
BASS = instrument(-2, (0.5, 1), (1, 0.7, 0.4, 0.3, 0.2), decay=3, attack_s=0.01)
FLUTE = instrument(1, (1, 1, 2), (1, 0.3, 0.1), decay=0.2, attack_s=0.04, vibrato=0.006)
KINDS: dict[str, tuple[tuple[Player, float], ...]] = {
    "melody": ((MELODY, 1.0),),
    "chords": ((CHORDS, 1.0),),
    "chords and melody": ((CHORDS, 1.0), (MELODY, 1.0)),
    "band with drums": ((CHORDS, 1.0), (MELODY, 0.8), (BASS, 0.8), (drums, 0.8)),
    "flute with vibrato": ((FLUTE, 1.0),),
    "drums alone": ((drums, 1.0),),
}


def music(kind: str, length: int, random: np.random.Generator) -> Signal:
    """A stretch of music `(length,)` with a power of one."""
    beat_s = 60.0 / random.uniform(80.0, 150.0)
    heard = np.zeros(length)
    for play, strength in KINDS[kind]:
        part = play(length, beat_s, random)
        heard += strength * part / part.std()
    return np.asarray(heard / heard.std())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--mixed", type=int, default=12)
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    random = np.random.default_rng(chosen.seed)
    limit = QualityLimits().most_held_tones
    packs = PACKS[chosen.development]
    clean: list[AudioClip] = []
    for pack in packs:
        found = speech(chosen.data, development=chosen.development, packs=[pack])
        found = [one for one in found if 2.0 <= one.duration_s <= 10.0]
        shares = {}
        for index in random.permutation(len(found))[: chosen.clips // len(packs)]:
            clip = load_speech(found[index].path, RATE_HZ)
            shares[found[index].path.name] = held_tone_share(clip)
            if own_snr_db(clip) >= 30.0:
                clean.append(clip)
        values = np.array(list(shares.values()))
        flagged = {name: round(share, 2) for name, share in shares.items() if share > limit}
        print(
            f"{pack}: {len(flagged)} of {len(values)} clean clips taken for music {flagged}; "
            f"the highest five {np.sort(values)[-5:].round(3).tolist()}",
            flush=True,
        )
    for path in noises(chosen.data, development=chosen.development):
        share = held_tone_share(load_noise(path, RATE_HZ))
        if share > limit:
            print(f"{path.stem} alone is taken for music ({share:.2f})", flush=True)
    for kind in KINDS:
        hits: Counter[float] = Counter()
        for _ in range(chosen.mixed):
            voice = clean[int(random.integers(len(clean)))]
            played = music(kind, len(voice.samples), random)
            played *= np.sqrt(np.mean(voice.samples[spoken_samples(voice)] ** 2))
            for snr_db in SNRS_DB:
                mixed = voice.samples + played * 10 ** (-snr_db / 20)
                hits[snr_db] += held_tone_share(AudioClip(mixed.astype(np.float32), RATE_HZ)) > limit
        print(f"{kind}: found {', '.join(f'{hits[s]} at {s:.0f} dB' for s in SNRS_DB)} of {chosen.mixed}", flush=True)


if __name__ == "__main__":
    main()
