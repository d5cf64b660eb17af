"""What texts and recordings cover, told exactly on small examples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fakes import humming
from yinse.core.types import AudioClip
from yinse.corpus import prosody_range as pr
from yinse.corpus import sentence_types as st
from yinse.corpus import spoken_units as su
from yinse.corpus.bank import LANGUAGES, TAGS, shipped_bank, tags_of
from yinse.corpus.coverage import entropy_bits, inventory, text_coverage
from yinse.corpus.findings import find_gaps
from yinse.corpus.inventory import mandarin_inventory
from yinse.corpus.language_mix import language_mix
from yinse.corpus.losses import HeldOutLosses, losses_of_figures
from yinse.corpus.sampling import coverage_weights
from yinse.corpus.speaker_spread import speaker_spread
from yinse.corpus.spoken_units import take_apart
from yinse.corpus.voice_units import figures_of_units, units_of_figures


def units(text: str, kind: str) -> dict[str, int]:
    return {name: count for (each, name), count in take_apart(text).units.items() if each == kind}


def test_mandarin_is_taken_apart_exactly() -> None:
    assert units("妈妈喝茶。", su.TONED) == {"ma1": 1, "ma5": 1, "he1": 1, "cha2": 1}
    assert units("妈妈喝茶。", su.TONE_PAIR) == {"1-5": 1, "5-1": 1, "1-2": 1}
    assert units("妈妈喝茶。", su.INITIAL) == {"m": 2, "h": 1, "ch": 1}
    # no pair reaches across a mark
    assert "2-1" not in units("喝茶，喝汤。", su.TONE_PAIR)


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("我不去。", su.BU_RISING),
        ("等我一下。", su.YI_RISING),
        ("一天。", su.YI_FALLING),
        ("你好。", su.THIRD_TONES),
        ("花儿开。", su.ERHUA),
        ("妈妈。", su.NEUTRAL),
        ("平安。", su.LINKED),
    ],
)
def test_mandarin_contexts(text: str, context: str) -> None:
    assert context in units(text, su.CONTEXT)


def test_a_second_tone_of_the_dictionary_is_no_sandhi() -> None:
    assert su.THIRD_TONES not in units("牛奶。", su.CONTEXT)
    assert su.ERHUA not in units("女儿。", su.CONTEXT)


def test_english_is_taken_apart_exactly() -> None:
    assert units("A cat.", su.PHONEME) == {"AH": 1, "K": 1, "AE": 1, "T": 1}
    assert units("A cat.", su.DIPHONE) == {"AH-K": 1, "K-AE": 1, "AE-T": 1}
    assert units("A cat.", su.STRESSED) == {"AH0": 1, "AE1": 1}
    assert "T-S" not in units("Cat, sit.", su.DIPHONE)
    assert units("Pick up.", su.CONTEXT) == {su.LINKED: 1}
    assert units("Last week.", su.CONTEXT) == {su.CROWDED: 1}


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("今天下雨。", (st.STATEMENT,)),
        ("你吃饭了吗？", (st.YES_NO_QUESTION,)),
        ("能不能小声点儿？", (st.YES_NO_QUESTION,)),
        ("谁拿走了我的伞？", (st.WH_QUESTION,)),
        ("喝茶还是喝咖啡？", (st.ALTERNATIVE_QUESTION,)),
        ("太好了！", (st.EXCLAMATION,)),
        ("苹果、梨、桃子和葡萄。", (st.STATEMENT, st.LIST)),
        ("妈妈问：“谁来洗碗？”", (st.WH_QUESTION, st.QUOTATION)),
        ("Are you ready?", (st.YES_NO_QUESTION,)),
        ("Well, why did you leave?", (st.WH_QUESTION,)),
        ("Is it tea or coffee?", (st.ALTERNATIVE_QUESTION,)),
        ("What a day!", (st.EXCLAMATION,)),
        ("Bring bread, cheese, and apples.", (st.STATEMENT, st.LIST)),
        ('"Come in," she said.', (st.STATEMENT, st.QUOTATION)),
        ("no mark at all", (st.STATEMENT,)),
    ],
)
def test_sentence_types(text: str, types: tuple[str, ...]) -> None:
    assert st.sentence_types(text) == types


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("会议在3点。", su.DIGITS),
        ("房租三千五百块。", su.DIGITS),
        ("今天A股涨了。", su.LETTERS),
        ("李阿姨来了。", su.NAMES),
        ("我要一杯咖啡。", su.LOANS),
        ("It costs 20 dollars.", su.DIGITS),
        ("We met Anna there.", su.NAMES),
        ("Plug in the USB drive.", su.LETTERS),
        ("We had sushi.", su.LOANS),
    ],
)
def test_features(text: str, feature: str) -> None:
    assert feature in units(text, su.FEATURE)
    assert units("我去公园。", su.FEATURE) == units("We went home.", su.FEATURE) == {}


def test_the_inventory_knows_valid_syllables_only() -> None:
    known = mandarin_inventory()
    assert {"ma1", "zhuang4", "lv4", "er2"} <= known.common
    assert not {"bong1", "ba9", "ng2", "den1"} & known.toned
    assert 380 < len(known.toneless) < 415
    assert 1050 < len(known.common) < len(known.toned) < 1400
    # what arises by sandhi has the letters of its relatives
    syllable = known.syllable("w", "o2")
    assert syllable is not None
    assert syllable.pinyin == "wo2"


def test_coverage_counts_the_missing_and_the_rare() -> None:
    coverage = text_coverage([take_apart("妈妈喝茶。")], language="zh")
    toned = coverage.kind(su.TONED)
    assert toned.covered == 4
    assert toned.total == len(inventory("zh")[su.TONED])
    assert toned.missing_count == toned.total - 4
    assert toned.entropy_bits == 2.0
    # the most frequent syllable of all is the first to be named
    assert toned.missing[0] == "de5"
    assert coverage.shares[su.TYPE][st.STATEMENT] == 1.0
    often = text_coverage([take_apart("妈妈喝茶。")] * 200, language="zh")
    assert often.kind(su.TONED).rare[0].count == 0
    with pytest.raises(KeyError):
        coverage.kind(su.DIPHONE)


def test_entropy() -> None:
    assert entropy_bits([]) == 0.0
    assert entropy_bits([3, 3, 3, 3]) == 2.0
    assert entropy_bits([1, 3]) == pytest.approx(2 - 0.75 * math.log2(3))


def test_a_corpus_of_statements_is_told_so() -> None:
    texts = [take_apart("今天下雨。"), take_apart("我在家。")] * 5
    codes = {finding.code: finding for finding in _gaps(texts)}
    assert codes["only_statements"].severity == "important"
    assert "question" in codes["only_statements"].advice
    assert "little_speech" in codes
    assert {"few_questions", "few_exclamations"}.isdisjoint(codes)
    asked = {f.code for f in _gaps([*texts, take_apart("你去哪儿？"), take_apart("好啊！")])}
    assert "only_statements" not in asked


def _gaps(texts: list[su.SpokenText]):  # type: ignore[no-untyped-def]
    return find_gaps(text=text_coverage(texts, language="zh"), mix=language_mix(texts), prosody=None, speakers=None)


def test_loan_words_are_right_and_two_languages_are_not() -> None:
    chinese = [take_apart(text) for text in ("今天天气很好我们去公园散步。", "请把文件存成PDF再发给我。")]
    assert language_mix(chinese).verdict == "loan words"
    half = [*chinese, take_apart("We went to the park and had a long walk.")]
    mix = language_mix(half)
    assert mix.verdict == "two languages"
    assert 0.4 < mix.other_share < 0.7
    (finding,) = [f for f in _gaps(half) if f.code == "language_mix"]
    assert f"{mix.other_share:.0%}" in finding.message


def test_a_flat_and_a_lively_voice() -> None:
    flat = pr.measure_utterance(humming([(0.2, False), (2.0, True), (0.2, False)]), syllables=9, kind=st.STATEMENT)
    assert flat is not None
    assert flat.pitch_range < 0.5
    assert flat.f0_median_hz == pytest.approx(120.0, rel=0.02)
    rising = pr.measure_utterance(_gliding(), kind=st.YES_NO_QUESTION)
    assert rising is not None
    assert rising.pitch_range > 6.0
    assert rising.ending > 3.0
    report = pr.prosody_report([flat] * 4 + [rising] * 4, language="en")
    rise = report.measures[pr.QUESTION_RISE]
    assert rise.value == pytest.approx(rising.ending - flat.ending)
    assert report.measures[pr.RATE].value == pytest.approx(9 / flat.speech_s)
    dull = pr.prosody_report([flat] * 6, language="en")
    assert dull.measures[pr.PITCH_RANGE].verdict == "low"
    codes = {f.code for f in find_gaps(text=None, mix=None, prosody=dull, speakers=None)}
    assert {"flat_pitch", "even_pitch", "even_loudness"} <= codes


def _gliding() -> AudioClip:
    """A buzz from 100 to 200 Hz in two seconds."""
    times = np.arange(48_000) / 24_000
    phase = np.cumsum(100.0 * 2.0 ** (times / 2.0)) / 24_000
    return AudioClip((0.3 * (phase % 1.0 - 0.5)).astype(np.float32), 24_000)


def test_silence_has_no_prosody() -> None:
    assert pr.measure_utterance(humming([(1.0, False)])) is None


def test_the_reference_names_its_people_and_covers_all_measures() -> None:
    for language in LANGUAGES:
        reference = pr.reference_ranges()[language]
        assert reference["people"]
        for name in pr.MEASURES:
            low, high = reference["ranges"][name]
            assert low < high, (language, name)


def test_an_odd_segment_is_named() -> None:
    random = np.random.default_rng(0)
    me, other = (vector / np.linalg.norm(vector) for vector in random.normal(size=(2, 64)))
    noisy = [me + 0.03 * random.normal(size=64) for _ in range(9)]
    vectors = [v / np.linalg.norm(v) for v in (*noisy, 0.5 * me + other)]
    names = [f"{n}.wav" for n in range(10)]
    spread = speaker_spread([v.astype(np.float32) for v in vectors], names)
    assert spread is not None
    assert [name for name, _ in spread.outliers] == ["9.wav"]
    alone = speaker_spread([v.astype(np.float32) for v in vectors[:9]], names[:9])
    assert alone is not None
    assert alone.outliers == ()
    # averages repeat better than single extractions
    assert alone.half_averages > alone.single_pair
    assert speaker_spread([vectors[0]] * 3, names[:3]) is None


def test_clips_with_rare_sounds_are_drawn_more_often() -> None:
    symbols = [["a", "b"], ["a", "b"], ["a", "b"], ["a", "zh"]]
    even = coverage_weights(symbols, [1, 1, 1, 2], power=0.0)
    assert even.tolist() == [0.2, 0.2, 0.2, 0.4]
    weighted = coverage_weights(symbols, [1, 1, 1, 2], power=0.5)
    assert weighted[3] > 0.45
    assert weighted[0] == weighted[1]
    assert weighted.sum() == pytest.approx(1.0)


def test_a_voice_keeps_what_was_said_and_what_it_does_badly() -> None:
    texts = [take_apart("妈妈喝茶。"), take_apart("你去哪儿？")]
    losses = HeldOutLosses(phonemes={"m": 1.0, "a": 2.0}, types={st.WH_QUESTION: 0.5})
    figures = {**figures_of_units(texts), **losses.as_figures(), "steps": 3.0}
    said = units_of_figures(figures)
    assert said is not None
    assert said.units[su.TONED, "cha2"] == 1
    assert said.syllables == 7
    coverage = text_coverage([said], language="zh")
    assert coverage.texts == 2
    assert coverage.shares[su.TYPE][st.WH_QUESTION] == 0.5
    assert losses_of_figures(figures) == losses
    assert units_of_figures({"steps": 3.0}) is None
    assert losses_of_figures({"steps": 3.0}) is None


def test_the_bank_is_whole_and_tagged() -> None:
    for language in LANGUAGES:
        bank = shipped_bank(language)
        assert len(bank) >= 600
        assert len({prompt.text for prompt in bank}) == len(bank)
        for prompt in bank:
            assert 2.0 <= prompt.spoken.speech_s <= 10.0, prompt.text
            assert set(prompt.tags) == set(TAGS), prompt.text
            assert all(prompt.tags.values()), prompt.text
        found = {kind: 0 for kind in (*st.TYPES, *su.FEATURES)}
        for prompt in bank:
            for kind, name in prompt.units:
                if kind in (su.TYPE, su.FEATURE):
                    found[name] += 1
        assert min(found.values()) >= 9, found
        assert {prompt.tags["rate"] for prompt in bank} == {"slow", "normal", "fast"}
    assert tags_of(shipped_bank("en")[0].text.upper()) == shipped_bank("en")[0].tags
    assert tags_of("Not in the bank.") is None
