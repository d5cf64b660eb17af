"""Importing costs nothing and does nothing: each check looks into a fresh interpreter."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"
BELOW_MODELS = ("core", "audio", "text", "corpus", "voices")
HEAVY = ("torch", "scipy.signal", "onnxruntime", "jieba", "av", "pyloudnorm", "transformers", "matplotlib", "librosa")


def loaded_after(code: str, names: tuple[str, ...]) -> list[str]:
    """Which of `names` are loaded after `code` ran in a fresh interpreter."""
    probe = f"import json, sys\n{code}\nsys.stderr.write(json.dumps([n for n in {names!r} if n in sys.modules]))"
    result = subprocess.run(
        [sys.executable, "-c", probe],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert result.returncode == 0, result.stderr
    return list(json.loads(result.stderr.splitlines()[-1]))


def module_names(packages: tuple[str, ...]) -> list[str]:
    """Every module of some packages, by its dotted name."""
    files = [path for package in packages for path in sorted((SOURCE / "yinse" / package).rglob("*.py"))]
    return [".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__") for path in files]


def test_importing_yinse_loads_nothing_heavy() -> None:
    assert loaded_after("import yinse; yinse.__version__; dir(yinse)", ("torch", "numpy", "scipy", "pydantic")) == []


def test_help_runs_without_torch() -> None:
    code = (
        "from yinse.cli.main import main\nsys.argv = ['yinse', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code"
    )
    assert loaded_after(code, HEAVY) == []


def test_modules_below_models_are_cheap_to_import() -> None:
    imports = "\n".join(f"import {name}" for name in module_names(BELOW_MODELS))
    assert loaded_after(imports, HEAVY) == []


def test_importing_every_module_starts_no_thread_and_no_seed() -> None:
    names = [name for name in module_names(("",)) if not name.endswith("__main__")]
    code = (
        "import random, threading\nbefore = random.getstate()\n"
        + "\n".join(f"import {name}" for name in names)
        + "\nassert threading.active_count() == 1, threading.enumerate()\nassert random.getstate() == before"
    )
    assert loaded_after(code, ("torchaudio", "torchvision", "librosa", "resemblyzer")) == []


@pytest.mark.parametrize("name", ["torchaudio", "torchvision"])
def test_packages_that_break_torch_are_absent(name: str) -> None:
    assert importlib.util.find_spec(name) is None
