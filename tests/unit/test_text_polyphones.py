"""Polyphones in sentences, one marked each.

The 300 of `polyphones.tsv` were written before any rule was tuned, and none is tuned on them; those of
`polyphones_development.tsv` were measured once at first sight and then used.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from yinse.text.context_model import choose_readings, is_known
from yinse.text.mandarin import read_han
from yinse.text.reading import Source

DATA = Path(__file__).parents[1] / "data"
KEPT_APART, DEVELOPMENT = "polyphones.tsv", "polyphones_development.tsv"
MUST = 0.95
_MARK = "▁"
_HAN = re.compile("[\u3400-\u9fff]+")


def reading_at(text: str, index: int) -> str:
    """Reading before sandhi of the character at `index`."""
    run = next(match for match in _HAN.finditer(text) if match.start() <= index < match.end())
    return [syllable for word in read_han(run[0]) for syllable in word.reading][index - run.start()]


def sentences(name: str) -> list[tuple[str, int, str]]:
    rows = (line.split("\t") for line in (DATA / name).read_text("utf-8").splitlines())
    return [(marked.replace(_MARK, ""), marked.index(_MARK), reading) for marked, reading in rows]


def test_the_sentences_are_balanced() -> None:
    counts = Counter(text[index] for text, index, _ in sentences(KEPT_APART))
    assert len(counts) == 60 and set(counts.values()) == {5}


@pytest.mark.parametrize("name", [KEPT_APART, DEVELOPMENT])
def test_polyphones_are_read_as_the_dictionary_says(name: str) -> None:
    rows = sentences(name)
    wrong = [(text, reading) for text, index, reading in rows if reading_at(text, index) != reading]
    assert 1 - len(wrong) / len(rows) >= MUST, wrong


@pytest.mark.parametrize(
    ("text", "index", "reading", "source"),
    [
        ("银行", 1, "hang2", Source.PHRASE),
        ("他得走", 1, "dei3", Source.RULE),
        ("这雪下得比去年大", 3, "de5", Source.PHRASE),
        ("饭后得休息", 2, "dei3", Source.RULE),
        ("曾先生", 0, "zeng1", Source.RULE),
        ("腿软得走不动", 2, "de5", Source.DICTIONARY),
        ("小猎犬拽着绳子", 3, "zhuai4", Source.CONTEXT_MODEL),
        ("乐呵呵地来", 3, "de5", Source.RULE),
        ("田地上", 1, "di4", Source.PHRASE),
    ],
)
def test_context_decides(text: str, index: int, reading: str, source: Source) -> None:
    at = 0
    for word in read_han(text):
        if at <= index < at + len(word.text):
            assert (word.reading[index - at], word.source) == (reading, source)
        at += len(word.text)


def test_the_context_model_chooses_among_what_it_knows() -> None:
    assert is_known("行") and not is_known("人")
    chosen, probability = choose_readings("他在银行工作", [3])[3]
    assert chosen == "hang2" and 0.5 < probability <= 1.0


def test_long_runs_are_read() -> None:
    run = "行长都得好好地数一数" * 300
    assert sum(len(word.reading) for word in read_han(run)) == len(run)
