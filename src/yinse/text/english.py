"""English words to ARPAbet, out of context: dictionary, word building, a small network for the rest."""

from __future__ import annotations

import functools
import importlib.resources
import lzma
import re
from collections.abc import Mapping

from yinse.text.grapheme_model import predict_phonemes

Pronunciation = tuple[str, ...]

_LETTERS: Mapping[str, str] = {
    "a": "EY1", "b": "B IY1", "c": "S IY1", "d": "D IY1", "e": "IY1", "f": "EH1 F", "g": "JH IY1", "h": "EY1 CH",
    "i": "AY1", "j": "JH EY1", "k": "K EY1", "l": "EH1 L", "m": "EH1 M", "n": "EH1 N", "o": "OW1", "p": "P IY1",
    "q": "K Y UW1", "r": "AA1 R", "s": "EH1 S", "t": "T IY1", "u": "Y UW1", "v": "V IY1",
    "w": "D AH1 B AH0 L Y UW0", "x": "EH1 K S", "y": "W AY1", "z": "Z IY1",
}  # fmt: skip

_SPELLED = frozenset(
    "AD AI AM AR BC CD CT DC DJ DM ED EQ ER FM GB HR IC ID II IP IQ IT KO LA LED MA MB MC MD MS OS PA PE PM PR RA RE"
    " SMS SOS TA US VIP VR WHO".split()
)
"""Capitals that are spelled although the dictionary has a word, or other word, of these letters."""
_SPELLED_MAX = 5
"""Unknown words in capitals up to this length are spelled if they have no vowel, …"""
_SPELLED_ANYWAY_MAX = 3
"""… and up to this length in any case."""
_WORD_MAX = 40
"""Longer "words" are noise such as hashes: they are spelled."""

_EXTRA: Mapping[str, str] = {
    "app": "AE1 P",
    "chatgpt": "CH AE1 T JH IY1 P IY1 T IY1",
    "covid": "K OW1 V IH0 D",
    "emoji": "IH0 M OW1 JH IY0",
    "emojis": "IH0 M OW1 JH IY0 Z",
    "github": "G IH1 T HH AH2 B",
    "gmail": "JH IY1 M EY2 L",
    "ios": "AY1 OW1 EH1 S",
    "iot": "AY1 OW1 T IY1",
    "json": "JH EY1 S AH0 N",
    "tiktok": "T IH1 K T AA2 K",
    "wechat": "W IY1 CH AE2 T",
    "weibo": "W EY1 B OW1",
    "whatsapp": "W AH1 T S AE2 P",
    "wi": "W AY1",
    "wwii": "W ER1 L D W AO1 R T UW1",
    "yinse": "Y IH1 N S AH0",
}
"""Words of our day that the dictionary lacks."""

_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z]|$|[^A-Za-z])|[A-Z]?[a-z]+|[A-Z]")


@functools.cache
def _dictionary() -> dict[str, str]:
    """CMUdict, first pronunciation of each word (see data/NOTICE.txt)."""
    packed = importlib.resources.files("yinse.text").joinpath("data/cmudict.txt.xz").read_bytes()
    entries = dict(line.split(" ", 1) for line in lzma.decompress(packed).decode("ascii").split("\n"))
    entries.update(_EXTRA)
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


_SUFFIXES = {"ly": "L IY0", "ness": "N AH0 S", "less": "L AH0 S", "ful": "F AH0 L", "ment": "M AH0 N T",
             "like": "L AY2 K"}  # fmt: skip
_PREFIXES = {"un": "AH0 N", "non": "N AA2 N", "re": "R IY0", "over": "OW2 V ER0", "mis": "M IH0 S", "pre": "P R IY0",
             "anti": "AE2 N T IY0"}  # fmt: skip


def _stem(*candidates: str) -> Pronunciation | None:
    """Pronunciation of the first candidate that the dictionary knows."""
    entries = _dictionary()
    found = next((entries[word] for word in candidates if len(word) > 1 and word in entries), None)
    return tuple(found.split()) if found else None


def _undoubled(stem: str) -> str:
    """ "stopp" as "stop"."""
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else ""


def _inflected(word: str) -> Pronunciation | None:
    """Word = known stem + regular ending."""
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
        if word.endswith(ending) and (base := _stem(word[: -len(ending)])):
            return (*base, *phones.split())
    for start, phones in _PREFIXES.items():
        if word.startswith(start) and len(word) > len(start) + 3 and (base := _stem(word[len(start) :])):
            return (*phones.split(), *base)
    return None


def _compound(word: str) -> Pronunciation | None:
    """Word = two known words of at least three letters; the second is less stressed."""
    entries = _dictionary()
    for cut in range(len(word) - 3, 2, -1):
        first, second = word[:cut], word[cut:]
        if min(len(first), len(second)) >= 3 and len(word) >= 7 and first in entries and second in entries:
            return (*entries[first].split(), *(phone.replace("1", "2") for phone in entries[second].split()))
    return None


@functools.lru_cache(maxsize=65536)
def pronounce(word: str) -> Pronunciation:
    """ARPAbet with stress of one word, out of context.

    Args:
        word: letters a to z in any case, apostrophes.

    Returns:
        At least one symbol; () if the word has no letter.
    """
    bare = word.strip("'")
    lower = bare.lower()
    if len(lower) <= 1 or len(lower) > _WORD_MAX:
        return spell(lower)
    if is_spelled(bare):
        stem = bare.removesuffix("'s")
        return spell(stem) if stem == bare else _join_s(spell(stem))
    if len(bare) > 2 and bare[-1] == "s" and bare[:-1].isupper():
        return _join_s(pronounce(bare[:-1]))
    entries = _dictionary()
    known = entries.get(word.lower()) or entries.get(lower)
    if known:
        return tuple(known.split())
    return _pronounce_unknown(bare)


def _pronounce_unknown(word: str) -> Pronunciation:
    lower = word.lower()
    if lower.endswith("'s"):
        return _join_s(pronounce(word[:-2]))
    if "'" in lower:
        if lower.endswith("s'") and (base := _stem(lower[:-1])):
            return base
        return tuple(phone for part in word.split("'") for phone in pronounce(part))
    parts = _CAMEL.findall(word)
    if len(parts) > 1 and not word.isupper() and "".join(parts) == word and min(map(len, parts[:-1])) > 1:
        return tuple(phone for part in parts for phone in pronounce(part))
    if not set(lower) & set("aeiouy"):
        return spell(lower)
    return _inflected(lower) or _derived(lower) or _compound(lower) or predict_phonemes(lower)
