"""Base training that is killed and run again ends with the same losses and weights as one that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from synthesised_speech import TINY, make_work, save_fresh_encoder
from yinse.core.events import Event
from yinse.train.loop import LoopConfig, read_checkpoint
from yinse.train.recipes.base import STAGES, BaseRun
from yinse.train.work import Work

LOOP = LoopConfig(steps=24, warmup_steps=3, report_every_steps=2, checkpoint_every_s=0.0)
SLOWLY = """
import sys, time
from pathlib import Path
from test_training_resume import run_stage

for _ in run_stage(Path(sys.argv[1]), sys.argv[2]):
    time.sleep(0.1)
"""


def run_stage(folder: Path, stage: str) -> Iterator[Event]:
    """A stage on a work folder, from its start or from where it was left."""
    return STAGES[stage](BaseRun(folder, Work(folder), TINY, {stage: LOOP}))


@pytest.mark.parametrize("stage", ["acoustic", "prosody"])
def test_killed_and_resumed_equals_uninterrupted(stage: str, tmp_path: Path) -> None:
    works = [make_work(tmp_path / name) for name in ("whole", "killed")]
    for work in works:
        save_fresh_encoder(work)
    list(run_stage(works[0].folder, stage))

    log = works[1].stage(stage) / "losses.jsonl"
    paths = [str(Path(__file__).parent), *filter(None, sys.path)]
    process = subprocess.Popen(
        [sys.executable, "-c", SLOWLY, str(works[1].folder), stage],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    while process.poll() is None and (not log.exists() or log.read_text(encoding="utf-8").count("\n") < 4):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    step = read_checkpoint(works[1].checkpoint(stage))[1]["step"]
    assert 6 <= step < LOOP.steps

    list(run_stage(works[1].folder, stage))
    logs = [(work.stage(stage) / "losses.jsonl").read_text(encoding="utf-8") for work in works]
    assert logs[0] == logs[1] and logs[0].count("\n") == LOOP.steps // 2
    (whole, _), (resumed, _) = (read_checkpoint(work.checkpoint(stage)) for work in works)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
