"""Readings of Mandarin characters before tone sandhi: patterns, phrases, rules, a context model, in that order.

A character with one reading has that one. Of the others the longest piece of text decides that is known to fix the
reading: a pattern of `data/polyphones.txt`, or a phrase of pypinyin's dictionary inside the word. Grammar rules read
one-character words (得, 地, 着, …); what is left is asked of the context model, or has its usual reading.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from yinse.text.context_model import choose_readings, is_known
from yinse.text.reading import Source

NUMERALS = frozenset("零〇一二三四五六七八九幺两十百千万亿")
_COUNTED_BY = NUMERALS | frozenset("几半每这那哪多数")
"""Characters after which a measure word stands."""

_ALONE: Mapping[str, str] = {
    "吗": "ma5", "呢": "ne5", "吧": "ba5", "啊": "a5", "呀": "ya5", "哇": "wa5", "哪": "na3", "嘛": "ma5",
    "啦": "la5", "喽": "lou5", "么": "me5", "谁": "shei2", "血": "xue4", "薄": "bao2", "没": "mei2", "哦": "o4",
    "喔": "o1", "嗯": "en4", "唉": "ai4", "哎": "ai1", "给": "gei3", "露": "lou4", "剥": "bao1", "削": "xiao1",
    "熟": "shu2", "倒": "dao4", "背": "bei4", "挨": "ai2", "尽": "jin4", "嘞": "lei5", "扎": "zha1", "擦": "ca1",
    "上": "shang4", "下": "xia4", "个": "ge4", "散": "san4", "咯": "lo5", "们": "men5", "过": "guo4", "地": "de5",
    "差": "cha4", "处": "chu4", "干": "gan4", "为": "wei4", "卷": "juan3",
    "儿": "er2", "子": "zi3", "头": "tou2", "哟": "yo5",
}  # fmt: skip
"""Characters that stand as words of their own and have no usual reading in the patterns."""
_WORDS: Mapping[str, str] = {
    "一会儿": "yi1 hui4 er5", "血淋淋": "xie3 lin2 lin2", "角色": "jue2 se4", "长得": "zhang3 de5",
    "处处": "chu4 chu4", "查查": "cha2 cha5", "长着": "zhang3 zhe5", "哪儿": "na3 er5",
    "那儿": "na4 er5", "这儿": "zhe4 er5",
    "得了": "de2 le5", "为了": "wei4 le5", "除了": "chu2 le5", "有的是": "you3 de5 shi4", "落下": "luo4 xia4",
    "夹克": "jia1 ke4", "晕车": "yun4 che1", "买东西": "mai3 dong1 xi5", "谢谢": "xie4 xie5", "小姐": "xiao2 jie5",
    "小姐姐": "xiao3 jie3 jie5", "哪里": "na3 li3", "想想": "xiang2 xiang5", "走走": "zou2 zou5",
    "讲讲": "jiang2 jiang5", "写写": "xie2 xie5", "洗洗": "xi2 xi5", "跑跑": "pao2 pao5", "找找": "zhao2 zhao5",
    "等一等": "deng3 yi5 deng3", "想一想": "xiang3 yi5 xiang3", "像样儿": "xiang4 yang4 er5",
}  # fmt: skip
DOUBLED_VERBS = frozenset("看听说想试走坐问写读学玩找等吃喝聊转逛算猜尝洗擦摸动管练歇讲谈瞧查翻唱跳跑站")
"""Verbs that are doubled for a while's doing; the second is unstressed."""
_ER_FULL = frozenset(
    "女儿 婴儿 孤儿 幼儿 健儿 宠儿 胎儿 少儿 育儿 患儿 生儿 混血儿 新生儿 托儿 男儿 孩儿 娇儿 弃儿 乞儿 小儿"
    " 妻儿 小女儿 大女儿 二女儿 孙女儿 吉祥儿 生儿育女".split()
)
"""Words whose 儿 is a syllable of meaning, not a suffix."""
_SURNAMES: Mapping[str, str] = {
    "曾": "zeng1", "单": "shan4", "仇": "qiu2", "任": "ren2", "区": "ou1", "盖": "ge3", "华": "hua4", "解": "xie4",
    "朴": "piao2", "查": "zha1", "宁": "ning4", "翟": "zhai2", "缪": "miao4", "卜": "bu3", "应": "ying1", "燕": "yan1",
    "葛": "ge3", "纪": "ji3", "召": "shao4", "覃": "qin2", "员": "yun4", "折": "she2", "谌": "chen2", "郗": "xi1",
    "乐": "yue4", "盛": "sheng4", "强": "qiang2", "曲": "qu1", "晁": "chao2",
}  # fmt: skip
_TITLES = tuple(
    "先生 女士 小姐 老师 教授 医生 大夫 经理 主任 局长 校长 队长 师傅 同学 阿姨 某某 警官 律师 教练 导演 家庄".split()
)

