"""What this machine has, for people who look for the reason of a problem."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from yinse import __version__
from yinse.core.errors import YinseError
from yinse.core.home import home
from yinse.voices.store import VoiceStore

_PACKAGES = ("torch", "numpy", "scipy", "onnxruntime", "soundfile", "soxr", "av", "typer")
_EXTRAS = {
    "asr": ("faster_whisper",),
    "eval": ("faster_whisper", "jiwer", "resemblyzer", "speechmos"),
    "context": ("transformers",),
    "train": ("tensorboard",),
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found.

    Attributes:
        versions: of Yinse, Python and the packages it stands on.
        processor_cores: that this process may use.
        torch_threads: that the models use.
        devices: on which the models can run.
        home: folder of voices and models.
        free_bytes: room left on its disk.
        model: fingerprint of the shipped models, if they can be loaded.
        voices: names.
        extras: which optional parts are installed.
        problems: what does not work, one sentence each.
    """

    versions: Mapping[str, str]
    processor_cores: int
    torch_threads: int
    devices: tuple[str, ...]
    home: str
    free_bytes: int
    model: str | None
    voices: tuple[str, ...]
    extras: Mapping[str, bool]
    problems: tuple[str, ...]


def diagnose() -> Diagnosis:
    """Looks at the machine; loads the models to see that they are whole."""
    import torch

    from yinse.workflows.native import load_engine

    problems: list[str] = []
    model = None
    try:
        model = load_engine().fingerprint
    except YinseError as error:
        problems.append(str(error))
    store = VoiceStore()
    problems += [str(error) for error in store.damaged()]
    place = home()
    existing = next(folder for folder in (place, *place.parents) if folder.is_dir())
    if not os.access(existing, os.W_OK):
        problems.append(f"{place}: cannot be written")
    return Diagnosis(
        versions={
            "yinse": __version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in _PACKAGES},
        },
        processor_cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        torch_threads=torch.get_num_threads(),
        devices=("cpu", *(["cuda"] if torch.cuda.is_available() else [])),
        home=str(place),
        free_bytes=shutil.disk_usage(existing).free,
        model=model,
        voices=tuple(entry.card.name for entry in store.entries()),
        extras={
            extra: all(importlib.util.find_spec(name) is not None for name in modules)
            for extra, modules in _EXTRAS.items()
        },
        problems=tuple(problems),
    )
