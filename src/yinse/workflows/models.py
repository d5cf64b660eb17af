"""Which model sets are here, and whether they are whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from yinse.core.errors import Incompatible, UnknownName
from yinse.core.home import home

SHIPPED = "base"


@dataclass(frozen=True, slots=True)
class ModelSet:
    """A model folder as it describes itself; nothing is verified."""

    name: str
    folder: Path
    kind: str
    fingerprint: str
    size_bytes: int
    provenance: Mapping[str, Any]


def find_models() -> tuple[ModelSet, ...]:
    """The set that comes with the package, and those in `YINSE_HOME/models`."""
    shipped = Path(str(files("yinse"))) / "assets" / SHIPPED
    own = home() / "models"
    folders = [shipped, *(sorted(own.iterdir()) if own.is_dir() else ())]
    return tuple(describe(folder) for folder in folders if (folder / "config.json").is_file())


def find_model(name: str) -> ModelSet:
    """A set by its name, or by its folder.

    Raises:
        UnknownName: there is none; the message proposes the nearest name.
    """
    if (Path(name) / "config.json").is_file():
        return describe(Path(name))
    found = {model.name: model for model in find_models()}
    if name not in found:
        raise UnknownName("model", name, found)
    return found[name]


def describe(folder: Path) -> ModelSet:
    """What a model folder says about itself.

    Raises:
        Incompatible: its description cannot be read.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        provenance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
        return ModelSet(
            name=folder.resolve().name,
            folder=folder,
            kind=str(config["type"]),
            fingerprint=str(config["fingerprint"]),
            size_bytes=sum(file.stat().st_size for file in folder.iterdir() if file.is_file()),
            provenance=provenance,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Incompatible(f"unreadable model description ({error})", where=str(folder)) from error


def card(model: ModelSet) -> str:
    """Its model card.

    Raises:
        Incompatible: there is none.
    """
    try:
        return (model.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise Incompatible("the model has no card", where=str(model.folder)) from error
