"""Measuring the models on people whom they have never heard: `yinse eval`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from yinse import __version__
from yinse.audio.decode import decode
from yinse.audio.measure import fill_unvoiced
from yinse.core.errors import BadAudio, BadText, ConfigError, InternalError, MissingExtra, UnknownName
from yinse.core.events import Artifact, Event, Finished, Progress, Warned
from yinse.core.files import WholeFile
from yinse.core.types import AudioClip, SpeakRequest
from yinse.corpus.transcriber import Transcriber
from yinse.evaluate.harness import Item, Judges, Speak, run_tasks
from yinse.evaluate.kokoro import PEER, Kokoro, KokoroConfig
from yinse.evaluate.misheard import ErrorCount
from yinse.evaluate.page import Report, write_report
from yinse.evaluate.plan import (
    AT_ONCE,
    COPY,
    CROSS,
    REAL,
    TUNED,
    Person,
    PlanConfig,
    Task,
    make_peer_tasks,
    make_tasks,
    read_people,
)
from yinse.evaluate.requirements import Requirement, check_requirements
from yinse.evaluate.speaker_judge import mean_vector
from yinse.evaluate.spectral_judge import SpectralJudge
from yinse.evaluate.stress import lost_and_added, stress_tasks
from yinse.evaluate.summary import References, summarise
from yinse.voices.store import VoiceStore
from yinse.voices.voice import Voice
from yinse.workflows.clone import CloneRequest, CloneTools, clone_voice
from yinse.workflows.engine import Engine

STRESS = "yinse"
CONDITIONS = (COPY, AT_ONCE, TUNED)
_CLONED = (AT_ONCE, TUNED)
_LONGEST_TUNING_S = 120.0

Copier = Callable[[AudioClip], AudioClip]
"""Takes a recording apart and puts it together again: what is lost is the vocoder's part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequest:
    """What to measure.

    Attributes:
        output: folder for clips, judgements and the report; killed and run again, it goes on from there.
        data: folder with `splits.json` and the recordings; None: stress sentences only.
        conditions: of `CONDITIONS`.
        plan: which people and how many sentences.
        peer: where Kokoro lies; None: no peer.
        stress: speak the stress sentences too.
        stress_sentences: per language, see `stress_sentences`; None: the written ones.
        stress_voice: whose voice speaks them; None: the first built-in one.
        seed: of the speech.
        reuse: folders of earlier evaluations whose judgements of the same clips are taken over.

    Raises:
        ConfigError: nothing to do, or an unknown condition.
    """

    output: Path
    data: Path | None = None
    conditions: tuple[str, ...] = (AT_ONCE, TUNED)
    plan: PlanConfig = PlanConfig()
    peer: KokoroConfig | None = None
    stress: bool = False
    stress_sentences: int | None = None
    stress_voice: str | None = None
    seed: int = 1
    reuse: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        for condition in self.conditions:
            if condition not in CONDITIONS:
                raise UnknownName("condition", condition, CONDITIONS)
        if self.data is None and not self.stress:
            raise ConfigError("there is nothing to evaluate", advice="Give speech data with --data, or --stress.")


def evaluate(
    request: EvaluationRequest, *, engine: Engine, judges: Judges, copier: Copier | None = None
) -> Iterator[Event]:
    """Clones people, speaks what they recorded elsewhere, judges both. The last event holds a `Report`.

    Args:
        request: what to measure.
        engine: the models.
        judges: who judges.
        copier: for the condition "copy".

    Raises:
        ConfigError: the data or the peer is not where it should be, or there is no copier for "copy".
        ResourceError: the folder cannot be written.
    """
    if COPY in request.conditions and copier is None:
        raise ConfigError("copy synthesis is not possible here", advice="Leave the condition 'copy' out.")
    notes: list[str] = []
    report: Report | None = None
    for event in _steps(request, engine=engine, judges=judges, copier=copier):
        if isinstance(event, Warned):
            notes.append(f"{event.where}: {event.message}" if event.where else event.message)
        if isinstance(event, Finished):
            report = replace(event.result, notes=tuple(notes))
            break
        yield event
    if report is None:
        raise InternalError("the evaluation ended without a result")
    for path in write_report(report, request.output):
        yield Artifact("report", str(path))
    yield Finished(report)


