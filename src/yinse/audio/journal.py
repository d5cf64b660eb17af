"""What was done to a recording, with its numbers: enough to explain every sample of the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Value = float | int | str | bool | tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class CleaningStep:
    """One thing that was done, with its parameters by name."""

    name: str
    parameters: tuple[tuple[str, Value], ...] = ()


def step(name: str, **parameters: Value) -> CleaningStep:
    """A step; numbers are rounded to a millionth, so that a journal reads well and compares."""
    return CleaningStep(name, tuple((key, round(v, 6) if isinstance(v, float) else v) for key, v in parameters.items()))


def plain_steps(steps: tuple[CleaningStep, ...]) -> list[dict[str, Any]]:
    """Steps as JSON holds them: the name beside the parameters."""
    return [{"step": one.name, **dict(one.parameters)} for one in steps]
