"""The training loop: resumed = uninterrupted, averages, checkpoints that are whole or not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from yinse.core.errors import CheckpointKeys, Incompatible, ResourceError
from yinse.core.events import Finished, Progress
from yinse.train import loop
from yinse.train.held_out import HeldOut, Watch
from yinse.train.loop import LoopConfig, Losses, TrainingState, averaged_weights, rate_at, read_checkpoint, train

CONFIG = LoopConfig(steps=20, warmup_steps=3, report_every_steps=3, checkpoint_every_s=-1.0)


class SumTask:
    """Learn to add."""

    def batch(self, step: int) -> Mapping[str, Tensor]:
        return {"x": torch.randn((8, 4), generator=torch.Generator().manual_seed(step))}

    def losses(self, model: nn.Module, batch: Mapping[str, Tensor], step: int) -> Losses:
        error = model(batch["x"])[:, 0] - batch["x"].sum(dim=1)
        return {"loss": error.square().mean(), "absolute": error.abs().mean()}


def make_model(width: int = 8) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, width), nn.Dropout(0.1), nn.GELU(), nn.Linear(width, 1))


def run(folder: Path, config: LoopConfig = CONFIG, *, stop_after: int = 0) -> TrainingState | None:
    for event in train(make_model(), SumTask(), config=config, folder=folder):
        if isinstance(event, Progress) and event.done == stop_after:
            return None
        if isinstance(event, Finished):
            state: TrainingState = event.result
            return state
    return None


@pytest.mark.parametrize("bf16", [False, True])
def test_resumed_equals_uninterrupted(tmp_path: Path, bf16: bool) -> None:
    config = replace(CONFIG, bf16=bf16)
    whole = run(tmp_path / "whole", config)
    # stopped after a line was logged and before its checkpoint: the step is made, and logged, again
    assert run(tmp_path / "killed", config, stop_after=6) is None
    assert read_checkpoint(tmp_path / "killed" / "checkpoint.safetensors")[1]["step"] == 5
    with open(tmp_path / "killed" / "losses.jsonl", "a", encoding="utf-8") as log:
        log.write('{"step": 9, "lo')
    resumed = run(tmp_path / "killed", config)
    assert whole is not None and resumed is not None
    logs = [(tmp_path / name / "losses.jsonl").read_text(encoding="utf-8") for name in ("whole", "killed")]
    assert logs[0] == logs[1]
    assert [json.loads(line)["step"] for line in logs[0].splitlines()] == [3, 6, 9, 12, 15, 18, 20]
    for ours, theirs in ((whole.trainable, resumed.trainable), (whole.average, resumed.average)):
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_finished_run_is_not_trained_on(tmp_path: Path) -> None:
    run(tmp_path)
    events = list(train(make_model(), SumTask(), config=CONFIG, folder=tmp_path))
    assert [type(event) for event in events] == [Finished]


def test_other_seed_other_losses(tmp_path: Path) -> None:
    run(tmp_path / "1")
    run(tmp_path / "2", replace(CONFIG, seed=2))  # dropout alone: the batches are the task's
    assert (tmp_path / "1" / "losses.jsonl").read_text() != (tmp_path / "2" / "losses.jsonl").read_text()


def test_losses_fall_and_the_rate_rises_and_falls(tmp_path: Path) -> None:
    config = replace(CONFIG, steps=200, learning_rate=0.02, checkpoint_every_s=60.0)
    state = run(tmp_path, config)
    assert state is not None
    lines = [json.loads(line) for line in (tmp_path / "losses.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < 0.5 * lines[0]["loss"]
    rates = [rate_at(step, config) for step in range(200)]
    assert rates[0] < rates[2] == config.learning_rate > rates[100] > rates[199]
    assert rates[199] == pytest.approx(config.final_rate * config.learning_rate, rel=0.01)
    assert averaged_weights(tmp_path / "checkpoint.safetensors").keys() == state.average.keys()


def test_averaged_weights_come_and_go(tmp_path: Path) -> None:
    state = run(tmp_path)
    assert state is not None
    before = {name: p.detach().clone() for name, p in state.trainable.items()}
    with state.averaged():
        assert all(torch.equal(p, state.average[name]) for name, p in state.trainable.items())
    assert all(torch.equal(p, before[name]) for name, p in state.trainable.items())


def test_validation_can_end_it(tmp_path: Path) -> None:
    events = train(make_model(), SumTask(), config=CONFIG, folder=tmp_path, on_validate=lambda state: state.step < 9)
    (state,) = [event.result for event in events if isinstance(event, Finished)]
    assert state.step == 9
    assert read_checkpoint(tmp_path / "checkpoint.safetensors")[1]["step"] == 9


def test_checkpoints_of_others_are_refused(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(CheckpointKeys, match="0.weight"):
        list(train(make_model(width=5), SumTask(), config=CONFIG, folder=tmp_path))
    (tmp_path / "checkpoint.safetensors").write_bytes(b"garbage")
    with pytest.raises(Incompatible, match="damaged"):
        run(tmp_path)


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, replace(CONFIG, steps=5))
    kept = (tmp_path / "checkpoint.safetensors").read_bytes()

    def full(tensors: object, filename: str, metadata: object) -> None:
        Path(filename).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loop, "save_file", full)
    with pytest.raises(ResourceError, match="No space left"):
        run(tmp_path)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == kept
    assert not list(tmp_path.glob("*.part"))


def test_unheard_speakers_are_looked_at_with_averaged_weights(tmp_path: Path) -> None:
    batch = SumTask().batch(1000)
    looks = {f"pack/{name}": lambda model: SumTask().losses(model, batch, 0) for name in ("a", "b")}
    watch = Watch(HeldOut(looks), CONFIG, folder=tmp_path, stage="sum")
    events = list(train(make_model(), SumTask(), config=CONFIG, folder=tmp_path, on_checkpoint=watch.look))
    told = [e for e in events if isinstance(e, Progress) and e.stage == "sum, unheard speakers"]
    lines = [json.loads(line) for line in (tmp_path / "heldout.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [event.done for event in told]
    assert lines[-1]["step"] == CONFIG.steps and "pack loss" in told[-1].note
    assert lines[-1]["speakers"]["pack/a"] == lines[-1]["packs"]["pack"]

    model = make_model().eval()
    model.load_state_dict(averaged_weights(tmp_path / "checkpoint.safetensors"))
    expected = float(SumTask().losses(model, batch, 0)["loss"].detach())
    assert lines[-1]["packs"]["pack"]["loss"] == pytest.approx(expected, abs=1e-5)
