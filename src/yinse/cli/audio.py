"""`yinse prep` and `yinse check`: recordings cleaned, cut, and judged."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yinse.cli import coach
from yinse.cli.console import follow, guarded, note, show_json

if TYPE_CHECKING:
    from yinse.audio.options import CleaningOptions
    from yinse.workflows.check import CheckedRecording
    from yinse.workflows.prep import PrepResult

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Config = Annotated[Path | None, typer.Option("--config", help="Options as a .json or .toml file, see --schema.")]
Denoise = Annotated[
    str | None, typer.Option("--denoise", help="deepfilternet, rnnoise, gate or none; else deepfilternet.")
]
Strength = Annotated[
    float | None, typer.Option("--strength", help="Of the denoiser, 0 to 1; else as the noise calls for.")
]
NoiseFrom = Annotated[
    str | None, typer.Option("--noise-from", help="Passage without speech for the gate, such as 0:0.5 (seconds).")
]


def _options(config: Path | None, **changes: Any) -> CleaningOptions:
    """The options of `yinse prep`, then those of a file, then those of the command line."""
    from yinse.audio.options import PREPARATION, load_options, options_from

    given = {name: value for name, value in changes.items() if value is not None}
    base = PREPARATION if config is None else load_options(config)
    return options_from(given, base=base) if given else base


def _passage(text: str | None) -> tuple[float, float] | None:
    from yinse.core.errors import ConfigError

    if text is None:
        return None
    start, _, end = text.partition(":")
    try:
        return float(start), float(end)
    except ValueError as error:
        raise ConfigError(f"'{text}' is no passage", advice="Use start:end in seconds, such as 0:0.5.") from error


def _stop_like_ctrl_c(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


@guarded
def prep(
    audio: Annotated[list[Path] | None, typer.Argument(help="Recordings, or folders of them.")] = None,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the corpus.")] = Path("corpus"),
    jobs: Annotated[int, typer.Option("--jobs", help="Processes.")] = 1,
    config: Config = None,
    denoise: Denoise = None,
    strength: Strength = None,
    noise_from: NoiseFrom = None,
    rate_hz: Annotated[int | None, typer.Option("--rate", help="Samples per second; else 32000.")] = None,
    speaker: Annotated[str | None, typer.Option("--speaker", help="Who speaks; else the folder's name.")] = None,
    language: Annotated[str | None, typer.Option("--language", help="zh or en, for the lists.")] = None,
    text: Annotated[
        Path | None, typer.Option("--text", help="What is said: name<TAB>text; else NAME.txt beside each.")
    ] = None,
    best_s: Annotated[
        float | None, typer.Option("--best", help="Keep only the cleanest utterances, this many seconds in all.")
    ] = None,
    export: Annotated[
        list[str] | None, typer.Option("--export", help="Write a further list too: list, or ljspeech.")
    ] = None,
    cache: Annotated[Path | None, typer.Option("--cache", help="Where results are kept for the next time.")] = None,
    keep: Annotated[bool, typer.Option("--keep/--no-keep", help="Keep results for the next time.")] = True,
    schema: Annotated[bool, typer.Option("--schema", help="Print the schema of --config and stop.")] = False,
    json: Json = False,
) -> None:
    """Make a corpus: clean recordings, cut them into utterances, list them."""
    from yinse.audio.options import options_schema
    from yinse.core.errors import BadAudio, ConfigError, QualityGateError
    from yinse.workflows.prep import PrepRequest, prepare_corpus

    if schema:
        show_json(options_schema())
        return
    if not audio:
        raise ConfigError("there are no recordings", advice="Name at least one audio file or folder.")
    options = _options(config, denoise=denoise, strength=strength, noise_from=_passage(noise_from), rate_hz=rate_hz)
    request = PrepRequest(
        audio=tuple(audio),
        output=output,
        options=options,
        jobs=jobs,
        speaker=speaker,
        language=language or "",
        text=text,
        best_s=best_s,
        exports=tuple(export or ()),
        cache=cache,
        keep=keep,
    )
    signal.signal(signal.SIGTERM, _stop_like_ctrl_c)
    try:
        result: PrepResult = follow(prepare_corpus(request))
    except KeyboardInterrupt:
        note("the same command goes on where it was")
        raise
    if json:
        show_json(result)
    else:
        _print_summary(result)
    if result.utterances == 0:
        refused = result.counts.get("refused", 0)
        raise SystemExit(QualityGateError.exit_code if refused else BadAudio.exit_code)


def _print_summary(result: PrepResult) -> None:
    counts = ", ".join(
        f"{result.counts.get(status, 0)} {status}" for status in ("accepted", "repaired", "refused", "unreadable")
    )
    print(f"{sum(result.counts.values())} recordings: {counts}")
    print(f"{result.utterances} utterances, {result.speech_s / 60:.1f} minutes, in {result.folder}")
    if result.unchosen:
        print(f"{result.unchosen} more utterances were less clean and left out")
    for outcome in result.outcomes:
        if outcome.status in ("refused", "unreadable"):
            print(f"  {outcome.path}: {outcome.status}: {'; '.join(outcome.reasons)}. {outcome.advice}".rstrip())


@guarded
def check(
    paths: Annotated[
        list[Path],
        typer.Argument(help="A recording; or a folder, several files, a list, texts, or the name of a voice."),
    ],
    *,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page: about one recording, or about what a corpus covers.")
    ] = None,
    text: Annotated[Path | None, typer.Option("--text", help="What is said: name<TAB>text, or a line each.")] = None,
    language: Annotated[str | None, typer.Option("--language", help="zh or en; else told by the texts.")] = None,
    recogniser: Annotated[
        str, typer.Option("--recogniser", help="faster-whisper model that hears recordings without text (extra asr).")
    ] = "base",
    config: Config = None,
    denoise: Denoise = None,
    json: Json = False,
) -> None:
    """Tell how good recordings are, what a corpus or voice covers and lacks, and what to record next."""
    from yinse.core.errors import BadAudio, QualityGateError
    from yinse.workflows.check import check_recordings
    from yinse.workflows.check_page import write_check_page

    options = _options(config, denoise=denoise)
    if coach.is_corpus(paths, text):
        coach.report_corpus(
            paths, text=text, language=language, recogniser=recogniser, limits=options.limits, html=html, json=json
        )
        return
    checked: tuple[CheckedRecording, ...] = follow(
        check_recordings(paths, limits=options.limits, denoise=options.denoise)
    )
    if html is not None and checked[0].report is not None:
        follow(write_check_page(paths[0], html, options=options))
    if json:
        show_json([{"path": c.path, "report": c.report, "problem": c.problem} for c in checked])
    else:
        for one in checked:
            _print_report(one)
    if any(one.report is None for one in checked):
        raise SystemExit(BadAudio.exit_code)
    if any(one.report.verdict == "refused" for one in checked if one.report):
        raise SystemExit(QualityGateError.exit_code)


def _print_report(one: CheckedRecording) -> None:
    report = one.report
    if report is None:
        print(f"{one.path}: unusable: {one.problem}")
        return
    print(
        f"{one.path}: {report.verdict}: {report.speech_s:.1f} s of speech, noise {report.snr_db:.0f} dB below, "
        f"up to {report.bandwidth_hz / 1000:.1f} kHz, {report.loudness_lufs:.0f} LUFS"
    )
    for line in (*(report.reasons if report.verdict != "good" else ()), report.advice):
        if line:
            print(f"  {line}")
