"""Speaks and judges a list of sentences, one line of JSON each: killed, it goes on where it was."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from yinse.audio.decode import decode
from yinse.audio.write import write_audio
from yinse.core.errors import BadAudio, BadText, ResourceError
from yinse.core.events import Event, Finished, Progress, Warned
from yinse.core.types import AudioClip, FloatArray
from yinse.evaluate.melody import Reading, measure_reading
from yinse.evaluate.misheard import ErrorCount, english_words, errors_of, mandarin_syllables, syllable_errors_of
from yinse.evaluate.naturalness import Naturalness, NaturalnessJudge
from yinse.evaluate.plan import Task
from yinse.evaluate.recogniser import Recogniser
from yinse.evaluate.speaker_judge import SpeakerJudge

Speak = Callable[[Task], AudioClip]
"""Makes the clip of a task; raises BadText for a sentence that the maker cannot speak."""

LEDGER = "items.jsonl"


@dataclass(frozen=True, slots=True)
class Judges:
    """Who judges; what is None is not judged.

    Attributes:
        recogniser: hears words.
        speaker: tells voices apart.
        naturalness: scores sound.
    """

    recogniser: Recogniser
    speaker: SpeakerJudge | None = None
    naturalness: NaturalnessJudge | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the judges say of one clip, whoever made it.

    Attributes:
        heard: text.
        reading: melody and pace.
        vector: of the judge of speakers, `(G,)`; empty for a clip that tells nothing, None without a judge.
        naturalness: None without a judge.
        detail: what the judge without a network measures, see `spectral_judge`; empty and None likewise.
    """

    heard: str
    reading: Reading
    vector: tuple[float, ...] | None = None
    naturalness: Naturalness | None = None
    detail: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A task, its clip and what was judged.

    Attributes:
        task: what was to be spoken.
        maker: what made it: models, seed, settings. Another maker makes it anew.
        audio: file of the clip, relative to the folder of the evaluation.
        digest: of its samples.
        duration_s: length of the clip.
        took_s: time to make it; 0 for recordings.
        judgement: what the judges say.
    """

    task: Task
    maker: str
    audio: str
    digest: str
    duration_s: float
    took_s: float
    judgement: Judgement

    @property
    def errors(self) -> ErrorCount:
        """Words (en) or syllables with tones (zh) heard otherwise."""
        return errors_of(self.task.text, self.judgement.heard, language=self.task.language)

    @property
    def errors_without_tones(self) -> ErrorCount:
        """The same, but wrong tones are right."""
        if self.task.language != "zh":
            return self.errors
        return syllable_errors_of(self.task.text, self.judgement.heard, tones=False)

    @property
    def vector(self) -> FloatArray:
        """Of the judge of speakers, `(G,)`."""
        return np.asarray(self.judgement.vector or (), dtype=np.float32)


def judge_clip(
    clip: AudioClip,
    *,
    text: str,
    language: str,
    judges: Judges,
    detail: Callable[[AudioClip], FloatArray] | None = None,
) -> Judgement:
    """All judges over one clip `(S,)`.

    Args:
        clip: the speech.
        text: what should be said.
        language: "en" or "zh".
        judges: who judges.
        detail: measures spectral detail, if that is wanted.
    """
    units = mandarin_syllables(text) if language == "zh" else english_words(text)
    return Judgement(
        heard=judges.recogniser.hear(clip, language=language),
        reading=measure_reading(clip, units=len(units)),
        vector=None if judges.speaker is None else _rounded(judges.speaker.embed, clip),
        naturalness=None if judges.naturalness is None else _scored(judges.naturalness, clip),
        detail=None if detail is None else _rounded(detail, clip),
    )


def _rounded(measure: Callable[[AudioClip], FloatArray], clip: AudioClip) -> tuple[float, ...]:
    """What is measured on a clip; nothing if it is too short or silent: nobody's voice."""
    try:
        return tuple(round(float(value), 5) for value in measure(clip))
    except BadAudio:
        return ()


def _scored(judge: NaturalnessJudge, clip: AudioClip) -> Naturalness:
    """The scores of a clip; the worst if it is silent."""
    try:
        return judge.score(clip)
    except BadAudio:
        return Naturalness(1.0, 1.0, 1.0, 1.0)


