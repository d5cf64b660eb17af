"""From a person's recordings to a voice that can be spoken with."""

from __future__ import annotations

import hashlib
import itertools
import shutil
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from yinse.audio.decode import decode
from yinse.audio.frontend import CleanedRecording, clean
from yinse.audio.slicing import slice_utterances
from yinse.core.errors import BadAudio, MissingExtra, Offline, QualityGateError
from yinse.core.events import Artifact, Event, Finished, Progress, Warned, relay
from yinse.core.home import home
from yinse.corpus.transcriber import Transcriber
from yinse.text.phonemes import phonemize
from yinse.voices.store import VoiceStore
from yinse.voices.voice import Voice
from yinse.workflows.engine import Engine, Tuning
from yinse.workflows.recordings import find_recordings
from yinse.workflows.speakers import two_speakers
from yinse.workflows.transcripts import Line, Piece, cut_by_text, find_transcripts, mostly_fitting, speakable

_SHORTEST_TUNED_S = 15.0
_HINT = "Give what was said with --text, or install the recogniser: pip install 'yinse[asr]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneRequest:
    """What to make a voice of.

    Attributes:
        audio: recordings, or folders of recordings, of one person.
        name: of the voice.
        text: transcripts, see `find_transcripts`.
        language: "zh", "en", or None to tell by the transcripts.
        tune: adapt the models too, where it is not known what was said by the sound alone; None: if it is known.
        replace: an older voice of this name gives way.
        licence: under which the voice may be used.
    """

    audio: tuple[Path, ...]
    name: str
    text: Path | None = None
    language: str | None = None
    tune: bool | None = None
    replace: bool = False
    licence: str = "private"


@dataclass(frozen=True, slots=True)
class CloneTools:
    """What cloning needs besides the engine; tests put their own in.

    Attributes:
        transcriber: makes the recogniser, when a transcript is missing; raises MissingExtra or Offline without one.
        new_id: makes the id of the voice.
        now: tells the time.
        work: folder of what an interrupted tuning goes on with; None: under `YINSE_HOME`.
    """

    transcriber: Callable[[], Transcriber]
    new_id: Callable[[], str] = field(default=lambda: uuid.uuid4().hex)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    work: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CloneResult:
    """A voice and how it came about.

    Attributes:
        voice: as it was saved.
        path: its bundle.
        recordings: what cleaning did to each recording that was used.
        pieces: number of utterances.
        speech_s: their length.
        transcribed: number of utterances of which the text was known and fitted.
        warnings: everything that was warned about.
    """

    voice: Voice
    path: Path
    recordings: Mapping[Path, CleanedRecording]
    pieces: int
    speech_s: float
    transcribed: int
    warnings: tuple[str, ...] = ()


def clone_voice(request: CloneRequest, *, engine: Engine, store: VoiceStore, tools: CloneTools) -> Iterator[Event]:
    """Makes a voice: clean, cut, transcribe, measure, tune, save. The last event holds a `CloneResult`.

    Interrupted while tuning, the same request goes on where it was; nothing is saved before everything is done.

    Args:
        request: recordings and options.
        engine: the models.
        store: where the voice is saved.
        tools: recogniser, clock and folders.

    Raises:
        BadAudio: a recording cannot be decoded or holds no speech.
        QualityGateError: no recording is good enough.
        BadText: the transcripts do not belong to the recordings; the message says which line.
        VoiceError: the name is taken.
    """
    warnings: list[str] = []
    for event in _steps(request, engine=engine, store=store, tools=tools):
        if isinstance(event, Warned):
            warnings.append(f"{event.where}: {event.message}" if event.where else event.message)
        yield Finished(replace(event.result, warnings=tuple(warnings))) if isinstance(event, Finished) else event


def _steps(request: CloneRequest, *, engine: Engine, store: VoiceStore, tools: CloneTools) -> Iterator[Event]:
    store.check_free(request.name, replace=request.replace)
    recordings = find_recordings(request.audio)
    texts = dict(zip(recordings, find_transcripts(recordings, request.text), strict=True))
    cleaned = yield from _clean_all(recordings)
    transcriber = yield from _find_transcriber([texts[path] for path in cleaned], request, tools)
    pieces = yield from _cut_all(cleaned, texts, request, engine=engine, transcriber=transcriber)
    pieces = yield from _without_misfits(pieces, engine=engine)
    yield from _check_speakers(pieces, engine=engine)
    yield Progress("measure the voice", 0, 1)
    enrolment = engine.enroll(
        [piece.clip for piece in pieces], transcripts=[piece.text for piece in pieces], language=request.language
    )
    yield from (Warned(message) for message in enrolment.warnings)
    voice = Voice(
        id=tools.new_id(),
        name=request.name,
        languages=_languages(pieces, request.language),
        tensors=enrolment.tensors,
        bandwidth_hz=enrolment.bandwidth_hz,
        model_fingerprint=engine.fingerprint,
        licence=request.licence,
        created=tools.now().isoformat(timespec="seconds"),
        synthetic=False,
    )
    yield Progress("measure the voice", 1, 1)
    known = [piece for piece in pieces if piece.text]
    learned = known or (pieces if request.tune else [])
    learned_s = sum(piece.clip.duration_s for piece in learned)
    work = (tools.work or home() / "work") / _work_key(texts, request, engine)
    if learned and (request.tune or (request.tune is None and engine.can_tune)):
        if learned_s < _SHORTEST_TUNED_S:
            what = "speech with its text" if known else "speech"
            yield Warned(f"the models are not tuned: {learned_s:.0f} s of {what} are too few")
        else:
            clips, said = [piece.clip for piece in learned], [piece.text or "" for piece in known] or None
            tuning: Tuning = yield from relay(engine.tune(voice, clips, said, folder=work))
            voice = replace(voice, tensors={**voice.tensors, **tuning.tensors}, figures=tuning.figures)
    path = store.save(voice, replace=request.replace)
    shutil.rmtree(work, ignore_errors=True)
    yield Artifact("voice", str(path))
    speech_s = sum(piece.clip.duration_s for piece in pieces)
    yield Finished(CloneResult(voice, path, cleaned, len(pieces), speech_s, len(known)))


