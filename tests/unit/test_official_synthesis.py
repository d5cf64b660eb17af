"""Tiny GPT-SoVITS models with random weights take on voices and speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fakes import FakeEngine, humming, make_voice, reading
from official_files import write_semantic, write_sovits
from yinse.core.errors import BadAudio, BadText, ConfigError, FingerprintMismatch, Offline, VoiceError
from yinse.core.types import AudioChunk, AudioClip, SpeakRequest
from yinse.models.semantic_precision import HalfLinear, Int8Linear
from yinse.models.semantic_sampling import SamplingOptions
from yinse.synth.gpt_sovits import Attempt, GptSovitsSynthesizer
from yinse.synth.gpt_sovits_options import (
    OFFICIAL,
    PRESETS,
    RECOMMENDED,
    GptSovitsOptions,
    options_from,
    with_precision,
)
from yinse.synth.gpt_sovits_reference import SpokenText, choose_reference
from yinse.synth.gpt_sovits_streaming import join
from yinse.text.official import official_text
from yinse.text.phonemes import phonemize
from yinse.voices.voice import Voice
from yinse.weights.gpt_sovits import GptSovitsModels, load_gpt_sovits, save_gpt_sovits
from yinse.weights.official import import_semantic, import_sovits
from yinse.weights.official_encoders import Encoders
from yinse.workflows.gpt_sovits import GptSovitsEngine, load_engine

TEXT = "The river was quiet. We crossed the bridge, and then we went home. Nobody spoke."
FEW = SamplingOptions(maximum_codes=14)
"""Random models never end by themselves."""


def encoders(speaker: int = 0) -> Encoders:
    """Encoders that are deaf but have the right shapes."""

    def speech(samples: Tensor) -> Tensor:
        frames = samples.shape[1] // 320
        return samples[:, : frames * 320].reshape(1, frames, 320)[:, :, :12].transpose(1, 2)

    def text(characters: str, lengths: Sequence[int]) -> Tensor:
        rows = [torch.full((1, 12), ord(character) % 7 / 7.0) for character in characters]
        return torch.cat([row.expand(length, -1) for row, length in zip(rows, lengths, strict=True)])

    return Encoders(speech, text, (lambda samples: samples[:, :speaker] * 3) if speaker else None)


def prepared(folder: Path) -> GptSovitsModels:
    found = load_gpt_sovits(folder)
    found.prepare()
    return found


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> GptSovitsModels:
    folder = tmp_path_factory.mktemp("models")
    semantic = import_semantic(write_semantic(folder / "a.ckpt"))
    save_gpt_sovits(folder / "set", semantic, import_sovits(write_sovits(folder / "a.pth")))
    return prepared(folder / "set")


def synthesizer(models: GptSovitsModels, preset: GptSovitsOptions = OFFICIAL, **changes: Any) -> GptSovitsSynthesizer:
    check = changes.pop("check", None)
    heard = changes.pop("encoders", encoders())
    return GptSovitsSynthesizer(models, heard, replace(preset, **{"sampling": FEW, **changes}), check=check)


def enrolled(speaker: GptSovitsSynthesizer, *, text: str | None = "He walked along the river.") -> Voice:
    clip = humming([(4.0, True)], rate_hz=32_000)
    found = speaker.enroll([clip], transcripts=[text], language=None, shorten=lambda *_: None)
    return make_voice(tensors=found.tensors, fingerprint=speaker.models.fingerprint)


def spoken(chunks: Sequence[AudioChunk]) -> np.ndarray:
    return np.concatenate([chunk.samples for chunk in chunks])


def test_enrolling_takes_timbre_and_manner(models: GptSovitsModels) -> None:
    voice = enrolled(synthesizer(models))
    assert voice.tensors["reference_condition"].shape == (32,)
    # 4 s and 0.6 s of silence, 25 codes a second; 2 samples a code are lost to nobody here
    assert voice.tensors["reference_codes"].shape == (115,)
    assert enrolled(synthesizer(models, RECOMMENDED)).tensors["reference_codes"].shape == (107,)
    assert "reference_context" not in voice.tensors
    chinese = enrolled(synthesizer(models), text="我们沿着河边慢慢走回家。")
    assert chinese.tensors["reference_context"].shape == (len(chinese.tensors["reference_phonemes"]), 12)
    without = enrolled(synthesizer(models), text=None)
    assert list(without.tensors) == ["reference_condition"]


def test_sentences_have_the_length_of_their_codes_and_a_pause(models: GptSovitsModels) -> None:
    speaker = synthesizer(models, cut="sentences")
    chunks = list(speaker.stream(SpeakRequest(TEXT), enrolled(speaker)))
    # cut short, 14 codes lose their first: 13 of 1280 samples, and 0.3 s of silence
    assert [len(chunk.samples) for chunk in chunks] == [13 * 1280 + 9600] * 3
    assert [TEXT[slice(*chunk.text_span)] for chunk in chunks] == [chunk.text for chunk in chunks]
    assert [chunk.is_last for chunk in chunks] == [False, False, True]
    assert [chunk.index for chunk in chunks] == [0, 1, 2]
    assert chunks[2].start_s == pytest.approx(2 * (13 * 1280 + 9600) / 32_000)
    assert all(not chunk.samples[-9600:].any() and np.abs(chunk.samples).max() <= 1.0 for chunk in chunks)
    chunks = list(synthesizer(models, RECOMMENDED).stream(SpeakRequest(TEXT), enrolled(speaker)))
    assert [len(chunk.samples) // 1280 for chunk in chunks] == [13 + 6, 13 + 6, 13]


def test_the_same_seed_gives_the_same_speech(models: GptSovitsModels) -> None:
    speaker = synthesizer(models, RECOMMENDED)
    voice = enrolled(speaker)

    def say(seed: int, text: str = TEXT, **changes: Any) -> np.ndarray:
        return spoken(list(synthesizer(models, RECOMMENDED, **changes).stream(SpeakRequest(text, seed=seed), voice)))

    # texts cut short end otherwise in a batch
    whole = SamplingOptions(maximum_codes=14, cut_drops_first=False, batch_cut_drops_last=False)
    first = say(1)
    assert np.array_equal(first, say(1))
    assert not np.array_equal(first, say(2))
    # what a sentence sounds like depends neither on its batch nor on what comes after it
    assert np.abs(say(1, batch=1, sampling=whole) - say(1, sampling=whole)).max() < 1e-4
    alone = say(1, TEXT.split(". ", maxsplit=1)[0] + ".")
    assert np.array_equal(alone, first[: len(alone)])


def test_a_batch_decoded_as_one_keeps_lengths(models: GptSovitsModels) -> None:
    speaker = synthesizer(models, batch=3, cut="sentences")
    voice = enrolled(speaker)
    joined = list(speaker.stream(SpeakRequest(TEXT), voice))
    each = synthesizer(models, batch=3, cut="sentences", decode_batch_as_one=False)
    apart = list(each.stream(SpeakRequest(TEXT), voice))
    assert [len(chunk.samples) for chunk in joined] == [len(chunk.samples) for chunk in apart]
    assert not np.array_equal(joined[1].samples, apart[1].samples)


def test_speed_shortens_what_is_said(models: GptSovitsModels) -> None:
    speaker = synthesizer(models, pause_s=0.0)
    voice = enrolled(speaker)
    for speed in (0.5, 2.0):
        (chunk,) = speaker.stream(SpeakRequest("We went home again.", speed=speed), voice)
        assert len(chunk.samples) == (int(26 / speed) + 1) * 640


def test_pauses_written_into_a_text_are_silent(models: GptSovitsModels) -> None:
    text = "We went home. [pause:0.5s] The river was quiet,[pause:250ms] and nobody spoke."
    for options in ({}, {"chunk_codes": 8, "search_samples": 0}):
        speaker = synthesizer(models, RECOMMENDED, **options)
        chunks = list(speaker.stream(SpeakRequest(text), enrolled(speaker)))
        spans = list(dict.fromkeys(chunk.text_span for chunk in chunks))
        assert "".join(text[start:end] for start, end in spans).replace(" ", "") == text.replace(" ", "")
        assert len(spans) == 3
        lengths = [sum(len(chunk.samples) for chunk in chunks if chunk.text_span == span) for span in spans]
        kept = 14 if options else 13
        assert lengths == [kept * 1280 + 16_000 + 8_000, kept * 1280 + 8_000, kept * 1280]


def test_official_pieces_and_short_beginnings(models: GptSovitsModels) -> None:
    speaker = synthesizer(models)
    voice = enrolled(speaker)
    chunks = list(speaker.stream(SpeakRequest("你好，今天天气很好。我们去公园。"), voice))
    assert [chunk.text for chunk in chunks] == ["你好，今天天气很好。", "我们去公园。"]
    for on, first in ((True, "."), (False, "n")):
        (text,) = synthesizer(models, pause_before_short=on)._texts(SpeakRequest("你好，今天。"))
        assert text.spoken.symbols[0] == first


# ------------------------------------------------------------------ streaming


@pytest.mark.parametrize("speed", [1.0, 1.3])
def test_pieces_come_while_codes_are_written(models: GptSovitsModels, speed: float) -> None:
    changes = {"chunk_codes": 12, "search_samples": 0, "cut": "sentences", "pause_s": 0.25}
    sampling = SamplingOptions(maximum_codes=40)
    speaker = synthesizer(models, **changes, sampling=sampling)
    voice = enrolled(speaker)
    chunks = list(speaker.stream(SpeakRequest(TEXT, speed=speed), voice))
    assert len(chunks) > 6
    assert [chunk.is_last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    starts = np.cumsum([0] + [len(chunk.samples) for chunk in chunks[:-1]]) / 32_000
    assert [chunk.start_s for chunk in chunks] == pytest.approx(starts)
    first = [chunk for chunk in chunks if chunk.text_span == chunks[0].text_span]
    expected = 40 * 1280 / speed + 8000
    assert sum(len(chunk.samples) for chunk in first) == pytest.approx(expected, abs=4000 * (speed != 1))
    assert np.array_equal(spoken(chunks), spoken(list(speaker.stream(SpeakRequest(TEXT, speed=speed), voice))))


def test_the_first_piece_is_there_before_the_rest_is_written(models: GptSovitsModels) -> None:
    speaker = synthesizer(models, chunk_codes=12, sampling=SamplingOptions(maximum_codes=40))
    written: list[int] = []
    forward = models.semantic.forward

    def counted(*arguments: Any, **options: Any) -> Tensor:
        written.append(1)
        return forward(*arguments, **options)

    models.semantic.forward = counted
    try:
        chunks = speaker.stream(SpeakRequest("We went home again."), enrolled(speaker))
        next(chunks)
        assert len(written) <= 26
        list(chunks)
        assert len(written) == 40
    finally:
        models.semantic.forward = forward


def test_a_shifted_piece_is_found_and_faded_in() -> None:
    wave = np.sin(np.arange(6000) * 0.05).astype(np.float32) * np.linspace(0.5, 1.0, 6000, dtype=np.float32)
    joined = join(wave[1000:3000], wave[900:], search_samples=320)
    assert len(joined) == 6000 - 900 - 100
    assert np.allclose(joined, wave[1000:], atol=1e-3)
    assert len(join(wave[1000:3000], wave[900:], search_samples=0)) == 6000 - 900


# ------------------------------------------------------------------ check and retry


class Picky:
    """Is content with the attempt of a number."""

    attention: Tensor | None = None

    def __init__(self, number: int, layers: int = 2, heads: int = 2) -> None:
        self.number, self.seen = number, []
        self.attention = torch.full((layers, heads), 1 / (layers * heads))

    def __call__(self, attempt: Attempt) -> Sequence[str]:
        self.seen.append(attempt)
        return [] if attempt.number >= self.number else ["a", "b"][: 2 - attempt.number]


def test_a_sentence_that_fails_its_check_is_spoken_again(models: GptSovitsModels) -> None:
    voice = enrolled(synthesizer(models))
    check = Picky(2)
    speaker = synthesizer(models, cut="sentences", retries=3, check=check, batch=3)
    chunks = list(speaker.stream(SpeakRequest(TEXT), voice))
    assert [(chunk.attempts, chunk.faults) for chunk in chunks] == [(3, ())] * 3
    assert len(check.seen) == 9
    first, second, third = (attempt.samples for attempt in check.seen[:3])
    assert not np.array_equal(first, second) and not np.array_equal(second, third)
    assert np.array_equal(chunks[0].samples[: len(third)], third / max(1.0, np.abs(third).max()))
    seen = check.seen[0]
    assert seen.codes.attention.shape == (len(seen.codes.codes), seen.prompt_phonemes + len(seen.text.spoken.ids))


def test_the_best_attempt_is_kept_with_its_faults(models: GptSovitsModels) -> None:
    speaker = synthesizer(models, cut="sentences", retries=1, check=Picky(9))
    (chunk,) = speaker.stream(SpeakRequest("We went home."), enrolled(speaker))
    assert (chunk.attempts, chunk.faults) == (2, ("a",))


# ------------------------------------------------------------------ references


def test_references_of_a_wrong_length_are_told(models: GptSovitsModels) -> None:
    for seconds, preset in ((0.5, OFFICIAL), (600.0, OFFICIAL), (0.5, RECOMMENDED)):
        clip = AudioClip(np.zeros(round(seconds * 32_000), np.float32), 32_000)
        with pytest.raises(BadAudio, match=rf"{seconds:.1f} s.* 3 to 10 s are expected"):
            synthesizer(models, preset).enroll([clip], transcripts=["a"], language=None, shorten=lambda *_: None)


def test_the_best_stretch_is_chosen() -> None:
    lengths = (1.0, 1.5, 4.0, 5.0, 12.0)
    clips = {seconds: SpokenText(humming([(seconds, True)]), f"{seconds} seconds") for seconds in lengths}
    vectors = {4.0: [1.0, 0.0], 5.0: [0.9, 0.1]}

    def choose(*seconds: float, **options: Any) -> SpokenText:
        return choose_reference(
            [clips[one] for one in seconds],
            options=replace(RECOMMENDED, **options),
            timbre=lambda clip: np.array(vectors.get(round(clip.duration_s, 1), [0.0, 1.0])),
            shorten=lambda one, longest_s: SpokenText(humming([(longest_s - 1, True)]), "shortened"),
        )

    assert choose(1.0, 4.0, 12.0) is clips[4.0]
    assert choose(4.0, 5.0) in (clips[4.0], clips[5.0])
    assert choose(1.0, 12.0).text == "shortened"
    joined = choose(1.0, 1.5, 1.0)
    assert joined.text == "1.0 seconds 1.5 seconds 1.0 seconds"
    assert joined.clip.duration_s == pytest.approx(3.9)
    with pytest.raises(BadAudio, match="2.5 s of speech"):
        choose(1.0, 1.5)


def test_several_references_are_averaged(models: GptSovitsModels) -> None:
    clips = [humming([(seconds, True)], f0_hz=f0, rate_hz=32_000) for seconds, f0 in ((4.0, 110.0), (5.0, 240.0))]
    found = []
    for count in (1, 2):
        speaker = synthesizer(models, RECOMMENDED, timbre_clips=count)
        found.append(speaker.enroll(clips, transcripts=[None, None], language=None, shorten=lambda *_: None))
    one, both = (each.tensors["reference_condition"] for each in found)
    each = [synthesizer(models)._reader.timbre([clip]) for clip in clips]
    assert np.allclose(both, np.mean(each, axis=0), atol=1e-6)
    assert not np.allclose(one, both)
    assert "timbre" in found[0].warnings[0]


def test_the_engine_cuts_long_utterances_between_words(models: GptSovitsModels, tmp_path: Path) -> None:
    lines = [
        "The morning train was late again, so we walked along the river.",
        "Please put the cups back on the table before they come.",
        "We looked at the old maps for hours and then went home again.",
    ]
    clip = reading(lines)
    assert clip.duration_s > 12
    options = replace(RECOMMENDED, sampling=FEW)
    engine = GptSovitsEngine(models, encoders(), options, listener=FakeEngine)
    found = engine.enroll([clip], transcripts=[" ".join(lines)], language="en")
    assert 5 * 25 < len(found.tensors["reference_codes"]) <= 10.3 * 25
    whole = official_text(phonemize(" ".join(lines)), table=732)
    kept = found.tensors["reference_phonemes"]
    # all but the final stop, which the shortened text is given
    assert 40 < len(kept) < len(whole.ids) and tuple(kept[:-1]) == whole.ids[: len(kept) - 1]
    untold = engine.enroll([clip], transcripts=[None], language=None)
    assert list(untold.tensors) == ["reference_condition"]

    assert len(engine.style(humming([(4.0, True)]), "We went home.").codes) > 90
    with pytest.raises(BadAudio, match="3 to 10 s are expected"):
        engine.style(clip, "We went home.")
    with pytest.raises(ConfigError, match="not tuned"):
        engine.tune(make_voice(), [clip], ["a"], folder=tmp_path)


# ------------------------------------------------------------------ conversion


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 44_100])
@pytest.mark.parametrize("duration_s", [0.81, 4.0, 4.013])
def test_a_converted_utterance_is_as_long_as_it_was(models: GptSovitsModels, rate_hz: int, duration_s: float) -> None:
    speaker = synthesizer(models)
    clip = humming([(duration_s, True)], rate_hz=rate_hz)
    found = speaker.convert(clip, enrolled(speaker), transcript="We went home.")
    assert found.sample_rate_hz == 32_000
    assert len(found.samples) == round(len(clip.samples) * 32_000 / rate_hz)


def test_conversion_speaks_the_recordings_own_codes(models: GptSovitsModels) -> None:
    """As the published modules do it one by one: HuBERT, codes, decoder with the words and the voice's timbre."""
    speaker, text = synthesizer(models, noise_scale=0.0), "We walked home along the river."
    voice, clip = enrolled(speaker), humming([(2.0, True)], rate_hz=16_000)
    found = speaker.convert(clip, voice, transcript=text)
    codes = models.sovits.encode(encoders().speech(torch.from_numpy(clip.samples)[None]))
    assert codes.shape == (1, 50)
    phonemes = torch.tensor([official_text(phonemize(text), table=732).ids])
    condition = torch.from_numpy(voice.tensors["reference_condition"])[None]
    expected = models.sovits(codes, phonemes, condition).samples[0]
    assert np.allclose(found.samples, expected.numpy(), atol=1e-5)


