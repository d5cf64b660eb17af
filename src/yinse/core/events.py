"""What a running use case tells: one stream of events for progress bars, logs, servers and tests."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` units of a stage (`total` 0: unknown)."""

    stage: str
    done: int
    total: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the user should know that did not stop the work."""

    message: str
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that was written."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of a use case; `result` is what the Python call returns."""

    result: Any


Event = Progress | Warned | Artifact | Finished


def relay(events: Iterable[Event]) -> Generator[Event, None, Any]:
    """Pass on the events of a part of the work; `result = yield from relay(…)` takes what its last event holds."""
    result = None
    for event in events:
        if isinstance(event, Finished):
            result = event.result
        else:
            yield event
    return result
