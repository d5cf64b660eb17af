"""Speaking into files and pipes: captions, reports, times, memory."""

from __future__ import annotations

import io
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from fakes import RATE_HZ, FakeEngine, make_voice
from yinse.core.errors import BadText, ConfigError, FingerprintMismatch
from yinse.core.events import Artifact, Event, Finished, Progress
from yinse.core.types import AudioChunk, PhonemeTiming, SpeakRequest
from yinse.workflows.say import SpeakOutputs, speak

TEXT = "A <b> & c --> d.\nThe second\tone! 第三句话。"


def run(text: str, outputs: SpeakOutputs, **options: Any) -> list[Event]:
    return list(speak(SpeakRequest(text, **options), make_voice(), engine=FakeEngine(), outputs=outputs))


def test_events_name_what_was_written(tmp_path: Path) -> None:
    outputs = SpeakOutputs(audio=tmp_path / "a.wav", captions=tmp_path / "a.srt", report=tmp_path / "a.json")
    events = run(TEXT, outputs)
    assert [(e.kind, Path(e.path).name) for e in events if isinstance(e, Artifact)] == [
        ("audio", "a.wav"),
        ("captions", "a.srt"),
        ("report", "a.json"),
    ]
    done = [e.done for e in events if isinstance(e, Progress)]
    assert done == sorted(done)
    assert done[-1] == len(TEXT)
    assert isinstance(events[-1], Finished)
    assert events[-1].result.sentences == 3
    assert events[-1].result.duration_s == pytest.approx(soundfile.info(tmp_path / "a.wav").duration, abs=1e-3)


