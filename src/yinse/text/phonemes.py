"""From text to the phonemes that the models read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from yinse.core.errors import BadText, ConfigError
from yinse.core.types import PhonemeSequence
from yinse.text.characters import HAN
from yinse.text.given import Given
from yinse.text.homographs import read_words
from yinse.text.lexicon import Lexicon
from yinse.text.mandarin import read_han, syllable_phonemes
from yinse.text.normalize import rewrite
from yinse.text.overrides import Restored, mark, restore
from yinse.text.reading import Reading, Source
from yinse.text.spanned import SpannedText
from yinse.text.symbols import HEAD, SYMBOL_IDS, TAIL, WORD_BOUNDARY

_TOKEN = re.compile(
    rf"(?P<zh>[{HAN}]+)|(?P<en>'?[A-Za-z]+(?:'[A-Za-z]+)*'?)"
    r"|(?P<ellipsis>…|\.{2,})|(?P<dash>—+|–|--+|(?<=\s)-(?=\s))|(?P<comma>[,:()])|(?P<stop>\n|\.(?!\w)|(?<!\s)\.)|(?P<strong>[!?])"
)
_LATIN_MAX = 64
"""Longer runs of letters are cut: nobody reads them as one word."""
_SHOUTED_WORDS = 4
"""So many words, all in capitals, are shouted: they are words, not abbreviations."""
_STRENGTH = {WORD_BOUNDARY: 0, ",": 1, "-": 2, "…": 3, ".": 4, "!": 5, "?": 6}
_SENTENCE_MARKS = frozenset(".?!…")
_PAUSE_MARK = ","
"""A pause that is asked for phrases the sentence as a comma does."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of a text as it is read.

    Attributes:
        start, end: its characters in the text as it was given, before normalisation.
        text: the word as it is read out, such as "two" for "2".
        language: "zh" or "en".
        reading: zh: pinyin with tone number, one per character, before tone sandhi; en: ARPAbet with stress.
        spoken: the same as it sounds: zh after tone sandhi.
        phonemes: symbols of the table.
        source: where the reading came from.
    """

    start: int
    end: int
    text: str
    language: str
    reading: tuple[str, ...]
    spoken: tuple[str, ...]
    phonemes: tuple[str, ...]
    source: Source


@dataclass(slots=True)
class _Item:
    """A word, or the boundary after one; `span` is its place in the normalised text."""

    phonemes: tuple[str, ...]
    text: str
    span: tuple[int, int]
    reading: Reading | None = None
    pause_s: float = 0.0


@dataclass(slots=True)
class _Items:
    """Items of a sequence while it grows: words, and one boundary after each."""

    spanned: SpannedText
    all: list[_Item] = field(default_factory=lambda: [_Item((HEAD,), "", (0, 0))])

    def word(self, reading: Reading, start: int) -> None:
        """Appends a word, if it can be spoken, and a plain boundary, which a mark may replace."""
        if not reading.phonemes:
            return
        end = start + len(reading.text)
        self.all.append(_Item(reading.phonemes, reading.text, (start, end), reading))
        self.all.append(_Item((WORD_BOUNDARY,), "", (end, end)))

    def mark(self, symbol: str, text: str, start: int) -> None:
        """Strengthens the last boundary; a mark before the first word is dropped."""
        last = self.all[-1]
        if len(self.all) > 1 and _STRENGTH[symbol] > _STRENGTH[last.phonemes[0]]:
            last.phonemes, last.text, last.span = (symbol,), text, (start, start + len(text))

    def pause(self, pause_s: float, start: int) -> None:
        """Lengthens the last boundary."""
        self.all[-1].pause_s += pause_s
        self.mark(_PAUSE_MARK, "", start)


def _mark_symbol(kind: str, text: str) -> str:
    return {"ellipsis": "…", "dash": "-", "comma": ",", "stop": "."}.get(kind, text)


class _Reader:
    """Reads normalised text piece by piece; English words wait until all that stand together are known."""

    def __init__(self, restored: Restored, *, lower: bool) -> None:
        self.items = _Items(restored.spanned)
        self._text = restored.spanned.text
        self._forced = restored.forced
        self._lower = lower
        self._latin: list[tuple[str, int]] = []
        self._given: dict[int, Given] = {}

    def piece(self, start: int, end: int) -> None:
        """Text without overrides of whole words."""
        for match in _TOKEN.finditer(self._text, start, end):
            kind = match.lastgroup or ""
            if kind == "en":
                word, at = match[0], match.start()
                self._latin += [(word[i : i + _LATIN_MAX], at + i) for i in range(0, len(word), _LATIN_MAX)]
                continue
            self.flush()
            if kind == "zh":
                self._han(match[0], match.start())
            else:
                self.items.mark(_mark_symbol(kind, match[0]), match[0], match.start())

    def _han(self, run: str, start: int) -> None:
        forced = {i: self._forced[start + i] for i in range(len(run)) if start + i in self._forced}
        at = start
        for reading in read_han(run, forced={i: syllable for i, (syllable, _) in forced.items()}):
            sources = {forced[i][1] for i in range(at - start, at - start + len(reading.text)) if i in forced}
            by_lexicon = Source.LEXICON in sources and Source.OVERRIDE not in sources
            self.items.word(replace(reading, source=Source.LEXICON) if by_lexicon else reading, at)
            at += len(reading.text)

    def given(self, start: int, given: Given) -> None:
        """A word that is read as given."""
        if given.language == "en":
            self._given[len(self._latin)] = given
            self._latin.append((given.text, start))
            return
        self.flush()
        phonemes = tuple(symbol for syllable in given.reading for symbol in syllable_phonemes(syllable) or ())
        self.items.word(Reading(given.text, "zh", given.reading, given.reading, phonemes, given.source), start)

    def pause(self, start: int, pause_s: float) -> None:
        """A pause that was asked for."""
        self.flush()
        self.items.pause(pause_s, start)

    def flush(self) -> None:
        """Reads the English words that wait."""
        words = [word.lower() if self._lower else word for word, _ in self._latin]
        forced = {index: given.reading for index, given in self._given.items()}
        for index, reading in enumerate(read_words(words, forced=forced) if words else ()):
            word, start = self._latin[index]
            source = self._given[index].source if index in self._given else reading.source
            self.items.word(Reading(word, "en", reading.reading, reading.spoken, reading.phonemes, source), start)
        self._latin, self._given = [], {}


def _read(text: str, language: str | None, lexicon: Mapping[str, tuple[str, ...]] | None) -> _Items:
    """Items of a text; the last is a boundary."""
    if language not in (None, "zh", "en"):
        raise ConfigError(f"language '{language}' is unknown", advice="Use zh or en.")
    marked = mark(text, Lexicon.of(lexicon) if lexicon else None)
    restored = restore(rewrite(marked.spanned, language=language), marked)
    normalized = restored.spanned.text
    shouted = (
        normalized.isupper() and len(normalized.split()) >= _SHOUTED_WORDS and not re.search(f"[{HAN}]", normalized)
    )
    reader = _Reader(restored, lower=shouted)
    at = 0
    pauses = ((start, start, pause_s) for start, pause_s in restored.pauses)
    events: list[tuple[int, int, Given | float]] = sorted([*restored.words, *pauses], key=lambda event: event[0])
    for start, end, event in events:
        reader.piece(at, start)
        if isinstance(event, Given):
            reader.given(start, event)
        else:
            reader.pause(start, event)
        at = end
    reader.piece(at, len(normalized))
    reader.flush()
    if len(reader.items.all) < 2:
        raise BadText(
            "the text holds nothing to speak",
            advice="Write at least one word in English or Mandarin; other scripts are not read yet.",
            span=(0, len(text)),
        )
    return reader.items


def phonemize(
    text: str,
    *,
    language: str | None = None,
    punctuated: bool = True,
    lexicon: Mapping[str, tuple[str, ...]] | None = None,
) -> PhonemeSequence:
    """Phonemes of a sentence or passage.

    The sequence is "^", then word, boundary, word, boundary, …: exactly one boundary symbol after each word ("|", or
    the strongest mark written there), the last one a sentence mark.

    Args:
        text: any text; Mandarin and English may be mixed, all else is passed over. `{行|hang2}` and `{read|R EH1 D}`
            are read as given, `[pause:0.5s]` lengthens the boundary before it.
        language: "zh" or "en" for what could be either (numbers); None: by the script around it.
        punctuated: False for a transcript without marks: it ends in "$" (unknown) where no mark is written.
        lexicon: readings of words that go before the dictionaries'.

    Returns:
        The sequence; its `text` is the normalised text that the spans refer to, its `source_spans` refer to `text`.
        Linear in the length of `text`.

    Raises:
        BadText: nothing in the text can be spoken, or an override is malformed; `span` is the place.
        ConfigError: unknown language.
    """
    read = _read(text, language, lexicon)
    items, spanned = read.all, read.spanned
    last = items[-1]
    if last.phonemes[0] not in _SENTENCE_MARKS:
        end = last.span[1]
        last.phonemes, last.text, last.span = ("." if punctuated else TAIL,), "", (end, end)
    symbols = tuple(symbol for item in items for symbol in item.phonemes)
    return PhonemeSequence(
        symbols=symbols,
        ids=tuple(SYMBOL_IDS[symbol] for symbol in symbols),
        word_lengths=tuple(len(item.phonemes) for item in items),
        word_texts=tuple(item.text for item in items),
        word_languages=tuple(item.reading.language if item.reading else "" for item in items),
        spans=tuple(item.span for item in items),
        text=spanned.text,
        source_spans=tuple(spanned.origin(*item.span) for item in items),
        pauses_s=tuple(item.pause_s for item in items) if any(item.pause_s for item in items) else (),
    )


def read_words_of(
    text: str, *, language: str | None = None, lexicon: Mapping[str, tuple[str, ...]] | None = None
) -> list[SpokenWord]:
    """How each word of a text is read, and why.

    Args:
        text: as in `phonemize`.
        language: as there.
        lexicon: as there.

    Returns:
        The words in order, with their places in `text`.

    Raises:
        BadText: as in `phonemize`.
        ConfigError: unknown language.
    """
    read = _read(text, language, lexicon)
    words = []
    for item in read.all:
        if item.reading is not None:
            start, end = read.spanned.origin(*item.span)
            words.append(
                SpokenWord(
                    start,
                    end,
                    item.text,
                    item.reading.language,
                    item.reading.reading,
                    item.reading.spoken,
                    item.phonemes,
                    item.reading.source,
                )  # fmt: skip
            )
    return words
