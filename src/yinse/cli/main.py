"""The `yinse` command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yinse.cli import audio, coach, convert, evaluation, models, training, voices
from yinse.cli import text as text_command
from yinse.cli.console import follow, for_people, guarded, note, show_json
from yinse.cli.text import Language, LexiconFile, TextArgument, TextFile

if TYPE_CHECKING:
    from yinse.voices.voice import Voice
    from yinse.workflows.clone import CloneResult
    from yinse.workflows.engine import Engine

app = typer.Typer(
    help="From one minute of a person's recording to speech in that voice, in English and Mandarin.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help starts in half the time
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(voices.app, name="voices")
app.add_typer(models.app, name="models")
app.add_typer(training.app, name="train")

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Model = Annotated[
    str | None, typer.Option("--model", help="Name or folder of a model set; else the voice's, or the shipped one.")
]
Recogniser = Annotated[
    str, typer.Option("--recogniser", help="Folder or cached name of a faster-whisper model (extra asr).")
]


def _show_version(wanted: bool) -> None:
    if wanted:
        from yinse import __version__

        print(f"yinse {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where a bug happened.")] = False,
) -> None:
    """From one minute of a person's recording to speech in that voice, in English and Mandarin."""


def _engine(model: str | None, *, voice: Voice | None = None, precision: str | None = None) -> Engine:
    from yinse.workflows.engines import load_engine

    return load_engine(model, voice=voice, precision=precision)


def _transcriber(recogniser: str) -> Callable[[], Any]:
    from yinse.corpus.transcriber import FasterWhisper

    return lambda: FasterWhisper(recogniser)


@app.command()
@guarded
def say(
    text: TextArgument = None,
    *,
    file: TextFile = None,
    voice: Annotated[str | None, typer.Option("--voice", help="Whose voice; else a built-in one.")] = None,
    output: Annotated[
        str, typer.Option("-o", "--output", help=".wav, .flac, .ogg, .opus or .mp3; - is a WAV on standard output.")
    ] = "out.wav",
    language: Language = None,
    speed: Annotated[float, typer.Option("--speed", help="1 as the voice speaks, 0.25 to 4.")] = 1.0,
    pitch: Annotated[float, typer.Option("--pitch", help="Semitones, -12 to 12.")] = 0.0,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same samples.")] = 0,
    lexicon: LexiconFile = None,
    style: Annotated[
        Path | None, typer.Option("--style", help="A recording whose manner is taken on, its text in NAME.txt.")
    ] = None,
    captions: Annotated[Path | None, typer.Option("--captions", help="Write .srt or .vtt captions.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write phonemes with their times as JSON.")] = None,
    model: Model = None,
    precision: convert.Precision = None,
    recogniser: Recogniser = "base",
    json: Json = False,
) -> None:
    """Speak a text of any length."""
    from yinse.core.types import SpeakRequest
    from yinse.voices.store import VoiceStore
    from yinse.workflows.say import SpeakOutputs, speak
    from yinse.workflows.style import find_style

    whole = text_command.given_text(text, file)
    request = SpeakRequest(
        whole,
        language=language,
        speed=speed,
        pitch_semitones=pitch,
        seed=seed,
        lexicon=text_command.given_lexicon(lexicon),
    )
    is_pipe = output == "-"
    outputs = SpeakOutputs(audio=sys.stdout.buffer if is_pipe else Path(output), captions=captions, report=report)
    chosen = VoiceStore().get_or_default(voice)
    engine = _engine(model, voice=chosen, precision=precision)
    manner = None if style is None else find_style(style, engine=engine, transcriber=_transcriber(recogniser))
    spoken = follow(speak(request, chosen, engine=engine, outputs=outputs, style=manner))
    summary = {
        "voice": chosen.name,
        "audio": output,
        "sentences": spoken.sentences,
        "duration_s": round(spoken.duration_s, 3),
        "took_s": round(spoken.took_s, 3),
        "first_audio_s": round(spoken.first_audio_s, 3),
    }
    if json and not is_pipe:
        show_json(summary)
    else:
        note(f"{spoken.duration_s:.1f} s of speech in {spoken.took_s:.1f} s")


app.command()(text_command.phonemes)


