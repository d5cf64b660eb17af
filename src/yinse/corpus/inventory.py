"""The sounds there are: Mandarin syllables with their tones, and the phonemes of English."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from yinse.text.mandarin import syllable_phonemes
from yinse.text.symbols import ARPABET_CONSONANTS, ARPABET_VOWELS

ENGLISH_PHONEMES = (*ARPABET_VOWELS, *ARPABET_CONSONANTS)
"""39 phonemes, without stress."""

_GB2312_ROWS = range(0xB0, 0xF8)
_COMMON_BELOW_ROW = 0xD8
_GB2312_CELLS = range(0xA1, 0xFF)
_NASALS = frozenset(("n", "ng", "m", "hm", "hng"))
"""Syllables that are hummed (嗯, 呣): no initials, no finals, no place in the chart."""


@dataclass(frozen=True, slots=True)
class Syllable:
    """A Mandarin syllable.

    Attributes:
        pinyin: letters and tone, such as "lv4".
        initial: its first symbol.
        final: its second symbol without the tone.
        tone: 1 to 5.
    """

    pinyin: str
    initial: str
    final: str
    tone: int

    @property
    def toneless(self) -> str:
        """Its letters."""
        return self.pinyin[:-1]


@dataclass(frozen=True, slots=True)
class MandarinInventory:
    """Which syllables Mandarin has.

    Source: the readings that pypinyin gives for the 6,763 characters of GB 2312. Common are the first readings of the
    3,755 characters of its level 1, the ones in everyday use; the others (a spoken rarity such as "dia3") are valid,
    but nobody needs to record them.

    Attributes:
        by_symbols: syllable by (initial, final with tone); where two spellings sound the same, the first one.
        toned: pinyin with tone of all valid syllables, tones 1 to 4, and those neutral ones that dictionaries list.
        common: those of them that are common.
        readings: pinyin with tone, dictionary readings of each character.
    """

    by_symbols: Mapping[tuple[str, str], Syllable]
    toned: frozenset[str]
    common: frozenset[str]
    readings: Mapping[str, tuple[str, ...]]

    @property
    def toneless(self) -> frozenset[str]:
        """Letters of the common syllables."""
        return frozenset(pinyin[:-1] for pinyin in self.common)

    def syllable(self, initial: str, final: str) -> Syllable | None:
        """The syllable of two symbols, the final with its tone.

        Tones that arise in speech (a third tone that rises, a syllable that goes neutral) need not be in a dictionary:
        such a syllable has the letters of its relatives.
        """
        found = self.by_symbols.get((initial, final))
        if found is not None:
            return found
        base, tone = final[:-1], int(final[-1])
        for other in "12345":
            relative = self.by_symbols.get((initial, base + other))
            if relative is not None:
                return Syllable(f"{relative.toneless}{tone}", initial, base, tone)
        return None


def _characters() -> Iterator[tuple[str, bool]]:
    """Characters of GB 2312, and whether they are of level 1."""
    for row in _GB2312_ROWS:
        for cell in _GB2312_CELLS:
            try:
                yield bytes((row, cell)).decode("gb2312"), row < _COMMON_BELOW_ROW
            except UnicodeDecodeError:  # an empty cell
                continue


@functools.cache
def mandarin_inventory() -> MandarinInventory:
    """The inventory, made once."""
    from pypinyin.constants import PINYIN_DICT
    from pypinyin.contrib.tone_convert import to_tone3

    by_symbols: dict[tuple[str, str], Syllable] = {}
    common: set[str] = set()
    toned: set[str] = set()
    readings: dict[str, tuple[str, ...]] = {}
    for character, is_common in _characters():
        found: list[str] = []
        for place, marked in enumerate(PINYIN_DICT.get(ord(character), "").split(",")):
            pinyin = to_tone3(marked, neutral_tone_with_five=True, v_to_u=False).replace("ü", "v")
            symbols = syllable_phonemes(pinyin) if pinyin and pinyin[:-1] not in _NASALS else None
            if symbols is None:
                continue
            initial, final = symbols
            syllable = by_symbols.setdefault(symbols, Syllable(pinyin, initial, final[:-1], int(final[-1])))
            found.append(syllable.pinyin)
            toned.add(syllable.pinyin)
            if is_common and place == 0:
                common.add(syllable.pinyin)
        readings[character] = tuple(found)
    return MandarinInventory(
        MappingProxyType(by_symbols), frozenset(toned), frozenset(common), MappingProxyType(readings)
    )
