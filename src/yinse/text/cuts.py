"""The six ways in which GPT-SoVITS cuts a text into lines, each spoken by itself.

They differ from `yinse.text.sentences` in that they follow the published program mark by mark; where that program fails
(a text without any character), the answer here is the empty text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from yinse.core.errors import ConfigError
from yinse.text.sentences import Sentence

CLAUSE_MARKS = frozenset("，。？！,.?!~:：—…")
"""Marks that end a clause."""
_EACH_MARK = frozenset(",.;?!、，。？！：…")
_SILENT = frozenset("!?…,.- ")
_CLAUSES_PER_LINE = 4
_LINE_CHARACTERS = 50
_SHORTEST_PIECE = 5
_LONGEST_PIECE = 510
"""What the published BERT can read at once."""
_SHORT_START = 4


def cut(text: str, method: str) -> str:
    """A text with a line end at each cut.

    Args:
        text: any text; it may have line ends already.
        method: "cut0" nowhere, "cut1" after every four clauses, "cut2" after about fifty characters, "cut3" at the
            Chinese full stop, "cut4" at the English one unless a digit stands beside it, "cut5" at every mark.

    Raises:
        ConfigError: there is no such method.
    """
    if method not in METHODS:
        raise ConfigError(f"there is no way to cut called '{method}'", advice=f"Use one of {', '.join(METHODS)}.")
    return METHODS[method](text)


def _spoken(pieces: list[str], silent: frozenset[str] = _SILENT) -> str:
    return "\n".join(piece for piece in pieces if not silent.issuperset(piece))


def _clauses(text: str) -> list[str]:
    """Clauses with their marks; the last one is given a full stop if it has none."""
    text = text.replace("……", "。").replace("——", "，")
    if text and text[-1] not in CLAUSE_MARKS:
        text += "。"
    return re.findall(rf"[^{''.join(CLAUSE_MARKS)}]*[{''.join(CLAUSE_MARKS)}]", text)


def _nowhere(text: str) -> str:
    return "\n" if _SILENT.issuperset(text) else text


def _four_clauses(text: str) -> str:
    text = text.strip("\n")
    clauses = _clauses(text)
    # What is left after the last group of four is never a line of its own: it goes with the group before.
    starts = list(range(0, len(clauses), _CLAUSES_PER_LINE))[:-1]
    if not starts:
        return _spoken([text])
    ends = [*starts[1:], len(clauses)]
    return _spoken(["".join(clauses[start:end]) for start, end in zip(starts, ends, strict=True)])


def _fifty_characters(text: str) -> str:
    text = text.strip("\n")
    clauses = _clauses(text)
    if len(clauses) < 2:
        return text
    lines = [""]
    for clause in clauses:
        if len(lines[-1]) > _LINE_CHARACTERS:
            lines.append("")
        lines[-1] += clause
    if len(lines) > 1 and len(lines[-1]) < _LINE_CHARACTERS:
        rest = lines.pop()
        lines[-1] += rest
    return _spoken(lines)


def _chinese_stop(text: str) -> str:
    return _spoken(text.strip("\n").strip("。").split("。"))


def _english_stop(text: str) -> str:
    return _spoken(re.split(r"(?<!\d)\.(?!\d)", text.strip("\n").strip(".")))


def _every_mark(text: str) -> str:
    text = text.strip("\n")
    pieces, start = [], 0
    for index, character in enumerate(text):
        decimal = character == "." and text[index - 1 : index].isdigit() and text[index + 1 : index + 2].isdigit()
        if character in _EACH_MARK and not decimal:
            pieces.append(text[start : index + 1])
            start = index + 1
    return _spoken([*pieces, text[start:]], _EACH_MARK)


METHODS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "cut0": _nowhere,
        "cut1": _four_clauses,
        "cut2": _fifty_characters,
        "cut3": _chinese_stop,
        "cut4": _english_stop,
        "cut5": _every_mark,
    }
)
"""The ways to cut, by name."""


def begins_short(text: str) -> bool:
    """Whether the first clause has fewer than four characters: the published program then lets a pause go before it."""
    text = text.strip("\n")
    if not text or text[0] in CLAUSE_MARKS:
        return False
    return len(re.split(f"[{''.join(CLAUSE_MARKS)}]", text, maxsplit=1)[0].strip()) < _SHORT_START


def cut_sentences(text: str, method: str) -> Iterator[Sentence]:
    """The pieces that the published program speaks one by one, with their places in the text.

    Pieces below 5 characters go with the next, those above 510 are split at clauses, and those without a letter or
    digit are passed over.

    Args:
        text: any text.
        method: as in `cut`.

    Raises:
        ConfigError: there is no such method.
    """
    lines = [line for line in cut(text.strip("\n"), method).split("\n") if line not in ("", " ")]
    place = 0
    for line in _merged(lines):
        for piece in _below_limit(line):
            letters = [character for character in piece if character.isalnum()]
            if not letters:
                continue
            # Cutting may change marks, never letters: they tell where the piece lies.
            start = place = text.index(letters[0], place)
            for letter in letters:
                place = text.index(letter, place) + 1
            while place < len(text) and not text[place].isalnum() and text[place] != "\n":
                place += 1
            end = start + len(text[start:place].rstrip())
            yield Sentence(piece.strip(), start, end)


def _merged(lines: list[str]) -> list[str]:
    merged: list[str] = []
    piece = ""
    for line in lines:
        piece += line
        if len(piece) >= _SHORTEST_PIECE:
            merged.append(piece)
            piece = ""
    if piece and merged:
        merged[-1] += piece
    elif piece:
        merged.append(piece)
    return merged


def _below_limit(line: str) -> Iterator[str]:
    piece = ""
    for part in re.findall(rf"[^{''.join(CLAUSE_MARKS)}]+|[{''.join(CLAUSE_MARKS)}]", line):
        if len(piece) + len(part) > _LONGEST_PIECE and piece:
            yield piece
            piece = ""
        piece += part
        while len(piece) > _LONGEST_PIECE:  # without a mark in it; the published program would fail
            yield piece[:_LONGEST_PIECE]
            piece = piece[_LONGEST_PIECE:]
    if piece:
        yield piece
