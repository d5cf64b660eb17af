"""What is spoken and measured: people whom no model has heard, and the very sentences that they recorded."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from yinse.core.errors import ConfigError

REAL, COPY, AT_ONCE, TUNED = "real", "copy", "at-once", "tuned"
"""Conditions: recorded; through mels and vocoder; cloned; cloned and tuned."""
CROSS = " cross"
"""Ending of a condition in which a person speaks the other language."""
_SHORTEST_S, _LONGEST_S = 2.5, 12.0


@dataclass(frozen=True, slots=True)
class Recording:
    """A clip and what is said in it."""

    path: Path
    text: str
    duration_s: float

    @property
    def id(self) -> str:
        """Its name without suffix."""
        return self.path.stem


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom the models have not heard.

    Attributes:
        id: of the speaker.
        language: that of the recordings.
        reference: the minute to clone from.
        sentences: later recordings, to be spoken by the clone.
    """

    id: str
    language: str
    reference: tuple[Recording, ...]
    sentences: tuple[Recording, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One clip to be made and judged.

    Attributes:
        condition: how it is made: "real", "at-once", "tuned", the name of a peer, ...; with `CROSS` behind it when the
            person speaks the other language.
        speaker: whose voice.
        sentence: id of the sentence.
        language: of the sentence.
        text: what is said.
        recording: the real recording, for "real".
    """

    condition: str
    speaker: str
    sentence: str
    language: str
    text: str
    recording: Path | None = None

    @property
    def key(self) -> str:
        """What tells this task from all others."""
        return f"{self.condition}/{self.speaker}/{self.sentence}"


@dataclass(frozen=True, slots=True)
class PlanConfig:
    """Which people and how many sentences.

    Attributes:
        packs: folders of the data.
        sentences: per person, by the language of the person.
        cross_sentences: of the other language per person, by the language of the person.
        reference_s: length of the recording to clone from.
        seed: chooses the sentences.
    """

    packs: tuple[str, ...] = ("en_librispeech", "zh_aishell_sample")
    sentences: Mapping[str, int] = field(default_factory=lambda: {"en": 6, "zh": 12})
    cross_sentences: Mapping[str, int] = field(default_factory=lambda: {"en": 2, "zh": 8})
    reference_s: float = 60.0
    seed: int = 1


def read_people(data: Path, config: PlanConfig) -> list[Person]:
    """The development people of `splits.json`.

    Args:
        data: folder with `splits.json` and the packs, each with a `metadata.csv`.
        config: which people and how many sentences.

    Raises:
        ConfigError: a file is missing, or a person has too few recordings.
    """
    splits = json.loads(_text(data / "splits.json"))
    people = []
    for pack in config.packs:
        rows = list(csv.DictReader(_text(data / pack / "metadata.csv").splitlines()))
        chosen = splits["development"].get(pack, [])
        # "all": every speaker of the pack
        ids = list(dict.fromkeys(row["speaker"] for row in rows)) if isinstance(chosen, str) else chosen
        for speaker in ids:
            mine = [row for row in rows if row["speaker"] == speaker]
            people.append(_person(speaker, mine, folder=data / pack, config=config))
    if not people:
        raise ConfigError("there is nobody to evaluate with", where=str(data / "splits.json"))
    return people


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(
            "there is no such file", where=str(path), advice="Give the folder of the speech data with --data."
        ) from error


def _person(speaker: str, rows: Sequence[Mapping[str, str]], *, folder: Path, config: PlanConfig) -> Person:
    recordings = [
        Recording(folder / row["file"], row["text"].strip("\ufeff "), float(row["duration_s"])) for row in rows
    ]
    length_s, used = 0.0, 0
    while used < len(recordings) and length_s < config.reference_s:
        length_s += recordings[used].duration_s
        used += 1
    later = [one for one in recordings[used:] if _SHORTEST_S <= one.duration_s <= _LONGEST_S]
    language = rows[0]["language"] if rows else ""
    count = min(config.sentences.get(language, 0), len(later))
    if not later:
        raise ConfigError(f"'{speaker}' has no recordings beyond the first {config.reference_s:.0f} s")
    chosen = sorted(random.Random(f"{config.seed} {speaker}").sample(range(len(later)), count))
    return Person(speaker, language, tuple(recordings[:used]), tuple(later[index] for index in chosen))


def make_tasks(people: Sequence[Person], conditions: Sequence[str], config: PlanConfig) -> list[Task]:
    """All clips of an evaluation: real recordings, then every condition in the own and in the other language.

    Args:
        people: who speaks.
        conditions: how clips are made, besides "real".
        config: how many sentences.
    """
    tasks = [
        Task(REAL, person.id, one.id, person.language, one.text, one.path)
        for person in people
        for one in person.sentences
    ]
    for condition in conditions:
        for person in people:
            tasks += [Task(condition, person.id, one.id, person.language, one.text) for one in person.sentences]
            tasks += [
                Task(condition + CROSS, person.id, one.id, language, one.text)
                for language, one in _foreign(person, people, config)
            ]
    return tasks


def make_peer_tasks(people: Sequence[Person], peer: str) -> list[Task]:
    """The same sentences, each once, in the voice of a peer that does not clone."""
    return [Task(peer, peer, one.id, person.language, one.text) for person in people for one in person.sentences]


def _foreign(person: Person, people: Sequence[Person], config: PlanConfig) -> Iterator[tuple[str, Recording]]:
    """Sentences of people who speak the other language; as many different ones as there are."""
    pool = [
        (other.language, one)
        for other in people
        if {other.language, person.language} == {"en", "zh"}
        for one in other.sentences
    ]
    count = min(config.cross_sentences.get(person.language, 0), len(pool))
    yield from random.Random(f"{config.seed} cross {person.id}").sample(pool, count)
