"""Two independent ways to tell where somebody speaks, and how far they agree."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from yinse.audio.resample import resample
from yinse.audio.runtimes import onnx_session
from yinse.audio.silence import Segment, speech_segments
from yinse.core.types import AudioClip, FloatArray

_RATE_HZ = 16_000
_FRAME = 512
_CONTEXT = 64
SILERO_FRAME_S = _FRAME / _RATE_HZ
_MODEL = Path(__file__).parent / "data" / "silero_vad_16k.onnx"


class VoiceActivityDetector(Protocol):
    """Finds the stretches of a recording in which somebody speaks; a replaceable part."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    def segments(self, clip: AudioClip) -> tuple[Segment, ...]:
        """Stretches of speech in order, in seconds; none for a silent clip."""
        ...


class EnergyDetector:
    """Short-time energy and zero crossings of frames of 20 ms: whatever is loud enough, or hisses, is speech.

    Args:
        threshold_dbfs: see `yinse.audio.silence.speech_frames`.
        min_silence_s: shorter silences belong to the speech around them.
    """

    name = "energy"

    def __init__(self, *, threshold_dbfs: float = -40.0, min_silence_s: float = 0.5) -> None:
        self.threshold_dbfs = threshold_dbfs
        self.min_silence_s = min_silence_s

    def segments(self, clip: AudioClip) -> tuple[Segment, ...]:
        """Stretches of speech in order, in seconds; none for a silent clip."""
        return speech_segments(clip, threshold_dbfs=self.threshold_dbfs, min_silence_s=self.min_silence_s)


class SileroDetector:
    """A recurrent network that learned what speech is; other sounds, however loud, are none.

    Source: Silero VAD, the 16 kHz network of silero-vad 6.2.3 (MIT), weights stored as float16; 0.002 of real time
    on one core.

    Args:
        threshold: probability from which a frame of 32 ms is speech; it ends 0.15 below.
        min_silence_s: shorter silences belong to the speech around them.
        min_speech_s: shorter stretches are left out.
    """

    name = "silero"
    _HYSTERESIS = 0.15

    def __init__(self, *, threshold: float = 0.5, min_silence_s: float = 0.5, min_speech_s: float = 0.1) -> None:
        self.threshold = threshold
        self.min_silence_s = min_silence_s
        self.min_speech_s = min_speech_s

    def segments(self, clip: AudioClip) -> tuple[Segment, ...]:
        """Stretches of speech in order, in seconds; none for a silent clip."""
        likely = speech_probabilities(clip)
        above = np.flatnonzero(np.diff(np.pad((likely >= self.threshold - self._HYSTERESIS).astype(np.int8), 1)))
        merged: list[Segment] = []
        for start, end in zip(above[::2].tolist(), above[1::2].tolist(), strict=True):
            if likely[start:end].max() < self.threshold:
                continue
            found = Segment(start * _FRAME / _RATE_HZ, min(end * _FRAME / _RATE_HZ, clip.duration_s))
            if merged and found.start_s - merged[-1].end_s < self.min_silence_s:
                found = Segment(merged.pop().start_s, found.end_s)
            merged.append(found)
        return tuple(segment for segment in merged if segment.duration_s >= self.min_speech_s)


def speech_probabilities(clip: AudioClip) -> FloatArray:
    """Probability `(T,)` of speech in each 32 ms of a clip `(S,)`, by Silero VAD; it follows the voice by a frame."""
    samples = resample(clip, _RATE_HZ).samples
    frames = np.zeros((-(-len(samples) // _FRAME), _FRAME), dtype=np.float32)
    if len(frames) == 0:
        return frames.reshape(0)
    frames.reshape(-1)[: len(samples)] = samples
    context = np.zeros((len(frames), _CONTEXT), dtype=np.float32)
    context[1:] = frames[:-1, -_CONTEXT:]
    state = np.zeros((1, 1, 128), dtype=np.float32)
    inputs = {"input": np.concatenate((context, frames), axis=1), "h": state, "c": state}
    return np.asarray(_silero().run(["speech_probs"], inputs)[0], dtype=np.float32).reshape(-1)


def agreement(first: Sequence[Segment], second: Sequence[Segment], duration_s: float) -> float:
    """Share of a recording, from 0 to 1, on which two detectors say the same; 1 for a recording of no length."""
    if duration_s <= 0.0:
        return 1.0
    times_s = np.arange(0.0, duration_s, 0.01) + 0.005
    spoken = [
        np.any([(times_s >= s.start_s) & (times_s < s.end_s) for s in found], axis=0) if found else times_s < 0.0
        for found in (first, second)
    ]
    return float((spoken[0] == spoken[1]).mean())


@cache
def _silero() -> Any:
    return onnx_session(_MODEL)