def test_words_voice_and_seed_are_heard_in_a_conversion(models: GptSovitsModels) -> None:
    speaker = synthesizer(models)
    voice, clip = enrolled(speaker), humming([(1.0, True)])
    condition = voice.tensors["reference_condition"]
    other = make_voice(tensors={"reference_condition": condition[::-1].copy()}, fingerprint=models.fingerprint)
    said = "We went home."
    first = speaker.convert(clip, voice, transcript=said).samples
    assert np.array_equal(speaker.convert(clip, voice, transcript=said).samples, first)
    for changed in (
        speaker.convert(clip, voice, transcript="Nobody spoke."),
        speaker.convert(clip, voice),
        speaker.convert(clip, voice, transcript=said, seed=1),
        speaker.convert(clip, other, transcript=said),
    ):
        assert not np.array_equal(changed.samples, first)
    with pytest.raises(VoiceError, match="no timbre"):
        speaker.convert(clip, make_voice(fingerprint=models.fingerprint), transcript=said)
    with pytest.raises(Offline, match="HuBERT"):
        synthesizer(models, encoders=Encoders(missing={})).convert(clip, voice, transcript=said)
    with pytest.raises(BadText):
        speaker.convert(clip, voice, transcript="…")


# ------------------------------------------------------------------ what cannot be done


