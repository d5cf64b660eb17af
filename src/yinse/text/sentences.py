"""Text to sentences, lazily and in linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from yinse.text.abbreviations import BEFORE_NUMBERS, NEVER_LAST
from yinse.text.characters import HAN
from yinse.text.overrides import MARKUP_MAX, markup_spans

_MAX_CHARACTERS = 200
_MAX_HAN_CHARACTERS = 80
"""A Han character takes about as long to say as two or three letters."""
_CLOSING = "\"'”’»』」）)]】》"
_END = re.compile(rf"(?:[。！？!?｡…\n;；]|(?P<dot>\.))(?:[。！？!?｡….]*[{re.escape(_CLOSING)}]*)")
_WORD_BEFORE_DOT = re.compile(r"[A-Za-z.]{1,8}\Z")
_HAN = re.compile(f"[{HAN}]")
_SOFT_BREAKS = (re.compile(r"[，、：,:—–]"), re.compile(r"\s"))
_PAUSES = re.compile(r"(?:\s*\[pause:[^\[\]\n]{0,64}\])+")
_SPACES = re.compile(r"\s*")
_SHORTEST_SHARE = 4
"""A soft break in the first quarter of the limit is not taken: it would leave a scrap."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its place.

    Attributes:
        text: the sentence without white space around it.
        start: index of its first character in the whole text.
        end: index after its last.
    """

    text: str
    start: int
    end: int


def _ends_at(text: str, match: re.Match[str]) -> bool:
    """Whether a mark ends a sentence: a dot does not inside numbers and addresses and after abbreviations."""
    if not match.group("dot"):
        return True
    following = text[match.end() : match.end() + 1]
    if following and not following.isspace() and not _HAN.match(following):
        return False
    if text[match.end() : match.end() + 3].lstrip()[:1].islower():
        return False
    before = _WORD_BEFORE_DOT.search(text, max(0, match.start() - 8), match.start())
    if before is None or len(match[0].rstrip(_CLOSING)) > 1:
        return True
    word = before[0].lower()
    initial = len(word) == 1 and word != "i"
    numbered = f"{word}." in BEFORE_NUMBERS and text[match.end() : match.end() + 2].strip()[:1].isdigit()
    return not initial and not numbered and f"{word}." not in NEVER_LAST


def _next_end(text: str, start: int) -> int:
    """Index after the sentence that begins at `start`."""
    limit = _MAX_CHARACTERS
    if len(_HAN.findall(text, start, start + _MAX_HAN_CHARACTERS)) * 2 > _MAX_HAN_CHARACTERS:
        limit = _MAX_HAN_CHARACTERS
    last = min(start + limit, len(text))
    window = text[start : last + MARKUP_MAX]
    markup = [(start + a, start + b) for a, b in markup_spans(window)] if "|" in window or "[pause" in window else []
    leading = _PAUSES.match(text, start)
    spoken = _SPACES.match(text, leading.end()) if leading else None
    for match in _END.finditer(text, spoken.end() if spoken else start, last):
        if _ends_at(text, match) and not any(a < match.end() < b for a, b in markup):
            pauses = _PAUSES.match(text, match.end())
            return pauses.end() if pauses else match.end()
    if last == len(text):
        return last
    for soft_break in _SOFT_BREAKS:
        breaks = [match.end() for match in soft_break.finditer(text, start + limit // _SHORTEST_SHARE, last)]
        breaks = [place for place in breaks if not any(a < place < b for a, b in markup)]
        if breaks:
            return breaks[-1]
    # Never through an override: before it, or behind it where it comes first.
    for a, b in markup:
        if a < last < b:
            return a if a > start else b
    return last


def split_sentences(text: str) -> Iterator[Sentence]:
    """Splits text at sentence marks, semicolons and line ends.

    Pieces of more than 200 characters (80 if Han) are split at commas, else at white space, else anywhere but within an
    override. A pause stays with the sentence before it, at the beginning with the one behind it.

    Args:
        text: any text.

    Yields:
        Sentences in order, each as soon as it is found; pieces without a letter or digit are passed over.
    """
    start = 0
    while start < len(text):
        end = _next_end(text, start)
        piece = text[start:end]
        stripped = piece.strip()
        if any(char.isalnum() for char in stripped):
            at = start + len(piece) - len(piece.lstrip())
            yield Sentence(stripped, at, at + len(stripped))
        start = end
