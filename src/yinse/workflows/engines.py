"""Which models speak: those that are named, else those that the voice was made for, else those of the package."""

from __future__ import annotations

import functools
from pathlib import Path

from yinse.core.errors import ConfigError, Incompatible
from yinse.voices.voice import Voice
from yinse.weights.gpt_sovits import KIND
from yinse.workflows import native
from yinse.workflows.engine import Engine
from yinse.workflows.models import ModelSet, find_model, find_model_of


def load_engine(model: str | None = None, *, voice: Voice | None = None, precision: str | None = None) -> Engine:
    """The models for a job.

    Args:
        model: name or folder of a set; None: the one of the voice.
        voice: who shall speak; None: the models of the package, if none are named.
        precision: "fp32", "bf16" or "int8", of GPT-SoVITS models; None: as their folder chooses.

    Raises:
        ConfigError: the models, or this processor, do not offer that precision.
        UnknownName: there is no set of that name; the message proposes the nearest.
        YinseError: what loading raises.
    """
    if model is not None:
        folder = Path(model)
        if folder.is_dir() and not _described(folder):
            return _native(folder, precision)
        return _load(find_model(model), precision)
    if voice is not None:
        found = find_model_of(voice.model_fingerprint)
        if found is not None:
            return _load(found, precision)
    return _native(None, precision)


def _described(folder: Path) -> bool:
    return (folder / "config.json").is_file()


def _native(folder: Path | None, precision: str | None) -> Engine:
    if precision not in (None, "fp32"):
        raise ConfigError(
            f"the native models do not speak in '{precision}'",
            advice="Leave --precision out: it is for GPT-SoVITS models.",
        )
    return native.load_engine(folder)


def _load(model: ModelSet, precision: str | None) -> Engine:
    if model.kind == "native":
        return _native(model.folder, precision)
    if model.kind == KIND:
        from yinse.workflows.gpt_sovits import load_engine as load

        # Only cloning needs a listener: the models of the package are not loaded before.
        return load(model.folder, listener=functools.cache(native.load_engine), precision=precision)
    raise Incompatible(f"this is a model of type '{model.kind}': it does not speak", where=str(model.folder))
