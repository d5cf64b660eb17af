"""The demo: a recording spoiled on purpose, pictures, a report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fakes import FakeEngine, humming, make_voice, reading
from yinse.audio.decode import decode
from yinse.audio.denoise import DeepFilterNet
from yinse.audio.write import write_audio
from yinse.core.errors import Offline
from yinse.core.events import Finished
from yinse.core.types import AudioClip
from yinse.corpus.transcriber import Transcriber
from yinse.voices.bundle import write_voice
from yinse.voices.store import VoiceStore
from yinse.workflows.clone import CloneTools
from yinse.workflows.demo import SCRIPT, DemoResult, run_demo
from yinse.workflows.picture import draw_spectrograms
from yinse.workflows.spoil import spoil


def no_transcriber() -> Transcriber:
    raise Offline("the recogniser is not on this machine")


def demo(tmp_path: Path, recording: Path | None = None) -> tuple[DemoResult, VoiceStore]:
    for name in ("Bell", "Zoe"):
        write_voice(tmp_path / "builtin" / f"{name}.voice", make_voice(name))
    store = VoiceStore(tmp_path / "mine", builtin=tmp_path / "builtin")
    tools = CloneTools(no_transcriber, work=tmp_path / "work")
    events = list(run_demo(recording, engine=FakeEngine(), store=store, tools=tools, output=tmp_path / "out"))
    assert isinstance(events[-1], Finished)
    return events[-1].result, store


@pytest.fixture
def _no_denoiser(monkeypatch: pytest.MonkeyPatch) -> None:
    """The denoiser hears no voice in humming; without it a spoiled recording would be too noisy."""
    monkeypatch.setattr(DeepFilterNet, "denoise", lambda self, clip: clip)
    monkeypatch.setattr("yinse.workflows.demo.spoil", lambda clip: clip)


@pytest.mark.usefixtures("_no_denoiser")
def test_demo_goes_the_whole_path(tmp_path: Path) -> None:
    result, store = demo(tmp_path)
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert made == {
        "builtin-en.wav", "builtin-zh.wav", "recording.wav", "recording.txt", "cleaned.wav", "before-after.png",
        "new-en.wav", "new-zh.wav", "new-mixed.wav", "report.md", "voices",
    }  # fmt: skip
    assert all(path.exists() for path in result.files.values())
    assert 0.5 < decode(tmp_path / "out" / "recording.wav").duration_s / 60 < 2
    assert (tmp_path / "out" / "recording.txt").read_text().splitlines() == list(SCRIPT)
    report = (tmp_path / "out" / "report.md").read_text()
    assert "tuned on" in report
    assert "similarity after | 0.85" in report
    assert "similarity to other voices" in report
    assert [entry.card.name for entry in store.entries()] == ["Bell", "Zoe"]  # the demo's voice is not the user's


@pytest.mark.usefixtures("_no_denoiser")
def test_demo_takes_a_recording_of_the_user(tmp_path: Path) -> None:
    write_audio(tmp_path / "me.mp3", reading(SCRIPT[:4]))
    result, _ = demo(tmp_path, tmp_path / "me.mp3")
    report = result.files["report"].read_text()
    assert "cloned at once from" in report
    assert "--text" in report
    assert not (tmp_path / "out" / "recording.wav").exists()
    demo(tmp_path, tmp_path / "me.mp3")  # a second time, over the first


def test_spoiling_adds_noise_room_and_level_alike_for_a_seed() -> None:
    clip = humming([(1.0, False), (12.0, True), (1.0, False)])
    spoiled = spoil(clip, snr_db=10.0, seed=3)
    np.testing.assert_array_equal(spoiled.samples, spoil(clip, snr_db=10.0, seed=3).samples)
    assert len(spoiled.samples) == len(clip.samples)
    assert np.abs(spoiled.samples).max() == pytest.approx(0.5)
    rate = clip.sample_rate_hz
    fan = np.mean(spoiled.samples[: rate // 2] ** 2)
    seconds = np.mean(spoiled.samples[rate : 13 * rate].reshape(12, -1) ** 2, axis=1)
    assert 10 * np.log10((seconds.mean() - fan) / fan) == pytest.approx(10.0, abs=1.5)
    assert seconds.max() > 2 * seconds.min()


def test_silence_has_no_picture_problem(tmp_path: Path) -> None:
    clips = {"speech": humming([(2.0, True)]), "silence": AudioClip(np.zeros(8000, dtype=np.float32), 8000)}
    draw_spectrograms(tmp_path / "a.png", clips)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
