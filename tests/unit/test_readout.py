"""A voice's own last layer: found in closed form, good for unseen sentences, merged beside the base."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthesised_speech import SPEAKERS, TINY, clip_of, sentences_of
from yinse.audio.measure import measure_speaker
from yinse.core.errors import CheckpointKeys
from yinse.models.acoustic import AcousticModel
from yinse.models.analysis import Analysis
from yinse.models.voice_condition import VoiceCondition, voice_condition, voice_tensors
from yinse.synth.native import NativeSynthesizer
from yinse.synth.readout import draw, learn_readout
from yinse.voices.voice import READOUT, Voice
from yinse.weights.native import NativeModels, adapt

Spoken = tuple[Analysis, tuple[str, ...], np.ndarray]
BINS, CHANNELS = TINY.spectrogram.mel_bins, TINY.acoustic.channels
EVERYTHING = np.ones(BINS, dtype=bool)


@pytest.fixture(scope="module")
def model() -> AcousticModel:
    torch.manual_seed(0)
    return AcousticModel(TINY.acoustic).eval()


@pytest.fixture(scope="module")
def condition() -> VoiceCondition:
    clips = [clip_of(text, "blend_f00", *SPEAKERS["blend_f00"])[0] for text in sentences_of("zh_en_kokoro")]
    measure = measure_speaker([clip.mel for clip in clips], [clip.log_f0 for clip in clips])
    vector = np.eye(1, 256, dtype=np.float32)[0]
    tensors = voice_tensors(vector, measure, duration_scale=1.0)
    return voice_condition(tensors, floor_depth=measure.floor_depth)


@pytest.fixture(scope="module")
def person(model: AcousticModel, condition: VoiceCondition) -> list[Spoken]:
    """Four sentences of someone whose spectra differ from the model's drawing by a linear function of its frames."""
    random = np.random.default_rng(1)
    weights = random.normal(0, 0.3, (CHANNELS, BINS))
    level = slice(0, BINS * 2 // 3)
    # the level of a frame is told to the model: the person's stays that of the clip
    weights[:, level] -= weights[:, level].mean(axis=1, keepdims=True)
    spoken = []
    for text in sentences_of("zh_en_kokoro"):
        clip, truth = clip_of(text, "blend_f00", *SPEAKERS["blend_f00"])
        seen = Analysis(clip.mel.astype(np.float32), clip.log_f0, clip.samples)
        hidden, mel = draw(model, seen, truth.symbols, truth.durations, condition)
        recorded = (mel + hidden @ weights + random.normal(0, 0.1, mel.shape)).astype(np.float32)
        spoken.append((Analysis(recorded, clip.log_f0, clip.samples), truth.symbols, truth.durations))
    return spoken


def far(model: AcousticModel, readout: np.ndarray, spoken: Spoken, condition: VoiceCondition) -> tuple[float, float]:
    """Mean distance to a recording, without and with a last layer."""
    hidden, mel = draw(model, *spoken, condition)
    own = hidden @ readout[:, :-1].T.astype(float) + readout[:, -1]
    return float(np.abs(spoken[0].mel - mel).mean()), float(np.abs(spoken[0].mel - mel - own).mean())


def test_an_unheard_sentence_is_drawn_as_the_person_speaks(
    model: AcousticModel, person: list[Spoken], condition: VoiceCondition
) -> None:
    readout = learn_readout(model, person[:3], condition, trusted=EVERYTHING)
    assert readout.shape == (BINS, CHANNELS + 1) and readout.dtype == np.float16
    before, after = far(model, readout, person[3], condition)
    assert after < 0.5 * before
    assert np.array_equal(readout, learn_readout(model, person[:3], condition, trusted=EVERYTHING))


def test_little_evidence_changes_little(model: AcousticModel, person: list[Spoken], condition: VoiceCondition) -> None:
    seen, symbols, durations = person[0]
    short = int(durations[:4].sum())
    piece = Analysis(seen.mel[:short], seen.log_f0[:short], seen.samples), symbols[:4], durations[:4]
    sizes = [
        np.abs(learn_readout(model, spoken, condition, trusted=EVERYTHING).astype(float)).sum()
        for spoken in ([piece], person[:1], person)
    ]
    assert sizes == sorted(sizes)


def test_a_band_that_was_not_recorded_stays_the_model_s(
    model: AcousticModel, person: list[Spoken], condition: VoiceCondition
) -> None:
    readout = learn_readout(model, person, condition, trusted=np.arange(BINS) < 80)
    assert readout[:80].any(axis=1).all() and not readout[80:].any()


def test_merged_beside_the_base(synthesizer: NativeSynthesizer, voice: Voice) -> None:
    base: NativeModels = synthesizer.models
    leave = base.acoustic.leave
    before = leave.weight.clone()
    readout = np.random.default_rng(0).normal(0, 0.1, (leave.weight.shape[0], leave.weight.shape[1] + 1))
    readout = readout.astype(np.float16)
    adapted = adapt(base, {**voice.tensors, READOUT: readout})
    assert torch.equal(leave.weight, before)
    hidden = torch.randn(1, leave.weight.shape[1], 3)
    own = torch.einsum("mc,bct->bmt", torch.from_numpy(readout[:, :-1]).float(), hidden)
    bias = torch.from_numpy(readout[:, -1:]).float()
    torch.testing.assert_close(adapted.acoustic.leave(hidden), leave(hidden) + own + bias, atol=1e-4, rtol=1e-4)
    stronger = adapt(base, {**voice.tensors, READOUT: readout}, readout_gain=1.5)
    torch.testing.assert_close(stronger.acoustic.leave(hidden), leave(hidden) + 1.5 * own + bias, atol=1e-4, rtol=1e-4)
    with pytest.raises(CheckpointKeys, match="last layer"):
        adapt(base, {**voice.tensors, READOUT: readout[:, :-3]})
