"""The one training loop: stateless batches, averaged weights, checkpoints that survive a kill.

Everything random is drawn from (seed, step), so a run that was killed and resumed sees the same batches, the same
noise and the same dropout as one that was not: the losses are equal number for number. Checkpoints are safetensors.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from yinse.core.events import Event, Finished, Progress

Losses = dict[str, Tensor]


@dataclass(frozen=True)
class LoopConfig:
    """How to train.

    Attributes:
        steps: updates in all.
        learning_rate: peak rate of AdamW.
        warmup_steps: linear rise.
        decay_from: fraction of the steps after which the rate falls along a cosine to `final_rate` of the peak.
        ema_decay: decay of the averaged weights per step.
        checkpoint_every_s: wall seconds between checkpoints.
        report_every_steps: steps between progress events.
        bf16: bfloat16 autocast; about 1.5 to 1.9 times faster where the processor has it.
    """

    steps: int
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    decay_from: float = 0.3
    final_rate: float = 0.02
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    ema_decay: float = 0.998
    checkpoint_every_s: float = 60.0
    report_every_steps: int = 50
    seed: int = 1
    device: str = "cpu"
    bf16: bool = False


class Task(Protocol):
    """What a recipe gives the loop."""

    def batch(self, step: int) -> Mapping[str, Tensor]:
        """The batch of a step, drawn from (seed, step) alone."""

    def losses(self, model: nn.Module, batch: Mapping[str, Tensor], step: int) -> Losses:
        """Named losses; the entry "loss" is minimised."""


def rate_at(step: int, config: LoopConfig) -> float:
    """Learning rate of a step."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    start = config.decay_from * config.steps
    if step <= start:
        return config.learning_rate
    fraction = min(1.0, (step - start) / max(1.0, config.steps - start))
    low = config.final_rate
    return config.learning_rate * (low + (1 - low) * (0.5 + 0.5 * math.cos(math.pi * fraction)))


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], progress: Mapping[str, Any]) -> None:
    """Write a checkpoint; the file appears whole or not at all."""
    part = path.with_suffix(".part")
    save_file({name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}, str(part),
              metadata={"progress": json.dumps(progress)})  # fmt: skip
    part.replace(path)


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and progress of a checkpoint."""
    with safe_open(str(path), framework="pt") as file:
        progress = json.loads(file.metadata()["progress"])
        return {name: file.get_tensor(name) for name in file.keys()}, progress  # noqa: SIM118


def _section(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    prefix = name + "/"
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


class TrainingState:
    """Model, optimizer and averaged weights, saved and restored together."""

    def __init__(self, model: nn.Module, config: LoopConfig) -> None:
        self.model = model.to(config.device)
        self.trainable = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.optimizer = torch.optim.AdamW(
            self.trainable.values(), lr=config.learning_rate, betas=(0.9, 0.99), weight_decay=config.weight_decay
        )
        self.average = {name: p.detach().clone() for name, p in self.trainable.items()}
        self.step = 0

    def save(self, path: Path) -> None:
        """Write everything needed to go on."""
        tensors = {f"model/{name}": p for name, p in self.trainable.items()}
        tensors |= {f"average/{name}": p for name, p in self.average.items()}
        for index, values in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{key}": value for key, value in values.items()}
        save_checkpoint(path, tensors, {"step": self.step})

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint."""
        tensors, progress = read_checkpoint(path)
        self.step = int(progress["step"])
        with torch.no_grad():
            for name, value in _section(tensors, "model").items():
                self.trainable[name].copy_(value)
            for name, value in _section(tensors, "average").items():
                self.average[name].copy_(value)
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in _section(tensors, "optimizer").items():
            index, field = key.split("/")
            state.setdefault(int(index), {})[field] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})

    @torch.no_grad()
    def update_average(self, decay: float) -> None:
        """Move the averaged weights towards the current ones (faster in the first steps)."""
        decay = min(decay, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(list(self.average.values()), list(self.trainable.values()), 1 - decay)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The model with its averaged weights, for as long as it lasts."""
        current = {name: p.detach().clone() for name, p in self.trainable.items()}
        with torch.no_grad():
            for name, value in self.average.items():
                self.trainable[name].copy_(value)
        try:
            yield
        finally:
            with torch.no_grad():
                for name, value in current.items():
                    self.trainable[name].copy_(value)


def averaged_weights(path: Path) -> dict[str, Tensor]:
    """Averaged weights of a checkpoint by parameter name."""
    return _section(read_checkpoint(path)[0], "average")


def train(
    model: nn.Module,
    task: Task,
    *,
    config: LoopConfig,
    folder: Path,
    on_report: Callable[[int, dict[str, float]], None] | None = None,
    on_checkpoint: Callable[[TrainingState], None] | None = None,
    on_validate: Callable[[TrainingState], bool] | None = None,
) -> Iterator[Event]:
    """Train to `config.steps`, resuming from `folder/checkpoint.safetensors` if it is there.

    Args:
        model: its parameters with `requires_grad` are trained.
        task: batches and losses.
        config: how.
        folder: checkpoints and `losses.jsonl` go here.
        on_report: called with mean losses since the last report (TensorBoard, say).
        on_checkpoint: called after each checkpoint (held-out figures, audio samples).
        on_validate: called every `report_every_steps`; training ends early when it returns False.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "checkpoint.safetensors"
    state = TrainingState(model, config)
    if path.exists():
        state.restore(path)
    sums: dict[str, float] = {}
    counted, saved_s, started_s, first_step = 0, time.monotonic(), time.monotonic(), state.step
    model.train()
    go_on = True
    while go_on and state.step < config.steps:
        step = state.step
        batch = {name: value.to(config.device) for name, value in task.batch(step).items()}
        torch.manual_seed((config.seed << 32) + step)
        autocast = torch.autocast(config.device, torch.bfloat16) if config.bf16 else nullcontext()
        with autocast:
            losses = task.losses(model, batch, step)
        state.optimizer.param_groups[0]["lr"] = rate_at(step, config)
        state.optimizer.zero_grad(set_to_none=True)
        losses["loss"].backward()
        torch.nn.utils.clip_grad_norm_(state.trainable.values(), config.gradient_clip)
        state.optimizer.step()
        state.step += 1
        state.update_average(config.ema_decay)
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
        counted += 1
        if state.step % config.report_every_steps == 0 or state.step == config.steps:
            means = {name: value / counted for name, value in sums.items()}
            left_s = (time.monotonic() - started_s) / (state.step - first_step) * (config.steps - state.step)
            with open(folder / "losses.jsonl", "a", encoding="utf-8") as log:
                log.write(json.dumps({"step": state.step, **{k: round(v, 5) for k, v in means.items()}}) + "\n")
            if on_report:
                on_report(state.step, means)
            figures = " ".join(f"{name} {value:.3f}" for name, value in means.items())
            yield Progress("train", state.step, config.steps, f"{figures} | {left_s / 60:.1f} min left")
            sums, counted = {}, 0
            if on_validate:
                go_on = on_validate(state)
                model.train()
        if time.monotonic() - saved_s > config.checkpoint_every_s or not go_on or state.step == config.steps:
            state.save(path)
            if on_checkpoint:
                on_checkpoint(state)
                model.train()
            saved_s = time.monotonic()
    yield Finished(state)
