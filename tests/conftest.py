"""Fixtures of every suite. Tests are offline and repeatable: one thread, a fixed Hypothesis seed, no user's folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parent.parent

# Two threads on two busy cores wait for each other; one thread also sums in one order.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Nothing may be fetched while a test runs.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

settings.register_profile("yinse", derandomize=True, deadline=None)
settings.load_profile("yinse")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with speech data and reference values (`YINSE_SHARED`, else `shared` beside the checkout)."""
    folder = Path(os.environ.get("YINSE_SHARED") or REPOSITORY.parent / "shared")
    if not folder.is_dir():
        pytest.skip("needs the shared data folder: set YINSE_SHARED")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _home_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Voices and models that tests write never reach the user's own folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YINSE_HOME", str(tmp_path_factory.mktemp("home")))
        yield
