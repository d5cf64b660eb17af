"""Which models speak: those that are named, else those that the voice was made for, else those of the package."""

from __future__ import annotations

import functools
from pathlib import Path

from yinse.core.errors import Incompatible
from yinse.voices.voice import Voice
from yinse.weights.gpt_sovits import KIND
from yinse.workflows import native
from yinse.workflows.engine import Engine
from yinse.workflows.models import ModelSet, find_model, find_model_of


def load_engine(model: str | None = None, *, voice: Voice | None = None) -> Engine:
    """The models for a job.

    Args:
        model: name or folder of a set; None: the one of the voice.
        voice: who shall speak; None: the models of the package, if none are named.

    Raises:
        UnknownName: there is no set of that name; the message proposes the nearest.
        YinseError: what loading raises.
    """
    if model is not None:
        folder = Path(model)
        return native.load_engine(folder) if folder.is_dir() and not _described(folder) else _load(find_model(model))
    if voice is not None:
        found = find_model_of(voice.model_fingerprint)
        if found is not None:
            return _load(found)
    return native.load_engine()


def _described(folder: Path) -> bool:
    return (folder / "config.json").is_file()


def _load(model: ModelSet) -> Engine:
    if model.kind == "native":
        return native.load_engine(model.folder)
    if model.kind == KIND:
        from yinse.workflows.gpt_sovits import load_engine as load

        # Only cloning needs a listener: the models of the package are not loaded before.
        return load(model.folder, listener=functools.cache(native.load_engine))
    raise Incompatible(f"this is a model of type '{model.kind}': it does not speak", where=str(model.folder))
