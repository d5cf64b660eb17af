"""`yinse voices`: list, show, verify and forget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from yinse.cli.console import for_people, guarded, note, show_json

if TYPE_CHECKING:
    from yinse.voices.store import StoredVoice

app = typer.Typer(help="List, show, verify and forget voices.", no_args_is_help=True, rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Name = Annotated[str, typer.Argument(help="Name of a voice.")]


def _summary(entry: StoredVoice) -> dict[str, Any]:
    return {**entry.card.model_dump(), "builtin": entry.is_builtin, "file": str(entry.file)}


@app.command("list")
@guarded
def list_voices(json: Json = False) -> None:
    """List all voices."""
    from yinse.voices.store import VoiceStore

    store = VoiceStore()
    entries = store.entries()
    if json:
        show_json([_summary(entry) for entry in entries])
    else:
        for entry in entries:
            kind = "built-in" if entry.is_builtin else entry.card.created[:10]
            print(f"{entry.card.name}\t{', '.join(entry.card.languages)}\t{kind}")
    for error in store.damaged():
        note(f"warning: {error}")


@app.command()
@guarded
def show(name: Name, json: Json = False) -> None:
    """Show what is known about a voice."""
    from yinse.voices.store import VoiceStore

    entry = VoiceStore().find(name)
    voice = entry.read()
    sizes = {tensor: list(values.shape) for tensor, values in voice.tensors.items()}
    figures = for_people(entry.card.figures)
    summary = {**_summary(entry), "figures": figures, "tuned": voice.is_tuned, "tensors": sizes}
    if json:
        show_json(summary)
        return
    for key, value in summary.items():
        if key != "tensors":
            print(f"{key.replace('_', ' ')}: {value}")
    print(f"tensors: {len(sizes)}, {sum(values.nbytes for values in voice.tensors.values()) / 2**10:.0f} KiB")


@app.command()
@guarded
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Names of voices; else all.", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Check that voices are whole and unchanged, and fit the shipped models."""
    from yinse.core.errors import YinseError
    from yinse.voices.store import VoiceStore
    from yinse.workflows.models import SHIPPED, find_models

    store = VoiceStore()
    entries = [store.find(name) for name in names] if names else store.entries()
    problems: dict[str, str | None] = {} if names else {str(e.where): e.what for e in store.damaged()}
    fingerprints = [model.fingerprint for model in find_models() if model.name == SHIPPED]
    for entry in entries:
        try:
            voice = entry.read()
            fits = not fingerprints or voice.model_fingerprint in fingerprints
            problems[entry.card.name] = None if fits else "it was made for other models"
        except YinseError as error:
            problems[entry.card.name] = error.what
    if json:
        show_json([{"name": name, "problem": problem} for name, problem in problems.items()])
    else:
        for name, problem in problems.items():
            print(f"{name}: {problem or 'good'}")
    if any(problems.values()):
        raise SystemExit(1)


@app.command()
@guarded
def forget(
    name: Name, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False, json: Json = False
) -> None:
    """Delete a voice for good."""
    from yinse.voices.store import VoiceStore

    store = VoiceStore()
    store.find(name)
    if not yes and not typer.confirm(f"Delete the voice '{name}' for good?", err=True):
        raise SystemExit(1)
    path = store.forget(name)
    if json:
        show_json({"forgotten": name, "path": path})
    else:
        print(f"forgotten: {name}")
