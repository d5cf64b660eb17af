"""`yinse train`: base training, one command per recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yinse.cli.console import follow, guarded, show_json

app = typer.Typer(help="Train models of your own.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _train() -> None:
    """Train models of your own."""


@app.command()
@guarded
def base(
    *,
    data: Annotated[Path, typer.Option("--data", help="Folder of packs of speech with splits.json.")],
    work: Annotated[Path, typer.Option("--work", help="Folder for caches and checkpoints; run again to go on.")],
    stage: Annotated[
        list[str] | None, typer.Option("--stage", help="One of the stages, by its name; repeat it. Else all.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for base/ and voices/; else the work folder.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1, …")] = "cpu",
    bf16: Annotated[bool, typer.Option("--bf16", help="bfloat16 where that is exact enough.")] = False,
    steps: Annotated[
        list[str] | None, typer.Option("--steps", help="NETWORK=STEPS, for other than the usual number; repeat it.")
    ] = None,
    context: Annotated[
        str | None, typer.Option("--context", help="GPT-2 or BERT to read, a folder or a name in the hub's cache.")
    ] = None,
    recogniser: Annotated[
        str | None, typer.Option("--recogniser", help="faster-whisper model for clips that came without a text.")
    ] = None,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Curves and sounds (extra train).")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train a base model.

    Stages: prepare, transcribe, align, vary, speaker, acoustic, prosody, vocoder, content, assemble, voices.
    """
    from yinse.workflows.train import ALL, train_base

    events = train_base(
        data,
        work,
        stages=stage or [ALL],
        device=device,
        bf16=bf16,
        steps=_parse_steps(steps or []),
        out=out,
        language_model=context,
        recogniser=recogniser,
        tensorboard=tensorboard,
    )
    folder = follow(events)
    if json:
        show_json({"model": folder})
    else:
        print(folder)


def _parse_steps(entries: list[str]) -> dict[str, int]:
    from yinse.core.errors import ConfigError

    steps = {}
    for entry in entries:
        name, _, count = entry.partition("=")
        if not count.isdecimal():
            raise ConfigError(f"'{entry}' is not NETWORK=STEPS", advice="Write, for instance, --steps acoustic=8000")
        steps[name] = int(count)
    return steps
