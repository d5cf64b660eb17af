"""Readings of Mandarin words: the dictionary's, corrected where speech or context asks for another."""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Mapping, Sequence

NUMERALS = frozenset("零〇一二三四五六七八九幺两十百千万亿")
_COUNTED_BY = NUMERALS | frozenset("几半每这那哪多数")
"""Characters after which a measure word stands."""

_ALONE: Mapping[str, str] = {
    "的": "de5", "地": "de5", "得": "de5", "了": "le5", "着": "zhe5", "过": "guo4", "吗": "ma5", "呢": "ne5",
    "吧": "ba5", "啊": "a5", "呀": "ya5", "哇": "wa5", "哪": "na3", "嘛": "ma5", "啦": "la5", "喽": "lou5",
    "么": "me5", "还": "hai2", "都": "dou1", "长": "chang2", "为": "wei4", "谁": "shei2", "血": "xue4", "薄": "bao2",
    "没": "mei2", "只": "zhi3", "哦": "o4", "喔": "o1", "嗯": "en4", "唉": "ai4", "哎": "ai1", "给": "gei3",
    "露": "lou4", "剥": "bao1", "削": "xiao1", "熟": "shu2", "种": "zhong3", "重": "zhong4", "行": "xing2",
    "倒": "dao4", "背": "bei4", "挨": "ai2", "尽": "jin4", "更": "geng4", "将": "jiang1", "似": "si4", "嘞": "lei5",
    "教": "jiao1", "干": "gan4", "扎": "zha1", "擦": "ca1", "便": "bian4", "上": "shang4", "下": "xia4",
    "朝": "chao2", "个": "ge4", "和": "he2", "与": "yu3", "曾": "ceng2", "当": "dang1", "空": "kong1", "散": "san4",
    "咯": "lo5", "调": "tiao2", "们": "men5",
}  # fmt: skip
"""Characters that stand as words of their own."""
_WORDS: Mapping[str, str] = {
    "一会儿": "yi1 hui4 er5", "血淋淋": "xie3 lin2 lin2", "角色": "jue2 se4", "长得": "zhang3 de5",
    "处处": "chu4 chu4", "长着": "zhang3 zhe5", "哪儿": "na3 er5", "那儿": "na4 er5", "这儿": "zhe4 er5",
    "得了": "de2 le5", "还款": "huan2 kuan3", "还钱": "huan2 qian2", "还给": "huan2 gei3", "为了": "wei4 le5",
    "除了": "chu2 le5", "一只": "yi1 zhi1", "几只": "ji3 zhi1", "两只": "liang3 zhi1", "三只": "san1 zhi1",
    "有的是": "you3 de5 shi4", "的确": "di2 que4", "着急": "zhao2 ji2", "睡着": "shui4 zhao2",
    "睡不着": "shui4 bu5 zhao2", "猜着": "cai1 zhao2", "找着": "zhao3 zhao2", "用不着": "yong4 bu5 zhao2",
    "犯不着": "fan4 bu5 zhao2", "够不着": "gou4 bu5 zhao2", "找不着": "zhao3 bu5 zhao2", "摸不着": "mo1 bu5 zhao2",
    "受不了": "shou4 bu5 liao3", "忘不了": "wang4 bu5 liao3", "少不了": "shao3 bu5 liao3", "大不了": "da4 bu5 liao3",
    "不得了": "bu4 de2 liao3", "了不起": "liao3 bu5 qi3", "不得不": "bu4 de2 bu4", "行不行": "xing2 bu5 xing2",
    "落下": "luo4 xia4", "夹克": "jia1 ke4", "晕车": "yun4 che1", "买东西": "mai3 dong1 xi5", "谢谢": "xie4 xie5",
    "小姐": "xiao2 jie5",
    "小姐姐": "xiao3 jie3 jie5", "哪里": "na2 li5", "想想": "xiang2 xiang5", "走走": "zou2 zou5",
    "讲讲": "jiang2 jiang5", "写写": "xie2 xie5", "洗洗": "xi2 xi5", "跑跑": "pao2 pao5", "找找": "zhao2 zhao5",
    "等一等": "deng3 yi5 deng3", "想一想": "xiang3 yi5 xiang3", "差不多": "cha4 bu5 duo1", "来不及": "lai2 bu5 ji2",
    "对不起": "dui4 bu5 qi3", "不由得": "bu4 you2 de5", "得很": "de5 hen3", "像样儿": "xiang4 yang4 er5",
}  # fmt: skip
_DE_FULL = frozenset(
    "得到 得意 得分 得知 得以 得罪 得奖 得失 得当 得手 得体 得救 获得 取得 赢得 求得 难得 心得 所得 博得 夺得"
    " 不得 只得 贪得无厌 得寸进尺 得天独厚 得心应手 得不偿失 舍不得 恨不得 怪不得 由不得 巴不得 了不得 使不得"
    " 不得已 哭笑不得 迫不得已 相得益彰 罪有应得".split()
)
"""Words whose 得 keeps its second tone."""
_ER_FULL = frozenset(
    "女儿 婴儿 孤儿 幼儿 健儿 宠儿 胎儿 少儿 育儿 患儿 生儿 混血儿 新生儿 托儿 男儿 孩儿 娇儿 弃儿 乞儿 小儿"
    " 妻儿 小女儿 大女儿 二女儿 孙女儿 吉祥儿 生儿育女".split()
)
"""Words whose 儿 is a syllable of meaning, not a suffix."""

