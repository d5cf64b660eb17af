"""The judges on real recordings: they have to know people apart before they may judge clones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from yinse.audio.decode import decode
from yinse.core.types import AudioClip, SpeakRequest
from yinse.evaluate.naturalness import Dnsmos
from yinse.evaluate.plan import Person, PlanConfig, read_people
from yinse.evaluate.recogniser import Whisper, word_errors
from yinse.evaluate.speaker_judge import Resemblyzer, similarity_table
from yinse.voices.store import VoiceStore
from yinse.workflows.native import load_engine

WHISPER = Path.home() / "teacher" / "whisper-base"  # where the teacher's set-up puts it


@pytest.fixture(scope="module")
def people(shared: Path) -> list[Person]:
    """Four development people, one sentence each."""
    config = PlanConfig(packs=("en_librispeech",), sentences={"en": 1}, reference_s=20.0)
    return read_people(shared / "data", config)[:4]


@pytest.fixture(scope="module")
def clips(people: list[Person]) -> list[tuple[str, AudioClip]]:
    return [(person.id, decode(person.sentences[0].path)) for person in people]


def test_people_are_told_apart(people: list[Person], clips: list[tuple[str, AudioClip]]) -> None:
    pytest.importorskip("resemblyzer")
    references = {person.id: [decode(one.path) for one in person.reference] for person in people}
    figures = similarity_table(Resemblyzer(), references, clips)
    assert figures.nearest == 1.0
    assert figures.target > figures.others + 0.15


def test_loudness_does_not_tell_people(clips: list[tuple[str, AudioClip]]) -> None:
    pytest.importorskip("resemblyzer")
    judge, clip = Resemblyzer(), clips[0][1]
    loud = AudioClip(np.clip(clip.samples * 4.0, -1.0, 1.0), clip.sample_rate_hz)
    quiet = AudioClip(clip.samples * 0.1, clip.sample_rate_hz)
    assert judge.embed(loud) @ judge.embed(quiet) > 0.98


def test_rumble_does_not_tell_people(clips: list[tuple[str, AudioClip]]) -> None:
    pytest.importorskip("resemblyzer")
    judge, clip = Resemblyzer(), clips[0][1]
    seconds = np.arange(len(clip.samples)) / clip.sample_rate_hz
    rumble = np.sqrt(2 * np.mean(clip.samples**2)) * np.sin(2 * np.pi * 20 * seconds)
    rumbling = AudioClip((0.3 * (clip.samples + rumble)).astype(np.float32), clip.sample_rate_hz)
    assert judge.embed(rumbling) @ judge.embed(clip) > 0.98


def test_recordings_sound_like_recordings(clips: list[tuple[str, AudioClip]]) -> None:
    pytest.importorskip("speechmos")
    judge = Dnsmos()
    clip = clips[0][1]
    clean = judge.score(clip)
    hiss = 0.05 * np.random.default_rng(0).normal(size=len(clip.samples))
    noisy = judge.score(AudioClip(clip.samples + hiss.astype(np.float32), clip.sample_rate_hz))
    assert 2.5 < clean.overall < 4.5
    assert noisy.overall < clean.overall - 1.0


def test_the_listener_leaves_its_loops() -> None:
    """This twister of ten syllables was once heard as two hundred times the same one."""
    pytest.importorskip("faster_whisper")
    if not WHISPER.is_dir():
        pytest.skip("needs the recogniser of the teacher's set-up")
    engine, voice = load_engine(), VoiceStore().get_or_default("mei")
    request = SpeakRequest("妈妈骑马，马慢，妈妈骂马。", language="zh", seed=1)
    samples = np.concatenate([chunk.samples for chunk in engine.stream(request, voice)])
    assert 0 < len(Whisper(WHISPER).hear(AudioClip(samples, engine.sample_rate_hz), language="zh")) < 30


def test_sentences_are_understood(people: list[Person], clips: list[tuple[str, AudioClip]]) -> None:
    pytest.importorskip("faster_whisper")
    if not WHISPER.is_dir():
        pytest.skip("needs the recogniser of the teacher's set-up")
    pairs = [(clip, person.sentences[0].text) for (_, clip), person in zip(clips[:2], people, strict=False)]
    counts, heard = word_errors(Whisper(WHISPER), pairs, language="en")
    assert counts.rate < 0.25, heard
