"""What the coach's choice covers, against random choices: `python benchmarks/coach.py [--shared ../shared]`.

Prints, for Mandarin and English, what a first script of 60 s covers against the mean of 20 random draws of equal length
from AISHELL and LibriSpeech transcripts, the ceiling (every unit new), and how many prompts reach 95 % of the
toneless syllables and of the phonemes. Lengths of both sides are estimated by the same stated rates
(`yinse.corpus.speech_length`). Diphones do not reach across marks: the transcripts, which have none, get more of them.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import statistics
from collections.abc import Sequence
from pathlib import Path

from yinse.corpus import spoken_units as su
from yinse.corpus.bank import shipped_bank
from yinse.corpus.coverage import inventory, total_units
from yinse.corpus.prompts import SCRIPT_S, choose_prompts
from yinse.corpus.speech_length import ENGLISH_PHONEMES_PER_S, MANDARIN_SYLLABLES_PER_S
from yinse.corpus.spoken_units import SpokenText, take_apart

DRAWS = 20
SEED = 1
TRANSCRIPTS = {"zh": "zh_aishell_sample", "en": "en_librispeech"}
COUNTED = {"zh": su.TONED, "en": su.DIPHONE}
CEILING = {"zh": SCRIPT_S * MANDARIN_SYLLABLES_PER_S, "en": SCRIPT_S * ENGLISH_PHONEMES_PER_S}
REACHED = {"zh": (su.TONELESS, 0.95), "en": (su.PHONEME, 0.95)}


def distinct(texts: Sequence[SpokenText], kind: str, names: frozenset[str]) -> int:
    """Different units of a kind."""
    return len({name for each, name in total_units(texts) if each == kind and name in names})


def draw(texts: Sequence[SpokenText], generator: random.Random) -> list[SpokenText]:
    """Random texts that fill a script's time; what does not fit any more is passed over."""
    left_s, chosen = SCRIPT_S, []
    for text in generator.sample(texts, len(texts)):
        if text.speech_s <= left_s:
            chosen.append(text)
            left_s -= text.speech_s
    return chosen


def valid_names(language: str) -> frozenset[str]:
    """What counts as a unit: Mandarin syllables that dictionaries have, all English diphones."""
    from yinse.corpus.inventory import mandarin_inventory

    if language == "zh":
        return mandarin_inventory().toned
    phonemes = inventory("en")[su.PHONEME]
    return frozenset(f"{left}-{right}" for left in phonemes for right in phonemes)


def measure(language: str, shared: Path) -> dict[str, object]:
    """Figures of one language."""
    folder = shared / "data" / TRANSCRIPTS[language]
    with open(folder / "metadata.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = [take_apart(row["text"], language=language, punctuated=False) for row in rows]
    kind, names = COUNTED[language], valid_names(language)
    generator = random.Random(SEED)
    draws = [draw(texts, generator) for _ in range(DRAWS)]
    counts = [distinct(each, kind, names) for each in draws]
    bank = shipped_bank(language)
    script = [chosen.prompt for chosen in choose_prompts(bank, language=language, seconds=SCRIPT_S)]
    covered = distinct([prompt.spoken for prompt in script], kind, names)
    mean = statistics.mean(counts)
    reached_kind, share = REACHED[language]
    wanted = frozenset(inventory(language)[reached_kind])
    chosen = choose_prompts(bank, language=language, count=100)
    needed = next(
        (
            n
            for n in range(1, len(chosen) + 1)
            if distinct([one.prompt.spoken for one in chosen[:n]], reached_kind, wanted) >= share * len(wanted)
        ),
        None,
    )
    return {
        "bank": len(bank),
        "counted": kind,
        "script_s": round(sum(prompt.spoken.speech_s for prompt in script), 1),
        "script_sentences": len(script),
        "script_covers": covered,
        "random_s": round(statistics.mean(sum(t.speech_s for t in each) for each in draws), 1),
        "random_mean": round(mean, 1),
        "random_deviation": round(statistics.stdev(counts), 1),
        "ratio": round(covered / mean, 3),
        "ceiling_ratio": round(CEILING[language] / mean, 3),
        f"prompts_to_{share:.0%}_of_{len(wanted)}_{reached_kind}s": needed,
        "script": [prompt.text for prompt in script],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    arguments = parser.parse_args()
    print(
        json.dumps(
            {language: measure(language, arguments.shared) for language in COUNTED}, ensure_ascii=False, indent=1
        )
    )


if __name__ == "__main__":
    main()
