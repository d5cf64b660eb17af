"""The root package and the folder of the user's things."""

from __future__ import annotations

from pathlib import Path

import pytest

import yinse
from yinse.core.home import home, voices_folder


def test_root_names_come_from_the_workflows() -> None:
    from yinse.workflows import api

    assert (yinse.clone, yinse.say, yinse.stream) == (api.clone, api.say, api.stream)
    assert set(yinse.__all__) <= set(dir(yinse))


def test_root_knows_no_other_names() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sing'"):
        yinse.sing  # noqa: B018


def test_home_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("YINSE_HOME", str(tmp_path))
    assert home() == tmp_path
    assert voices_folder() == tmp_path / "voices"


def test_home_defaults_to_the_platform_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YINSE_HOME")
    assert home().is_absolute()
    assert home().name == "yinse"
