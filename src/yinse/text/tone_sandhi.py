"""Surface tones of Mandarin: 不, 一, chains of third tones, the suffix 儿."""

from __future__ import annotations

from collections.abc import Sequence

from yinse.text.polyphones import NUMERALS

_LARGE_UNITS = frozenset("百千万亿")
_FOOT_SYLLABLES = 3
_FOOT_WORDS = 2
_ONE_AND_TWO = frozenset("小老")
"""First characters of three-syllable words built as one and two, such as 小老虎."""


def _apply_bu(chars: str, tones: list[int], starts: frozenset[int]) -> None:
    """不 is bu2 before a fourth tone and unstressed inside 好不好, 看不见."""
    for i, char in enumerate(chars):
        if char != "不" or tones[i] == 5:
            continue
        after = i + 1 < len(chars)
        between = i > 0 and after
        doubled = between and chars[i - 1] == chars[i + 1] and "不" not in (chars[i - 1], chars[i - 2 : i - 1])
        in_word_of_three = between and [j in starts for j in range(i - 1, i + 3)] == [True, False, False, True]
        if doubled or in_word_of_three:
            tones[i] = 5
        elif after and tones[i + 1] == 4:
            tones[i] = 2


def _yi_keeps(chars: str, i: int, starts: frozenset[int]) -> bool:
    """Whether 一 keeps its first tone: ordinals, digits, dates, ends of words and of phrases."""
    before, after = chars[i - 1 : i], chars[i + 1 : i + 2]
    ends_word = i + 1 in starts and i not in starts
    if not after or ends_word or before in ("第", "初", "之") or after in ("月", "号", "楼"):
        return True
    if after not in _LARGE_UNITS and (before in NUMERALS or after in NUMERALS):
        return True
    return after == "日" and before == "月" or after == "点" and chars[i + 2 : i + 3] in NUMERALS


def _apply_yi(chars: str, tones: list[int], lexical: Sequence[int], starts: frozenset[int]) -> None:
    """一 is yi2 before a fourth tone, yi4 before the others, unstressed inside 看一看."""
    for i, char in enumerate(chars):
        if char != "一" or tones[i] != 1 or _yi_keeps(chars, i, starts):
            continue
        if chars[i - 1 : i] == chars[i + 1 : i + 2] and chars[i - 2 : i - 1] != "一":
            tones[i] = 5
        else:
            # 个 sounds unstressed but acts as the fourth tone that it is; 不 acts as it sounds.
            following = tones[i + 1] if chars[i + 1] == "不" else lexical[i + 1]
            tones[i] = 2 if following == 4 else 4


def _feet(words: Sequence[str], tones: Sequence[int]) -> list[list[int]]:
    """Word lengths of each foot: two neighbours that meet in third tones join, up to three syllables."""
    feet: list[list[int]] = []
    at = 0
    for word in words:
        meets = at > 0 and tones[at - 1] == 3 and tones[at] == 3
        if meets and len(feet[-1]) < _FOOT_WORDS and feet[-1][0] + len(word) <= _FOOT_SYLLABLES:
            feet[-1].append(len(word))
        else:
            feet.append([len(word)])
        at += len(word)
    return feet


def _is_one_and_two(word: str) -> bool:
    """Whether a word of three characters is built as one and two."""
    import jieba

    known = jieba.dt.FREQ
    return word[0] in _ONE_AND_TWO or bool(known.get(word[1:])) and not known.get(word[:2])


def _is_decimal_point(chars: str, i: int) -> bool:
    """Whether the character is the point of a number, which stands for itself."""
    return chars[i] == "点" and chars[i - 1 : i] in NUMERALS and chars[i + 1] in NUMERALS


def _apply_er(chars: str, tones: list[int], lexical: Sequence[int]) -> None:
    """The suffix 儿 has the tone of the syllable that it colours."""
    for i in range(1, len(chars)):
        if chars[i] == "儿" and lexical[i] == 5:
            tones[i] = tones[i - 1]


def _apply_third(chars: str, words: Sequence[str], tones: list[int]) -> None:
    """A third tone before a third tone of the same foot becomes a second."""
    at = 0
    for foot in _feet(words, tones):
        end = at + sum(foot)
        one_and_two = foot == [1, 2] or foot == [3] and _is_one_and_two(chars[at:end])
        if one_and_two and tones[at:end] == [3, 3, 3]:
            tones[at + 1] = 2
        else:
            for i in range(at, end - 1):
                if tones[i] == 3 and tones[i + 1] == 3 and not _is_decimal_point(chars, i):
                    tones[i] = 2
        at = end


def surface_tones(words: Sequence[str], lexical: Sequence[int], unstressed: frozenset[int]) -> list[int]:
    """Tones as they sound.

    Args:
        words: words of a phrase without marks; one tone per character.
        lexical: dictionary tones 1 to 5 of all characters.
        unstressed: places of further characters that are spoken without a tone.

    Returns:
        Tones 1 to 5, one per character.
    """
    chars = "".join(words)
    tones = [5 if i in unstressed else tone for i, tone in enumerate(lexical)]
    at, starts = 0, set()
    for word in words:
        starts.add(at)
        at += len(word)
    starts.add(at)
    _apply_bu(chars, tones, frozenset(starts))
    _apply_yi(chars, tones, lexical, frozenset(starts))
    _apply_third(chars, words, tones)
    _apply_er(chars, tones, lexical)
    return tones
