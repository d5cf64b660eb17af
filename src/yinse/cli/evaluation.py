"""`yinse eval`: real and synthetic speech of unheard people side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yinse.cli.console import follow, guarded, note


@guarded
def evaluate(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for clips, table.json, table.md, index.html.")],
    *,
    data: Annotated[Path | None, typer.Option("--data", help="Folder with splits.json and packs of speech.")] = None,
    condition: Annotated[
        list[str] | None, typer.Option("--condition", help="at-once, tuned or copy; repeat it. Else the first two.")
    ] = None,
    sentences: Annotated[
        int, typer.Option("--sentences", help="Per English person; twice as many per Mandarin person.")
    ] = 6,
    reference_s: Annotated[float, typer.Option("--seconds", help="How much of a person is heard for cloning.")] = 60.0,
    stress: Annotated[bool, typer.Option("--stress", help="Speak the stress sentences too.")] = False,
    stress_sentences: Annotated[
        int | None,
        typer.Option(help="Stress sentences per language, beyond 100 composed ones; else the 100 written ones."),
    ] = None,
    voice: Annotated[str | None, typer.Option("--voice", help="Whose voice speaks the stress sentences.")] = None,
    peer: Annotated[
        tuple[Path, Path] | None, typer.Option("--peer", help="Kokoro's kit and its home: its rows stand beside ours.")
    ] = None,
    reuse: Annotated[
        list[Path] | None, typer.Option("--reuse", help="Earlier output folder whose judgements are taken over.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed")] = 1,
    recogniser: Annotated[
        str, typer.Option("--recogniser", help="Folder or cached name of a faster-whisper model.")
    ] = "base",
    model: Annotated[Path | None, typer.Option("--model", help="Folder of a model set; else the shipped one.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
) -> None:
    """Measure the models on people they have never heard (extra eval)."""
    from yinse.evaluate.harness import Judges
    from yinse.evaluate.kokoro import KokoroConfig
    from yinse.evaluate.naturalness import Dnsmos
    from yinse.evaluate.page import markdown
    from yinse.evaluate.plan import AT_ONCE, COPY, TUNED, PlanConfig
    from yinse.evaluate.recogniser import Whisper
    from yinse.evaluate.speaker_judge import Resemblyzer
    from yinse.workflows.evaluate import EvaluationRequest, native_copier
    from yinse.workflows.evaluate import evaluate as measure
    from yinse.workflows.native import load_engine

    conditions = tuple(condition or (AT_ONCE, TUNED))
    request = EvaluationRequest(
        output=output,
        data=data,
        conditions=conditions,
        plan=PlanConfig(sentences={"en": sentences, "zh": 2 * sentences}, reference_s=reference_s),
        peer=KokoroConfig(*peer) if peer else None,
        stress=stress,
        stress_sentences=stress_sentences,
        stress_voice=voice,
        seed=seed,
        reuse=tuple(reuse or ()),
    )
    judges = Judges(Whisper(recogniser), Resemblyzer(), Dnsmos())
    copier = native_copier(model, seed=seed) if COPY in conditions else None
    report = follow(measure(request, engine=load_engine(model), judges=judges, copier=copier))
    if json:
        print((output / "table.json").read_text(encoding="utf-8"))
    else:
        print(markdown(report))
    missed = [requirement.name for requirement in report.requirements if not requirement.is_met]
    if missed:
        note(f"not reached: {'; '.join(missed)}")
