"""Any string is read or refused, never anything else; sentences cover the text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yinse.core.errors import BadText
from yinse.core.types import PhonemeSequence
from yinse.text.normalize import normalize
from yinse.text.phonemes import phonemize
from yinse.text.sentences import split_sentences
from yinse.text.symbols import BOUNDARIES, HEAD, SYMBOL_IDS, TAIL

MIXED = st.text(alphabet="aBe'好一不儿得了个2019.,!?…—-:%$¥/ \n米kmA@。，？①é\u0301", max_size=40)
FRAGMENTS = (
    "0 00 12 2024 3.5 1,000 1,00 , . - / : % $ ¥ km °C ² st th s 's p.m. May Jan. War II IV http:// www. a.com @ # ½ ①"
    " 好 一 不 儿 得 个 们 年 月 号 the a I US ' ’ ” … — ~ é Ⅷ α ٣ 〇"
    " 々 + e.g. etc. St. No. U.S. '90s 12:30 1/2 2½ .5 万 只 长 {行|hang2} {a|AY1} {b| | } [pause:1s] [pause ¥3 5' C# &"
    " ^2 \u207b \u0416 \ufdd0 \ufdd1 乾 著 第 x² ≥ 3m 5s 1.2.3 w/ vs Henry Fig. Mr"
).split()
FORMS = st.lists(st.sampled_from([*FRAGMENTS, " ", "\n"]), max_size=9).map("".join)
LANGUAGES = st.sampled_from([None, "zh", "en"])


def check(sequence: PhonemeSequence, *, punctuated: bool) -> None:
    symbols = sequence.symbols
    assert symbols[0] == HEAD
    assert symbols[-1] in (".", "?", "!", "…") or (symbols[-1] == TAIL and not punctuated)
    assert sequence.ids == tuple(SYMBOL_IDS[symbol] for symbol in symbols)
    assert sum(sequence.word_lengths) == len(symbols)
    at, last_end = 0, 0
    for index, (length, word, language, (start, end)) in enumerate(
        zip(sequence.word_lengths, sequence.word_texts, sequence.word_languages, sequence.spans, strict=True)
    ):
        item = symbols[at : at + length]
        assert length > 0
        # Boundaries and words take turns, beginning and ending with a boundary.
        assert (language == "") == (index % 2 == 0)
        assert all(symbol in BOUNDARIES for symbol in item) == (language == "")
        assert last_end <= start <= end <= len(sequence.text)
        assert sequence.text[start:end] == word
        at, last_end = at + length, end


@settings(max_examples=400)
@given(text=st.one_of(st.text(max_size=60), MIXED, FORMS), language=LANGUAGES, punctuated=st.booleans())
def test_any_text_is_read_or_refused(text: str, language: str | None, punctuated: bool) -> None:
    try:
        sequence = phonemize(text, language=language, punctuated=punctuated)
    except BadText as error:
        assert error.span is not None
        start, end = error.span
        assert 0 <= start <= end <= len(text)
        return
    check(sequence, punctuated=punctuated)
    assert all(0 <= start <= end <= len(text) for start, end in sequence.source_spans)
    # words of one number share its place, and what is between them is its end; no word goes back
    starts = [start for start, _ in sequence.source_spans[1::2]]
    assert starts == sorted(starts)


@settings(max_examples=400)
@given(text=st.one_of(st.text(max_size=60), MIXED, FORMS), language=LANGUAGES)
def test_normalising_twice_changes_nothing(text: str, language: str | None) -> None:
    once = normalize(text, language=language)
    assert normalize(once, language=language) == once
    assert not any(char.isdecimal() for char in once)


@settings(max_examples=150)
@given(text=st.one_of(st.text(max_size=300), MIXED, st.text(alphabet="a好. ，\n", max_size=900)))
def test_sentences_are_slices_in_order_that_leave_no_letter_out(text: str) -> None:
    at = 0
    for sentence in split_sentences(text):
        assert text[sentence.start : sentence.end] == sentence.text
        assert sentence.text == sentence.text.strip() != ""
        assert len(sentence.text) <= 210
        assert not any(char.isalnum() for char in text[at : sentence.start])
        at = sentence.end
    assert not any(char.isalnum() for char in text[at:])


NASTY = ("a", "1", ".", "'", "1.", "1,", "1/", "$1", "10-", "1:", "a.", "a@", "www.", "A.", "{a|", "[pause:", "#",
         "Mr. ", "1 ", "(1", "5月", "乾", "\u0301", "~", "²")  # fmt: skip


@pytest.mark.parametrize("unit", NASTY)
def test_time_grows_with_the_length_and_no_faster(unit: str) -> None:
    """Four times the text, at most eight times the work: a pattern that goes back and forth takes sixteen."""

    def work_s(characters: int) -> float:
        text = unit * (characters // len(unit))
        started_s = time.process_time()
        normalize(text)
        sum(1 for _ in split_sentences(text))
        return time.process_time() - started_s

    short_s = max(min(work_s(1_500) for _ in range(3)), 5e-3)
    assert min(work_s(6_000) for _ in range(2)) < 8 * short_s


@pytest.mark.parametrize(
    "unit", ["a", "好", "一", "不", "儿", "1", ".", "'", "-", "😀", "\u0301", "a1", "1/", "$1", "1:3"]
)
def test_long_text_without_a_space(unit: str) -> None:
    text = unit * (4_000 // len(unit))
    try:
        check(phonemize(text), punctuated=True)
    except BadText:
        assert unit in (".", "'", "-", "😀", "\u0301")
    assert all(len(sentence.text) <= 210 for sentence in split_sentences(text))
