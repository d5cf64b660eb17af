from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from yinse.core.errors import BadText, ConfigError
from yinse.text.english import in_dictionary, is_spelled, pronounce
from yinse.text.grapheme_model import predict_phonemes
from yinse.text.mandarin import syllable_phonemes
from yinse.text.phonemes import phonemize
from yinse.text.symbols import SYMBOL_IDS, SYMBOLS


def items(text: str, **options: bool) -> list[tuple[str, str]]:
    sequence = phonemize(text, **options)  # type: ignore[arg-type]
    found, at = [], 0
    for length, word in zip(sequence.word_lengths, sequence.word_texts, strict=True):
        found.append((word, " ".join(sequence.symbols[at : at + length])))
        at += length
    return found


def test_words_and_boundaries_take_turns() -> None:
    assert items("你好, world") == [
        ("", "^"),
        ("你好", "n i2 h ao3"),
        (",", ","),
        ("world", "W ER1 L D"),
        ("", "."),
    ]
    assert phonemize("你好, world").word_languages == ("", "zh", "", "en", "")


def test_spans_point_into_the_normalised_text() -> None:
    sequence = phonemize("  我有3个apples！")
    assert sequence.text == "我有三个apples!"
    assert tuple(sequence.text[start:end] for start, end in sequence.spans) == sequence.word_texts


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("yes", "^."),
        ("yes, no", "^,."),
        ("yes,,, no?!", "^,?"),
        ("yes... no", "^…."),
        ("yes — no", "^-."),
        ("well-known", "^|."),
        ("yes, (no) and", "^,,."),
        ("...yes,", "^."),
        ("yes!\n\nno", "^!."),
        ("“yes”", "^."),
    ],
)
def test_marks_collapse_to_the_strongest(text: str, marks: str) -> None:
    sequence = phonemize(text)
    assert "".join(symbol for symbol in sequence.symbols if symbol in "^|,.!?…-$") == marks


def test_transcripts_without_marks_end_in_the_unknown_mark() -> None:
    assert items("hello world", punctuated=False)[-3:] == [("", "|"), ("world", "W ER1 L D"), ("", "$")]
    assert items("hello world?", punctuated=False)[-1] == ("?", "?")


@pytest.mark.parametrize("text", ["", "  \n", "😀🎉", "...?!", "こんにちは", "\u0301\ud800", "“”"])
def test_nothing_to_speak(text: str) -> None:
    with pytest.raises(BadText, match="nothing to speak"):
        phonemize(text)


def test_what_cannot_be_spoken_is_passed_over() -> None:
    assert phonemize("Hi 😀 ひら you").symbols == phonemize("Hi you").symbols


def test_unknown_language() -> None:
    with pytest.raises(ConfigError, match="language"):
        phonemize("hallo", language="de")


def test_numbers_follow_the_language_around_them() -> None:
    assert phonemize("3", language="zh").text == "三"
    assert phonemize("3", language="en").text == "three"
    assert phonemize("买了3个 apples, and 3 pears. 再买3个").text == "买了三个 apples, and three pears. 再买三个"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("hello", "HH AH0 L OW1"),
        ("HELLO", "HH AH0 L OW1"),
        ("reboots", "R IY0 B UW1 T S"),
        ("streetlights", "S T R IY1 T L AY2 T S"),
        ("stopped", "S T AA1 P T"),
        ("GPT", "JH IY1 P IY1 T IY1"),
        ("GPTs", "JH IY1 P IY1 T IY1 Z"),
        ("b", "B IY1"),
        ("rock'n'roll", "R AA1 K AH0 N R OW1 L"),
        ("brr", "B IY1 AA1 R AA1 R"),
    ],
)
def test_words_out_of_context(word: str, expected: str) -> None:
    assert " ".join(pronounce(word)) == expected


def test_abbreviations_are_spelled_and_acronyms_read() -> None:
    assert is_spelled("US") and is_spelled("GPT") and is_spelled("QZX") and is_spelled("GPT's")
    assert not is_spelled("us") and not is_spelled("NASA") and not is_spelled("UNESCO") and not is_spelled("A")


@pytest.mark.parametrize(
    ("word", "expected"),
    [("yinse", "Y IH1 N S"), ("podcast", "P OW1 D K AE2 S T"), ("zimbleflorps", "Z IH1 M B L AH0 F ER0 Z")],
)
def test_unknown_words_sound_as_they_are_written(word: str, expected: str) -> None:
    assert " ".join(predict_phonemes(word)) == expected


def test_predictions_use_the_table() -> None:
    for word in ("qwertz", "xyzzy", "a" * 40, "z", "élan"):
        assert set(predict_phonemes(word)) <= SYMBOL_IDS.keys()


@pytest.mark.parametrize(
    ("syllable", "expected"),
    [
        ("a1", ("AA", "a1")),
        ("er2", ("EE", "er2")),
        ("ou5", ("OO", "ou5")),
        ("zhi1", ("zh", "ir1")),
        ("si4", ("s", "i04")),
        ("xi2", ("x", "i2")),
        ("yu3", ("y", "v3")),
        ("jue2", ("j", "ve2")),
        ("xun4", ("x", "vn4")),
        ("quan2", ("q", "van2")),
        ("lv4", ("l", "v4")),
        ("nüe4", ("n", "ve4")),
        ("ye3", ("y", "E3")),
        ("yan2", ("y", "En2")),
        ("you3", ("y", "ou3")),
        ("yong3", ("y", "ong3")),
        ("xiong2", ("x", "iong2")),
        ("wu3", ("w", "u3")),
        ("ng2", ("EE", "en2")),
    ],
)
def test_pinyin_table(syllable: str, expected: tuple[str, str]) -> None:
    assert syllable_phonemes(syllable) == expected


@pytest.mark.parametrize("syllable", ["", "hao", "hao6", "好", "ee2"])
def test_what_is_no_syllable(syllable: str) -> None:
    assert syllable_phonemes(syllable) is None


def test_every_dictionary_phone_is_in_the_table() -> None:
    assert in_dictionary("zoology")
    phones = {phone for word in ("zoology", "azure", "thou", "joyful", "boundary") for phone in pronounce(word)}
    assert phones <= set(SYMBOLS)


def test_importing_loads_no_heavy_package() -> None:
    code = (
        "import sys, yinse.text.phonemes, yinse.text.sentences\n"
        "heavy = {'jieba', 'pypinyin', 'num2words', 'safetensors', 'torch'} & sys.modules.keys()\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("file", "language", "unknown_share"),
    [("en_librispeech/metadata.csv", "en", 0.02), ("zh_aishell_sample/metadata.csv", "zh", 0.0)],
)
def test_transcripts_of_real_speech(shared: Path, file: str, language: str, unknown_share: float) -> None:
    with (shared / "data" / file).open(encoding="utf-8", newline="") as stream:
        texts = [row["text"] for row in csv.DictReader(stream)][:400]
    words = [
        word
        for text in texts
        for word, spoken_in in _words(phonemize(text, language=language, punctuated=False))
        if spoken_in == "en"
    ]
    assert sum(not in_dictionary(word) for word in words) <= unknown_share * max(len(words), 1)


def _words(sequence: object) -> list[tuple[str, str]]:
    from yinse.core.types import PhonemeSequence

    assert isinstance(sequence, PhonemeSequence)
    return list(zip(sequence.word_texts, sequence.word_languages, strict=True))