_ADVERBS = frozenset("就也都还总可必只真又你我他她您们咱谁它") | frozenset(
    "千万 起码 恐怕 今晚 今天 明天 至少 以后 之前 之后 我们 你们 他们 她们 大家 可能 肯定 一定 总归 大概 应该 这时"
    " 每天 下回 下次 回头 到时 到时候 咱们 最少 人们 同学们 老师 妈妈 爸爸 首先 将来 现在 有时 往往 终究 迟早 大约"
    " 自己 还是".split()
)
_CLASSED_MAX = 3
_TAGGED_WRONG = frozenset("高兴 冷清 漂亮 精彩 热闹 干净 清楚 辛苦 安静".split())
_OBJECTS = frozenset("车饭班学家路话事钱房床门书菜水药酒茶店货衣婚琴歌舞")
"""Last characters of verbs that hold their object, such as 下车, which take no complement with 得."""
_COMPLEMENTS = frozenset("很慌真像更最太死这那")
_NOUNS = frozenset("人车钱饭菜书水药茶酒狗猫鸟鱼花草树门窗床灯家店路船国省市县个条张件颗粒块片粥")
"""Nouns and measure words of one character before which 得 is the verb."""
_GROUNDS = frozenset("此当这那大天土各本外")
_PLACES = frozenset("里上下面")
_GROWN = frozenset("大高得着出成满胖到起")
_FOUND = frozenset("找猜逮钓够睡见")
_FELL = frozenset("啃推打摔撞吹绊压累病晕跌击拉踢砍扳扶放推")
_CONFIDENT = 0.95
"""The context model is believed from this probability on."""
_PATTERN_MARK = "~"
_RUN_END = "$"


@dataclass(slots=True)
class _Polyphone:
    """What is known of a character: its readings, the usual one first, and texts around it that fix one."""

    readings: list[str] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)  # characters before and after it, longest first
    texts: dict[tuple[int, str], str] = field(default_factory=dict)  # (characters before, text) to reading


@functools.cache
def _polyphones() -> dict[str, _Polyphone]:
    text = importlib.resources.files("yinse.text").joinpath("data/polyphones.txt").read_text("utf-8")
    table: dict[str, _Polyphone] = defaultdict(_Polyphone)
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        char, reading, *patterns = line.split()
        entry = table[char]
        if reading not in entry.readings:
            entry.readings.append(reading)
        for pattern in patterns:
            around = pattern.replace(_PATTERN_MARK, char)
            for before, sign in enumerate(pattern):
                if sign == _PATTERN_MARK:
                    entry.texts[before, around] = reading
    for entry in table.values():
        spans = {(before, len(around) - before - 1) for before, around in entry.texts}
        entry.spans = sorted(spans, key=lambda span: (-sum(span), span))
    return dict(table)


