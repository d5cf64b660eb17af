"""Files of weights: good ones give back what was saved; nothing in hostile or damaged ones runs."""

from __future__ import annotations

import builtins
import contextlib
import importlib
import io
import os
import random
import subprocess
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from official_files import (
    Calls,
    hyper_parameters,
    integer,
    pickled,
    saved,
    state,
    storage_reference,
    tensor_call,
    text,
    write,
    zip_with,
)
from yinse.core.errors import DamagedFile, ResourceError, UnsafeFile, YinseError
from yinse.weights.official_file import CheckpointFile, FileLimits
from yinse.weights.restricted_pickle import StoredTensor, read_pickle

CANARY = "canary"
WEIGHTS = {"a.weight": torch.arange(6).reshape(2, 3).half(), "b": torch.tensor([1.5, -2.0]), "empty": torch.zeros(0, 3)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read_all(path: Path, **options: Any) -> dict[str, torch.Tensor]:
    """Every tensor of the `weight` of a file."""
    with CheckpointFile(path, **options) as file:
        found = file.value["weight"] if isinstance(file.value, dict) and "weight" in file.value else file.value
        if not isinstance(found, dict):
            return {}
        return {str(key): file.tensor(value) for key, value in found.items() if isinstance(value, StoredTensor)}


# ---------------------------------------------------------------------- good files


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_weights_come_back_as_they_were_saved(folder: Path, legacy: bool) -> None:
    value = {
        "weight": state(WEIGHTS),
        "config": hyper_parameters(train={"epochs": 8, "lr": 1e-4}, model={"sizes": [1, 2], "use": True}),
        "info": "8epoch_200iteration",
    }
    path = write(folder / "a.pth", value, legacy=legacy)
    found = read_all(path)
    assert list(found) == list(WEIGHTS)
    assert all(torch.equal(found[name], WEIGHTS[name]) and found[name].dtype == WEIGHTS[name].dtype for name in found)
    with CheckpointFile(path) as file:
        config = file.value["config"]
        assert config == {"train": {"epochs": 8, "lr": 1e-4}, "model": {"sizes": [1, 2], "use": True}}
        assert file.value["info"] == "8epoch_200iteration"


@pytest.mark.parametrize("head", [b"03", b"04", b"05", b"06", b"00"])
def test_two_bytes_at_the_head_are_told_and_passed_over(folder: Path, head: bytes) -> None:
    path = write(folder / "a.pth", {"weight": state(WEIGHTS)}, head=head)
    with CheckpointFile(path) as file:
        assert file.head == head
        assert torch.equal(file.tensor(file.value["weight"]["a.weight"]), WEIGHTS["a.weight"])


def test_parameters_views_and_newer_protocols_are_read(folder: Path) -> None:
    base = torch.arange(12.0)
    value = {
        "t": base.reshape(3, 4).T,
        "part": base[3:7],
        "p": torch.nn.Parameter(base[:2].clone()),
        "n": torch.tensor(3),
    }
    buffer = io.BytesIO()
    torch.save(value, buffer, pickle_protocol=4)
    (folder / "a.pth").write_bytes(buffer.getvalue())
    found = read_all(folder / "a.pth")
    assert all(torch.equal(found[name], value[name].detach()) for name in value)
    assert all(tensor.is_contiguous() for tensor in found.values())


# ---------------------------------------------------------------------- hostile files


class Dangerous:
    """Leaves a file behind when its state is set."""

    def __setstate__(self, state: Any) -> None:
        Path(CANARY).touch()

    def __getstate__(self) -> dict[str, int]:
        return {"a": 1}


def _touch(name: str) -> None:
    Path(name).touch()


def _laughs(levels: int) -> bytes:
    """Lists of ten of the list before: 10 ** levels values."""
    made = b"]q\x00" + b"N" * 0
    made += b"(" + b"K\x01" * 10 + b"e"
    for level in range(levels):
        made += b"]q" + bytes([level + 1]) + b"(" + (b"h" + bytes([level])) * 10 + b"e"
    return b"\x80\x02" + made + b"."


def _joined_paths() -> bytes:
    """A path that doubles at each step."""
    made = b"\x80\x02" + text("a" * 1000) + b"q\x000"
    for _ in range(40):
        made += b"cpathlib\nPosixPath\n(h\x00h\x00tRq\x000"
    return made + b"h\x00."


def _heavy_builds() -> bytes:
    """One large dictionary that becomes the state of an object again and again."""
    entries = b"".join(text(f"k{i}") + b"N" for i in range(20_000))
    return b"\x80\x02}q\x00(" + entries + b"u0cutils\nHParams\n)\x81" + b"h\x00b" * 100_000 + b"."


def nested_zip() -> bytes:
    """A zip whose member is a zip of zeros, a thousand times larger when unpacked."""
    inner = zip_with(b"\x80\x02N.", {"archive/data/0": bytes(4 << 20)}, compression=zipfile.ZIP_DEFLATED)
    return zip_with(pickled({"weight": {}}), {"archive/data/0": inner}, compression=zipfile.ZIP_DEFLATED)


def encrypted() -> bytes:
    data = bytearray(zip_with(pickled({"weight": {}})))
    for mark in (b"PK\x01\x02", b"PK\x03\x04"):
        place = data.index(mark) + (8 if mark == b"PK\x01\x02" else 6)
        data[place] |= 1
    return bytes(data)


def longer_than_the_file() -> bytes:
    """The list at the end says that a stored member has a gigabyte."""
    data = bytearray(zip_with(pickled({"weight": {}}), {"archive/data/0": bytes(16)}))
    place = data.rindex(b"PK\x01\x02")
    data[place + 20 : place + 28] = (1 << 30).to_bytes(4, "little") * 2
    return bytes(data)


def two_of_one_name() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("archive/data.pkl", pickled({}))
        archive.writestr("archive/data.pkl", pickled({"weight": {}}))
    return buffer.getvalue()


def one(tensor: bytes, data: bytes = bytes(16)) -> bytes:
    """A zip with the weight `a`."""
    return zip_with(b"\x80\x02}" + text("weight") + b"}" + text("a") + tensor + b"ss.", {"archive/data/0": data})


def raw(instructions: bytes) -> Callable[[], bytes]:
    return lambda: zip_with(b"\x80\x02" + instructions)


def reduced(function: Any, *arguments: Any, protocol: int = 2) -> Callable[[], bytes]:
    return lambda: zip_with(pickled({"weight": {}, "x": Calls(function, *arguments)}, protocol))


HOSTILE: dict[str, Callable[[], bytes]] = {
    "os.system": reduced(os.system, f"touch {CANARY}"),
    "os.system in a legacy file": lambda: pickled(Calls(os.system, f"touch {CANARY}")),
    "os.system through STACK_GLOBAL": reduced(os.system, f"touch {CANARY}", protocol=4),
    "subprocess": reduced(subprocess.check_output, ["touch", CANARY]),
    "eval": reduced(eval, f"open({CANARY!r}, 'w')"),
    "exec": reduced(exec, f"open({CANARY!r}, 'w').close()"),
    "open": reduced(open, CANARY, "w"),
    "getattr chain": reduced(getattr, Calls(importlib.import_module, "os"), "system"),
    "import": reduced(builtins.__import__, "os"),
    "call within a call within a call": reduced(
        OrderedDict, [("a", Calls(OrderedDict, [("b", Calls(_touch, CANARY))]))]
    ),
    "__setstate__ through BUILD": lambda: zip_with(pickled(Dangerous())),
    "torch.load": reduced(torch.load, CANARY),
    "torch.hub": raw(b"ctorch.hub\nload\n(" + text("owner/repository") + text("model") + b"tR."),
    "a name behind a dot": raw(b"ctorch\nserialization.os.system\n(" + text(f"touch {CANARY}") + b"tR."),
    "STACK_GLOBAL of built strings": raw(text("os") + text("system") + b"\x93(" + text(f"touch {CANARY}") + b"tR."),
    "INST": raw(b"(" + text(f"touch {CANARY}") + b"ios\nsystem\n."),
    "OBJ": raw(b"(cos\nsystem\n" + text(f"touch {CANARY}") + b"o."),
    "NEWOBJ_EX": raw(b"ccollections\nOrderedDict\n)}\x92."),
    "extension registry": raw(b"\x82\x01."),
    "BUILD on a number": raw(b"K\x01}b."),
    "BUILD that sets slots": raw(b"cutils\nHParams\n)\x81N}\x86b."),
    "call of a dtype": raw(b"ctorch\nfloat16\n)R."),
    "call of the result of a call": raw(b"ccollections\nOrderedDict\n)R)R."),
    "HParams called with arguments": raw(b"cutils\nHParams\n(" + text("a") + b"t\x81."),
    "persistent id of a line": raw(b"Pos.system\n."),
    "persistent id that is no tuple": raw(text("storage") + b"Q."),
    "persistent id of another kind": raw(b"(" + text("module") + b"cos\nsystem\n" + text("0") + text("cpu") + b"NtQ."),
    "persistent id of a kind that is no storage": raw(
        b"(" + text("storage") + b"ctorch\nfloat16\n" + text("0") + text("cpu") + b"K\x04tQ."
    ),
    "persistent id with a negative size": lambda: one(tensor_call(storage_reference(numel=-4))),
    "giant tensor": lambda: one(tensor_call(storage_reference(), shape=(1 << 40, 1 << 20), stride=(0, 0))),
    "giant storage": lambda: one(tensor_call(storage_reference(numel=1 << 60), shape=(1 << 59,))),
    "size lied about": lambda: one(tensor_call(storage_reference(numel=1000), shape=(1000,))),
    "another type than stored": lambda: one(tensor_call(storage_reference(kind="DoubleStorage"))),
    "offset out of range": lambda: one(tensor_call(storage_reference(), offset=2)),
    "negative offset": lambda: one(tensor_call(storage_reference(), offset=-1)),
    "stride out of range": lambda: one(tensor_call(storage_reference(), shape=(2, 2), stride=(100, 1))),
    "negative stride": lambda: one(tensor_call(storage_reference(), stride=(-1,))),
    "more strides than sizes": lambda: one(tensor_call(storage_reference(), stride=(1, 1))),
    "a hundred dimensions": lambda: one(tensor_call(storage_reference(), shape=(1,) * 100, stride=(1,) * 100)),
    "a tensor without a storage": lambda: one(tensor_call(b"N")),
    "a storage that is not there": lambda: one(tensor_call(storage_reference(key="../../etc/passwd"))),
    "billion laughs": lambda: zip_with(_laughs(30)),
    "a list that holds itself": raw(b"]q\x00h\x00a."),
    "a dictionary that holds itself": raw(b"}q\x00" + text("a") + b"h\x00s."),
    "deep recursion": raw(b"]" * 100_000 + b"a" * 99_999 + b"."),
    "deep tuples": raw(b")" + b"\x85" * 100_000 + b"."),
    "doubling paths": lambda: zip_with(_joined_paths()),
    "much work for few bytes": lambda: zip_with(_heavy_builds()),
    "endless instructions": lambda: zip_with(b"\x80\x02" + b"N0" * 2_000_000 + b"N."),
    "huge integer": raw(b"\x8b" + (1 << 30).to_bytes(4, "little") + b"\xff."),
    "huge string": raw(b"X\xff\xff\xff\x7fabc."),
    "negative integer length": raw(b"\x8b\xff\xff\xff\xff."),
    "a tensor as a key": lambda: zip_with(b"\x80\x02}" + tensor_call(storage_reference()) + b"Ns."),
    "nested zip bomb": nested_zip,
    "compressed member": lambda: zip_with(pickled({}), {"archive/data/0": bytes(99)}, compression=zipfile.ZIP_DEFLATED),
    "path upwards": lambda: zip_with(pickled({"weight": {}}), {"archive/../../x": b"1"}),
    "absolute path": lambda: zip_with(pickled({"weight": {}}), {"/etc/x": b"1"}),
    "path of Windows": lambda: zip_with(pickled({"weight": {}}), {"C:\\x": b"1"}),
    "encrypted": encrypted,
    "members longer than the file": longer_than_the_file,
    "two members of one name": two_of_one_name,
    "TorchScript": lambda: zip_with(pickled({"weight": {}}), {"archive/constants.pkl": pickled(())}),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_and_nothing_runs(folder: Path, name: str) -> None:
    path = folder / "hostile.pth"
    path.write_bytes(HOSTILE[name]())
    with pytest.raises((UnsafeFile, DamagedFile)) as caught:
        read_all(path)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 1
    assert sorted(folder.iterdir()) == [path], "something was run or unpacked"


@pytest.mark.parametrize("name", ["os.system", "__setstate__ through BUILD", "open", "subprocess"])
def test_the_same_files_run_when_they_are_trusted(folder: Path, name: str) -> None:
    """The traps are real: Python's own reader falls into them."""
    import pickle

    with zipfile.ZipFile(io.BytesIO(HOSTILE[name]())) as archive:
        pickle.loads(archive.read("archive/data.pkl"))
    assert (folder / CANARY).exists()


# ---------------------------------------------------------------------- damaged files


def test_half_a_download_is_told(folder: Path) -> None:
    data = saved({"weight": {"a": torch.zeros(1000)}})
    for share in (0.0, 0.1, 0.5, 0.9, 0.99):
        (folder / "a.pth").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(DamagedFile):
            read_all(folder / "a.pth")
    legacy = saved({"weight": {"a": torch.zeros(1000)}}, legacy=True)
    for share in (0.1, 0.5, 0.9):
        (folder / "a.pth").write_bytes(legacy[: int(len(legacy) * share)])
        with pytest.raises(DamagedFile):
            read_all(folder / "a.pth")


def test_a_changed_number_is_told(folder: Path) -> None:
    data = bytearray(saved({"weight": {"a": torch.arange(1000.0)}}))
    data[data.index(torch.arange(1000.0).numpy().tobytes()) + 500] ^= 1
    (folder / "a.pth").write_bytes(data)
    with pytest.raises(DamagedFile, match="damaged"):
        read_all(folder / "a.pth")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"RIFF....WAVE", "neither a zip nor a pickle"),
        (zip_with(b"")[:0] + b"\x80\x02N.", "no file of weights"),
    ],
)
def test_other_files_are_named(folder: Path, data: bytes, said: str) -> None:
    (folder / "a.pth").write_bytes(data)
    with pytest.raises(DamagedFile, match=said):
        read_all(folder / "a.pth")


