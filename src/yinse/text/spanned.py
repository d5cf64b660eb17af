"""Text that remembers where it came from while it is rewritten."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpannedText:
    """Text with the place of each of its characters in the text it was made from.

    Attributes:
        text: the characters.
        starts: index of the first character of the origin that each stands for, as many as characters.
        ends: index after the last.
    """

    text: str
    starts: list[int]
    ends: list[int]

    @classmethod
    def of(cls, text: str) -> SpannedText:
        """Text that stands for itself."""
        return cls(text, list(range(len(text))), list(range(1, len(text) + 1)))

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters from `start` to `end` came from; for none, the place where they would stand."""
        if start < end:
            return self.starts[start], self.ends[end - 1]
        at = self.ends[start - 1] if start else self.starts[0] if self.text else 0
        return at, at

    def sub(self, pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str | None]) -> SpannedText:
        """Rewrites each match; what replaces it stands for the whole of it. None leaves a match as it is."""
        parts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for match in pattern.finditer(self.text):
            new = replace(match)
            if new is None or new == match[0]:
                continue
            start, end = match.span()
            parts += (self.text[at:start], new)
            starts += self.starts[at:start]
            ends += self.ends[at:start]
            first, last = self.origin(start, end)
            starts += [first] * len(new)
            ends += [last] * len(new)
            at = end
        if not parts:
            return self
        return SpannedText("".join(parts) + self.text[at:], starts + self.starts[at:], ends + self.ends[at:])

    def translate(self, table: Mapping[int, str]) -> SpannedText:
        """Rewrites each character by itself."""
        if self.text.translate(table) == self.text:
            return self
        parts = [table[ord(char)] for char in self.text]
        starts = [start for start, part in zip(self.starts, parts, strict=True) for _ in part]
        ends = [end for end, part in zip(self.ends, parts, strict=True) for _ in part]
        return SpannedText("".join(parts), starts, ends)

    def strip(self) -> SpannedText:
        """Without white space around it."""
        start = len(self.text) - len(self.text.lstrip())
        end = max(start, len(self.text.rstrip()))
        return SpannedText(self.text[start:end], self.starts[start:end], self.ends[start:end])