def _by_pattern(run: str, index: int, word: tuple[int, int], phrase: int) -> str | None:
    """Reading of the longest pattern that fits the character at `index`.

    Args:
        run: characters.
        index: which of them.
        word: start and end of its word.
        phrase: length of the phrase in the word that holds it; a pattern inside the word must not be shorter, one
            across its ends must be longer.
    """
    entry = _polyphones().get(run[index])
    if entry is not None:
        for before, after in entry.spans:
            start, end = index - before, index + after + 1
            inside = start >= word[0] and min(end, len(run)) <= word[1]
            if end - start < max(phrase + (not inside and phrase > 1), 2):
                continue
            if start < 0 or end > len(run) + 1:
                continue
            around = run[start:end] + _RUN_END * (end - len(run))
            if reading := entry.texts.get((before, around)):
                return reading
    return None


@functools.cache
def _neutral_words() -> frozenset[str]:
    text = importlib.resources.files("yinse.text").joinpath("data/mandarin_neutral.txt").read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


@functools.lru_cache(maxsize=16384)
def _looked_up(word: str) -> tuple[str | None, ...]:
    from pypinyin import Style, lazy_pinyin

    # Characters without a reading come back as they are, so that the count stays right.
    found = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True, errors=list)  # type: ignore[arg-type]
    if len(found) == len(word):
        return tuple(syllable.replace("ü", "v") for syllable in found)
    return tuple(_looked_up(char)[0] if len(word) > 1 else None for char in word)


def _phrase_lengths(word: str) -> list[int]:
    """For each character of a word the length of the longest dictionary phrase inside the word that holds it."""
    from pypinyin.constants import PHRASES_DICT

    lengths = [1] * len(word)
    for length in range(min(len(word), 8), 1, -1):
        for start in range(len(word) - length + 1):
            if word[start : start + length] in PHRASES_DICT:
                for index in range(start, start + length):
                    lengths[index] = max(lengths[index], length)
        if min(lengths) > 1:
            break
    return lengths


@functools.lru_cache(maxsize=65536)
def _word_readings(word: str) -> tuple[tuple[str | None, ...], tuple[int, ...]]:
    """Readings of a word out of context, and by how long a phrase each character was found (1: by itself)."""
    if word in _WORDS:
        return tuple(_WORDS[word].split()), (len(word),) * len(word)
    if len(word) == 1:
        entry = _polyphones().get(word)
        return (_ALONE.get(word) or (entry.readings[0] if entry else _looked_up(word)[0]),), (1,)
    syllables = list(_looked_up(word))
    lengths = _phrase_lengths(word)
    for index, char in enumerate(word):
        if lengths[index] == 1 and (entry := _polyphones().get(char)):
            # In a word that the segmenter has made up, the character may as well stand alone.
            alone = None if word in _word_classes() else _ALONE.get(char)
            syllables[index] = alone or entry.readings[0]
        # Some entries of the dictionary have sandhi applied already, and only some.
        if char == "一":
            syllables[index] = "yi1"
        elif char == "不":
            syllables[index] = "bu4"
    return tuple(syllables), tuple(lengths)


def _without_tone(word: str) -> int | None:
    """Index of the character of a word that is neutral there although it has a tone of its own."""
    # Longer words end like the short one: 小朋友, 站起来.
    suffixed = word[-1] == "们" or word[-1] == "儿" and word not in _ER_FULL
    doubled = len(word) == 2 and word[0] == word[1] and word[0] in DOUBLED_VERBS
    return len(word) - 1 if len(word) > 1 and (suffixed or doubled or word[-2:] in _neutral_words()) else None


@functools.cache
def _word_classes() -> dict[str, str]:
    """Words of the segmenter's dictionary, and the first letter of their part-of-speech tag."""
    import jieba

    with jieba.get_dict_file() as lines:
        entries = (line.decode("utf-8").split() for line in lines)
        return {word: tag[0] for word, _, tag in entries if len(word) <= _CLASSED_MAX}


def _takes_complement(word: str) -> bool:
    """Whether 得 after a word is the particle: verbs, adjectives, and what no dictionary has, such as 腿软."""
    classes = _word_classes()
    ends_well = word[-1] not in _OBJECTS and classes.get(word, "v") in "vaz"
    return ends_well or classes.get(word[-1]) == "a" or word in _TAGGED_WRONG


