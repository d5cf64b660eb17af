"""English questions that yes or no answers end high, as people read them.

Base training does not teach the prosody GPT what a question mark means in English: the people whose speech it learned
from were written down without marks, and the synthetic reader lets most questions fall. People raise them
(docs/log.md); questions for what, who, where … fall as statements do.

Source: J. Pierrehumbert, The Phonology and Phonetics of English Intonation (1980): a low accent on the last stressed
syllable, from which the melody goes up to a high end.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from yinse.core.types import PhonemeSequence
from yinse.text.english import WEAK_FORMS

_ASKING = frozenset("what who whom whose where why how when which what's who's where's how's when's why's".split())
_VERBS = frozenset(
    "am is are was were be do does did have has had can could will would shall should may might must ain't isn't aren't"
    " wasn't weren't don't doesn't didn't haven't hasn't hadn't can't couldn't won't wouldn't shouldn't mustn't".split()
)
_CHOICE = "or"
_STARTS = (-0.5, 0.0)
"""Between which pitches the rise begins, in the speaker's spreads from the median."""


def is_raised(phonemes: PhonemeSequence) -> bool:
    """Whether a sentence is an English question that neither asks for what, who, where … nor offers a choice.

    "Do you know what it is?" is one, "And what is it?" is not: the verb or the asking word decides that comes first.
    """
    known = zip(phonemes.word_texts, phonemes.word_languages, strict=True)
    words = [(text.lower().replace("’", "'"), language) for text, language in known if language]
    if phonemes.symbols[-1] != "?" or not words or words[-1][1] != "en":
        return False
    first = next((word for word, _ in words if word in _ASKING or word in _VERBS), "")
    return first not in _ASKING and _CHOICE not in (word for word, _ in words)


def raise_question(phonemes: PhonemeSequence, durations: np.ndarray, f0: Tensor, *, rise: float) -> Tensor:
    """The melody of a sentence; if it `is_raised`, going up steadily from its last stressed vowel to its last vowel.

    Args:
        phonemes: the sentence.
        durations: frames of its symbols `(T_ph,)`.
        f0: log F0 from the speaker's median over the speaker's spread `(1, T_mel)`.
        rise: how far it goes up, in spreads.
    """
    vowels = [place for place, symbol in enumerate(phonemes.symbols) if symbol[-1].isdigit()]
    if rise == 0.0 or not vowels or not is_raised(phonemes):
        return f0
    ends = np.cumsum(durations)
    accent = _accent(phonemes, vowels)
    start, end = int(ends[accent] - durations[accent]), int(ends[vowels[-1]])
    raised = f0.clone()
    raised[:, start:] = f0[:, start : start + 1].clamp(*_STARTS) + rise
    raised[:, start:end] -= rise * torch.linspace(1.0, 0.0, end - start)
    return raised


def _accent(phonemes: PhonemeSequence, vowels: list[int]) -> int:
    """Place of the last stressed vowel, in a word that is not one of grammar if there is such a one."""
    stressed = [place for place in vowels if phonemes.symbols[place].endswith("1")]
    words = np.repeat(np.arange(len(phonemes.word_lengths)), phonemes.word_lengths)
    strong = [place for place in stressed if phonemes.word_texts[words[place]].lower() not in WEAK_FORMS]
    return (strong or stressed or vowels)[-1]