_ADVERBS = frozenset("就也都还总可必只真又你我他她您们") | frozenset(
    "千万 起码 恐怕 今晚 今天 明天 至少 以后 之前 之后 我们 你们 他们 大家 可能 肯定 一定 总归 大概 应该 这时"
    " 每天 咱们 最少".split()
)
_NEEDS = frozenset("用守拿自戴抹随提搁找从请加先把给跟问让赶注")
"""First characters of what must be done: after them 得 is the verb dei3."""
_GROUNDS = frozenset("此当这那大天土各本外")
_PLACES = frozenset("里上下面")
_GROWN = frozenset("大高得着出成满胖到起")
_FOUND = frozenset("找猜逮钓够睡见")
_FELL = frozenset("啃推打摔撞吹绊压累病晕跌击拉踢砍扳")


@functools.cache
def _neutral_words() -> frozenset[str]:
    text = importlib.resources.files("yinse.text").joinpath("data/mandarin_neutral.txt").read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def _looked_up(word: str) -> list[str | None]:
    from pypinyin import Style, lazy_pinyin

    # Characters without a reading come back as they are, so that the count stays right.
    found = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True, errors=list)  # type: ignore[arg-type]
    if len(found) == len(word):
        return list(found)
    return [_looked_up(char)[0] if len(word) > 1 else None for char in word]


@functools.lru_cache(maxsize=65536)
def word_readings(word: str) -> tuple[str | None, ...]:
    """Pinyin with tone numbers of a word out of context, before tone sandhi.

    Args:
        word: Han characters.

    Returns:
        One syllable such as "hao3" per character; None, or anything that is no syllable, where none is known.
    """
    if word in _WORDS:
        return tuple(_WORDS[word].split())
    if word in _ALONE:
        return (_ALONE[word],)
    syllables = _looked_up(word)
    if len(word) == 1:
        return tuple(syllables)
    for index, char in enumerate(word):
        # Some entries of the dictionary have sandhi applied already, and only some.
        if char == "一":
            syllables[index] = "yi1"
        elif char == "不":
            syllables[index] = "bu4"
        elif char == "得" and index and syllables[index] == "de2" and word not in _DE_FULL:
            syllables[index] = "de5"
    if word[-2:] in _neutral_words():
        # Longer words end like the short one: 小朋友, 站起来.
        last = syllables[-1]
        syllables[-1] = last[:-1] + "5" if last else None
    if word[-1] == "儿" and word not in _ER_FULL:
        syllables[-1] = "er5"
    elif word[-1] == "们":
        syllables[-1] = "men5"
    return tuple(syllables)


def reading_in_context(words: Sequence[str], index: int) -> str | None:
    """Reading of a one-character word that its neighbours decide.

    Args:
        words: the words around it, without marks between them.
        index: which of them.

    Returns:
        Pinyin with tone number; None where the usual reading stands.
    """
    word = words[index]
    before = words[index - 1] if index else ""
    after = words[index + 1] if index + 1 < len(words) else ""
    last, first = before[-1:], after[:1]
    decides = {
        "得": ("dei3", not before or before in _ADVERBS or first in _NEEDS),
        "地": ("di4", not before or before in _GROUNDS or first in _PLACES),
        "只": ("zhi1", last in _COUNTED_BY or last == "像"),
        "长": ("zhang3", first in _GROWN),
        "还": ("huan2", first in frozenset("书钱债款给")),
        "着": ("zhao2", before in _FOUND and first in ("", "了")),
        "倒": ("dao3", before in _FELL or first in ("下", "塌")),
        "干": ("gan1", first == "等" or last in frozenset("很太晾晒吹擦肤")),
        "转": ("zhuan4", first in frozenset("了圈着")),
        "种": ("zhong4", first in frozenset("树菜花地田") and last not in _COUNTED_BY),
        "觉": ("jiao4", last in frozenset("睡着午懒")),
        "里": ("li5", bool(before) and last not in _COUNTED_BY and last != "公"),
    }
    reading, holds = decides.get(word, ("", False))
    return reading if holds else None


def is_counted(words: Sequence[str], index: int) -> bool:
    """Whether the word is, or ends in, the measure word 个 after a numeral or demonstrative: it is unstressed."""
    word = words[index]
    if word == "个":
        return index > 0 and words[index - 1][-1] in _COUNTED_BY
    return len(word) > 1 and word[-1] == "个" and word[-2] in _COUNTED_BY
