"""Reads the pickles inside `.ckpt` and `.pth` files: an interpreter that can build values and cannot run code.

A pickle is a program for a small stack machine. This machine knows the instructions that numbers, strings, lists,
dictionaries and tensors need; names of Python objects become entries of a closed table, and what such an entry does is
written here. No name is ever looked up in a module, nothing that the file names is ever called.

The stack, the number of instructions and the size of the finished tree are limited, so that a small file cannot grow
("billion laughs"). Source of the instructions: the standard library's `pickletools`; of the tensors:
`torch.serialization`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from yinse.core.errors import DamagedFile, UnsafeFile

_AGAIN = "Fetch the file again: it is cut short or was changed on its way."
_ADVICE = "Use weights from a source you trust; safe files hold numbers only."


@dataclass(frozen=True, slots=True)
class PickleLimits:
    """How large a pickle may become; the largest official file needs 0.2 MB, 40,000 instructions and 6 levels.

    Attributes:
        bytes: length of the pickle.
        instructions: steps of the machine; one that handles many values at once counts as many.
        values: nodes of the finished tree, shared ones counted each time they appear.
        depth: levels of that tree.
        text_bytes: longest string.
    """

    bytes: int = 32 << 20
    instructions: int = 1_000_000
    values: int = 1_000_000
    depth: int = 32
    text_bytes: int = 1 << 20


@dataclass(frozen=True, slots=True)
class StorageRecord:
    """A block of numbers somewhere else in the file.

    Attributes:
        key: its name in the file.
        dtype: name of a torch type, as "float16".
        numel: numbers that the pickle says it holds.
    """

    key: str
    dtype: str
    numel: int


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A view of a storage, checked to lie inside it; distances count numbers, not bytes."""

    storage: StorageRecord
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


class Fields(dict[str, Any]):
    """Stands for an object of which only the attributes count, as the hyper-parameters of official files."""


@dataclass(frozen=True, slots=True)
class _Name:
    """A name from the table; it does nothing by itself."""

    kind: str
    detail: str = ""


