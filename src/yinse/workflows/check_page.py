"""One page about one recording: what it is, what cleaning makes of it, and how that looks and sounds."""

from __future__ import annotations

import base64
import html
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np

from yinse.audio.blend import blend
from yinse.audio.clicks import Click, find_clicks
from yinse.audio.decode import decode
from yinse.audio.denoise import make_denoiser
from yinse.audio.frontend import PreparedRecording, examine, prepare
from yinse.audio.journal import plain_steps
from yinse.audio.loudness import integrated_lufs, normalize_loudness
from yinse.audio.options import CleaningOptions
from yinse.audio.quality import QualityReport
from yinse.audio.resample import resample
from yinse.audio.rumble import without_rumble
from yinse.audio.silence import Segment, speech_segments
from yinse.core.errors import QualityGateError
from yinse.core.events import Artifact, Event, Finished, Progress
from yinse.core.files import WholeFile
from yinse.core.types import AudioClip

STRENGTHS = (0.0, 0.25, 0.5, 0.7, 0.85, 1.0)
_SHOWN_S = 30.0
_PLAYED_HZ = 24_000
_LOUDNESS_WINDOW_S, _LOUDNESS_HOP_S = 0.4, 0.1


def write_check_page(path: Path, output: Path, *, options: CleaningOptions) -> Iterator[Event]:
    """Writes a page that needs nothing beside it; the last event holds its path.

    It shows the first half minute before and after: waveform with speech and clicks, spectrogram, loudness, players,
    and the recording at several strengths of the denoiser.

    Args:
        path: the recording.
        output: the page.
        options: how it is cleaned.

    Raises:
        BadAudio: it cannot be read.
        ResourceError: the page cannot be written.
    """
    whole = decode(path)
    clip = AudioClip(whole.samples[: round(_SHOWN_S * whole.sample_rate_hz)], whole.sample_rate_hz)
    yield Progress("page", 0, 3)
    report = examine(whole, limits=options.limits, denoise=options.denoise)
    clicks = find_clicks(without_rumble(clip))
    prepared: PreparedRecording | str
    try:
        prepared = prepare(clip, options=replace(options, rate_hz=None))
    except QualityGateError as error:
        prepared = str(error)
    yield Progress("page", 1, 3)
    steps = _at_strengths(clip, options)
    yield Progress("page", 2, 3)
    page = _page(path.name, report, clip, clicks=clicks, prepared=prepared, steps=steps, options=options)
    with WholeFile(output) as file:
        file.write(page.encode())
    yield Progress("page", 3, 3)
    yield Artifact("page", str(output))
    yield Finished(output)


def _at_strengths(clip: AudioClip, options: CleaningOptions) -> list[AudioClip]:
    """The clip without rumble at each of `STRENGTHS`, all at one loudness."""
    steady = without_rumble(clip, cutoff_hz=options.highpass_hz)
    method = "deepfilternet" if options.denoise == "none" else options.denoise
    cleaned = make_denoiser(method, strength=1.0, noise_from=options.noise_from).denoise(steady)
    return [
        normalize_loudness(blend(steady, cleaned, strength), target_lufs=options.target_lufs) for strength in STRENGTHS
    ]


def _page(
    name: str,
    report: QualityReport,
    clip: AudioClip,
    *,
    clicks: Sequence[Click],
    prepared: PreparedRecording | str,
    steps: Sequence[AudioClip],
    options: CleaningOptions,
) -> str:
    spans = speech_segments(steps[-1])
    before = _panel("Before", clip, spans=spans, clicks=clicks)
    fields = {
        "TITLE": html.escape(name),
        "VERDICT": report.verdict,
        "REASONS": "".join(f"<li>{html.escape(reason)}" for reason in report.reasons),
        "ADVICE": html.escape(report.advice or "Nothing to do better."),
        "FIGURES": _figures(report),
        "BEFORE": before,
        "AFTER": _after(prepared),
        "STEPS": "".join(
            _step(index, strength, one) for index, (strength, one) in enumerate(zip(STRENGTHS, steps, strict=True))
        ),
        "LAST_STEP": str(len(STRENGTHS) - 1),
        "FIRST_STEP": str(_nearest(prepared)),
        "METHOD": html.escape(options.denoise),
        "CLICKS": _click_list(clicks),
    }
    page = (files("yinse.workflows") / "check_page.html").read_text(encoding="utf-8")
    # In one pass: what a name brings in is not looked at again.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: fields[found[1]], page)