def run_tasks(
    tasks: Sequence[Task],
    *,
    speak: Speak,
    makers: Mapping[str, str],
    judges: Judges,
    folder: Path,
    detail: Callable[[AudioClip], FloatArray] | None = None,
    reuse: Iterable[Path] = (),
) -> Iterator[Event]:
    """Makes and judges the clips of all tasks; the result of the last event is a list of `Item`.

    Every clip lies in `folder/wav`, every judgement is a line of `folder/items.jsonl`. What is there already is not
    made again, unless its maker changed; a clip that was judged before, here or in `reuse`, is not judged again.

    Args:
        tasks: what to speak.
        speak: makes a clip; a task that it refuses with BadText is left out, with a warning.
        makers: for each condition, what makes its clips; "real" for recordings.
        judges: who judges.
        folder: where clips and judgements lie.
        detail: measures spectral detail, if that is wanted.
        reuse: folders of earlier evaluations by the same judges.

    Raises:
        ResourceError: the folder cannot be written.
    """
    known = {item.task.key: item for item in read_items(folder)}
    judged = {(item.digest, item.task.text): item.judgement for other in reuse for item in read_items(other)}
    judged |= {(item.digest, item.task.text): item.judgement for item in known.values()}
    items = []
    for number, task in enumerate(tasks):
        yield Progress("evaluate", number, len(tasks), task.key)
        maker = makers[task.condition]
        old = known.get(task.key)
        fresh = old is not None and (old.maker, old.task) == (maker, task) and (folder / old.audio).is_file()
        if old is not None and fresh and not _lacks(old.judgement, judges, detail):
            items.append(old)
            continue
        started_s = time.monotonic()
        try:
            clip = speak(task) if task.recording is None else decode(task.recording)
        except BadText as error:
            yield Warned(f"left out: {error.what}", where=task.key)
            continue
        took_s = time.monotonic() - started_s if task.recording is None else 0.0
        audio = f"wav/{task.condition.replace(' ', '-')}/{task.speaker}/{task.sentence}.wav"
        write_audio(folder / audio, clip)
        digest = hashlib.sha256(clip.samples.tobytes()).hexdigest()[:24]
        judgement = judged.get((digest, task.text))
        if judgement is None or _lacks(judgement, judges, detail):
            judgement = judge_clip(clip, text=task.text, language=task.language, judges=judges, detail=detail)
        item = Item(task, maker, audio, digest, clip.duration_s, took_s, judgement)
        _append(folder / LEDGER, item)
        items.append(item)
    yield Progress("evaluate", len(tasks), len(tasks))
    yield Finished(items)


def _lacks(judgement: Judgement, judges: Judges, detail: object) -> bool:
    """Whether a judge is asked now who was not asked then."""
    return (
        (judges.speaker is not None and judgement.vector is None)
        or (judges.naturalness is not None and judgement.naturalness is None)
        or (detail is not None and judgement.detail is None)
    )


def _append(path: Path, item: Item) -> None:
    line = json.dumps(_plain(asdict(item)), ensure_ascii=False)
    try:
        with path.open("a", encoding="utf-8") as ledger:
            ledger.write(line + "\n")
    except OSError as error:
        raise ResourceError(f"the file cannot be written ({error.strerror or error})", where=str(path)) from error


def _plain(value: Any) -> Any:
    """JSON knows neither paths nor numbers that are none."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, Path):
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_items(folder: Path) -> list[Item]:
    """What an evaluation judged so far; of several lines about one task the last counts."""
    path = folder / LEDGER
    if not path.is_file():
        return []
    found: dict[str, Item] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            item = _item(json.loads(line))
        except (ValueError, KeyError, TypeError):  # half a line: it was killed while writing
            continue
        found[item.task.key] = item
    return list(found.values())


def _item(values: dict[str, Any]) -> Item:
    task, judgement = values["task"], values["judgement"]
    if task["recording"] is not None:
        task["recording"] = Path(task["recording"])
    nan = float("nan")
    reading = {field.name: judgement["reading"][field.name] for field in fields(Reading)}
    score = judgement["naturalness"]
    return Item(
        task=Task(**task),
        maker=values["maker"],
        audio=values["audio"],
        digest=values["digest"],
        duration_s=values["duration_s"],
        took_s=values["took_s"],
        judgement=Judgement(
            heard=judgement["heard"],
            vector=_tuple(judgement["vector"]),
            naturalness=Naturalness(**score) if score else None,
            reading=Reading(**{name: nan if value is None else value for name, value in reading.items()}),
            detail=_tuple(judgement["detail"]),
        ),
    )


def _tuple(values: list[float] | None) -> tuple[float, ...] | None:
    return None if values is None else tuple(values)
