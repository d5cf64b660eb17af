"""The forced aligner: known segmentations recovered, optional pauses, errors, storage."""

from __future__ import annotations

import numpy as np
import pytest

from yinse.core.errors import BadText, CheckpointKeys, ConfigError
from yinse.core.types import FloatArray
from yinse.models.aligner import (
    OTHER,
    SILENCE,
    Aligner,
    AlignerConfig,
    TrainingUtterance,
    speaker_statistics,
    unit_of,
)
from yinse.text.symbols import BOUNDARIES

CONFIG = AlignerConfig(gaussians=(1, 1, 1, 1, 2, 2))
PHONES = ("AA1", "S", "IY0", "M", "ang4", "sh", "u3", "t")
Utterance = tuple[FloatArray, list[str], list[int]]


def synthesize(rng: np.random.Generator, *, words: int = 5) -> Utterance:
    """Noise around one spectrum per unit, with known durations."""
    spectra = np.random.default_rng(7).normal(0.0, 1.5, (len(PHONES), 100))
    symbols, durations, rows = ["^"], [int(rng.integers(10, 20))], [np.full((1, 100), -9.0)]
    phone = 0
    for word in range(words):
        for _ in range(int(rng.integers(2, 5))):
            # Never the same phone twice running: nothing could tell where one ends.
            phone = (phone + int(rng.integers(1, len(PHONES)))) % len(PHONES)
            symbols.append(PHONES[phone])
            durations.append(int(rng.integers(3, 14)))
            rows.append(spectra[phone][None] - 3.0)
        last = word == words - 1
        symbols.append("." if last else "|")
        durations.append(int(rng.integers(8, 20)) if last or rng.random() < 0.3 else 0)
        rows.append(np.full((1, 100), -9.0))
    mel = np.concatenate([np.repeat(row, n, axis=0) for row, n in zip(rows, durations, strict=True)])
    return (mel + rng.normal(0.0, 0.5, mel.shape)).astype(np.float32), symbols, durations


@pytest.fixture(scope="module")
def corpus() -> list[Utterance]:
    rng = np.random.default_rng(0)
    return [synthesize(rng) for _ in range(40)]


def train(corpus: list[Utterance], *, seed: int = 0) -> Aligner:
    statistics = speaker_statistics([mel for mel, _, _ in corpus], config=CONFIG)
    return Aligner.train([TrainingUtterance(m, s, statistics) for m, s, _ in corpus], config=CONFIG, seed=seed)


@pytest.fixture(scope="module")
def aligner(corpus: list[Utterance]) -> Aligner:
    return train(corpus)


def test_recovers_known_boundaries(aligner: Aligner, corpus: list[Utterance]) -> None:
    errors = []
    results = aligner.align([mel for mel, _, _ in corpus], [symbols for _, symbols, _ in corpus])
    for (mel, symbols, durations), alignment in zip(corpus, results, strict=True):
        assert alignment is not None
        assert alignment.durations.dtype == np.int32
        assert alignment.durations.sum() == len(mel)
        is_phone = np.array([symbol not in BOUNDARIES for symbol in symbols])
        assert (alignment.durations[is_phone] >= 1).all()
        assert alignment.confidence <= 0.0
        errors.append(np.abs(np.cumsum(alignment.durations) - np.cumsum(durations)))
    distances = np.concatenate(errors)
    assert np.mean(distances <= 1) > 0.97
    assert np.mean(distances <= 2) > 0.99


def test_pauses_are_found_where_they_are_and_only_there(aligner: Aligner, corpus: list[Utterance]) -> None:
    results = aligner.align([mel for mel, _, _ in corpus], [symbols for _, symbols, _ in corpus])
    wrong = total = 0
    for (_, symbols, durations), alignment in zip(corpus, results, strict=True):
        assert alignment is not None
        for symbol, true, found in zip(symbols, durations, alignment.durations, strict=True):
            if symbol in BOUNDARIES:
                wrong += (true > 0) != (found > 0)
                total += 1
                assert found == 0 or found >= CONFIG.silence_states
    assert wrong <= 0.02 * total


def test_result_does_not_depend_on_batches_and_training_repeats(aligner: Aligner, corpus: list[Utterance]) -> None:
    mels, symbols = [mel for mel, _, _ in corpus], [s for _, s, _ in corpus]
    whole = aligner.align(mels, symbols)
    again = train(corpus).align(mels, symbols, batch_size=3)
    for a, b in zip(whole, again, strict=True):
        assert a is not None and b is not None
        np.testing.assert_array_equal(a.durations, b.durations)
        assert a.confidence == pytest.approx(b.confidence, abs=1e-4)


