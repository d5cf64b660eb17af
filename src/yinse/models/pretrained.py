"""Frozen models of the `transformers` package (extra `context`), from a local folder or the hub's cache."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from yinse.core.errors import CheckpointKeys, MissingExtra, Offline


def load_frozen(class_name: str, name: str | Path, *, feature: str, device: str = "cpu", **options: Any) -> Any:
    """A model at rest in single precision; weights from safetensors, code from transformers alone, nothing fetched.

    Args:
        class_name: class in transformers.
        name: a folder (config.json, model.safetensors), or a name in the hub's cache.
        feature: what the model is needed for, as the error says it.
        device: where the model computes.
        options: further arguments of the class.

    Raises:
        MissingExtra: transformers is not installed.
        Offline: the files are not here.
        CheckpointKeys: the weights are not those of the model.
    """
    transformers = import_transformers(feature)
    try:
        model, report = getattr(transformers, class_name).from_pretrained(
            str(name), use_safetensors=True, output_loading_info=True, local_files_only=True, **options
        )
    except (OSError, ValueError) as error:
        raise Offline(
            f"no model for {feature} could be loaded ({str(error).splitlines()[0]})",
            where=str(name),
            advice="Give a folder with config.json and model.safetensors.",
        ) from error
    if report["missing_keys"]:
        raise CheckpointKeys(str(name), missing=report["missing_keys"], unexpected=report["unexpected_keys"])
    return model.float().eval().requires_grad_(False).to(device)


def import_transformers(feature: str) -> Any:
    """The package.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module("transformers")
    except ImportError as error:
        raise MissingExtra(feature, "context") from error
