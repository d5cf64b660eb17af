"""The one training loop: stateless batches, averaged weights, checkpoints that survive a kill.

Everything random is drawn from (seed, step), so a run that was killed and resumed sees the same batches, the same
noise and the same dropout as one that was not: the losses are equal number for number. Checkpoints are safetensors.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from yinse.core.errors import CheckpointKeys, Incompatible, ResourceError
from yinse.core.events import Event, Finished, Progress
from yinse.core.files import WholeFile

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


def noise_seed(seed: int, step: int) -> int:
    """Seed of a step's noise and dropout: 32 bits, since torch's generator on the processor ignores all above."""
    return int(np.random.SeedSequence((seed, step)).generate_state(1)[0])


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
    try:
        save_file({name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}, str(part),
                  metadata={"progress": json.dumps(progress)})  # fmt: skip
        part.replace(path)
    except (OSError, SafetensorError) as error:
        part.unlink(missing_ok=True)
        raise ResourceError(
            f"the checkpoint cannot be written ({error})", where=str(path), advice="Check that the disk has room."
        ) from error


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and progress of a checkpoint.

    Raises:
        Incompatible: it is damaged.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            progress = json.loads(file.metadata()["progress"])
            return {name: file.get_tensor(name) for name in file.keys()}, progress  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise Incompatible(f"this is no checkpoint, or a damaged one: {error}", where=str(path)) from error


def read_progress(path: Path) -> dict[str, Any]:
    """What a checkpoint says about itself, without its tensors."""
    with safe_open(str(path), framework="pt") as file:
        progress: dict[str, Any] = json.loads(file.metadata()["progress"])
        return progress


def _section(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    prefix = name + "/"
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


class TrainingState:
    """Model, optimizer and averaged weights, saved and restored together with the losses not yet reported."""

    def __init__(self, model: nn.Module, config: LoopConfig) -> None:
        self.model = model.to(config.device)
        self.trainable = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.optimizer = torch.optim.AdamW(
            self.trainable.values(), lr=config.learning_rate, betas=(0.9, 0.99), weight_decay=config.weight_decay
        )
        self.average = {name: p.detach().clone() for name, p in self.trainable.items()}
        self.step = 0
        self.sums: dict[str, float] = {}
        self.counted = 0

    def save(self, path: Path) -> None:
        """Write everything needed to go on."""
        tensors: dict[str, Tensor] = {f"model/{name}": p for name, p in self.trainable.items()}
        tensors |= {f"average/{name}": p for name, p in self.average.items()}
        for index, values in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{key}": value for key, value in values.items()}
        save_checkpoint(path, tensors, {"step": self.step, "sums": self.sums, "counted": self.counted})

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            CheckpointKeys: it belongs to a model of other sizes.
            Incompatible: it is damaged.
        """
        tensors, progress = read_checkpoint(path)
        self.step = int(progress["step"])
        self.sums, self.counted = dict(progress.get("sums", {})), int(progress.get("counted", 0))
        weights = _section(tensors, "model")
        missing = [n for n, p in self.trainable.items() if n not in weights or weights[n].shape != p.shape]
        if missing or len(weights) != len(self.trainable):
            raise CheckpointKeys(str(path), missing=missing, unexpected=weights.keys() - self.trainable.keys())
        with torch.no_grad():
            for name, value in weights.items():
                self.trainable[name].copy_(value)
            for name, value in _section(tensors, "average").items():
                self.average[name].copy_(value)
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in _section(tensors, "optimizer").items():
            index, field = key.split("/")
            state.setdefault(int(index), {})[field] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})

    def count(self, losses: Losses) -> None:
        """Add a step's losses to those not yet reported."""
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value.detach())
        self.counted += 1

    def report(self) -> dict[str, float]:
        """Mean losses since the last report."""
        means = {name: value / self.counted for name, value in self.sums.items()}
        self.sums, self.counted = {}, 0
        return means

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


def forget_after(log: Path, step: int) -> None:
    """Drop the lines of a JSON lines file that tell of later steps: a run killed after them makes these steps again."""
    if not log.exists():
        return
    kept = []
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except ValueError:
            continue  # cut off by the kill
    with WholeFile(log) as file:
        file.write("".join(kept).encode())


def train(
    model: nn.Module,
    task: Task,
    *,
    config: LoopConfig,
    folder: Path,
    stage: str = "train",
    on_report: Callable[[int, dict[str, float]], None] | None = None,
    on_checkpoint: Callable[[TrainingState], Iterable[Event] | None] | None = None,
    on_validate: Callable[[TrainingState], bool] | None = None,
) -> Iterator[Event]:
    """Train to `config.steps`, resuming from `folder/checkpoint.safetensors` if it is there.

    Args:
        model: its parameters with `requires_grad` are trained.
        task: batches and losses.
        config: how.
        folder: checkpoints and `losses.jsonl` go here.
        stage: name of the progress events.
        on_report: called with mean losses since the last report (TensorBoard, say).
        on_checkpoint: called after each checkpoint (held-out figures, audio samples); may have events to tell.
        on_validate: called every `report_every_steps`; training ends early when it returns False.

    Raises:
        CheckpointKeys: the folder holds a checkpoint of a model of other sizes.
        ResourceError: the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, log = folder / "checkpoint.safetensors", folder / "losses.jsonl"
    state = TrainingState(model, config)
    if path.exists():
        state.restore(path)
    forget_after(log, state.step)
    device_type = torch.device(config.device).type
    saved_s, started_s, first_step = time.monotonic(), time.monotonic(), state.step
    model.train()
    go_on = True
    while go_on and state.step < config.steps:
        step = state.step
        batch = {name: value.to(config.device) for name, value in task.batch(step).items()}
        torch.manual_seed(noise_seed(config.seed, step))
        with torch.autocast(device_type, torch.bfloat16) if config.bf16 else nullcontext():
            losses = task.losses(model, batch, step)
        state.optimizer.param_groups[0]["lr"] = rate_at(step, config)
        state.optimizer.zero_grad(set_to_none=True)
        losses["loss"].backward()
        torch.nn.utils.clip_grad_norm_(state.trainable.values(), config.gradient_clip)
        state.optimizer.step()
        state.step += 1
        state.update_average(config.ema_decay)
        state.count(losses)
        if state.step % config.report_every_steps == 0 or state.step == config.steps:
            means = state.report()
            left_s = (time.monotonic() - started_s) / (state.step - first_step) * (config.steps - state.step)
            with open(log, "a", encoding="utf-8") as file:
                file.write(json.dumps({"step": state.step, **{k: round(v, 5) for k, v in means.items()}}) + "\n")
            if on_report:
                on_report(state.step, means)
            figures = " ".join(f"{name} {value:.3f}" for name, value in means.items())
            yield Progress(stage, state.step, config.steps, f"{figures} | {left_s / 60:.1f} min left")
            if on_validate:
                go_on = on_validate(state)
                model.train()
        if time.monotonic() - saved_s > config.checkpoint_every_s or not go_on or state.step == config.steps:
            state.save(path)
            if on_checkpoint:
                yield from on_checkpoint(state) or ()
                model.train()
            saved_s = time.monotonic()
    yield Finished(state)
