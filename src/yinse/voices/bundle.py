"""The `.voice` file: a zip that one can hold, inspect and verify, read without trusting it.

Three members, none compressed: `voice.json`, `tensors.safetensors`, and `hashes.json` with the SHA-256 of the other
two. Only these names are accepted and nothing is ever unpacked to disk, so a foreign archive can neither write
elsewhere nor grow when it is read.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from yinse.core.errors import FingerprintMismatch, FormatTooNew, VoiceError
from yinse.core.files import WholeFile
from yinse.voices.voice import Voice

FORMAT = 1
SUFFIX = ".voice"
_CARD, _TENSORS, _HASHES = "voice.json", "tensors.safetensors", "hashes.json"
_LIMITS = {_CARD: 1 << 20, _TENSORS: 64 << 20, _HASHES: 1 << 12}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same voice makes the same bytes
_ADVICE = "Get the file again from where it came from."
_DAMAGE = (ValueError, KeyError, TypeError, OverflowError, EOFError, RuntimeError, struct.error)
"""What zipfile and json raise on files that are not what they should be (NotImplementedError is a RuntimeError)."""


class VoiceCard(BaseModel):
    """`voice.json`: everything about a voice but its tensors."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())

    format: int
    id: str
    name: str
    languages: list[str]
    bandwidth_hz: float
    model_fingerprint: str
    licence: str
    created: str
    synthetic: bool
    consent: dict[str, JsonValue] | None = None
    retention: dict[str, JsonValue] | None = None
    figures: dict[str, float] = {}


def bundle_bytes(voice: Voice) -> bytes:
    """The bundle of a voice; the same voice gives the same bytes.

    Raises:
        VoiceError: it holds more than a bundle may.
    """
    from safetensors.numpy import save

    card = VoiceCard(
        format=FORMAT,
        id=voice.id,
        name=voice.name,
        languages=list(voice.languages),
        bandwidth_hz=float(voice.bandwidth_hz),
        model_fingerprint=voice.model_fingerprint,
        licence=voice.licence,
        created=voice.created,
        synthetic=voice.synthetic,
        consent=None if voice.consent is None else dict(voice.consent),
        retention=None if voice.retention is None else dict(voice.retention),
        figures={name: float(value) for name, value in voice.figures.items()},
    )
    members = {
        _CARD: (card.model_dump_json(indent=1) + "\n").encode(),
        _TENSORS: save({name: np.ascontiguousarray(values) for name, values in sorted(voice.tensors.items())}),
    }
    members[_HASHES] = (json.dumps({name: _sha256(data) for name, data in members.items()}, indent=1) + "\n").encode()
    for name, data in members.items():
        if len(data) > _LIMITS[name]:
            raise VoiceError(f"'{name}' would take {len(data)} bytes, more than a voice may", where=voice.name)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return buffer.getvalue()


def write_voice(path: Path, voice: Voice) -> None:
    """Writes a bundle whole or not at all.

    Raises:
        ResourceError: the folder cannot be written, or the disk is full.
        VoiceError: the voice is too large.
    """
    data = bundle_bytes(voice)
    with WholeFile(path) as file:
        file.write(data)


def read_voice(file: Traversable) -> Voice:
    """Reads a bundle, a file on disk or in the package.

    Raises:
        VoiceError: no such file, not a bundle, or a damaged one.
        FingerprintMismatch: its contents changed after it was written.
        FormatTooNew: a newer Yinse wrote it.
    """
    members = _members(file, tuple(_LIMITS))
    _check_hashes(members, where=file.name)
    card = _card(members[_CARD], where=file.name)
    return Voice(
        id=card.id,
        name=card.name,
        languages=tuple(card.languages),
        tensors=_tensors(members[_TENSORS], where=file.name),
        bandwidth_hz=card.bandwidth_hz,
        model_fingerprint=card.model_fingerprint,
        licence=card.licence,
        created=card.created,
        synthetic=card.synthetic,
        consent=card.consent,
        retention=card.retention,
        figures=card.figures,
    )


def read_card(file: Traversable) -> VoiceCard:
    """Reads `voice.json` alone, without verifying anything: what a list of voices needs.

    Raises:
        VoiceError, FingerprintMismatch, FormatTooNew: as `read_voice`, as far as the card shows it.
    """
    return _card(_members(file, (_CARD,))[_CARD], where=file.name)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _members(file: Traversable, names: Sequence[str]) -> dict[str, bytes]:
    """Some members of a bundle, each no larger than it may be."""
    where = file.name
    try:
        with file.open("rb") as data, zipfile.ZipFile(data) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            if set(entries) != set(_LIMITS) or len(archive.infolist()) != len(_LIMITS):
                raise VoiceError("this archive holds other things than a voice", where=where, advice=_ADVICE)
            for name, entry in entries.items():
                if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > _LIMITS[name]:
                    raise VoiceError(f"'{name}' is compressed or too large", where=where, advice=_ADVICE)
            return {name: _member(archive, entries[name], where=where) for name in names}
    except OSError as error:
        raise VoiceError(f"the voice cannot be read ({error.strerror or error})", where=where) from error
    except (zipfile.BadZipFile, *_DAMAGE) as error:
        raise VoiceError("this is not a voice, or only a part of one", where=where, advice=_ADVICE) from error


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, *, where: str) -> bytes:
    try:
        return archive.read(entry)
    except zipfile.BadZipFile as error:  # the format's own checksum: the list of members is whole, a member is not
        raise FingerprintMismatch(
            "the voice is damaged or was changed after it was written", where=where, advice=_ADVICE
        ) from error


def _check_hashes(members: Mapping[str, bytes], *, where: str) -> None:
    expected = _json_object(members[_HASHES], name=_HASHES, where=where)
    actual = {name: _sha256(members[name]) for name in (_CARD, _TENSORS)}
    if expected != actual:
        changed = [name for name, value in actual.items() if expected.get(name) != value]
        raise FingerprintMismatch(
            f"{' and '.join(changed) or _HASHES} changed after the voice was written", where=where, advice=_ADVICE
        )


def _json_object(data: bytes, *, name: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise VoiceError(f"'{name}' is not JSON", where=where, advice=_ADVICE) from error
    if not isinstance(value, dict):
        raise VoiceError(f"'{name}' is not a JSON object", where=where, advice=_ADVICE)
    return value


def _card(data: bytes, *, where: str) -> VoiceCard:
    found = _json_object(data, name=_CARD, where=where).get("format")
    if isinstance(found, int) and found > FORMAT:
        raise FormatTooNew(
            f"this voice has format {found}, here up to {FORMAT} is known", where=where, advice="Upgrade Yinse."
        )
    try:
        return VoiceCard.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or _CARD
        raise VoiceError(f"'{place}' in {_CARD}: {first['msg']}", where=where, advice=_ADVICE) from error


def _tensors(data: bytes, *, where: str) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(data)
    except (SafetensorError, *_DAMAGE) as error:
        raise VoiceError(f"'{_TENSORS}' is damaged", where=where, advice=_ADVICE) from error
