"""The coach's report as one page: charts of what is covered, to be looked at rather than read.

The page stands alone (no scripts, no other files), shows every number as text beside its colour, and escapes whatever
came from file names, transcripts and prompts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files

from yinse.corpus import spoken_units as su
from yinse.corpus.coverage import KindCoverage, TextCoverage
from yinse.corpus.inventory import ENGLISH_PHONEMES, mandarin_inventory
from yinse.corpus.prosody_range import ProsodyReport
from yinse.corpus.report import CoverageReport
from yinse.corpus.speaker_spread import SpeakerSpread
from yinse.text.symbols import ARPABET_CONSONANTS, ARPABET_VOWELS, FINALS, INITIALS

_SHADES = 5
_WRITTEN_FINALS = {
    "i0": "i (z c s)",
    "ir": "i (zh ch sh r)",
    "v": "ü",
    "ve": "üe",
    "van": "üan",
    "vn": "ün",
    "E": "e (y)",
    "En": "an (y)",
}
_WRITTEN_INITIALS = {"AA": "a…", "EE": "e…", "OO": "o…"}


def corpus_page(report: CoverageReport) -> str:
    """The report as an HTML page."""
    style = files("yinse.workflows").joinpath("corpus_report.css").read_text(encoding="utf-8")
    title = f"Coverage of {report.subject}"
    body = "\n".join(_sections(report))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _sections(report: CoverageReport) -> Iterator[str]:
    yield _summary(report)
    if report.findings:
        yield _table(
            "What to do",
            ("severity", "finding", "why", "advice"),
            ((f.severity, f.message, f.reason, f.advice) for f in report.findings),
        )
    if report.next_prompts:
        yield _table(
            "Record next",
            ("sentence", "how", "adds"),
            ((p.text, p.cue, p.adds) for p in report.next_prompts),
        )
    if report.text:
        yield _table(
            "Sounds",
            ("kind", "covered", "share", "entropy, bits", "ordinary sentences, bits", "most frequent missing"),
            (
                (
                    kind.kind,
                    f"{kind.covered} of {kind.total}",
                    f"{kind.share:.0%}",
                    f"{kind.entropy_bits:.2f}",
                    f"{kind.natural_entropy_bits:.2f}",
                    " ".join(kind.missing[:12]),
                )
                for kind in report.text.kinds
            ),
        )
        yield _pinyin_chart(report.text) if report.language == "zh" else _phoneme_charts(report.text)
        yield _shares(report.text)
    if report.prosody:
        yield _prosody(report.prosody)
    if report.speakers:
        yield _speakers(report.speakers)


def _summary(report: CoverageReport) -> str:
    lines = [f"Language: {report.language}"]
    if report.recordings:
        lines.append(f"{report.recordings} recordings, {report.recorded_s / 60:.1f} minutes")
    if report.text:
        text = report.text
        spoken = f"{text.syllables} syllables of Mandarin, {text.words} English words"
        lines.append(f"{text.texts} texts, about {text.speech_s:.0f} s of speech, {spoken}")
    if report.mix:
        lines.append(
            f"Language mix: {report.mix.verdict}; {report.mix.other_share:.1%} of the words are not {report.mix.main}"
        )
    lines += [f"Not seen: {what}" for what in report.unseen]
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        "<tr>"
        + f'<th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<h2>{escape(caption)}</h2>\n<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _shade(count: int, most: int) -> int:
    """Shade 0 (never) to 5 of a count, on a logarithmic scale."""
    return 0 if count == 0 else 1 + min(_SHADES - 1, int((_SHADES - 1) * math.log1p(count) / math.log1p(max(most, 2))))


def _pinyin_chart(text: TextCoverage) -> str:
    """Initials down, finals across; in each cell the count and the tones that occur; hatched: no such syllable."""
    toned = text.kind(su.TONED).counts
    syllables: dict[tuple[str, str], str] = {}
    common = mandarin_inventory().common
    for syllable in mandarin_inventory().by_symbols.values():
        if any(f"{syllable.toneless}{tone}" in common for tone in "12345"):
            syllables.setdefault((syllable.initial, syllable.final), syllable.toneless)
    most = max((sum(toned.get(f"{name}{tone}", 0) for tone in "12345") for name in syllables.values()), default=1)
    rows = []
    for initial in INITIALS:
        cells = "".join(_pinyin_cell(syllables.get((initial, final)), toned, common, most) for final in FINALS)
        rows.append(f'<tr><th scope="row">{escape(_WRITTEN_INITIALS.get(initial, initial))}</th>{cells}</tr>')
    columns = "".join(f'<th scope="col">{escape(_WRITTEN_FINALS.get(final, final))}</th>' for final in FINALS)
    return (
        "<h2>Pinyin chart</h2>\n<p>Each cell: the syllable, how often it was said, and its tones; tones in brackets "
        "are in everyday use but were never said. Darker is more often; a dotted frame marks what is missing.</p>\n"
        + _chart(columns, rows, corner="initial")
    )


def _chart(columns: str, rows: Sequence[str], *, corner: str, small: bool = False) -> str:
    """A table wider than the page."""
    head = f'<thead><tr><th scope="col">{corner}</th>{columns}</tr></thead>' if columns else ""
    size = " small" if small else ""
    return f'<div class="wide"><table class="chart{size}">{head}<tbody>{"".join(rows)}</tbody></table></div>'


def _pinyin_cell(name: str | None, toned: Mapping[str, int], common: frozenset[str], most: int) -> str:
    if name is None:
        return '<td class="none"><span class="hidden">no such syllable</span></td>'
    count = sum(toned.get(f"{name}{tone}", 0) for tone in "12345")
    tones = "".join(
        tone if toned.get(f"{name}{tone}") else f"({tone})" if f"{name}{tone}" in common else "" for tone in "12345"
    )
    return (
        f'<td class="s{_shade(count, most)}" title="{escape(name)}: {count} times, tones {tones}">'
        f"<b>{escape(name)}</b> {count}<br><small>{tones}</small></td>"
    )


def _phoneme_charts(text: TextCoverage) -> str:
    counts, diphones = text.kind(su.PHONEME).counts, text.kind(su.DIPHONE)
    most = max(counts.values(), default=1)
    parts = ["<h2>Phoneme chart</h2>"]
    for title, names in (("vowels", ARPABET_VOWELS), ("consonants", ARPABET_CONSONANTS)):
        cells = "".join(
            f'<td class="s{_shade(counts.get(n, 0), most)}"><b>{n}</b><br>{counts.get(n, 0)}</td>' for n in names
        )
        parts.append(_chart("", [f'<tr><th scope="row">{title}</th>{cells}</tr>'], corner=""))
    parts.append(_stress(text.kind(su.STRESSED)))
    parts.append(_diphone_chart(diphones))
    return "\n".join(parts)


def _stress(stressed: KindCoverage) -> str:
    return _table(
        "Stress",
        ("vowel", "unstressed", "primary", "secondary"),
        ((v, *(str(stressed.counts.get(f"{v}{stress}", 0)) for stress in "012")) for v in ARPABET_VOWELS),
    )


def _diphone_chart(diphones: KindCoverage) -> str:
    most = max(diphones.counts.values(), default=1)
    columns = "".join(f'<th scope="col">{name}</th>' for name in ENGLISH_PHONEMES)
    rows = []
    for left in ENGLISH_PHONEMES:
        cells = []
        for right in ENGLISH_PHONEMES:
            count = diphones.counts.get(f"{left}-{right}", 0)
            cells.append(f'<td class="s{_shade(count, most)}" title="{left} then {right}: {count}">{count or ""}</td>')
        rows.append(f'<tr><th scope="row">{left}</th>{"".join(cells)}</tr>')
    return (
        "<h3>Diphones</h3>\n<p>The first sound down, the second across; an empty cell was never said.</p>\n"
        + _chart(columns, rows, corner="from, to", small=True)
    )


def _shares(text: TextCoverage) -> str:
    rows = []
    for kind, shares in text.shares.items():
        for name, share in shares.items():
            rows.append(
                f'<tr><th scope="row">{escape(kind)}</th><td>{escape(name)}</td><td>{share:.0%}</td>'
                f'<td><span class="bar" style="width:{min(share, 1.0) * 12:.1f}em"></span></td></tr>'
            )
    head = "".join(f'<th scope="col">{column}</th>' for column in ("kind", "name", "share", "bar"))
    note = f"<p>{text.untagged} of {text.texts} texts are not from the bank: no register, topic or cue is known.</p>"
    return f"<h2>Texts</h2>\n{note}<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _prosody(prosody: ProsodyReport) -> str:
    rows = [
        (name, "not measured" if m.value is None else f"{m.value:.2f}", f"{m.low:.2f} to {m.high:.2f}", m.verdict)
        for name, m in prosody.measures.items()
    ]
    note = (
        f"{prosody.utterances} utterances, {prosody.speech_s:.0f} s of speech, median F0 {prosody.f0_median_hz:.0f} Hz "
        f"(utterances {prosody.f0_low_hz:.0f} to {prosody.f0_high_hz:.0f} Hz). "
        f"Usual: 10th to 90th percentile of {prosody.reference}."
    )
    return _table("How it is spoken", ("measure", "here", "usual", "verdict"), rows) + f"<p>{escape(note)}</p>"


def _speakers(spread: SpeakerSpread) -> str:
    rows = [
        ("segments", str(spread.segments)),
        ("mean likeness to the others", f"{spread.mean:.3f}"),
        ("lowest likeness", f"{spread.lowest:.3f}"),
        ("one segment against another", f"{spread.single_pair:.3f}"),
        ("average of one half against the other", f"{spread.half_averages:.3f}"),
        *((f"apart: {name}", f"{value:.3f}") for name, value in spread.outliers),
    ]
    return _table("Speaker vector", ("what", "cosine"), rows)
