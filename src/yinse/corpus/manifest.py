"""Lists of utterances: our own manifest (one JSON object per line), `.list` files, and the layout of LJSpeech."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from yinse.core.errors import BadText, ConfigError
from yinse.core.files import WholeFile

MANIFEST = "manifest.jsonl"
AUDIO_FOLDER = "wavs"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Record):
    """Where an utterance was cut out.

    Attributes:
        path: the recording, as the user named it.
        sha256: of its bytes.
        start_s: of the utterance in it.
        end_s: of the utterance in it.
    """

    path: str
    sha256: str
    start_s: float
    end_s: float


class UtteranceRecord(_Record):
    """One utterance of a corpus; a line of the manifest.

    Attributes:
        id: unique in the corpus.
        audio: file, relative to the manifest.
        duration_s: its length.
        sample_rate_hz: its rate.
        speaker: who speaks.
        language: "zh", "en", or "" if it is not known.
        text: what is said, "" if it is not known.
        source: where it comes from.
        quality: figures by name, such as `snr_db`.
        journal: what was done to it, in order, with parameters.
    """

    id: str
    audio: str
    duration_s: float
    sample_rate_hz: int
    speaker: str
    language: str = ""
    text: str = ""
    source: Source
    quality: dict[str, float]
    journal: list[dict[str, Any]]


def write_manifest(folder: Path, records: Iterable[UtteranceRecord]) -> Path:
    """Writes `manifest.jsonl`, one utterance per line.

    Raises:
        ResourceError: the folder cannot be written.
    """
    with WholeFile(folder / MANIFEST) as file:
        for record in records:
            file.write(record.model_dump_json().encode() + b"\n")
    return folder / MANIFEST


def read_manifest(folder: Path) -> list[UtteranceRecord]:
    """Reads what `write_manifest` wrote.

    Raises:
        ConfigError: there is no manifest, or a line of it is damaged; the message says which.
    """
    path = folder / MANIFEST
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the manifest cannot be read ({error})", where=str(path)) from error
    records = []
    for number, line in enumerate(lines, 1):
        try:
            records.append(UtteranceRecord.model_validate_json(line))
        except ValidationError as error:
            raise ConfigError(
                f"the manifest is damaged: {error.errors(include_url=False)[0]['msg']}", where=f"{path}, line {number}"
            ) from error
    return records


def write_list(path: Path, records: Iterable[UtteranceRecord]) -> Path:
    """Writes a `.list` file, as GPT-SoVITS reads it: `audio|speaker|LANGUAGE|text`, audio relative to the file.

    Raises:
        ResourceError: the file cannot be written.
    """
    with WholeFile(path) as file:
        for one in records:
            fields = (one.audio, one.speaker, one.language.upper(), one.text)
            file.write(("|".join(_field(field) for field in fields) + "\n").encode())
    return path


def read_list(path: Path) -> list[tuple[Path, str, str, str]]:
    """Reads a `.list` file: audio (relative names from the file's folder), speaker, language in lower case, text.

    Raises:
        BadText: the file cannot be read, or a line has another number of fields; the message says which.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadText(f"the list cannot be read ({error})", where=str(path)) from error
    rows = []
    for number, line in enumerate(lines, 1):
        fields = line.split("|")
        if len(fields) != 4:
            raise BadText(
                f"there are {len(fields)} fields where 4 belong",
                where=f"{path.name}, line {number}",
                advice="Write audio|speaker|language|text.",
            )
        rows.append((path.parent / fields[0], fields[1], fields[2].lower(), fields[3]))
    return rows


def write_ljspeech(folder: Path, records: Iterable[UtteranceRecord]) -> Path:
    """Writes `metadata.csv` as LJSpeech has it, `id|text|text`, beside the folder `wavs`.

    Raises:
        ResourceError: the folder cannot be written.
    """
    with WholeFile(folder / "metadata.csv") as file:
        for one in records:
            file.write(f"{one.id}|{_field(one.text)}|{_field(one.text)}\n".encode())
    return folder / "metadata.csv"


def _field(text: str) -> str:
    """Text without what separates fields and lines."""
    return " ".join(text.replace("|", " ").split())
