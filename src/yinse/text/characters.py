"""Characters to the plain forms that the rules know: half width, no accents, one form of each mark."""

from __future__ import annotations

import unicodedata

HAN = "\u3400-\u4dbf\u4e00-\u9fff\u3007\U00020000-\U0003ffff"
"""Character-class content of all Han characters."""

OVERRIDE_PLACE, PAUSE_PLACE = "\ufdd0", "\ufdd1"
"""Noncharacters that hold the place of an override and of a pause while the text around them is rewritten."""

_MARK_MAP = {
    OVERRIDE_PLACE: OVERRIDE_PLACE, PAUSE_PLACE: PAUSE_PLACE,
    "，": ",", "、": ",", "；": ",", ";": ",", "：": ":", "。": ".", "．": ".", "！": "!", "？": "?", "…": "…",
    "⋯": "…", "—": "—", "–": "–", "―": "—", "～": "~", "〜": "~", "（": "(", "）": ")", "’": "'", "‘": "'", "`": "'",
    "｡": ".", "､": ",", "¡": " ", "¿": " ", "·": " ", "•": " ", "\u2212": "-", "\u2010": "-", "\u2011": "-",
    "ß": "ss", "æ": "ae", "Æ": "Ae", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "Oe", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L",
    "ð": "th", "þ": "th", "Þ": "Th", "ı": "i", "々": "々", "€": "€", "￥": "¥", "℃": "°C", "℉": "°F", "²": "²",
    "³": "³", "㎡": "m²", "㎥": "m³", "㎢": "km²", "㎠": "cm²", "№": "No.", "≠": "≠", "′": "'", "″": '"', "“": '"',
    "”": '"', "⁻": "^-", "\u2028": "\n", "\u2029": "\n", "\r": "\n", "\x85": "\n",
    **{char: f"^{digit}" for char, digit in zip("⁰¹⁴⁵⁶⁷⁸⁹", "01456789", strict=True)},
}  # fmt: skip
_ROMAN_DIGITS = dict(zip(range(0x2160, 0x216C), range(1, 13), strict=True))


def _plain_part(char: str) -> str:
    if char == "\u2044":
        return "/"
    return str(unicodedata.decimal(char)) if char.isdecimal() else _MARK_MAP.get(char, char)


class _PlainCharacters(dict[int, str]):
    """Table for `str.translate`: each character to its plain form, computed once.

    Character by character on purpose: normalising the whole string takes quadratic time on long runs of combining
    marks.
    """

    def __missing__(self, code: int) -> str:
        char = chr(code)
        plain = _MARK_MAP.get(char)
        if plain is None and code in _ROMAN_DIGITS:
            plain = str(_ROMAN_DIGITS[code])
        if plain is None:
            parts = unicodedata.normalize("NFKD", char)
            kept = (c for c in parts if c in "\n\t" or unicodedata.category(c)[0] not in "MC")
            plain = "".join(_plain_part(c) for c in kept)
            if unicodedata.category(char) == "No":
                plain = f" {plain} "
        self[code] = plain
        return plain


PLAIN = _PlainCharacters()
"""Table for `str.translate`. Accents, marks of direction and private characters vanish; circled and superscript
numbers become digits, one to twelve in Roman numerals too."""
