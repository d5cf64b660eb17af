"""Phonemes for the published models: their tables, their rules for short texts, none of our own marks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinse.core.errors import BadText
from yinse.core.types import PhonemeSequence
from yinse.text.official import TABLE_SIZES, official_text, published_symbols
from yinse.text.phonemes import phonemize
from yinse.text.symbols import SYMBOL_IDS, SYMBOLS


def sequence(*items: tuple[str, str, tuple[str, ...]]) -> PhonemeSequence:
    """Items `(text, language, symbols)` as a sequence."""
    symbols = tuple(symbol for _, _, part in items for symbol in part)
    return PhonemeSequence(
        symbols=symbols,
        ids=tuple(SYMBOL_IDS[symbol] for symbol in symbols),
        word_lengths=tuple(len(part) for _, _, part in items),
        word_texts=tuple(text for text, _, _ in items),
        word_languages=tuple(language for _, language, _ in items),
        spans=tuple((0, 0) for _ in items),
        text="",
    )


def test_marks_of_our_own_never_reach_the_models() -> None:
    found = official_text(phonemize("你好，世界。"), table=732)
    assert found.symbols == ("n", "i2", "h", "ao3", ",", "sh", "ir4", "j", "ie4", ".")
    assert found.ids == (227, 167, 158, 119, 1, 251, 214, 221, 194, 3)
    (run,) = found.runs
    assert (run.language, run.text, run.lengths) == ("zh", "你好,世界.", (2, 2, 1, 2, 2, 1))


def test_languages_take_turns() -> None:
    found = official_text(phonemize("我用Python写程序, OK."), table=732)
    assert [run.language for run in found.runs] == ["zh", "en", "zh", "en"]
    assert sum(run.phonemes for run in found.runs) == len(found.ids)
    assert found.runs[1].text == ""
    assert found.runs[2].text == "写程序,"


def test_short_texts_get_a_pause_in_front() -> None:
    assert official_text(phonemize("好。"), table=732).symbols == (".", "h", "ao3", ".")
    assert official_text(phonemize("Hi."), table=732).symbols == (".", "HH", "AY1", ".")
    letter = sequence(("a", "en", ("AH0",)), ("", "", (".",)))
    assert official_text(letter, table=732).symbols == (",", ".", "AH0", ".")
    long = phonemize("今天天气很好。")
    assert official_text(long, table=732, pause_first=True).symbols[0] == "."
    assert official_text(long, table=732).symbols[0] == "j"


def test_a_phoneme_that_the_model_never_learned_is_told() -> None:
    cantonese = sequence(("我", "zh", ("Yng", "Yo5")), ("", "", (".",)))
    assert official_text(cantonese, table=732).symbols[1:3] == ("Yng", "Yo5")
    with pytest.raises(BadText, match=r"'Yng' of '我' is not among the 322 .* Use a model of v2"):
        official_text(cantonese, table=322)
    with pytest.raises(BadText, match="nothing to speak"):
        official_text(sequence(("", "", ("^",))), table=322)


def test_a_word_read_shorter_than_it_is_written_keeps_its_phonemes() -> None:
    erhua = sequence(("花儿", "zh", ("h", "ua1", "r")), ("", "", (".",)))
    (run,) = official_text(erhua, table=732).runs
    assert run.text[-3:] == "花儿." and run.lengths[-3:] == (2, 1, 1)


@given(st.text(max_size=30))
def test_whatever_the_text_ids_are_of_the_table(text: str) -> None:
    try:
        phonemes = phonemize(text)
    except BadText:
        return
    for table in set(TABLE_SIZES.values()):
        found = official_text(phonemes, table=table)
        assert all(
            0 <= index < table and SYMBOLS[index] == s for index, s in zip(found.ids, found.symbols, strict=True)
        )
        assert sum(run.phonemes for run in found.runs) == len(found.ids)
        assert all(len(run.lengths) == (len(run.text) or 1) for run in found.runs)


def test_tables_are_the_published_ones(shared: Path) -> None:
    cases = json.loads((shared / "parity" / "text_frontend.json").read_text(encoding="utf-8"))["items"]
    assert cases
    for case in cases:
        table = published_symbols(TABLE_SIZES[case["version"]])
        assert [table.index(phone) for phone in case["phones"]] == case["ids"]
