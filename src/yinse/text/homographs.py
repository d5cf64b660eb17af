"""English words that their neighbours decide: noun or verb, present or past, article or letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from yinse.text.english import Pronunciation, in_dictionary, is_spelled, pronounce
from yinse.text.reading import Reading, Source
from yinse.text.symbols import ARPABET_VOWELS

_VERB_AFTER = frozenset(
    "to will would can could shall should may might must do does did don't doesn't didn't won't can't couldn't wouldn't"
    " i you we they who let please not never always often cannot".split()
)
_NOUN_AFTER = frozenset(
    "a an the this that these those my your his her its our their no any some every each another of in on for by with"
    " from new old first last big".split()
)
_PERFECT_AFTER = frozenset(
    "have has had having i've you've we've they've he's she's was were is are be been being i'd got he'd she'd".split()
)

_PAIRS: Mapping[str, tuple[str, str]] = {
    # spelling: as a noun or adjective, as a verb
    "abuse": ("AH0 B Y UW1 S", "AH0 B Y UW1 Z"),
    "close": ("K L OW1 S", "K L OW1 Z"),
    "conduct": ("K AA1 N D AH0 K T", "K AH0 N D AH1 K T"),
    "conflict": ("K AA1 N F L IH0 K T", "K AH0 N F L IH1 K T"),
    "content": ("K AA1 N T EH0 N T", "K AH0 N T EH1 N T"),
    "contract": ("K AA1 N T R AE2 K T", "K AH0 N T R AE1 K T"),
    "contrast": ("K AA1 N T R AE2 S T", "K AH0 N T R AE1 S T"),
    "desert": ("D EH1 Z ER0 T", "D IH0 Z ER1 T"),
    "excuse": ("IH0 K S K Y UW1 S", "IH0 K S K Y UW1 Z"),
    "export": ("EH1 K S P AO0 R T", "IH0 K S P AO1 R T"),
    "house": ("HH AW1 S", "HH AW1 Z"),
    "import": ("IH1 M P AO2 R T", "IH0 M P AO1 R T"),
    "increase": ("IH1 N K R IY2 S", "IH0 N K R IY1 S"),
    "insult": ("IH1 N S AH2 L T", "IH0 N S AH1 L T"),
    "object": ("AA1 B JH EH0 K T", "AH0 B JH EH1 K T"),
    "permit": ("P ER1 M IH2 T", "P ER0 M IH1 T"),
    "present": ("P R EH1 Z AH0 N T", "P R IY0 Z EH1 N T"),
    "produce": ("P R OW1 D UW0 S", "P R AH0 D UW1 S"),
    "progress": ("P R AA1 G R EH2 S", "P R AH0 G R EH1 S"),
    "project": ("P R AA1 JH EH0 K T", "P R AH0 JH EH1 K T"),
    "protest": ("P R OW1 T EH2 S T", "P R AH0 T EH1 S T"),
    "rebel": ("R EH1 B AH0 L", "R IH0 B EH1 L"),
    "record": ("R EH1 K ER0 D", "R IH0 K AO1 R D"),
    "refuse": ("R EH1 F Y UW2 Z", "R AH0 F Y UW1 Z"),
    "subject": ("S AH1 B JH IH0 K T", "S AH0 B JH EH1 K T"),
    "survey": ("S ER1 V EY2", "S ER0 V EY1"),
    "suspect": ("S AH1 S P EH2 K T", "S AH0 S P EH1 K T"),
    "tear": ("T IH1 R", "T EH1 R"),
    "use": ("Y UW1 S", "Y UW1 Z"),
    "wind": ("W IH1 N D", "W AY1 N D"),
}
_ATE = frozenset(
    "advocate alternate appropriate approximate associate delegate deliberate duplicate elaborate estimate graduate"
    " intimate moderate separate subordinate".split()
)
"""Verbs end in EY2 T, nouns and adjectives in AH0 T."""
_AFTER: Mapping[str, tuple[frozenset[str], str]] = {
    # spelling: the words before it that ask for this reading
    "read": (_PERFECT_AFTER | {"he", "she", "it"}, "R EH1 D"),
    "live": (frozenset("a the watch go went broadcast".split()), "L AY1 V"),
    "lives": (frozenset("our your their my his her the many of save saved human people's".split()), "L AY1 V Z"),
    "lead": (frozenset("of heavy molten".split()), "L EH1 D"),
    "wound": (frozenset("clock was i he she it we they who road path river".split()), "W AW1 N D"),
}
_USUALLY = {"read": "R IY1 D", "live": "L IH1 V", "lives": "L IH1 V Z", "lead": "L IY1 D"}
_VOWELS = frozenset(ARPABET_VOWELS)


def _starts_with_vowel(word: str) -> bool:
    phones = pronounce(word)
    return bool(phones) and phones[0].rstrip("012") in _VOWELS


def _article(words: Sequence[str], index: int) -> Pronunciation:
    """ "a": the article needs an English word after it; "Plan A is …" names the letter."""
    after = words[index + 1] if index + 1 < len(words) else ""
    letter = words[index] == "A" and index > 0 and after[:1].islower()
    return ("EY1",) if letter or len(after) < 2 and after not in ("I", "U") else ("AH0",)


def _by_neighbours(word: str, before: str, after: str) -> str | None:
    if word in _AFTER and before in _AFTER[word][0]:
        return _AFTER[word][1]
    if word in _USUALLY:
        return _USUALLY[word]
    if word == "used" and after == "to" and before not in ("is", "was", "are", "were", "be", "been", "being"):
        return "Y UW1 S T"
    as_verb, as_noun = before in _VERB_AFTER, before in _NOUN_AFTER
    if not as_verb and not as_noun:
        return None
    if word in _PAIRS:
        return _PAIRS[word][1 if as_verb else 0]
    if word in _ATE:
        stem = " ".join(pronounce(word)[:-2])
        return f"{stem} EY2 T" if as_verb else f"{stem} AH0 T"
    return None


def _in_context(words: Sequence[str], index: int) -> Pronunciation | None:
    word = words[index]
    lower = word.lower()
    if lower == "a":
        return _article(words, index)
    before = words[index - 1].lower() if index else ""
    after = words[index + 1].lower() if index + 1 < len(words) else ""
    if lower == "the" and after and _starts_with_vowel(words[index + 1]):
        return ("DH", "IY0")
    special = None if is_spelled(word) else _by_neighbours(lower, before, after)
    return tuple(special.split()) if special else None


def _read(words: Sequence[str], index: int, forced: Mapping[int, Pronunciation]) -> Reading:
    word = words[index]
    if index in forced:
        phones, source = forced[index], Source.OVERRIDE
    elif special := _in_context(words, index):
        phones, source = special, Source.RULE
    else:
        phones = pronounce(word)
        source = Source.DICTIONARY if in_dictionary(word) else Source.WORD_BUILDING
    return Reading(word, "en", phones, phones, phones, source)


def read_words(words: Sequence[str], *, forced: Mapping[int, Pronunciation] | None = None) -> list[Reading]:
    """Reads a run of English words that stand together.

    Args:
        words: words without marks between them, letters and apostrophes, in the case they are written.
        forced: ARPAbet of the words (by index) whose reading is given.

    Returns:
        One reading per word; without phonemes for one without letters.
    """
    return [_read(words, index, forced or {}) for index in range(len(words))]


def pronounce_all(words: Sequence[str]) -> list[Pronunciation]:
    """As `read_words`, the phonemes only."""
    return [reading.phonemes for reading in read_words(words)]
