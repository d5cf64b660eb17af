"""Where a recording holds speech and where it is silent, by energy and zero-crossing rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yinse.core.types import AudioClip

FRAME_S = 0.02
HOP_S = 0.01
LOUD_PERCENTILE = 95.0
_FLOOR_PERCENTILE = 5.0
# Loud frames of speech at -18 LUFS lie here; thresholds are given for speech at that level and move with the clip's.
_LOUD_FRAMES_DBFS = -12.0
_NOTHING_DBFS = -70.0
_ABOVE_FLOOR_DB = 6.0
_BELOW_LOUD_DB = 6.0
_FRICATIVE_CROSSINGS_HZ = 5_000.0
_FRICATIVE_DEPTH_DB = 12.0
_FRICATIVE_ABOVE_FLOOR_DB = 4.0
_CLICK_S = 0.04


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A stretch of a recording, in seconds from its start."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True, eq=False)
class FrameLevels:
    """Frames of 20 ms every 10 ms; frame `n` begins at `n * HOP_S`.

    Attributes:
        level_db: `(T,)` mean power in dB of full scale (DC within the frame taken away), at least -120.
        crossings_hz: `(T,)` zero crossings per second.
    """

    level_db: NDArray[np.float64]
    crossings_hz: NDArray[np.float64]


def frame_levels(clip: AudioClip) -> FrameLevels:
    """Level and zero-crossing rate of each frame; a clip shorter than a frame has one."""
    rate = clip.sample_rate_hz
    frame, hop = max(2, round(FRAME_S * rate)), max(1, round(HOP_S * rate))
    samples = clip.samples
    if len(samples) < frame:
        samples = np.pad(samples, (0, frame - len(samples)))
    starts = np.arange(0, len(samples) - frame + 1, hop)

    def sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
        running = np.concatenate(([0.0], np.cumsum(values)))
        return np.asarray(running[starts + frame] - running[starts])

    wide = samples.astype(np.float64)
    power = sums(wide**2) / frame - (sums(wide) / frame) ** 2
    crossed = np.concatenate(([0.0], (np.signbit(samples[1:]) != np.signbit(samples[:-1])).astype(np.float64)))
    return FrameLevels(10.0 * np.log10(np.maximum(power, 1e-12)), sums(crossed) * rate / frame)


def speech_frames(clip: AudioClip, *, threshold_dbfs: float = -40.0) -> NDArray[np.bool_]:
    """Tells frames of speech from frames of silence, bool `(T,)` with the frames of `frame_levels`.

    A frame is speech when it is louder than the threshold and than the noise floor, or when it is somewhat weaker but
    crosses zero as often as a fricative does.

    Args:
        clip: `(S,)`.
        threshold_dbfs: level that separates speech from silence in a recording at -18 LUFS; in a louder or quieter
            one it moves by as much.
    """
    frames = frame_levels(clip)
    level = frames.level_db
    loud, floor = np.percentile(level, [LOUD_PERCENTILE, _FLOOR_PERCENTILE])
    if loud < _NOTHING_DBFS:
        return np.zeros(len(level), dtype=np.bool_)
    relative = threshold_dbfs + loud - _LOUD_FRAMES_DBFS
    threshold = max(relative, min(floor + _ABOVE_FLOOR_DB, loud - _BELOW_LOUD_DB))
    fricative_threshold = max(relative - _FRICATIVE_DEPTH_DB, floor + _FRICATIVE_ABOVE_FLOOR_DB)
    fricative = (frames.crossings_hz >= _FRICATIVE_CROSSINGS_HZ) & (level >= fricative_threshold)
    return np.asarray((level >= threshold) | fricative)


def speech_segments(
    clip: AudioClip, *, threshold_dbfs: float = -40.0, min_silence_s: float = 0.5
) -> tuple[Segment, ...]:
    """Stretches of speech between silences.

    Args:
        clip: `(S,)`.
        threshold_dbfs: see `speech_frames`.
        min_silence_s: shorter silences (stops, breaths) belong to the speech around them.

    Returns:
        Segments in order; none for a silent clip. Bursts of less than 40 ms are clicks, not speech.
    """
    edges = np.flatnonzero(np.diff(np.pad(speech_frames(clip, threshold_dbfs=threshold_dbfs).astype(np.int8), 1)))
    runs = [
        # A frame that is speech only in its second half is already active: the middle is the fair border.
        (start * HOP_S + (FRAME_S - HOP_S) / 2, (end - 1) * HOP_S + (FRAME_S + HOP_S) / 2)
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    ]
    merged: list[tuple[float, float]] = []
    for start_s, end_s in runs:
        if merged and start_s - merged[-1][1] < min_silence_s:
            merged[-1] = (merged[-1][0], end_s)
        else:
            merged.append((start_s, end_s))
    return tuple(
        Segment(max(0.0, start_s), min(clip.duration_s, end_s))
        for start_s, end_s in merged
        if end_s - start_s >= _CLICK_S
    )


def trim_silence(clip: AudioClip, *, keep_s: float = 0.1, threshold_dbfs: float = -40.0) -> AudioClip:
    """Cuts silence off head and tail and leaves everything in between.

    Args:
        clip: `(S,)`.
        keep_s: silence left at both ends.
        threshold_dbfs: see `speech_frames`.

    Returns:
        The shorter clip; an empty one when there is no speech.
    """
    segments = speech_segments(clip, threshold_dbfs=threshold_dbfs)
    if not segments:
        return AudioClip(clip.samples[:0], clip.sample_rate_hz)
    return cut(clip, Segment(segments[0].start_s - keep_s, segments[-1].end_s + keep_s))


def cut(clip: AudioClip, segment: Segment) -> AudioClip:
    """The part of a clip that lies in a segment."""
    start, end = (round(time_s * clip.sample_rate_hz) for time_s in (segment.start_s, segment.end_s))
    return AudioClip(clip.samples[max(0, start) : max(0, end)].copy(), clip.sample_rate_hz)
