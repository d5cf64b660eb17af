"""The two containers in which `.ckpt` and `.pth` files come: a zip of storages beside a pickle, or pickles in a row.

Nothing is unpacked to disk, nothing is decompressed, and no number is read before its place and size were checked.
Official files of some versions carry two other bytes where a zip has "PK"; they are read as "PK".
Source: `torch.serialization`, formats of torch 1.6 and later, and of torch 0.4 to 1.5.
"""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import torch
from torch import Tensor

from yinse.core.errors import DamagedFile, OutOfMemory, ResourceError, UnsafeFile
from yinse.weights.restricted_pickle import ITEM_BYTES, PickleLimits, StorageRecord, StoredTensor, read_pickle

_ZIP, _HEAD_BYTES = b"PK", 2
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_ENCRYPTED = 0x1
_AGAIN = "Fetch the file again: it is cut short or was changed on its way."
_DAMAGE = (zipfile.BadZipFile, ValueError, KeyError, IndexError, OverflowError, EOFError, RuntimeError, struct.error)
"""What zipfile raises on files that are not what they should be (NotImplementedError is a RuntimeError)."""


@dataclass(frozen=True, slots=True)
class FileLimits:
    """How large a file may be: the largest official one has 1.6 GB and 2,000 members.

    Attributes:
        bytes: of the file, and of all tensors taken from it.
        members: of a zip.
        pickle: of the list of weights.
    """

    bytes: int = 8 << 30
    members: int = 50_000
    pickle: PickleLimits = PickleLimits()


