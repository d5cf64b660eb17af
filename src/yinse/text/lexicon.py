"""A user's own readings: a file with a word, a tab and its reading in each line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from yinse.core.errors import BadText
from yinse.text.given import HELP, Given, parse_given
from yinse.text.reading import Source

_LARGEST_BYTES = 16 * 2**20


class Lexicon(Mapping[str, tuple[str, ...]]):
    """Words and their readings: pinyin syllables or ARPAbet phones. Letters match in either case.

    Args:
        words: readings of the words.

    Raises:
        BadText: a reading is none.
    """

    def __init__(self, words: Mapping[str, tuple[str, ...]]) -> None:
        self._words: dict[str, Given] = {}
        self._lengths: dict[str, tuple[int, ...]] = {}
        for word, reading in words.items():
            self._add(parse_given(word, " ".join(reading), source=Source.LEXICON))

    def _add(self, given: Given) -> None:
        key = given.text.lower()
        self._words[key] = given
        known = {*self._lengths.get(key[0], ()), len(key)}
        self._lengths[key[0]] = tuple(sorted(known, reverse=True))

    @classmethod
    def of(cls, words: Mapping[str, tuple[str, ...]]) -> Lexicon:
        """The words as a lexicon, themselves if they are one."""
        return words if isinstance(words, Lexicon) else cls(words)

    @classmethod
    def load(cls, path: Path) -> Lexicon:
        """Reads a file of lines `word<TAB>reading`; empty lines and lines that begin with "# " are passed over.

        Raises:
            BadText: the file cannot be read, or a line is none of these; the message names the line.
        """
        try:
            if path.stat().st_size > _LARGEST_BYTES:
                raise BadText("a lexicon has 16 MB at most", where=str(path))
            lines = path.read_bytes().decode("utf-8-sig").splitlines()
        except OSError as error:
            raise BadText(f"the lexicon cannot be read ({error.strerror})", where=str(path)) from error
        except UnicodeDecodeError as error:
            raise BadText("this is not a UTF-8 text", where=str(path), advice="Save it as UTF-8.") from error
        lexicon = cls({})
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("# "):
                continue
            where = f"{path}, line {number}"
            word, tab, reading = line.partition("\t")
            if not tab:
                raise BadText("there is no tab between word and reading", where=where, advice=HELP)
            try:
                given = parse_given(word.strip(), reading.strip(), source=Source.LEXICON)
            except BadText as error:
                raise BadText(error.what, where=where, advice=error.advice) from error
            if given.text in lexicon:
                raise BadText(f"'{given.text}' was given before", where=where, advice="Keep one of the two.")
            lexicon._add(given)
        return lexicon

    def __getitem__(self, word: str) -> tuple[str, ...]:
        return self._words[word.lower()].reading

    def __iter__(self) -> Iterator[str]:
        return (given.text for given in self._words.values())

    def __len__(self) -> int:
        return len(self._words)

    def match(self, text: str, start: int) -> Given | None:
        """The longest word that stands at `start`; not a part of a longer run of letters and digits."""
        for length in self._lengths.get(text[start].lower(), ()):
            end = start + length
            given = self._words.get(text[start:end].lower())
            if given is None or end > len(text):
                continue
            if not _joined(text[start - 1 : start] if start else "", text[start]) and not _joined(
                text[end - 1], text[end : end + 1]
            ):
                return replace(given, text=text[start:end])
        return None


def _joined(left: str, right: str) -> bool:
    """Whether two neighbours belong to one run of letters and digits."""
    return left.isascii() and right.isascii() and left.isalnum() and right.isalnum()