def _clean_all(recordings: Sequence[Path]) -> Generator[Event, None, dict[Path, CleanedRecording]]:
    """Cleans the recordings that are good enough."""
    cleaned: dict[Path, CleanedRecording] = {}
    refused: list[QualityGateError] = []
    for index, path in enumerate(recordings):
        yield Progress("clean", index, len(recordings), path.name)
        try:
            recording = clean(decode(path), where=path.name)
        except QualityGateError as error:
            refused.append(error)
            continue
        cleaned[path] = recording
        report = recording.report_before
        if report.verdict == "warned":
            yield Warned(f"{'; '.join(report.reasons)}. {report.advice}", path.name)
    yield Progress("clean", len(recordings), len(recordings))
    if not cleaned:
        raise refused[0]
    for refusal in refused:
        yield Warned(f"{refusal.what}: left out", refusal.where)
    return cleaned


def _find_transcriber(
    texts: Sequence[Sequence[Line]], request: CloneRequest, tools: CloneTools
) -> Generator[Event, None, Transcriber | None]:
    """The recogniser, where a transcript is missing and would be of use."""
    if request.tune is False or all(texts):
        return None
    try:
        return tools.transcriber()
    except (MissingExtra, Offline) as error:
        if not any(texts):
            unknown = f"it is not known what was said ({error.what})"
            yield Warned(
                f"{unknown}: the voice learns how the person sounds, not how they read. {_HINT}"
                if request.tune
                else f"the models are not tuned, for {unknown}. {_HINT}, or tune by the sound alone: --tune"
            )
        return None


def _cut_all(
    cleaned: Mapping[Path, CleanedRecording],
    texts: Mapping[Path, tuple[Line, ...]],
    request: CloneRequest,
    *,
    engine: Engine,
    transcriber: Transcriber | None,
) -> Generator[Event, None, list[Piece]]:
    """Cuts recordings into utterances with their texts, as far as these are known."""
    pieces: list[Piece] = []
    for path, recording in cleaned.items():
        if texts[path]:
            pieces += cut_by_text(recording.clip, texts[path], engine=engine, where=path.name)
            continue
        slices = slice_utterances(recording.clip)
        for index, part in enumerate(slices):
            text = None
            if transcriber is not None:
                yield Progress("listen", index, len(slices), path.name)
                text = speakable(transcriber.transcribe(part.clip, language=request.language))
            pieces.append(Piece(part.clip, text, f"{path.name} at {part.segment.start_s:.1f} s"))
    if not pieces:
        raise BadAudio("no utterance could be cut out of the recordings", advice="Record a few sentences.")
    return pieces


def _without_misfits(pieces: Sequence[Piece], *, engine: Engine) -> Generator[Event, None, list[Piece]]:
    """Drops texts that are not what was said, and says which; when that is most of them, something is mixed up."""
    yield Progress("compare with the text", 0, 1)
    fits = mostly_fitting(pieces, engine=engine, advice="Check that each line belongs to its recording.")
    for piece, fit in zip(pieces, fits, strict=True):
        if not fit:
            yield Warned(f"'{(piece.text or '')[:60]}' is not what is said there: this text is left out", piece.where)
    yield Progress("compare with the text", 1, 1)
    return [piece if fit else replace(piece, text=None) for piece, fit in zip(pieces, fits, strict=True)]


def _check_speakers(pieces: Sequence[Piece], *, engine: Engine) -> Iterator[Event]:
    vectors = engine.speaker_vectors([piece.clip for piece in pieces])
    second = two_speakers(vectors, [piece.clip.duration_s for piece in pieces])
    if second:
        yield Warned(
            "there seem to be two people in the recordings: the voice will be a mixture. "
            f"The second one speaks in {', '.join(pieces[i].where for i in second[:5])}"
        )


def _languages(pieces: Sequence[Piece], language: str | None) -> tuple[str, ...]:
    if language is not None:
        return (language,)
    read = itertools.chain.from_iterable(phonemize(piece.text).word_languages for piece in pieces if piece.text)
    return tuple(sorted({each for each in read if each}))


def _work_key(texts: Mapping[Path, Sequence[Line]], request: CloneRequest, engine: Engine) -> str:
    """The same recordings, texts and models give the same key."""
    digest = hashlib.sha256(f"{engine.fingerprint}\n{request.language}\n".encode())
    for path, lines in texts.items():
        digest.update(hashlib.sha256(path.read_bytes()).digest())
        digest.update("\n".join(line.text for line in lines).encode())
    return digest.hexdigest()[:32]
