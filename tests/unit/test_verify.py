"""Words cut out of speech, or said twice, are found where they are; speech that is whole is left in peace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from yinse.core.types import AudioChunk, AudioClip, FloatArray, PhonemeSequence, SpeakRequest
from yinse.models.analysis import level_mel
from yinse.models.spectrogram import LogMel
from yinse.models.viterbi import StateGraph, best_scores
from yinse.models.word_check import WordCheck, WordCheckConfig
from yinse.synth.native import NativeSynthesizer
from yinse.synth.verify import Verifier
from yinse.text.phonemes import phonemize
from yinse.voices.store import VoiceStore
from yinse.weights.native import load_aligner, load_native, shipped_folder

FADE_SAMPLES = 240
SENTENCES = {
    "mei": ("The library opens at nine, and the readers are usually students.", (1, 2, 4, 10)),
    "shan": ("雨停了以后，我们把桌子搬回了花园。", (0, 3, 5, 8)),
}
"""Voices, what they say, and the words that are harmed."""


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    if not (shipped_folder() / "model.safetensors").is_file():
        pytest.skip("no base model is shipped yet")
    return Verifier(load_aligner)


@pytest.fixture(scope="module")
def spoken(verifier: Verifier) -> dict[str, AudioChunk]:
    synthesizer, store = NativeSynthesizer(load_native()), VoiceStore(Path("none"))
    return {
        name: next(iter(synthesizer.stream(SpeakRequest(text), store.get(name))))
        for name, (text, _) in SENTENCES.items()
    }


def harmed(chunk: AudioChunk, text: PhonemeSequence, item: int, kind: str) -> FloatArray:
    """The samples without an item, or with it twice, faded over."""
    end = sum(text.word_lengths[: item + 1])
    first = chunk.phonemes[end - text.word_lengths[item]]
    start, stop = (round(time_s * chunk.sample_rate_hz) for time_s in (first.start_s, chunk.phonemes[end - 1].end_s))
    before, behind = (start, stop) if kind == "lost" else (stop, start)
    head, tail = chunk.samples[: before + FADE_SAMPLES], chunk.samples[behind:]
    rising = np.linspace(0.0, 1.0, FADE_SAMPLES, dtype=np.float32)
    middle = head[-FADE_SAMPLES:] * (1 - rising) + tail[:FADE_SAMPLES] * rising
    return np.concatenate([head[:-FADE_SAMPLES], middle, tail[FADE_SAMPLES:]])


@pytest.mark.parametrize("voice", SENTENCES)
def test_planted_faults_are_named_and_placed(voice: str, verifier: Verifier, spoken: dict[str, AudioChunk]) -> None:
    chunk = spoken[voice]
    text = phonemize(chunk.text)
    assert verifier.complaints(chunk.samples, chunk.sample_rate_hz, text) == []
    words = [item for item, language in enumerate(text.word_languages) if language]
    for word in SENTENCES[voice][1]:
        item = words[word]
        place_s = chunk.phonemes[sum(text.word_lengths[:item])].start_s
        for kind in ("lost", "repeated"):
            clip = AudioClip(harmed(chunk, text, item, kind), chunk.sample_rate_hz)
            (fault,) = verifier.faults(clip, text)
            assert (fault.kind, fault.words) == (kind, (text.word_texts[item],))
            assert fault.span == text.spans[item]
            assert place_s - 0.3 < fault.time_s < place_s + 1.0  # a pause before a word may be its place


def test_a_sentence_that_breaks_off_lacks_its_last_words(verifier: Verifier, spoken: dict[str, AudioChunk]) -> None:
    chunk = spoken["mei"]
    text = phonemize(chunk.text)
    complaints = verifier.complaints(chunk.samples[: len(chunk.samples) // 2], chunk.sample_rate_hz, text)
    assert len(complaints) >= 3
    assert complaints[-1].startswith("'students' is missing at ")


@pytest.mark.parametrize(("voice", "weak", "strong"), [("mei", 5, 4), ("shan", 1, 0)])
def test_weak_words_have_costs_of_their_own(
    voice: str, weak: int, strong: int, verifier: Verifier, spoken: dict[str, AudioChunk]
) -> None:
    chunk = spoken[voice]
    text = phonemize(chunk.text)
    words = [item for item, language in enumerate(text.word_languages) if language]
    aligner, spectrogram = load_aligner()

    def reported(word: int, kind: str, cost: float) -> bool:
        config = WordCheckConfig(
            lost_english_weak=cost, repeated_english_weak=cost, repeated_mandarin_weak=cost, most_faults=1
        )
        clip = AudioClip(harmed(chunk, text, words[word], kind), chunk.sample_rate_hz)
        return bool(WordCheck(aligner, config)(level_mel(clip, LogMel(spectrogram))[1], text))

    kinds = ("lost", "repeated") if voice == "mei" else ("repeated",)  # lost, all Mandarin words cost the same
    for kind in kinds:
        assert [reported(weak, kind, 0.0), reported(weak, kind, 1e5)] == [True, False]
        assert reported(strong, kind, 1e5)


def test_words_that_are_lost_together_cost_what_each_of_them_costs(
    verifier: Verifier, spoken: dict[str, AudioChunk]
) -> None:
    chunk = spoken["mei"]
    text = phonemize(chunk.text)
    aligner, spectrogram = load_aligner()
    half = AudioClip(chunk.samples[: len(chunk.samples) // 2], chunk.sample_rate_hz)
    mel = level_mel(half, LogMel(spectrogram))[1]
    margins = [
        WordCheck(aligner, WordCheckConfig(lost_english=(0.0, 5.0, 10.0, cost)))(mel, text)[-1].margin
        for cost in (20.0, 21.0)
    ]
    # of the last words, three have four phones or more: readers, usually, students
    assert margins[0] - margins[1] == pytest.approx(3.0, abs=0.01)


def test_of_silence_every_word_is_missing(verifier: Verifier) -> None:
    text = phonemize("We went home.")
    complaints = verifier.complaints(np.zeros(24_000, np.float32), 24_000, text)
    assert complaints == ["'We' is missing", "'went' is missing", "'home' is missing"]
    assert verifier.complaints(np.zeros(3, np.float32), 24_000, text) == complaints


def test_scores_from_both_ends_meet_in_the_best_path() -> None:
    random = np.random.default_rng(0)
    states, frames = 6, 9
    arcs = random.normal(size=(3, states)).astype(np.float32)
    initial, final = random.normal(size=(2, states)).astype(np.float32)
    graph = StateGraph(np.arange(states, dtype=np.int32), np.zeros(states, np.int32), arcs, initial, final)
    scores = random.normal(size=(frames, states)).astype(np.float32)
    forward = best_scores(scores, graph)
    backward = best_scores(scores[::-1], graph.reversed())[::-1, ::-1]
    whole = (forward[-1] + final).max()
    # whatever the frame, the best path is somewhere; what is heard there is in both
    through = (forward + backward - scores).max(axis=1)
    assert np.allclose(through, whole, atol=1e-4)
