"""Mandarin characters to initials and finals with surface tones (third-tone chains, 不, 一, neutral tone, erhua)."""

from __future__ import annotations

import functools
import importlib.resources
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from yinse.text.symbols import FINALS, INITIALS

_CUT_MAX = 400
"""Characters given to the word segmenter at once; keeps memory flat on text without any punctuation."""
_INITIALS_BY_LENGTH = tuple(sorted((i for i in INITIALS if i.islower()), key=len, reverse=True))
_FINALS = frozenset(FINALS)
_SYLLABLE = re.compile(r"([a-zêü]+)([1-5])")
_NASAL_INTERJECTIONS = frozenset(("n", "ng", "m", "hm", "hng"))

_SINGLE_READINGS = {
    "的": "de5", "地": "de5", "得": "de5", "了": "le5", "着": "zhe5", "过": "guo4", "吗": "ma5", "呢": "ne5",
    "吧": "ba5", "啊": "a5", "呀": "ya5", "哇": "wa5", "哪": "na3", "嘛": "ma5", "啦": "la5", "喽": "lou5", "们": "men5",
    "么": "me5", "还": "hai2", "都": "dou1", "长": "chang2", "为": "wei4", "谁": "shei2", "血": "xue4", "薄": "bao2",
    "没": "mei2", "只": "zhi3", "哦": "o4", "喔": "o1", "嗯": "en4", "唉": "ai4", "哎": "ai1", "给": "gei3",
    "露": "lou4", "剥": "bao1", "削": "xiao1", "熟": "shu2", "种": "zhong3", "重": "zhong4", "行": "xing2", "朝": "chao2",
    "倒": "dao4", "背": "bei4", "挨": "ai2", "尽": "jin4", "更": "geng4", "将": "jiang1", "似": "si4", "嘞": "lei5",
    "教": "jiao1", "干": "gan4", "扎": "zha1", "擦": "ca1", "便": "bian4", "上": "shang4", "下": "xia4",
    "个": "ge4", "和": "he2", "与": "yu3", "曾": "ceng2", "当": "dang1", "空": "kong1", "散": "san4", "咯": "lo5",
}  # fmt: skip
"""Readings of characters that stand as words of their own."""
_WORD_READINGS = {
    "一会儿": "yi2 hui4 er5", "血淋淋": "xie3 lin2 lin2", "角色": "jue2 se4", "长得": "zhang3 de5", "长着": "zhang3 zhe5",
    "处处": "chu4 chu4", "觉得": "jue2 de5", "还款": "huan2 kuan3", "还钱": "huan2 qian2", "还给": "huan2 gei3",
    "哪儿": "na3 er5", "那儿": "na4 er5", "这儿": "zhe4 er5", "得了": "de2 le5", "为了": "wei4 le5", "除了": "chu2 le5",
    "只好": "zhi3 hao3", "一只": "yi1 zhi1", "几只": "ji3 zhi1", "两只": "liang3 zhi1", "三只": "san1 zhi1",
    "有的是": "you3 de5 shi4", "目的地": "mu4 di4 di4", "目的": "mu4 di4", "的确": "di2 que4", "的士": "di1 shi4",
    "着急": "zhao2 ji2", "睡着": "shui4 zhao2", "猜着": "cai1 zhao2", "找着": "zhao3 zhao2", "了解": "liao3 jie3",
    "受不了": "shou4 bu5 liao3", "忘不了": "wang4 bu5 liao3", "少不了": "shao3 bu5 liao3", "不得了": "bu4 de2 liao3",
    "大不了": "da4 bu5 liao3", "了不起": "liao3 bu5 qi3", "不得不": "bu4 de2 bu4", "行不行": "xing2 bu5 xing2",
}  # fmt: skip
_ER_FULL = frozenset(
    "女儿 婴儿 孤儿 幼儿 健儿 宠儿 胎儿 少儿 育儿 患儿 生儿 混血儿 新生儿 托儿 男儿 孩儿 娇儿 弃儿 乞儿 小儿 妻儿 佼佼儿 吉祥儿".split()
)
"""Words whose 儿 is a syllable of meaning, not a suffix."""
_DIGITS = frozenset("零〇一二三四五六七八九幺两十百千万亿")
_CARDINAL_UNITS = frozenset("百千万亿")
_MEASURED = frozenset("一二三四五六七八九十两几半每这那哪百千万亿多数")


@dataclass(frozen=True, slots=True)
class Word:
    """A segmented word with its surface syllables.

    Attributes:
        text: the characters.
        start: index of the first in the run.
        phonemes: initial and final-with-tone of each syllable, joined.
    """

    text: str
    start: int
    phonemes: tuple[str, ...]


