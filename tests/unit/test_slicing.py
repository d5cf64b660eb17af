"""Choosing among utterances, and cutting real sentences at their pauses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yinse.audio.decode import decode
from yinse.audio.resample import resample
from yinse.audio.slicing import SHORTEST_S, Candidate, choose_best, slice_utterances
from yinse.core.types import AudioClip

RATE_HZ = 24_000


def test_the_cleanest_half_minute_is_picked_out_of_five() -> None:
    random = np.random.default_rng(0)
    clean = set(random.choice(60, size=8, replace=False).tolist())
    candidates = [
        Candidate(5.0, 38.0 if index in clean else random.uniform(5, 25), 0.0, (index + 0.5) / 60)
        for index in range(60)
    ]
    chosen = choose_best(candidates, wanted_s=30.0)
    assert len(chosen) == 6
    assert set(chosen) <= clean
    assert chosen == sorted(chosen)


def test_music_counts_against_an_utterance_and_the_middle_is_preferred() -> None:
    take = [Candidate(5.0, 35.0, 0.0, place) for place in (0.05, 0.5, 0.95)]
    assert choose_best(take, wanted_s=5.0) == [1]
    assert choose_best([Candidate(5.0, 35.0, 0.5, 0.5), take[0]], wanted_s=5.0) == [1]


def test_short_stillness_at_the_ends_of_a_recording_is_left() -> None:
    tone = np.sin(2 * np.pi * 200.0 * np.arange(3 * RATE_HZ) / RATE_HZ).astype(np.float32)
    for head_s, tail_s in ((0.3, 0.45), (1.5, 0.2), (0.2, 2.0)):
        still = [np.zeros(round(length_s * RATE_HZ), dtype=np.float32) for length_s in (head_s, tail_s)]
        clip = AudioClip(np.concatenate([still[0], tone, still[1]]), RATE_HZ)
        (piece,) = slice_utterances(clip)
        assert piece.segment.start_s == pytest.approx(max(0.0, head_s - 0.5), abs=0.02)
        assert piece.segment.end_s == pytest.approx(head_s + 3.0 + min(tail_s, 0.5), abs=0.02)
    # The longest utterance wanted stays so.
    (piece,) = slice_utterances(clip, max_s=3.5)
    assert piece.clip.duration_s <= 3.5


@given(
    lengths=st.lists(st.floats(0.8, 12.0), max_size=20),
    wanted_s=st.floats(0.1, 100.0),
)
def test_as_much_is_chosen_as_there_is_and_is_wanted(lengths: list[float], wanted_s: float) -> None:
    chosen = choose_best([Candidate(length, 20.0, 0.0, 0.5) for length in lengths], wanted_s=wanted_s)
    assert len(set(chosen)) == len(chosen)
    assert sum(lengths[index] for index in chosen) >= min(wanted_s, sum(lengths)) - 1e-6


@settings(max_examples=5)
@given(seed=st.integers(0, 99))
def test_sentences_are_cut_between_words_only(shared: Path, seed: int) -> None:
    paths = sorted((shared / "data" / "zh_en_kokoro" / "bf_isabella").glob("en_*.ogg"))
    if not paths:
        pytest.skip("needs the recordings of the shared data folder")
    random = np.random.default_rng(seed)
    parts: list[np.ndarray] = []
    gaps: list[tuple[float, float]] = []
    now = 0
    for index in random.integers(len(paths), size=5):
        spoken = resample(decode(paths[index]), RATE_HZ).samples
        loud = np.flatnonzero(np.abs(spoken) > 0.01)
        spoken = spoken[loud[0] : loud[-1]]
        gap = np.zeros(round(random.uniform(0.4, 0.9) * RATE_HZ), dtype=np.float32)
        parts += [spoken, gap]
        gaps.append(((now + len(spoken)) / RATE_HZ, (now + len(spoken) + len(gap)) / RATE_HZ))
        now += len(spoken) + len(gap)
    clip = AudioClip(np.concatenate(parts) + 1e-4 * random.standard_normal(now).astype(np.float32), RATE_HZ)
    pieces = slice_utterances(clip)
    covered = np.zeros(now, dtype=np.bool_)
    for piece in pieces:
        assert SHORTEST_S <= piece.clip.duration_s <= 12.5
        covered[round(piece.segment.start_s * RATE_HZ) : round(piece.segment.end_s * RATE_HZ)] = True
    # All that was left out is quiet: no sound was cut away.
    left_out = np.concatenate(parts)[~covered]
    assert len(left_out) == 0 or np.abs(left_out).max() < 0.02
