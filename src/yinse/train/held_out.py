"""Losses of people whom a model never hears, one by one, while it is trained."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from yinse.core.events import Event, Progress
from yinse.core.types import FloatArray
from yinse.train.board import Board
from yinse.train.loop import LoopConfig, TrainingState

Look = Callable[[nn.Module], Mapping[str, Tensor]]
"""A model in evaluation mode to named losses of one speaker."""
Listen = Callable[[nn.Module], Mapping[str, FloatArray]]
"""A model in evaluation mode to sounds `(S,)` by name."""

_SHARE_OF_TIME = 0.05
_SEED = 0


@dataclass(frozen=True)
class HeldOut:
    """What is looked at when a checkpoint was written.

    Attributes:
        looks: by "pack/speaker".
        listen: sounds for the board.
        sample_rate_hz: of the sounds.
    """

    looks: Mapping[str, Look]
    listen: Listen | None = None
    sample_rate_hz: int = 24000


class Watch:
    """Looks at held-out speakers with the averaged weights, for no more than a twentieth of the time.

    Args:
        held_out: what to look at.
        config: of the loop.
        folder: `heldout.jsonl` goes here.
        stage: name of the events.
        board: for curves and sounds, if wanted.
    """

    def __init__(
        self, held_out: HeldOut, config: LoopConfig, *, folder: Path, stage: str, board: Board | None = None
    ) -> None:
        self._held_out, self._config, self._stage, self._board = held_out, config, stage, board
        self._log = folder / "heldout.jsonl"
        self._next_s = 0.0

    def report(self, step: int, losses: dict[str, float]) -> None:
        """Training losses, for the board."""
        if self._board:
            self._board.scalars(step, losses, group="training")

    def has_seen(self, step: int) -> bool:
        """Whether the last line of `heldout.jsonl` is of this step."""
        lines = self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []
        return bool(lines) and json.loads(lines[-1])["step"] == step

    def look(self, state: TrainingState) -> Iterator[Event]:
        """Held-out losses as an event, a line of `heldout.jsonl` and curves; sounds for the board."""
        started_s, last = time.monotonic(), state.step == self._config.steps
        if not self._held_out.looks or (started_s < self._next_s and not last):
            return
        with state.averaged(), torch.inference_mode():
            state.model.eval()
            speakers = {}
            for name, look in self._held_out.looks.items():
                torch.manual_seed(_SEED)
                speakers[name] = {part: round(float(value), 5) for part, value in look(state.model).items()}
            if self._board and self._held_out.listen:
                sounds = self._held_out.listen(state.model)
                self._board.sounds(state.step, sounds, sample_rate_hz=self._held_out.sample_rate_hz)
        packs = means_by_pack(speakers)
        with open(self._log, "a", encoding="utf-8") as file:
            file.write(json.dumps({"step": state.step, "packs": packs, "speakers": speakers}) + "\n")
        if self._board:
            for pack, means in packs.items():
                self._board.scalars(state.step, means, group=f"held-out {pack}")
            for name, losses in speakers.items():
                self._board.scalars(state.step, {name: next(iter(losses.values()))}, group="held-out by speaker")
        self._next_s = time.monotonic() + (time.monotonic() - started_s) / _SHARE_OF_TIME
        told = "; ".join(
            f"{pack} " + " ".join(f"{name} {value:.3f}" for name, value in means.items())
            for pack, means in packs.items()
        )
        yield Progress(f"{self._stage}, unheard speakers", state.step, self._config.steps, told)


def means_by_pack(speakers: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Means over the speakers of each pack; names of speakers are "pack/speaker"."""
    packs: dict[str, list[Mapping[str, float]]] = {}
    for name, losses in speakers.items():
        packs.setdefault(name.split("/")[0], []).append(losses)
    return {
        pack: {part: round(float(np.mean([losses[part] for losses in group])), 5) for part in group[0]}
        for pack, group in packs.items()
    }