def test_wrong_transcripts_have_lower_confidence(aligner: Aligner, corpus: list[Utterance]) -> None:
    mels, symbols = [mel for mel, _, _ in corpus], [s for _, s, _ in corpus]
    right = aligner.align(mels, symbols)
    wrong = aligner.align(mels, symbols[1:] + symbols[:1])
    lowest = min(a.confidence for a in right if a is not None)
    assert all(a.confidence < lowest for a in wrong if a is not None)


def test_missing_boundaries_runs_of_boundaries_and_unmet_phones(aligner: Aligner, corpus: list[Utterance]) -> None:
    statistics = speaker_statistics([mel for mel, _, _ in corpus], config=CONFIG)
    mel, symbols, durations = corpus[0]
    inside = mel[durations[0] : len(mel) - durations[-1]]
    bare = aligner.align_one(inside, symbols[1:-1], normalization=statistics)
    assert np.abs(np.cumsum(bare.durations) - np.cumsum(durations[1:-1])).max() <= 2
    doubled = aligner.align_one(mel, ["^", "-", *symbols[1:], "$"], normalization=statistics)
    assert doubled.durations[0] > 0 and doubled.durations[1] == 0 and doubled.durations[-1] == 0
    unmet = aligner.align_one(mel, ["^", "OY1", *symbols[2:]], normalization=statistics)
    assert unmet.durations.sum() == len(mel) and unmet.durations[1] >= 1
    silence = aligner.align_one(mel[:9], ["^", "$"], normalization=statistics)
    assert silence.durations.tolist() == [9, 0] and silence.confidence == 0.0


def test_as_many_frames_as_phones_is_enough_and_one_fewer_is_not(aligner: Aligner, corpus: list[Utterance]) -> None:
    mel, symbols, _ = corpus[0]
    phones = sum(symbol not in BOUNDARIES for symbol in symbols)
    tight = aligner.align_one(mel[20 : 20 + phones], symbols)
    assert set(tight.durations.tolist()) == {0, 1}
    assert aligner.align([mel[: phones - 1], mel], [symbols, symbols])[0] is None
    with pytest.raises(BadText, match="clip 3"):
        aligner.align_one(mel[: phones - 1], symbols, where="clip 3")
    for frames, text in ((mel, []), (mel[:0], symbols)):
        with pytest.raises(BadText):
            aligner.align_one(frames, text)
    with pytest.raises(BadText):
        aligner.align([mel], [])
    with pytest.raises(BadText):
        Aligner.train([], config=CONFIG)


def test_state_dict_round_trip(aligner: Aligner, corpus: list[Utterance]) -> None:
    state = aligner.state_dict()
    copy = Aligner.from_state_dict({name: array.copy() for name, array in state.items()}, config=CONFIG)
    assert copy.units == aligner.units and copy.units[:2] == (SILENCE, OTHER)
    mel, symbols, _ = corpus[1]
    a, b = aligner.align_one(mel, symbols), copy.align_one(mel, symbols)
    np.testing.assert_array_equal(a.durations, b.durations)
    assert a.confidence == b.confidence
    with pytest.raises(CheckpointKeys):
        Aligner.from_state_dict({name: array for name, array in state.items() if name != "mean"}, config=CONFIG)
    with pytest.raises(CheckpointKeys):
        Aligner.from_state_dict(state, config=AlignerConfig(cepstra=12))


def test_units_and_configuration() -> None:
    assert unit_of("ang1") == unit_of("ang4") == "ang"
    assert unit_of("AH0") == unit_of("AH1") == "AH"
    assert unit_of("AA") != unit_of("AA1")
    assert {unit_of(symbol) for symbol in BOUNDARIES} == {SILENCE}
    for gaussians in ((), (2,), (1, 3), (1, 2, 1)):
        with pytest.raises(ConfigError):
            AlignerConfig(gaussians=gaussians)
    with pytest.raises(ConfigError):
        AlignerConfig(cepstra=0)


def test_bins_above_the_band_limit_do_not_matter(aligner: Aligner, corpus: list[Utterance]) -> None:
    mel, symbols, _ = corpus[2]
    limited = mel.copy()
    limited[:, 90:] = np.log(1e-5)
    np.testing.assert_array_equal(
        aligner.align_one(mel, symbols).durations, aligner.align_one(limited, symbols).durations
    )
