"""`yinse models`: list, import, pull, verify and card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yinse.cli.console import follow, guarded, note, show_json

if TYPE_CHECKING:
    from yinse.workflows.models import Imported

app = typer.Typer(
    help="List, import, pull and verify model sets, read their cards.", no_args_is_help=True, rich_markup_mode=None
)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Name = Annotated[str, typer.Argument(help="Name or folder of a model set.")]
Preset = Annotated[
    str, typer.Option("--synthesis", help="recommended, or official: exactly as the published program speaks.")
]
Replace = Annotated[bool, typer.Option("--replace", help="Replace a model of this name.")]


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


@app.command("import")
@guarded
def import_models(
    semantic: Annotated[Path, typer.Argument(metavar="S1.ckpt", help="A semantic GPT, as in GPT_weights.")],
    sovits: Annotated[Path, typer.Argument(metavar="S2.pth", help="A SoVITS, as in SoVITS_weights.")],
    *,
    name: Annotated[str, typer.Option("--name", help="What to call the model.")],
    hubert: Annotated[Path | None, typer.Option("--hubert", help="Folder chinese-hubert-base.")] = None,
    bert: Annotated[Path | None, typer.Option("--bert", help="Folder chinese-roberta-wwm-ext-large.")] = None,
    speaker_verification: Annotated[
        Path | None,
        typer.Option("--speaker-verification", help="ERes2NetV2 .ckpt, for v2Pro and v2ProPlus."),
    ] = None,
    synthesis: Preset = "recommended",
    replace: Replace = False,
    json: Json = False,
) -> None:
    """Take over GPT-SoVITS weights (v1, v2, v2Pro, v2ProPlus); nothing in the files is run."""
    from yinse.workflows import models

    request = models.ImportRequest(
        name=name,
        semantic=semantic,
        sovits=sovits,
        hubert=hubert,
        bert=bert,
        speaker_verification=speaker_verification,
        synthesis={"preset": synthesis},
        replace=replace,
    )
    _show(follow(models.import_models(request)), json=json)


@app.command()
@guarded
def pull(
    name: Annotated[str, typer.Argument(help="gpt-sovits-v1, -v2, -v2pro or -v2proplus.")],
    *,
    mirror: Annotated[
        list[str] | None, typer.Option("--mirror", help="Address that serves the hub's files; may be repeated.")
    ] = None,
    synthesis: Preset = "recommended",
    replace: Replace = False,
    json: Json = False,
) -> None:
    """Fetch a published model with the encoders it needs; broken off, the same command goes on."""
    from yinse.workflows import models

    events = models.pull_models(name, addresses=tuple(mirror or ()), synthesis={"preset": synthesis}, replace=replace)
    _show(follow(events), json=json)


def _show(imported: Imported, *, json: bool) -> None:
    if json:
        show_json({**_plain(imported), "missing": imported.missing})
        return
    for report in imported.reports.values():
        print(
            f"{report.file}: {report.kind}, {report.version}{f', {report.info}' if report.info else ''}: "
            f"{report.tensors} tensors, {len(report.dropped)} for training only, {len(report.unexpected)} unknown"
        )
    print(f"model '{imported.model.name}', {imported.model.fingerprint}")
    for missing in imported.missing:
        note(f"missing: {missing}")
    print(f"try: yinse clone YOUR.wav --name me --model {imported.model.name}")


def _plain(imported: Imported) -> dict[str, Any]:
    return {"name": imported.model.name, "fingerprint": imported.model.fingerprint, "files": dict(imported.reports)}


@app.command()
@guarded
def verify(name: Name = "base", json: Json = False) -> None:
    """Load a model set and check that it is whole, unchanged and fits this version."""
    from yinse.workflows import models

    model = models.find_model(name)
    fingerprint = models.verify(model)
    if json:
        show_json({"name": model.name, "fingerprint": fingerprint, "problem": None})
    else:
        print(f"{model.name}: good, {fingerprint}")


@app.command()
@guarded
def card(name: Name = "base") -> None:
    """Print a model card: data, figures, limits, licences."""
    from yinse.workflows import models

    print(models.card(models.find_model(name)))
