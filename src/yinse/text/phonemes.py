"""From text to the phonemes that the models read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from yinse.core.errors import BadText, ConfigError
from yinse.core.types import PhonemeSequence
from yinse.text.homographs import pronounce_all
from yinse.text.mandarin import read_run
from yinse.text.characters import HAN
from yinse.text.normalize import normalize
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


@dataclass(slots=True)
class _Items:
    """Items of a sequence while it grows: words, and one boundary after each."""

    phonemes: list[tuple[str, ...]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)

    def append(self, phonemes: tuple[str, ...], text: str, language: str, span: tuple[int, int]) -> None:
        self.phonemes.append(phonemes)
        self.texts.append(text)
        self.languages.append(language)
        self.spans.append(span)

    def word(self, phonemes: tuple[str, ...], text: str, language: str, start: int) -> None:
        """Appends a word and a plain boundary, which a mark may replace."""
        end = start + len(text)
        self.append(phonemes, text, language, (start, end))
        self.append((WORD_BOUNDARY,), "", "", (end, end))

    def mark(self, symbol: str, text: str, start: int) -> None:
        """Strengthens the last boundary; a mark before the first word is dropped."""
        if len(self.phonemes) > 1 and _STRENGTH[symbol] > _STRENGTH[self.phonemes[-1][0]]:
            self.phonemes[-1] = (symbol,)
            self.texts[-1] = text
            self.spans[-1] = (start, start + len(text))


def _mark_symbol(kind: str, text: str) -> str:
    return {"ellipsis": "…", "dash": "-", "comma": ",", "stop": "."}.get(kind, text)


def phonemize(text: str, *, language: str | None = None, punctuated: bool = True) -> PhonemeSequence:
    """Phonemes of a sentence or passage.

    The sequence is "^", then word, boundary, word, boundary, …: exactly one boundary symbol after each word ("|", or
    the strongest mark written there), the last one a sentence mark.

    Args:
        text: any text; Mandarin and English may be mixed, all else is passed over.
        language: "zh" or "en" for what could be either (numbers); None: by the script around it.
        punctuated: False for a transcript without marks: it ends in "$" (unknown) where no mark is written.

    Returns:
        The sequence; its `text` is the normalised text that the spans refer to. Linear in the length of `text`.

    Raises:
        BadText: nothing in the text can be spoken.
        ConfigError: unknown language.
    """
    if language not in (None, "zh", "en"):
        raise ConfigError(f"language '{language}' is unknown", advice="Use zh or en.")
    normalized = normalize(text, language=language)
    shouted = (
        normalized.isupper() and len(normalized.split()) >= _SHOUTED_WORDS and not re.search(f"[{HAN}]", normalized)
    )
    items = _Items()
    items.append((HEAD,), "", "", (0, 0))
    latin: list[tuple[str, int]] = []
    for match in _TOKEN.finditer(normalized):
        kind = match.lastgroup or ""
        if kind == "en":
            word, start = match[0], match.start()
            latin += [(word[i : i + _LATIN_MAX], start + i) for i in range(0, len(word), _LATIN_MAX)]
            continue
        _read_latin(items, latin, lower=shouted)
        latin = []
        if kind == "zh":
            for read in read_run(match[0]):
                items.word(read.phonemes, read.text, "zh", match.start() + read.start)
        else:
            items.mark(_mark_symbol(kind, match[0]), match[0], match.start())
    _read_latin(items, latin, lower=shouted)
    if len(items.phonemes) < 2:
        raise BadText("the text holds nothing to speak", advice="Write at least one word in English or Mandarin.")
    if items.phonemes[-1][0] not in _SENTENCE_MARKS:
        end = items.spans[-1][1]
        items.phonemes[-1] = ("." if punctuated else TAIL,)
        items.texts[-1], items.spans[-1] = "", (end, end)
    symbols = tuple(symbol for phonemes in items.phonemes for symbol in phonemes)
    return PhonemeSequence(
        symbols=symbols,
        ids=tuple(SYMBOL_IDS[symbol] for symbol in symbols),
        word_lengths=tuple(len(phonemes) for phonemes in items.phonemes),
        word_texts=tuple(items.texts),
        word_languages=tuple(items.languages),
        spans=tuple(items.spans),
        text=normalized,
    )


def _read_latin(items: _Items, words: list[tuple[str, int]], *, lower: bool) -> None:
    spellings = [word.lower() if lower else word for word, _ in words]
    for (word, start), phonemes in zip(words, pronounce_all(spellings), strict=True):
        if phonemes:
            items.word(phonemes, word, "en", start)
