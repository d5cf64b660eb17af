"""Mandarin characters to words, and words to initials and finals with surface tones."""

from __future__ import annotations

import functools
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from yinse.text.polyphones import NUMERALS, is_counted, reading_in_context, word_readings
from yinse.text.symbols import FINALS, INITIALS
from yinse.text.tone_sandhi import surface_tones

_CUT_CHARACTERS = 400
"""Characters given to the word segmenter at once; keeps memory flat on text without any mark."""
_INITIALS_BY_LENGTH = tuple(sorted((i for i in INITIALS if i.islower()), key=len, reverse=True))
_FINALS = frozenset(FINALS)
_SYLLABLE = re.compile(r"([a-zêü]+)([1-5])")
_HUMMED = frozenset(("n", "ng", "m", "hm", "hng"))
"""Syllables without a vowel (嗯, 呣), which the table has no symbols for."""


@dataclass(frozen=True, slots=True)
class Word:
    """A segmented word.

    Attributes:
        text: the characters.
        start: index of the first in the run.
        phonemes: initial and final-with-tone of each syllable.
    """

    text: str
    start: int
    phonemes: tuple[str, ...]


@functools.cache
def _segmenter() -> Any:
    with warnings.catch_warnings():
        # jieba asks for pkg_resources, whose deprecation is no concern of the reader's.
        warnings.simplefilter("ignore")
        import jieba

    jieba.setLogLevel(logging.ERROR)
    jieba.initialize()
    return jieba.dt


@functools.lru_cache(maxsize=4096)
def syllable_phonemes(syllable: str) -> tuple[str, str] | None:
    """Initial and final with tone of a pinyin syllable.

    Args:
        syllable: letters (ü as v or ü) and a tone 1 to 5, such as "lv4".

    Returns:
        Two symbols; None if it is no syllable of the table.
    """
    match = _SYLLABLE.fullmatch(syllable)
    if match is None:
        return None
    letters, tone = match[1].replace("ü", "v"), match[2]
    letters = "en" if letters in _HUMMED else letters.replace("ê", "ei" if letters == "ê" else "e")
    initial = next((i for i in _INITIALS_BY_LENGTH if letters.startswith(i)), "")
    final = letters[len(initial) :]
    if not initial:
        initial = {"a": "AA", "e": "EE", "o": "OO"}.get(letters[0], "")
    elif initial in ("j", "q", "x", "y") and final in ("u", "ue", "uan", "un"):
        final = "v" + final[1:]
    elif initial in ("zh", "ch", "sh", "r") and final == "i":
        final = "ir"
    elif initial in ("z", "c", "s") and final == "i":
        final = "i0"
    elif initial == "y" and final in ("e", "an"):
        final = {"e": "E", "an": "En"}[final]
    return (initial, final + tone) if initial and final in _FINALS else None


def _cut(run: str) -> Iterator[str]:
    """Words of a run; a suffix 儿 that the segmenter gave to the next word goes back to its own."""
    segmenter = _segmenter()
    held = ""
    for start in range(0, len(run), _CUT_CHARACTERS):
        for word in segmenter.cut(run[start : start + _CUT_CHARACTERS]):
            strays = word[0] == "儿" and (word == "儿" or not segmenter.FREQ.get(word))
            moved = strays and bool(held) and held[-1] not in NUMERALS and held[-1] != "儿"
            if moved:
                held += "儿"
            rest = word[1:] if moved else word
            if rest:
                if held:
                    yield held
                held = rest
    if held:
        yield held


def _speakable(word: str) -> tuple[str, list[str]]:
    """The characters of a word that have a reading, and their syllables."""
    pairs = [(c, s) for c, s in zip(word, word_readings(word), strict=True) if s and syllable_phonemes(s)]
    return "".join(c for c, _ in pairs), [s for _, s in pairs]


def _phrase_syllables(words: Sequence[str], readings: Sequence[list[str]]) -> list[str]:
    """Syllables with surface tones of all characters of `words`."""
    syllables: list[str] = []
    unstressed: set[int] = set()
    for index, usual in enumerate(readings):
        special = reading_in_context(words, index)
        syllables += [special] if special else usual
        if is_counted(words, index):
            unstressed.add(len(syllables) - 1)
    tones = surface_tones(words, [int(s[-1]) for s in syllables], frozenset(unstressed))
    return [f"{syllable[:-1]}{tone}" for syllable, tone in zip(syllables, tones, strict=True)]


def read_run(run: str) -> list[Word]:
    """Reads a run of Han characters without marks.

    Args:
        run: characters, any length.

    Returns:
        Words in order with surface phonemes; characters without a reading are left out, and words without any.
    """
    words: list[tuple[str, int]] = []
    spoken: list[str] = []
    readings: list[list[str]] = []
    start = 0
    for word in _cut(run):
        characters, syllables = _speakable(word)
        if characters:
            words.append((word, start))
            spoken.append(characters)
            readings.append(syllables)
        start += len(word)
    syllables = _phrase_syllables(spoken, readings)
    result: list[Word] = []
    at = 0
    for (word, start), characters in zip(words, spoken, strict=True):
        here = syllables[at : at + len(characters)]
        phonemes = tuple(symbol for s in here for symbol in syllable_phonemes(s) or ())
        result.append(Word(word, start, phonemes))
        at += len(characters)
    return result
