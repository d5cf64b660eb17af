"""Text to characters that can be read: plain letters, Han characters, marks; numbers and signs as words."""

from __future__ import annotations

import re
from bisect import bisect_left

from yinse.text.abbreviations import ABBREVIATION, INITIALISM, expand_abbreviation, expand_initialism
from yinse.text.characters import HAN, OVERRIDE_PLACE, PAUSE_PLACE, PLAIN
from yinse.text.found import Found, roman_value
from yinse.text.numbers_english import ordinal, read_english
from yinse.text.numbers_mandarin import read_mandarin
from yinse.text.patterns import HAN_ROMAN, NAMES_AND_ROMAN, TO_READ
from yinse.text.spanned import SpannedText
from yinse.text.traditional import to_simplified

_NUMBERED = frozenset(
    "Act Appendix Apollo Article Book Bowl Chapter Class Fantasy Figure Grade Level Part Phase Rocky Scene Section"
    " Stage Step Table Title Type Unit Vol Volume War".split()
)
"""Words whose Roman numeral is a plain number, and may be one letter."""
_MONARCH = re.compile(r"\b(?:King|Queen|Pope|Emperor|Tsar|Prince|Saint) \Z")
_HAN_MONARCH = re.compile(
    "(?:亨利|路易|伊丽莎白|查理|乔治|威廉|爱德华|理查|腓力|凯瑟琳|叶卡捷琳娜|亚历山大|彼得|尼古拉|保罗|本笃|拿破仑)\\Z"
)
_SCRIPT = re.compile(rf"(?P<zh>[{HAN}])|(?P<en>[A-Za-z]+)|(?P<stop>[!?\n…]|\.(?=\s|$|[{HAN}]))")
_ENGLISH_WORDS = frozenset(
    "the an and of to in is are was were at for with my your his her our their have has had it its this that these"
    " those be been by from we you he she they will would can not but or if then there about than who what when only"
    " all got get did do as on up out".split()
)
"""Words that turn Latin letters within Mandarin into an English phrase, whose numbers are English too."""
_GOES_ON = re.compile(r"\s*[^\sA-Z]")
_HAN_GAP = re.compile(rf"(?<=[{HAN}])[^\S\n]+(?=[{HAN}{OVERRIDE_PLACE}])|(?<={OVERRIDE_PLACE})[^\S\n]+(?=[{HAN}])")
_SPACES = re.compile(r"[^\S\n]+")
_LINE_END = re.compile(r"\r\n")
_DOTS = re.compile(r"\.\.\.")
_PASSES_MAX = 8
_PLACES = dict.fromkeys(map(ord, (OVERRIDE_PLACE, PAUSE_PLACE)))


def _expand_roman(match: re.Match[str]) -> str | None:
    name, numeral = match.groups()
    if name in _NUMBERED:
        return f"{name} {roman_value(numeral)}"
    one_letter = len(numeral) == 1
    before = match.string[max(0, match.start() - 12) : match.start()]
    if not numeral or one_letter and not _MONARCH.search(before):
        return None
    return f"{name} the {ordinal(roman_value(numeral))}"


def _expand_han_roman(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 6) : match.start()]
    reign = "世" if _HAN_MONARCH.search(before) and match.string[match.end() : match.end() + 1] != "世" else ""
    return f"{roman_value(match[0])}{reign}"


class _Scripts:
    """In which language an expression is read: by the letters around it, within its sentence."""

    def __init__(self, text: str, preferred: str) -> None:
        self._preferred = preferred
        self._starts: list[int] = []
        self._kinds: list[str] = []
        self._phrase: list[bool] = []
        stretch: list[int] = []
        is_phrase = False
        for match in _SCRIPT.finditer(text):
            kind = match.lastgroup or ""
            self._starts.append(match.start())
            self._kinds.append(kind)
            self._phrase.append(False)
            if kind == "en":
                stretch.append(len(self._kinds) - 1)
                is_phrase = is_phrase or match[0].lower() in _ENGLISH_WORDS and not match[0].isupper()
            else:
                self._close(stretch, is_phrase)
                stretch, is_phrase = [], False
        self._close(stretch, is_phrase)

    def _close(self, stretch: list[int], is_phrase: bool) -> None:
        for index in stretch if is_phrase else ():
            self._phrase[index] = True

    def language(self, start: int, end: int) -> str:
        """ "zh" or "en" for what stands from `start` to `end`."""
        before, after = bisect_left(self._starts, start) - 1, bisect_left(self._starts, end)
        around = [i for i in (before, after) if 0 <= i < len(self._kinds)]
        kinds = [self._kinds[i] for i in around]
        if self._preferred == "en":
            return "zh" if "zh" in kinds and "en" not in kinds else "en"
        if "zh" in kinds:
            return "zh"
        return "en" if any(self._phrase[i] for i in around) else "zh"


def rewrite(spanned: SpannedText, *, language: str | None = None) -> SpannedText:
    """Rewrites text as `normalize` does and keeps the place of every character.

    Args:
        spanned: any text; noncharacters that hold the place of something stay.
        language: "zh" or "en"; None: Mandarin if the text has a Han character.
    """
    for _ in range(_PASSES_MAX):
        # What was read may leave an abbreviation beside it free: "VS'90s".
        before = spanned.text
        spanned = _rewrite_once(spanned, language)
        if spanned.text == before:
            break
    return spanned


def _rewrite_once(spanned: SpannedText, language: str | None) -> SpannedText:
    spanned = spanned.sub(_LINE_END, lambda match: "\n").sub(_DOTS, lambda match: "…").translate(PLAIN)
    spanned = SpannedText(to_simplified(spanned.text), spanned.starts, spanned.ends)
    spanned = spanned.sub(ABBREVIATION, expand_abbreviation).sub(INITIALISM, expand_initialism)
    spanned = spanned.sub(NAMES_AND_ROMAN, _expand_roman).sub(HAN_ROMAN, _expand_han_roman)
    plain = spanned.text
    has_han = re.search(f"[{HAN}]", plain) is not None
    scripts = _Scripts(plain, language or ("zh" if has_han else "en"))

    def read(match: re.Match[str]) -> str:
        found = Found.of(match)
        dotted = found.kind == "time" and found.text.endswith(".") and not _GOES_ON.match(plain, match.end())
        stop = "." if dotted else ""
        if scripts.language(match.start(), match.end()) == "en":
            return f" {read_english(found)}{stop} "
        return (read_mandarin(found) or " ") + stop

    spanned = spanned.sub(TO_READ, read)
    return spanned.sub(_HAN_GAP, lambda match: "").sub(_SPACES, lambda match: " ").strip()


def normalize(text: str, *, language: str | None = None) -> str:
    """Rewrites text so that only letters, Han characters, apostrophes and marks carry meaning.

    Args:
        text: any text.
        language: "zh" or "en", in which numbers are read that stand next to both or neither; None: Mandarin if the
            text has a Han character.

    Returns:
        Plain text; may be empty. Time grows linearly with the length.
    """
    return rewrite(SpannedText.of(text.translate(_PLACES)), language=language).text
