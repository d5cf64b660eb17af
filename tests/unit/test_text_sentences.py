from __future__ import annotations

import itertools

import pytest

from yinse.text.sentences import split_sentences


def split(text: str) -> list[str]:
    return [sentence.text for sentence in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Mr. Smith paid 3.5 dollars.", ["Mr. Smith paid 3.5 dollars."]),
        ("He left at 7 p.m. and slept. Good.", ["He left at 7 p.m. and slept.", "Good."]),
        ("J. K. Rowling wrote it.", ["J. K. Rowling wrote it."]),
        ("See example.com. Then go.", ["See example.com.", "Then go."]),
        ('She said "fine." Then', ['She said "fine."', "Then"]),
        ("好的。是吗？“当然！”他说。", ["好的。", "是吗？", "“当然！”", "他说。"]),
        ("他走了.她也走了", ["他走了.", "她也走了"]),
        ("first line\nsecond; third；四", ["first line", "second;", "third；", "四"]),
        ("等等……好", ["等等……", "好"]),
        ("?!... \n “” ", []),
        ("", []),
    ],
)
def test_split(text: str, sentences: list[str]) -> None:
    assert split(text) == sentences


def test_places_in_the_text() -> None:
    text = "  One.\n\n Two "
    assert [(s.text, s.start, s.end) for s in split_sentences(text)] == [("One.", 2, 6), ("Two", 9, 12)]


def test_long_sentences_break_at_commas_then_spaces_then_anywhere() -> None:
    commas = split("so it went on, " * 40)
    assert len(commas) > 2 and all(piece.endswith(",") and len(piece) <= 200 for piece in commas)
    spaces = split("word " * 100)
    assert all(set(piece.split()) == {"word"} and len(piece) <= 200 for piece in spaces)
    assert [len(piece) for piece in split("a" * 450)] == [200, 200, 50]
    assert [len(piece) for piece in split("好" * 200)] == [80, 80, 40]


def test_a_book_is_read_as_it_is_needed() -> None:
    book = "This is a sentence. " * 50_000
    assert [s.start for s in itertools.islice(split_sentences(book), 3)] == [0, 20, 40]
    assert sum(1 for _ in split_sentences("x" * 1_000_000)) == 5_000