def _steps(request: EvaluationRequest, *, engine: Engine, judges: Judges, copier: Copier | None) -> Iterator[Event]:
    people = read_people(request.data, request.plan) if request.data is not None else []
    references = yield from _listen_to_references(people, judges)
    voices: dict[tuple[str, str], Voice] = {}
    tuning_s: dict[str, float] = {}
    wanted = [(person, condition) for person in people for condition in _CLONED if condition in request.conditions]
    for number, (person, condition) in enumerate(wanted):
        yield Progress("clone", number, len(wanted), f"{person.id} {condition}")
        voice, took_s = yield from _clone(person, condition, request, engine=engine)
        voices[person.id, condition] = voice
        if voice.is_tuned:
            tuning_s[person.id] = took_s
    if wanted:
        yield Progress("clone", len(wanted), len(wanted))
    stress_voice = VoiceStore().get_or_default(request.stress_voice) if request.stress else None
    with ExitStack() as stack:
        kokoro = None
        if request.peer is not None:
            try:
                kokoro = stack.enter_context(Kokoro(request.peer))
            except ConfigError as error:
                yield Warned(f"the peer's rows are left out: {error}")
        speak = _speaker(voices, stress_voice, people, request, engine=engine, kokoro=kokoro, copier=copier)
        makers = _makers(request, engine)
        items: list[Item] = []
        if people:
            tasks = make_tasks(people, request.conditions, request.plan)
            # A copy of a recording is in the language of the recording.
            tasks = [task for task in tasks if task.condition != COPY + CROSS]
            tasks += make_peer_tasks(people, PEER) if kokoro else []
            items = yield from _result_of(
                run_tasks(
                    tasks,
                    speak=speak,
                    makers=makers,
                    judges=judges,
                    folder=request.output,
                    detail=SpectralJudge().measure,
                    reuse=request.reuse,
                )
            )
        stress: Mapping[str, Mapping[str, ErrorCount]] = {}
        if request.stress:
            stressed = yield from _result_of(
                run_tasks(
                    stress_tasks([STRESS, *([PEER] if kokoro else [])], count=request.stress_sentences),
                    speak=speak,
                    makers=makers,
                    judges=Judges(judges.recogniser),
                    folder=request.output,
                    reuse=request.reuse,
                )
            )
            stress = lost_and_added(stressed)
            items += [item for item in stressed if item.errors.deletions or item.errors.insertions]
    rows = summarise([item for item in items if item.task.speaker != "stress"], references)
    requirements = check_requirements(rows, stress, peer=PEER, reference_s=request.plan.reference_s)
    if tuning_s:
        slowest_s = max(tuning_s.values())
        requirements.append(Requirement("tuning on one minute, all in, seconds", slowest_s, _LONGEST_TUNING_S, True))
    config = _config(request, engine, tuning_s)
    yield Finished(Report(config=config, rows=rows, requirements=requirements, items=items, stress=stress))


def _result_of(events: Iterator[Event]) -> Generator[Event, None, Any]:
    """Passes the events on and returns the result of the last."""
    for event in events:
        if isinstance(event, Finished):
            return event.result
        yield event
    raise InternalError("a use case ended without a result")


def _makers(request: EvaluationRequest, engine: Engine) -> dict[str, str]:
    """What makes the clips of each condition: when that changes, they are made anew."""
    own = f"{engine.fingerprint} seed {request.seed}"
    makers = {REAL: "recording", PEER: "Kokoro-82M int8", STRESS: f"{own} {request.stress_voice}"}
    for condition in CONDITIONS:
        makers |= {condition: own, condition + CROSS: own}
    return makers


def _config(request: EvaluationRequest, engine: Engine, tuning_s: Mapping[str, float]) -> dict[str, Any]:
    return {
        "yinse": __version__,
        "models": engine.fingerprint,
        "seed": request.seed,
        "conditions": list(request.conditions),
        "plan": asdict(request.plan) | {"packs": list(request.plan.packs)},
        "stress_sentences": request.stress_sentences if request.stress else 0,
        "tuning_s": {person: round(value, 1) for person, value in tuning_s.items()},
    }