def test_a_zip_without_weights_and_a_missing_file(folder: Path) -> None:
    with zipfile.ZipFile(folder / "a.pth", "w") as archive:
        archive.writestr("word/document.xml", b"<a/>")
    with pytest.raises(DamagedFile, match="no file of weights"):
        read_all(folder / "a.pth")
    with pytest.raises(ResourceError, match="cannot be opened"):
        CheckpointFile(folder / "none.pth")


def test_files_above_the_limits_are_refused(folder: Path) -> None:
    path = write(folder / "a.pth", {"weight": {"a": torch.zeros(1000)}})
    with pytest.raises(UnsafeFile, match="GiB"):
        read_all(path, limits=FileLimits(bytes=1000))
    with pytest.raises(UnsafeFile, match="members"):
        read_all(path, limits=FileLimits(members=2))
    shared = {"weight": {str(i): torch.zeros(1000) for i in range(1)}}
    shared["weight"] |= {f"again{i}": shared["weight"]["0"] for i in range(9)}
    path = write(folder / "b.pth", shared)
    with pytest.raises(UnsafeFile, match="more numbers"):
        read_all(path, limits=FileLimits(bytes=20_000))


# ---------------------------------------------------------------------- mutation

_VALID = [
    saved({"weight": state(WEIGHTS), "config": hyper_parameters(model={"a": 1}), "info": "x"}, legacy=legacy)
    for legacy in (False, True)
]


