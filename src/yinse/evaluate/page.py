"""The report: a table as JSON and Markdown, and a page with players and spectrograms."""

from __future__ import annotations

import base64
import html
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from yinse.audio.decode import decode
from yinse.core.files import WholeFile
from yinse.core.types import AudioClip
from yinse.evaluate.harness import Item
from yinse.evaluate.misheard import ErrorCount
from yinse.evaluate.requirements import Requirement
from yinse.evaluate.summary import Row

_HEADINGS = (
    "voices", "speak", "condition", "clips", "misheard %", "real %", "S / D / I", "without tones %",
    "similarity: target / others", "normalised", "among all", "nearest %", "detail ratio", "DNSMOS (quartiles)",
    "- real", "F0 / spread / rate, of real", "8-11 kHz dB", "RTF",
)  # fmt: skip
_STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:100em;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:1em 0;font-size:13px}
td,th{border:1px solid #ccc;padding:.25em .5em;text-align:left
;vertical-align:top}th{background:#f4f4f4}.met{color:#064}.missed{color:#a00;font-weight:bold}audio{width:15em}
img{display:block;width:22em}.scroll{overflow-x:auto}h3{margin-top:2em}small{color:#555}"""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that an evaluation found.

    Attributes:
        config: settings, seed, fingerprints: what is needed to repeat it.
        rows: the table.
        requirements: what must be reached.
        items: the clips.
        stress: errors by maker and language.
        notes: warnings, such as sentences left out.
    """

    config: Mapping[str, Any]
    rows: Sequence[Row]
    requirements: Sequence[Requirement]
    items: Sequence[Item]
    stress: Mapping[str, Mapping[str, ErrorCount]] = field(default_factory=dict)
    notes: Sequence[str] = ()


def write_report(report: Report, folder: Path, *, pictures: int = 1) -> list[Path]:
    """Writes `table.json`, `table.md` and `index.html` into the folder of the clips.

    Args:
        report: what was found.
        folder: where the clips lie.
        pictures: sentences per voice and language that are shown with spectrograms; the rest have players only.

    Returns:
        The files written.

    Raises:
        ResourceError: the folder cannot be written.
    """
    contents = {
        "table.json": json.dumps(_table(report), ensure_ascii=False, indent=1),
        "table.md": markdown(report),
        "index.html": _page(report, folder, pictures=pictures),
    }
    for name, text in contents.items():
        with WholeFile(folder / name) as file:
            file.write(text.encode())
    return [folder / name for name in contents]


def markdown(report: Report) -> str:
    """The table and the requirements as Markdown."""
    lines = _markdown_table(_HEADINGS, [_cells(row) for row in report.rows])
    if report.stress:
        lines += ["", *_markdown_table(_STRESS_HEADINGS, _stress_cells(report.stress))]
    if report.requirements:
        cells = [(r.name, _figure(r.value), _limit(r), "yes" if r.is_met else "no") for r in report.requirements]
        lines += ["", *_markdown_table(("figure", "value", "must be", "met"), cells)]
    return "\n".join([*lines, "", *(f"- {note}" for note in report.notes)]).rstrip() + "\n"


_STRESS_HEADINGS = ("stress sentences", "language", "units", "deleted", "inserted", "substituted")


def _markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (headings, ["---"] * len(headings), *rows)]


def _stress_cells(stress: Mapping[str, Mapping[str, ErrorCount]]) -> list[tuple[str, ...]]:
    return [
        (maker, language, *(str(n) for n in (c.units, c.deletions, c.insertions, c.substitutions)))
        for maker, counts in stress.items()
        for language, c in counts.items()
    ]


def _cells(row: Row) -> list[str]:
    similarity = row.similarity
    quartiles = " to ".join(_number(value) for value in row.naturalness_quartiles)
    ratios = (row.f0_ratio, row.f0_spread_ratio, row.rate_ratio)
    return [
        row.group,
        row.language,
        row.condition,
        str(row.clips),
        _percent(row.errors.rate),
        _percent(row.real_errors.rate),
        f"{row.errors.substitutions} / {row.errors.deletions} / {row.errors.insertions}",
        _percent(row.errors_without_tones.rate) if row.language == "zh" else "",
        f"{_number(similarity.target)} / {_number(similarity.others)}" if similarity else "",
        _number(row.normalised),
        _number(row.normalised_among_all),
        _percent(similarity.nearest) if similarity else "",
        _number(row.detail_ratio),
        f"{_number(row.naturalness[0])} ({quartiles})" if math.isfinite(row.naturalness[0]) else "",
        _number(row.naturalness_gap),
        " / ".join(_number(value) or "–" for value in ratios) if math.isfinite(row.f0_ratio) else "",
        _number(row.upper_band_db),
        _number(row.real_time_factor) if row.real_time_factor > 0 else "",
    ]


def _number(value: float) -> str:
    if not math.isfinite(value):
        return ""
    return str(int(value)) if value == int(value) and abs(value) >= 2 else f"{value:.2f}"


def _figure(value: float) -> str:
    """Fine enough to tell which side of a limit it is on."""
    return f"{value:.4g}" if math.isfinite(value) else ""


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _limit(requirement: Requirement) -> str:
    return f"{'≤' if requirement.is_most else '≥'} {_figure(requirement.limit)}"


def _table(report: Report) -> dict[str, Any]:
    return {
        "config": dict(report.config),
        "rows": [{**_finite(asdict(row)), "error_rate": row.errors.rate} for row in report.rows],
        "stress": {m: {lang: asdict(c) for lang, c in counts.items()} for m, counts in report.stress.items()},
        "requirements": [{**_finite(asdict(one)), "is_met": one.is_met} for one in report.requirements],
        "notes": list(report.notes),
    }


def _finite(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _page(report: Report, folder: Path, *, pictures: int) -> str:
    body = ["<h1>Yinse: real and synthetic speech side by side</h1>"]
    if report.requirements:
        rows = "".join(
            f"<tr><td>{html.escape(r.name)}<td>{_figure(r.value)}<td>{_limit(r)}"
            f"<td class={'met' if r.is_met else 'missed'}>{'reached' if r.is_met else 'missed'}"
            for r in report.requirements
        )
        body.append(f"<h2>What must be reached</h2><table><tr><th>figure<th>value<th>must be<th>{rows}</table>")
    body.append(
        f"<h2>Figures</h2><div class=scroll>{_html_table(_HEADINGS, [_cells(row) for row in report.rows])}</div>"
    )
    if report.stress:
        body.append(_html_table(_STRESS_HEADINGS, _stress_cells(report.stress)))
    body += [f"<p><small>{html.escape(note)}</small>" for note in report.notes]
    body.append("<h2>Clips</h2>")
    groups: dict[tuple[str, str], dict[str, list[Item]]] = {}
    for item in report.items:
        sentences = groups.setdefault((item.task.speaker, item.task.language), {})
        sentences.setdefault(item.task.sentence, []).append(item)
    for (speaker, language), sentences in groups.items():
        body.append(f"<h3>{html.escape(speaker)}, {language}</h3>")
        for number, items in enumerate(sentences.values()):
            cells = "".join(f"<td>{_clip(item, folder, picture=number < pictures)}" for item in items)
            body.append(f"<p>{html.escape(items[0].task.text)}<div class=scroll><table><tr>{cells}</table></div>")
    settings = html.escape(json.dumps(dict(report.config), ensure_ascii=False, indent=1))
    body.append(f"<details><summary>Settings</summary><pre>{settings}</pre></details>")
    head = f"<!doctype html><meta charset=utf-8><title>yinse eval</title><style>{_STYLE}</style>"
    return head + "\n".join(body) + "\n"


def _html_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(cell)}" for cell in headings)
    return f"<table><tr>{head}{''.join('<tr>' + ''.join(f'<td>{html.escape(c)}' for c in row) for row in rows)}</table>"


def _clip(item: Item, folder: Path, *, picture: bool) -> str:
    errors = item.errors
    parts = [
        f"<b>{html.escape(item.task.condition)}</b>",
        f'<audio controls preload=none src="{html.escape(item.audio, quote=True)}"></audio>',
        f"<small>heard: {html.escape(item.judgement.heard)}<br>{errors.errors} of {errors.units} misheard</small>",
    ]
    if picture:
        data = base64.b64encode(spectrogram_png(decode(folder / item.audio))).decode()
        parts.append(f'<img alt="spectrogram" src="data:image/png;base64,{data}">')
    return "<br>".join(parts)


def spectrogram_png(clip: AudioClip) -> bytes:
    """Picture of a clip `(S,)`: time against 0 to 12 kHz, 80 dB from black to white."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.4, 1.9), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    size = 512
    samples = np.pad(clip.samples, (0, max(0, size - len(clip.samples))))
    window = np.hanning(size).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[:: max(1, clip.sample_rate_hz // 200)]
    level_db = 20 * np.log10(np.abs(np.fft.rfft(frames * window, axis=1)) + 1e-7)
    axes.imshow(
        level_db.T,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=level_db.max() - 80,
        vmax=level_db.max(),
        extent=(0.0, clip.duration_s, 0.0, clip.sample_rate_hz / 2000),
    )
    axes.set_ylim(0, 12)
    axes.set_ylabel("kHz")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
