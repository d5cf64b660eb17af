"""The Python interface: `clone`, `say`, `stream`."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

import yinse
from fakes import FakeEngine, make_voice, reading
from yinse.audio.denoise import DeepFilterNet
from yinse.audio.write import write_audio
from yinse.core.errors import BadText, ConfigError, Offline, UnknownName
from yinse.voices.bundle import write_voice
from yinse.workflows import api

LINES = ["The morning train was late again, so we walked along the river.", "Please put the cups back on the table."]


@pytest.fixture(autouse=True)
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine()
    monkeypatch.setattr(api, "shipped_engine", lambda: engine)
    monkeypatch.setattr(DeepFilterNet, "denoise", lambda self, clip: clip)
    monkeypatch.setenv("YINSE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("yinse.voices.store.files", lambda package: tmp_path / "package")
    write_voice(tmp_path / "package" / "assets" / "voices" / "bell.voice", make_voice("Bell"))

    def no_recogniser(model: str = "base") -> None:
        raise Offline("the recogniser is not on this machine")

    monkeypatch.setattr(api, "FasterWhisper", no_recogniser)
    monkeypatch.chdir(tmp_path)


def test_the_lines_of_the_readme_run(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (repository / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (block,) = [block for block in blocks if "import yinse" in block]
    write_audio(Path("me.wav"), reading(LINES * 3))
    Path("me.txt").write_text("\n".join(LINES * 3))
    exec(block, names := {})
    assert names["voice"].is_tuned
    assert soundfile.info("minute.wav").samplerate == 24_000
    assert "One sentence after another." in capsys.readouterr().out


def test_what_is_said_is_what_is_streamed() -> None:
    clip = yinse.say("One. Two.", "Bell", seed=3, speed=2.0)
    chunks = list(yinse.stream("One. Two.", seed=3, speed=2.0))  # the first built-in voice is Bell
    np.testing.assert_array_equal(clip.samples, np.concatenate([chunk.samples for chunk in chunks]))


def test_a_warning_is_a_warning() -> None:
    write_audio(Path("me.wav"), reading(LINES * 2))
    with pytest.warns(UserWarning, match="--text"):
        voice = yinse.clone(["me.wav"], name="me")
    assert not voice.is_tuned


def test_the_manner_of_a_recording_is_taken_on() -> None:
    write_audio(Path("style.wav"), reading(LINES[:1]))
    with pytest.raises(Offline):
        yinse.say("Hello.", style="style.wav")
    Path("style.txt").write_text(LINES[0])
    assert yinse.say("Hello.", style="style.wav").duration_s > 0.3


def test_a_recogniser_hears_what_is_converted() -> None:
    write_audio(Path("me.wav"), reading(LINES[:1]))
    with pytest.warns(UserWarning, match="--language"):
        assert yinse.convert("me.wav", "Bell").duration_s > 0.3
    with pytest.raises(Offline):
        yinse.convert("me.wav", "Bell", recogniser="base")


def test_errors_are_those_of_the_core() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'Bell'"):
        yinse.say("Hello.", "Bel")
    with pytest.raises(BadText):
        yinse.say("")
    with pytest.raises(ConfigError, match="speed"):
        yinse.say("Hello.", speed=9.0)
