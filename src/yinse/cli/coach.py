"""`yinse prompts`, and what `yinse check` says of a corpus or a voice."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yinse.cli.console import follow, guarded, note, show_json

if TYPE_CHECKING:
    from rich.table import Table

    from yinse.audio.quality import QualityLimits
    from yinse.corpus.coverage import TextCoverage
    from yinse.corpus.prosody_range import ProsodyReport
    from yinse.corpus.report import CoverageReport
    from yinse.workflows.check import CheckedRecording
    from yinse.workflows.coach import CoachTools

_BAR = 16
_DEFAULT_COUNT = 20
_BAD_SHOWN = 10


@guarded
def prompts(
    language: Annotated[str | None, typer.Option("--language", help="zh or en; else that of the voice.")] = None,
    *,
    count: Annotated[int | None, typer.Option("-n", "--count", min=1, help="How many; 20 without --seconds.")] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=5.0, help="A script of so many seconds; 60 is a good first one.")
    ] = None,
    corpus: Annotated[
        list[Path] | None, typer.Option("--corpus", help="What was recorded already: recordings, folder, list or text.")
    ] = None,
    voice: Annotated[str | None, typer.Option("--voice", help="A tuned voice: what it lacks and does badly.")] = None,
    own: Annotated[
        Path | None, typer.Option("-f", "--file", help="Choose from your own sentences, one a line.")
    ] = None,
    losses: Annotated[Path | None, typer.Option("--losses", help="Held-out losses by phoneme and type, JSON.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Propose sentences to record next."""
    from yinse.core.errors import ConfigError
    from yinse.corpus.losses import losses_of_figures, read_losses
    from yinse.corpus.spoken_units import Unit
    from yinse.corpus.voice_units import units_of_figures
    from yinse.voices.store import VoiceStore
    from yinse.workflows.coach import PromptRequest, propose_prompts, units_of_corpus
    from yinse.workflows.transcripts import read_text

    have: dict[Unit, int] = {}
    weak = read_losses(losses) if losses else None
    if voice is not None:
        person = VoiceStore().find(voice).read()
        language = language or person.languages[0]
        said = units_of_figures(person.figures)
        if said is None:
            note(f"warning: {voice}: what was said in its recordings is not known")
        else:
            have = dict(said.units)
        weak = weak or losses_of_figures(person.figures)
    if language is None:
        raise ConfigError("in which language?", advice="Use --language zh or en.")
    if corpus:
        have = dict(units_of_corpus(corpus, language=language))
    if count is None and seconds is None:
        count = _DEFAULT_COUNT
    request = PromptRequest(
        language=language,
        count=count,
        seconds=seconds,
        own=read_text(own).splitlines() if own else None,
        have=have,
        losses=weak,
    )
    chosen = follow(propose_prompts(request))
    if json:
        show_json(chosen)
        return
    for number, prompt in enumerate(chosen, 1):
        print(f"{number:3}. {prompt.text}")
        print(f"     {' | '.join(filter(None, (prompt.cue, prompt.adds and f'adds {prompt.adds}')))}")


def is_corpus(paths: Sequence[Path], text: Path | None) -> bool:
    """Whether `yinse check` is asked about a corpus or a voice rather than about one recording."""
    return (
        text is not None
        or len(paths) > 1
        or any(path.is_dir() or path.suffix.lower() in (".list", ".txt") or _is_voice(path) for path in paths)
    )


def _is_voice(path: Path) -> bool:
    from yinse.core.errors import YinseError
    from yinse.voices.store import VoiceStore

    if path.exists():
        return False
    with contextlib.suppress(YinseError):
        VoiceStore().find(str(path))
        return True
    return False


