"""Spectrograms side by side as a PNG."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from yinse.core.files import WholeFile
from yinse.core.types import AudioClip

_WINDOW_S = 0.032
_LOWEST_DB, _HIGHEST_DB = -110.0, -30.0


def draw_spectrograms(path: Path, clips: Mapping[str, AudioClip], *, longest_s: float = 12.0) -> None:
    """Draws the beginnings of clips below each other, on one scale.

    Args:
        path: PNG file.
        clips: by title.
        longest_s: length shown.

    Raises:
        ResourceError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Without pyplot: no window, no state shared with anybody else's figures.
    figure = Figure(figsize=(12, 3 * len(clips)), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (title, clip) in zip(figure.subplots(len(clips), squeeze=False)[:, 0], clips.items(), strict=True):
        window = round(_WINDOW_S * clip.sample_rate_hz)
        samples = clip.samples[: round(longest_s * clip.sample_rate_hz)]
        with np.errstate(divide="ignore"):  # silence is minus infinity
            place.specgram(
                samples,
                NFFT=window,
                Fs=clip.sample_rate_hz,
                noverlap=window * 3 // 4,
                cmap="magma",
                vmin=_LOWEST_DB,
                vmax=_HIGHEST_DB,
            )
        place.set(title=title, xlabel="s", ylabel="Hz", ylim=(0, min(12_000, clip.sample_rate_hz / 2)))
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=80)
    with WholeFile(path) as file:
        file.write(picture.getvalue())
