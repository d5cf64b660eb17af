"""Which recordings and texts a folder, list or text file holds, for the coach."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from yinse.core.errors import BadAudio
from yinse.corpus.manifest import MANIFEST, read_list, read_manifest
from yinse.workflows.recordings import find_recordings
from yinse.workflows.transcripts import find_transcripts, read_text


@dataclass(frozen=True, slots=True)
class CorpusItem:
    """A recording with what is said in it, as far as it is known, or a text alone.

    Attributes:
        audio: the recording; None for a text alone.
        lines: what is said; empty where it is not known.
    """

    audio: Path | None
    lines: tuple[str, ...]


def read_corpus(paths: Sequence[Path], listing: Path | None = None) -> list[CorpusItem]:
    """Recordings and texts.

    Args:
        paths: recordings; folders of them, with NAME.txt beside NAME.wav; corpora made by `yinse prep`; folders with a
            `metadata.csv` that has the columns `file` and `text`; lists with lines `file|speaker|language|text`; text
            files with a sentence per line and no audio.
        listing: transcripts of the recordings, see `find_transcripts`.

    Raises:
        BadAudio: a path does not exist, or holds no recordings and no texts.
        BadText: a list or transcript cannot be read.
        ConfigError: a manifest is damaged.
    """
    items: list[CorpusItem] = []
    recordings: list[Path] = []
    for path in paths:
        if (path / MANIFEST).is_file():
            items += [CorpusItem(path / one.audio, _known(one.text)) for one in read_manifest(path)]
        elif _is_table(path / "metadata.csv"):
            items += _of_table(path)
        elif path.suffix.lower() == ".list" and path.is_file():
            items += [CorpusItem(audio, _known(text)) for audio, _, _, text in read_list(path)]
        elif path.suffix.lower() == ".txt" and path.is_file():
            items += [CorpusItem(None, (line.strip(),)) for line in read_text(path).splitlines() if line.strip()]
        else:
            recordings += find_recordings([path], deep=True)
    recordings = list(dict.fromkeys(recordings))
    if recordings:
        transcripts = find_transcripts(recordings, listing)
        items += [
            CorpusItem(audio, tuple(line.text for line in lines))
            for audio, lines in zip(recordings, transcripts, strict=True)
        ]
    if not items:
        raise BadAudio("there are neither recordings nor texts", advice="Name recordings, a folder, or a text file.")
    return items


def _known(text: str) -> tuple[str, ...]:
    return (text.strip(),) if text.strip() else ()


def _is_table(path: Path) -> bool:
    return path.is_file() and "file" in next(csv.reader(read_text(path).splitlines()), [])


def _of_table(folder: Path) -> Iterator[CorpusItem]:
    """Items of `metadata.csv`; without a column `text` the texts are unknown."""
    for row in csv.DictReader(read_text(folder / "metadata.csv").splitlines()):
        yield CorpusItem(folder / row["file"], _known(row.get("text") or ""))
