"""Speaking: streaming = offline, sentences on their own, pace and pitch as asked for, every phone its frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import yinse
from yinse.audio.measure import PhonemeProsody
from yinse.audio.pitch import track_pitch
from yinse.core.errors import BadText, FingerprintMismatch
from yinse.core.types import AudioChunk, AudioClip, SpeakRequest
from yinse.models.prosody import DURATION_FRAMES, expected_duration
from yinse.models.voice_condition import voice_condition
from yinse.synth.clear_speech import clear_stretch
from yinse.synth.native import (
    NativeSynthesizer,
    centred,
    final_durations,
    quiet_pauses,
    spread_melody,
)
from yinse.synth.native_options import SynthesisConfig
from yinse.text.phonemes import phonemize
from yinse.text.symbols import BOUNDARIES
from yinse.voices.voice import Voice

MIXED = "Good day. 你好！How are you?"
LONGER = "The old farmer walked slowly down to the river."


def speak(synthesizer: NativeSynthesizer, voice: Voice, text: str, **options: object) -> list[AudioChunk]:
    return list(synthesizer.stream(SpeakRequest(text, **options), voice))  # type: ignore[arg-type]


def whole(chunks: list[AudioChunk]) -> AudioClip:
    return AudioClip(np.concatenate([chunk.samples for chunk in chunks]), chunks[0].sample_rate_hz)


def phone_seconds(chunk: AudioChunk) -> float:
    return sum(p.end_s - p.start_s for p in chunk.phonemes if p.symbol not in BOUNDARIES)


# Streams


def test_the_stream_is_the_offline_result(synthesizer: NativeSynthesizer, voice: Voice) -> None:
    chunks = speak(synthesizer, voice, MIXED, seed=3)
    np.testing.assert_array_equal(whole(chunks).samples, yinse.say(MIXED, voice, seed=3).samples)
    assert [chunk.index for chunk in chunks] == [0, 1, 2]
    assert [chunk.is_last for chunk in chunks] == [False, False, True]
    assert [MIXED[slice(*chunk.text_span)] for chunk in chunks] == ["Good day.", "你好！", "How are you?"]
    ends = np.cumsum([len(chunk.samples) for chunk in chunks]) / synthesizer.sample_rate_hz
    np.testing.assert_allclose([chunk.start_s for chunk in chunks], [0.0, *ends[:-1]], atol=1e-9)


@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_a_pause_is_as_long_as_the_text_says_and_silent(
    synthesizer: NativeSynthesizer, voice: Voice, speed: float
) -> None:
    text = "[pause:250ms]Hello there, [pause:0.5s] my friend. [pause:1s]"
    (chunk,) = speak(synthesizer, voice, text, speed=speed)
    pauses = {p.symbol: p for p in chunk.phonemes if p.symbol in "^,."}
    config = synthesizer.config
    frame_s = 1 / synthesizer.models.config.spectrogram.frames_per_s
    lengths = {symbol: p.end_s - p.start_s for symbol, p in pauses.items()}
    expected = {"^": 0.25 + config.head_frames * frame_s, ",": 0.5, ".": 1.0 + config.tail_frames * frame_s}
    assert lengths == pytest.approx(expected)
    assert len(chunk.samples) / chunk.sample_rate_hz == pytest.approx(chunk.phonemes[-1].end_s, abs=2 * frame_s)
    middle = (pauses[","].start_s + 0.15, pauses[","].end_s - 0.15)
    start, end = (round(time_s * chunk.sample_rate_hz) for time_s in middle)
    assert not chunk.samples[start:end].any()
    assert chunk.samples[end:].any()


def test_what_is_written_wrong_is_refused_before_the_first_word(synthesizer: NativeSynthesizer, voice: Voice) -> None:
    stream = synthesizer.stream(SpeakRequest("Good day. {read|RED} it."), voice)
    with pytest.raises(BadText, match="RED") as error:
        next(stream)
    assert error.value.span == (10, 20)


def test_a_request_brings_its_readings(synthesizer: NativeSynthesizer, voice: Voice) -> None:
    (chunk,) = speak(synthesizer, voice, "Good day.", lexicon={"day": ("D", "AY1")})
    assert "AY1" in [p.symbol for p in chunk.phonemes]


def test_a_sentence_does_not_hear_those_before_it(synthesizer: NativeSynthesizer, voice: Voice) -> None:
    after_one, after_other = (
        speak(synthesizer, voice, f"{first} How are you?")[1] for first in ("Good day.", "Hi there.")
    )
    (alone,) = speak(synthesizer, voice, " " * len("Good day. ") + "How are you?")
    np.testing.assert_array_equal(after_one.samples, after_other.samples)
    np.testing.assert_array_equal(after_one.samples, alone.samples)
    assert after_one.phonemes == alone.phonemes
    # elsewhere the same words are said anew
    (at_start,) = speak(synthesizer, voice, "How are you?")
    assert not np.array_equal(at_start.samples, alone.samples)


def test_a_sentence_is_spoken_when_it_is_asked_for(
    synthesizer: NativeSynthesizer, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def watched(text: str, **options: Any) -> object:
        read.append(text)
        return phonemize(text, **options)

    monkeypatch.setattr("yinse.synth.native.phonemize", watched)
    chunks: Iterator[AudioChunk] = synthesizer.stream(SpeakRequest("好。" * 500), voice)
    next(chunks)
    assert len(read) <= 2  # one more is looked at, to know whether a pause follows


def test_chance_comes_from_the_seed_alone(synthesizer: NativeSynthesizer, voice: Voice) -> None:
    results = []
    for global_seed, seed in ((1, 5), (2, 5), (2, 6)):
        torch.manual_seed(global_seed)
        results.append(whole(speak(synthesizer, voice, "你好。", seed=seed)).samples)
    np.testing.assert_array_equal(results[0], results[1])
    assert not np.array_equal(results[1][:4000], results[2][:4000])


# Pace and pitch


@pytest.mark.parametrize("speed", [0.75, 1.3])
def test_speed_scales_the_phones(synthesizer: NativeSynthesizer, voice: Voice, speed: float) -> None:
    (plain,), (paced,) = (speak(synthesizer, voice, LONGER, speed=value) for value in (1.0, speed))
    assert phone_seconds(paced) * speed == pytest.approx(phone_seconds(plain), rel=0.03)


@pytest.mark.parametrize("semitones", [-4.0, 3.0])
def test_pitch_moves_the_melody(synthesizer: NativeSynthesizer, voice: Voice, semitones: float) -> None:
    (plain,), (moved,) = (speak(synthesizer, voice, LONGER, pitch_semitones=value) for value in (0.0, semitones))
    assert len(plain.samples) == len(moved.samples)
    low, high = (track_pitch(whole([chunk])) for chunk in (plain, moved))
    both = low.voiced & high.voiced
    assert both.sum() > 80  # frames: a second of voice
    measured = 12 * np.median(np.log2(high.f0_hz[both] / low.f0_hz[both]))
    assert measured == pytest.approx(semitones, abs=0.5)


def test_the_pause_is_as_long_as_asked(synthesizer: NativeSynthesizer, voice: Voice) -> None:
    short, long = (speak(synthesizer, voice, "你好。好。", pause_s=pause_s) for pause_s in (0.0, 0.5))
    assert len(long[0].samples) - len(short[0].samples) == synthesizer.sample_rate_hz // 2
    assert not long[0].samples[-synthesizer.sample_rate_hz // 2 :].any()
    assert len(long[1].samples) == len(short[1].samples)  # nothing follows the last


# Phones and their frames


WORDS = st.sampled_from(["你", "好", "天气", "hello", "the", "river", "A", "12", "，", ", ", "! ", "。"])


@settings(max_examples=12)
@given(words=st.lists(WORDS, min_size=1, max_size=4), speed=st.sampled_from([0.5, 1.0, 1.7, 4.0]))
def test_every_phone_gets_its_frames(
    synthesizer: NativeSynthesizer, voice: Voice, words: list[str], speed: float
) -> None:
    text = " ".join(words)
    if not any(char.isalnum() for char in text):
        with pytest.raises(BadText):
            speak(synthesizer, voice, text)
        return
    frames_per_s = synthesizer.models.config.spectrogram.frames_per_s
    chunks = speak(synthesizer, voice, text, speed=speed, pause_s=0.0)
    assert chunks[-1].is_last
    for chunk in chunks:
        starts, ends = (np.array([getattr(p, name) for p in chunk.phonemes]) for name in ("start_s", "end_s"))
        assert starts[0] == pytest.approx(0.0)
        np.testing.assert_allclose(starts[1:], ends[:-1], atol=1e-6)
        frames = (ends - starts) * frames_per_s
        np.testing.assert_allclose(frames, np.round(frames), atol=1e-4)
        phones = np.array([p.symbol not in BOUNDARIES for p in chunk.phonemes])
        assert (frames[phones] > 0.99).all()
        assert (frames > -0.01).all()
        # frames are centred: the last one ends half a frame after its own middle
        assert len(chunk.samples) / synthesizer.sample_rate_hz == pytest.approx(ends[-1], abs=1.01 / frames_per_s)
        assert tuple(p.symbol for p in chunk.phonemes) == phonemize(chunk.text).symbols
        assert np.isfinite(chunk.samples).all()
        assert np.abs(chunk.samples).max() <= synthesizer.config.peak + 1e-6


@pytest.mark.parametrize("text", ["好", "a", "7"])
def test_one_character(synthesizer: NativeSynthesizer, voice: Voice, text: str) -> None:
    (chunk,) = speak(synthesizer, voice, text)
    assert chunk.is_last
    assert 0.1 < phone_seconds(chunk) < 2.0
    assert np.abs(chunk.samples).max() > 0.02


SYMBOLS = st.lists(st.sampled_from(["m", "a1", "AH0", "|", ",", "S"]), min_size=1, max_size=30)


@given(
    middle=SYMBOLS,
    frames=st.lists(st.sampled_from(DURATION_FRAMES), min_size=32, max_size=32),
    scale=st.floats(0.2, 4.0) | st.sampled_from([0.25, 0.5, 1.0]),
)
@example(middle=["m"] * 30, frames=[0, 3, *[2] * 30], scale=0.5)  # every end lies between two frames
def test_final_durations(middle: list[str], frames: list[int], scale: float) -> None:
    config = SynthesisConfig()
    symbols = ["^", *middle, "."]
    decided = np.array(frames[: len(symbols)])
    found = final_durations(symbols, decided, scale=scale, config=config)
    assert found.shape == decided.shape
    assert found.dtype == np.int64
    assert found[0] == config.head_frames
    assert abs(found[-1] - config.tail_frames) <= 1
    asked = 0.0
    for symbol, before, after in zip(middle, decided[1:-1], found[1:-1], strict=True):
        wanted = before * scale
        if symbol == "|":
            wanted = min(wanted, config.longest_gap_frames * scale)
        elif symbol == ",":
            wanted = max(wanted, config.shortest_mark_frames * scale)
        else:
            wanted = max(wanted, 1.0)
            assert after >= 1
        assert after >= 0
        assert abs(after - wanted) <= 1
        asked += wanted
    # what one symbol loses to rounding the next one gets
    assert abs(found[1:-1].sum() - asked) <= 0.5 + 1e-6


# The GPT's durations


def test_a_duration_is_the_mean_of_its_distribution() -> None:
    def logits(**shares: float) -> torch.Tensor:
        probability = torch.full((len(DURATION_FRAMES),), 1e-9)
        for frames, share in shares.items():
            probability[DURATION_FRAMES.index(int(frames[1:]))] = share
        return probability.log()

    for token in range(1, len(DURATION_FRAMES)):
        sure = logits(**{f"f{DURATION_FRAMES[token]}": 1.0})
        assert expected_duration(sure, may_vanish=True) == expected_duration(sure, may_vanish=False) == token
    between = logits(f4=0.5, f12=0.5)  # neither of the two likeliest
    assert DURATION_FRAMES[expected_duration(between, may_vanish=False)] == 8
    for gone, frames in ((0.6, 0), (0.4, 10)):
        pause = logits(f0=gone, f10=1 - gone)
        assert DURATION_FRAMES[expected_duration(pause, may_vanish=True)] == frames
        # a phone is never swallowed, and what it cannot do does not make it shorter
        assert DURATION_FRAMES[expected_duration(pause, may_vanish=False)] == 10


# What cannot be spoken


def test_what_cannot_be_spoken_is_passed_over(synthesizer: NativeSynthesizer, voice: Voice) -> None:
    chunks = speak(synthesizer, voice, "你好。\n😀。\n한국어。\n好。")
    assert [(chunk.index, chunk.text, chunk.is_last) for chunk in chunks] == [(0, "你好。", False), (1, "好。", True)]
    with pytest.raises(BadText, match="nothing"):
        speak(synthesizer, voice, "한국어。😀")


def test_a_voice_of_other_models_is_refused(synthesizer: NativeSynthesizer, voice: Voice) -> None:
    foreign = dataclasses.replace(voice, model_fingerprint="0123456789abcdef")
    with pytest.raises(FingerprintMismatch, match="0123456789abcdef"):
        speak(synthesizer, foreign, "你好。")


def test_a_transcript_far_longer_than_its_recording_is_refused(synthesizer: NativeSynthesizer, voice: Voice) -> None:
    clip = whole(speak(synthesizer, voice, "你好。"))
    reference = synthesizer.style_reference(clip, "你好。")
    assert reference.tokens.shape == (len(reference.symbols), 3)
    with pytest.raises(BadText, match="longer"):
        synthesizer.style_reference(clip, LONGER * 5)


def test_a_melody_too_high_is_moved_to_the_median() -> None:
    durations = np.array([4, 4, 2, 6], dtype=np.int32)
    high = PhonemeProsody(
        durations=durations,
        pitch=np.array([2.0, 3.0, 0.0, 2.5], dtype=np.float32),
        voiced=np.array([1.0, 1.0, 0.0, 1.0], dtype=np.float32),
        energy=np.zeros(4, dtype=np.float32),
    )
    moved = centred(high, farthest=0.25)
    voiced = high.voiced > 0
    assert np.average(moved.pitch[voiced], weights=durations[voiced]) == pytest.approx(0.25, abs=1e-5)
    assert moved.pitch[2] == 0.0
    np.testing.assert_allclose(np.diff(moved.pitch[[0, 1, 3]]), np.diff(high.pitch[[0, 1, 3]]), atol=1e-6)
    near = dataclasses.replace(high, pitch=high.pitch - 2.5 * high.voiced)
    np.testing.assert_allclose(centred(near, farthest=0.25).pitch, near.pitch, atol=1e-6)


def test_a_pause_that_the_gpt_did_not_see_is_quiet() -> None:
    decided = PhonemeProsody(
        durations=np.array([9, 5, 0, 0, 4, 3], dtype=np.int32),
        pitch=np.zeros(6, dtype=np.float32),
        voiced=np.zeros(6, dtype=np.float32),
        energy=np.array([-3.5, 0.5, 0.0, 0.0, 0.0, -2.0], dtype=np.float32),
    )
    quiet = quiet_pauses(decided, np.array([3, 5, 6, 0, 4, 8]), energy=-2.5)
    assert quiet.energy.tolist() == [-3.5, 0.5, -2.5, 0.0, 0.0, -2.0]


@pytest.mark.parametrize("text", ["Water, water, water, water.", "我们看，我们听，我们写。"])
def test_commas_are_silent(synthesizer: NativeSynthesizer, voice: Voice, text: str) -> None:
    (chunk,) = speak(synthesizer, voice, text)
    commas = [phone for phone in chunk.phonemes if phone.symbol == ","]
    rate_hz = chunk.sample_rate_hz
    loud = np.sqrt(np.mean(chunk.samples**2))
    assert commas
    for comma in commas:
        # the edges belong to the words beside it
        middle = slice(round((comma.start_s + 0.03) * rate_hz), round((comma.end_s - 0.03) * rate_hz))
        assert 20 * np.log10(np.sqrt(np.mean(chunk.samples[middle] ** 2)) / loud) < -25


@given(st.integers(1, 200), st.floats(0.05, 20.0), st.integers(0, 3))
def test_a_melody_comes_nearer_to_the_speakers_spread(length: int, width: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    f0 = torch.randn(1, length, generator=generator) * width + 0.3
    voicing = (torch.rand(1, length, generator=generator) > 0.3).float()
    spread = spread_melody(f0, voicing, share=0.8, stretch=1.8)
    assert torch.isfinite(spread).all()
    before, after = f0[voicing > 0], spread[voicing > 0]
    if len(before) < 2:
        assert torch.equal(f0, spread)
        return
    half = [float(torch.quantile(x, 0.84) - torch.quantile(x, 0.16)) / 2 for x in (before, after)]
    assert abs(np.log(half[1])) <= abs(np.log(half[0])) + 1e-4
    assert 1 / 1.8 - 1e-3 <= half[1] / half[0] <= 1.8 + 1e-3
    assert float(after.quantile(0.5)) == pytest.approx(float(before.quantile(0.5)), rel=1e-3, abs=1e-3 * width)
    assert (after[before.argsort()].diff() >= 0).all()


def test_a_slow_reader_has_a_slow_voice(synthesizer: NativeSynthesizer, voice: Voice) -> None:
    texts = [LONGER, "We sat by the fire and told old stories.", "There is nothing to do but wait for rain."]
    paces = []
    for speed in (0.8, 1.2):
        clips = [whole(speak(synthesizer, voice, text, speed=speed)) for text in texts]
        enrolled = synthesizer.enroll(clips, transcripts=texts, language="en")
        taken = dataclasses.replace(voice, tensors=enrolled.tensors)
        assert synthesizer.pace(taken, clips, texts) == pytest.approx(enrolled.tensors["numbers"], abs=1e-5)
        spoken = speak(synthesizer, taken, texts[2])
        paces.append(phone_seconds(spoken[0]))
    assert paces[0] > 1.2 * paces[1]


def test_networks_are_told_the_typical_speaker_of_a_language_that_no_real_person_taught(
    synthesizer: NativeSynthesizer, voice: Voice
) -> None:
    texts = ["今天我们去河边散步，好吗？", "明天早上你想喝茶还是咖啡？"]
    clips = [whole(speak(synthesizer, voice, text)) for text in texts]
    typical = synthesizer.models.typical_speakers["zh"]
    told = {
        "by script": synthesizer.enroll(clips, transcripts=texts),
        "by language": synthesizer.enroll(clips, language="zh"),
        "unknown": synthesizer.enroll(clips),
        "taught by people": synthesizer.enroll(clips, language="en"),
    }
    vectors = {name: found.tensors.get("told_vector") for name, found in told.items()}
    assert vectors["unknown"] is None and vectors["taught by people"] is None
    for name in ("by script", "by language"):
        tensors = told[name].tensors
        np.testing.assert_array_equal(vectors[name], typical)
        condition = voice_condition(tensors, floor_depth=tensors["floor_depth"])
        np.testing.assert_array_equal(condition.speaker[0], typical)
        # the last layer says more of such a person, and of others just what was solved
        layer = np.ones((100, 257), dtype=np.float16)
        taken = dataclasses.replace(voice, tensors={**tensors, "readout": layer})
        untold = {name: values for name, values in taken.tensors.items() if name != "told_vector"}
        base = synthesizer.models.acoustic.leave.weight
        for one, gain in ((taken, synthesizer.config.readout_gain), (dataclasses.replace(voice, tensors=untold), 1.0)):
            own = synthesizer.adapted(one).acoustic.leave.weight - base
            torch.testing.assert_close(own, torch.full_like(own, gain), atol=1e-5, rtol=0)
        # who the person is, is remembered
        np.testing.assert_array_equal(tensors["speaker_vector"], told["unknown"].tensors["speaker_vector"])


def test_a_language_that_no_real_person_taught_is_spoken_with_tensors_of_its_own(
    synthesizer: NativeSynthesizer, voice: Voice
) -> None:
    texts = [LONGER, "We sat by the fire and told old stories."]
    clips = [whole(speak(synthesizer, voice, text)) for text in texts]
    found = synthesizer.enroll(clips, transcripts=texts).tensors
    adapter = {"adapter.acoustic.leave.weight.up": np.ones((100, 1)), "adapter.acoustic.leave.weight.down": np.ones(1)}
    taken = dataclasses.replace(voice, tensors={**found, **adapter})
    assert taken.tensors_in("en") is taken.tensors
    foreign = taken.tensors_in("zh")
    np.testing.assert_array_equal(foreign["told_vector"], synthesizer.models.typical_speakers["zh"])
    np.testing.assert_array_equal(foreign["mean_spectrum"], found["mean_spectrum"])
    assert not any(name.startswith(("adapter.", "foreign.")) for name in foreign)
    # solved and measured with this speaker told, and taken as of others who are told a typical speaker
    assert np.abs(foreign["readout"].astype(float) - found["readout"]).max() > 0.01
    base = synthesizer.models.acoustic.leave.weight
    own = synthesizer.adapted(taken, "zh").acoustic.leave.weight - base
    layer = torch.from_numpy(foreign["readout"][:, :-1].astype(np.float32))[:, :, None]
    torch.testing.assert_close(own, synthesizer.config.readout_gain * layer, atol=1e-4, rtol=0)
    # sentence by sentence
    kept = {name: values for name, values in found.items() if not name.startswith("foreign.")}
    with_, without = (
        speak(synthesizer, dataclasses.replace(voice, tensors=tensors), "Good day. 你好。") for tensors in (found, kept)
    )
    np.testing.assert_array_equal(with_[0].samples, without[0].samples)
    assert len(with_[1].samples) != len(without[1].samples) or (with_[1].samples != without[1].samples).any()


@pytest.mark.parametrize(
    ("text", "strong"),
    [
        ("Two for four.", ["Two", "four"]),
        ("To be or not to be", []),
        ("我有 two 个 for 循环", ["two"]),
        ("Would he chuck wood?", ["wood"]),
        ("。", []),
    ],
)
def test_english_is_given_time_and_what_sounds_weak_more(text: str, strong: list[str]) -> None:
    phonemes = phonemize(f"{text} 好")
    items = np.repeat(np.arange(len(phonemes.word_texts)), phonemes.word_lengths)
    factors = clear_stretch(phonemes, english=1.1, strong=2.0)
    for item, (word, language) in enumerate(zip(phonemes.word_texts, phonemes.word_languages, strict=True)):
        expected = (2.2 if word in strong else 1.1) if language == "en" else 1.0
        assert factors[items == item] == pytest.approx(expected)


def test_strong_words_last_longer(synthesizer: NativeSynthesizer, voice: Voice) -> None:
    plain = NativeSynthesizer(synthesizer.models, SynthesisConfig(english_stretch=1.0, strong_stretch=1.0))
    (longer,), (shorter,) = (speak(one, voice, "Buy four.", language="en") for one in (synthesizer, plain))
    assert phone_seconds(longer) == pytest.approx(1.59 * phone_seconds(shorter), rel=0.1)
