"""Counting what a listener heard differently: words of English, syllables of Mandarin.

Both the text and what was heard are brought to the same form first (lower case, no marks, numbers in words,
contractions opened, one spelling), so that only differences of sound count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from yinse.text.normalize import normalize

_Unit = TypeVar("_Unit", bound=Hashable)

_CONTRACTIONS = (
    (r"\bwon't\b", "will not"),
    (r"\bcan't\b|\bcannot\b", "can not"),
    (r"\bshan't\b", "shall not"),
    (r"\blet's\b", "let us"),
    (r"n't\b", " not"),
    (r"'ll\b", " will"),
    (r"'re\b", " are"),
    (r"'ve\b", " have"),
    (r"'m\b", " am"),
    (r"\bgonna\b", "going to"),
    (r"\bwanna\b", "want to"),
)
_SPELLINGS = (
    # Applied to both sides: what matters is that two spellings of one word meet, not that the result is a word.
    (r"\bmr\b", "mister"),
    (r"\bmrs\b|\bmissis\b", "missus"),
    (r"\bdr\b", "doctor"),
    (r"\bst\b", "saint"),
    (r"\bokay\b", "ok"),
    (r"(\w{3})our(s|ed|ing|able|ite|ites|ful|less)?\b", r"\1or\2"),
    (r"(\w{3})is(e|es|ed|ing|ation|ations)\b", r"\1iz\2"),
    (r"\b(cent|theat|met|lit|fib|cal)re(s?)\b", r"\1er\2"),
    (r"\bgrey", "gray"),
    (r"\b(hundred|thousand|million|billion) and\b", r"\1"),
)
_DIGITS = re.compile(r"\d+(?:,\d{3})*")
# One sound or one number written in two ways: the particle de, two, and one in telephone numbers.
_ALIKE = (frozenset("的地得"), frozenset("二两兩"), frozenset("一幺"))
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """Units of a reference text that were heard otherwise.

    Attributes:
        substitutions: heard as something else.
        deletions: not heard.
        insertions: heard, but not in the text.
        units: words or syllables of the text.
    """

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    units: int = 0

    @property
    def errors(self) -> int:
        """All errors together."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors per unit; 0 for an empty text."""
        return self.errors / self.units if self.units else 0.0

    def __add__(self, other: ErrorCount) -> ErrorCount:
        return ErrorCount(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.units + other.units,
        )


def total(counts: Iterable[ErrorCount]) -> ErrorCount:
    """Sum of the counts of many sentences."""
    return sum(counts, ErrorCount())


def count_errors(
    reference: Sequence[_Unit],
    heard: Sequence[_Unit],
    *,
    same: Callable[[_Unit, _Unit], bool] | None = None,
    join: Callable[[_Unit, _Unit], _Unit] | None = None,
) -> ErrorCount:
    """Fewest substitutions, deletions and insertions that turn `reference` into `heard` (Levenshtein, 1966).

    Args:
        reference: units of the text.
        heard: units heard.
        same: whether two units sound alike; equality if None.
        join: makes one unit of two; then "to day" and "today" are no error.
    """
    alike = same or (lambda a, b: a == b)
    # Each cell: errors, substitutions, deletions, insertions of the best path to it; ties prefer substitutions.
    Cell = tuple[int, int, int, int]
    rows: list[list[Cell]] = [[(j, 0, 0, j) for j in range(len(heard) + 1)]]
    for i, expected in enumerate(reference, 1):
        row: list[Cell] = [(i, 0, i, 0)]
        for j, found in enumerate(heard, 1):
            c, s, d, n = rows[i - 1][j - 1]
            choices = [(c, s, d, n) if alike(expected, found) else (c + 1, s + 1, d, n)]
            c, s, d, n = rows[i - 1][j]
            choices.append((c + 1, s, d + 1, n))
            c, s, d, n = row[j - 1]
            choices.append((c + 1, s, d, n + 1))
            if join is not None and i > 1 and alike(join(reference[i - 2], expected), found):
                choices.append(rows[i - 2][j - 1])
            if join is not None and j > 1 and alike(expected, join(heard[j - 2], found)):
                choices.append(rows[i - 1][j - 2])
            row.append(min(choices, key=lambda cell: (cell[0], cell[2] + cell[3])))
        rows.append(row)
    _, substitutions, deletions, insertions = rows[-1][-1]
    return ErrorCount(substitutions, deletions, insertions, len(reference))


