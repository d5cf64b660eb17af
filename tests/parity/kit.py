"""Reads folders of reference numbers, and counts what was compared with them.

A folder holds safetensors files: `in.*` what the published module was given, `out.*` what it answered, its sizes as
JSON under the metadata key `config`, and its weights either as `weights.*` in half precision or by the rule in the
folder's own `fill.py`. The same tests run over any folder of this shape, so no test knows a size by heart.
"""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

GOLDEN = Path(__file__).resolve().parent / "golden"
TOLERANCE = 1e-4


def difference(ours: Tensor, theirs: Tensor) -> float:
    """Largest difference, relative to the largest value of `theirs` where that is not 0."""
    distance = float((ours.detach().double() - theirs.double()).abs().max()) if theirs.numel() else 0.0
    largest = float(theirs.double().abs().max()) if theirs.numel() else 0.0
    return distance / largest if largest else distance


class ParityFile:
    """One file of reference numbers.

    Args:
        path: of the safetensors file.
        compared: counts the comparisons made with each file, by its name.
    """

    def __init__(self, path: Path, compared: Counter[str]) -> None:
        self.path = path
        self._compared = compared
        self._seen: set[str] = set()
        with safe_open(str(path), framework="pt") as file:
            self.config: dict[str, Any] = json.loads(file.metadata()["config"])
            self.tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118

    def __getitem__(self, name: str) -> Tensor:
        """The tensor of that full name, such as `in.x`."""
        return self.tensors[name]

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def weights(self, keys: str | Mapping[str, Sequence[int]] = "") -> dict[str, Tensor]:
        """Weights by their published names, in single precision.

        Args:
            keys: where the file stores none: a `keys_*.json` of the folder, or the shape of each floating tensor.
        """
        stored = {key[8:]: value for key, value in self.tensors.items() if key.startswith("weights.")}
        if stored:
            return {key: value.float() if value.is_floating_point() else value for key, value in stored.items()}
        spec = importlib.util.spec_from_file_location("fill", self.path.parent / "fill.py")
        fill = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(fill)
        seed, gain = self.config["fill_seed"], self.config.get("gain", 1.0)
        if isinstance(keys, str):
            made = fill.state_dict(self.path.parent / keys, seed, gain)
        else:
            made = {key: fill.tensor(key, tuple(shape), seed, gain) for key, shape in keys.items()}
        return {key: torch.from_numpy(value) for key, value in made.items()}

    def agree(self, name: str, ours: Tensor | float, *, tolerance: float = TOLERANCE) -> None:
        """Compare with the tensor `out.<name>`: shapes and integers equal, floats near its largest value.

        Raises:
            AssertionError: they differ; says where and by how much.
        """
        theirs, ours = self.tensors[f"out.{name}"], torch.as_tensor(ours)
        self._compared[self.path.name] += 1
        self._seen.add(f"out.{name}")
        place = f"{self.path.name}: out.{name}"
        assert ours.shape == theirs.shape, f"{place}: shape {tuple(ours.shape)}, expected {tuple(theirs.shape)}"
        assert ours.is_floating_point() == theirs.is_floating_point(), f"{place}: {ours.dtype}, expected {theirs.dtype}"
        if theirs.is_floating_point():
            distance = difference(ours, theirs)
            assert distance <= tolerance, f"{place}: differs by {distance:.2e} of the maximum"
        else:
            unequal = int((ours.long() != theirs.long()).sum())
            assert not unequal, f"{place}: {unequal} of {theirs.numel()} integers differ"

    def not_compared(self, *, out_of_scope: tuple[str, ...] = ()) -> list[str]:
        """Outputs that `agree` has not been asked about, but for those whose names begin with `out_of_scope`."""
        names = [name for name in self.tensors if name.startswith("out.") and name not in self._seen]
        return [name for name in names if not name[4:].startswith(out_of_scope)] if out_of_scope else names


class ParityFolder:
    """A folder of reference files, and our own small one beside the tests.

    Args:
        path: of the folder; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.compared: Counter[str] = Counter()

    def open(self, name: str) -> ParityFile:
        """The file `<name>.safetensors`; `golden/<name>` is one of our own. Skips the test if there is no folder."""
        if name.startswith("golden/"):
            return ParityFile(GOLDEN / f"{name[7:]}.safetensors", self.compared)
        if not self.path.is_dir():
            pytest.skip("needs the folder of reference numbers: set YINSE_PARITY")
        return ParityFile(self.path / f"{name}.safetensors", self.compared)

    def text(self, name: str) -> Any:
        """The JSON file `<name>.json`; count its comparisons with `count`."""
        if not self.path.is_dir():
            pytest.skip("needs the folder of reference numbers: set YINSE_PARITY")
        return json.loads((self.path / f"{name}.json").read_text(encoding="utf-8"))

    def count(self, name: str) -> None:
        """Note one comparison with the file of that name."""
        self.compared[name] += 1
