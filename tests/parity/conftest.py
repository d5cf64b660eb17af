"""The folder of reference numbers (`YINSE_PARITY`, else `parity` in the shared folder); what was compared with it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from parity.kit import ParityFolder

FOLDER = pytest.StashKey[ParityFolder]()


def _path() -> Path:
    repository = Path(__file__).resolve().parents[2]
    shared = Path(os.environ.get("YINSE_SHARED") or repository.parent / "shared")
    return Path(os.environ.get("YINSE_PARITY") or shared / "parity")


@pytest.fixture(scope="session")
def parity(pytestconfig: pytest.Config) -> ParityFolder:
    """The reference files."""
    folder = ParityFolder(_path())
    pytestconfig.stash[FOLDER] = folder
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how much was compared: a run that compares nothing must not look like one that agrees."""
    folder = config.stash.get(FOLDER, None)
    if folder is not None:
        count = folder.compared.total()
        terminalreporter.write_line(f"compared {count} tensors of {len(folder.compared)} files ({folder.path})")
