"""How long a text takes to say, before anybody has said it."""

from __future__ import annotations

from yinse.core.types import PhonemeSequence
from yinse.text.symbols import BOUNDARIES

MANDARIN_SYLLABLES_PER_S = 250 / 60
"""Reading aloud at an even pace; pauses between sentences come on top."""
ENGLISH_PHONEMES_PER_S = 10.5
"""About 160 words a minute, likewise."""


def estimated_speech_s(sequence: PhonemeSequence) -> float:
    """Seconds of speech in a text: Mandarin by syllables, English by phonemes; marks and pauses count nothing."""
    seconds, at = 0.0, 0
    for length, language in zip(sequence.word_lengths, sequence.word_languages, strict=True):
        if language == "zh":
            seconds += length / 2 / MANDARIN_SYLLABLES_PER_S
        elif language == "en":
            spoken = sum(symbol not in BOUNDARIES for symbol in sequence.symbols[at : at + length])
            seconds += spoken / ENGLISH_PHONEMES_PER_S
        at += length
    return seconds
