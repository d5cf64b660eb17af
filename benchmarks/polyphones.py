"""How often polyphones are read right: each part alone, and all together; and how fast texts are read.

    python benchmarks/polyphones.py tests/data/polyphones.tsv [--texts FILE]

A line of the table holds a sentence with "▁" around one character, a tab, and its pinyin with tone number.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from yinse.text.context_model import choose_readings, is_known
from yinse.text.mandarin import read_han
from yinse.text.phonemes import phonemize

_HAN = re.compile("[\u3400-\u9fff]+")
Reader = Callable[[str, int], str]


def _phrases(text: str, index: int) -> str:
    from pypinyin import Style, lazy_pinyin

    return lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True, errors=list)[index]  # type: ignore[arg-type]


def _network(text: str, index: int) -> str:
    return choose_readings(text, [index])[index][0] if is_known(text[index]) else ""


def _together(text: str, index: int) -> str:
    run = next(match for match in _HAN.finditer(text) if match.start() <= index < match.end())
    return [syllable for word in read_han(run[0]) for syllable in word.reading][index - run.start()]


PARTS: dict[str, Reader] = {"phrases of pypinyin": _phrases, "context network": _network, "together": _together}


def share_right(rows: Sequence[str], reader: Reader) -> float:
    """Share of the rows whose marked character `reader` reads as the table says."""
    right = 0
    for row in rows:
        marked, reading = row.split("\t")
        right += reader(marked.replace("▁", ""), marked.index("▁")) == reading
    return right / len(rows)


def main() -> None:
    """Prints the shares, and characters a second of CPU time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--texts", type=Path, help="a file of sentences to measure the speed with")
    options = parser.parse_args()
    rows = options.table.read_text("utf-8").splitlines()
    for name, reader in PARTS.items():
        print(f"{name}: {share_right(rows, reader):.1%} of {len(rows)}")
    if options.texts:
        lines = [line for line in options.texts.read_text("utf-8").splitlines() if line.strip()]
        start = time.process_time()
        for line in lines:
            phonemize(line)
        print(f"{sum(map(len, lines)) / (time.process_time() - start):,.0f} characters a second of CPU time")


if __name__ == "__main__":
    main()
