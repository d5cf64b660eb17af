"""The symbol table: the 732 symbols that GPT-SoVITS v2 models read, and Yinse's own marks after them.

Sharing one table lets both families of models use the same phonemes. The order is the published one: Mandarin,
Japanese, English and punctuation sorted by code point, two Japanese accent marks, Korean, Cantonese.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

PAD = "_"
MARKS = ("!", "?", "…", ",", ".", "-")
WORD_BOUNDARY = "|"
HEAD = "^"
TAIL = "$"

ZERO_INITIALS = ("AA", "EE", "OO")
"""Initials of Mandarin syllables that start with a vowel (a…, e…, o…)."""
INITIALS = (*ZERO_INITIALS, *"b c ch d f g h j k l m n p q r s sh t w x y z zh".split())
FINALS = tuple(
    "E En a ai an ang ao e ei en eng er i i0 ia ian iang iao ie in ing iong ir iu o ong ou u ua uai uan uang ui un uo"
    " v van ve vn".split()
)
"""Mandarin finals; `i0` follows z c s, `ir` follows zh ch sh r, `v` is ü, `E` and `En` are those of ye and yan."""
ARPABET_VOWELS = tuple("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())
ARPABET_CONSONANTS = tuple("B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split())

_TONED_FINALS = tuple(final + tone for final in FINALS for tone in "12345")
_ARPABET = (*(vowel + stress for vowel in ARPABET_VOWELS for stress in "012"), *ARPABET_CONSONANTS, "ER", "IH")
_JAPANESE = tuple("I N U a b by ch cl d dy e f g gy h hy i j k ky m my n ny o p py r ry s sh t ts u v w y z".split())
_KOREAN = "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎㄲㄸㅃㅆㅉㅏㅓㅗㅜㅡㅣㅐㅔ空停"
_CANTONESE = {
    # tones (0: none) and the finals and initials that take them
    "0123456": "a aa ai ak au e g k m n o oi ok on ou p t uk",
    "123456": "aai aak aam aan aang aap aat aau am an ang ap at ei ek eng eoi eon eot i ik im in ing ip it iu"
    " oe oek oeng ong ot u ui un ung ut yu yun yut",
    "0": "b c d f gw h j kw l ng s w z",
}


def _cantonese() -> Iterable[str]:
    for tones, finals in _CANTONESE.items():
        for final in finals.split():
            yield from ("Y" + final + tone.replace("0", "") for tone in tones)


def _table() -> tuple[str, ...]:
    first = {PAD, *INITIALS, *_TONED_FINALS, *_JAPANESE, *MARKS, "SP", "SP2", "SP3", "UNK", *_ARPABET}
    return (*sorted(first), "[", "]", *sorted(_KOREAN), *sorted(_cantonese()), WORD_BOUNDARY, HEAD, TAIL)


SYMBOLS: tuple[str, ...] = _table()
"""All symbols; the first 732 are those of GPT-SoVITS v2."""
SYMBOL_IDS: Mapping[str, int] = MappingProxyType({symbol: index for index, symbol in enumerate(SYMBOLS)})
BOUNDARIES: frozenset[str] = frozenset((*MARKS, WORD_BOUNDARY, HEAD, TAIL))
"""Symbols that stand for pauses, whose duration may be 0."""


def _split(symbol: str) -> tuple[str, int]:
    if symbol in ZERO_INITIALS:
        # "AA" is also the ARPAbet vowel of "AA1": the Mandarin initial needs a base of its own.
        return symbol + "_", 0
    if len(symbol) > 1 and symbol[-1].isdigit() and (symbol in _ARPABET or symbol in _TONED_FINALS):
        return symbol[:-1], int(symbol[-1])
    return symbol, 0


_BASE_AND_TONE = {symbol: _split(symbol) for symbol in SYMBOLS}


def base_and_tone(symbol: str) -> tuple[str, int]:
    """Splits a symbol for factored embeddings.

    Args:
        symbol: a member of `SYMBOLS`.

    Returns:
        Base and tone: ("ang", 1) for "ang1" (Mandarin tones 1 to 5), ("AH", 0) for "AH0" (English stress 0 to 2),
        (symbol, 0) for all others, except that the zero initials AA, EE, OO get the bases "AA_", "EE_", "OO_".

    Raises:
        KeyError: the symbol is not in the table.
    """
    return _BASE_AND_TONE[symbol]


BASES: tuple[str, ...] = tuple(
    sorted({base_and_tone(s)[0] for s in (PAD, *INITIALS, *_TONED_FINALS, *_ARPABET, *BOUNDARIES)})
)
"""Bases of the symbols that Mandarin, English and marks use, and of the padding."""