@settings(max_examples=150)
@given(st.integers(0, 1), st.integers(0, 2**32), st.integers(1, 12))
def test_mutated_files_end_in_our_errors(
    tmp_path_factory: pytest.TempPathFactory, which: int, seed: int, many: int
) -> None:
    data = bytearray(_VALID[which])
    dice = random.Random(seed)
    for _ in range(many):
        place = dice.randrange(len(data))
        change = dice.randrange(4)
        if change == 0:
            data[place] = dice.randrange(256)
        elif change == 1:
            del data[place : place + dice.randrange(1, 40)]
        elif change == 2:
            data[place:place] = bytes(dice.randrange(256) for _ in range(dice.randrange(1, 9)))
        else:
            other = dice.randrange(len(data))
            data[place : place + 8] = data[other : other + 8]
    path = tmp_path_factory.getbasetemp() / "mutated.pth"
    path.write_bytes(data)
    try:
        read_all(path)
    except YinseError as error:
        assert error.exit_code == 1


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_as_a_pickle_end_in_a_value_or_in_our_errors(data: bytes) -> None:
    with contextlib.suppress(UnsafeFile, DamagedFile):
        read_pickle(memoryview(b"\x80\x02" + data), where="x")


def test_integers_of_every_width_are_read() -> None:
    for value in (0, 1, -1, 255, 256, 65_535, 65_536, 2**31, -(2**31), 2**62, 0x1950A86A20F9469CFC6C):
        assert read_pickle(memoryview(pickled(value)), where="x")[0] == value
        assert read_pickle(memoryview(b"\x80\x02" + integer(value) + b"."), where="x")[0] == value
