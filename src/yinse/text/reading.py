"""How a word is read, and who said so: the common currency of the language front ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where a reading came from. Within a word the last of them, in this order, that decided a part of it counts."""

    DICTIONARY = "dictionary"
    PHRASE = "phrase"
    SPELLING = "spelling"
    WORD_BUILDING = "word building"
    GRAPHEME_MODEL = "grapheme model"
    CONTEXT_MODEL = "context model"
    RULE = "rule"
    LEXICON = "lexicon"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Reading:
    """A word and its sounds.

    Attributes:
        text: the word as it is written; readings of a run hold all of its characters, in order.
        language: "zh" or "en".
        reading: zh: one pinyin syllable with tone number per character, before tone sandhi ("" where a character has
            no reading); en: ARPAbet with stress.
        spoken: the same as it sounds: zh after tone sandhi.
        phonemes: symbols of the table; empty if nothing of the word can be spoken.
        source: who decided.
    """

    text: str
    language: str
    reading: tuple[str, ...]
    spoken: tuple[str, ...]
    phonemes: tuple[str, ...]
    source: Source
