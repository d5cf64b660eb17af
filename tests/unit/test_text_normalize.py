"""What is written and what is said: tables of both languages, spelled words as their letters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from yinse.text.characters import HAN
from yinse.text.english import pronounce, spell
from yinse.text.normalize import normalize, rewrite
from yinse.text.spanned import SpannedText
from yinse.text.traditional import to_simplified

DATA = Path(__file__).resolve().parents[1] / "data"
_WORD = re.compile("([A-Za-z]{2,}?)('s|s)?")


def cases(language: str) -> list[tuple[str, str]]:
    """Lines `what is written<TAB>what is said`; "## " begins a heading."""
    lines = (DATA / f"normalize_{language}.tsv").read_text("utf-8").splitlines()
    return [tuple(line.split("\t")) for line in lines if not line.startswith("## ")]  # type: ignore[misc]


def spelled(word: str) -> str:
    """A word with capitals as its letters, if it is read letter by letter; "DVDs" as "d v ds"."""
    match = _WORD.fullmatch(word)
    if match is None or match[1].islower():
        return word
    sounds, letters = ([phone.rstrip("012") for phone in said] for said in (pronounce(match[1]), spell(match[1])))
    return " ".join(match[1]) + (match[2] or "") if sounds == letters else word


def said(text: str, language: str) -> str:
    """Small letters without marks; in Mandarin without spaces too."""
    plain = normalize(text, language=language)
    if language == "en":
        plain = re.sub("[A-Za-z']+", lambda match: spelled(match[0]), plain)
    words = re.sub(r"[^\w']+", " ", plain)
    words = re.sub(r"(?<!\w)'+|'+(?!\w)", "", words).lower()
    return " ".join(words.split()) if language == "en" else re.sub(r"[\s']+", "", words)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_line_of_the_table(language: str) -> None:
    table = cases(language)
    assert len(table) >= 480
    expected = {text: re.sub(r"\s", "", words).lower() if language == "zh" else words for text, words in table}
    wrong = {text: said(text, language) for text, words in expected.items() if said(text, language) != words}
    assert not wrong


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_tables_twice_and_with_places(language: str) -> None:
    for text, _ in cases(language):
        once = normalize(text, language=language)
        assert normalize(once, language=language) == once
        spanned = rewrite(SpannedText.of(text), language=language)
        assert spanned.text == once
        places = list(zip(spanned.starts, spanned.ends, strict=True))
        assert len(places) == len(once) and places == sorted(places)
        # A letter or Han character by itself is never rewritten, but for simplification.
        simple = to_simplified(text)
        for char, (start, end) in zip(once, places, strict=True):
            if end == start + 1 and re.match(f"[A-Za-z{HAN}]", text[start]):
                assert char == simple[start]


@pytest.mark.parametrize(
    ("text", "words", "places"),
    [
        ("I paid $3.50 today", "three dollars", "$3.50"),
        ("他花了￥500。", "五百元", "￥500"),
        ("见５月３日", "五月", "５月"),
        ("Dr. Who", "doctor", "Dr."),
        ("Henry VIII died", "eighth", "Henry VIII"),
        ("学習漢語", "汉语", "漢語"),
        ("a½b", "one half", "½"),
        ("我们\r\n走", "\n", "\r\n"),
    ],
)
def test_words_know_where_they_came_from(text: str, words: str, places: str) -> None:
    spanned = rewrite(SpannedText.of(text))
    start = spanned.text.index(words)
    first, last = spanned.origin(start, start + len(words))
    assert text[first:last] == places


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("買了3个 apples, and 3 pears. 再买3个", "买了三个 apples, and three pears. 再买三个"),
        ("我的iPhone 15 Pro坏了", "我的iPhone 十五 Pro坏了"),
        ("他说 I have 2 of the 5 books 就走了", "他说 I have two of the five books 就走了"),
        ("Windows 11", "Windows eleven"),
    ],
)
def test_numbers_are_read_in_the_language_around_them(text: str, expected: str) -> None:
    assert normalize(text).replace("  ", " ") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("乾隆乾淨反覆", "乾隆干净反复"),
        ("瞭望了解瞭解", "瞭望了解了解"),
        ("名著看著著作", "名著看着著作"),
        ("plain ascii", "plain ascii"),
        ("简体字不变，什么著名的著作", "简体字不变，什么著名的著作"),
    ],
)
def test_traditional_characters(text: str, expected: str) -> None:
    assert to_simplified(text) == expected


def test_spanned_text_is_rewritten_in_steps() -> None:
    spanned = (
        SpannedText.of("a--b")
        .sub(re.compile("-+"), lambda match: "12")
        .translate({49: "", 50: "xyz", 97: "a", 98: "b"})
    )
    assert (spanned.text, spanned.starts, spanned.ends) == ("axyzb", [0, 1, 1, 1, 3], [1, 3, 3, 3, 4])
    assert spanned.origin(0, 2) == (0, 3)
    assert spanned.origin(5, 5) == (4, 4)
    assert SpannedText.of("").origin(0, 0) == (0, 0)
    assert spanned.sub(re.compile("x"), lambda match: None) is spanned
    assert SpannedText.of("  a ").strip().starts == [2]
