"""Fetches published models: goes on where it broke off, compares hashes, tries mirrors, and says what to fetch by hand.

Everything lies in one repository of the Hugging Face hub. Sizes and hashes are those of its files as of 2026-08; where
none is known here, the hash that the server names for the file is used.
"""

from __future__ import annotations

import hashlib
import http.client
import re
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from yinse.core.errors import ConfigError, DamagedFile, Offline, ResourceError, UnknownName, YinseError
from yinse.core.events import Event, Progress, Warned

REPOSITORY = "lj1995/GPT-SoVITS"
_PIECE_BYTES = 1 << 20
_TIMEOUT_S = 30.0
_MOST_BYTES = 8 << 30
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A published file.

    Attributes:
        path: in its repository.
        size_bytes: how long it is; None if not known.
        sha256: of its bytes; None if not known.
    """

    path: str
    size_bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A pair of published files, and whether it reads speaker vectors."""

    semantic: RemoteFile
    sovits: RemoteFile
    reads_speaker: bool = False


_LATER = RemoteFile("s1v3.ckpt", 155_284_856, "87133414860ea14ff6620c483a3db5ed07b44be42e2c3fcdad65523a729a745a")
MODELS: Mapping[str, RemoteModel] = MappingProxyType(
    {
        "gpt-sovits-v1": RemoteModel(
            RemoteFile("s1bert25hz-2kh-longer-epoch=68e-step=50232.ckpt"), RemoteFile("s2G488k.pth")
        ),
        "gpt-sovits-v2": RemoteModel(
            RemoteFile(
                "gsv-v2final-pretrained/s1bert25hz-5kh-longer-epoch=12-step=369668.ckpt",
                sha256="732f94e63b148066e24c7f9d2637f3374083e637635f07fbdb695dee20ddbe1f",
            ),
            RemoteFile(
                "gsv-v2final-pretrained/s2G2333k.pth",
                sha256="924fdccaa3c574bf139c25c9759aa1ed3b3f99e19a7c529ee996c2bc17663695",
            ),
        ),
        "gpt-sovits-v2pro": RemoteModel(
            _LATER,
            RemoteFile(
                "v2Pro/s2Gv2Pro.pth", 162_303_657, "0f8ead815234365edf045c6d86370ed6e4f440e8195be77ff0ea72684ad406a5"
            ),
            reads_speaker=True,
        ),
        "gpt-sovits-v2proplus": RemoteModel(
            _LATER,
            RemoteFile(
                "v2Pro/s2Gv2ProPlus.pth",
                200_125_741,
                "d42a22bbbf65fb2bbdd45ad6a66841156977db45c7aabe0a6992ff378d9c7d3b",
            ),
            reads_speaker=True,
        ),
    }
)
"""The published pairs that can be pulled."""
SPEAKER = RemoteFile(
    "sv/pretrained_eres2netv2w24s4ep4.ckpt",
    107_528_697,
    "4f5a0bf73c61eb41b174e1bb54e7ee3c83233892be8e0af1f187024e8e581a35",
)
HUBERT = (
    RemoteFile(
        "chinese-hubert-base/config.json", 1_449, "c3e5060a1277e0f078cc6be9da4528a605dba6ece93018981fe2c820e5c7b103"
    ),
    RemoteFile(
        "chinese-hubert-base/pytorch_model.bin",
        188_811_417,
        "24164f129c66499d1346e2aa55f183250c223161ec2770c0da3d3b08cf432d3c",
    ),
)
BERT = (
    RemoteFile(
        "chinese-roberta-wwm-ext-large/config.json",
        963,
        "3d57de2fd7e80d0e5c8ff194f0bbb6baa10df7e43fc262a0cc71298a78b0a3e5",
    ),
    RemoteFile(
        "chinese-roberta-wwm-ext-large/tokenizer.json",
        268_962,
        "173796956820ea27bd14f76bf28162607ff4254807e2948253eb5b46f5bb643b",
    ),
    RemoteFile(
        "chinese-roberta-wwm-ext-large/pytorch_model.bin",
        651_225_145,
        "e53a693acc59ace251d143d068096ae0d7b79e4b1b503fa84c9dcf576448c1d8",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullOptions:
    """How files are fetched.

    Attributes:
        mirrors: addresses that serve the hub's paths, tried in order.
        pauses_s: waits before each new try of one mirror; as many tries as there are, and one.
    """

    mirrors: tuple[str, ...]
    pauses_s: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)

    def __post_init__(self) -> None:
        for mirror in self.mirrors:
            if urllib.parse.urlsplit(mirror).scheme not in ("http", "https"):
                raise ConfigError(f"'{mirror}' is no address of a mirror", advice="Use https://…")


def remote_model(name: str) -> RemoteModel:
    """The published pair of a name.

    Raises:
        UnknownName: there is none; the message proposes the nearest.
    """
    if name not in MODELS:
        raise UnknownName("model to pull", name, MODELS)
    return MODELS[name]


def pull(files: Sequence[RemoteFile], folder: Path, *, options: PullOptions) -> Iterator[Event]:
    """Makes sure that files lie under a folder, at their paths; what is there already is not fetched again.

    Args:
        files: wanted.
        folder: where they go.
        options: from where.

    Raises:
        Offline: some cannot be fetched; the message lists what to place where.
        DamagedFile: a file that is there, or that every mirror serves, is not the one that is wanted.
        ResourceError: the folder cannot be written, or the disk is too small.
    """
    for index, file in enumerate(files):
        place = folder / file.path
        if place.is_file():
            _check(place, file)
            continue
        try:
            yield from _fetch(file, place, options)
        except Offline as error:
            missing = [other for other in files[index:] if not (folder / other.path).is_file()]
            raise Offline(
                f"the model cannot be fetched ({error.what})",
                advice="Fetch these files in another way and place them so, then run the same command again:\n"
                + "\n".join(
                    f"  {_address(options.mirrors[0], other)}\n    as {folder / other.path}" for other in missing
                ),
            ) from error
        except OSError as error:
            raise ResourceError(
                f"the file cannot be written ({error.strerror or error})",
                where=str(place),
                advice="Check that the folder can be written and that the disk has room.",
            ) from error


def _fetch(file: RemoteFile, place: Path, options: PullOptions) -> Iterator[Event]:
    """One file from the first mirror that serves it."""
    failures: list[YinseError] = []
    place.parent.mkdir(parents=True, exist_ok=True)
    for mirror in options.mirrors:
        for pause_s in (0.0, *options.pauses_s):
            time.sleep(pause_s)
            try:
                yield from _try(file, place, _address(mirror, file))
            except _Passing as passing:
                failures.append(Offline(str(passing)))
                continue
            except (Offline, DamagedFile) as error:  # another try of the same mirror would end the same
                failures.append(error)
                yield Warned(error.what, error.where)
                break
            return
    damaged = [error for error in failures if isinstance(error, DamagedFile)]
    raise damaged[-1] if damaged else failures[-1]


class _Passing(Exception):
    """A fault that the next try may not meet."""


def _try(file: RemoteFile, place: Path, address: str) -> Iterator[Event]:
    """One try: takes up what an earlier one left, and gives the file its name once it is whole."""
    partial, note = place.with_name(f".{place.name}.part"), place.with_name(f".{place.name}.part.tag")
    start = partial.stat().st_size if partial.is_file() else 0
    tag = note.read_text(encoding="utf-8") if note.is_file() else ""
    if not tag and file.sha256 is None:
        start = 0  # without a hash, parts of two versions could not be told from a whole file
    headers = {"User-Agent": "yinse", "Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-"} | ({"If-Range": tag} if tag else {})
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=_TIMEOUT_S) as answer:
            if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
                start = 0
            total = _total(answer.headers, start, file, address)
            if total is not None and total - start > shutil.disk_usage(place.parent).free:
                raise ResourceError(f"the file needs {total / 2**20:.0f} MiB of disk", where=str(place))
            note.write_text(answer.headers.get("ETag", ""), encoding="utf-8")
            served = _served_hash(answer.headers)
            yield from _receive(answer, partial, start, total, file.path)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            partial.unlink(missing_ok=True)
        if error.code in (408, 416, 429) or error.code >= 500:
            raise _Passing(f"{address} answers {error.code} {error.reason}") from error
        raise Offline(f"{address} answers {error.code} {error.reason}") from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise _Passing(f"{address}: {getattr(error, 'reason', None) or error}") from error
    _check(partial, RemoteFile(file.path, total, file.sha256 or served), address=address)
    partial.replace(place)
    note.unlink(missing_ok=True)


