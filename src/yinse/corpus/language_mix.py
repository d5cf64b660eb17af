"""Whether a corpus is in one language: with loan words it is, half and half it is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from yinse.corpus.spoken_units import SpokenText

LOAN_WORD_SHARE = 0.1
"""Up to a tenth of the words in the other language are loan words, names and letters."""
HEAVY_SHARE = 0.25
"""A quarter and more is two languages."""


@dataclass(frozen=True, slots=True)
class LanguageMix:
    """Languages of a corpus.

    Attributes:
        main: the language of most words, "zh" or "en".
        words: words by language; letters and abbreviations inside Mandarin are English words.
        other_share: share of words that are not in the main language.
        mixed_texts: share of texts that hold words of both.
        verdict: "one language", "loan words", "mixed" or "two languages".
    """

    main: str
    words: Mapping[str, int]
    other_share: float
    mixed_texts: float
    verdict: str


def language_mix(texts: Sequence[SpokenText]) -> LanguageMix:
    """Languages of texts, at least one."""
    words: Counter[str] = Counter()
    for text in texts:
        words.update(text.languages)
    main, count = words.most_common(1)[0]
    other = 1.0 - count / words.total()
    mixed = sum(len(text.languages) > 1 for text in texts) / len(texts)
    if other == 0.0:
        verdict = "one language"
    elif other <= LOAN_WORD_SHARE:
        verdict = "loan words"
    else:
        verdict = "mixed" if other < HEAVY_SHARE else "two languages"
    return LanguageMix(main, dict(words), other, mixed, verdict)