def _read_de(before: str, after: str) -> str | None:
    """得 as a word: the particle of a complement after verbs and adjectives, else the verb "must"."""
    if not before or before in _ADVERBS:
        return "dei3"
    if after[:1] in _COMPLEMENTS or len(before) == 1 and before not in _NOUNS:
        return None
    if _takes_complement(before):
        return None
    return "dei3" if after else None


def _by_grammar(words: Sequence[str], index: int) -> str | None:
    """Reading of a one-character word that its neighbours decide."""
    word = words[index]
    before = words[index - 1] if index else ""
    after = words[index + 1] if index + 1 < len(words) else ""
    last, first = before[-1:], after[:1]
    if word == "得":
        return _read_de(before, after)
    if word == "地" and len(before) > 1 and before[-1] == before[-2]:
        return "de5"
    decides = {
        "地": ("di4", not before or before in _GROUNDS or first in _PLACES and not _takes_complement(before)),
        "只": ("zhi1", last in _COUNTED_BY or last == "像"),
        "长": ("zhang3", first in _GROWN),
        "着": ("zhao2", before in _FOUND and first in ("", "了")),
        "倒": ("dao3", before in _FELL or first in ("下", "塌")),
        "种": ("zhong3", last in _COUNTED_BY),
        "里": ("li5", bool(before) and last not in _COUNTED_BY and last != "公"),
    }
    reading, holds = decides.get(word, ("", False))
    return reading if holds else None


def _by_name(run: str, index: int) -> str | None:
    """Reading of a surname before a title or after 姓."""
    surname = _SURNAMES.get(run[index])
    if surname is None:
        return None
    return surname if run.startswith(_TITLES, index + 1) or run[index - 1 : index] == "姓" and index else None


def _is_open(char: str) -> bool:
    """Whether the context model is asked for a character that no phrase holds."""
    return char not in _polyphones() and char not in _ALONE and is_known(char)


def lexical_readings(words: Sequence[str]) -> tuple[list[str | None], list[Source]]:
    """Pinyin of all characters of a run before tone sandhi, and who decided each.

    Args:
        words: the words of a run of Han characters without marks.

    Returns:
        One syllable such as "hao3" per character; None, or anything that is no syllable, where none is known.
    """
    run = "".join(words)
    syllables: list[str | None] = []
    sources: list[Source] = []
    asked: list[int] = []
    for index, word in enumerate(words):
        neutral = _without_tone(word)
        span = (len(syllables), len(syllables) + len(word))
        for place, (usual, length) in enumerate(zip(*_word_readings(word), strict=True)):
            at = len(syllables)
            chosen, source = usual, Source.PHRASE if length > 1 else Source.DICTIONARY
            if name := _by_name(run, at):
                chosen, source = name, Source.RULE
            elif len(word) == 1 and (ruled := _by_grammar(words, index)):
                chosen, source = ruled, Source.RULE
            elif special := _by_pattern(run, at, span, length):
                chosen, source = special, Source.PHRASE
            elif length == 1 and place != neutral and _is_open(run[at]):
                asked.append(at)
            if place == neutral and chosen:
                chosen = "er5" if word[-1] == "儿" else chosen[:-1] + "5"
            syllables.append(chosen)
            sources.append(source)
    if asked:
        for at, (reading, probability) in choose_readings(run, asked).items():
            if probability >= _CONFIDENT:
                syllables[at], sources[at] = reading, Source.CONTEXT_MODEL
    return syllables, sources


def is_counted(words: Sequence[str], index: int) -> bool:
    """Whether the word is, or ends in, the measure word 个 after a numeral or demonstrative: it is unstressed."""
    word = words[index]
    if word == "个":
        return index > 0 and words[index - 1][-1] in _COUNTED_BY
    return len(word) > 1 and word[-1] == "个" and word[-2] in _COUNTED_BY
