"""A text taken apart into what a speaker trains by saying it: sounds, tones, transitions, kinds of sentence."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from yinse.core.types import PhonemeSequence
from yinse.corpus.inventory import Syllable, mandarin_inventory
from yinse.corpus.sentence_types import sentence_types
from yinse.corpus.speech_length import estimated_speech_s
from yinse.text.phonemes import phonemize
from yinse.text.symbols import ARPABET_VOWELS, BOUNDARIES, WORD_BOUNDARY, base_and_tone

Unit = tuple[str, str]
"""Kind and name, such as ("toned syllable", "ma1") or ("diphone", "AE-T")."""

TONED, TONELESS, INITIAL, FINAL = "toned syllable", "syllable", "initial", "final"
TONE, TONE_PAIR, CONTEXT = "tone", "tone pair", "context"
PHONEME, STRESSED, DIPHONE = "phoneme", "stressed phoneme", "diphone"
FEATURE, TYPE, LENGTH = "feature", "type", "length"

NEUTRAL, ERHUA, THIRD_TONES = "neutral tone", "erhua", "third tone before a third"
BU_RISING, YI_RISING, YI_FALLING = "不 before a fourth tone", "一 before a fourth tone", "一 before other tones"
LINKED = "vowel after a consonant of the word before"
CROWDED = "t or d between consonants across words"
MANDARIN_CONTEXTS = (NEUTRAL, ERHUA, THIRD_TONES, BU_RISING, YI_RISING, YI_FALLING, LINKED)
ENGLISH_CONTEXTS = (LINKED, CROWDED)

DIGITS, NAMES, LETTERS, LOANS = "digits", "names", "letters", "loan words"
FEATURES = (DIGITS, NAMES, LETTERS, LOANS)
LENGTHS = ("under 2 s", "2 to 5 s", "5 to 10 s", "over 10 s")

_VOWELS = frozenset(ARPABET_VOWELS)
_ZERO_INITIALS = frozenset(("AA", "EE", "OO"))
_HAN = re.compile("[㐀-䶿一-鿿]")
_DIGITS = re.compile(
    "[0-9０-９]|[一二三四五六七八九十百千万零两幺]{2,}(?!百叶)|百分之|"
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    r"eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million)\b",
    re.I,
)
_LETTERS_ZH = re.compile("[A-Z]{1,5}(?![a-z])")
_LETTERS_EN = re.compile(r"\b(?:[A-Z]{2,5}s?|[B-HJ-Z])\b(?!['’])")
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦方白邹孟熊秦邱江尹薛段雷侯龙史陶黎贺顾毛郝龚邵万钱严武"
    "戴莫孔向汤聂翁"
)
_NAMES_ZH = re.compile(
    f"[{_SURNAMES}](?:先生|女士|小姐|老师|教授|教练|医生|大夫|师傅|经理|主任|导演?|律师|阿姨|叔叔?|大妈|大爷|奶奶|爷爷|婶儿?|师母|同学|组长)"
    "|[小老](?:王|李|张|刘|陈|杨|赵|周|吴|郑|孙|蒋|林|徐|胡|郭|罗|谢|韩|彭)(?!家)|老钱头"
    "|(?:王|李|张|刘|陈|杨|赵|周|孙|林|苏)(?:丽华|建国|晓燕|伟|一鸣|杰|浩然|小雨|思远|小曼|妮|敏|强|静|磊|洋|艳|勇|娜)"
    "|北京|上海|广州|深圳|南京|杭州|成都|西安|武汉|重庆|天津|哈尔滨|昆明|郑州|乌鲁木齐|三亚|桂林|鼓浪屿|珠穆朗玛|长江|黄河|新疆|浙江|山西"
    "|非洲|亚洲|欧洲|美洲|南极|撒哈拉|太平洋|莎士比亚|萨克森"
)
_NAMES_EN = re.compile(
    r"(?<=[a-z,;:] )(?!I\b|I'|[A-Z]{2,}\b)[A-Z][a-z]+(?:'s)?|\b(?:Mr|Mrs|Ms|Dr)\.? [A-Z]|^[A-Z][a-z]+ [A-Z][a-z]"
)
_LOANS_ZH = re.compile(
    "巧克力|咖啡|沙发|沙拉|披萨|三明治|汉堡|可乐|寿司|拿铁|摩卡|提拉米苏|蛋挞|柠檬|芒果|马克杯|吉他|贝斯|爵士|探戈|芭蕾|萨克斯|摩托|吉普|巴士|卡车|卡片"
    "|马拉松|高尔夫|保龄球|维生素|幽默|逻辑|雷达|克隆|基因|扑克|迪斯科|打的|坦克|雪茄|啤酒|酒吧|香槟|布丁|奶昔|曲奇|培根|尼龙|桑拿|瑜伽|蕾丝"
    "|[A-Za-z]{3,}|[A-Za-z]+[a-z]"
)
_LOANS_EN = re.compile(
    r"[à-öø-ÿ]|\b(?:croissant|sushi|tacos?|pho|ballet|ballerina|avant-garde|garage|latte|cafe|karaoke|kindergarten|"
    r"tsunami|deja vu|au pair|ratatouille|boutique|rouge|beige|spaghetti|pizza|pasta|yoga|guava|wasabi|avocado|chutney|"
    r"couscous|chai|plateau|encore|bravo|collages?|foyer|poncho|ukuleles?|python|regatta|basil|jasmine|lavender|"
    r"hollandaise|cashmere|shawl|yacht|polka|bagels?|mural|piano|cello|banjo|yogurt|zebra|robot|canoe|plaza|vanilla|"
    r"cinnamon|orchestra|massage|menu|fiance|resume|genre|sauna|tofu|kimchi|espresso|burrito|matinee)\b",
    re.I,
)
_CHILDREN = frozenset(
    "女儿 婴儿 孤儿 幼儿 胎儿 少儿 男儿 侄儿 孙儿 健儿 宠儿 弃儿 患儿 混血儿 早产儿 新生儿 小儿 育儿".split()
)
_LENGTH_BORDERS_S = (2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class SpokenText:
    """A text, taken apart.

    Attributes:
        text: as written.
        units: how often each unit occurs; types, features and length occur once at most.
        speech_s: how long it takes to say, estimated.
        syllables: Mandarin syllables.
        words: English words; those inside a Mandarin text count too.
        languages: words by language, "zh" and "en".
    """

    text: str
    units: Counter[Unit]
    speech_s: float
    syllables: int
    words: int
    languages: Counter[str]


def take_apart(text: str, *, language: str | None = None, punctuated: bool = True) -> SpokenText:
    """Takes a text apart.

    Diphones and tone pairs do not reach across marks, for there a speaker pauses.

    Args:
        text: a sentence or a few.
        language: "zh" or "en" for what could be either (numbers); None: by script.
        punctuated: False for transcripts without marks: they have no sentence type.

    Raises:
        BadText: nothing in the text can be spoken.
        ConfigError: unknown language.
    """
    sequence = phonemize(text, language=language, punctuated=punctuated)
    speech_s = estimated_speech_s(sequence)
    units: Counter[Unit] = Counter()
    syllables = 0
    for phrase in _phrases(sequence):
        spoken = _mandarin_units(phrase, units)
        syllables += spoken
        _english_units(phrase, units)
    for feature in _features(text):
        units[FEATURE, feature] += 1
    if punctuated:
        for kind in sentence_types(text):
            units[TYPE, kind] += 1
    units[LENGTH, LENGTHS[sum(speech_s >= border for border in _LENGTH_BORDERS_S)]] += 1
    languages = Counter(each for each in sequence.word_languages if each)
    return SpokenText(text, units, speech_s, syllables, languages["en"], languages)


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    language: str
    symbols: tuple[str, ...]


def _phrases(sequence: PhonemeSequence) -> Iterator[list[_Word]]:
    """Words between marks."""
    symbols = iter(sequence.symbols)
    phrase: list[_Word] = []
    for length, text, language in zip(sequence.word_lengths, sequence.word_texts, sequence.word_languages, strict=True):
        part = tuple(itertools.islice(symbols, length))
        if language:
            phrase.append(_Word(text, language, part))
        elif part != (WORD_BOUNDARY,) and phrase:
            yield phrase
            phrase = []
    if phrase:
        yield phrase


def _mandarin_units(phrase: Sequence[_Word], units: Counter[Unit]) -> int:
    """Adds the Mandarin units of a phrase; the number of its syllables."""
    inventory = mandarin_inventory()
    syllables: list[Syllable | None] = []
    characters: list[str] = []
    for word in phrase:
        if word.language != "zh":
            syllables.append(None)
            characters.append("")
            continue
        pairs = list(zip(word.symbols[::2], word.symbols[1::2], strict=False))
        written = [c for c in word.text if _HAN.match(c)]
        characters_here = written if len(written) == len(pairs) else [""] * len(pairs)
        if _is_erhua(word):
            # the suffix colours the syllable before it and is none of its own
            units[CONTEXT, ERHUA] += 1
            pairs, characters_here = pairs[:-1], characters_here[:-1]
        syllables += [inventory.syllable(initial, final) for initial, final in pairs]
        characters += characters_here
    for syllable in filter(None, syllables):
        units[TONED, syllable.pinyin] += 1
        units[TONELESS, syllable.toneless] += 1
        units[INITIAL, syllable.initial] += 1
        units[FINAL, syllable.final] += 1
        units[TONE, str(syllable.tone)] += 1
        units[CONTEXT, NEUTRAL] += syllable.tone == 5
    for left, right, character in zip(syllables, syllables[1:], characters, strict=False):
        if left is None or right is None:
            continue
        units[TONE_PAIR, f"{left.tone}-{right.tone}"] += 1
        units[CONTEXT, LINKED] += right.initial in _ZERO_INITIALS and left.final.endswith(("n", "ng"))
        for context in _sandhi(left, right, character):
            units[CONTEXT, context] += 1
    for unit in [unit for unit, count in units.items() if not count]:
        del units[unit]
    return sum(syllable is not None for syllable in syllables)


def _is_erhua(word: _Word) -> bool:
    """Whether the last character of a word is the suffix 儿 and not the word for a child."""
    return len(word.text) > 1 and word.text[-1] == "儿" and word.text not in _CHILDREN and "er" in word.symbols[-1]


def _sandhi(left: Syllable, right: Syllable, character: str) -> Iterator[str]:
    """Tone changes of a syllable before another, told by the tone its character has in the dictionary."""
    if character == "不":
        if left.tone == 2:
            yield BU_RISING
    elif character == "一":
        if left.tone in (2, 4):
            yield YI_RISING if left.tone == 2 else YI_FALLING
    elif left.tone == 2:
        readings = mandarin_inventory().readings.get(character, ())
        if f"{left.toneless}3" in readings and left.pinyin not in readings:
            yield THIRD_TONES


def _english_units(phrase: Sequence[_Word], units: Counter[Unit]) -> None:
    """Adds the English units of a phrase."""
    before: list[str] = []
    for word in phrase:
        if word.language != "en":
            before = []
            continue
        phonemes = [base_and_tone(symbol) for symbol in word.symbols if symbol not in BOUNDARIES]
        bases = [base for base, _ in phonemes]
        for symbol, (base, _) in zip(word.symbols, phonemes, strict=False):
            units[PHONEME, base] += 1
            if base in _VOWELS:
                units[STRESSED, symbol] += 1
        joined = before[-1:] + bases
        for left, right in zip(joined, joined[1:], strict=False):
            units[DIPHONE, f"{left}-{right}"] += 1
        if before and bases:
            if before[-1] not in _VOWELS and bases[0] in _VOWELS:
                units[CONTEXT, LINKED] += 1
            is_crowded = before[-1] in ("T", "D") and len(before) > 1 and before[-2] not in _VOWELS
            if is_crowded and bases[0] not in _VOWELS:
                units[CONTEXT, CROWDED] += 1
        before = bases


def _features(text: str) -> Iterator[str]:
    is_mandarin = _HAN.search(text) is not None
    if _DIGITS.search(text):
        yield DIGITS
    if (_NAMES_ZH if is_mandarin else _NAMES_EN).search(text):
        yield NAMES
    if (_LETTERS_ZH if is_mandarin else _LETTERS_EN).search(text):
        yield LETTERS
    if (_LOANS_ZH if is_mandarin else _LOANS_EN).search(text):
        yield LOANS
