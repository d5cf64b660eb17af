"""English words that sound like weak ones and are not: "four" like "for", "two" like "to", "wood" like "would".

The prosody GPT reads phonemes. Of those that such two words share it has met the weak word far more often, and slurs the
strong one as well, so that numbers were heard as words of grammar.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from yinse.core.types import PhonemeSequence
from yinse.models.word_check import WEAK_FORMS
from yinse.text.phonemes import phonemize
from yinse.text.symbols import BOUNDARIES


def strong_symbols(phonemes: PhonemeSequence) -> NDArray[np.bool_]:
    """Which symbols `(T_ph,)` belong to English words that sound like weak ones."""
    found = np.zeros(len(phonemes.symbols), dtype=np.bool_)
    ends = np.cumsum(phonemes.word_lengths)
    for word, language, length, end in zip(
        phonemes.word_texts, phonemes.word_languages, phonemes.word_lengths, ends, strict=True
    ):
        if language == "en" and word.lower() not in WEAK_FORMS:
            found[end - length : end] = phonemes.symbols[end - length : end] in _weak_sounds()
    return found


@cache
def _weak_sounds() -> frozenset[tuple[str, ...]]:
    """How weak words sound by themselves."""
    return frozenset(
        tuple(symbol for symbol in phonemize(word, language="en").symbols if symbol not in BOUNDARIES)
        for word in WEAK_FORMS
    )
