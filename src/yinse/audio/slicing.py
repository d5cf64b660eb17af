"""Cutting a long recording into utterances at its pauses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from yinse.audio.silence import Segment, cut, speech_segments
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip

SHORTEST_S = 0.8
_PAUSE_S = 0.15  # the closure of a stop inside a word is shorter
_MARGIN_S = 0.15
# Shorter stillness is no silence yet: where a recording begins and ends so, nothing is gained by a cut.
_STILLNESS_S = 0.5
_LONG_PAUSE_S = 1.0
# Better than this no one hears.
_CLEAN_ENOUGH_DB = 40.0
_MUSIC_COST_DB = 40.0
_OFF_MIDDLE_COST_DB = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class UtteranceSlice:
    """A piece of a recording.

    Attributes:
        clip: its audio.
        segment: where it lies in the recording.
    """

    clip: AudioClip
    segment: Segment


def slice_utterances(clip: AudioClip, *, min_s: float = 2.0, max_s: float = 12.0) -> list[UtteranceSlice]:
    """Cuts a recording into utterances at pauses, so that all speech is kept and no word is cut.

    Of all ways to cut, the one is taken that keeps lengths within limits, prefers long pauses as borders and leaves
    none of them inside. A piece longer than `max_s` remains where a speaker makes no pause; a remark of less than
    0.8 s is joined to its neighbour or, when it stands alone, surrounded with silence. At most half a second of
    silence stays at the two ends of the recording, 0.15 s at the ends between.

    Args:
        clip: `(S,)`.
        min_s: shortest utterance wanted.
        max_s: longest utterance wanted.

    Returns:
        Utterances in order, each 0.8 s or longer; none if there is no speech or the clip is shorter.

    Raises:
        ConfigError: the limits leave no room.
    """
    if not SHORTEST_S <= min_s < max_s:
        raise ConfigError(f"utterances of {min_s} to {max_s} s", advice=f"Use {SHORTEST_S} s or more, rising.")
    spoken = speech_segments(clip, min_silence_s=_PAUSE_S)
    if not spoken or clip.duration_s < SHORTEST_S:
        return []
    slices = []
    bounds = _best_cuts(spoken, min_s=min_s, max_s=max_s)
    for first, after in zip(bounds, bounds[1:], strict=False):
        earliest_s = (spoken[first - 1].end_s + spoken[first].start_s) / 2 if first else 0.0
        latest_s = (spoken[after - 1].end_s + spoken[after].start_s) / 2 if after < len(spoken) else clip.duration_s
        start_s, end_s = spoken[first].start_s, spoken[after - 1].end_s
        margin_s = max(_MARGIN_S, (SHORTEST_S - (end_s - start_s)) / 2)
        spare_s = max(margin_s, min(_STILLNESS_S, (max_s - (end_s - start_s)) / 2))
        start_s = max(earliest_s, start_s - (margin_s if first else spare_s))
        end_s = min(latest_s, end_s + (margin_s if after < len(spoken) else spare_s))
        # Alone at an end of the recording, a remark takes the silence of the other side.
        end_s = min(latest_s, max(end_s, start_s + SHORTEST_S))
        start_s = max(earliest_s, min(start_s, end_s - SHORTEST_S))
        segment = Segment(start_s, end_s)
        slices.append(UtteranceSlice(cut(clip, segment), segment))
    return slices


@dataclass(frozen=True, slots=True)
class Candidate:
    """An utterance among others to choose from.

    Attributes:
        duration_s: its length.
        snr_db: its signal-to-noise ratio before cleaning.
        held_tones: share of the time with tones that no voice makes.
        place: where in its recording its middle lies, 0 to 1.
    """

    duration_s: float
    snr_db: float
    held_tones: float
    place: float


def choose_best(candidates: Sequence[Candidate], *, wanted_s: float) -> list[int]:
    """The cleanest utterances; among equally clean ones those from the middle of a take.

    Args:
        candidates: in order.
        wanted_s: how much is wanted in all; the last utterance may lead a little over it.

    Returns:
        Places of the chosen ones, in order.
    """

    def worth(index: int) -> float:
        one = candidates[index]
        # Throats are cleared at the start of a take, attention fades at its end.
        off_middle = abs(2.0 * one.place - 1.0)
        return min(one.snr_db, _CLEAN_ENOUGH_DB) - _MUSIC_COST_DB * one.held_tones - _OFF_MIDDLE_COST_DB * off_middle

    chosen, total_s = [], 0.0
    for index in sorted(range(len(candidates)), key=worth, reverse=True):
        if total_s >= wanted_s:
            break
        chosen.append(index)
        total_s += candidates[index].duration_s
    return sorted(chosen)


def _best_cuts(spoken: tuple[Segment, ...], *, min_s: float, max_s: float) -> list[int]:
    """Indices of the segments that begin a piece, and the number of segments, by dynamic programming."""
    costs = [0.0] + [math.inf] * len(spoken)
    previous = [0] * (len(spoken) + 1)
    for after in range(1, len(spoken) + 1):
        for first in range(after - 1, -1, -1):
            cost = costs[first] + _piece_cost(spoken, first, after, min_s=min_s, max_s=max_s)
            if cost < costs[after]:
                costs[after], previous[after] = cost, first
            # Longer pieces only get worse, once there is room for a short remark at either end.
            if spoken[after - 1].end_s - spoken[first].start_s > max_s + 2 * min_s:
                break
    bounds = [len(spoken)]
    while bounds[-1] > 0:
        bounds.append(previous[bounds[-1]])
    return bounds[::-1]


def _piece_cost(spoken: tuple[Segment, ...], first: int, after: int, *, min_s: float, max_s: float) -> float:
    """How bad it is to make one utterance of the segments from `first` to `after`."""
    start_s, end_s = spoken[first].start_s, spoken[after - 1].end_s
    before_s = start_s - (spoken[first - 1].end_s if first else -math.inf)
    behind_s = (spoken[after].start_s if after < len(spoken) else math.inf) - end_s
    length_s = end_s - start_s + 2 * _MARGIN_S
    room_s = end_s - start_s + min(before_s, SHORTEST_S) / 2 + min(behind_s, SHORTEST_S) / 2
    cost = max(0.0, 0.5 - before_s)  # a cut at a short pause
    cost += max(0.0, min_s - length_s)
    cost += 10.0 * max(0.0, length_s - max_s)
    cost += 1000.0 * (room_s < SHORTEST_S)
    for left, right in zip(spoken[first:after], spoken[first + 1 : after], strict=False):
        cost += 2.0 * max(0.0, right.start_s - left.end_s - _LONG_PAUSE_S)
    return cost