_STORAGES = {
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "DoubleStorage": "float64",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
ITEM_BYTES: Mapping[str, int] = MappingProxyType(
    {"float32": 4, "float16": 2, "bfloat16": 2, "float64": 8, "int64": 8, "int32": 4, "int16": 2, "int8": 1}
    | {"uint8": 1, "bool": 1}
)
"""Bytes of one number of each type."""
_ALLOWED: Mapping[tuple[str, str], _Name] = MappingProxyType(
    {("torch", name): _Name("storage", dtype) for name, dtype in _STORAGES.items()}
    | {("torch", dtype): _Name("dtype", dtype) for dtype in ITEM_BYTES}
    | {("torch._utils", name): _Name("tensor") for name in ("_rebuild_tensor_v2", "_rebuild_tensor")}
    | {("torch._utils", "_rebuild_parameter"): _Name("parameter"), ("collections", "OrderedDict"): _Name("dict")}
    # The classes in which the official programs keep hyper-parameters.
    | {(module, "HParams"): _Name("fields") for module in ("utils", "GPT_SoVITS.utils", "module.utils")}
    | {
        (module, "DictToAttrRecursive"): _Name("fields")
        for module in ("utils", "process_ckpt", "inference_webui", "TTS_infer_pack.TTS", "__main__")
    }
    # Folders that a trainer noted in its configuration: kept as text.
    | {("pathlib", name): _Name("path") for name in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")}
)
_MARK = object()
_LEAVES = (type(None), bool, int, float, str, StoredTensor, StorageRecord, _Name)
_LONGEST_INTEGER_BYTES = 16
_MOST_DIMENSIONS = 8
_LONGEST_PATH = 4096


def read_pickle(data: memoryview, *, where: str, limits: PickleLimits | None = None) -> tuple[Any, int]:
    """The value of the pickle at the start of `data`, and where the pickle ends.

    Values are None, bool, int, float, str, list, tuple, dict, `Fields`, `StoredTensor`, `StorageRecord`, and entries of
    the table that are good for nothing.

    Args:
        data: the pickle; bytes behind its end are not looked at.
        where: file, for messages.
        limits: how large it may become.

    Raises:
        UnsafeFile: it names something outside the table, or grows beyond the limits.
        DamagedFile: it is not a pickle, or ends early.
    """
    machine = _Machine(data[: (limits or PickleLimits()).bytes], where=where, limits=limits or PickleLimits())
    try:
        value = machine.run()
    except (IndexError, KeyError, ValueError, TypeError, OverflowError, struct.error) as error:
        raise DamagedFile(f"the list of weights is damaged ({error})", where=where, advice=_AGAIN) from error
    _check_tree(value, where=where, limits=machine.limits)
    return value, machine.position


class _Machine:
    """The stack machine of one pickle."""

    def __init__(self, data: memoryview, *, where: str, limits: PickleLimits) -> None:
        self.limits, self.position = limits, 0
        self._data, self._where = data, where
        self._left = limits.instructions
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Carries out instructions until the one that ends the pickle."""
        while True:
            self._count(1)
            code = self._take(1)[0]
            if code == _STOP:
                return self._stack.pop()
            instruction = _INSTRUCTIONS.get(code)
            if instruction is None:
                named = _REFUSED.get(code)
                if named:
                    raise self._unsafe(f"the file asks to {named}")
                raise ValueError(f"unknown instruction {code:#04x} at byte {self.position - 1}")
            instruction(self)

    def _count(self, steps: int) -> None:
        # Without it, a few bytes could ask again and again for work on one large remembered value.
        self._left -= steps
        if self._left < 0:
            raise self._unsafe(f"the list of weights needs more than {self.limits.instructions} instructions")

    # ------------------------------------------------------------------ reading

    def _take(self, count: int) -> memoryview:
        if count < 0 or self.position + count > len(self._data):
            raise ValueError("it ends early" if len(self._data) < self.limits.bytes else "it is too long")
        self.position += count
        return self._data[self.position - count : self.position]

    def _number(self, layout: str) -> int:
        return int(struct.unpack(layout, self._take(struct.calcsize(layout)))[0])

    def _line(self) -> str:
        for length in range(256):
            if self._take(1)[0] == _NEWLINE:
                return bytes(self._data[self.position - length - 1 : self.position - 1]).decode("utf-8")
        raise ValueError("a line without an end")

    def _text(self, length: int) -> str:
        if length > self.limits.text_bytes:
            raise self._unsafe(f"the file holds a string of {length} bytes")
        return bytes(self._take(length)).decode("utf-8", "surrogatepass")

    def _integer(self, length: int) -> int:
        if not 0 <= length <= _LONGEST_INTEGER_BYTES:
            raise self._unsafe(f"the file holds an integer of {length} bytes")
        return int.from_bytes(self._take(length), "little", signed=True)

    def _unsafe(self, what: str) -> UnsafeFile:
        return UnsafeFile(what, where=self._where, advice=_ADVICE)

    # ------------------------------------------------------------------ stack

    def push(self, value: Any) -> None:
        """Puts a value on the stack."""
        self._stack.append(value)

    def _above_mark(self) -> list[Any]:
        for index in range(len(self._stack) - 1, -1, -1):
            if self._stack[index] is _MARK:
                items = self._stack[index + 1 :]
                del self._stack[index:]
                return items
        raise ValueError("a mark is missing")

    def _remember(self, index: int) -> None:
        if not 0 <= index <= self.limits.instructions:
            raise ValueError(f"memory place {index}")
        self._memo[index] = self._stack[-1]

    # ------------------------------------------------------------------ instructions

    def set_items(self, items: Sequence[Any]) -> None:
        """Enters keys and values into the dictionary on the stack."""
        target = self._stack[-1]
        if not isinstance(target, dict) or len(items) % 2:
            raise ValueError("entries without a dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str | int):
                raise self._unsafe(f"the file holds a dictionary with a {type(key).__name__} as a key")
            target[key] = value

    def append(self, items: Sequence[Any]) -> None:
        """Adds items to the list on the stack."""
        target = self._stack[-1]
        if not isinstance(target, list):
            raise ValueError("items without a list")
        target.extend(items)

    def name(self, module: str, name: str) -> None:
        """Puts an entry of the table on the stack.

        Raises:
            UnsafeFile: the table has none of this name.
        """
        found = _ALLOWED.get((module, name))
        if found is None:
            raise self._unsafe(f"the file names '{module[:80]}.{name[:80]}', which weights do not need")
        self.push(found)

    def reduce(self) -> None:
        """What the file calls a call: makes a value of the table's kinds, in our own code."""
        arguments, called = self._stack.pop(), self._stack.pop()
        if not isinstance(called, _Name) or not isinstance(arguments, tuple):
            raise self._unsafe("the file calls something that is no name")
        self._count(len(arguments))
        maker = _MAKERS.get(called.kind)
        if maker is None:
            raise self._unsafe(f"the file calls a {called.kind}")
        self.push(maker(self, arguments))

    def new_object(self) -> None:
        """An object of a class: only of those that stand for a set of attributes."""
        arguments, made = self._stack.pop(), self._stack.pop()
        if not isinstance(made, _Name) or made.kind not in ("fields", "dict") or arguments != ():
            raise self._unsafe("the file makes an object that weights do not need")
        self.push(Fields() if made.kind == "fields" else {})

    def build(self) -> None:
        """Attributes of the object on the stack."""
        state, target = self._stack.pop(), self._stack[-1]
        if isinstance(state, dict):
            self._count(len(state))
        if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
            raise self._unsafe("the file sets the state of an object in a way that weights do not need")
        if isinstance(target, Fields):
            target.update(state)
        elif not isinstance(target, dict):  # the attributes of an ordered dictionary say nothing about the weights
            raise self._unsafe("the file sets the attributes of something that has none")

    def persistent(self) -> None:
        """A reference to something outside the pickle: only to storages."""
        reference = self._stack.pop()
        if not isinstance(reference, tuple) or len(reference) not in (5, 6) or reference[0] != "storage":
            raise self._unsafe("the file refers to something that is no storage")
        _, kind, key, _, numel, *view = reference
        if not isinstance(kind, _Name) or kind.kind != "storage" or not isinstance(key, str):
            raise self._unsafe("the file refers to a storage of an unknown kind")
        if not _is_count(numel) or (view and view[0] is not None):
            raise self._unsafe("the file refers to a part of a storage, or to one without a size")
        self.push(StorageRecord(key, kind.detail, numel))

    def make_tensor(self, arguments: tuple[Any, ...]) -> StoredTensor:
        """A tensor `(…)` as a view of a storage; the arguments are those of torch's own function.

        Raises:
            UnsafeFile: it reaches outside its storage, or shows numbers more than once.
        """
        storage, offset, shape, stride, *_ = arguments
        if not isinstance(storage, StorageRecord):
            raise self._unsafe("the file holds a tensor without numbers")
        if not isinstance(shape, tuple) or not isinstance(stride, tuple) or len(shape) != len(stride):
            raise self._unsafe("the file holds a tensor whose shape makes no sense")
        if len(shape) > _MOST_DIMENSIONS or not all(map(_is_count, (offset, *shape, *stride))):
            raise self._unsafe("the file holds a tensor whose shape makes no sense")
        numel = math.prod(shape)
        last = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True)) if numel else 0
        if numel > storage.numel or last >= max(storage.numel, 1):
            raise self._unsafe(
                f"the file holds a tensor of shape {shape} that reaches outside its {storage.numel} numbers"
            )
        return StoredTensor(storage, offset, shape, stride)

    def make_parameter(self, arguments: tuple[Any, ...]) -> StoredTensor:
        """A parameter is its tensor."""
        if not arguments or not isinstance(arguments[0], StoredTensor):
            raise self._unsafe("the file holds a parameter that is no tensor")
        return arguments[0]

    def make_dict(self, arguments: tuple[Any, ...]) -> dict[Any, Any]:
        """An empty dictionary: its entries come after."""
        if arguments:
            raise self._unsafe("the file makes a dictionary in a way that weights do not need")
        return {}

    def make_path(self, arguments: tuple[Any, ...]) -> str:
        """A path is its text."""
        if not all(isinstance(part, str) for part in arguments) or sum(map(len, arguments)) > _LONGEST_PATH:
            raise self._unsafe("the file holds a path that is no text, or is too long")
        return "/".join(arguments)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62


