"""The whole path at once, to be heard: built-in voices, then a noisy minute cleaned, cloned and speaking."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from yinse.audio.decode import decode
from yinse.audio.write import write_audio
from yinse.core.errors import InternalError
from yinse.core.events import Artifact, Event, Finished, Progress, Warned
from yinse.core.files import WholeFile
from yinse.core.types import AudioClip, FloatArray, SpeakRequest
from yinse.voices.store import VoiceStore
from yinse.voices.voice import Voice
from yinse.workflows.clone import CloneRequest, CloneResult, CloneTools, clone_voice
from yinse.workflows.engine import Engine
from yinse.workflows.picture import draw_spectrograms
from yinse.workflows.spoil import spoil

GREETINGS = {
    "en": "Hello, this is a voice that nobody was born with. It speaks English, and it speaks Mandarin.",
    "zh": "你好，这个声音不属于任何人。它会说英语，也会说普通话。",
}
SCRIPT = (
    "Good morning, I am reading a few sentences for my own voice.",
    "The kettle is humming in the kitchen and the window is open.",
    "Yesterday we walked along the harbour until the lamps were lit.",
    "My sister grows tomatoes, beans, and far too many pumpkins.",
    "Could you tell me when the next train to the coast leaves?",
    "I would rather wait for an hour than drive through this fog.",
    "He lifted the heavy box, sighed, and put it down again.",
    "What a strange noise! It must be the old clock upstairs.",
    "Three grey geese flew over the valley just before sunset.",
    "If the weather holds, the children will sleep in the garden.",
    "She thought about the question, then laughed and shook her head.",
    "Every village has a story that nobody outside would believe.",
    "The judge asked for silence, but the crowd went on cheering.",
    "We keep the spare key under the third flower pot on the left.",
    "Long before breakfast the fishermen had brought their nets in.",
    "Is it true that you have never seen the sea in winter?",
    "The recipe asks for butter, two eggs, and a pinch of salt.",
    "Nobody answered, so I left the letter on your desk.",
    "Thank you for listening; that is enough for one minute.",
)
SENTENCES = {
    "en": "I never said this sentence, and yet you can hear me say it.",
    "zh": "这句话我从来没有说过，可是你听到了我的声音。",
    "mixed": "明天下午 three o'clock，我们在 coffee shop 门口见。",
}
_NAME = "demo"
_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo made.

    Attributes:
        output: folder of all files.
        figures: seconds, decibels and similarities, by name.
        files: what to listen to and look at, by what it is.
    """

    output: Path
    figures: Mapping[str, float]
    files: Mapping[str, Path]


@dataclass(slots=True)
class _Notes:
    """Collected on the way to the report."""

    figures: dict[str, float] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def run_demo(
    recording: Path | None, *, engine: Engine, store: VoiceStore, tools: CloneTools, output: Path, tune: bool = True
) -> Iterator[Event]:
    """Speaks with a built-in voice, then cleans and clones a noisy minute and speaks with it.

    Args:
        recording: of the user, its text beside it as NAME.txt if it is known; None: a built-in voice reads one, which
            is spoiled with a fan, a room and an uneven level.
        engine: the models.
        store: holds the built-in voices; nothing is written to it.
        tools: for cloning.
        output: folder for all files.
        tune: adapt the models to the voice, if its words are known.

    Raises:
        YinseError: what cloning raises.
    """
    notes = _Notes()
    started_s = time.monotonic()
    builtin = store.get_or_default(None)
    for number, (language, text) in enumerate(GREETINGS.items()):
        yield Progress("speak with a built-in voice", number, len(GREETINGS), language)
        yield from _save(
            notes, f"built-in voice, {language}", output / f"builtin-{language}.wav", _speak(engine, builtin, text)
        )
    yield Progress("speak with a built-in voice", len(GREETINGS), len(GREETINGS))
    person: Voice | None = None
    if recording is None:
        person = store.entries()[-1].read() if store.entries()[-1].is_builtin else builtin
        recording = yield from _noisy_minute(engine, person, output, notes)
    result = yield from _clone(recording, engine=engine, tools=tools, output=output, tune=tune, notes=notes)
    cleaned = result.recordings[recording]
    yield from _save(notes, "the recording, cleaned", output / "cleaned.wav", cleaned.clip)
    picture = output / "before-after.png"
    draw_spectrograms(picture, {"recording": decode(recording), "cleaned": cleaned.clip})
    notes.files["spectrograms before and after cleaning"] = picture
    notes.figures |= {
        "signal-to-noise ratio before cleaning, dB": cleaned.report_before.snr_db,
        "signal-to-noise ratio after cleaning, dB": cleaned.report_after.snr_db,
        **{name.replace("_", " "): value for name, value in result.voice.figures.items() if "/" not in name},
    }
    heard: list[AudioClip] = []
    for number, (language, text) in enumerate(SENTENCES.items()):
        yield Progress("speak with the new voice", number, len(SENTENCES), language)
        heard.append(_speak(engine, result.voice, text))
        yield from _save(notes, f"new voice, {language}", output / f"new-{language}.wav", heard[-1])
    yield Progress("speak with the new voice", len(SENTENCES), len(SENTENCES))
    spoken = engine.speaker_vectors(heard)
    notes.figures["similarity to the person recorded"] = _alike(
        spoken, (person or result.voice).tensors["speaker_vector"]
    )
    others = [e.read() for e in store.entries() if e.is_builtin and (person is None or e.card.id != person.id)]
    if others:
        alike = [_alike(spoken, other.tensors["speaker_vector"]) for other in others]
        notes.figures["similarity to other voices, mean"] = float(np.mean(alike))
    notes.figures["the whole demo, seconds"] = time.monotonic() - started_s
    report = output / "report.md"
    with WholeFile(report) as file:
        file.write(_report(notes, output, result).encode())
    yield Artifact("report", str(report))
    yield Finished(DemoResult(output, notes.figures, {**notes.files, "report": report}))


