"""Measures how lively people speak, for `yinse check`: `python benchmarks/prosody_reference.py [--shared ../shared]`.

The people of base training (`splits.json`), eight utterances each, spread over their clips: 10th and 90th percentile
over people of every measure of `yinse.corpus.prosody_range`. Transcripts of LibriSpeech have no marks and so no
questions: for the end of English yes/no questions a rule stands in, not lower than statements and not above an octave.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from yinse.audio.decode import decode
from yinse.core.errors import BadText
from yinse.corpus.prosody_range import MEASURES, QUESTION_RISE, measure_utterance, summarise
from yinse.corpus.sentence_types import YES_NO_QUESTION, sentence_types
from yinse.corpus.spoken_units import STRESSED, take_apart

UTTERANCES = 8
QUESTIONS_EACH = 4
FEWEST_PEOPLE = 5
RISE_BY_RULE = [0.0, 12.0]
PACKS = {"en": ("en_librispeech", "en_kathleen"), "zh": ("zh_en_kokoro",)}
PEOPLE = {
    "en": "readers of LibriSpeech and one of a public-domain voice",
    "zh": "synthetic speakers of Mandarin, for real ones are too few here",
}


def syllables_of(text: str, language: str) -> int | None:
    """How many syllables a transcript has."""
    try:
        spoken = take_apart(text, language=language)
    except BadText:
        return None
    return spoken.syllables + sum(count for (kind, _), count in spoken.units.items() if kind == STRESSED)


def rows_by_person(folder: Path, people: list[str], language: str) -> dict[str, list[dict[str, str]]]:
    """Rows of `metadata.csv` by speaker."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    with open(folder / "metadata.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["speaker"] in people and row["language"].startswith(language):
                found[row["speaker"]].append(row)
    return found


def measure_person(folder: Path, rows: list[dict[str, str]], language: str) -> dict[str, float | None]:
    """Measures of one person."""
    picked = [rows[int(place)] for place in np.linspace(0, len(rows) - 1, min(UTTERANCES, len(rows)))]
    asked = [row for row in rows if sentence_types(row["text"])[0] == YES_NO_QUESTION]
    utterances = []
    for row in [*picked, *(row for row in asked[:QUESTIONS_EACH] if row not in picked)]:
        kind = sentence_types(row["text"])[0] if row["text"][-1:] in "。？！.?!" else None
        measured = measure_utterance(
            decode(folder / row["file"]), syllables=syllables_of(row["text"], language), kind=kind
        )
        if measured:
            utterances.append(measured)
    return summarise(utterances)


def measure_pack(folder: Path, people: list[str] | str, *, language: str, most: int) -> list[dict[str, float | None]]:
    """Measures of the people of a pack; `people` may be "all"."""
    with open(folder / "metadata.csv", encoding="utf-8", newline="") as file:
        speakers = list(dict.fromkeys(row["speaker"] for row in csv.DictReader(file)))
    chosen = [speaker for speaker in speakers if people == "all" or speaker in people]
    chosen = chosen[:: max(1, len(chosen) // most)][:most]
    groups = rows_by_person(folder, chosen, language)
    return [measure_person(folder, rows, language) for rows in groups.values()]


def span(values: list[float | None]) -> list[float] | None:
    """10th and 90th percentile of what could be measured; None for too few people."""
    known = [value for value in values if value is not None]
    if len(known) < FEWEST_PEOPLE:
        return None
    return [round(float(value), 3) for value in np.percentile(known, [10.0, 90.0])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--people", type=int, default=40, help="at most so many per pack, spread over the list")
    parser.add_argument("--output", type=Path, default=Path("src/yinse/corpus/data/prosody_reference.json"))
    arguments = parser.parse_args()
    data = arguments.shared / "data"
    splits = json.loads((data / "splits.json").read_text(encoding="utf-8"))["base_training"]
    result = {}
    for language, packs in PACKS.items():
        found = [
            one
            for pack in packs
            for one in measure_pack(data / pack, splits[pack], language=language, most=arguments.people)
        ]
        ranges = {name: span([one[name] for one in found]) for name in MEASURES}
        ranges[QUESTION_RISE] = ranges[QUESTION_RISE] or RISE_BY_RULE
        result[language] = {"people": f"{len(found)} {PEOPLE[language]}", "ranges": ranges}
    arguments.output.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