def english_words(text: str) -> list[str]:
    """Words of an English text in the form in which they are compared.

    Example:
        >>> english_words("Mr. Grey won't pay 12 dollars.")
        ['mister', 'gray', 'will', 'not', 'pay', 'twelve', 'dollars']
    """
    plain = normalize(text, language="en").lower().replace("\u2019", "'")
    for pattern, replacement in _CONTRACTIONS:
        plain = re.sub(pattern, replacement, plain)
    plain = re.sub(r"[^a-z0-9]+", " ", plain.replace("'", ""))
    for pattern, replacement in _SPELLINGS:
        plain = re.sub(pattern, replacement, plain)
    return plain.split()


def word_errors_of(text: str, heard: str) -> ErrorCount:
    """English words of `text` that were heard otherwise; of several readings of a number the one that fits counts."""
    references = [english_words(reading) for reading in _english_readings(text)]
    hearings = [english_words(reading) for reading in _english_readings(heard)]
    counts = [count_errors(r, h, join=lambda a, b: a + b) for r in references for h in hearings]
    return min(counts, key=lambda count: (count.errors, count.deletions + count.insertions))


def mandarin_syllables(text: str) -> list[tuple[str, str]]:
    """Characters and their dictionary readings; neutral tone 5, no tone sandhi; Latin words as they are.

    Example:
        >>> mandarin_syllables("你好!")
        [('你', 'ni3'), ('好', 'hao3')]
    """
    from pypinyin import Style, lazy_pinyin

    units: list[tuple[str, str]] = []
    for run in re.findall(f"[{_HAN}]+|[a-z0-9']+", normalize(text, language="zh").lower()):
        if re.match(f"[{_HAN}]", run):
            readings = lazy_pinyin(
                run,
                style=Style.TONE3,
                neutral_tone_with_five=True,
                errors=list,  # type: ignore[arg-type]  # a list of characters is allowed, its stubs do not say so
            )
            units.extend(zip(run, readings, strict=True))
        else:
            units.append((run, run))
    return units


def syllable_errors_of(text: str, heard: str, *, tones: bool = True) -> ErrorCount:
    """Mandarin syllables of `text` that were heard otherwise; homophones and other characters for them are no error.

    Args:
        text: what was to be said.
        heard: what was heard, in simplified or traditional characters.
        tones: whether a wrong tone is an error.
    """

    def same(a: tuple[str, str], b: tuple[str, str]) -> bool:
        # One character in two contexts may be read in two ways by the dictionary, yet it is the same character.
        if a[0] == b[0] or any(a[0] in alike and b[0] in alike for alike in _ALIKE):
            return True
        return a[1] == b[1] if tones else a[1].rstrip("12345") == b[1].rstrip("12345")

    references = [mandarin_syllables(reading) for reading in _mandarin_readings(text)]
    hearings = [mandarin_syllables(reading) for reading in _mandarin_readings(heard)]
    counts = [count_errors(r, h, same=same) for r in references for h in hearings]
    return min(counts, key=lambda count: (count.errors, count.deletions + count.insertions))


def errors_of(text: str, heard: str, *, language: str) -> ErrorCount:
    """Words ("en") or syllables with tones ("zh") of `text` that were heard otherwise."""
    return syllable_errors_of(text, heard) if language == "zh" else word_errors_of(text, heard)


def _english_readings(text: str) -> list[str]:
    """The text itself and, where it has digits, its numbers read as amounts, as years and digit by digit."""
    if not _DIGITS.search(text):
        return [text]
    from num2words import num2words

    def read(form: str) -> str:
        return _DIGITS.sub(lambda m: " " + num2words(int(m.group().replace(",", "")), to=form) + " ", text)

    short = all(len(match.group()) == 4 for match in _DIGITS.finditer(text))
    by_digit = _DIGITS.sub(lambda m: " " + " ".join(num2words(int(d)) for d in m.group() if d != ",") + " ", text)
    return [text, read("cardinal"), by_digit, _in_pairs(text, " "), *([read("year")] if short else [])]


def _in_pairs(text: str, mark: str) -> str:
    """Digits two by two: Whisper runs the numbers of a list together, "6677-8899"."""
    parted = re.sub(r"(?<=\d)-(?=\d)", mark, text)
    return re.sub(r"(?:\d\d){2,}", lambda m: re.sub(r"(\d\d)(?=\d)", rf"\1{mark}", m.group()), parted)


def _mandarin_readings(text: str) -> list[str]:
    """The text itself and, where it has digits, its numbers read digit by digit, in pairs, and as times of day."""
    if not re.search(r"\d\d", text):
        return [text]
    by_digit = text.translate(str.maketrans("0123456789", "零一二三四五六七八九"))
    return [text, by_digit, _in_pairs(text, "、"), re.sub(r"(\d)[.:](\d\d)", r"\1点\2", text)]
