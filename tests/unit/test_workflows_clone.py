"""From recordings to a voice: transcripts, cutting, misfits, second speakers, tuning."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fakes import FakeEngine, reading
from yinse.audio.denoise import DeepFilterNet
from yinse.audio.write import write_audio
from yinse.core.errors import BadAudio, BadText, MissingExtra
from yinse.core.events import Artifact, Event, Finished, Warned
from yinse.core.types import AudioClip
from yinse.corpus.transcriber import Transcriber
from yinse.voices.bundle import read_voice
from yinse.voices.store import VoiceStore
from yinse.workflows.clone import CloneRequest, CloneResult, CloneTools, clone_voice
from yinse.workflows.recordings import find_recordings
from yinse.workflows.speakers import two_speakers
from yinse.workflows.transcripts import Line, cut_by_text, find_transcripts, fitting

ENGLISH = [
    "The morning train was late again, so we walked along the river.",
    "Please put the blue cups back on the kitchen table.",
    "She counted seven lanterns in the garden before the rain began.",
    "Nobody knew why the old clock had stopped at noon.",
    "He sold the boat and bought a small house on the hill.",
]


def no_transcriber() -> Transcriber:
    raise MissingExtra("writing down what was said", "asr")


@pytest.fixture(autouse=True)
def _no_denoiser(monkeypatch: pytest.MonkeyPatch) -> None:
    """The denoiser hears no voice in humming."""
    monkeypatch.setattr(DeepFilterNet, "denoise", lambda self, clip: clip)


@pytest.fixture
def store(tmp_path: Path) -> VoiceStore:
    return VoiceStore(tmp_path / "voices", builtin=tmp_path / "none")


def run(request: CloneRequest, store: VoiceStore, **options: Any) -> tuple[CloneResult, list[Event]]:
    tools = CloneTools(
        options.pop("transcriber", no_transcriber),
        new_id=lambda: "v1",
        now=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        work=store.folder.parent / "work",
    )
    events = list(clone_voice(request, engine=options.pop("engine", FakeEngine()), store=store, tools=tools))
    assert isinstance(events[-1], Finished)
    return events[-1].result, events


# ------------------------------------------------------------------------- the whole path


def test_a_recording_with_its_text_beside_it_makes_a_tuned_voice(tmp_path: Path, store: VoiceStore) -> None:
    path = tmp_path / "me.wav"
    write_audio(path, reading(ENGLISH))
    path.with_suffix(".txt").write_text("\n".join(ENGLISH))
    engine = FakeEngine()
    result, events = run(CloneRequest(audio=(path,), name="Me"), store, engine=engine)
    assert " ".join(engine.tuned_texts or []) == " ".join(ENGLISH)
    voice = store.get("Me")
    assert (voice.id, voice.languages, voice.created) == ("v1", ("en",), "2026-01-02T03:04:05+00:00")
    assert voice.is_tuned
    assert not voice.synthetic
    assert voice.figures == {"similarity_before": 0.7, "similarity_after": 0.85}
    assert result.transcribed == result.pieces >= 3
    assert result.speech_s == pytest.approx(reading(ENGLISH).duration_s, abs=1.0)
    assert [e.path for e in events if isinstance(e, Artifact)] == [str(store.folder / "v1.voice")]
    assert not list((store.folder.parent / "work").iterdir())


def test_without_tuning_the_recogniser_is_not_asked(tmp_path: Path, store: VoiceStore) -> None:
    write_audio(tmp_path / "me.wav", reading(ENGLISH))
    request = CloneRequest(audio=(tmp_path / "me.wav",), name="Me", tune=False, language="en")
    result, events = run(request, store)
    assert not result.voice.is_tuned
    assert result.voice.languages == ("en",)
    assert not [e for e in events if isinstance(e, Warned) and "recogni" in e.message + (e.where or "")]


def test_the_recogniser_writes_down_what_nobody_did(tmp_path: Path, store: VoiceStore) -> None:
    class Listener:
        heard = 0

        def transcribe(self, clip: AudioClip, *, language: str | None = None) -> str:
            self.heard += 1
            return "♪" if self.heard == 1 else min(ENGLISH, key=lambda text: abs(_length_s(text) - clip.duration_s))

    def _length_s(text: str) -> float:
        return reading([text]).duration_s

    for number, line in enumerate(ENGLISH):
        write_audio(tmp_path / "takes" / f"{number}.wav", reading([line]))
    listener = Listener()
    result, _ = run(CloneRequest(audio=(tmp_path / "takes",), name="Me"), store, transcriber=lambda: listener)
    assert listener.heard == result.pieces == len(ENGLISH)
    assert result.transcribed == len(ENGLISH) - 1  # nothing can be read in "♪"
    assert result.voice.is_tuned


def test_without_text_the_models_are_not_tuned_and_a_hint_says_why(tmp_path: Path, store: VoiceStore) -> None:
    write_audio(tmp_path / "me.wav", reading(ENGLISH))
    result, _ = run(CloneRequest(audio=(tmp_path / "me.wav",), name="Me"), store)
    assert not result.voice.is_tuned
    assert any("--text" in warning for warning in result.warnings)


def test_without_text_a_voice_is_tuned_by_its_sound_when_asked_to(tmp_path: Path, store: VoiceStore) -> None:
    write_audio(tmp_path / "me.wav", reading(ENGLISH))
    engine = FakeEngine()
    result, _ = run(CloneRequest(audio=(tmp_path / "me.wav",), name="Me", tune=True), store, engine=engine)
    assert result.voice.is_tuned
    assert engine.tuned_texts is None and result.transcribed == 0
    assert any("how the person sounds" in warning and "--text" in warning for warning in result.warnings)


def test_a_few_seconds_are_too_few_to_tune_on(tmp_path: Path, store: VoiceStore) -> None:
    write_audio(tmp_path / "me.wav", reading(ENGLISH[:1]))
    (tmp_path / "me.txt").write_text(ENGLISH[0])
    result, _ = run(CloneRequest(audio=(tmp_path / "me.wav",), name="Me"), store)
    assert not result.voice.is_tuned
    assert any("too few" in warning for warning in result.warnings)


def test_a_tuning_of_other_recordings_is_not_gone_on_with(tmp_path: Path, store: VoiceStore) -> None:
    requests = []
    for name, lines in (("one", ENGLISH), ("two", ENGLISH[::-1])):
        write_audio(tmp_path / f"{name}.wav", reading(lines))
        (tmp_path / f"{name}.txt").write_text("\n".join(lines))
        requests.append(CloneRequest(audio=(tmp_path / f"{name}.wav",), name=name))
    engine = FakeEngine(interrupt_at=2)
    with pytest.raises(KeyboardInterrupt):
        run(requests[0], store, engine=engine)
    run(requests[1], store, engine=engine)
    assert engine.steps_run == [0, 1, *range(5)]
    run(requests[0], store, engine=engine)
    assert engine.steps_run == [0, 1, *range(5), 2, 3, 4]


def test_replacing_leaves_one_voice(tmp_path: Path, store: VoiceStore) -> None:
    write_audio(tmp_path / "me.wav", reading(ENGLISH))
    request = CloneRequest(audio=(tmp_path / "me.wav",), name="Me", tune=False, replace=True)
    run(request, store)
    result, _ = run(request, store)
    assert [entry.card.name for entry in store.entries()] == ["Me"]
    assert read_voice(result.path).name == "Me"


# ------------------------------------------------------------------------- recordings and their texts


def test_folders_stand_for_the_audio_in_them(tmp_path: Path) -> None:
    for name in ("b.wav", "a.MP3", "notes.txt", ".hidden"):
        (tmp_path / name).write_bytes(b"")
    found = find_recordings([tmp_path, tmp_path / "b.wav"])
    assert [path.name for path in found] == ["a.MP3", "b.wav"]
    with pytest.raises(BadAudio, match="no such file"):
        find_recordings([tmp_path / "c.wav"])


def texts(recordings: list[str], listing: str | bytes, tmp_path: Path) -> list[list[str]]:
    path = tmp_path / "lines.txt"
    path.write_bytes(listing if isinstance(listing, bytes) else listing.encode())
    found = find_transcripts([Path(name) for name in recordings], path)
    return [[line.text for line in lines] for lines in found]


def test_lines_belong_to_recordings_in_order_or_by_name(tmp_path: Path) -> None:
    assert texts(["a.wav", "b.wav"], "One.\n\n Two. \n", tmp_path) == [["One."], ["Two."]]
    assert texts(["a.wav", "b.wav"], b"\xef\xbb\xbfOne.\r\nTwo.", tmp_path) == [["One."], ["Two."]]
    assert texts(["a.wav"], "One.\nTwo.", tmp_path) == [["One.", "Two."]]
    assert texts(["a.wav", "b.wav"], "b\tTwo.\na.wav\tOne.\nb\tThree.", tmp_path) == [["One."], ["Two.", "Three."]]
    assert texts(["a.wav", "b.wav"], "b.wav\tTwo.", tmp_path) == [[], ["Two."]]


def test_a_listing_that_does_not_fit_is_refused_by_line(tmp_path: Path) -> None:
    with pytest.raises(BadText, match="3 lines for 2 recordings"):
        texts(["a.wav", "b.wav"], "1\n2\n3", tmp_path)
    with pytest.raises(BadText, match=r"lines\.txt, line 2: 'c' is no recording"):
        texts(["a.wav", "b.wav"], "a\tOne.\nc\tTwo.", tmp_path)
    with pytest.raises(BadText, match="more than one"):
        texts(["a.wav", "a.mp3"], "a\tOne.", tmp_path)


def test_text_beside_a_recording_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One.\nTwo.")
    found = find_transcripts([tmp_path / "a.wav", tmp_path / "b.wav"], None)
    assert [[line.text for line in lines] for lines in found] == [["One.", "Two."], []]
    assert found[0][1].where == "a.txt, line 2"


# ------------------------------------------------------------------------- cutting


def lines_of(lines: list[str]) -> list[Line]:
    return [Line(text, f"s.txt, line {number}") for number, text in enumerate(lines, 1)]


def test_pieces_together_are_the_recording_and_its_text() -> None:
    clip = reading(ENGLISH)
    pieces = cut_by_text(clip, lines_of(ENGLISH), engine=FakeEngine(), where="a.wav")
    assert " ".join(piece.text or "" for piece in pieces) == " ".join(ENGLISH)
    np.testing.assert_array_equal(np.concatenate([piece.clip.samples for piece in pieces]), clip.samples)
    assert all(3 <= piece.clip.duration_s < 12 for piece in pieces)
    assert [piece.where for piece in pieces][:2] == ["s.txt, line 1", "s.txt, line 2"]


def test_mandarin_and_several_sentences_in_a_line_are_cut_too() -> None:
    lines = [
        "今天天气很好，我们一起去公园散步。明天可能会下大雨，所以我想待在家里看书。",
        "Then it was evening, and nobody spoke.",
    ]
    pieces = cut_by_text(reading(lines), lines_of(lines), engine=FakeEngine(), where="a.wav")
    assert [piece.where[-1] for piece in pieces] == ["1", "1", "2"]


def test_a_recording_too_long_to_search_is_refused() -> None:
    clip = AudioClip(np.zeros(301 * 8000, dtype=np.float32), 8000)
    with pytest.raises(BadText, match="may last 5 minutes"):
        cut_by_text(clip, lines_of(["Hello."]), engine=FakeEngine(), where="a.wav")


def test_misfits_stand_out_from_the_others() -> None:
    pieces = cut_by_text(reading(ENGLISH), lines_of(ENGLISH), engine=FakeEngine(), where="a.wav")

    class Deaf(FakeEngine):
        def __init__(self, confidences: list[float]) -> None:
            self.confidences = confidences

        def align(self, clips: Any, symbols: Any) -> Any:
            return [type("T", (), {"confidence": value}) for value in self.confidences]

    count = len(pieces)
    assert fitting(pieces, engine=Deaf([-2.8] * count)) == [True] * count
    # A poor recording of someone from elsewhere is still a right one.
    assert fitting(pieces, engine=Deaf([-4.9, -5.9] + [-4.9] * (count - 2))) == [True] * count
    assert fitting(pieces, engine=Deaf([-2.8, -5.5] + [-2.8] * (count - 2)))[:3] == [True, False, True]
    assert fitting(pieces, engine=Deaf([-7.5] * count)) == [False] * count


# ------------------------------------------------------------------------- speakers


def people(*counts: int, spread: float = 0.1, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    vectors = []
    for count in counts:
        centre = random.normal(size=256) + 1.0  # everybody is somewhat alike
        vectors += [centre + spread * 16 * random.normal(size=256) / 4 for _ in range(count)]
    return [(v / np.linalg.norm(v)).astype(np.float32) for v in vectors]


@pytest.mark.parametrize("seed", range(5))
def test_two_people_are_told_from_one(seed: int) -> None:
    assert two_speakers(people(8, seed=seed), [4.0] * 8) == ()
    assert two_speakers(people(7, 3, seed=seed), [4.0] * 10) == (7, 8, 9)


def test_too_little_is_not_judged() -> None:
    assert two_speakers(people(1, 1), [4.0] * 2) == ()
    assert two_speakers(people(9, 1), [4.0] * 10) == ()  # one odd utterance: a cough, a laugh
    assert two_speakers([np.eye(1, 256, dtype=np.float32)[0]] * 6, [4.0] * 6) == ()
