"""How much longer phonemes last than the prosody GPT decides, so that words are understood.

English is read a little more slowly. English words that sound like weak ones and are not ("four" like "for", "two" like
"to", "wood" like "would") are given time: the GPT reads phonemes, has met the weak words far more often, and slurs the
strong ones as well, so that numbers were heard as words of grammar.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from yinse.core.types import PhonemeSequence
from yinse.text.english import WEAK_FORMS
from yinse.text.phonemes import phonemize
from yinse.text.symbols import BOUNDARIES


def clear_stretch(phonemes: PhonemeSequence, *, english: float, strong: float) -> NDArray[np.float64]:
    """Factors `(T_ph,)` for the durations of a sentence's symbols; 1 where nothing is to change.

    Args:
        phonemes: the sentence.
        english: factor for English words.
        strong: a further one for those among them that sound like weak ones.
    """
    factors = np.ones(len(phonemes.symbols))
    ends = np.cumsum(phonemes.word_lengths)
    for word, language, length, end in zip(
        phonemes.word_texts, phonemes.word_languages, phonemes.word_lengths, ends, strict=True
    ):
        if language == "en":
            sounds_weak = phonemes.symbols[end - length : end] in _weak_sounds()
            factors[end - length : end] = english * (strong if sounds_weak and word.lower() not in WEAK_FORMS else 1.0)
    return factors


@cache
def _weak_sounds() -> frozenset[tuple[str, ...]]:
    """How weak words sound by themselves."""
    return frozenset(
        tuple(symbol for symbol in phonemize(word, language="en").symbols if symbol not in BOUNDARIES)
        for word in WEAK_FORMS
    )
