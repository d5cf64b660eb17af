"""The use cases with the models and voices that come with the package, on recordings that these voices make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from yinse.audio.write import write_audio
from yinse.core.errors import BadText, MissingExtra
from yinse.core.events import Event, Finished, Progress, Warned
from yinse.core.types import AudioClip, SpeakRequest
from yinse.corpus.transcriber import Transcriber
from yinse.voices.store import VoiceStore
from yinse.voices.voice import Voice
from yinse.workflows.clone import CloneRequest, CloneResult, CloneTools, clone_voice
from yinse.workflows.demo import SCRIPT
from yinse.workflows.engine import Engine
from yinse.workflows.say import SpeakOutputs, speak
from yinse.workflows.spoil import spoil
from yinse.workflows.transcripts import Line, cut_by_text, fitting

MANDARIN = (
    "今天天气很好，我们一起去公园散步。",
    "明天可能会下雨，所以我想待在家里看书。",
    "厨房里的水壶正在响，窗户也开着。",
    "请问去海边的下一班火车几点开？",
    "孩子们在花园里睡着了，谁也没有说话。",
    "他把沉重的箱子放下来，叹了一口气。",
)


@pytest.fixture(scope="module")
def engine(repository: Path) -> Engine:
    if not (repository / "src" / "yinse" / "assets" / "base" / "model.safetensors").is_file():
        pytest.skip("no base model is shipped yet")
    from yinse.workflows.native import load_engine

    return load_engine()


@pytest.fixture(scope="module")
def people() -> list[Voice]:
    """The built-in voices."""
    store = VoiceStore(Path("none"))
    return [entry.read() for entry in store.entries()]


Read = Callable[[Voice, tuple[str, ...]], AudioClip]


@pytest.fixture(scope="module")
def read(engine: Engine) -> Read:
    """A recording of a voice that reads lines with pauses; each line is spoken once."""
    spoken: dict[tuple[str, str], list[np.ndarray]] = {}

    def record(voice: Voice, lines: tuple[str, ...]) -> AudioClip:
        parts: list[np.ndarray] = []
        for line in lines:
            if (voice.id, line) not in spoken:
                spoken[voice.id, line] = [chunk.samples for chunk in engine.stream(SpeakRequest(line), voice)]
            parts += [*spoken[voice.id, line], np.zeros(engine.sample_rate_hz // 2, dtype=np.float32)]
        return AudioClip(np.concatenate(parts), engine.sample_rate_hz)

    return record


def no_transcriber() -> Transcriber:
    raise MissingExtra("writing down what was said", "asr")


def clone(
    folder: Path, clip: AudioClip, lines: tuple[str, ...], engine: Engine, *, tune: bool = False
) -> tuple[CloneResult, list[Event]]:
    write_audio(folder / "me.wav", clip)
    (folder / "me.txt").write_text("\n".join(lines), encoding="utf-8")
    request = CloneRequest(audio=(folder / "me.wav",), name="me", tune=tune, replace=True)
    tools = CloneTools(no_transcriber, work=folder / "work")
    events = list(clone_voice(request, engine=engine, store=VoiceStore(folder / "voices"), tools=tools))
    assert isinstance(events[-1], Finished)
    return events[-1].result, events


def warnings(events: list[Event]) -> str:
    return "\n".join(event.message for event in events if isinstance(event, Warned))


def test_built_in_voices_belong_to_the_shipped_models(engine: Engine, people: list[Voice]) -> None:
    assert len(people) >= 2
    for voice in people:
        assert voice.model_fingerprint == engine.fingerprint
        assert voice.synthetic
        assert set(voice.languages) == {"en", "zh"}


def test_a_noisy_recording_becomes_the_voice_it_is_of(
    engine: Engine, people: list[Voice], read: Read, tmp_path: Path
) -> None:
    for person, other in ((people[0], people[-1]), (people[-1], people[0])):
        result, events = clone(tmp_path, spoil(read(person, SCRIPT[:6]), snr_db=15.0), SCRIPT[:6], engine)
        assert "two people" not in warnings(events)
        assert "left out" not in warnings(events)
        assert result.transcribed == result.pieces
        outputs = SpeakOutputs(audio=tmp_path / "out.wav")
        *_, last = speak(SpeakRequest("Hello there. 你好！"), result.voice, engine=engine, outputs=outputs)
        assert isinstance(last, Finished)
        assert last.result.sentences == 2
        own, others = (
            result.voice.tensors["speaker_vector"] @ who.tensors["speaker_vector"] for who in (person, other)
        )
        assert own > others + 0.1


def test_two_people_are_noticed(engine: Engine, people: list[Voice], read: Read, tmp_path: Path) -> None:
    both = [read(person, SCRIPT[start : start + 3]).samples for start, person in ((0, people[0]), (3, people[-1]))]
    clip = AudioClip(np.concatenate(both), engine.sample_rate_hz)
    _, events = clone(tmp_path, clip, SCRIPT[:6], engine)
    assert "two people" in warnings(events)


@pytest.mark.parametrize("script", [SCRIPT[:6], MANDARIN], ids=["en", "zh"])
def test_a_wrong_line_is_found(engine: Engine, people: list[Voice], read: Read, script: tuple[str, ...]) -> None:
    clip = read(people[0], script)
    lines = [Line(text, str(number)) for number, text in enumerate(script)]
    right = cut_by_text(clip, lines, engine=engine, where="me.wav")
    assert len(right) >= 3
    assert all(fitting(right, engine=engine))
    mixed = [replace(right[0], text=right[1].text), *right[1:]]
    assert fitting(mixed, engine=engine) == [False, *[True] * (len(right) - 1)]
    wrong = [replace(piece, text=right[index - 1].text) for index, piece in enumerate(right)]
    assert sum(fitting(wrong, engine=engine)) * 2 < len(right)


def test_a_text_of_another_recording_is_refused(
    engine: Engine, people: list[Voice], read: Read, tmp_path: Path
) -> None:
    with pytest.raises(BadText, match=r"me\.txt, line 1.*not what is said"):
        clone(tmp_path, read(people[0], SCRIPT[:6]), SCRIPT[6:12], engine)


def test_the_same_seed_gives_the_same_samples(engine: Engine, people: list[Voice]) -> None:
    def say(seed: int) -> np.ndarray:
        request = SpeakRequest("One sentence, and another. 再来一句。", seed=seed)
        return np.concatenate([chunk.samples for chunk in engine.stream(request, people[0])])

    np.testing.assert_array_equal(say(1), say(1))
    assert not np.array_equal(say(1)[:10_000], say(2)[:10_000])


@pytest.mark.slow
def test_an_interrupted_tuning_ends_like_one_that_was_not(
    engine: Engine, people: list[Voice], read: Read, tmp_path: Path
) -> None:
    clip = read(people[0], SCRIPT[:8])
    whole, _ = clone(tmp_path / "whole", clip, SCRIPT[:8], engine, tune=True)
    folder = tmp_path / "broken"
    write_audio(folder / "me.wav", clip)
    (folder / "me.txt").write_text("\n".join(SCRIPT[:8]))
    request = CloneRequest(audio=(folder / "me.wav",), name="me", tune=True)
    tools = CloneTools(no_transcriber, work=folder / "work")
    events = clone_voice(request, engine=engine, store=VoiceStore(folder / "voices"), tools=tools)
    for event in events:
        if isinstance(event, Progress) and event.stage == "train" and event.done >= 40:
            events.close()  # type: ignore[attr-defined]
            break
    assert not list((folder / "voices").glob("*"))
    again, _ = clone(folder, clip, SCRIPT[:8], engine, tune=True)
    assert again.voice.figures == whole.voice.figures
    for name, values in whole.voice.tensors.items():
        np.testing.assert_array_equal(again.voice.tensors[name], values)
