"""What counts as misheard, and what is only another way of writing it."""

from __future__ import annotations

import pytest

from yinse.evaluate.misheard import (
    ErrorCount,
    count_errors,
    english_words,
    errors_of,
    mandarin_syllables,
    syllable_errors_of,
    total,
    word_errors_of,
)


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("mister brown did not come", "Mr. Brown didn't come."),
        ("to day i am going to town", "Today, I'm going to town!"),
        ("nineteen eighty four", "1984."),
        ("one thousand nine hundred eighty four pages", "1984 pages"),
        ("one hundred and twelve dollars", "$112"),
        ("call five five five one two", "Call 55512"),
        ("sixty six, seventy seven, eighty eight", "66-7788."),
        ("the colour of honour", "the color of honor"),
        ("he realised it", "He realized it."),
        ("every one was there", "everyone was there"),
    ],
)
def test_other_spellings_are_no_errors(text: str, heard: str) -> None:
    assert word_errors_of(text, heard).errors == 0


def test_kinds_of_errors_are_told_apart() -> None:
    assert count_errors("a b c d".split(), "a x c".split()) == ErrorCount(1, 1, 0, 4)
    assert count_errors("a b".split(), "a b b".split()) == ErrorCount(0, 0, 1, 2)
    assert count_errors([], ["a"]) == ErrorCount(0, 0, 1, 0)
    assert count_errors(["a"], []) == ErrorCount(0, 1, 0, 1)


def test_repetitions_lost_are_deletions() -> None:
    counts = word_errors_of("No, no, no, no.", "No, no.")
    assert (counts.deletions, counts.errors) == (2, 2)


def test_rate_and_total() -> None:
    assert total([ErrorCount(1, 0, 0, 4), ErrorCount(0, 1, 0, 4)]).rate == pytest.approx(0.25)
    assert ErrorCount().rate == 0.0


def test_words_are_plain() -> None:
    assert english_words("Mr. Grey's 12 dogs!") == ["mister", "grays", "twelve", "dogs"]


def test_syllables_are_dictionary_readings() -> None:
    assert mandarin_syllables("你好, ok!") == [("你", "ni3"), ("好", "hao3"), ("ok", "ok")]


@pytest.mark.parametrize(
    ("text", "heard", "with_tones", "without"),
    [
        ("买东西", "卖东西", 1, 0),
        ("他在这里", "她在这里", 0, 0),
        ("房地产", "放地产", 1, 0),
        ("平泽市人口数量的三分之一", "平澤市人口數量的三分之一", 0, 0),
        ("二零一九年", "2019年", 0, 0),
        ("百分之五", "5%", 0, 0),
        ("六十六，七十七，八十八", "6677-88", 0, 0),
        ("九点四十五分的火车", "9.45分的火车", 0, 0),
        ("慢慢地走两步", "慢慢的走2步", 0, 0),
        ("行长很长", "行长很长", 0, 0),
    ],
)
def test_syllable_errors(text: str, heard: str, with_tones: int, without: int) -> None:
    assert syllable_errors_of(text, heard).errors == with_tones
    assert syllable_errors_of(text, heard, tones=False).errors == without


def test_language_chooses_the_unit() -> None:
    assert errors_of("你好", "你号", language="zh") == ErrorCount(1, 0, 0, 2)
    assert errors_of("good day", "good", language="en") == ErrorCount(0, 1, 0, 2)
