"""Readings that a person gives: pinyin with tone numbers, or ARPAbet with stress."""

from __future__ import annotations

import re
from dataclasses import dataclass

from yinse.core.errors import BadText
from yinse.text.characters import HAN
from yinse.text.mandarin import syllable_phonemes
from yinse.text.reading import Source
from yinse.text.symbols import ARPABET_CONSONANTS, ARPABET_VOWELS

HELP = "A reading is pinyin with tones 1 to 5 (hang2) or ARPAbet with stress (R EH1 D)."
WORD_MAX, READING_MAX = 64, 256
"""Characters."""
_ONLY_HAN = re.compile(f"[{HAN}]+")
_ARPABET = frozenset(ARPABET_CONSONANTS) | {vowel + stress for vowel in ARPABET_VOWELS for stress in "012"}


@dataclass(frozen=True, slots=True)
class Given:
    """A word whose reading is given.

    Attributes:
        text: the word as it is written.
        language: "zh" if the reading is pinyin, "en" if it is ARPAbet.
        reading: its syllables or phones.
        source: override or lexicon.
    """

    text: str
    language: str
    reading: tuple[str, ...]
    source: Source

    @property
    def is_by_character(self) -> bool:
        """Whether each character has its syllable, so that the word stays part of the Mandarin text around it."""
        return self.language == "zh" and _ONLY_HAN.fullmatch(self.text) is not None


def parse_given(word: str, reading: str, *, source: Source) -> Given:
    """Reads what somebody wrote as the reading of a word.

    Args:
        word: the word, 1 to 64 characters.
        reading: syllables or phones with white space between them.
        source: where it was written.

    Returns:
        The word with its reading.

    Raises:
        BadText: it is no reading, or has not one syllable for each character.
    """
    parts = tuple(reading.split())
    if not word.strip() or len(word) > WORD_MAX or len(reading) > READING_MAX:
        raise BadText(f"'{word[:WORD_MAX]}' is no word of 1 to {WORD_MAX} characters with a reading", advice=HELP)
    if parts and all(part in _ARPABET for part in parts):
        return Given(word, "en", parts, source)
    wrong = next((part for part in parts if syllable_phonemes(part) is None), None)
    if not parts or wrong is not None:
        named = f"'{wrong[:20]}' in the reading" if wrong else "the reading"
        raise BadText(f"{named} of '{word}' is neither pinyin nor ARPAbet", advice=HELP)
    given = Given(word, "zh", parts, source)
    if given.is_by_character and len(parts) != len(word):
        raise BadText(
            f"'{word}' has {len(word)} characters but {len(parts)} syllables", advice="Give one for each character."
        )
    return given