def test_encoders_that_are_not_here(models: GptSovitsModels) -> None:
    none = Encoders(missing={"BERT": "Fetch it."})
    voice = enrolled(synthesizer(models))
    with pytest.raises(Offline, match="BERT, which is not on this machine. Fetch it."):
        list(synthesizer(models, encoders=none).stream(SpeakRequest("我们走回家了。"), voice))
    assert list(synthesizer(models, encoders=none).stream(SpeakRequest("We went home."), voice))
    assert list(synthesizer(models, encoders=none, allow_missing_context=True).stream(SpeakRequest("我们走。"), voice))
    with pytest.raises(Offline, match="HuBERT"):
        enrolled(synthesizer(models, encoders=none))


def test_requests_that_cannot_be_met(models: GptSovitsModels) -> None:
    speaker = synthesizer(models)
    voice = enrolled(speaker)
    with pytest.raises(FingerprintMismatch):
        list(speaker.stream(SpeakRequest("Hello."), make_voice()))
    with pytest.raises(ConfigError, match="pitch"):
        list(speaker.stream(SpeakRequest("Hello.", pitch_semitones=2), voice))
    with pytest.raises(BadText, match="nothing in the text"):
        list(speaker.stream(SpeakRequest("こんにちは"), voice))
    native = make_voice(fingerprint=models.fingerprint)
    with pytest.raises(VoiceError, match="no timbre"):
        list(speaker.stream(SpeakRequest("Hello."), native))
    for changes in (
        {"reference_condition": np.ones(7, np.float32)},
        {"reference_codes": np.array([32])},
        {"reference_phonemes": np.array([733])},
        {"reference_context": np.zeros((len(voice.tensors["reference_phonemes"]), 5), np.float32)},
    ):
        other = make_voice(tensors={**voice.tensors, **changes}, fingerprint=models.fingerprint)
        with pytest.raises(VoiceError):
            list(speaker.stream(SpeakRequest("Hello."), other))


