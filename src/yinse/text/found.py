"""What a pattern found, with its surroundings: what both number readers are given."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_BEFORE, _AFTER = 24, 24
_NUMERAL = {"I": 1, "V": 5, "X": 10, "L": 50}
_RANGE_MARK = re.compile(r"(?<=[^-~–—\s]) ?[-~–—] ?(?=[^\s])")


@dataclass(frozen=True, slots=True)
class Found:
    """An expression to read.

    Attributes:
        kind: which pattern matched.
        text: what it matched.
        before: up to 24 characters before it.
        after: up to 24 behind it.
    """

    kind: str
    text: str
    before: str
    after: str

    @classmethod
    def of(cls, match: re.Match[str]) -> Found:
        """What `match`, of a pattern with named groups, found."""
        start, end = match.span()
        whole = match.string
        return cls(match.lastgroup or "", match[0], whole[max(0, start - _BEFORE) : start], whole[end : end + _AFTER])


Reader = Callable[[Found], str]


def split_range(text: str) -> tuple[str, ...]:
    """The two ends of a range, or the text alone; a sign before a number is no range."""
    head, tail = (text[0], text[1:]) if text[:1] in "-+" else ("", text)
    first, *second = _RANGE_MARK.split(tail, maxsplit=1)
    return (head + first, *second)


def split_unit(text: str) -> tuple[str, str]:
    """A number and the sign of its unit, "" for none."""
    match = re.fullmatch(r"([-+]?\d[\d,.]*(?<![,.])) ?(.*)", text)
    return (match[1], match[2]) if match else (text, "")


def split_money(text: str) -> tuple[bool, str, str, str]:
    """Whether a sum is negative, its number or range ("0" for none), its currency, and the scale behind the number."""
    unsigned = text.lstrip("-")
    amount = re.search(r"\d[\d,.]*(?: ?[-~–—] ?[$€£¥]?[\d,.]*\d)?", unsigned)
    numbers = amount[0].rstrip(",.") if amount else "0"
    before, _, behind = (part.strip() for part in unsigned.replace(numbers, " ", 1).partition(" "))
    return unsigned != text, numbers, before or behind, behind if before else ""


def is_spoken(sign: Found) -> bool:
    """Whether a sign is read out: a slash divides numbers and is silent between words."""
    return sign.text != "/" or sign.before[-1:].isdigit()


def roman_value(numeral: str) -> int:
    """Value of a Roman numeral of the letters I, V, X, L."""
    values = [_NUMERAL[letter] for letter in numeral]
    return sum(-v if v < following else v for v, following in zip(values, [*values[1:], 0], strict=True))
