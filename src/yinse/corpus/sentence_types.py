"""What kind of sentence a text is: told by its marks and its question words, not by its meaning."""

from __future__ import annotations

import re

STATEMENT = "statement"
YES_NO_QUESTION = "yes/no question"
WH_QUESTION = "wh question"
ALTERNATIVE_QUESTION = "alternative question"
EXCLAMATION = "exclamation"
LIST = "list"
QUOTATION = "quotation"
MAIN_TYPES = (STATEMENT, YES_NO_QUESTION, WH_QUESTION, ALTERNATIVE_QUESTION, EXCLAMATION)
"""Each sentence is one of these."""
TYPES = (*MAIN_TYPES, LIST, QUOTATION)
QUESTIONS = frozenset((YES_NO_QUESTION, WH_QUESTION, ALTERNATIVE_QUESTION))

_HAN = re.compile("[㐀-䶿一-鿿]")
_CLOSING = "\"'”’」』）)】》 \t\r\n"
_QUOTED = re.compile('[“「『"][^”」』"]{2,}[”」』"]')
_LIST_ZH = re.compile("(?:[^，。！？、；：]{1,12}、){2,}|(?:[^，。！？；]{1,14}；){2,}|第一.*第二")
_LIST_EN = re.compile(r"(?:[^,.;!?]{1,30},\s*){2,}(?:and|or)\s|(?:[^,.;!?]{1,40};\s*){2,}|first\b.*\bsecond\b", re.I)
_ALTERNATIVE_ZH = re.compile("还是(?!老|没|那|要|得|觉得|在)")
_ALTERNATIVE_EN = re.compile(r"\bor\b(?! so\b| not\b)", re.I)
_WH_ZH = re.compile("谁|什么|啥|怎|为何|哪|几|多少|多(?:久|大|远|长|高|重|深|厚|宽)|何(?:时|处|人|事)|咋|干吗")
_WH_EN = re.compile(
    r"(?:^|[,;:\"“]\s*)(?:(?:and|but|so|then|well|oh|ok|okay|please|to|for|from|in|at|with|by)\s+)*"
    r"(?:what|why|how|who|whom|whose|which|where|when)(?:'s|'re|'d|'ll)?\b",
    re.I,
)
_SAID_EN = re.compile(r"\b(?:what if|how about)\b", re.I)


def sentence_types(text: str) -> tuple[str, ...]:
    """Types of a sentence, the main one first.

    A question is an alternative one when it offers a choice ("tea or coffee?"), a wh question when it asks with a
    question word, else a yes/no question. Lists and quotations are told besides: they ask for a reading of their own,
    whatever mark they end in.

    Args:
        text: one sentence, Mandarin or English; without any mark at its end it counts as a statement.

    Returns:
        A statement, question or exclamation, then `LIST` and `QUOTATION` where they apply.
    """
    quoted = _QUOTED.search(text) is not None
    bare = text.rstrip(_CLOSING)
    is_mandarin = _HAN.search(text) is not None
    if bare.endswith(("?", "？")):
        # The last question of several decides how the sentence ends.
        asked = re.split("[.!。！?？]", bare.rstrip("?？"))[-1]
        main = _question(asked, is_mandarin=is_mandarin)
    elif bare.endswith(("!", "！")):
        main = EXCLAMATION
    else:
        main = STATEMENT
    found = [main]
    outside = _QUOTED.sub("", text)
    if (_LIST_ZH if is_mandarin else _LIST_EN).search(outside):
        found.append(LIST)
    if quoted:
        found.append(QUOTATION)
    return tuple(found)


def _question(asked: str, *, is_mandarin: bool) -> str:
    if is_mandarin:
        if _ALTERNATIVE_ZH.search(asked):
            return ALTERNATIVE_QUESTION
        if re.search("[吗么吧]$", asked):
            return YES_NO_QUESTION
        if _WH_ZH.search(asked):
            return WH_QUESTION
        return YES_NO_QUESTION
    if _SAID_EN.search(asked):
        return WH_QUESTION
    if _WH_EN.search(asked.strip()):
        return WH_QUESTION
    return ALTERNATIVE_QUESTION if _ALTERNATIVE_EN.search(asked) else YES_NO_QUESTION
