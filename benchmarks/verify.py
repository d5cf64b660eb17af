"""Are swallowed and repeated words found? `python benchmarks/verify.py --cache FOLDER [--shared FOLDER] [--words N]`.

Faults are planted in speech of which the words are known: of the built-in voices, whose synthesiser (ours) tells when
it says what, and of recordings, by forced alignment. A word is cut out of the audio, or said again, with a fade of
10 ms, in half of the cases by whole codes of 40 ms, one at least, as a semantic GPT would lose or repeat them. Codes
of a GPT themselves cannot be harmed here, they mean something with trained weights only. In the set `respoken` nothing
is cut: a sentence without the word, or with it twice, is spoken in one breath.

The place of a fault is drawn twice in each sentence, and the word that is there harmed in both ways: "by codes", every
code of the words as likely, as a semantic GPT errs code by code, so that long words are hit more often; and "by words",
every word as likely. The first is the figure asked for; the second is harder, half of the English words being tiny.

- `development`: 80 sentences of two voices, `stress_development`: 100 stress sentences (single words, many repeats,
  tongue-twisters) of them. Costs were chosen on these, and on speech of people of base training (`docs/log.md`).
- `test`: 160 other sentences of two other voices; `stress`: 100 other stress sentences, of these; `respoken`: 40
  sentences of `test`.
- `real`, `kokoro`: with `--shared`, clips of people on whom nothing was fitted: of LibriSpeech and AISHELL, and of
  another synthesiser.

A fault is "found" when the sentence is reported, which is what makes it be spoken again; "named" when the words and the
kind are right, too. One thread; times are those of the processor. FOLDER keeps what was spoken.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
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
DEVELOPMENT, TEST, RESPOKEN = 40, 80, 20
VOICES = {
    "development": ("lan", "ming"),
    "stress_development": ("lan", "ming"),
    "test": ("mei", "shan"),
    "stress": ("mei", "shan"),
}
PACKS = {"real": ("en_librispeech", "zh_aishell_sample"), "kokoro": ("zh_en_kokoro",)}
SKIPPED = {"en_librispeech": 6, "zh_aishell_sample": 24, "zh_en_kokoro": 0}
"""Clips of each person that earlier versions of the check were looked at with."""


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

    def length_s(self, word: int) -> float:
        _, first, end = self.words[word]
        return float(self.ends_s[end - 1]) - (float(self.ends_s[first - 1]) if first else 0.0)

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
        codes = [round(place / CODE_S) for place in places_s]
        if codes[0] == codes[1]:  # a word shorter than a code: the one in which it is
            codes[0] = int(sum(places_s) / 2 / CODE_S)
            codes[1] = codes[0] + 1
        places_s = [code * CODE_S for code in codes]
    start, stop = (int(place * RATE_HZ) for place in places_s)
    half = FADE_SAMPLES // 2
    before, behind = (start, stop) if kind == "lost" else (stop, start)
    head, tail = spoken.samples[: before + half], spoken.samples[max(0, behind - half) :]
    fade = min(FADE_SAMPLES, len(head), len(tail))
    rising = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    middle = head[len(head) - fade :] * (1 - rising) + tail[:fade] * rising
    return np.concatenate([head[: len(head) - fade], middle, tail[fade:]])


def rewritten(text: PhonemeSequence, kind: str, item: int) -> str:
    """The text without a word, or with it twice."""
    start, end = text.spans[item]
    word = text.text[start:end]
    between = " " if text.word_languages[item] == "en" else ""
    return text.text[:start] + ("" if kind == "lost" else word + between + word) + text.text[end:]


def sentences(name: str, language: str) -> list[str]:
    if name.startswith("stress"):
        half = (0, 1) if name == "stress" else (2, 3)
        return [text for number, text in enumerate(stress_sentences(language)) if number % 4 in half]
    prompts = [prompt.text for prompt in shipped_bank(language)]
    step = len(prompts) // 150
    return prompts[::step][:DEVELOPMENT] if name == "development" else prompts[step // 2 :: step][:TEST]


@dataclass(frozen=True, eq=False)
class Studio:
    """Speaks sentences once, and keeps them."""

    engine: NativeEngine
    cache: Path
    store: VoiceStore

    def speak(self, name: str, text: str, voice: str) -> list[Utterance]:
        """The utterances of a text."""
        file = self.cache / f"{name}.npz"
        if not file.is_file():
            held: dict[str, np.ndarray] = {}
            for n, chunk in enumerate(self.engine.stream(SpeakRequest(text), self.store.get(voice))):
                held[f"samples_{n}"] = (np.clip(chunk.samples, -1, 1) * 32767).astype(np.int16)
                held[f"text_{n}"] = np.array(chunk.text)
                held[f"symbols_{n}"] = np.array([timing.symbol for timing in chunk.phonemes])
                held[f"ends_{n}"] = np.array([timing.end_s for timing in chunk.phonemes])
            np.savez(file, n=len(held) // 4, **held)  # type: ignore[arg-type]
        every = []
        with np.load(file) as kept:
            for n in range(int(kept["n"])):
                sequence = phonemize(str(kept[f"text_{n}"]))
                if sequence.symbols == tuple(kept[f"symbols_{n}"].tolist()):  # else spoken with an older front-end
                    samples = kept[f"samples_{n}"].astype(np.float32) / 32767
                    every.append(Utterance(f"{name}.{n} {voice}", samples, sequence, kept[f"ends_{n}"]))
        return every

    def speak_all(self, name: str) -> Iterator[Utterance]:
        """A set."""
        for language in ("en", "zh"):
            for number, text in enumerate(sentences(name, language)):
                voice = VOICES[name][number % len(VOICES[name])]
                yield from self.speak(f"{name}_{language}_{number:03d}", text, voice)

    def respeak(self, spoken: Utterance, kind: str, word: int) -> FloatArray | None:
        """A sentence spoken anew with a word lost or repeated; None where that is not one sentence any more."""
        name, voice = spoken.name.split()
        text = rewritten(spoken.text, kind, spoken.words[word][0])
        found = self.speak(f"{name.replace('.', '_')}_{kind}_{word}", text, voice)
        return found[0].samples if len(found) == 1 else None


def recordings(
    shared: Path, models: NativeModels, log_mel: LogMel, *, packs: Sequence[str], limit: int
) -> Iterator[Utterance]:
    """Clips of people on whom nothing was fitted, spread over the people, with aligned words; `limit` a language."""
    split = json.loads((shared / "data" / "splits.json").read_text(encoding="utf-8"))["development"]
    for pack in packs:
        clips: dict[tuple[str, str], list[tuple[Path, str]]] = defaultdict(list)
        with open(shared / "data" / pack / "metadata.csv", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["speaker"] in split[pack] and 2.0 <= float(row["duration_s"]) <= 10.0:
                    path = shared / "data" / pack / row["file"]
                    clips[row["language"], row["speaker"]].append((path, row["text"]))
        people = Counter(language for language, _ in clips)
        for (language, speaker), entries in clips.items():
            first = SKIPPED[pack]
            for path, text in entries[first : first + limit // people[language]]:
                clip = resample(decode(path), RATE_HZ)
                sequence = phonemize(text, language=language, punctuated=pack == "zh_en_kokoro")
                mel = level_mel(clip, log_mel)[1]
                durations = models.aligner.align_one(mel, sequence.symbols).durations
                ends_s = np.cumsum(durations) / log_mel.config.frames_per_s
                yield Utterance(f"{speaker}/{path.stem}", clip.samples, sequence, ends_s)


class Tally:
    """Counts, and the time the check took."""

    def __init__(self) -> None:
        self.counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        self.check_s = self.mel_s = self.audio_s = 0.0

    def add(self, label: str, *, found: bool, named: bool = False) -> None:
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
            print(f"{name:12}{label:34}{found:5} of {count:4} {found / count:6.1%} reported{rest}")
        print(
            f"{name:12}real-time factor (one core): {self.check_s / self.audio_s:.4f} check,"
            f" {self.mel_s / self.audio_s:.4f} spectrogram\n",
            flush=True,
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


@dataclass(frozen=True, eq=False)
class Judge:
    """Counts what a check finds.

    Attributes:
        check, log_mel: who listens.
        words: how many of each sentence are harmed, in each of the two ways to draw them.
        verbose: name every error.
    """

    check: WordCheck
    log_mel: LogMel
    words: int
    verbose: bool

    def judge(self, name: str, every: Sequence[Utterance], studio: Studio | None = None) -> None:
        """Unharmed and harmed sentences of a set, counted by kind; with a studio, harmed by being spoken anew."""
        random_words, random_codes, tally = random.Random(1), random.Random(2), Tally()
        for spoken in every:
            language = "en" if "en" in spoken.text.word_languages else "zh"
            faults = tally.heard(spoken.samples, spoken.text, self.check, self.log_mel)
            for label in ("unharmed", f"{language} unharmed"):
                tally.add(label, found=bool(faults))
            if self.verbose and faults:
                said = [(fault.kind, spoken.text.text[slice(*fault.span)], round(fault.margin, 1)) for fault in faults]
                print("  false", spoken.name, said)
            count = len(spoken.words)
            lengths_s = [spoken.length_s(word) for word in range(count)]
            drawn = [("by words", random_words, random_words.sample(range(count), min(self.words, count)))]
            drawn += [("by codes", random_codes, random_codes.choices(range(count), lengths_s, k=self.words))]
            for draw, chance, words in drawn:
                for word in words:
                    for kind in ("lost", "repeated") if count > 1 else ("repeated",):
                        on_codes = chance.random() < 0.5
                        harmed = planted(spoken, kind, word, on_codes=on_codes)
                        again = studio.respeak(spoken, kind, word) if studio else harmed
                        if again is not None:
                            self._count(tally, again, spoken, kind, word, draw)
        tally.show(name)

    def _count(self, tally: Tally, harmed: FloatArray, spoken: Utterance, kind: str, word: int, draw: str) -> None:
        faults = tally.heard(harmed, spoken.text, self.check, self.log_mel)
        language = spoken.text.word_languages[spoken.words[word][0]]
        size = "1 syllable" if spoken.syllables(word) < 2 else "2+ syllables"
        outcome = {"found": bool(faults), "named": is_named(faults, kind, spoken, word)}
        for label in ("", f" {kind}", f" {kind}, {size}", f", {language}", f", {language} {kind}"):
            tally.add(draw + label, **outcome)
        if self.verbose and not faults:
            text = spoken.text.word_texts[spoken.words[word][0]]
            print("  missed", draw, kind, spoken.name, text, f"{spoken.length_s(word):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="folder for what was spoken")
    parser.add_argument("--shared", type=Path, help="folder with the data sets, for recordings")
    parser.add_argument("--sets", nargs="*", default=["test", "respoken", "stress", "real", "kokoro"])
    parser.add_argument("--words", type=int, default=1, help="words harmed in each sentence, each in both ways")
    parser.add_argument("--clips", type=int, default=80, help="recordings per language")
    parser.add_argument("--verbose", action="store_true", help="name every error")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.cache.mkdir(parents=True, exist_ok=True)
    models = load_native()
    studio, log_mel = Studio(NativeEngine(models), options.cache, VoiceStore()), LogMel(models.config.spectrogram)
    judge = Judge(WordCheck(models.aligner), log_mel, options.words, options.verbose)
    for name in options.sets:
        if name == "respoken":
            every = list(studio.speak_all("test"))
            english = [spoken for spoken in every if spoken.name.startswith("test_en")]
            mandarin = [spoken for spoken in every if spoken.name.startswith("test_zh")]
            judge.judge(name, english[:RESPOKEN] + mandarin[:RESPOKEN], studio)
        elif name in PACKS:
            if options.shared:
                found = recordings(options.shared, models, log_mel, packs=PACKS[name], limit=options.clips)
                judge.judge(name, list(found))
        else:
            judge.judge(name, list(studio.speak_all(name)))


if __name__ == "__main__":
    main()
