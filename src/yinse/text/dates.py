"""Dates and times as they are written, taken apart once for both languages."""

from __future__ import annotations

import re
from dataclasses import dataclass

MONTHS = tuple("January February March April May June July August September October November December".split())
MONTH_PATTERN = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)"
)
_NAME = re.compile("[A-Za-z]{3,}")
_LONGEST_YEAR = 4


@dataclass(frozen=True, slots=True)
class Date:
    """A day: digits of the year ("" if none is given), number of the month, days (two: from and to)."""

    year: str
    month: int
    days: tuple[int, ...]

    @property
    def is_possible(self) -> bool:
        """Whether a calendar has such a day."""
        return 1 <= self.month <= 12 and all(1 <= day <= 31 for day in self.days)


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day: digits of hour, minutes, seconds as far as given; "a" or "p" for a half of the day, or ""."""

    parts: tuple[str, ...]
    half: str


def parse_date(text: str) -> Date:
    """Takes apart 2024-05-03, 5/3/2024, May 3rd, 2024, May 3-5, 3 May 2024.

    Args:
        text: what one of the patterns for dates matched.
    """
    numbers = re.findall(r"\d+", text)
    named = _NAME.search(text)
    if named:
        name = named[0][:3].capitalize()
        month = next(number for number, month in enumerate(MONTHS, 1) if month.startswith(name))
        year = next((number for number in numbers if len(number) == _LONGEST_YEAR), "")
        return Date(year, month, tuple(int(number) for number in numbers if len(number) < _LONGEST_YEAR))
    if len(numbers[0]) == _LONGEST_YEAR:
        year, month_digits, day = numbers
    else:
        month_digits, day, year = numbers
    return Date(year, int(month_digits), (int(day),))


def parse_time(text: str) -> Time:
    """Takes apart 7:30, 19:30:05, 7 a.m., 7:30 PM.

    Args:
        text: what the pattern for a time matched, one end of a range.
    """
    half = re.search(r"[ap](?=\.?m)", text.lower())
    return Time(tuple(re.findall(r"\d+", text)), half[0] if half else "")