def _speak(engine: Engine, voice: Voice, text: str) -> AudioClip:
    chunks = list(engine.stream(SpeakRequest(text), voice))
    return AudioClip(np.concatenate([chunk.samples for chunk in chunks]), chunks[0].sample_rate_hz)


def _alike(vectors: list[FloatArray], vector: FloatArray) -> float:
    return float(np.mean([np.dot(one, vector) / np.linalg.norm(vector) for one in vectors]))


def _save(notes: _Notes, what: str, path: Path, clip: AudioClip) -> Iterator[Event]:
    write_audio(path, clip)
    notes.files[what] = path
    yield Artifact("audio", str(path))


def _noisy_minute(engine: Engine, person: Voice, output: Path, notes: _Notes) -> Generator[Event, None, Path]:
    """A built-in voice reads the script at home; the text lies beside the recording."""
    parts: list[FloatArray] = []
    for number, line in enumerate(SCRIPT):
        yield Progress("record a noisy minute", number, len(SCRIPT))
        pause = np.zeros(round(_PAUSE_S * engine.sample_rate_hz), dtype=np.float32)
        parts += [_speak(engine, person, line).samples, pause]
    yield Progress("record a noisy minute", len(SCRIPT), len(SCRIPT))
    path = output / "recording.wav"
    noisy = spoil(AudioClip(np.concatenate(parts), engine.sample_rate_hz))
    yield from _save(notes, "the recording, with fan, room and uneven level", path, noisy)
    with WholeFile(path.with_suffix(".txt")) as file:
        file.write("\n".join(SCRIPT).encode())
    return path


def _clone(
    recording: Path, *, engine: Engine, tools: CloneTools, output: Path, tune: bool, notes: _Notes
) -> Generator[Event, None, CloneResult]:
    """The voice of a recording, kept in the output folder rather than among the user's voices."""
    request = CloneRequest(audio=(recording,), name=_NAME, tune=None if tune else False, replace=True)
    started_s = time.monotonic()
    for event in clone_voice(request, engine=engine, store=VoiceStore(output / "voices"), tools=tools):
        if isinstance(event, Finished):
            notes.figures["cleaning, cloning and tuning, seconds"] = time.monotonic() - started_s
            result: CloneResult = event.result
            notes.files["the new voice"] = result.path
            return result
        if isinstance(event, Warned):
            notes.warnings.append(f"{event.where}: {event.message}" if event.where else event.message)
        yield event
    raise InternalError("cloning ended without a result")


def _report(notes: _Notes, output: Path, result: CloneResult) -> str:
    how = "tuned on" if result.voice.is_tuned else "cloned at once from"
    lines = [
        "# Yinse demo",
        "",
        f"A voice {how} {result.speech_s:.0f} s of speech in {result.pieces} utterances, taken from a recording that",
        f"was cleaned first ({', '.join(step.name for one in result.recordings.values() for step in one.steps)}).",
        "",
        "| figure | value |",
        "|---|---|",
        *(f"| {name} | {value:.2f} |" for name, value in notes.figures.items()),
        "",
        *(f"- {what}: [{path.relative_to(output)}]({path.relative_to(output)})" for what, path in notes.files.items()),
        "",
        "![spectrograms](before-after.png)",
        "",
        "Said by the new voice: " + " / ".join(SENTENCES.values()),
    ]
    if notes.warnings:
        lines += ["", "Warnings:", "", *(f"- {warning}" for warning in notes.warnings)]
    return "\n".join(lines) + "\n"
