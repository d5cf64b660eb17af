"""`yinse models`: list, verify and card."""

from __future__ import annotations

from typing import Annotated

import typer

from yinse.cli.console import guarded, show_json

app = typer.Typer(help="List and verify model sets, read their cards.", no_args_is_help=True, rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Name = Annotated[str, typer.Argument(help="Name or folder of a model set.")]


@app.command("list")
@guarded
def list_models(json: Json = False) -> None:
    """List the model sets on this machine."""
    from yinse.workflows.models import find_models

    found = find_models()
    if json:
        show_json(found)
        return
    for model in found:
        print(f"{model.name}\t{model.kind}\t{model.fingerprint}\t{model.size_bytes / 2**20:.1f} MiB\t{model.folder}")


@app.command()
@guarded
def verify(name: Name = "base", json: Json = False) -> None:
    """Load a model set and check that it is whole, unchanged and fits this version."""
    from yinse.workflows.models import find_model
    from yinse.workflows.native import load_engine

    model = find_model(name)
    engine = load_engine(model.folder)
    if json:
        show_json({"name": model.name, "fingerprint": engine.fingerprint, "problem": None})
    else:
        print(f"{model.name}: good, {engine.fingerprint}")


@app.command()
@guarded
def card(name: Name = "base") -> None:
    """Print a model card: data, figures, limits, licences."""
    from yinse.workflows import models

    print(models.card(models.find_model(name)))
