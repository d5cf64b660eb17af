"""Phonemes as the published GPT-SoVITS models know them: their tables, without the marks of our own.

The first model (v1) knows 322 symbols, the later ones 732; both count from the same place, so one list serves both. Our
front-end's phonemes are theirs already, but for word boundaries and edges of utterances, which they never learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from yinse.core.errors import BadText
from yinse.core.types import PhonemeSequence
from yinse.text.symbols import HEAD, SYMBOL_IDS, SYMBOLS, TAIL, WORD_BOUNDARY

TABLE_SIZES = MappingProxyType({"v1": 322, "v2": 732, "v2Pro": 732, "v2ProPlus": 732})
"""Symbols that each published version knows."""
_OWN = frozenset((WORD_BOUNDARY, HEAD, TAIL))
_STOP, _COMMA = ".", ","
_FEWEST_PHONEMES = 6
_FEWEST_ENGLISH_PHONEMES = 4


@dataclass(frozen=True, slots=True)
class OfficialRun:
    """A stretch in one language.

    Attributes:
        language: "zh" or "en".
        text: the characters that its phonemes stand for, marks included; "" where they are not read one by one (en).
        lengths: phonemes of each character; of the whole stretch, where `text` is "".
    """

    language: str
    text: str
    lengths: tuple[int, ...]

    @property
    def phonemes(self) -> int:
        """How many there are."""
        return sum(self.lengths)


@dataclass(frozen=True, slots=True)
class OfficialText:
    """A sentence as a published model reads it.

    Attributes:
        symbols: `T_ph` of them.
        ids: their places in the table.
        runs: stretches of one language; their lengths add up to `T_ph`.
    """

    symbols: tuple[str, ...]
    ids: tuple[int, ...]
    runs: tuple[OfficialRun, ...]


def published_symbols(count: int) -> tuple[str, ...]:
    """The table of `count` symbols."""
    return SYMBOLS[:count]


def official_text(sequence: PhonemeSequence, *, table: int, pause_first: bool = False) -> OfficialText:
    """A sentence for a published model.

    Fewer than six phonemes get a full stop in front, and English ones that are still fewer than four a comma, as in the
    published program: its models fail on very short texts.

    Args:
        sequence: of our front-end.
        table: how many symbols the model knows.
        pause_first: put a full stop in front in any case.

    Raises:
        BadText: a phoneme is not in the table.
    """
    runs: list[_Run] = []
    at = 0
    for length, text, language in zip(sequence.word_lengths, sequence.word_texts, sequence.word_languages, strict=True):
        symbols = sequence.symbols[at : at + length]
        at += length
        if symbols[0] in _OWN:
            continue
        _check(symbols, text, table)
        spoken = language or (runs[-1].language if runs else "zh")
        if not runs or runs[-1].language != spoken:
            runs.append(_Run(spoken))
        runs[-1].add(symbols, text if language else symbols[0])
    if not runs:
        raise BadText("the text holds nothing to speak", advice="Write at least one word in English or Mandarin.")
    if pause_first or sum(len(run.symbols) for run in runs) < _FEWEST_PHONEMES:
        runs[0].add((_STOP,), _STOP, first=True)
    if runs[0].language == "en" and sum(len(run.symbols) for run in runs) < _FEWEST_ENGLISH_PHONEMES:
        runs[0].add((_COMMA,), _COMMA, first=True)
    whole = tuple(symbol for run in runs for symbol in run.symbols)
    return OfficialText(whole, tuple(SYMBOL_IDS[symbol] for symbol in whole), tuple(run.finished() for run in runs))


class _Run:
    """A run while it grows."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.symbols: list[str] = []
        self._text: list[str] = []
        self._lengths: list[int] = []

    def add(self, symbols: tuple[str, ...], text: str, *, first: bool = False) -> None:
        """Adds a word, or a mark whose text is its symbol."""
        each, rest = divmod(len(symbols), len(text))
        lengths = [each + (index < rest) for index in range(len(text))]
        place = 0 if first else len(self._text)
        self._text[place:place], self._lengths[place:place] = list(text), lengths
        place = 0 if first else len(self.symbols)
        self.symbols[place:place] = list(symbols)

    def finished(self) -> OfficialRun:
        """The run; English is not read character by character."""
        if self.language != "zh":
            return OfficialRun(self.language, "", (len(self.symbols),))
        return OfficialRun(self.language, "".join(self._text), tuple(self._lengths))


def _check(symbols: tuple[str, ...], text: str, table: int) -> None:
    for symbol in symbols:
        if SYMBOL_IDS[symbol] >= table:
            raise BadText(
                f"the phoneme '{symbol}' of '{text}' is not among the {table} that this model knows",
                advice="Use a model of v2 or later." if table < TABLE_SIZES["v2"] else None,
            )
