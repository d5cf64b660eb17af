"""Text to characters that can be read: plain letters, Han characters, marks; numbers and signs as words."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left

from yinse.text.numbers_english import ABBREVIATIONS, read_english
from yinse.text.numbers_mandarin import read_mandarin

HAN = "\u3400-\u4dbf\u4e00-\u9fff\u3007\U00020000-\U0003ffff"
"""Character-class content of all Han characters."""

_MARK_MAP = {
    "，": ",", "、": ",", "；": ",", ";": ",", "：": ":", "。": ".", "．": ".", "！": "!", "？": "?", "…": "…",
    "⋯": "…", "—": "—", "–": "–", "―": "—", "～": "~", "〜": "~", "（": "(", "）": ")", "’": "'", "‘": "'", "`": "'",
    "｡": ".", "､": ",", "¡": " ", "¿": " ", "·": " ", "•": " ", "\u2212": "-", "\u2010": "-", "\u2011": "-",
    "ß": "ss", "æ": "ae", "Æ": "Ae", "ø": "o", "Ø": "O", "œ": "oe", "Œ": "Oe", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L",
    "ð": "th", "þ": "th", "Þ": "Th", "ı": "i", "々": "々", "€": "€", "￥": "¥", "℃": "°C", "℉": "°F", "²": "²",
    "³": "³", "\u2028": "\n", "\u2029": "\n", "\r": "\n", "\x85": "\n",
}  # fmt: skip


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
        if plain is None and unicodedata.name(char, "").startswith(("GREEK SMALL LETTER ", "GREEK CAPITAL LETTER ")):
            plain = f" {unicodedata.name(char).split()[3].lower()} "
        if plain is None:
            parts = unicodedata.normalize("NFKD", char)
            kept = (c for c in parts if c in "\n\t" or unicodedata.category(c)[0] not in "MC")
            plain = "".join(_plain_part(c) for c in kept)
            if unicodedata.category(char) == "No":
                plain = f" {plain} "
        self[code] = plain
        return plain


_PLAIN = _PlainCharacters()

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
_SIGN = r"(?:(?<![\w).%-])[-+])?"
_UNIT = (
    r"(?:km/h|km²|cm²|m²|m³|kg|km|cm|mm|mg|ml|mL|kW|GB|MB|KB|TB|GHz|MHz|kHz|Hz|°C|°F|m|g|L|lb|lbs|ft|mph|ms)"
    r"(?![A-Za-z])"
)
_PATTERNS = {
    "address": r"(?<![A-Za-z0-9.@-])[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,8}"
    r"@[A-Za-z0-9-]{1,64}(?:\.[A-Za-z]{2,12}){1,4}",
    "site": r"(?:https?://|www\.)[A-Za-z0-9./_-]{1,256}",
    "domain": r"(?<![A-Za-z0-9.@-])[A-Za-z0-9-]{1,64}(?:\.[A-Za-z0-9-]{1,64}){0,3}"
    r"\.(?:com|org|net|edu|gov|io|cn|dev|app)"
    r"(?![A-Za-z0-9])(?:/[A-Za-z0-9/_-]{1,256})?",
    "isodate": r"(?<!\d)\d{4}(?:-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2}|\.\d{1,2}\.\d{1,2})(?!\d)",
    "usdate": r"(?<!\d)\d{1,2}/\d{1,2}/\d{4}(?!\d)",
    "phone": r"(?<![\d.])(?:\+\d{1,3}[- ])?"
    r"(?:1[3-9]\d{9}|\d{3,4}-\d{3,4}-\d{4}|0\d{2,3}-\d{7,8}|\(\d{3}\) \d{3}-\d{4})(?!\d)",
    "time": r"(?<![\d:])(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?![\d:])(?: ?[apAP]\.?[mM]\b\.?)?",
    "clock": r"(?<![\d:.])\d{1,2} ?[apAP]\.?[mM]\b\.?",
    "money": r"[$€£¥] ?" + _NUMBER + r"(?: ?(?:hundred|thousand|million|billion|trillion|[kKMB](?![A-Za-z])|[万亿]))?",
    "percent": _SIGN + _NUMBER + r"(?: ?%?[-~–] ?" + _NUMBER + r")? ?[%‰]",
    "version": r"\d+(?:\.\d+){2,}",
    "mixed": r"(?<![\d/.])\d{1,4} \d{1,2}/\d{1,2}(?![\d/])",
    "fraction": r"(?<![\d/])\d{1,4}/\d{1,4}(?![\d/])",
    "monthday": r"\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.? \d{1,2}(?:st|nd|rd|th)?(?:,? \d{4})?(?![\d:])",
    "ordinal": r"(?<![\d.])(?:\d{1,3}(?:,\d{3})+|\d{1,12})(?:st|nd|rd|th)\b",
    "decade": r"(?<![\d.,])'?(?:\d{3}0|\d0)'?s\b",
    "ratio": r"(?<![\d:])\d{1,4}:\d{1,4}(?![\d:])",
    "range": r"(?<![\d.-])" + _NUMBER + r" ?[-~–] ?" + _NUMBER + r"(?![-\d])(?: ?" + _UNIT + r")?",
    "measure": _SIGN + _NUMBER + r" ?" + _UNIT,
    "number": r"(?:(?<![\w.])\.\d+|" + _SIGN + _NUMBER + ")" + rf"[{HAN}]?",
    "sign": r"[²³+=&@#%°×÷<>*/\\^~$€£¥_|]",
}
_TO_READ = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS.items()), re.ASCII)
_SCRIPT = re.compile(rf"(?P<zh>[{HAN}])|(?P<en>[A-Za-z]+)|(?P<stop>[!?\n…]|\.(?=\s|$|[{HAN}]))")
_INITIALISM = re.compile(r"(?<![A-Za-z0-9])(?<!\d )(?:[A-Za-z]\.){2,}(?:[A-Za-z](?![A-Za-z]))?")
_ABBREVIATION = re.compile(
    r"(?<![A-Za-z.])(?:" + "|".join(sorted(map(re.escape, ABBREVIATIONS), key=len, reverse=True)) + ")", re.IGNORECASE
)
_NAME_BEFORE = re.compile(r"[A-Z][a-z]{1,20} \Z")
_ROMAN = re.compile(r"(?<![A-Za-z])([A-Z][a-z]+) (X{0,2}(?:IX|IV|V?I{0,3}))(?![A-Za-z.'-])")
_NUMBERED = frozenset(
    "Act Appendix Article Book Chapter Class Level Part Phase Scene Section Stage Type Volume War".split()
)
_GOES_ON = re.compile(r"\s*[^\sA-Z]")
_HAN_GAP = re.compile(rf"(?<=[{HAN}])[^\S\n]+(?=[{HAN}])")
_SPACES = re.compile(r"[^\S\n]+")
_PREFIXED_NUMBER = re.compile(r"#(?=\d)")


def _expand_abbreviation(match: re.Match[str]) -> str:
    spoken = ABBREVIATIONS[match[0].lower()]
    rest = match.string[match.end() : match.end() + 2].lstrip()
    if spoken.endswith(".") and rest and not (match.string[match.end()].isspace() and rest[0].isupper()):
        return spoken[:-1]
    if spoken == "saint" and _NAME_BEFORE.search(match.string, max(0, match.start() - 24), match.start()):
        return "street" if rest else "street."
    if spoken == "number" and not rest[:1].isdigit():
        return match[0]
    if spoken in ("saint", "mount") and not rest[:1].isupper():
        return match[0]
    return spoken


def _expand_initialism(match: re.Match[str]) -> str:
    letters = match[0].replace(".", "").upper()
    ends_sentence = match[0].endswith(".") and not match.string[match.end() : match.end() + 8].strip()
    return letters + ("." if ends_sentence else "")


def _expand_roman(match: re.Match[str]) -> str:
    name, numeral = match.groups()
    if len(numeral) < 2:
        return match[0]
    values = [{"X": 10, "V": 5, "I": 1}[letter] for letter in numeral]
    total = sum(-v if v < following else v for v, following in zip(values, [*values[1:], 0], strict=True))
    return f"{name} {total}" if name in _NUMBERED else f"{name} the {read_english('ordinal', str(total))}"


class _Scripts:
    """Which script stands nearest before and after a place, within its sentence."""

    def __init__(self, text: str) -> None:
        found = [(match.start(), match.lastgroup or "") for match in _SCRIPT.finditer(text)]
        self._starts = [start for start, _ in found]
        self._kinds = [kind for _, kind in found]

    def around(self, start: int, end: int) -> tuple[str, str]:
        """ "zh", "en", "stop" or "" before `start` and from `end` on."""
        before = bisect_left(self._starts, start) - 1
        after = bisect_left(self._starts, end)
        return (
            self._kinds[before] if before >= 0 else "",
            self._kinds[after] if after < len(self._kinds) else "",
        )


def normalize(text: str, *, language: str | None = None) -> str:
    """Rewrites text so that only letters, Han characters, apostrophes and marks carry meaning.

    Args:
        text: any text.
        language: "zh" or "en", in which numbers are read that stand next to both or neither; None: Mandarin if the
            text has a Han character.

    Returns:
        Plain text; may be empty. Time grows linearly with the length.
    """
    plain = text.replace("\r\n", "\n").replace("...", "…").translate(_PLAIN)
    plain = _ABBREVIATION.sub(_expand_abbreviation, plain)
    plain = _INITIALISM.sub(_expand_initialism, plain)
    plain = _ROMAN.sub(_expand_roman, plain)
    scripts = _Scripts(plain)
    has_han = re.search(f"[{HAN}]", plain) is not None
    preferred = language or ("zh" if has_han else "en")

    def read(match: re.Match[str]) -> str:
        kind = match.lastgroup or "sign"
        matched = match[0]
        neighbours = scripts.around(match.start(), match.end())
        if matched[-1] > "\u2fff" and kind == "number":
            neighbours = ("zh", "zh")
        spoken_in = next((n for n in (preferred, "zh", "en") if n in neighbours), preferred)
        dotted = kind in ("time", "clock") and matched.endswith(".") and not _GOES_ON.match(plain, match.end())
        stop = "." if dotted else ""
        if spoken_in == "en":
            return f" {read_english(kind, matched)}{stop} "
        spoken = read_mandarin(kind, matched) + stop
        return spoken if kind not in ("sign", "address", "domain", "site") or spoken else " "

    return _SPACES.sub(" ", _HAN_GAP.sub("", _TO_READ.sub(read, plain))).strip()
