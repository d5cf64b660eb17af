"""Makes `.ckpt` and `.pth` files as the official programs and the community's write them, at tiny sizes."""

from __future__ import annotations

import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


class HParams:
    """Stands for the class `utils.HParams`, objects of which the official programs leave in their files."""


HParams.__module__ = "utils"


def hyper_parameters(**values: Any) -> HParams:
    """Hyper-parameters as such objects, one inside the other."""
    found = HParams()
    for name, value in values.items():
        setattr(found, name, hyper_parameters(**value) if isinstance(value, Mapping) else value)
    return found


def saved(value: Any, *, legacy: bool = False) -> bytes:
    """A file as `torch.save` makes it in the official programs."""
    buffer = io.BytesIO()
    module = types.ModuleType("utils")
    module.HParams = HParams  # type: ignore[attr-defined]
    sys.modules["utils"] = module
    try:
        torch.save(value, buffer, _use_new_zipfile_serialization=not legacy)
    finally:
        del sys.modules["utils"]
    return buffer.getvalue()


def write(path: Path, value: Any, *, head: bytes | None = None, legacy: bool = False) -> Path:
    """Writes a file, with other first two bytes if wanted."""
    data = saved(value, legacy=legacy)
    path.write_bytes(data if head is None else head + data[2:])
    return path


def zip_with(pickled: bytes, members: Mapping[str, bytes] | None = None, *, compression: int = 0) -> bytes:
    """A zip as torch's, around a pickle of one's own."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        for name, data in (members or {}).items():
            archive.writestr(name, data)
    return buffer.getvalue()


def storage_reference(key: str = "0", numel: int = 4, kind: str = "FloatStorage") -> bytes:
    """The instructions that put a storage on the stack."""
    return (
        b"(X\x07\x00\x00\x00storagectorch\n" + kind.encode() + b"\n" + text(key) + text("cpu") + integer(numel) + b"tQ"
    )


def text(value: str) -> bytes:
    """The instruction for a string."""
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def integer(value: int) -> bytes:
    """The instruction for an integer."""
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def tensor_call(
    storage: bytes, *, offset: int = 0, shape: tuple[int, ...] = (4,), stride: tuple[int, ...] = (1,)
) -> bytes:
    """The instructions that make a tensor of a storage."""
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + integer(offset)
        + b"(" + b"".join(map(integer, shape)) + b"t(" + b"".join(map(integer, stride)) + b"t"
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )  # fmt: skip


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def pickled(value: Any, protocol: int = 2) -> bytes:
    """A pickle by Python itself."""
    return pickle.dumps(value, protocol)


def state(weights: Mapping[str, Tensor]) -> OrderedDict[str, Tensor]:
    """A state dict, with the attribute that torch's have."""
    found = OrderedDict(weights)
    found._metadata = OrderedDict({"": {"version": 1}})  # type: ignore[attr-defined]
    return found
