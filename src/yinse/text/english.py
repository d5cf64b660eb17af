"""English words to ARPAbet, out of context: dictionary, word building, a small network for the rest."""

from __future__ import annotations

import functools
import importlib.resources
import lzma
import re
from collections.abc import Mapping

from yinse.text.grapheme_model import predict_phonemes
from yinse.text.reading import Source

Pronunciation = tuple[str, ...]

_LETTERS: Mapping[str, str] = {
    "a": "EY1", "b": "B IY1", "c": "S IY1", "d": "D IY1", "e": "IY1", "f": "EH1 F", "g": "JH IY1", "h": "EY1 CH",
    "i": "AY1", "j": "JH EY1", "k": "K EY1", "l": "EH1 L", "m": "EH1 M", "n": "EH1 N", "o": "OW1", "p": "P IY1",
    "q": "K Y UW1", "r": "AA1 R", "s": "EH1 S", "t": "T IY1", "u": "Y UW1", "v": "V IY1",
    "w": "D AH1 B AH0 L Y UW0", "x": "EH1 K S", "y": "W AY1", "z": "Z IY1",
}  # fmt: skip

WEAK_FORMS = frozenset(
    "a an the some of to in for at as on with from by into am is are was were be been it that this there will would can"
    " could shall should must have has had do does did and or but nor if so than then i i'm me my you your he him his"
    " she her it's its we we're us our they them their who not".split()
)
"""English words of grammar, which people slur unless they stress them."""

_SPELLED = frozenset(
    "AD AI AM AR BC CD CSS CT DC DJ DM ED EQ ER FM GB GPS HR IC ID II IP IQ IT KO LA LED MA MB MC MD MS OS PA PE PM"
    " PR RA RE SMS SOS TA UN US VIP VR WHO".split()
)
"""Capitals that are spelled although the dictionary has a word, or other word, of these letters."""
_SPELLED_MAX = 5
"""Unknown words in capitals up to this length are spelled if they have no vowel, …"""
_SPELLED_ANYWAY_MAX = 3
"""… and up to this length in any case."""
_WORD_MAX = 40
"""Longer "words" are noise such as hashes: they are spelled."""


@functools.cache
def _own_words() -> dict[str, str]:
    """Words of our day, names and abbreviations that CMUdict lacks or reads otherwise than people do now."""
    text = importlib.resources.files("yinse.text").joinpath("data/english_words.txt").read_text("utf-8")
    return dict(line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))


_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z]|$|[^A-Za-z])|[A-Z]?[a-z]+|[A-Z]")


@functools.cache
def _dictionary() -> dict[str, str]:
    """CMUdict, first pronunciation of each word (see data/NOTICE.txt)."""
    packed = importlib.resources.files("yinse.text").joinpath("data/cmudict.txt.xz").read_bytes()
    entries = dict(line.split(" ", 1) for line in lzma.decompress(packed).decode("ascii").split("\n"))
    entries.update(_own_words())
    return entries


def in_dictionary(word: str) -> bool:
    """Whether the dictionary holds `word` (any case)."""
    return word.lower() in _dictionary()


def spell(letters: str) -> Pronunciation:
    """Letter names, one after the other; other characters are ignored."""
    return tuple(phone for letter in letters.lower() if letter in _LETTERS for phone in _LETTERS[letter].split())


def is_spelled(word: str) -> bool:
    """Whether a word in capitals is an abbreviation read letter by letter."""
    bare = word.removesuffix("'s")
    if not (bare.isascii() and bare.isalpha() and bare.isupper()) or len(bare) < 2:
        return False
    if bare in _SPELLED:
        return True
    if in_dictionary(bare) or len(bare) > _SPELLED_MAX:
        return False
    return len(bare) <= _SPELLED_ANYWAY_MAX or not set(bare) & set("AEIOU")


def _join_s(base: Pronunciation) -> Pronunciation:
    if base[-1] in ("S", "Z", "SH", "ZH", "CH", "JH"):
        return (*base, "IH0", "Z")
    return (*base, "S") if base[-1] in ("P", "T", "K", "F", "TH") else (*base, "Z")


