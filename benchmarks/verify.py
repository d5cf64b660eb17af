"""Are swallowed and repeated words found? `python benchmarks/verify.py --cache FOLDER [--shared FOLDER] [--words N]`.

Faults are planted: the built-in voices speak sentences natively, which gives the time of every phoneme; then a word is
cut out of the audio, or said again, with a fade of 10 ms, in half of the cases at the nearest multiples of 40 ms, as a
semantic GPT would lose or repeat codes. The words are drawn evenly from all words. Sets:

- `development`: 80 sentences of two voices; costs were chosen on them, and on 200 more of the voices of the test.
- `test`: 200 other sentences of two other voices.
- `stress`: the 200 stress sentences (single words, many repeats, tongue-twisters), four voices.
- `real`: with `--shared`, clips of development people of LibriSpeech and AISHELL, words found by forced alignment.

A fault is "found" when the sentence is reported, which is what makes it be spoken again; "named" when the words and the
kind are right, too. One thread; times are those of the processor. FOLDER keeps what was spoken.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from yinse.audio.decode import decode
from yinse.audio.resample import resample
from yinse.core.types import AudioClip, FloatArray, PhonemeSequence, SpeakRequest
from yinse.corpus.bank import shipped_bank
from yinse.evaluate.stress import stress_sentences
from yinse.models.analysis import level_mel
from yinse.models.spectrogram import LogMel
from yinse.models.word_check import WordCheck, WordFault
from yinse.text.phonemes import phonemize
from yinse.text.symbols import ARPABET_VOWELS, BOUNDARIES, base_and_tone
from yinse.voices.store import VoiceStore
from yinse.weights.native import NativeModels, load_native
from yinse.workflows.native import NativeEngine

RATE_HZ = 24_000
FADE_SAMPLES = 240
CODE_S = 0.04
DEVELOPMENT, TEST = 40, 100
VOICES = {"development": ("lan", "ming"), "test": ("mei", "shan"), "stress": ("mei", "shan", "lan", "ming")}


@dataclass(frozen=True, eq=False)
class Utterance:
    """Speech `(S,)`, its text, and where each symbol ends in seconds `(T_ph,)`."""

    name: str
    samples: FloatArray
    text: PhonemeSequence
    ends_s: FloatArray

    @property
    def words(self) -> list[tuple[int, int, int]]:
        """Item, first symbol and end symbol of each word."""
        ends = np.cumsum(self.text.word_lengths).tolist()
        starts = [end - length for end, length in zip(ends, self.text.word_lengths, strict=True)]
        bounds = zip(starts, ends, strict=True)
        return [(n, start, end) for n, (start, end) in enumerate(bounds) if self.text.symbols[start] not in BOUNDARIES]

    def syllables(self, word: int) -> int:
        item, start, end = self.words[word]
        symbols = self.text.symbols[start:end]
        if self.text.word_languages[item] == "en":
            return sum(base_and_tone(symbol)[0] in ARPABET_VOWELS for symbol in symbols)
        return sum(symbol[-1].isdigit() for symbol in symbols)


def planted(spoken: Utterance, kind: str, word: int, *, on_codes: bool) -> FloatArray:
    """The samples with a word "lost" or "repeated"."""
    _, first, end = spoken.words[word]
    places_s = [float(spoken.ends_s[first - 1]) if first else 0.0, float(spoken.ends_s[end - 1])]
    if on_codes:
        places_s = [round(place / CODE_S) * CODE_S for place in places_s]
    start, stop = (int(place * RATE_HZ) for place in places_s)
    half = FADE_SAMPLES // 2
    before, behind = (start, stop) if kind == "lost" else (stop, start)
    head, tail = spoken.samples[: before + half], spoken.samples[max(0, behind - half) :]
    fade = min(FADE_SAMPLES, len(head), len(tail))
    rising = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    middle = head[len(head) - fade :] * (1 - rising) + tail[:fade] * rising
    return np.concatenate([head[: len(head) - fade], middle, tail[fade:]])


def sentences(name: str, language: str) -> list[str]:
    if name == "stress":
        return stress_sentences(language)
    prompts = [prompt.text for prompt in shipped_bank(language)]

    spread = prompts[:: len(prompts) // (DEVELOPMENT + TEST + 10)]
    return spread[:DEVELOPMENT] if name == "development" else spread[DEVELOPMENT : DEVELOPMENT + TEST]


def speak_all(name: str, engine: NativeEngine, cache: Path) -> Iterator[Utterance]:
    """A set, spoken once and kept."""
    store = VoiceStore()
    for language in ("en", "zh"):
        for number, text in enumerate(sentences(name, language)):
            voice = VOICES[name][number % len(VOICES[name])]
            file = cache / f"{name}_{language}_{number:03d}.npz"
            if not file.is_file():
                held: dict[str, np.ndarray] = {}
                for n, chunk in enumerate(engine.stream(SpeakRequest(text), store.get(voice))):
                    held[f"samples_{n}"] = (np.clip(chunk.samples, -1, 1) * 32767).astype(np.int16)
                    held[f"text_{n}"] = np.array(chunk.text)
                    held[f"symbols_{n}"] = np.array([timing.symbol for timing in chunk.phonemes])
                    held[f"ends_{n}"] = np.array([timing.end_s for timing in chunk.phonemes])
                np.savez(file, n=len(held) // 4, **held)  # type: ignore[arg-type]
            with np.load(file) as kept:
                for n in range(int(kept["n"])):
                    sequence = phonemize(str(kept[f"text_{n}"]))
                    if sequence.symbols != tuple(kept[f"symbols_{n}"].tolist()):
                        continue  # spoken with an older front-end
                    samples = kept[f"samples_{n}"].astype(np.float32) / 32767
                    yield Utterance(f"{file.stem}.{n} {voice}", samples, sequence, kept[f"ends_{n}"])


def real_speech(shared: Path, models: NativeModels, log_mel: LogMel, *, limit: int) -> Iterator[Utterance]:
    """Clips of people whom the base has not heard, spread over the people, with aligned words."""
    split = json.loads((shared / "data" / "splits.json").read_text(encoding="utf-8"))["development"]
    for pack, language in (("en_librispeech", "en"), ("zh_aishell_sample", "zh")):
        clips: dict[str, list[tuple[Path, str]]] = defaultdict(list)
        with open(shared / "data" / pack / "metadata.csv", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["speaker"] in split[pack] and 2.0 <= float(row["duration_s"]) <= 10.0:
                    clips[row["speaker"]].append((shared / "data" / pack / row["file"], row["text"]))
        for entries in clips.values():
            for path, text in entries[: limit // len(clips)]:
                clip = resample(decode(path), RATE_HZ)
                sequence = phonemize(text, language=language, punctuated=False)
                mel = level_mel(clip, log_mel)[1]
                durations = models.aligner.align_one(mel, sequence.symbols).durations
                ends_s = np.cumsum(durations) / log_mel.config.frames_per_s
                yield Utterance(f"{language} {path.stem}", clip.samples, sequence, ends_s)


class Tally:
    """Counts, and the time the check took."""

    def __init__(self) -> None:
        self.counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        self.check_s = self.mel_s = self.audio_s = 0.0

    def add(self, label: str, *, found: bool, named: bool) -> None:
        count = self.counts[label]
        count[0] += 1
        count[1] += found
        count[2] += named

    def heard(self, samples: FloatArray, text: PhonemeSequence, check: WordCheck, log_mel: LogMel) -> list[WordFault]:
        begun_s = time.process_time()
        mel = level_mel(AudioClip(samples, RATE_HZ), log_mel)[1]
        seen_s = time.process_time()
        faults = check(mel, text)
        self.mel_s += seen_s - begun_s
        self.check_s += time.process_time() - seen_s
        self.audio_s += len(samples) / RATE_HZ
        return faults

    def show(self, name: str) -> None:
        for label in sorted(self.counts):
            count, found, named = self.counts[label]
            rest = "" if label.endswith("unharmed") else f", named {named / count:6.1%}"
            print(f"{name:12}{label:32}{found:5} of {count:4} reported {found / count:6.1%}{rest}")
        print(
            f"{name:12}real-time factor (one core): {self.check_s / self.audio_s:.4f} check,"
            f" {self.mel_s / self.audio_s:.4f} spectrogram\n"
        )


def is_named(faults: list[WordFault], kind: str, spoken: Utterance, word: int) -> bool:
    """Whether the right words are reported; of equal neighbours, nobody can tell which is missing."""
    item = spoken.words[word][0]
    wanted = spoken.text.word_texts[item].lower()
    return any(
        fault.kind == kind
        and any(spoken.text.word_texts[n].lower() == wanted for n in range(*fault.items))
        and fault.items[0] - 4 <= item < fault.items[1] + 4
        for fault in faults
    )


def judge(name: str, every: list[Utterance], check: WordCheck, log_mel: LogMel, *, words: int, verbose: bool) -> None:
    """Unharmed and harmed, counted by kind."""
    random_words, tally = random.Random(1), Tally()
    for spoken in every:
        language = "en" if "en" in spoken.text.word_languages else "zh"
        faults = tally.heard(spoken.samples, spoken.text, check, log_mel)
        for label in ("unharmed", f"{language} unharmed"):
            tally.add(label, found=bool(faults), named=False)
        if verbose and faults:
            print(
                "  false", spoken.name, [(f.kind, spoken.text.text[slice(*f.span)], round(f.margin, 1)) for f in faults]
            )
        count = len(spoken.words)
        for word in random_words.sample(range(count), min(words, count)):
            kinds = ("lost", "repeated") if count > 1 else ("repeated",)
            for kind in kinds:
                harmed = planted(spoken, kind, word, on_codes=random_words.random() < 0.5)
                faults = tally.heard(harmed, spoken.text, check, log_mel)
                size = "1 syllable" if spoken.syllables(word) < 2 else "2+ syllables"
                named = is_named(faults, kind, spoken, word)
                for label in ("planted", kind, f"{kind}, {size}", f"{language} {kind}"):
                    tally.add(label, found=bool(faults), named=named)
                if verbose and not faults:
                    print("  missed", kind, spoken.name, spoken.text.word_texts[spoken.words[word][0]])
    tally.show(name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder for what was spoken")
    parser.add_argument("--shared", type=Path, help="folder with the data sets, for real speech")
    parser.add_argument("--sets", nargs="*", default=["development", "test", "stress"])
    parser.add_argument("--words", type=int, default=1, help="words harmed in each sentence, each in both ways")
    parser.add_argument("--clips", type=int, default=64, help="real clips per language")
    parser.add_argument("--verbose", action="store_true", help="name every error")
    options = parser.parse_args()
    torch.set_num_threads(1)
    models = load_native()
    engine, check, log_mel = NativeEngine(models), WordCheck(models.aligner), LogMel(models.config.spectrogram)
    options.cache.mkdir(parents=True, exist_ok=True)
    choices = {"words": options.words, "verbose": options.verbose}
    for name in options.sets:
        judge(name, list(speak_all(name, engine, options.cache)), check, log_mel, **choices)
    if options.shared:
        every = list(real_speech(options.shared, models, log_mel, limit=options.clips))
        judge("real", every, check, log_mel, **choices)


if __name__ == "__main__":
    main()
