"""Mandarin characters to words, and words to initials and finals with surface tones."""

from __future__ import annotations

import functools
import itertools
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from yinse.text.polyphones import DOUBLED_VERBS, NUMERALS, is_counted, lexical_readings
from yinse.text.reading import Reading, Source
from yinse.text.symbols import FINALS, INITIALS
from yinse.text.tone_sandhi import surface_tones

_CUT_CHARACTERS = 400
"""Characters given to the word segmenter at once; keeps memory flat on text without any mark."""
_PARTICLES = frozenset("地得儿")
_INITIALS_BY_LENGTH = tuple(sorted((i for i in INITIALS if i.islower()), key=len, reverse=True))
_FINALS = frozenset(FINALS)
_SYLLABLE = re.compile(r"([a-zêü]+)([1-5])")
_HUMMED = frozenset(("n", "ng", "m", "hm", "hng"))
"""Syllables without a vowel (嗯, 呣), which the table has no symbols for."""


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


def _segments(run: str) -> Iterator[str]:
    """The segmenter's words; a particle that it put at the head of a word of its own making stands alone."""
    segmenter = _segmenter()
    for start in range(0, len(run), _CUT_CHARACTERS):
        for word in segmenter.cut(run[start : start + _CUT_CHARACTERS]):
            if len(word) > 1 and word[0] in _PARTICLES and not segmenter.FREQ.get(word):
                yield word[0]
                yield word[1:]
            else:
                yield word


def _cut(run: str) -> Iterator[str]:
    """Words of a run; a suffix 儿 goes to the word before it, doubled verbs are one word."""
    held = ""
    for word in _segments(run):
        moved = word == "儿" and bool(held) and held[-1] not in NUMERALS and held[-1] != "儿"
        if moved or word == held and word in DOUBLED_VERBS:
            held += word
            continue
        if held:
            yield held
        held = word
    if held:
        yield held


def _lexical(words: Sequence[str], forced: Mapping[int, str]) -> tuple[list[str], list[Source]]:
    """Syllables of all characters before sandhi ("" where none is known), and who decided each."""
    found, sources = lexical_readings(words)
    for index, syllable in forced.items():
        found[index], sources[index] = syllable, Source.OVERRIDE
    return [s if s and syllable_phonemes(s) else "" for s in found], sources


def read_han(run: str, *, forced: Mapping[int, str] | None = None) -> list[Reading]:
    """Reads a run of Han characters without marks.

    Args:
        run: characters, any length.
        forced: pinyin with tone number of the characters (by index in `run`) whose reading is given, before sandhi.

    Returns:
        Words in order that hold every character of `run`; phonemes of characters without a reading are left out.
    """
    words = list(_cut(run))
    lexical, sources = _lexical(words, forced or {})
    # Sandhi sees the speakable characters only.
    kept = [i for i, syllable in enumerate(lexical) if syllable]
    spoken = list(lexical)
    bounds = [0]
    for word in words:
        bounds.append(bounds[-1] + len(word))
    kept_words = ["".join(run[i] for i in range(a, b) if lexical[i]) for a, b in itertools.pairwise(bounds)]
    counted = {bounds[index + 1] - 1 for index in range(len(words)) if is_counted(words, index)}
    unstressed = frozenset(k for k, i in enumerate(kept) if i in counted)
    tones = surface_tones([w for w in kept_words if w], [int(lexical[i][-1]) for i in kept], unstressed)
    for i, tone in zip(kept, tones, strict=True):
        spoken[i] = f"{lexical[i][:-1]}{tone}"
    readings: list[Reading] = []
    for word, (a, b) in zip(words, itertools.pairwise(bounds), strict=True):
        phonemes = tuple(symbol for s in spoken[a:b] for symbol in syllable_phonemes(s) or ())
        order = list(Source)
        source = max(sources[a:b], key=order.index)
        readings.append(Reading(word, "zh", tuple(lexical[a:b]), tuple(spoken[a:b]), phonemes, source))
    return readings
