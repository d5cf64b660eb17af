"""From folders of recordings to a corpus: cleaned, cut, levelled utterances with a manifest."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yinse.audio.options import PREPARATION, CleaningOptions
from yinse.audio.slicing import Candidate, choose_best
from yinse.core.errors import BadAudio, ConfigError
from yinse.core.events import Artifact, Event, Finished, Progress, Warned
from yinse.core.files import WholeFile
from yinse.core.home import home
from yinse.corpus.manifest import AUDIO_FOLDER, Source, UtteranceRecord, write_list, write_ljspeech, write_manifest
from yinse.workflows.batch import Crashed, run_all
from yinse.workflows.cache import RESULT, ResultCache
from yinse.workflows.prepared import PrepJob, failure, prepare_one, result_key
from yinse.workflows.recordings import find_recordings
from yinse.workflows.second_speaker import ADVICE
from yinse.workflows.transcripts import find_transcripts

EXPORTS = ("list", "ljspeech")
_CACHE_BYTES = 20 << 30
_READ_BYTES = 1 << 20
_FIGURES = ("snr_db", "snr_before_db", "held_tones", "loudness_lufs", "place")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepRequest:
    """What to prepare.

    Attributes:
        audio: recordings, or folders of recordings, searched to any depth.
        output: folder of the corpus.
        options: how recordings are cleaned and cut.
        jobs: processes.
        speaker: who speaks; None: the name of the folder of each recording.
        language: "zh", "en" or "" if it is not known.
        text: transcripts, see `find_transcripts`.
        best_s: if given, only the cleanest utterances up to this length in all.
        exports: further lists wanted, of `EXPORTS`.
        cache: where results are kept for the next time; None: under `YINSE_HOME`.
        keep: whether results are kept for the next time.
    """

    audio: tuple[Path, ...]
    output: Path
    options: CleaningOptions = PREPARATION
    jobs: int = 1
    speaker: str | None = None
    language: str = ""
    text: Path | None = None
    best_s: float | None = None
    exports: tuple[str, ...] = ()
    cache: Path | None = None
    keep: bool = True

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise ConfigError(f"{self.jobs} processes cannot work", advice="Use --jobs 1 or more.")
        if self.best_s is not None and self.best_s <= 0.0:
            raise ConfigError(f"{self.best_s:g} s are nothing", advice="Use --best 30, for instance.")
        for export in self.exports:
            if export not in EXPORTS:
                raise ConfigError(f"there is no list of the kind '{export}'", advice=f"Use {' or '.join(EXPORTS)}.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a recording.

    Attributes:
        path: the recording.
        status: "accepted" as it was, "repaired" (noise or clicks were taken out), "refused", or "unreadable".
        utterances: how many were cut out of it.
        speech_s: their length.
        reasons: why it was refused or is to be used with care.
        advice: what to do about it.
        left_out: stretches of speech, start and end in seconds, of which no utterance was made.
        was_known: whether the result was kept from an earlier run.
    """

    path: Path
    status: str
    utterances: int = 0
    speech_s: float = 0.0
    reasons: tuple[str, ...] = ()
    advice: str = ""
    left_out: tuple[tuple[float, float], ...] = ()
    was_known: bool = False


@dataclass(frozen=True, slots=True)
class PrepResult:
    """A corpus and how it came about.

    Attributes:
        folder: of the corpus.
        utterances: how many.
        speech_s: their length.
        counts: recordings by status.
        outcomes: one per recording, in order.
        unchosen: utterances that `best_s` left out.
    """

    folder: Path
    utterances: int
    speech_s: float
    counts: Mapping[str, int]
    outcomes: tuple[Outcome, ...] = field(default=())
    unchosen: int = 0


@dataclass(frozen=True, slots=True)
class _Done:
    """A recording with its result: `result.json` of the cache, and the folder that it lies in."""

    path: Path
    sha256: str
    entry: Path
    result: dict[str, Any]
    was_known: bool


def prepare_corpus(request: PrepRequest) -> Iterator[Event]:
    """Makes a corpus; the last event holds a `PrepResult`.

    Killed and run again, it goes on where it was: what was done is found by the bytes of the recording and the
    options. The same recordings and options give the same bytes.

    Args:
        request: recordings and options.

    Raises:
        BadAudio: a path does not exist, or a folder holds no audio.
        BadText: the transcripts do not belong to the recordings.
        MissingExtra: the denoiser's package is not installed.
        ResourceError: the corpus or the cache cannot be written.
    """
    recordings = find_recordings(request.audio, deep=True)
    texts = find_transcripts(recordings, request.text)
    cache = ResultCache(_cache_folder(request))
    cache.sweep()
    done: list[_Done] = yield from _all_done(recordings, request, cache)
    records: list[tuple[UtteranceRecord, Path]] = []
    for one, lines, name in zip(done, texts, _names(recordings), strict=True):
        pieces = one.result["utterances"]
        yield from _warnings(one)
        if lines and len(pieces) > 1:
            yield Warned("it was cut in several utterances: its text is left out", str(one.path))
        text = " ".join(line.text for line in lines) if len(pieces) == 1 else ""
        records += [(_record(one, piece, name=name, text=text, request=request), one.entry) for piece in pieces]
    chosen = records
    if request.best_s is not None:
        places = choose_best([_candidate(record) for record, _ in records], wanted_s=request.best_s)
        chosen = [records[place] for place in places]
    for record, entry in chosen:
        _copy(entry / f"{record.id.rpartition('_')[2]}.wav", request.output / record.audio)
    kept = [record for record, _ in chosen]
    yield from _write_lists(kept, request)
    cache.sweep()  # processes of a killed run may have outlived it for a moment
    if request.keep:
        cache.prune(_CACHE_BYTES)
    else:
        shutil.rmtree(cache.folder, ignore_errors=True)
    outcomes = tuple(_outcome(one) for one in done)
    yield Finished(
        PrepResult(
            folder=request.output,
            utterances=len(kept),
            speech_s=sum(record.duration_s for record in kept),
            counts=dict(Counter(outcome.status for outcome in outcomes)),
            outcomes=outcomes,
            unchosen=len(records) - len(kept),
        )
    )