def test_options() -> None:
    assert options_from({}) == OFFICIAL
    assert options_from({"preset": "recommended", "batch": 2}) == replace(RECOMMENDED, batch=2)
    assert options_from({"sampling": {"top_k": 5}}).sampling.top_k == 5
    assert set(PRESETS) == {"official", "recommended"}
    for wrong in (
        {"preset": "best"},
        {"cut": "cut9"},
        {"batch": 0},
        {"loudness": 3},
        {"sampling": {"heat": 1}},
        {"sampling": {"top_k": -1}},
        {"pause_s": -1.0},
        {"shortest_reference_s": 11.0},
        {"chunk_codes": 2},
        {"semantic_precision": "int4"},
        {"sovits_precision": "int8"},
    ):
        with pytest.raises(ConfigError):
            options_from(wrong)


def test_a_precision_is_never_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(name: str) -> tuple[str, str]:
        options = with_precision(OFFICIAL, name)
        assert replace(options, semantic_precision="exact", sovits_precision="exact") == OFFICIAL
        return options.semantic_precision, options.sovits_precision

    for pays in (False, True):
        for kind in ("bfloat16", "int8"):
            monkeypatch.setattr(f"yinse.synth.gpt_sovits_options.{kind}_pays", lambda pays=pays: pays)
        assert chosen("fp32") == ("exact", "exact")
        if pays:
            assert chosen("bf16") == ("exact", "bfloat16")
            assert chosen("int8") == ("int8", "bfloat16")
        else:
            for name in ("bf16", "int8"):
                with pytest.raises(ConfigError, match=f"not faster in {name}. Use fp32"):
                    chosen(name)
    monkeypatch.setattr("yinse.synth.gpt_sovits_options.bfloat16_pays", lambda: False)
    assert chosen("int8") == ("int8", "exact")
    with pytest.raises(ConfigError, match="fp32, bf16, int8"):
        chosen("fp16")