def _check_tree(value: Any, *, where: str, limits: PickleLimits) -> None:
    """Whether the tree below a value is small enough to be walked; one that holds itself is endless."""
    left = limits.values
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        inside: list[Any] = []
        if isinstance(item, dict):
            inside = list(item.values())
        elif isinstance(item, list | tuple):
            inside = list(item)
        elif not isinstance(item, _LEAVES):
            raise DamagedFile("the list of weights holds something that is no value", where=where, advice=_AGAIN)
        left -= len(inside)
        if left < 0 or depth > limits.depth:
            raise UnsafeFile("the file unfolds into far more than a model", where=where, advice=_ADVICE)
        waiting += [(child, depth + 1) for child in inside]


_MAKERS: Mapping[str, Callable[[_Machine, tuple[Any, ...]], Any]] = MappingProxyType(
    {
        "tensor": _Machine.make_tensor,
        "parameter": _Machine.make_parameter,
        "dict": _Machine.make_dict,
        "path": _Machine.make_path,
    }
)
_STOP, _NEWLINE = ord("."), ord("\n")


def _tuple_of(count: int) -> Callable[[_Machine], None]:
    def make(machine: _Machine) -> None:
        items = machine._stack[-count:]
        if len(items) < count:
            raise ValueError("a tuple without its items")
        machine._stack[-count:] = [tuple(items)]

    return make


