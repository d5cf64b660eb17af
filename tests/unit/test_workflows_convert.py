"""Recordings said again in another voice: their length, their pauses, their words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from fakes import RATE_HZ, FakeEngine, humming, make_voice, reading
from yinse.audio.denoise import DeepFilterNet
from yinse.audio.write import write_audio
from yinse.core.errors import BadAudio, BadText, ConfigError, FingerprintMismatch, QualityGateError
from yinse.core.events import Event, Finished, Warned
from yinse.core.types import AudioClip
from yinse.workflows.convert import ConvertRequest, convert_recording

LINES = ["The morning train was late again, so we walked along the river.", "Please put the cups back on the table."]


class Reading(FakeEngine):
    """A fake engine that remembers what it was given, and has to be told the words or is the better for them."""

    def __init__(self, *, needs_words: bool = True) -> None:
        super().__init__()
        self.needs_words = needs_words
        self.given: list[tuple[float, str | None, int]] = []

    def convert(self, clip: AudioClip, voice: Any, **options: Any) -> AudioClip:
        self.given.append((clip.duration_s, options["transcript"], options["seed"]))
        return super().convert(clip, voice, **options)


@pytest.fixture(autouse=True)
def _no_denoiser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(DeepFilterNet, "denoise", lambda self, clip: clip)
    monkeypatch.chdir(tmp_path)


def nobody() -> Any:
    raise AssertionError("the recogniser was asked")


class Ear:
    """A recogniser that hears the same every time."""

    def __init__(self, text: str) -> None:
        self.text = text

    def transcribe(self, clip: AudioClip, *, language: str | None = None) -> str:
        return self.text


def run(
    path: str, *, engine: FakeEngine | None = None, transcriber: Callable[[], Any] | None = None, **options: Any
) -> list[Event]:
    output = options.pop("output", Path("out.wav"))
    request = ConvertRequest(audio=Path(path), **options)
    return list(
        convert_recording(request, make_voice(), engine=engine or FakeEngine(), transcriber=transcriber, output=output)
    )


def converted(events: list[Event]) -> AudioClip:
    assert isinstance(events[-1], Finished)
    clip: AudioClip = events[-1].result.clip
    return clip


def loud(clip: AudioClip, start_s: float, end_s: float) -> bool:
    samples = clip.samples[round(start_s * clip.sample_rate_hz) : round(end_s * clip.sample_rate_hz)]
    return float(np.abs(samples).max()) > 0.05


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_speech_and_pauses_stay_where_they_were(rate_hz: int) -> None:
    pattern = [(0.9, False), (2.5, True), (1.5, False), (3.0, True), (0.313, False)]
    source = humming(pattern, rate_hz=rate_hz)
    write_audio(Path("me.wav"), source)
    clip = converted(run("me.wav"))
    assert clip.sample_rate_hz == RATE_HZ
    assert len(clip.samples) == round(len(source.samples) * RATE_HZ / rate_hz)
    for start_s, end_s, is_speech in ((0.0, 0.3, False), (1.1, 3.2, True), (3.6, 4.7, False), (5.1, 7.7, True)):
        assert loud(clip, start_s, end_s) == is_speech, (start_s, end_s)
    assert np.abs(np.diff(clip.samples)).max() < 0.8  # the buzz itself jumps; pieces do not add to it
    written, written_hz = soundfile.read("out.wav", dtype="float32")
    assert written_hz == RATE_HZ
    np.testing.assert_allclose(written, clip.samples, atol=1e-4)


def test_who_does_not_tell_the_language_is_warned() -> None:
    write_audio(Path("me.wav"), humming([(0.3, False), (3.0, True), (0.3, False)]))
    for language, told in (
        (None, ["the language was not told; sounds are heard better with --language en or zh"]),
        ("zh", []),
    ):
        assert [event.message for event in run("me.wav", language=language) if isinstance(event, Warned)] == told


@pytest.mark.parametrize("needed", [True, False])
def test_words_of_the_text_are_told(needed: bool) -> None:
    engine = Reading(needs_words=needed)
    source = reading(LINES)
    write_audio(Path("me.wav"), source)
    Path("me.txt").write_text("\n".join(LINES))
    clip = converted(run("me.wav", engine=engine, seed=7, transcriber=nobody))
    assert [text for _, text, _ in engine.given] == LINES
    assert [seed for *_, seed in engine.given] == [7, 8]
    # cut between sentences, nothing left out
    assert sum(seconds for seconds, *_ in engine.given) == pytest.approx(source.duration_s)
    assert clip.duration_s == pytest.approx(source.duration_s)
    other = Reading()
    Path("other.txt").write_text(" ".join(LINES))
    run("me.wav", engine=other, text=Path("other.txt"), transcriber=nobody)
    assert [text for _, text, _ in other.given] == LINES


def test_who_needs_words_and_gets_none_says_so() -> None:
    write_audio(Path("me.wav"), reading(LINES))
    with pytest.raises(BadText, match="have to be told what is said"):
        run("me.wav", engine=Reading())
    units = Reading(needs_words=False)
    run("me.wav", engine=units)
    assert {text for _, text, _ in units.given} == {None}


@pytest.mark.parametrize("needed", [True, False])
def test_the_recogniser_is_asked_where_there_is_no_text(needed: bool) -> None:
    write_audio(Path("me.wav"), humming([(0.3, False), (3.0, True), (1.2, False), (3.0, True), (0.3, False)]))
    engine = Reading(needs_words=needed)
    run("me.wav", engine=engine, transcriber=lambda: Ear("We went home."))
    assert [text for _, text, _ in engine.given] == ["We went home."] * 2
    silent = Reading()
    events = run("me.wav", engine=silent, transcriber=lambda: Ear("…"))
    assert [text for _, text, _ in silent.given] == [None, None]
    warned = [event.message for event in events if isinstance(event, Warned)]
    assert len(warned) == 2 and "no words were heard at 0." in warned[0]


def test_a_text_that_is_not_what_is_said_is_refused() -> None:
    write_audio(Path("me.wav"), reading(LINES))
    Path("me.txt").write_text("Hello there, my friend.")
    with pytest.raises(BadText, match=r"me\.txt, line 1: this is not what is said"):
        run("me.wav", engine=Reading(), transcriber=nobody)
    assert not Path("out.wav").exists()


def test_what_cannot_be_converted() -> None:
    write_audio(Path("me.wav"), reading(LINES))
    write_audio(Path("silent.wav"), AudioClip(np.zeros(RATE_HZ * 3, np.float32), RATE_HZ))
    write_audio(Path("long.wav"), AudioClip(np.zeros(8000 * 901, np.float32), 8000))
    with pytest.raises(QualityGateError):
        run("silent.wav")
    with pytest.raises(BadAudio, match="15 minutes|900"):
        run("long.wav")
    with pytest.raises(BadAudio, match="no such file"):
        run("none.wav")
    with pytest.raises(ConfigError, match="'.mid'"):
        run("me.wav", output=Path("out.mid"))
    with pytest.raises(ConfigError, match="'ja'"):
        run("me.wav", language="ja")
    request = ConvertRequest(audio=Path("me.wav"))
    with pytest.raises(FingerprintMismatch):
        list(convert_recording(request, make_voice(fingerprint="other"), engine=FakeEngine(), transcriber=nobody))
