"""Which words belong to which recording, and cutting both at the ends of sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from yinse.audio.silence import Segment, cut
from yinse.core.errors import BadText
from yinse.core.types import AudioClip, PhonemeSequence
from yinse.text.phonemes import phonemize
from yinse.text.sentences import split_sentences
from yinse.text.symbols import HEAD
from yinse.workflows.engine import Engine

LONGEST_WITH_TEXT_S = 300.0
"""The search for the words takes memory in proportion to the square of the length: 170 MB at five minutes."""
# Ten unheard people, 12 to 16 utterances each, with right transcripts and with others of the same length. English:
# right -3.6 to -1.9, wrong -9.7 to -5.5. Mandarin over another channel: right -6.1 to -3.9, wrong below -9. A right one
# lay at most 1.2 below the person's median, a wrong one at least 2.6.
_LOWEST_CONFIDENCE = {"en": -6.2, "zh": -7.7}
_BELOW_MEDIAN = 2.0
_ALWAYS_FINE = -4.5
_SHORTEST_PIECE_S = 3.0
_SHORTEST_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a transcript and its place in a file, for messages."""

    text: str
    where: str


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """An utterance: audio, what was said if it is known, and where it came from."""

    clip: AudioClip
    text: str | None
    where: str


def read_text(path: Path) -> str:
    """A text file.

    Raises:
        BadText: no such file, or it is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadText(f"the text cannot be read ({error.strerror})", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise BadText("this is not a UTF-8 text", where=str(path), advice="Save it as UTF-8.") from error


def find_transcripts(recordings: Sequence[Path], listing: Path | None) -> list[tuple[Line, ...]]:
    """The transcript of each recording, line by line; an empty one where there is none.

    Args:
        recordings: audio files.
        listing: a file with one line per recording in their order, or lines `name<TAB>text`, or the text of the only
            recording. None: what lies as NAME.txt beside NAME.wav.

    Raises:
        BadText: the listing does not belong to the recordings; the message says which line.
    """
    if listing is None:
        beside = [path.with_suffix(".txt") for path in recordings]
        return [tuple(_lines(path)) if path.is_file() else () for path in beside]
    lines = list(_lines(listing))
    if not lines:
        raise BadText("the file holds no text", where=str(listing))
    if all("\t" in line.text for line in lines):
        return _by_name(recordings, lines)
    if len(recordings) == 1:
        return [tuple(lines)]
    if len(lines) != len(recordings):
        raise BadText(
            f"{len(lines)} lines for {len(recordings)} recordings",
            where=str(listing),
            advice="Write one line per recording, or a name, a tab and its text in each line.",
        )
    return [(line,) for line in lines]


def _lines(path: Path) -> Iterator[Line]:
    for number, text in enumerate(read_text(path).splitlines(), 1):
        if text.strip():
            yield Line(text.strip(), f"{path.name}, line {number}")


def _by_name(recordings: Sequence[Path], lines: Sequence[Line]) -> list[tuple[Line, ...]]:
    found: dict[Path, list[Line]] = {path: [] for path in recordings}
    for line in lines:
        name, text = (part.strip() for part in line.text.split("\t", 1))
        owners = [path for path in recordings if name in (path.name, path.stem, str(path))]
        if len(owners) != 1:
            known = ", ".join(path.name for path in recordings[:5])
            raise BadText(
                f"'{name}' is {'no recording' if not owners else 'more than one recording'}",
                where=line.where,
                advice=f"The recordings are {known}{', …' if len(recordings) > 5 else ''}.",
            )
        found[owners[0]].append(Line(text, line.where))
    return [tuple(found[path]) for path in recordings]


def cut_by_text(clip: AudioClip, lines: Sequence[Line], *, engine: Engine, where: str) -> list[Piece]:
    """Cuts a recording where its sentences end.

    Args:
        clip: `(S,)`, cleaned.
        lines: what is said in it, at least one.
        engine: lays the words onto the sound.
        where: name of the recording.

    Returns:
        Pieces of one or a few sentences. Whether they fit is not checked: see `fitting`.

    Raises:
        BadText: a line holds nothing to speak, the text is too long, or the recording is too long to be searched.
    """
    if clip.duration_s > LONGEST_WITH_TEXT_S:
        raise BadText(
            f"a recording with a transcript may last {LONGEST_WITH_TEXT_S / 60:.0f} minutes",
            where=where,
            advice="Cut it into shorter files with a line for each.",
        )
    sentences = [Line(sentence.text, line.where) for line in lines for sentence in split_sentences(line.text)]
    symbols: list[str] = [HEAD]
    last_symbols = []
    for sentence in sentences:
        symbols += read_line(sentence).symbols[1:]
        last_symbols.append(len(symbols) - 1)
    if not last_symbols:
        raise BadText("the line holds nothing to speak", where=lines[0].where)
    (timed,) = engine.align([clip], [symbols])
    if timed is None:
        raise BadText(
            f"the text is far too long for {where}",
            where=lines[0].where,
            advice="Check that each line belongs to its recording.",
        )
    pieces: list[Piece] = []
    start_s, waiting = 0.0, []
    for sentence, last in zip(sentences, last_symbols, strict=True):
        waiting.append(sentence)
        pause_start_s, pause_end_s = float(timed.ends_s[last - 1]), float(timed.ends_s[last])
        end_s = (pause_start_s + pause_end_s) / 2
        is_last = last == last_symbols[-1]
        long_enough = end_s - start_s >= _SHORTEST_PIECE_S and pause_end_s - pause_start_s >= _SHORTEST_PAUSE_S
        if is_last or long_enough:
            end_s = clip.duration_s if is_last else end_s
            text = " ".join(line.text for line in waiting)
            pieces.append(Piece(cut(clip, Segment(start_s, end_s)), text, waiting[0].where))
            start_s, waiting = end_s, []
    return pieces


def read_line(line: Line) -> PhonemeSequence:
    """Phonemes of a line.

    Raises:
        BadText: it holds nothing to speak; the message says where.
    """
    try:
        return phonemize(line.text)
    except BadText as error:
        raise BadText(error.what, where=line.where, advice=error.advice) from error


def fitting(pieces: Sequence[Piece], *, engine: Engine) -> list[bool]:
    """Whether the text of each piece is what is said in it; True where no text is known.

    Args:
        pieces: utterances of one person.
        engine: lays the words onto the sound.
    """
    known = [piece for piece in pieces if piece.text is not None]
    if not known:
        return [True] * len(pieces)
    read = [read_line(Line(piece.text or "", piece.where)) for piece in known]
    timed = engine.align([piece.clip for piece in known], [sequence.symbols for sequence in read])
    usual = float(np.median([one.confidence for one in timed if one] or [0.0]))
    fits = {}
    for piece, sequence, one in zip(known, read, timed, strict=True):
        lowest = _LOWEST_CONFIDENCE["zh" if "zh" in sequence.word_languages else "en"]
        limit = max(lowest, min(usual - _BELOW_MEDIAN, _ALWAYS_FINE))
        fits[id(piece)] = one is not None and one.confidence >= limit
    return [fits.get(id(piece), True) for piece in pieces]


def mostly_fitting(pieces: Sequence[Piece], *, engine: Engine, advice: str) -> list[bool]:
    """What `fitting` says, unless most texts are wrong: then something is mixed up.

    Raises:
        BadText: with this advice; the message says where.
    """
    fits = fitting(pieces, engine=engine)
    wrong = [piece.where for piece, fit in zip(pieces, fits, strict=True) if not fit]
    if len(wrong) * 2 > sum(piece.text is not None for piece in pieces):
        raise BadText("this is not what is said in the recording", where="; ".join(dict.fromkeys(wrong)), advice=advice)
    return fits


def speakable(text: str) -> str | None:
    """What was heard, if there are words in it; else None."""
    try:
        phonemize(text)
    except BadText:
        return None
    return text
