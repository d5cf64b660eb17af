"""`yinse convert`: a recording said again in another voice."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yinse.cli.console import follow, guarded, note, show_json
from yinse.cli.text import Language

if TYPE_CHECKING:
    from yinse.workflows.convert import Converted

Precision = Annotated[
    str | None,
    typer.Option("--precision", help="Of GPT-SoVITS models: fp32, bf16 or int8; else as the model's folder chooses."),
]


@guarded
def convert(
    audio: Annotated[Path, typer.Argument(help="A recording of one person.")],
    *,
    voice: Annotated[str | None, typer.Option("--voice", help="Whose voice; else a built-in one.")] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help=".wav, .flac, .ogg, .opus or .mp3; as long as the recording.")
    ] = Path("converted.wav"),
    text: Annotated[
        Path | None,
        typer.Option("--text", help="What is said: clearer than what is heard; else NAME.txt, or the recogniser."),
    ] = None,
    language: Language = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same samples.")] = 0,
    model: Annotated[
        str | None, typer.Option("--model", help="Name or folder of a model set; else the voice's, or the shipped one.")
    ] = None,
    precision: Precision = None,
    recogniser: Annotated[
        str | None,
        typer.Option(
            "--recogniser",
            help="Folder or cached name of a faster-whisper model (extra asr) that tells the words where no text does;"
            " GPT-SoVITS, which needs them, else asks the model 'base'.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Say a recording again in another voice, with its timing."""
    from yinse.corpus.transcriber import FasterWhisper
    from yinse.voices.store import VoiceStore
    from yinse.workflows.convert import ConvertRequest, convert_recording, recogniser_asked
    from yinse.workflows.engines import load_engine

    request = ConvertRequest(audio=audio, text=text, language=language, seed=seed)
    chosen = VoiceStore().get_or_default(voice)
    engine = load_engine(model, voice=chosen, precision=precision)
    asked = recogniser_asked(recogniser, engine)
    converted: Converted = follow(
        convert_recording(
            request,
            chosen,
            engine=engine,
            transcriber=functools.partial(FasterWhisper, asked) if asked else None,
            output=output,
        )
    )
    if json:
        duration_s = round(converted.clip.duration_s, 3)
        show_json(
            {
                "voice": chosen.name,
                "audio": output,
                "utterances": converted.utterances,
                "duration_s": duration_s,
            }
        )
    else:
        note(f"{converted.clip.duration_s:.1f} s in the voice of '{chosen.name}'")
