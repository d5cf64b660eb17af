"""The wheel, installed into a fresh environment, speaks: models and recipes lie inside the package."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import yinse


def run(*command: object, cwd: Path) -> str:
    """Standard output of a command that sees neither this checkout nor the user's folders."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    result = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, cwd=cwd, env=environment
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def programs(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs folder of a fresh environment that holds the wheel and borrows the dependencies of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    offline = ("--no-deps", "--no-index")
    run(*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", folder, repository, cwd=folder)
    venv.create(folder / "fresh", with_pip=False)
    paths = sysconfig.get_paths(vars={"base": str(folder / "fresh"), "platbase": str(folder / "fresh")})
    # One line of a .pth file: the borrowed folder comes after the environment's own, and an editable
    # installation of Yinse in it stays invisible because .pth files there are not read.
    (Path(paths["purelib"]) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    programs = Path(paths["scripts"])
    (wheel,) = folder.glob("yinse-*.whl")
    run(*pip, "--python", programs / "python", "install", *offline, "--force-reinstall", wheel, cwd=folder)
    return programs


def test_wheel_knows_its_version_and_comes_from_the_fresh_environment(programs: Path, tmp_path: Path) -> None:
    place = run(programs / "python", "-c", "import yinse; print(yinse.__file__)", cwd=tmp_path)
    assert Path(place.strip()).is_relative_to(programs.parent)
    assert run(programs / "yinse", "--version", cwd=tmp_path).split()[-1] == yinse.__version__


def test_wheel_holds_what_lies_in_the_package(programs: Path, repository: Path, tmp_path: Path) -> None:
    source = repository / "src" / "yinse"
    installed = Path(run(programs / "python", "-c", "import yinse; print(yinse.__path__[0])", cwd=tmp_path).strip())
    wanted = {p.relative_to(source) for p in source.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert wanted <= {p.relative_to(installed) for p in installed.rglob("*")}


def test_wheel_speaks(programs: Path, repository: Path, tmp_path: Path) -> None:
    if not (repository / "src" / "yinse" / "assets" / "base").is_dir():
        pytest.skip("no base model is shipped yet")
    import soundfile

    run(programs / "yinse", "say", "Hello.", "-o", tmp_path / "out.wav", cwd=tmp_path)
    samples, rate_hz = soundfile.read(tmp_path / "out.wav")
    assert rate_hz == 24_000
    assert len(samples) > 0.2 * rate_hz
    assert abs(samples).max() > 0.01