@app.command()
@guarded
def clone(
    audio: Annotated[list[Path], typer.Argument(help="Recordings of one person, or folders of them.")],
    *,
    name: Annotated[str, typer.Option("--name", help="What to call the voice.")],
    text: Annotated[
        Path | None,
        typer.Option("--text", help="What is said: a line per recording, or name<TAB>text; else NAME.txt beside each."),
    ] = None,
    language: Language = None,
    tune: Annotated[
        bool | None,
        typer.Option("--tune/--no-tune", help="Adapt the models too, also without a text; else if it is known."),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a voice of this name.")] = False,
    model: Model = None,
    recogniser: Recogniser = "base",
    json: Json = False,
) -> None:
    """Make a voice from a minute of recordings."""
    from yinse.core.errors import ConfigError
    from yinse.voices.store import VoiceStore
    from yinse.workflows.clone import CloneRequest, CloneTools, clone_voice

    if language not in (None, "zh", "en"):
        raise ConfigError(f"language '{language}' is unknown", advice="Use zh or en.")
    request = CloneRequest(audio=tuple(audio), name=name, text=text, language=language, tune=tune, replace=replace)
    tools = CloneTools(_transcriber(recogniser))
    try:
        result = follow(clone_voice(request, engine=_engine(model), store=VoiceStore(), tools=tools))
    except KeyboardInterrupt:
        note("nothing was saved; the same command goes on where the tuning was")
        raise
    if json:
        show_json(_clone_summary(result))
        return
    print(f"voice '{name}' from {result.speech_s:.0f} s in {result.pieces} utterances")
    for line in _figure_lines(result.voice.figures):
        print(f"  {line}")
    print(f'try: yinse say "Hello." --voice {name}')


def _figure_lines(figures: Mapping[str, float]) -> Iterator[str]:
    """Figures before and after tuning side by side, then the others."""
    for name, value in for_people(figures).items():
        title = name.replace("_", " ")
        if name.endswith("_before"):
            title = title.removesuffix(" before")
            yield f"{title}: {value:.3f} -> {figures[name.removesuffix('before') + 'after']:.3f}"
        elif not name.endswith("_after"):
            yield f"{title}: {value:g}"


def _clone_summary(result: CloneResult) -> dict[str, Any]:
    return {
        "name": result.voice.name,
        "id": result.voice.id,
        "path": result.path,
        "languages": result.voice.languages,
        "tuned": result.voice.is_tuned,
        "figures": for_people(result.voice.figures),
        "utterances": result.pieces,
        "utterances_with_text": result.transcribed,
        "speech_s": round(result.speech_s, 2),
        "recordings": [
            {
                "path": path,
                "before": recording.report_before,
                "after": recording.report_after,
                "steps": recording.steps,
            }
            for path, recording in result.recordings.items()
        ],
        "warnings": result.warnings,
    }


app.command()(convert.convert)
app.command()(audio.prep)
app.command()(audio.check)
app.command()(coach.prompts)
app.command("eval")(evaluation.evaluate)


@app.command()
@guarded
def demo(
    recording: Annotated[Path | None, typer.Argument(help="A minute of you, its text in NAME.txt.")] = None,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for what is made.")] = Path("demo-output"),
    tune: Annotated[bool, typer.Option("--tune/--no-tune", help="Adapt the models to the voice.")] = True,
    model: Model = None,
    recogniser: Recogniser = "base",
    json: Json = False,
) -> None:
    """Hear it: built-in voices, then a noisy minute cleaned, cloned and speaking."""
    from yinse.voices.store import VoiceStore
    from yinse.workflows.clone import CloneTools
    from yinse.workflows.demo import run_demo

    tools = CloneTools(_transcriber(recogniser))
    result = follow(
        run_demo(recording, engine=_engine(model), store=VoiceStore(), tools=tools, output=output, tune=tune)
    )
    if json:
        show_json(result)
        return
    for name, value in result.figures.items():
        print(f"{name}: {value:.2f}")
    print(f"listen: {output}/builtin-en.wav, then cleaned.wav beside your recording, then {output}/new-*.wav")


@app.command()
@guarded
def doctor(json: Json = False) -> None:
    """Show versions, threads, models and voices, and what does not work."""
    from yinse.workflows.doctor import diagnose

    found = diagnose()
    if json:
        show_json(found)
    else:
        print("versions: " + ", ".join(f"{name} {version}" for name, version in found.versions.items()))
        print(f"processor: {found.processor_cores} cores, torch uses {found.torch_threads}, {', '.join(found.devices)}")
        print(f"home: {found.home} ({found.free_bytes / 2**30:.1f} GiB free)")
        print(f"model: {found.model or 'none'}")
        print(f"voices: {', '.join(found.voices) or 'none'}")
        print("extras: " + ", ".join(f"{name} {'yes' if here else 'no'}" for name, here in found.extras.items()))
        for problem in found.problems:
            print(f"problem: {problem}")
    if found.problems:
        raise SystemExit(1)


def main() -> None:
    """Entry point of the `yinse` program."""
    app(prog_name="yinse")
