"""`yinse phonemes`, and how commands are given a text."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yinse.cli.console import guarded

if TYPE_CHECKING:
    from yinse.text.phonemes import SpokenWord

Language = Annotated[str | None, typer.Option("--language", help="zh or en; else told by the text.")]
LexiconFile = Annotated[
    Path | None, typer.Option("--lexicon", help="Your own readings: lines of a word, a tab, pinyin or ARPAbet.")
]
TextArgument = Annotated[str | None, typer.Argument(help="What to say.", show_default=False)]
TextFile = Annotated[Path | None, typer.Option("-f", "--file", help="Read the text from a file; - is standard input.")]


def given_text(text: str | None, file: Path | None) -> str:
    """The text of a command: its argument, a file, or standard input.

    Raises:
        ConfigError: both or none of them.
        BadText: no UTF-8.
    """
    from yinse.core.errors import BadText, ConfigError
    from yinse.workflows.transcripts import read_text

    if text is not None and file is None:
        return text
    if file is None or text is not None:
        raise ConfigError("give either a text or a file with -f")
    if str(file) != "-":
        return read_text(file)
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadText("this is not a UTF-8 text", where="standard input", advice="Convert it to UTF-8.") from error


def given_lexicon(file: Path | None) -> Mapping[str, tuple[str, ...]]:
    """The readings of a lexicon file, none without one."""
    from yinse.text.lexicon import Lexicon

    return Lexicon.load(file) if file is not None else {}


@guarded
def phonemes(
    text: TextArgument = None,
    *,
    file: TextFile = None,
    language: Language = None,
    lexicon: LexiconFile = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line of text.")] = False,
) -> None:
    """Show how each word of a text will be read, and why."""
    from yinse.core.errors import BadText
    from yinse.text.overrides import check_markup

    whole = given_text(text, file)
    readings = given_lexicon(lexicon)
    check_markup(whole)
    silent: list[str] = []
    spoken = False
    for line in whole.splitlines():
        words = list(_words(line, language, readings))
        silent.append(line)
        if not (words or spoken):
            continue
        spoken = True
        for earlier in silent[:-1]:
            _show(earlier, [], json=json)
        _show(line, words, json=json)
        silent = []
    if not spoken:
        raise BadText("the text holds nothing to speak", advice="Write at least one word in English or Mandarin.")


def _words(line: str, language: str | None, lexicon: Mapping[str, tuple[str, ...]]) -> Iterator[SpokenWord]:
    """Words of a line, read sentence by sentence as they are spoken; places are those in the line."""
    from dataclasses import replace

    from yinse.core.errors import BadText
    from yinse.text.phonemes import read_words_of
    from yinse.text.sentences import split_sentences

    for sentence in split_sentences(line):
        try:
            words = read_words_of(sentence.text, language=language, lexicon=lexicon)
        except BadText:  # a sentence in another script; what is left is read
            continue
        for word in words:
            yield replace(word, start=word.start + sentence.start, end=word.end + sentence.start)


def _show(line: str, words: list[SpokenWord], *, json: bool) -> None:
    if json:
        described = [
            {
                "start": word.start,
                "end": word.end,
                "text": word.text,
                "language": word.language,
                "reading": word.reading,
                "spoken": word.spoken,
                "phonemes": word.phonemes,
                "source": word.source,
            }
            for word in words
        ]
        print(json_format.dumps({"text": line, "words": described}, ensure_ascii=False))
        return
    print(line)
    for word in words:
        reading, spoken = " ".join(word.reading), " ".join(word.spoken)
        sounds = reading if spoken == reading else f"{reading} → {spoken}"
        place = f"{word.start}-{word.end}"
        print(f"  {place}\t{word.text}\t{word.language}\t{sounds}\t{' '.join(word.phonemes)}\t{word.source}")
