"""Texts are cut as the published program cuts them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.kit import ParityFolder
from yinse.core.errors import ConfigError
from yinse.text.cuts import METHODS, begins_short, cut, cut_sentences


def test_cuts(parity: ParityFolder) -> None:
    cases = parity.text("text_cut")
    assert len(cases) >= 6
    for case in cases:
        found = cut(case["text"], case["method"])
        # Where the published program fails, there is nothing to speak.
        expected = case["out"] if "error" not in case else ""
        assert found == expected, (case["method"], case["text"])
        parity.count("text_cut.json")


# Decided here, where the published program fails or the reference cases are silent.
@pytest.mark.parametrize(
    ("method", "text", "expected"),
    [
        *((method, "", "") for method in METHODS if method != "cut0"),
        ("cut0", "", "\n"),
        *((method, "\n\n", "") for method in METHODS if method != "cut0"),
        ("cut1", "a,b,c,d,e,f,g,h,i.", "a,b,c,d,\ne,f,g,h,i."),
        ("cut1", "a,b,c,d,e,f,g,h", "a,b,c,d,e,f,g,h。"),
        ("cut2", "一" * 51 + "，" + "二" * 51 + "，" + "三" * 3, "一" * 51 + "，\n" + "二" * 51 + "，" + "三三三。"),
        ("cut4", "It costs 3.50 or 4. Yes.", "It costs 3.50 or 4. Yes"),
        ("cut5", "Pi is 3.14. Is it? 1.", "Pi is 3.14.\n Is it?\n 1."),
    ],
)
def test_cuts_of_our_own(method: str, text: str, expected: str) -> None:
    assert cut(text, method) == expected


def test_an_unknown_way_is_told() -> None:
    with pytest.raises(ConfigError, match="cut9"):
        cut("a", "cut9")


@given(st.text("ab1 ，。,.…—-\n!?;好", max_size=60), st.sampled_from(sorted(METHODS)))
def test_pieces_hold_every_letter_once_and_know_their_place(text: str, method: str) -> None:
    pieces = list(cut_sentences(text, method))
    letters = [character for character in text if character.isalnum()]
    assert [character for piece in pieces for character in piece.text if character.isalnum()] == letters
    for piece in pieces:
        inside = [character for character in text[piece.start : piece.end] if character.isalnum()]
        assert inside == [character for character in piece.text if character.isalnum()]
    assert all(before.end <= after.start for before, after in itertools.pairwise(pieces))


def test_short_pieces_go_with_the_next_and_long_ones_are_split() -> None:
    assert [piece.text for piece in cut_sentences("一。二。三四五六七。", "cut5")] == ["一。二。三四五六七。"]
    assert [piece.text for piece in cut_sentences("一二三四五六。七。", "cut5")] == ["一二三四五六。七。"]
    long = list(cut_sentences("很长的话，" * 200, "cut0"))
    assert [len(piece.text) for piece in long] == [510, 490]
    assert max(len(piece.text) for piece in cut_sentences("a" * 2000, "cut0")) == 510


def test_short_beginnings() -> None:
    assert begins_short("你好，世界。")
    assert begins_short("No. Not now.")
    assert not begins_short("今天天气不错。")
    assert not begins_short("。你好。")
    assert not begins_short("")
