"""Base training from packs of recordings to a model folder with its built-in voices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import torch

from yinse.core.errors import ConfigError, UnknownName
from yinse.core.events import Event, Finished, relay
from yinse.models.context import LanguageModelContext
from yinse.models.hifigan import HifiGanConfig
from yinse.models.native_config import NativeConfig, base
from yinse.train.loop import LoopConfig
from yinse.train.recipes.assemble import assemble
from yinse.train.recipes.base import ADVERSARIAL_LOOP, LOOPS, BaseRun
from yinse.train.recipes.base import STAGES as TRAINED_STAGES
from yinse.train.work import Work
from yinse.weights.native import load_native
from yinse.workflows.builtin_voices import builtin_voices

ALL = "all"
STAGES = (*TRAINED_STAGES, "assemble", "voices")
"""In order; each needs those before it."""


def train_base(
    data: Path,
    work: Path,
    *,
    stages: Sequence[str] = (ALL,),
    device: str = "cpu",
    bf16: bool = False,
    steps: Mapping[str, int] | None = None,
    out: Path | None = None,
    sizes: NativeConfig | None = None,
    language_model: str | None = None,
    recogniser: str | None = None,
    tensorboard: bool = False,
) -> Iterator[Event]:
    """Train a base model; killed and run again, it goes on where it was.

    The last event holds the model's folder, or the work folder where no model was assembled.

    Args:
        data: folder of packs with `splits.json`.
        work: what the stages leave; all checkpoints.
        stages: which of `STAGES` to run, in their order; "all" for all.
        device: "cpu", "cuda", "cuda:1", …
        bf16: train the networks in bfloat16 where that is exact enough.
        steps: of "speaker", "acoustic", "prosody", "vocoder", "content", where others than usual are wanted.
        out: `base` and `voices` are written here; without it, into the work folder.
        sizes: of all parts; the shipped ones by default.
        language_model: folder, or name in the hub's cache, of a GPT-2 or BERT whose hidden states the GPT reads.
        recogniser: folder, or name in the hub's cache, of a faster-whisper model that writes down the clips which came
            without a text.
        tensorboard: write curves and sounds into the work folder, stage by stage.

    Raises:
        UnknownName: no such stage.
        ConfigError: no such device, steps below 1, no data, or a stage needs one that has not been run.
        MissingExtra: an optional package is needed.
        Offline: there is no such language model or recogniser.
    """
    wanted = _check_stages(stages)
    sizes, out = sizes or base(), out or work
    if language_model:
        width = LanguageModelContext.load(language_model).width
        prosody = replace(sizes.prosody, language_model=language_model, language_model_size=width)
        sizes = replace(sizes, prosody=prosody)
    loops = _loops(sizes, steps or {}, device=_check_device(device), bf16=bf16)
    run = BaseRun(data, Work(work), sizes, loops, tensorboard, recogniser=recogniser)
    model, voices = out / "base", out / "voices"
    for stage in STAGES:
        if stage not in wanted:
            continue
        if stage == "assemble":
            yield from relay(assemble(run, model))
        elif stage == "voices":
            created = datetime.now(UTC).isoformat(timespec="seconds")
            yield from relay(builtin_voices(run.work, load_native(model), voices, created=created))
        else:
            yield from relay(TRAINED_STAGES[stage](run))
    yield Finished(model if "assemble" in wanted else work)


def _check_stages(stages: Sequence[str]) -> frozenset[str]:
    for stage in stages:
        if stage not in (ALL, *STAGES):
            raise UnknownName("stage", stage, (ALL, *STAGES))
    return frozenset(STAGES if ALL in stages else stages)


def _check_device(device: str) -> str:
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"the device '{device}' cannot be used: {reason}", advice="Use cpu or cuda.") from error
    return device


def _loops(sizes: NativeConfig, steps: Mapping[str, int], *, device: str, bf16: bool) -> dict[str, LoopConfig]:
    loops = dict(LOOPS)
    if isinstance(sizes.vocoder, HifiGanConfig):
        loops["vocoder"] = ADVERSARIAL_LOOP
    for name, count in steps.items():
        if name not in loops:
            raise UnknownName("network", name, loops)
        if count < 1:
            raise ConfigError(f"{count} steps for '{name}'", advice="Give at least 1.")
        loops[name] = replace(loops[name], steps=count)
    # a recurrent network gains nothing from half precision
    return {name: replace(loop, device=device, bf16=bf16 and name != "speaker") for name, loop in loops.items()}
