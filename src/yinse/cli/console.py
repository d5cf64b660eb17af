"""Results on standard output, events on standard error, errors as exit codes."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, Self

from yinse.core.errors import InternalError, YinseError
from yinse.core.events import Artifact, Event, Finished, Progress, Warned

if TYPE_CHECKING:
    from rich.progress import TaskID

_P = ParamSpec("_P")
_BUG_EXIT = InternalError.exit_code
_REPORT_BUG = "This is a bug. Please report it with the command and the lines above; --debug shows where it happened."
_SHARE_BETWEEN_LINES = 0.1


def note(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


def show_json(value: Any) -> None:
    """A result as JSON on standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=1, default=_plain))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value) if isinstance(value, Path) else float(value)


def for_people(figures: Mapping[str, float]) -> dict[str, float]:
    """Figures of a voice without the counts and losses of single sounds, which are for the coach."""
    return {name: value for name, value in figures.items() if "/" not in name}


def guarded(function: Callable[_P, None]) -> Callable[_P, None]:
    """Turns what a command raises into a message and an exit code."""

    @functools.wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            function(*args, **kwargs)
            sys.stdout.flush()
        except YinseError as error:
            note(f"error: {error}")
            raise SystemExit(error.exit_code) from error
        except KeyboardInterrupt as error:
            note("interrupted")
            raise SystemExit(130) from error
        except BrokenPipeError as error:  # the reader of a pipe has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
            raise SystemExit(1) from error
        except MemoryError as error:
            note("error: there is not enough memory")
            raise SystemExit(1) from error
        except Exception as error:
            if "--debug" in sys.argv:
                raise
            note(f"error: {type(error).__name__}: {error}\n{_REPORT_BUG}")
            raise SystemExit(_BUG_EXIT) from error

    return run


class _Display(Protocol):
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def progress(self, event: Progress) -> None: ...
    def line(self, text: str) -> None: ...


class _Lines:
    """Plain lines: the beginning of a stage, then every tenth of it."""

    def __init__(self) -> None:
        self._stage, self._shown = "", 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def progress(self, event: Progress) -> None:
        share = event.done / event.total if event.total else 0.0
        if event.stage == self._stage and share < self._shown + _SHARE_BETWEEN_LINES:
            return
        self._stage, self._shown = event.stage, share
        note(f"{event.stage} {event.done}/{event.total or '?'} {event.note}".rstrip())

    def line(self, text: str) -> None:
        note(text)


class _Bars:
    """One bar per stage with the time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def progress(self, event: Progress) -> None:
        if event.stage not in self._tasks:
            self._tasks[event.stage] = self._bars.add_task(event.stage, note=event.note)
        self._bars.update(self._tasks[event.stage], completed=event.done, total=event.total or None, note=event.note)

    def line(self, text: str) -> None:
        self._bars.console.print(text, markup=False, highlight=False)


def follow(events: Iterator[Event], *, name_artifacts: bool = True) -> Any:
    """Shows the events of a use case as they come.

    Args:
        events: of any use case.
        name_artifacts: whether written files are named on standard error.

    Returns:
        The result of the last event.
    """
    display: _Display = _Bars() if sys.stderr.isatty() else _Lines()
    with display:
        for event in events:
            if isinstance(event, Progress):
                display.progress(event)
            elif isinstance(event, Warned):
                display.line(f"warning: {f'{event.where}: ' if event.where else ''}{event.message}")
            elif isinstance(event, Artifact):
                if name_artifacts:
                    display.line(f"{event.kind}: {event.path}")
            elif isinstance(event, Finished):
                return event.result
    raise InternalError("a use case ended without a result")