def _nearest(prepared: PreparedRecording | str) -> int:
    """Place in `STRENGTHS` that is closest to what cleaning chose."""
    if isinstance(prepared, str):
        return len(STRENGTHS) - 1
    chosen = [dict(one.parameters).get("strength", 0.0) for one in prepared.steps if one.name == "denoise"]
    wanted = float(chosen[0]) if chosen and isinstance(chosen[0], float) else 0.0
    return min(range(len(STRENGTHS)), key=lambda index: abs(STRENGTHS[index] - wanted))


def _figures(report: QualityReport) -> str:
    room = "cannot be told" if report.reverberation_s is None else f"{report.reverberation_s:.1f} s"
    hum = "none" if report.hum is None else f"{report.hum.mains_hz:.0f} Hz, {report.hum.below_voice_db:.0f} dB below"
    rows = {
        "length": f"{report.duration_s:.1f} s, {report.speech_s:.1f} s of it speech",
        "voice over noise": f"{report.snr_db:.0f} dB",
        "loudness": f"{report.loudness_lufs:.1f} LUFS" if math.isfinite(report.loudness_lufs) else "silent",
        "bandwidth": f"{report.bandwidth_hz / 1000:.1f} kHz",
        "clipped samples": f"{report.clipping_ratio:.2%}",
        "room dies away in": room,
        "mains hum": hum,
        "held tones (music)": f"{report.held_tones:.0%} of the time",
    }
    return "".join(f"<tr><th scope=row>{key}<td>{value}" for key, value in rows.items())


def _click_list(clicks: Sequence[Click]) -> str:
    if not clicks:
        return "None found."
    shown = ", ".join(f"{click.start_s:.2f} s" for click in clicks[:40])
    return shown + (f" and {len(clicks) - 40} more" if len(clicks) > 40 else "")


def _after(prepared: PreparedRecording | str) -> str:
    if isinstance(prepared, str):
        return f"<section><h2>After</h2><p>Refused, nothing is made of it: {html.escape(prepared)}</section>"
    utterances = prepared.utterances
    rate = utterances[0].clip.sample_rate_hz if utterances else _PLAYED_HZ
    pause = np.zeros(round(0.25 * rate), dtype=np.float32)
    parts: list[np.ndarray] = []
    spans: list[Segment] = []
    now_s = 0.0
    for one in utterances:
        spans.append(Segment(now_s, now_s + one.clip.duration_s))
        parts += [one.clip.samples, pause]
        now_s += one.clip.duration_s + 0.25
    joined = AudioClip(np.concatenate(parts) if parts else pause, rate)
    journal = "".join(
        f"<li><b>{html.escape(str(row.pop('step')))}</b> "
        + html.escape(", ".join(f"{key} {value}" for key, value in row.items()))
        for row in plain_steps(prepared.steps)
    )
    left_out = "".join(f"<li>{span.start_s:.1f} to {span.end_s:.1f} s" for span in prepared.left_out)
    extra = f"<h3>Left out</h3><ul>{left_out}</ul>" if left_out else ""
    title = f"After: {len(utterances)} utterances of {sum(span.duration_s for span in spans):.1f} s"
    return (
        f"{_panel(title, joined, spans=spans, clicks=())}"
        f"<details><summary>What was done</summary><ol>{journal}</ol>{extra}</details>"
    )


