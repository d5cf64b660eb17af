"""Fundamental frequency, frame by frame, with the SwiftF0 network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from yinse.audio.resample import resample
from yinse.core.types import AudioClip, FloatArray

if TYPE_CHECKING:
    from swift_f0 import SwiftF0

_DETECTOR_RATE_HZ = 16_000
_VOICED_CONFIDENCE = 0.5  # the network's confidence is calibrated to this


@dataclass(frozen=True, slots=True, eq=False)
class Pitch:
    """Melody of a clip; frame `n` is centred on `n * hop_s`.

    Attributes:
        f0_hz: float32 `(T,)`, 0 where unvoiced.
        voiced: bool `(T,)`.
        hop_s: time between frames.
    """

    f0_hz: FloatArray
    voiced: NDArray[np.bool_]
    hop_s: float


def track_pitch(clip: AudioClip, *, hop_s: float = 0.0125, f0_min_hz: float = 55.0, f0_max_hz: float = 600.0) -> Pitch:
    """Tracks the fundamental frequency of a voice.

    Source: L. Nieradzik, SwiftF0 (2025). Its own frames of 16 ms are interpolated to `hop_s`, F0 on a logarithmic
    scale between voiced frames.

    Args:
        clip: `(S,)` at any rate.
        hop_s: time between frames.
        f0_min_hz: lowest F0 looked for.
        f0_max_hz: highest F0 looked for.

    Returns:
        `T = S // round(hop_s * rate) + 1` frames: those of a centred spectrogram with the same hop.
    """
    frames = len(clip.samples) // round(hop_s * clip.sample_rate_hz) + 1
    heard = resample(clip, _DETECTOR_RATE_HZ).samples
    unvoiced = Pitch(np.zeros(frames, dtype=np.float32), np.zeros(frames, dtype=np.bool_), hop_s)
    if len(heard) == 0:
        return unvoiced
    found = _detector().detect(heard, _DETECTOR_RATE_HZ, fmin=f0_min_hz, fmax=f0_max_hz)
    certain = found.confidence >= _VOICED_CONFIDENCE
    if not certain.any():
        return unvoiced
    times_s = np.arange(frames) * hop_s
    voiced = np.interp(times_s, found.timestamps, found.confidence) >= _VOICED_CONFIDENCE
    log_f0 = np.interp(times_s, found.timestamps[certain], np.log(found.pitch_hz[certain]))
    return Pitch(np.where(voiced, np.exp(log_f0), 0.0).astype(np.float32), voiced, hop_s)


@cache
def _detector() -> SwiftF0:
    from swift_f0 import SwiftF0

    return SwiftF0(threads=1, spin=False)  # one thread: callers run clips in parallel