@functools.cache
def _segmenter() -> object:
    with warnings.catch_warnings():
        # jieba asks for pkg_resources, whose deprecation is no concern of the reader's.
        warnings.simplefilter("ignore")
        import jieba

    jieba.setLogLevel(logging.ERROR)
    jieba.initialize()
    return jieba.dt


@functools.cache
def _neutral_words() -> frozenset[str]:
    text = importlib.resources.files("yinse.text").joinpath("data/mandarin_neutral.txt").read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def _to_phonemes(syllable: str) -> tuple[str, str] | None:
    """Pinyin with tone number to (initial, final + tone); None if it is no syllable of the table."""
    match = _SYLLABLE.fullmatch(syllable)
    if match is None:
        return None
    letters, tone = match[1].replace("ü", "v"), match[2]
    if letters in _NASAL_INTERJECTIONS:
        letters = "en"
    letters = letters.replace("ê", "ei" if letters == "ê" else "e")
    initial = next((i for i in _INITIALS_BY_LENGTH if letters.startswith(i)), "")
    final = letters[len(initial) :]
    if not initial:
        initial = {"a": "AA", "e": "EE", "o": "OO"}.get(letters[0], "")
    elif initial in ("j", "q", "x", "y") and final in ("u", "ue", "uan", "un"):
        final = "v" + final[1:]
    elif initial in ("zh", "ch", "sh", "r") and final == "i":
        final = "ir"
    elif initial in ("z", "c", "s") and final == "i":
        final = "i0"
    elif initial == "y" and final in ("e", "an"):
        final = {"e": "E", "an": "En"}[final]
    return (initial, final + tone) if initial and final in _FINALS else None


def _base_syllables(word: str) -> list[str | None]:
    """Dictionary readings, one per character; None where there is none."""
    from pypinyin import Style, lazy_pinyin

    if word in _WORD_READINGS:
        return list(_WORD_READINGS[word].split())
    if word in _SINGLE_READINGS:
        return [_SINGLE_READINGS[word]]
    # Characters without a reading come back as they are, so that the count stays right.
    found = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True, errors=list)  # type: ignore[arg-type]
    syllables: list[str | None] = list(found)
    if len(syllables) != len(word):
        # A phrase whose entry has another number of syllables: character by character is always right in number.
        syllables = [_base_syllables(char)[0] for char in word]
    if len(word) > 1 and word in _neutral_words() and syllables[-1]:
        syllables[-1] = syllables[-1][:-1] + "5"
    if len(word) > 1 and word[-1] == "儿" and word not in _ER_FULL and syllables[-1]:
        syllables[-1] = "er5"
    if len(word) > 1 and word[-1] == "们" and syllables[-1]:
        syllables[-1] = "men5"
    return syllables


_cached_syllables = functools.lru_cache(maxsize=65536)(lambda word: tuple(_base_syllables(word)))
_cached_phonemes = functools.lru_cache(maxsize=4096)(_to_phonemes)


def _cut(run: str) -> Iterator[str]:
    for start in range(0, len(run), _CUT_MAX):
        yield from _segmenter().cut(run[start : start + _CUT_MAX])  # type: ignore[attr-defined]


def _merge(words: Sequence[str]) -> list[str]:
    """Joins what belongs together: a suffix 儿, and 一 or 不 of "V一V", "A不A"."""
    merged: list[str] = []
    for word in words:
        if merged and word == "儿" and merged[-1][-1] not in _DIGITS:
            merged[-1] += word
        else:
            merged.append(word)
    return merged


def _apply_bu(chars: str, tones: list[int], splits: frozenset[int]) -> None:
    for i, char in enumerate(chars):
        if char != "不":
            continue
        inside = 0 < i < len(chars) - 1
        if inside and chars[i - 1] == chars[i + 1] and i >= 1 and not (i >= 2 and chars[i - 2] == "不"):
            tones[i] = 5
        elif inside and i not in splits and i + 1 not in splits and i - 1 in splits and (i + 2 in splits or i + 2 == len(chars)):
            tones[i] = 5
        elif tones[i] != 5 and i + 1 < len(chars) and tones[i + 1] == 4:
            tones[i] = 2


def _apply_yi(chars: str, tones: list[int], lexical: Sequence[int], splits: frozenset[int]) -> None:
    for i, char in enumerate(chars):
        if char != "一" or tones[i] != 1:
            continue
        before = chars[i - 1] if i else ""
        after = chars[i + 1] if i + 1 < len(chars) else ""
        ends_word = i + 1 in splits and i not in splits
        if not after or (ends_word and before not in "有同") or before in ("第", "初", "之") or after in ("月", "号", "楼"):
            continue
        if before and before == after and before not in _DIGITS:
            tones[i] = 5
            continue
        if after not in _CARDINAL_UNITS and (before in _DIGITS or before == "点" or after in _DIGITS):
            continue
        if after in ("点", "日") and (i + 2 < len(chars) and chars[i + 2] in _DIGITS or before == "月"):
            continue
        tones[i] = 2 if lexical[i + 1] == 4 else 4


