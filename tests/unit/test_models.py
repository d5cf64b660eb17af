"""The native models: shapes, chance from generators alone, incremental = full, sound at the pitch asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from yinse.models import prosody as prosody_module
from yinse.models.acoustic import MEASURES, AcousticConfig, AcousticInput, AcousticModel, harmonic_table, regulate
from yinse.models.prosody import ProsodyConfig, ProsodyGPT, ProsodyInput
from yinse.models.speaker import SpeakerEncoder, SpeakerEncoderConfig
from yinse.models.spectrogram import LogMel, SpectrogramConfig
from yinse.models.vocoder import SourceFilterVocoder, VocoderConfig, minimum_phase

RATE_HZ = 24000


def chance(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def vocoder() -> SourceFilterVocoder:
    torch.manual_seed(0)
    return SourceFilterVocoder(VocoderConfig()).eval()


# Prosody GPT


PROSODY = ProsodyConfig(symbols=9, bases=7, tones=6, width=32, heads=4, layers=2, inner=64, dropout=0.0)


@pytest.fixture
def gpt() -> ProsodyGPT:
    torch.manual_seed(0)
    return ProsodyGPT(PROSODY).eval()


def prosody_input(length: int, *, seed: int = 1) -> ProsodyInput:
    random = chance(seed)
    return ProsodyInput(
        symbols=torch.randint(9, (1, length), generator=random),
        bases=torch.randint(7, (1, length), generator=random),
        tones=torch.randint(6, (1, length), generator=random),
        speaker=torch.nn.functional.normalize(torch.randn((1, 256), generator=random), dim=-1),
        measures=torch.rand((1, MEASURES), generator=random),
        context=torch.randn((1, length, 192), generator=random),
    )


def prosody_tokens(length: int, *, seed: int = 2) -> Tensor:
    random = chance(seed)
    columns = [torch.randint(count, (length,), generator=random) for count in PROSODY.token_counts]
    return torch.stack(columns, dim=1)


@pytest.mark.parametrize("given", [0, 1, 4])
def test_gpt_incremental_equals_full(gpt: ProsodyGPT, monkeypatch: pytest.MonkeyPatch, given: int) -> None:
    inputs, tokens = prosody_input(9), prosody_tokens(9)
    with torch.inference_mode():
        full = gpt(inputs, tokens[None])
    heard: list[Tensor] = []
    wanted = iter(tokens[given:].flatten())

    def told(logits: Tensor, **_: object) -> Tensor:
        heard.append(logits)
        return next(wanted)

    monkeypatch.setattr(prosody_module, "sample", told)
    monkeypatch.setattr(prosody_module, "expected_duration", told)
    chosen = gpt.generate(
        inputs,
        boundaries=torch.ones(9, dtype=torch.bool),
        prompt=tokens[:given],
        temperature=1.0,
        top_p=1.0,
        generator=chance(0),
    )
    assert torch.equal(chosen, tokens[given:])
    for part, logits in enumerate(full):
        torch.testing.assert_close(torch.stack(heard[part::3]), logits[0, given:], atol=1e-4, rtol=0)


def test_gpt_samples_by_the_generator_and_swallows_no_phoneme(gpt: ProsodyGPT) -> None:
    with torch.no_grad():
        gpt.heads[0].bias[0] = 100.0  # would always choose 0 frames
    boundaries = torch.tensor([True, False, False, True, False, True])
    options = {"boundaries": boundaries, "prompt": prosody_tokens(0), "temperature": 0.8, "top_p": 0.9}
    inputs = prosody_input(6)
    first, again, other = (gpt.generate(inputs, generator=chance(seed), **options) for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert ((first[:, 0] == 0) == boundaries).all()
    likeliest = {**options, "temperature": 0.0}
    greedy = [gpt.generate(inputs, generator=chance(seed), **likeliest) for seed in (5, 6)]
    assert torch.equal(*greedy)


def test_gpt_padding_and_future_change_nothing(gpt: ProsodyGPT) -> None:
    inputs, tokens = prosody_input(5), prosody_tokens(5)[None]
    alone = gpt(inputs, tokens)

    def padded(x: Tensor) -> Tensor:
        return torch.cat([x, x[:, :3]], dim=1)

    longer = replace(
        inputs,
        **{name: padded(getattr(inputs, name)) for name in ("symbols", "bases", "tones", "context")},
        mask=torch.tensor([[True] * 5 + [False] * 3]),
    )
    for single, batched in zip(alone, gpt(longer, padded(tokens)), strict=True):
        torch.testing.assert_close(batched[:, :5], single, atol=1e-5, rtol=0)
    changed = tokens.clone()
    changed[0, 3] = 0
    for single, later in zip(alone, gpt(inputs, changed), strict=True):
        torch.testing.assert_close(later[:, :3], single[:, :3], atol=1e-6, rtol=0)
    assert not torch.allclose(alone[0][:, 4], gpt(inputs, changed)[0][:, 4])


# Acoustic model


ACOUSTIC = AcousticConfig(
    symbols=9,
    bases=7,
    tones=6,
    channels=24,
    condition=16,
    melody_channels=16,
    trunk_dilations=(1, 2),
    flow_dilations=(1, 2),
    dropout=0.0,
    spectrogram=SpectrogramConfig(mel_bins=40),
)
DURATIONS = torch.tensor([3, 0, 5, 2])


@pytest.fixture
def acoustic() -> AcousticModel:
    torch.manual_seed(0)
    model = AcousticModel(ACOUSTIC).eval()
    # blocks start as identities: random ends let every part be heard
    for name, parameter in model.named_parameters():
        if name.endswith("second.weight"):
            torch.nn.init.normal_(parameter, std=0.05)
    return model


def acoustic_input() -> AcousticInput:
    random = chance(4)
    ids = {name: torch.randint(6, (1, 4), generator=random) for name in ("symbols", "bases", "tones")}
    numbers = {name: torch.rand((1, 4), generator=random) for name in ("pitch", "voiced", "energy")}
    speaker = torch.nn.functional.normalize(torch.randn((1, 256), generator=random), dim=-1)
    return AcousticInput(
        **ids,
        **numbers,
        length=regulate(DURATIONS),
        speaker=speaker,
        measures=torch.rand((1, MEASURES), generator=random),
    )


def test_every_phoneme_gets_its_frames_and_none_twice() -> None:
    length = regulate(DURATIONS)
    assert length.index.tolist() == [[0] * 3 + [2] * 5 + [3] * 2]
    assert length.place.shape == (1, 3, 10)
    torch.testing.assert_close(length.place[0, 0, 3:8], torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9]))


def test_acoustic_shapes_and_training_equals_inference(acoustic: AcousticModel) -> None:
    inputs = acoustic_input()
    log_f0, voicing = torch.full((1, 10), 5.2), torch.ones(1, 10)
    trunk, f0, logits = acoustic(inputs, log_f0, log_f0 - 5.0, voicing)
    assert trunk.mel.shape == (1, 40, 10) and trunk.hidden.shape == (1, 24, 10)
    assert f0.shape == logits.shape == (1, 10)
    condition = acoustic.condition(inputs)
    frames = acoustic.frames(inputs, condition)
    predicted, _ = acoustic.melody(frames, condition)
    spoken = acoustic.trunk(frames, log_f0, log_f0 - 5.0, voicing, condition)
    assert torch.equal(spoken.mel, trunk.mel) and torch.equal(predicted, f0)
    velocity = acoustic.flow(torch.randn(1, 40, 10), torch.rand(1), trunk)
    assert velocity.shape == (1, 40, 10)


def test_texture_comes_from_the_generator_alone(acoustic: AcousticModel) -> None:
    melody = torch.full((1, 10), 5.2), torch.full((1, 10), 0.2), torch.ones(1, 10)
    trunk, _, _ = acoustic(acoustic_input(), *melody)
    refined = [acoustic.refine(trunk, steps=4, temperature=0.7, generator=chance(seed)) for seed in (1, 1, 2)]
    assert torch.equal(refined[0], refined[1])
    assert not torch.equal(refined[0], refined[2])
    assert torch.equal(acoustic.refine(trunk, steps=0, temperature=0.7, generator=chance(1)), trunk.mel)
    with torch.no_grad():
        acoustic.flow.leave.weight.zero_()
        acoustic.flow.leave.bias.fill_(1.0)
    still = acoustic.refine(trunk, steps=4, temperature=0.0, generator=chance(1))
    torch.testing.assert_close(still, trunk.mel + 1 / ACOUSTIC.residual_scale)


def test_harmonics_stand_where_the_melody_is(vocoder: SourceFilterVocoder) -> None:
    config = SpectrogramConfig()
    table = harmonic_table(config, 128)
    assert table.shape == (128, 100) and np.isfinite(table).all()
    torch.manual_seed(0)
    model = AcousticModel(replace(ACOUSTIC, spectrogram=config))
    f0_hz = 300.0
    picture = model.harmonic_picture(torch.full((1, 2), np.log(f0_hz)), torch.tensor([[1.0, 0.0]]))
    assert not picture[0, :, 1].any()  # unvoiced
    # the picture of a real pulse train, its smooth part taken out, rises and falls with it
    pulses = vocoder.pulses(
        torch.full((1, 40), np.log(f0_hz)), torch.ones(1, 40), phase=torch.zeros(1, 1, dtype=torch.double)
    )
    heard = LogMel(config)(pulses)[0, 3:40, 20] - vocoder.flat_log_mel[3:40, 0]
    assert np.corrcoef(heard.numpy(), picture[0, 3:40, 0].detach().numpy())[0, 1] > 0.9


# Vocoder


def loudest_hz(samples: Tensor, low_hz: float, high_hz: float) -> float:
    spectrum = torch.fft.rfft(samples * torch.hann_window(len(samples))).abs()
    hz = torch.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    spectrum[(hz < low_hz) | (hz > high_hz)] = 0
    return float(hz[spectrum.argmax()])


@pytest.mark.parametrize("f0_hz", [80.0, 217.0, 500.0])
def test_pulses_have_the_pitch_and_unit_variance(vocoder: SourceFilterVocoder, f0_hz: float) -> None:
    pulses = vocoder.pulses(
        torch.full((1, 81), np.log(f0_hz)), torch.ones(1, 81), phase=torch.full((1, 1), 0.3, dtype=torch.double)
    )[0]
    assert pulses.shape == (80 * 300,)
    assert float(pulses.square().mean()) == pytest.approx(1.0, rel=0.03)
    for harmonic in (1, 2, 3):
        near = loudest_hz(pulses, (harmonic - 0.5) * f0_hz, (harmonic + 0.5) * f0_hz)
        assert near == pytest.approx(harmonic * f0_hz, abs=1.0)


def test_a_constant_mel_sounds_at_its_pitch(vocoder: SourceFilterVocoder) -> None:
    mel = torch.full((1, 100, 81), -4.0)
    log_f0, voicing = torch.full((1, 81), np.log(180.0)), torch.ones(1, 81)
    with torch.inference_mode():
        voiced = vocoder(mel, log_f0, voicing, generator=chance(1))
        again = vocoder(mel, log_f0, voicing, generator=chance(1))
        other = vocoder(mel, log_f0, voicing, generator=chance(2))
        unvoiced = vocoder(mel, log_f0, 0 * voicing, generator=chance(1))
    assert voiced.shape == (1, 80 * 300)
    assert torch.equal(voiced, again) and not torch.equal(voiced, other)
    assert loudest_hz(voiced[0], 100, 260) == pytest.approx(180.0, abs=1.0)

    def periodicity(samples: Tensor) -> float:
        spectrum = torch.fft.rfft(samples, n=2 * samples.shape[-1]).abs().square()
        correlation = torch.fft.irfft(spectrum)
        period = round(RATE_HZ / 180)
        return float(correlation[period - 2 : period + 3].max() / correlation[0])

    assert periodicity(voiced[0]) > 0.5 > periodicity(unvoiced[0])


def test_minimum_phase_keeps_the_gain_and_comes_at_once() -> None:
    bins = torch.linspace(0, np.pi, 513)
    log_gain = (0.8 * torch.cos(3 * bins) + 0.5 * torch.cos(11 * bins) - 1.0)[None, :, None]
    response = minimum_phase(log_gain)
    torch.testing.assert_close(response.abs(), log_gain.exp(), rtol=1e-4, atol=1e-6)
    impulse = torch.fft.irfft(response[0, :, 0])
    assert impulse[:64].square().sum() > 0.999 * impulse.square().sum()


@pytest.mark.parametrize("voiced", [0.0, 1.0])
def test_copy_synthesis_keeps_the_mel(vocoder: SourceFilterVocoder, voiced: float) -> None:
    frames = 60
    log_f0, voicing = torch.linspace(np.log(120.0), np.log(220.0), frames)[None], torch.full((1, frames), voiced)
    place, moving = torch.linspace(0, 1, 100)[:, None], torch.linspace(0, 6, frames)[None]
    smooth = (-4.5 - 3 * place + torch.cos(9 * place + moving))[None]
    corrected = SourceFilterVocoder(VocoderConfig(correction_steps=3)).eval()
    corrected.load_state_dict(vocoder.state_dict())
    with torch.inference_mode():
        # a mel that some sound has: what the vocoder makes of the smooth one
        wanted = vocoder.log_mel(vocoder(smooth, log_f0, voicing, generator=chance(1)))
        errors = [
            float((model.log_mel(model(wanted, log_f0, voicing, generator=chance(2))) - wanted)[..., 4:-4].abs().mean())
            for model in (vocoder, corrected)
        ]
    assert errors[0] < 0.25  # nats, with fresh weights
    assert errors[1] < 0.15


# Speaker encoder


def test_speaker_vectors_have_length_one_whatever_the_duration() -> None:
    torch.manual_seed(0)
    model = SpeakerEncoder(SpeakerEncoderConfig(channels=16, hidden=24, layers=1)).eval()
    mel = torch.randn(1, 100, 1, generator=chance(1)) + 0.1 * torch.randn(1, 100, 900, generator=chance(2))
    with torch.inference_mode():
        vectors = [model(mel[..., :frames])[0] for frames in (1, 7, 240, 900)]
        louder = model(mel[..., :240] + 2.0)[0]
        other = model(mel[..., :240] + torch.randn(1, 100, 1))[0]
    for vector in vectors:
        assert vector.shape == (256,)
        assert float(vector.norm()) == pytest.approx(1.0, abs=1e-5)
    assert float(vectors[2] @ vectors[3]) > 0.99
    assert float(vectors[2] @ vectors[3]) > float(vectors[2] @ other)
    torch.testing.assert_close(vectors[2], louder, atol=1e-5, rtol=0)


def test_one_speaker_from_many_clips() -> None:
    torch.manual_seed(0)
    config = SpeakerEncoderConfig(channels=16, hidden=24, layers=1)
    model = SpeakerEncoder(config).eval()
    random = np.random.default_rng(1)
    clips = [random.normal(size=(frames, 100)).astype(np.float32) for frames in (30, 200, 650)]
    vector = model.embed(clips)
    assert vector.shape == (256,) and vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(vector, model.embed(clips))
