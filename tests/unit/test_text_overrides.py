"""Readings and pauses that people give: within the text, in a lexicon; what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from yinse.core.errors import BadText
from yinse.text.lexicon import Lexicon
from yinse.text.overrides import check_markup
from yinse.text.phonemes import SpokenWord, phonemize, read_words_of
from yinse.text.sentences import split_sentences


def word(text: str, written: str, lexicon: Lexicon | None = None) -> SpokenWord:
    """The word of `text` that stands for `written`."""
    (found,) = (w for w in read_words_of(text, lexicon=lexicon) if text[w.start : w.end] == written)
    return found


@pytest.mark.parametrize(
    ("text", "written", "spoken", "language"),
    [
        ("我去{行|hang2}", "{行|hang2}", "hang2", "zh"),
        ("{长沙|zhang3 sha1}", "{长沙|zhang3 sha1}", "zhang3 sha1", "zh"),
        ("I {read|R EH1 D} it", "{read|R EH1 D}", "R EH1 D", "en"),
        ("他开{蔚来|W EY1 L AY2}车", "{蔚来|W EY1 L AY2}", "W EY1 L AY2", "en"),
        ("用{GPT|ji4 pi4 ti4}写", "{GPT|ji4 pi4 ti4}", "ji4 pi4 ti4", "zh"),
        ("in {2024|T W EH1 N T IY0}", "{2024|T W EH1 N T IY0}", "T W EH1 N T IY0", "en"),
        ("{Dr.|D ER1} Who", "{Dr.|D ER1}", "D ER1", "en"),
    ],
)
def test_a_given_reading_is_obeyed(text: str, written: str, spoken: str, language: str) -> None:
    found = word(text, written)
    assert (" ".join(found.spoken), found.language, found.source) == (spoken, language, "override")


def test_the_words_around_hear_it() -> None:
    # 不 falls before a fourth tone, "the" opens before a vowel.
    assert "b u2 f a4" in " ".join(phonemize("不{发|fa4}").symbols)
    assert "DH IY0 | AW1 ER0" in " ".join(phonemize("the {hour|AW1 ER0}").symbols)


def test_a_given_character_stays_in_its_word() -> None:
    assert word("在银{行|hang2}里", "银{行|hang2}").text == "银行"


def test_text_without_overrides_has_its_places() -> None:
    text = "  他有2个Apple，是1月3日买的。"
    words = [(w.text, text[w.start : w.end]) for w in read_words_of(text)]
    assert ("两个", "2个") in words and ("Apple", "Apple") in words and ("一月", "1月") in words
    sequence = phonemize(text)
    marks = [
        text[a:b]
        for (a, b), language in zip(sequence.source_spans, sequence.word_languages, strict=True)
        if not language and b > a
    ]
    assert marks == ["，", "。"]


@pytest.mark.parametrize(
    ("text", "pauses"),
    [
        ("Hi [pause:0.5s] you", {"HH AY1": 0.5}),
        ("Hi, [pause:300ms] you", {"HH AY1": 0.3}),
        ("[pause:1s] Hi you", {"": 1.0}),
        ("Hi you. [pause:1s][pause:0.25s]", {"Y UW1": 1.25}),
        ("你[pause: 2 s]好", {"n i3": 2.0}),
    ],
)
def test_pauses_lengthen_the_boundary_before_them(text: str, pauses: dict[str, float]) -> None:
    sequence = phonemize(text)
    assert len(sequence.pauses_s) == len(sequence.word_lengths)
    at, before, found = 0, "", {}
    for length, pause_s in zip(sequence.word_lengths, sequence.pauses_s, strict=True):
        if pause_s:
            found[before] = pause_s
        before = "" if at == 0 else " ".join(sequence.symbols[at : at + length])
        at += length
    assert found == pauses


def test_a_pause_phrases_like_a_comma_and_no_weaker_than_the_mark() -> None:
    assert "".join(s for s in phonemize("Hi [pause:1s] you").symbols if s in "^|,.") == "^,."
    assert "".join(s for s in phonemize("Hi! [pause:1s] you").symbols if s in "^|,.!") == "^!."
    assert phonemize("Hi you").pauses_s == ()


@pytest.mark.parametrize(
    ("text", "span", "named"),
    [
        ("ab {行|hang9}", (3, 12), "hang9"),
        ("{行|}", (0, 4), "neither pinyin"),
        ("{|hang2}", (0, 8), "no word"),
        ("{read|R EH D}", (0, 13), "'R'"),
        ("{read|R EH1 d}", (0, 14), "'R'"),
        ("{银行|hang2}", (0, 10), "2 characters but 1"),
        ("a {b|AY1", (2, 8), "no override"),
        ("{a|AY1|b}", (0, 9), "no override"),
        ("{a|b\nc}", (0, 4), "no override"),
        ("x [pause:1]", (2, 11), "no pause"),
        ("x [pause:11s]", (2, 13), "no pause"),
        ("x [pause:-1s]", (2, 13), "no pause"),
        ("x [pause]", (2, 9), "no pause"),
        ("x [pause:1s", (2, 11), "no pause"),
        ("{" + "a" * 70 + "|AY1}", (0, 76), "no word"),
        ("{a|" + "AY1 " * 200 + "}", (0, 804), "no override"),
    ],
)
def test_what_is_written_wrong_is_named(text: str, span: tuple[int, int], named: str) -> None:
    for read in (phonemize, check_markup):
        with pytest.raises(BadText, match=named) as error:
            read(text)
        assert error.value.span == span
        assert error.value.advice and f"characters {span[0] + 1} to {span[1]}" in str(error.value)


def test_the_line_is_named_too() -> None:
    with pytest.raises(BadText, match="line 3, characters 9 to 17"):
        check_markup("one\ntwo\n{行|hang9}")


@pytest.mark.parametrize("text", ["{a} b", "a | b", "[paused] b", "} { b", "{a, b}", "f{x}[1]|2"])
def test_other_brackets_are_plain_text(text: str) -> None:
    check_markup(text)
    assert phonemize(text).word_texts


def test_sentences_are_not_cut_through_overrides_and_keep_their_pauses() -> None:
    text = "[pause:1s]\nOne. [pause:2s]\n[pause:1s]\nTwo {a.|EY1}! Three {what? no|W AH1} four."
    pieces = ["[pause:1s]\nOne. [pause:2s]\n[pause:1s]", "Two {a.|EY1}!", "Three {what? no|W AH1} four."]
    assert [s.text for s in split_sentences(text)] == pieces
    long = "好" * 75 + "{银行|yin2 hang2}" * 20
    assert all(s.text.count("{") == s.text.count("}") for s in split_sentences(long))
    assert "".join(s.text for s in split_sentences(long)) == long


# A lexicon


def test_a_lexicon_is_searched_for_the_longest_word() -> None:
    lexicon = Lexicon(
        {"长": ("chang2",), "长乐": ("zhang3", "le4"), "C": ("S", "IY1"), "C++": ("S", "IY1", "P", "L", "AH1", "S")}
    )
    assert word("长乐!", "长乐", lexicon).spoken == ("zhang3", "le4")
    assert word("在长", "长", lexicon).source == "lexicon"
    assert word("use c++ now", "c++", lexicon).spoken[2:] == ("P", "L", "AH1", "S")
    assert len(lexicon) == 4 and lexicon["c++"] == lexicon["C++"]


def test_a_lexicon_leaves_parts_of_words_alone() -> None:
    lexicon = Lexicon({"read": ("R", "EH1", "D")})
    sources = [w.source for w in read_words_of("Read, reader, bread, read1", lexicon=lexicon)]
    assert [source == "lexicon" for source in sources] == [True, False, False, False, False]


def test_an_override_goes_before_the_lexicon() -> None:
    lexicon = Lexicon({"行里": ("xing2", "li3"), "里": ("li5",)})
    words = read_words_of("{行|hang2}里", lexicon=lexicon)
    assert [syllable for w in words for syllable in w.spoken] == ["hang2", "li5"]


@pytest.mark.parametrize(
    ("lines", "number", "named"),
    [
        ("行\thang2\n银行 yin2 hang2\n", 2, "no tab"),
        ("# a comment\n\n行\thang7\n", 3, "hang7"),
        ("行\thang2\nread\tR EH1 D\nRead\tR IY1 D\n", 3, "given before"),
        ("\thang2\n", 1, "no word"),
        ("银行\thang2\n", 1, "2 characters but 1"),
    ],
)
def test_a_wrong_line_of_a_lexicon_is_named(tmp_path: Path, lines: str, number: int, named: str) -> None:
    path = tmp_path / "words.tsv"
    path.write_text(lines, encoding="utf-8")
    with pytest.raises(BadText, match=rf"words\.tsv, line {number}: .*{named}"):
        Lexicon.load(path)


def test_a_lexicon_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadText, match=r"missing\.tsv"):
        Lexicon.load(tmp_path / "missing.tsv")
    (tmp_path / "latin.tsv").write_bytes(b"caf\xe9\tK AE1\n")
    with pytest.raises(BadText, match="UTF-8"):
        Lexicon.load(tmp_path / "latin.tsv")
    (tmp_path / "bom.tsv").write_bytes("\ufeff# words\r\n行\thang2\r\n".encode())
    assert dict(Lexicon.load(tmp_path / "bom.tsv")) == {"行": ("hang2",)}