def _constant(value: Any) -> Callable[[_Machine], None]:
    return lambda machine: machine.push(value)


def _fresh(kind: type) -> Callable[[_Machine], None]:
    return lambda machine: machine.push(kind())


def _global(machine: _Machine) -> None:
    module = machine._line()
    machine.name(module, machine._line())


def _stack_global(machine: _Machine) -> None:
    name, module = machine._stack.pop(), machine._stack.pop()
    if not isinstance(name, str) or not isinstance(module, str):
        raise machine._unsafe("the file names something that is no name")
    machine.name(module, name)


def _set_one(machine: _Machine) -> None:
    value, key = machine._stack.pop(), machine._stack.pop()
    machine.set_items((key, value))


def _append_one(machine: _Machine) -> None:
    item = machine._stack.pop()
    machine.append((item,))


def _dict_of_items(machine: _Machine) -> None:
    items = machine._above_mark()
    machine.push({})
    machine.set_items(items)


_INSTRUCTIONS: Mapping[int, Callable[[_Machine], Any]] = MappingProxyType(
    {
        0x80: lambda m: m._take(1),  # protocol
        0x95: lambda m: m._take(8),  # frame
        ord("("): _constant(_MARK),
        ord("0"): lambda m: m._stack.pop(),
        ord("1"): lambda m: m._above_mark(),
        ord("N"): _constant(None),
        0x88: _constant(True),
        0x89: _constant(False),
        ord("J"): lambda m: m.push(m._number("<i")),
        ord("K"): lambda m: m.push(m._number("<B")),
        ord("M"): lambda m: m.push(m._number("<H")),
        0x8A: lambda m: m.push(m._integer(m._number("<B"))),
        0x8B: lambda m: m.push(m._integer(m._number("<i"))),
        ord("G"): lambda m: m.push(struct.unpack(">d", m._take(8))[0]),
        ord("X"): lambda m: m.push(m._text(m._number("<I"))),
        0x8C: lambda m: m.push(m._text(m._number("<B"))),
        0x8D: lambda m: m.push(m._text(m._number("<Q"))),
        ord("U"): lambda m: m.push(m._text(m._number("<B"))),
        ord("]"): _fresh(list),
        ord("a"): _append_one,
        ord("e"): lambda m: m.append(m._above_mark()),
        ord("l"): lambda m: m.push(m._above_mark()),
        ord(")"): _constant(()),
        ord("t"): lambda m: m.push(tuple(m._above_mark())),
        0x85: _tuple_of(1),
        0x86: _tuple_of(2),
        0x87: _tuple_of(3),
        ord("}"): _fresh(dict),
        ord("d"): _dict_of_items,
        ord("s"): _set_one,
        ord("u"): lambda m: m.set_items(m._above_mark()),
        ord("h"): lambda m: m.push(m._memo[m._number("<B")]),
        ord("j"): lambda m: m.push(m._memo[m._number("<I")]),
        ord("q"): lambda m: m._remember(m._number("<B")),
        ord("r"): lambda m: m._remember(m._number("<I")),
        0x94: lambda m: m._remember(len(m._memo)),
        ord("c"): _global,
        0x93: _stack_global,
        ord("R"): _Machine.reduce,
        0x81: _Machine.new_object,
        ord("b"): _Machine.build,
        ord("Q"): _Machine.persistent,
    }
)
_REFUSED: Mapping[int, str] = MappingProxyType(
    {ord("i"): "make an object of a class it names", ord("o"): "make an object of a class it names"}
    | {0x92: "call a class with keywords", ord("P"): "refer to something by a line of text"}
    | {0x82: "use Python's registry of extensions", 0x83: "use Python's registry of extensions"}
    | {0x84: "use Python's registry of extensions", 0x97: "take a buffer from elsewhere", 0x98: "lock a buffer"}
)