def _apply_third(words: Sequence[str], tones: list[int]) -> None:
    """Third-tone chains change inside feet of up to three syllables."""
    feet: list[list[int]] = []  # word lengths of each foot
    position = 0
    for word in words:
        joins = (
            feet
            and sum(feet[-1]) + len(word) <= 3
            and position > 0
            and tones[position - 1] == 3
            and tones[position] == 3
        )
        if joins:
            feet[-1].append(len(word))
        else:
            feet.append([len(word)])
        position += len(word)
    position = 0
    for foot in feet:
        size = sum(foot)
        here = tones[position : position + size]
        if size == 3 and here == [3, 3, 3] and foot[0] == 1 and len(foot) > 1 and foot[1] == 2:
            tones[position + 1] = 2
        elif size == 3 and here == [3, 3, 3] and len(foot) == 1 and _starts_single(words, position):
            tones[position + 1] = 2
        else:
            for i in range(position, position + size - 1):
                if tones[i] == 3 and tones[i + 1] == 3:
                    tones[i] = 2
        position += size


_SINGLE_PREFIXES = frozenset("小老")


def _starts_single(words: Sequence[str], position: int) -> bool:
    """Whether the three-syllable word at `position` is built as one + two syllables, such as 小老虎."""
    start = 0
    for word in words:
        if start == position:
            return word[0] in _SINGLE_PREFIXES
        start += len(word)
    return False


def read_run(run: str) -> list[Word]:
    """Reads a run of Han characters without marks.

    Args:
        run: characters, any length.

    Returns:
        Words in order with surface phonemes; characters without a reading are left out, and words without any.
    """
    words = _merge(list(_cut(run)))
    kept: list[tuple[str, int, str, list[str]]] = []  # word, start, speakable characters, syllables
    start = 0
    for word in words:
        pairs = [(c, s) for c, s in zip(word, _cached_syllables(word), strict=True) if s and _cached_phonemes(s)]
        if pairs:
            kept.append((word, start, "".join(c for c, _ in pairs), [s for _, s in pairs]))
        start += len(word)
    chars = "".join(entry[2] for entry in kept)
    syllables = [s for entry in kept for s in entry[3]]
    lexical = [int(s[-1]) for s in syllables]
    tones = list(lexical)
    starts, at = [], 0
    for entry in kept:
        starts.append(at)
        at += len(entry[2])
    _contextual(chars, syllables, tones, lexical, [entry[2] for entry in kept])
    splits = frozenset(starts)
    _apply_bu(chars, tones, splits)
    _apply_yi(chars, tones, lexical, splits)
    _apply_third([entry[2] for entry in kept], tones)
    result: list[Word] = []
    for (word, word_start, speakable, _), at in zip(kept, starts, strict=True):
        phonemes: list[str] = []
        for i in range(at, at + len(speakable)):
            pair = _cached_phonemes(f"{syllables[i][:-1]}{tones[i]}")
            if pair:
                phonemes += pair
        result.append(Word(word, word_start, tuple(phonemes)))
    return result


def _contextual(chars: str, syllables: list[str], tones: list[int], lexical: list[int], words: Sequence[str]) -> None:
    """Readings of single characters that depend on their neighbours; changes the lists in place."""

    def set_reading(index: int, syllable: str) -> None:
        syllables[index] = syllable
        tones[index] = lexical[index] = int(syllable[-1])

    at = 0
    for index, word in enumerate(words):
        before = chars[at - 1] if at else ""
        after = chars[at + 1] if at + 1 < len(chars) else ""
        if word == "得" and (not before or before in "我你他她它们就还也可总都必"):
            set_reading(at, "dei3")
        elif word == "地" and (not before or before in "此当这那大天土各本外"):
            set_reading(at, "di4")
        elif word == "只" and before in _MEASURED:
            set_reading(at, "zhi1")
        elif word == "长" and after in ("大", "高", "得", "着", "出", "成"):
            set_reading(at, "zhang3")
        elif word == "还" and after in ("书", "钱", "债", "款", "给"):
            set_reading(at, "huan2")
        elif word[-1] == "个" and (word == "个" and before in _MEASURED or len(word) == 2 and word[0] in _MEASURED):
            # The tone that 一 sees stays the fourth.
            tones[at + len(word) - 1] = 5
        elif word == "种" and after and before not in _MEASURED and after in "树菜花地田":
            set_reading(at, "zhong4")
        at += len(word)