def test_the_folder_chooses_how_exactly_its_models_speak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YINSE_HOME", str(tmp_path / "home"))
    semantic = import_semantic(write_semantic(tmp_path / "a.ckpt"))
    sovits = import_sovits(write_sovits(tmp_path / "a.pth"))
    voice = {"reference_condition": np.zeros(32, np.float32)}
    few = {"sampling": {"maximum_codes": 14}}
    found = {}
    for name, choices in (
        ("exact", {}),
        ("int8", {"semantic_precision": "int8"}),
        ("bfloat16", {"sovits_precision": "bfloat16"}),
    ):
        save_gpt_sovits(tmp_path / name, semantic, sovits, synthesis={**few, **choices})
        loaded = load_gpt_sovits(tmp_path / name)
        monkeypatch.setattr("yinse.workflows.gpt_sovits.load_gpt_sovits", lambda folder, loaded=loaded: loaded)
        engine = load_engine(tmp_path / name, listener=FakeEngine)
        speaker = make_voice(tensors=voice, fingerprint=loaded.fingerprint)
        samples = spoken(list(engine.stream(SpeakRequest("Hello there."), speaker)))
        found[name] = (type(loaded.semantic.blocks[0].output), loaded.sovits.generator.precision, samples)
    assert found["exact"][:2] == (HalfLinear, torch.float32)
    assert found["int8"][:2] == (Int8Linear, torch.float32)
    assert found["bfloat16"][:2] == (HalfLinear, torch.bfloat16)
    exact, rounded = found["exact"][2], found["bfloat16"][2]
    assert not np.array_equal(exact, rounded)
    assert np.abs(exact - rounded).max() < 0.05 * np.abs(exact).max()


def test_pro_models_hear_the_speaker(tmp_path: Path) -> None:
    semantic = import_semantic(write_semantic(tmp_path / "a.ckpt"))
    save_gpt_sovits(tmp_path / "set", semantic, import_sovits(write_sovits(tmp_path / "a.pth", speaker=24)))
    pro = prepared(tmp_path / "set")
    speaker = synthesizer(pro, encoders=encoders(speaker=24))
    assert list(speaker.stream(SpeakRequest("Hello."), enrolled(speaker)))
    with pytest.raises(Offline, match="speaker model"):
        enrolled(synthesizer(pro))