def _join_ed(base: Pronunciation) -> Pronunciation:
    if base[-1] in ("T", "D"):
        return (*base, "IH0", "D")
    return (*base, "T") if base[-1] in ("P", "K", "F", "TH", "S", "SH", "CH") else (*base, "D")


_SUFFIXES = {
    "ly": "L IY0", "ness": "N AH0 S", "less": "L AH0 S", "ful": "F AH0 L", "ment": "M AH0 N T", "like": "L AY2 K",
    "able": "AH0 B AH0 L", "ish": "IH0 SH", "ism": "IH2 Z AH0 M", "ist": "IH0 S T", "ize": "AY2 Z", "hood": "HH UH2 D",
    "ship": "SH IH2 P", "wise": "W AY2 Z", "proof": "P R UW2 F", "ward": "W ER0 D", "wards": "W ER0 D Z",
    "est": "AH0 S T", "er": "ER0", "ers": "ER0 Z", "or": "ER0", "y": "IY0", "ville": "V IH2 L",
    "ton": "T AH0 N", "land": "L AH0 N D",
}  # fmt: skip
"""Endings of words; before those that start with a vowel the stem may have lost an "e" or doubled its last letter."""
_PREFIXES = {
    "un": "AH0 N", "non": "N AA2 N", "re": "R IY0", "over": "OW2 V ER0", "mis": "M IH0 S", "pre": "P R IY0",
    "anti": "AE2 N T IY0", "under": "AH2 N D ER0", "super": "S UW2 P ER0", "inter": "IH2 N T ER0",
    "micro": "M AY2 K R OW0", "multi": "M AH2 L T IY0", "mega": "M EH2 G AH0",
    "cyber": "S AY2 B ER0", "bio": "B AY2 OW0", "geo": "JH IY2 OW0",
    "neuro": "N UH2 R OW0", "crypto": "K R IH2 P T OW0", "hyper": "HH AY2 P ER0", "pseudo": "S UW2 D OW0",
    "semi": "S EH2 M IY0", "auto": "AO2 T OW0", "post": "P OW2 S T", "self": "S EH2 L F", "out": "AW2 T",
    "mid": "M IH2 D", "sub": "S AH2 B", "dis": "D IH0 S", "ultra": "AH2 L T R AH0", "nano": "N AE2 N OW0",
    "photo": "F OW2 T OW0",
}  # fmt: skip
_SPELLED_FIRST = frozenset("iexu")
"""Lower-case letters that start brand names: iPhone, eBay, xAI, uTorrent."""
_RUN_TOGETHER_MIN = 7
"""Two words of so many letters each that are written as one keep both their stresses."""


def _stem(*candidates: str) -> Pronunciation | None:
    """Pronunciation of the first candidate that the dictionary knows."""
    entries = _dictionary()
    found = next((entries[word] for word in candidates if len(word) > 1 and word in entries), None)
    return tuple(found.split()) if found else None


def _undoubled(stem: str) -> str:
    """ "stopp" as "stop"."""
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else ""


def _inflected(word: str) -> Pronunciation | None:
    """Word = known stem + regular ending; the stem may itself be built."""
    base = None
    if word.endswith("s") and not word.endswith("ss"):
        base = _stem(word[:-3] + "y" if word.endswith("ies") else "", word[:-1], word[:-2] if word[-2:] == "es" else "")
        return base and _join_s(base)
    if word.endswith("ed"):
        base = _stem(word[:-3] + "y" if word.endswith("ied") else "", word[:-1], word[:-2], _undoubled(word[:-2]))
        return base and _join_ed(base)
    if word.endswith("ing"):
        base = _stem(word[:-3], word[:-3] + "e", _undoubled(word[:-3]))
        return base and (*base, "IH0", "NG")
    return None