def seconds(clock: str) -> float:
    hours, minutes, rest = re.split(r":", clock.replace(",", "."))
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_captions_follow_the_sentences(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    run(TEXT, SpeakOutputs(audio=tmp_path / "a.wav", captions=path, report=tmp_path / "a.json"))
    text = path.read_text(encoding="utf-8")
    assert text.startswith("WEBVTT\n\n") == (suffix == ".vtt")
    cues = [block.split("\n") for block in text.removeprefix("WEBVTT\n\n").strip().split("\n\n")]
    assert [cue[0] for cue in cues] == ["1", "2", "3"]
    assert [cue[2] for cue in cues][1:] == ["The second one!", "第三句话。"]
    assert cues[0][2] == ("A &lt;b> &amp; c → d." if suffix == ".vtt" else "A <b> & c → d.")
    times = [tuple(seconds(part) for part in cue[1].split(" --> ")) for cue in cues]
    sentences = json.loads((tmp_path / "a.json").read_text())["sentences"]
    for (start_s, end_s), sentence in zip(times, sentences, strict=True):
        assert start_s == pytest.approx(sentence["start_s"], abs=1e-3)
        assert end_s == pytest.approx(sentence["phonemes"][-1]["end_s"], abs=1e-3)
    assert all(end_s <= start_s for (_, end_s), (start_s, _) in zip(times, times[1:], strict=False))


def test_report_has_the_times_of_every_phoneme(tmp_path: Path) -> None:
    run(TEXT, SpeakOutputs(audio=tmp_path / "a.wav", report=tmp_path / "a.json"), seed=7)
    report = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert (report["voice"], report["seed"], report["model_fingerprint"]) == ("Ada", 7, "fake")
    assert [TEXT[slice(*s["text_span"])] for s in report["sentences"]] == [s["text"] for s in report["sentences"]]
    for sentence in report["sentences"]:
        ends = [sentence["start_s"], *(p["end_s"] for p in sentence["phonemes"])]
        assert [p["start_s"] for p in sentence["phonemes"]] == pytest.approx(ends[:-1], abs=1e-3)
        assert ends[-1] <= sentence["end_s"] + 1e-3


def test_chunks_of_one_sentence_are_one_caption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_two(self: FakeEngine, request: SpeakRequest, voice: Any, *, style: Any = None) -> Iterator[AudioChunk]:
        half = np.zeros(RATE_HZ, dtype=np.float32)
        for index in (0, 1):
            timing = PhonemeTiming("a", 0.25, 0.75)
            yield AudioChunk(half, RATE_HZ, index, float(index), "Hello.", (0, 6), (timing,), is_last=index == 1)

    monkeypatch.setattr(FakeEngine, "stream", in_two)
    run("Hello.", SpeakOutputs(audio=tmp_path / "a.wav", captions=tmp_path / "a.srt", report=tmp_path / "a.json"))
    assert (tmp_path / "a.srt").read_text() == "1\n00:00:00,000 --> 00:00:01,750\nHello.\n\n"
    (sentence,) = json.loads((tmp_path / "a.json").read_text())["sentences"]
    assert [p["start_s"] for p in sentence["phonemes"]] == [0.25, 1.25]


def test_a_pipe_gets_a_wav_while_it_is_spoken() -> None:
    pipe = io.BytesIO()
    events = speak(SpeakRequest(TEXT), make_voice(), engine=FakeEngine(), outputs=SpeakOutputs(audio=pipe))
    next(events)
    after_one = len(pipe.getvalue())
    assert after_one > 44
    list(events)
    data = pipe.getvalue()
    assert len(data) > after_one
    assert struct.unpack("<4sI4s", data[:12]) == (b"RIFF", 0xFFFFFFFF, b"WAVE")
    # Players and ffmpeg take the greatest length for "until the end".
    samples, rate_hz = soundfile.read(io.BytesIO(data))
    whole = np.concatenate([c.samples for c in FakeEngine().stream(SpeakRequest(TEXT), make_voice())])
    assert rate_hz == RATE_HZ
    np.testing.assert_allclose(samples, whole, atol=1e-4)


def test_a_file_holds_what_the_stream_holds(tmp_path: Path) -> None:
    run(TEXT, SpeakOutputs(audio=tmp_path / "a.flac"))
    whole = np.concatenate([c.samples for c in FakeEngine().stream(SpeakRequest(TEXT), make_voice())])
    samples, _ = soundfile.read(tmp_path / "a.flac")
    np.testing.assert_allclose(samples, whole, atol=1e-4)


def test_nothing_is_spoken_ahead(tmp_path: Path) -> None:
    """A book is spoken sentence by sentence: the next one is asked for when the last one is written."""
    asked: list[int] = []

    class Counting(FakeEngine):
        def stream(self, request: SpeakRequest, voice: Any, *, style: Any = None) -> Iterator[AudioChunk]:
            for chunk in super().stream(request, voice, style=style):
                asked.append(chunk.index)
                yield chunk

    events = speak(
        SpeakRequest("One. Two. Three. Four."),
        make_voice(),
        engine=Counting(),
        outputs=SpeakOutputs(audio=tmp_path / "a.wav"),
    )
    next(events)
    assert asked == [0]
    next(events)
    assert asked == [0, 1]
    events.close()  # type: ignore[attr-defined]
    assert not list(tmp_path.iterdir())


def test_text_without_words_makes_no_file(tmp_path: Path) -> None:
    outputs = SpeakOutputs(audio=tmp_path / "a.wav", captions=tmp_path / "a.srt")
    with pytest.raises(BadText, match="spoken"):
        run("🎉", outputs)
    assert not list(tmp_path.iterdir())


def test_a_voice_of_other_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FingerprintMismatch, match="[Cc]lone it again"):
        list(
            speak(
                SpeakRequest("Hello."),
                make_voice(fingerprint="other"),
                engine=FakeEngine(),
                outputs=SpeakOutputs(audio=tmp_path / "a.wav"),
            )
        )


def test_other_captions_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"\.srt or \.vtt"):
        SpeakOutputs(audio=Path("a.wav"), captions=Path("a.sub"))