class CheckpointFile:
    """A `.ckpt` or `.pth` file, open for reading; tensors are read one by one.

    Args:
        path: the file.
        limits: how large it may be.

    Attributes:
        head: its first two bytes: "PK", or what an official program put there.
        value: what the file holds, `StoredTensor` where a tensor lies.

    Raises:
        DamagedFile: not a file of weights, or a part of one.
        UnsafeFile: it holds more than weights, or grows beyond the limits.
        ResourceError: it cannot be opened.
    """

    def __init__(self, path: Path, *, limits: FileLimits | None = None) -> None:
        self._path, self._where, self._limits = path, str(path), limits or FileLimits()
        self._taken_bytes = 0
        self._bytes_of: Callable[[str], int]
        self._read: Callable[[str], bytearray]
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise ResourceError(
                f"the file cannot be opened ({error.strerror or error})", where=self._where, advice="Check the path."
            ) from error
        try:
            self._open()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def tensor(self, stored: StoredTensor) -> Tensor:
        """The numbers of a tensor of this file, in its own type, contiguous.

        Raises:
            DamagedFile: its storage is missing, or its bytes are not those that were written.
            UnsafeFile: the storage has another size than the file says.
            OutOfMemory: it does not fit into memory.
        """
        dtype = getattr(torch, stored.storage.dtype)
        if not math.prod(stored.shape):
            return torch.zeros(stored.shape, dtype=dtype)
        try:
            data = self._storage(stored.storage)
            flat = torch.frombuffer(data, dtype=dtype)
            return flat.as_strided(stored.shape, stored.stride, stored.offset).clone(
                memory_format=torch.contiguous_format
            )
        except MemoryError as error:
            raise OutOfMemory("the weights do not fit into memory", where=self._where) from error
        except (*_DAMAGE, OSError) as error:
            raise DamagedFile(f"its numbers cannot be read ({error})", where=self._where, advice=_AGAIN) from error

    # ------------------------------------------------------------------ opening

    def _open(self) -> None:
        self._size = self._file.seek(0, io.SEEK_END)
        if self._size > self._limits.bytes:
            raise self._unsafe(f"the file has {self._size / 2**30:.1f} GiB")
        self._file.seek(0)
        start = self._file.read(4)
        self.head = start[:_HEAD_BYTES]
        if start[_HEAD_BYTES:] == b"\x03\x04":
            self._open_zip()
        elif start[:1] == b"\x80":
            self._open_legacy()
        else:
            kinds = {b"<!": "a web page", b"ve": "a note in place of the file (Git LFS)", b"": "empty"}
            found = kinds.get(self.head, "neither a zip nor a pickle")
            raise DamagedFile(
                f"this is no file of weights but {found}" if self.head else "the file is empty",
                where=self._where,
                advice="Give a .ckpt or .pth file as GPT-SoVITS writes it.",
            )

    def _open_zip(self) -> None:
        try:
            self._archive = zipfile.ZipFile(_WithHead(self._file))
            entries = self._archive.infolist()
        except (*_DAMAGE, OSError) as error:
            raise DamagedFile(
                "the file is only a part of one: the list at its end is missing or damaged",
                where=self._where,
                advice=_AGAIN,
            ) from error
        self._check_members(entries)
        self._members = {entry.filename: entry for entry in entries}
        lists = [name for name in self._members if re.fullmatch(r"[^/]+/data\.pkl", name)]
        if len(lists) != 1:
            raise DamagedFile(
                f"this zip is no file of weights: it has {len(lists) or 'no'} 'data.pkl'",
                where=self._where,
                advice="Give a .ckpt or .pth file as GPT-SoVITS writes it.",
            )
        self._folder = lists[0].removesuffix("data.pkl")
        if self._members[lists[0]].file_size > self._limits.pickle.bytes:
            raise self._unsafe("its list of weights is far too long")
        if f"{self._folder}constants.pkl" in self._members:
            raise self._unsafe("this is a TorchScript program, not weights")
        if f"{self._folder}byteorder" in self._members and self._member(f"{self._folder}byteorder") != b"little":
            raise DamagedFile("its numbers are stored in another byte order", where=self._where)
        self._bytes_of = lambda key: self._members[f"{self._folder}data/{key}"].file_size
        self._read = lambda key: self._member(f"{self._folder}data/{key}")
        self.value, _ = read_pickle(memoryview(self._member(lists[0])), where=self._where, limits=self._limits.pickle)

    def _check_members(self, entries: list[zipfile.ZipInfo]) -> None:
        if len(entries) > self._limits.members:
            raise self._unsafe(f"the file has {len(entries)} members")
        if len({entry.filename for entry in entries}) != len(entries):
            raise self._unsafe("the file has several members of one name")
        for entry in entries:
            name = entry.orig_filename
            if name.startswith("/") or "\\" in name or ":" in name or "\0" in name or ".." in name.split("/"):
                raise self._unsafe(f"the file has a member that points elsewhere ({name[:80]!r})")
            if entry.flag_bits & _ENCRYPTED:
                raise self._unsafe(f"the member '{name[:80]}' is encrypted")
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                raise self._unsafe(f"the member '{name[:80]}' is compressed, which files of weights are not")
        if sum(entry.file_size for entry in entries) > self._size:
            raise self._unsafe("the members of the file are together longer than the file")

    def _member(self, name: str) -> bytearray:
        """The bytes of a member, compared with the checksum of the format."""
        try:
            return bytearray(self._archive.read(self._members[name]))
        except (*_DAMAGE, OSError) as error:
            raise DamagedFile(f"'{name[:80]}' is missing or damaged", where=self._where, advice=_AGAIN) from error

    def _open_legacy(self) -> None:
        """Five pickles (magic, version, system, value, keys), then each storage: its length, its numbers."""
        limit = self._limits.pickle.bytes
        self._file.seek(0)
        data = memoryview(self._file.read(limit))
        position, parts = 0, []
        for _ in range(5):
            part, length = read_pickle(data[position:], where=self._where, limits=self._limits.pickle)
            position += length
            parts.append(part)
            if parts[0] != _LEGACY_MAGIC:
                raise DamagedFile(
                    "this is a pickle, but no file of weights",
                    where=self._where,
                    advice="Give a .ckpt or .pth file as GPT-SoVITS writes it.",
                )
        _, version, system, self.value, keys = parts
        if version != _LEGACY_PROTOCOL or not isinstance(system, dict) or system.get("little_endian") is not True:
            raise DamagedFile("its numbers are stored in an unknown way", where=self._where)
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise DamagedFile("its list of storages is damaged", where=self._where, advice=_AGAIN)
        types = _storage_types(self.value)
        places: dict[str, tuple[int, int]] = {}
        for key in keys:
            self._file.seek(position)
            head = self._file.read(8)
            numel = struct.unpack("<q", head)[0] if len(head) == 8 else -1
            length = numel * ITEM_BYTES.get(types.get(key, ""), 1)
            if numel < 0 or position + 8 + length > self._size:
                raise DamagedFile("the file ends before its numbers do", where=self._where, advice=_AGAIN)
            places[key] = (position + 8, length)
            position += 8 + length
        self._bytes_of = lambda key: places[key][1]
        self._read = lambda key: self._stretch(*places[key])

    # ------------------------------------------------------------------ numbers

    def _storage(self, storage: StorageRecord) -> bytearray:
        length = storage.numel * ITEM_BYTES[storage.dtype]
        found = self._bytes_of(storage.key)
        if found != length:
            raise self._unsafe(f"the storage '{storage.key[:40]}' has {found} bytes where the file says {length}")
        self._taken_bytes += length
        if self._taken_bytes > self._limits.bytes:
            raise self._unsafe("the file holds far more numbers than a model")
        return self._read(storage.key)

    def _stretch(self, start: int, length: int) -> bytearray:
        self._file.seek(start)
        return bytearray(self._file.read(length))

    def _unsafe(self, what: str) -> UnsafeFile:
        return UnsafeFile(what, where=self._where, advice="Use weights from a source you trust.")


def _storage_types(value: Any) -> dict[str, str]:
    """The type of each storage that a value refers to; the tree below it is known to be small."""
    found: dict[str, str] = {}
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list | tuple):
            waiting += item
        elif isinstance(item, StoredTensor):
            found[item.storage.key] = item.storage.dtype
    return found


class _WithHead(io.RawIOBase):
    """A file whose first two bytes read "PK", whatever they are."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        start = self._file.tell()
        data = bytearray(self._file.read(len(buffer)))
        if start < _HEAD_BYTES:
            data[: _HEAD_BYTES - start] = _ZIP[start : start + len(data)]
        buffer[: len(data)] = data
        return len(data)
