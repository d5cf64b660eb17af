"""The command line with a fake engine, an empty home and one built-in voice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fakes import FakeEngine, make_voice
from yinse.audio.denoise import DeepFilterNet
from yinse.core.errors import Offline
from yinse.voices.bundle import write_voice

Yinse = Callable[..., Result]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """The engine behind every command; the denoiser, which hears no voice in humming, lets everything pass."""
    fake = FakeEngine()
    monkeypatch.setattr("yinse.workflows.native.load_engine", lambda folder=None: fake)
    monkeypatch.setattr(DeepFilterNet, "denoise", lambda self, clip: clip)
    return fake


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, with one voice; there are no other voices and no recogniser."""
    folder = tmp_path / "home"
    monkeypatch.setenv("YINSE_HOME", str(folder))
    for module in ("yinse.voices.store", "yinse.workflows.models"):
        monkeypatch.setattr(f"{module}.files", lambda package: tmp_path / "package")
    write_voice(tmp_path / "package" / "assets" / "voices" / "bell.voice", make_voice("Bell"))

    def no_recogniser(model: str) -> None:
        raise Offline("the recogniser is not on this machine")

    monkeypatch.setattr("yinse.corpus.transcriber.FasterWhisper", no_recogniser)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def yinse(engine: FakeEngine, home: Path) -> Yinse:
    """Runs `yinse` with some arguments."""
    from yinse.cli.main import app

    return lambda *arguments, input=None: CliRunner().invoke(app, [str(a) for a in arguments], input=input)
