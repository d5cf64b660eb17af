"""English words to ARPAbet: dictionary, word building, a small network for the rest; homographs by their neighbours."""

from __future__ import annotations

import functools
import importlib.resources
import lzma
import re
from collections.abc import Mapping, Sequence

from yinse.text.grapheme_model import predict_phonemes

Pronunciation = tuple[str, ...]

_LETTERS: Mapping[str, str] = {
    "a": "EY1", "b": "B IY1", "c": "S IY1", "d": "D IY1", "e": "IY1", "f": "EH1 F", "g": "JH IY1", "h": "EY1 CH",
    "i": "AY1", "j": "JH EY1", "k": "K EY1", "l": "EH1 L", "m": "EH1 M", "n": "EH1 N", "o": "OW1", "p": "P IY1",
    "q": "K Y UW1", "r": "AA1 R", "s": "EH1 S", "t": "T IY1", "u": "Y UW1", "v": "V IY1",
    "w": "D AH1 B AH0 L Y UW0", "x": "EH1 K S", "y": "W AY1", "z": "Z IY1",
}  # fmt: skip

_SPELLED = frozenset(
    "AD AI AM AR BC CD CT DC DJ DM ED EQ ER FM GB HR IC ID II IP IQ IT KO LA LED MA MB MC MD MS OS PA PE PM PR RA RE SMS"
    " SOS TA TED US VIP VR WHO".split()
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
    "yinse": "Y IH1 N S AH0",
}
"""Words of our day that the dictionary lacks."""

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

_STRESS_PAIRS: Mapping[str, tuple[str, str]] = {
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
    "wound": ("W UW1 N D", "W UW1 N D"),
}
_VOWEL_START = re.compile("[AEIOU]")
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


def _inflected(word: str) -> Pronunciation | None:
    """Word = known stem + regular ending."""
    entries = _dictionary()

    def stem(*candidates: str) -> Pronunciation | None:
        found = next((entries[c] for c in candidates if len(c) > 1 and c in entries), None)
        return tuple(found.split()) if found else None

    if word.endswith("s'") and (base := stem(word[:-2])):
        return _join_s(base)
    if word.endswith("ies") and (base := stem(word[:-3] + "y")):
        return _join_s(base)
    if word.endswith("s") and not word.endswith("ss") and (base := stem(word[:-1], word[:-2] if word[-2:] == "es" else "")):
        return _join_s(base)
    if word.endswith("ied") and (base := stem(word[:-3] + "y")):
        return _join_ed(base)
    undoubled = word[:-1] if len(word) > 3 and word[-1] == word[-2] else ""
    if word.endswith("ed"):
        undoubled = word[:-3] if len(word) > 4 and word[-3] == word[-4] else ""
        if base := stem(word[:-1], word[:-2], undoubled):
            return _join_ed(base)
    if word.endswith("ing"):
        undoubled = word[:-4] if len(word) > 5 and word[-4] == word[-5] else ""
        if base := stem(word[:-3], word[:-3] + "e", undoubled):
            return (*base, "IH0", "NG")
    for ending, phones in (("ly", "L IY0"), ("ness", "N AH0 S"), ("less", "L AH0 S"), ("ful", "F AH0 L"),
                           ("ment", "M AH0 N T"), ("like", "L AY2 K")):  # fmt: skip
        if word.endswith(ending) and (base := stem(word[: -len(ending)])):
            return (*base, *phones.split())
    for start, phones in (("un", "AH0 N"), ("non", "N AA2 N"), ("re", "R IY0"), ("over", "OW2 V ER0"),
                          ("mis", "M IH0 S"), ("pre", "P R IY0"), ("anti", "AE2 N T IY0")):  # fmt: skip
        if word.startswith(start) and len(word) > len(start) + 3 and (base := stem(word[len(start) :])):
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
    if len(word) == 1:
        return spell(word)
    if is_spelled(word):
        bare = word.removesuffix("'s")
        return spell(bare) if bare == word else _join_s(spell(bare))
    lower = word.lower()
    entries = _dictionary()
    for form in (lower, lower.strip("'")):
        if form in entries:
            return tuple(entries[form].split())
    lower = lower.strip("'")
    if len(lower) > _WORD_MAX:
        return spell(lower)
    if lower.endswith("'s") and len(lower) > 2:
        return _join_s(pronounce(word.strip("'")[:-2]))
    if "'" in lower:
        head, _, tail = lower.partition("'")
        return pronounce(head) + (pronounce(tail) if tail else ()) if head else pronounce(tail)
    parts = _CAMEL.findall(word)
    if len(parts) > 1 and not word.isupper() and "".join(parts) == word and min(map(len, parts[:-1])) > 1:
        return tuple(phone for part in parts for phone in pronounce(part))
    if len(lower) <= 1 or not set(lower) & set("aeiouy"):
        return spell(lower)
    return _inflected(lower) or _compound(lower) or predict_phonemes(lower)


def _in_context(words: Sequence[str], index: int) -> Pronunciation:
    word = words[index]
    lower = word.lower()
    before = words[index - 1].lower() if index else ""
    after = words[index + 1] if index + 1 < len(words) else ""
    if lower == "a":
        # The article, not the letter: something English must follow, and not another single letter.
        return ("AH0",) if len(after) > 1 or after in ("I", "U") and word == "a" else ("EY1",)
    if lower == "the" and after and _VOWEL_START.match((pronounce(after) or ("",))[0]):
        return ("DH", "IY0")
    if lower == "read" and (before in _PERFECT_AFTER):
        return ("R", "EH1", "D")
    if lower == "read":
        return ("R", "IY1", "D")
    if lower == "live":
        return ("L", "AY1", "V") if before in ("a", "the", "watch", "is", "was", "go", "went") else ("L", "IH1", "V")
    if lower == "lead":
        return ("L", "EH1", "D") if before in ("of", "heavy", "molten") else ("L", "IY1", "D")
    if lower in _STRESS_PAIRS and not is_spelled(word):
        noun, verb = _STRESS_PAIRS[lower]
        if before in _VERB_AFTER:
            return tuple(verb.split())
        if before in _NOUN_AFTER:
            return tuple(noun.split())
    return pronounce(word)


def pronounce_all(words: Sequence[str]) -> list[Pronunciation]:
    """ARPAbet of a run of words that stand together, homographs and "the", "a" by their neighbours."""
    return [_in_context(words, index) for index in range(len(words))]