def report_corpus(
    paths: Sequence[Path],
    *,
    text: Path | None,
    language: str | None,
    recogniser: str,
    limits: QualityLimits,
    html: Path | None,
    json: bool,
) -> None:
    """Quality, coverage, prosody, findings and prompts of a corpus or a voice: as tables, JSON, or a page."""
    from yinse.core.errors import BadAudio, QualityGateError
    from yinse.voices.store import VoiceStore
    from yinse.workflows.check import check_recordings
    from yinse.workflows.coach import QUALITY_RECORDINGS, check_corpus, check_voice
    from yinse.workflows.corpus_files import read_corpus

    checked: tuple[CheckedRecording, ...] = ()
    report: CoverageReport
    if len(paths) == 1 and _is_voice(paths[0]):
        report = check_voice(VoiceStore().find(str(paths[0])).read(), language=language)
    else:
        recordings = [item.audio for item in read_corpus(paths, text) if item.audio]
        if recordings:
            checked = follow(check_recordings(recordings[:: -(-len(recordings) // QUALITY_RECORDINGS)], limits=limits))
        report = follow(check_corpus(paths, tools=_tools(recogniser), language=language, listing=text))
    if html is not None:
        from yinse.core.files import WholeFile
        from yinse.workflows.corpus_report import corpus_page

        with WholeFile(html) as file:
            file.write(corpus_page(report).encode())
        note(f"page: {html}")
    if json:
        recordings_told = [{"path": one.path, "report": one.report, "problem": one.problem} for one in checked]
        show_json({"recordings": recordings_told, "coverage": report})
    else:
        _show_quality(checked)
        _show(report)
    if any(one.report is None for one in checked):
        raise SystemExit(BadAudio.exit_code)
    if any(one.report.verdict == "refused" for one in checked if one.report):
        raise SystemExit(QualityGateError.exit_code)


def _tools(recogniser: str) -> CoachTools:
    """The models if they are here, and the recogniser, made when it is needed."""
    from yinse.core.errors import YinseError
    from yinse.corpus.transcriber import FasterWhisper
    from yinse.workflows.coach import CoachTools
    from yinse.workflows.native import load_engine

    engine = None
    try:
        engine = load_engine()
    except YinseError as error:
        note(f"warning: without the models: {error.what}")
    return CoachTools(engine=None if engine is None else lambda: engine, transcriber=lambda: FasterWhisper(recogniser))


def _show_quality(checked: Sequence[CheckedRecording]) -> None:
    """Verdicts in one line, then what is wrong with which recording."""
    if not checked:
        return
    verdicts = Counter(one.report.verdict if one.report else "unreadable" for one in checked)
    told = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    print(f"quality of {len(checked)} recordings: {told}")
    bad = [one for one in checked if one.report is None or one.report.verdict != "good"]
    for one in bad[:_BAD_SHOWN]:
        print(f"  {one.path.name}: {one.problem if one.report is None else '; '.join(one.report.reasons)}")
    if len(bad) > _BAD_SHOWN:
        print(f"  and {len(bad) - _BAD_SHOWN} more")


def _show(report: CoverageReport) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    console.print(f"[bold]{escape(report.subject)}[/bold] ({report.language})")
    if report.recordings:
        console.print(f"{report.recordings} recordings, {report.recorded_s / 60:.1f} minutes")
    if report.text:
        console.print(_sounds(report.text))
        console.print(_shares(report.text))
    if report.mix:
        console.print(
            f"language: {report.mix.verdict}, {report.mix.other_share:.1%} of the words are not {report.mix.main}"
        )
    if report.prosody:
        console.print(_prosody(report.prosody))
    if report.speakers:
        spread = report.speakers
        console.print(f"speaker vector over {spread.segments} segments: mean likeness {spread.mean:.3f},")
        console.print(
            f"  lowest {spread.lowest:.3f}; one against another {spread.single_pair:.3f}, "
            f"half against half {spread.half_averages:.3f}"
        )
    for what in report.unseen:
        console.print(f"not seen: {escape(what)}")
    for finding in report.findings:
        console.print(f"[bold]{finding.severity}[/bold]: {escape(finding.message)}")
        console.print(f"  why: {escape(finding.reason)}{f'. {escape(finding.advice)}' if finding.advice else ''}")
    if report.next_prompts:
        console.print("[bold]record next[/bold]")
        for number, prompt in enumerate(report.next_prompts, 1):
            console.print(f"{number:3}. {escape(prompt.text)}  ({escape(prompt.cue)})")


def _bar(share: float) -> str:
    filled = round(min(max(share, 0.0), 1.0) * _BAR)
    return "█" * filled + "░" * (_BAR - filled)


def _sounds(text: TextCoverage) -> Table:
    from rich.table import Table

    table = Table(title=f"sounds in {text.texts} texts, about {text.speech_s:.0f} s", title_justify="left")
    for column in ("kind", "covered", "", "entropy (ordinary)", "most frequent missing"):
        table.add_column(column, no_wrap=not column)
    for kind in text.kinds:
        table.add_row(
            kind.kind,
            f"{kind.covered} of {kind.total}",
            _bar(kind.share),
            f"{kind.entropy_bits:.1f} ({kind.natural_entropy_bits:.1f}) bits",
            " ".join(kind.missing[:8]),
        )
    return table


def _shares(text: TextCoverage) -> Table:
    from rich.table import Table

    table = Table(title="texts", title_justify="left")
    for column in ("kind", "name", "share", ""):
        table.add_column(column)
    for kind, shares in text.shares.items():
        for place, (name, share) in enumerate(shares.items()):
            table.add_row("" if place else kind, name, f"{share:.0%}", _bar(share))
    return table


def _prosody(prosody: ProsodyReport) -> Table:
    from rich.table import Table

    table = Table(
        title=f"{prosody.utterances} utterances, F0 {prosody.f0_median_hz:.0f} Hz "
        f"({prosody.f0_low_hz:.0f} to {prosody.f0_high_hz:.0f})",
        title_justify="left",
        caption=f"usual: 10 % to 90 % of {prosody.reference}",
    )
    for column in ("measure", "here", "usual", ""):
        table.add_column(column)
    for name, measured in prosody.measures.items():
        value = "-" if measured.value is None else f"{measured.value:.2f}"
        table.add_row(name, value, f"{measured.low:.2f} to {measured.high:.2f}", measured.verdict)
    return table