def _panel(title: str, clip: AudioClip, *, spans: Sequence[Segment], clicks: Sequence[Click]) -> str:
    escaped = html.escape(title)
    picture = base64.b64encode(_picture(clip, spans=spans, clicks=clicks)).decode()
    return (
        f"<section><h2>{escaped}</h2>"
        f'<img alt="{escaped}: waveform with speech and clicks, spectrogram, loudness" '
        f'src="data:image/png;base64,{picture}">'
        f'<audio controls preload=none aria-label="{escaped}" src="{_sound(clip)}"></audio></section>'
    )


def _step(index: int, strength: float, clip: AudioClip) -> str:
    return (
        f'<audio controls preload=none hidden data-step={index} data-strength="{strength:g}" '
        f'aria-label="strength {strength:g}" src="{_sound(clip)}"></audio>'
    )


def _sound(clip: AudioClip) -> str:
    """A clip as the address of an MP3 that lies in the page itself."""
    import soundfile

    buffer = io.BytesIO()
    samples = np.clip(resample(clip, _PLAYED_HZ).samples, -1.0, 1.0)
    soundfile.write(buffer, samples, _PLAYED_HZ, format="MP3", subtype="MPEG_LAYER_III")
    return f"data:audio/mpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _picture(clip: AudioClip, *, spans: Sequence[Segment], clicks: Sequence[Click]) -> bytes:
    """Waveform with speech shaded and clicks marked, spectrogram, loudness over time: a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Without pyplot: no window, no state shared with anybody else's figures.
    figure = Figure(figsize=(11, 5.5), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    wave, spectrum, loudness = figure.subplots(3, 1, sharex=True, height_ratios=[2, 3, 1.5])
    columns = min(1_600, max(1, len(clip.samples)))
    edges = np.linspace(0, len(clip.samples), columns, endpoint=False).astype(int)
    if len(clip.samples):
        times = edges / clip.sample_rate_hz
        wave.fill_between(
            times, np.minimum.reduceat(clip.samples, edges), np.maximum.reduceat(clip.samples, edges), color="#345"
        )
    for span in spans:
        wave.axvspan(span.start_s, span.end_s, color="#7b5", alpha=0.25)
    for click in clicks:
        wave.axvline(click.start_s, color="#c20", linewidth=0.8)
    wave.set(ylabel="sample", ylim=(-1, 1))
    played = resample(clip, _PLAYED_HZ)
    size = 512
    padded = np.pad(played.samples, (0, max(0, size - len(played.samples))))
    hop = max(1, len(padded) // 1_600)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    level_db = 20.0 * np.log10(np.abs(np.fft.rfft(frames * np.hanning(size).astype(np.float32), axis=1)) + 1e-7)
    spectrum.imshow(
        level_db.T,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=level_db.max() - 80.0,
        vmax=level_db.max(),
        extent=(0.0, max(clip.duration_s, 0.01), 0.0, _PLAYED_HZ / 2000),
    )
    spectrum.set(ylabel="kHz")
    loudness.plot(*_loudness_curve(clip), color="#345")
    loudness.set(ylabel="LUFS", xlabel="s", ylim=(-60, -5), xlim=(0.0, max(clip.duration_s, 0.01)))
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _loudness_curve(clip: AudioClip) -> tuple[list[float], list[float]]:
    """Momentary loudness (400 ms) every 0.1 s: times and LUFS."""
    window, hop = (round(length * clip.sample_rate_hz) for length in (_LOUDNESS_WINDOW_S, _LOUDNESS_HOP_S))
    starts = range(0, max(1, len(clip.samples) - window + 1), hop)
    values = [integrated_lufs(AudioClip(clip.samples[start : start + window], clip.sample_rate_hz)) for start in starts]
    times = [start / clip.sample_rate_hz + _LOUDNESS_WINDOW_S / 2 for start in starts]
    return times, [max(value, -70.0) for value in values]