def _listen_to_references(people: Sequence[Person], judges: Judges) -> Generator[Event, None, References]:
    """What the judges think of each person's minute."""
    vectors, details = {}, {}
    spectral = SpectralJudge()
    for number, person in enumerate(people):
        yield Progress("listen to the references", number, len(people), person.id)
        clips = [decode(one.path) for one in person.reference]
        if judges.speaker is not None:
            vectors[person.id] = mean_vector(judges.speaker, clips)
        measured = []
        for clip in clips:
            try:
                measured.append(spectral.measure(clip))
            except BadAudio:  # a word too short to measure
                continue
        if measured:
            details[person.id] = np.mean(measured, axis=0)
    return References(people, vectors, details)


def _clone(
    person: Person, condition: str, request: EvaluationRequest, *, engine: Engine
) -> Generator[Event, None, tuple[Voice, float]]:
    """The voice of a person, and how long it took: made by `clone_voice`, as a user would, once for each condition."""
    folder, name = request.output / "voices", f"{person.id} {condition}"
    # Built-in voices play no part: a folder of clips holds none.
    store = VoiceStore(folder, builtin=folder / "none")
    timing = folder / f"{name}.json"
    old = next((entry for entry in store.entries() if entry.card.name == name), None)
    if old is not None and timing.is_file():
        voice = old.read()
        if voice.model_fingerprint == engine.fingerprint:
            return voice, json.loads(timing.read_text(encoding="utf-8"))["took_s"]
    listing = folder / f"{person.id}.tsv"
    with WholeFile(listing) as file:
        file.write("".join(f"{one.path.name}\t{one.text}\n" for one in person.reference).encode())
    clone_request = CloneRequest(
        audio=tuple(one.path for one in person.reference),
        name=name,
        text=listing,
        language=person.language,
        tune=condition == TUNED,
        replace=True,
    )
    tools = CloneTools(_no_transcriber, work=folder / "work")
    started_s = time.monotonic()
    for event in clone_voice(clone_request, engine=engine, store=store, tools=tools):
        if isinstance(event, Finished):
            took_s = time.monotonic() - started_s
            with WholeFile(timing) as file:
                file.write(json.dumps({"took_s": took_s}).encode())
            return event.result.voice, took_s
        if isinstance(event, Warned):
            yield Warned(event.message, where=f"{name} {event.where or ''}".strip())
    raise InternalError("cloning ended without a result")


def _no_transcriber() -> Transcriber:
    raise MissingExtra("writing down what was said", "asr")


def _speaker(
    voices: Mapping[tuple[str, str], Voice],
    stress_voice: Voice | None,
    people: Sequence[Person],
    request: EvaluationRequest,
    *,
    engine: Engine,
    kokoro: Kokoro | None,
    copier: Copier | None,
) -> Speak:
    """How each condition makes its clips."""
    recordings = {one.id: one.path for person in people for one in person.sentences}

    def speak(task: Task) -> AudioClip:
        condition = task.condition.removesuffix(CROSS)
        if condition == PEER and kokoro is not None:
            return kokoro.speak(task.text, language=task.language)[0]
        if condition == COPY and copier is not None:
            return copier(decode(recordings[task.sentence]))
        voice = stress_voice if condition == STRESS else voices.get((task.speaker, condition))
        if voice is None:
            raise InternalError(f"nobody speaks '{task.key}'")
        if condition == TUNED and not voice.is_tuned:
            raise BadText("the voice could not be tuned")
        chunks = list(engine.stream(SpeakRequest(task.text, language=task.language, seed=request.seed), voice))
        return AudioClip(np.concatenate([chunk.samples for chunk in chunks]), engine.sample_rate_hz)

    return speak


def native_copier(folder: Path | None = None, *, seed: int = 1) -> Copier:
    """Copy synthesis by the native models: a recording to mel and melody, and back through the vocoder.

    Args:
        folder: of the models; None: those that come with the package.
        seed: of the noise.
    """
    import torch

    from yinse.models.analysis import analyse
    from yinse.models.spectrogram import LogMel
    from yinse.weights.native import load_native

    models = load_native(folder)
    log_mel = LogMel(models.config.spectrogram)

    def copy(clip: AudioClip) -> AudioClip:
        seen = analyse(clip, log_mel)
        with torch.inference_mode():
            samples = models.vocoder(
                torch.from_numpy(seen.mel.T.copy())[None],
                torch.from_numpy(fill_unvoiced(seen.log_f0))[None],
                torch.from_numpy((seen.log_f0 > 0).astype(np.float32))[None],
                generator=torch.Generator().manual_seed(seed),
            )
        return AudioClip(samples[0].numpy(), models.config.spectrogram.sample_rate_hz)

    return copy