def _all_done(
    recordings: Sequence[Path], request: PrepRequest, cache: ResultCache
) -> Generator[Event, None, list[_Done]]:
    """The results of all recordings, those that are known already and the others."""
    found: dict[int, tuple[str, Path]] = {}
    jobs: dict[int, PrepJob] = {}
    for place, path in enumerate(recordings):
        sha256 = _sha256(path)
        key = result_key(sha256, request.options)
        entry = cache.find(key)
        if entry is None:
            jobs[place] = PrepJob(path, sha256, key, request.options, cache.folder)
        else:
            found[place] = (sha256, entry)
    known, total, started_s = set(found), len(recordings), time.monotonic()
    yield Progress("prepare", len(known), total)
    crashed: dict[int, Crashed] = {}
    places = list(jobs)
    for number, (index, entry_or_crash) in enumerate(run_all(prepare_one, list(jobs.values()), jobs=request.jobs), 1):
        place = places[index]
        if isinstance(entry_or_crash, Crashed):
            crashed[place] = entry_or_crash
        else:
            found[place] = (jobs[place].sha256, entry_or_crash)
        left_s = (time.monotonic() - started_s) / number * (len(jobs) - number)
        yield Progress("prepare", len(known) + number, total, f"{_clock(left_s)} left")
    done = []
    for place, path in enumerate(recordings):
        if place in crashed:
            lost = failure("unreadable", f"a bug met it ({crashed[place]})", "Please report it; export it anew.")
            done.append(_Done(path, jobs[place].sha256, cache.folder, lost, was_known=False))
        else:
            sha256, entry = found[place]
            result = json.loads((entry / RESULT).read_text(encoding="utf-8"))
            done.append(_Done(path, sha256, entry, result, was_known=place in known))
    return done


def _write_lists(kept: Sequence[UtteranceRecord], request: PrepRequest) -> Iterator[Event]:
    if not kept:
        return
    yield Artifact("manifest", str(write_manifest(request.output, kept)))
    if "list" in request.exports:
        yield Artifact("list", str(write_list(request.output / "corpus.list", kept)))
    if "ljspeech" in request.exports:
        yield Artifact("LJSpeech", str(write_ljspeech(request.output, kept)))


def _cache_folder(request: PrepRequest) -> Path:
    if not request.keep:
        return request.output / ".unfinished"
    return request.cache or home() / "cache" / "prep"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_READ_BYTES):
                digest.update(block)
    except OSError as error:
        raise BadAudio(f"the file cannot be read ({error.strerror})", where=str(path)) from error
    return digest.hexdigest()


def _record(one: _Done, piece: dict[str, Any], *, name: str, text: str, request: PrepRequest) -> UtteranceRecord:
    identity = f"{name}_{piece['file'].removesuffix('.wav')}"
    return UtteranceRecord(
        id=identity,
        audio=f"{AUDIO_FOLDER}/{identity}.wav",
        duration_s=piece["duration_s"],
        sample_rate_hz=piece["sample_rate_hz"],
        speaker=request.speaker or one.path.resolve().parent.name,
        language=request.language,
        text=text,
        source=Source(path=str(one.path), sha256=one.sha256, start_s=piece["start_s"], end_s=piece["end_s"]),
        quality={name: piece[name] for name in _FIGURES},
        journal=[*one.result["journal"], *piece["journal"]],
    )


def _candidate(record: UtteranceRecord) -> Candidate:
    quality = record.quality
    return Candidate(record.duration_s, quality["snr_before_db"], quality["held_tones"], quality["place"])


def _warnings(one: _Done) -> Iterator[Event]:
    result = one.result
    if result["status"] in ("refused", "unreadable"):
        yield Warned(f"{result['status']}: {'; '.join(result['reasons'])}. {result['advice']}".strip(), str(one.path))
    if any(piece["second_speaker"] for piece in result["utterances"]):
        yield Warned(f"{result['reasons'][-1]}. {ADVICE}", str(one.path))
    for start_s, end_s in result["left_out"]:
        yield Warned(f"no utterance could be made of the speech from {start_s:.1f} to {end_s:.1f} s", str(one.path))


def _outcome(one: _Done) -> Outcome:
    result = one.result
    return Outcome(
        path=one.path,
        status=result["status"],
        utterances=len(result["utterances"]),
        speech_s=sum(piece["duration_s"] for piece in result["utterances"]),
        reasons=tuple(result["reasons"]),
        advice=result["advice"],
        left_out=tuple((start_s, end_s) for start_s, end_s in result["left_out"]),
        was_known=one.was_known,
    )


def _names(recordings: Sequence[Path]) -> list[str]:
    """A short name for each recording: its own, with a piece of a hash where two folders hold the same name."""
    stems = Counter(path.stem for path in recordings)
    return [
        path.stem if stems[path.stem] == 1 else f"{path.stem}-{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
        for path in recordings
    ]


def _copy(source: Path, target: Path) -> None:
    """Copies a file whole or not at all."""
    with WholeFile(target) as file:
        file.write(source.read_bytes())


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"
