"""Does a coach's minute tune a voice better than a random one? `python benchmarks/coach_tuning.py --output FOLDER`.

For each development person of `splits.json` with enough recordings: of the clips (with transcripts) the last tenth, at
least six, is held out. From the others a coach's 60 s are chosen by the same selection as `yinse prompts` uses (with
the recordings' true lengths), and several random 60 s. A voice is enrolled and tuned on each, and the tuned models'
loss on the held-out clips is compared: same windows and noise for all tunings of a person, the reference being the
enrolled voice, as in use. Results of each tuning are kept in FOLDER/results.jsonl; run again, it goes on where it was.
At the end: mean difference coach - random, paired by person, with a 95 % bootstrap interval, for the default sampler
and for `rare_sounds`.

Cost: about one tuning (60 to 100 CPU-seconds) per person, draw and sampler: 10 people x (1 + 3) draws x 2 samplers.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from yinse.audio.decode import decode
from yinse.core.events import Finished
from yinse.core.types import AudioClip
from yinse.corpus.bank import Prompt
from yinse.corpus.prompts import choose_prompts
from yinse.corpus.spoken_units import take_apart
from yinse.synth.native import NativeSynthesizer
from yinse.train.tune import TuneConfig, TunedParts, TuneTask, prepare_speech, tune
from yinse.voices.voice import Voice
from yinse.weights.native import adapt, load_native

MINUTE_S = 60.0
FEWEST_HELD_OUT = 6
PACKS = ("en_librispeech", "zh_aishell_sample", "zh_en_kokoro")
POWERS = (0.0, 0.5)
SEED = 1


def people(shared: Path) -> Iterator[tuple[str, str, str, list[tuple[Path, str, float]]]]:
    """Pack, person, language and clips (file, text, seconds) of development people."""
    split = json.loads((shared / "data" / "splits.json").read_text(encoding="utf-8"))["development"]
    for pack in PACKS:
        folder = shared / "data" / pack
        clips: dict[tuple[str, str], list[tuple[Path, str, float]]] = defaultdict(list)
        with open(folder / "metadata.csv", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["speaker"] in split[pack]:
                    entry = (folder / row["file"], row["text"], float(row["duration_s"]))
                    clips[row["speaker"], row["language"][:2]].append(entry)
        for (person, language), entries in clips.items():
            if sum(entry[2] for entry in entries) >= 3 * MINUTE_S:
                yield pack, person, language, entries


def coach_choice(entries: list[tuple[Path, str, float]], language: str) -> list[int]:
    """Clips that the coach would have recorded, 60 s of them by their true lengths."""
    bank = []
    for number, (_, text, seconds) in enumerate(entries):
        spoken = replace(take_apart(text, language=language, punctuated=False), speech_s=seconds)
        bank.append(Prompt(str(number), text, {}, False, spoken))
    return [int(one.prompt.id) for one in choose_prompts(bank, language=language, seconds=MINUTE_S)]


def random_choice(entries: list[tuple[Path, str, float]], seed: int) -> list[int]:
    """60 s of random clips."""
    left_s, chosen = MINUTE_S, []
    for number in random.Random(seed).sample(range(len(entries)), len(entries)):
        if entries[number][2] <= left_s:
            chosen.append(number)
            left_s -= entries[number][2]
    return chosen


def loss_of(
    synthesizer: NativeSynthesizer, chosen: list[tuple[Path, str, float]], held_out: list[tuple[Path, str, float]], *,
    language: str, power: float, folder: Path,
) -> dict[str, float]:  # fmt: skip
    """Held-out losses before and after tuning on `chosen`; the reference is that of the chosen recordings."""
    models = synthesizer.models
    clips = [decode(path) for path, _, _ in chosen]
    texts = [text for _, text, _ in chosen]
    enrolled = synthesizer.enroll(clips, transcripts=texts, language=language)
    voice = Voice(
        id="trial", name="trial", languages=(language,), tensors=enrolled.tensors, bandwidth_hz=enrolled.bandwidth_hz,
        model_fingerprint=models.fingerprint, licence="private", created="", synthetic=False,
    )  # fmt: skip
    config = TuneConfig(rare_sounds=power)
    *_, last = tune(models, voice, clips, texts, folder=folder, config=config)
    assert isinstance(last, Finished)
    apart: list[AudioClip] = [decode(path) for path, _, _ in held_out]
    speech, reference, _ = prepare_speech(models, voice, apart, [text for _, text, _ in held_out], config=config)
    task = TuneTask(speech, reference, models, config, context=synthesizer.context)
    tuned = adapt(models, {**voice.tensors, **last.result.tensors})
    before = adapt(models, voice.tensors)
    return {
        name: task.held_out_loss(TunedParts(set_.acoustic, set_.prosody).eval(), speech)
        for name, set_ in (("before", before), ("after", tuned))
    }


def interval(differences: list[float]) -> tuple[float, float, float]:
    """Mean and 95 % bootstrap interval over people."""
    values = np.array(differences)
    draws = np.random.default_rng(SEED).choice(values, (10_000, len(values))).mean(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


def summarise(results: list[dict[str, object]]) -> Iterator[str]:
    """Coach against random, and each sampler against the default one, paired by person."""
    after: dict[tuple[str, float, bool], list[float]] = defaultdict(list)
    for one in results:
        after[str(one["person"]), float(one["power"]), one["draw"] == "coach"].append(float(one["after"]))  # type: ignore[arg-type]
    names = sorted({key[0] for key in after})
    for power in sorted({key[1] for key in after}):
        pairs = [
            np.mean(after[name, power, True]) / np.mean(after[name, power, False]) - 1.0
            for name in names
            if after.get((name, power, True)) and after.get((name, power, False))
        ]
        if pairs:
            mean, low, high = interval(pairs)
            yield f"sampler {power}: coach against random {mean:+.2%} ({low:+.2%} to {high:+.2%}), {len(pairs)} people"
    for power in sorted({key[1] for key in after} - {0.0}):
        pairs = [
            np.mean(after[name, power, False]) / np.mean(after[name, 0.0, False]) - 1.0
            for name in names
            if after.get((name, power, False)) and after.get((name, 0.0, False))
        ]
        if pairs:
            mean, low, high = interval(pairs)
            yield f"random minutes: sampler {power} against 0 {mean:+.2%} ({low:+.2%} to {high:+.2%}), {len(pairs)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--draws", type=int, default=3, help="random minutes per person")
    parser.add_argument("--people", type=int, default=None, help="only the first so many")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.output.mkdir(parents=True, exist_ok=True)
    log = arguments.output / "results.jsonl"
    results = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    known = {(one["person"], one["draw"], one["power"]) for one in results}
    synthesizer = NativeSynthesizer(load_native(None))
    for pack, person, language, entries in list(people(arguments.shared))[: arguments.people]:
        apart = max(FEWEST_HELD_OUT, len(entries) // 10)
        trained, held_out = entries[:-apart], entries[-apart:]
        choices = {"coach": coach_choice(trained, language)}
        choices |= {f"random {n}": random_choice(trained, SEED + n) for n in range(arguments.draws)}
        for draw, places in choices.items():
            for power in POWERS:
                name = f"{person} {language}"
                if (name, draw, power) in known:
                    continue
                losses = loss_of(
                    synthesizer, [trained[place] for place in places], held_out, language=language, power=power,
                    folder=arguments.output / "work" / f"{name} {draw} {power}".replace(" ", "-"),
                )  # fmt: skip
                one = {"person": name, "pack": pack, "draw": draw, "power": power, "clips": len(places), **losses}
                results.append(one)
                with open(log, "a", encoding="utf-8") as file:
                    file.write(json.dumps(one) + "\n")
                print(json.dumps(one), flush=True)
    for line in summarise(results):
        print(line)


if __name__ == "__main__":
    main()