def _derived(word: str) -> Pronunciation | None:
    """Word = known stem + common suffix, or common prefix + known stem."""
    for ending, phones in _SUFFIXES.items():
        if word.endswith(ending) and len(word) > len(ending) + 2:
            bare = word[: -len(ending)]
            vowel = ending[0] in "aeiouy"
            stems = (
                (bare, bare + "e", _undoubled(bare), bare[:-1] + "y" if bare[-1] == "i" else "") if vowel else (bare,)
            )
            if base := _stem(*(stem for stem in stems if len(stem) > 2)):
                return (*base, *phones.split())
    for start, phones in _PREFIXES.items():
        if word.startswith(start) and len(word) > len(start) + 3:
            rest = word[len(start) :]
            if base := _stem(rest) or _inflected(rest):
                return (*phones.split(), *base)
    return None


def _compound(word: str) -> Pronunciation | None:
    """Word = two known words of at least three letters; the second is less stressed, unless both are long."""
    entries = _dictionary()
    for cut in sorted(range(3, len(word) - 2), key=lambda cut: abs(cut - len(word) / 2)):
        first, second = word[:cut], word[cut:]
        if len(word) >= 7 and first in entries and second in entries:
            together = min(len(first), len(second)) >= _RUN_TOGETHER_MIN
            rest = entries[second] if together else entries[second].replace("1", "2")
            return (*entries[first].split(), *rest.split())
    return None


def inflect(base: Pronunciation, ending: str) -> Pronunciation:
    """A stem with a regular ending: "s", "ed", "ing", or "" for none."""
    if ending == "s":
        return _join_s(base)
    if ending == "ed":
        return _join_ed(base)
    return (*base, "IH0", "NG") if ending == "ing" else base


def pronounce(word: str) -> Pronunciation:
    """ARPAbet with stress of one word, out of context.

    Args:
        word: letters a to z in any case, apostrophes.

    Returns:
        At least one symbol; () if the word has no letter.
    """
    return _pronounce(word)[0]


def source_of(word: str) -> Source:
    """Who reads `word` when it is read out of context."""
    return _pronounce(word)[1]


@functools.lru_cache(maxsize=65536)
def _pronounce(word: str) -> tuple[Pronunciation, Source]:
    bare = word.strip("'")
    lower = bare.lower()
    if len(lower) <= 1 or len(lower) > _WORD_MAX:
        return spell(lower), Source.SPELLING
    if is_spelled(bare):
        stem = bare.removesuffix("'s")
        return spell(stem) if stem == bare else _join_s(spell(stem)), Source.SPELLING
    if len(bare) > 2 and bare[-1] == "s" and bare[:-1].isupper():
        phones, source = _pronounce(bare[:-1])
        return _join_s(phones), source
    entries = _dictionary()
    known = entries.get(word.lower()) or entries.get(lower)
    if known:
        return tuple(known.split()), Source.DICTIONARY
    return _pronounce_unknown(bare)


def _pronounce_unknown(word: str) -> tuple[Pronunciation, Source]:
    lower = word.lower()
    if lower.endswith("'s"):
        return _join_s(pronounce(word[:-2])), Source.WORD_BUILDING
    if "'" in lower:
        if lower.endswith("s'") and (base := _stem(lower[:-1])):
            return base, Source.WORD_BUILDING
        return tuple(phone for part in word.split("'") for phone in pronounce(part)), Source.WORD_BUILDING
    if word[0] in _SPELLED_FIRST and word[1:2].isupper():
        return (*spell(word[0]), *pronounce(word[1:])), Source.WORD_BUILDING
    parts = _CAMEL.findall(word)
    if len(parts) > 1 and not word.isupper() and "".join(parts) == word and min(map(len, parts[:-1])) > 1:
        return tuple(phone for part in parts for phone in pronounce(part)), Source.WORD_BUILDING
    if not set(lower) & set("aeiouy"):
        return spell(lower), Source.SPELLING
    if built := _inflected(lower) or _derived(lower) or _compound(lower):
        return built, Source.WORD_BUILDING
    return predict_phonemes(lower), Source.GRAPHEME_MODEL