def _receive(answer: Any, partial: Path, start: int, total: int | None, path: str) -> Iterator[Event]:
    done = start
    with partial.open("ab" if start else "wb") as output:
        while piece := answer.read(_PIECE_BYTES):
            output.write(piece)
            done += len(piece)
            if done > (total or _MOST_BYTES):
                raise DamagedFile("the server sends more than the file", where=path)
            yield Progress(f"fetch {path.rsplit('/', 1)[-1]}", done, total or 0, f"{done / 2**20:.0f} MiB")
    if total is not None and done < total:
        raise _Passing(f"the connection broke after {done} of {total} bytes")


def _total(headers: Any, start: int, file: RemoteFile, address: str) -> int | None:
    """How long the whole file is."""
    length = headers.get("Content-Length", "")
    total = start + int(length) if length.isdigit() else None
    if total is not None and total > _MOST_BYTES:
        raise DamagedFile(f"the server offers {total} bytes", where=address)
    if total is not None and file.size_bytes is not None and total != file.size_bytes:
        raise DamagedFile(f"the server has {total} bytes where {file.size_bytes} are expected", where=address)
    return total if total is not None else file.size_bytes


def _served_hash(headers: Any) -> str | None:
    """The SHA-256 that the hub names for large files."""
    tag = headers.get("X-Linked-ETag") or headers.get("ETag") or ""
    found = _SHA256.fullmatch(tag.strip('W/"'))
    return found[0] if found else None


def _check(path: Path, file: RemoteFile, *, address: str | None = None) -> None:
    """Whether a file is the one that is wanted; one that was fetched is deleted if it is not."""
    size = path.stat().st_size
    problem = ""
    if file.size_bytes is not None and size != file.size_bytes:
        problem = f"it has {size} bytes, {file.size_bytes} are expected"
    elif file.sha256 is not None:
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        if digest != file.sha256:
            problem = f"its SHA-256 is {digest}, {file.sha256} is expected"
    if not problem:
        return
    if address is not None:
        path.unlink()
        raise DamagedFile(f"what was fetched is not the file that is wanted: {problem}", where=address)
    raise DamagedFile(f"this is not the file that is wanted: {problem}", where=str(path), advice="Fetch it again.")


def _address(mirror: str, file: RemoteFile) -> str:
    return f"{mirror.rstrip('/')}/{REPOSITORY}/resolve/main/{urllib.parse.quote(file.path)}"
