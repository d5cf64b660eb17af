"""What the repository may hold: little, and nothing about the machine it was written on."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

MAX_TRACKED_BYTES = 30 * 2**20
# Written in pieces so that this file does not hold what it looks for.
MACHINE_PATHS = (b"/" + b"work/", b"/" + b"root/")


@pytest.fixture(scope="module")
def tracked(repository: Path) -> list[Path]:
    """Every file that git tracks and that is in the checkout."""
    if shutil.which("git") is None or not (repository / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repository, capture_output=True, check=True).stdout
    paths = [repository / name.decode() for name in listed.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def test_repository_stays_small(tracked: list[Path]) -> None:
    assert sum(path.stat().st_size for path in tracked) < MAX_TRACKED_BYTES


def test_no_machine_paths(tracked: list[Path]) -> None:
    assert not [path.name for path in tracked if any(place in path.read_bytes() for place in MACHINE_PATHS)]
