"""A speaker as numbers for the networks: the condition that acoustic model and prosody GPT share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from yinse.audio.measure import FLOOR_BANDS, PhonemeProsody, SpeakerMeasure
from yinse.core.types import FloatArray
from yinse.models.acoustic import AcousticInput, regulate
from yinse.models.spectrogram import SpectrogramConfig, mel_edges_hz
from yinse.models.symbol_ids import symbol_ids

NEIGHBOUR_BINS = 8
"""A narrow-band spectrum is continued from the mean of this many bins below its end."""


def measure_vector(measure: SpeakerMeasure, *, synthetic: bool, narrow_band: bool) -> FloatArray:
    """Measured numbers scaled to about ±1, `(MEASURES,)`."""
    return np.array(
        [
            (measure.log_f0_median - 5.1) * 2.0,
            (measure.log_f0_spread - 0.18) * 6.0,
            (measure.tempo - 0.85) * 5.0,
            *(measure.floor_depth + 4.0) / 3.0,
            float(synthetic),
            float(narrow_band),
        ],
        dtype=np.float32,
    )


def trusted_bins(config: SpectrogramConfig, bandwidth_hz: float) -> np.ndarray:
    """Boolean `(M,)`: mel bins that lie below the bandwidth of a recording (with 5 % to spare)."""
    if bandwidth_hz >= 0.9 * config.mel_max_hz:
        return np.ones(config.mel_bins, dtype=bool)
    return np.asarray(mel_edges_hz(config)[2:] <= bandwidth_hz * 0.95)


def extend_band(measure: SpeakerMeasure, trusted: np.ndarray, high_band: FloatArray) -> SpeakerMeasure:
    """Continue the mean spectrum of a narrow-band recording as full-band speakers' spectra go on.

    Args:
        measure: of the recording.
        trusted: `(M,)` bins that the recording has.
        high_band: `(M,)` nats of each bin above the mean of the last `NEIGHBOUR_BINS` trusted ones.
    """
    if trusted.all():
        return measure
    mean = measure.mean_spectrum.copy()
    mean[~trusted] = mean[trusted][-NEIGHBOUR_BINS:].mean() + high_band[~trusted]
    floor = measure.floor_depth.copy()
    bands = np.array_split(trusted, FLOOR_BANDS)
    last = max((index for index, band in enumerate(bands) if band.all()), default=0)
    floor[last + 1 :] = floor[last]
    return replace(measure, mean_spectrum=mean, floor_depth=floor)


@dataclass(frozen=True)
class VoiceCondition:
    """What the networks are told of a voice.

    Attributes:
        speaker: unit vector `(1, G)`.
        measures: `(1, MEASURES)`.
        mean_spectrum: `(M, 1)` nats.
        measure: the measured numbers themselves.
        duration_scale: how much longer than the GPT thinks this person speaks.
    """

    speaker: Tensor
    measures: Tensor
    mean_spectrum: Tensor
    measure: SpeakerMeasure
    duration_scale: float


def voice_tensors(
    speaker_vector: FloatArray, measure: SpeakerMeasure, *, duration_scale: float
) -> dict[str, np.ndarray]:
    """The arrays a voice keeps; `voice_condition` reads them back."""
    numbers = [measure.log_f0_median, measure.log_f0_spread, measure.tempo, duration_scale]
    return {
        "speaker_vector": speaker_vector.astype(np.float32),
        "mean_spectrum": measure.mean_spectrum.astype(np.float32),
        "floor_depth": measure.floor_depth.astype(np.float32),
        "numbers": np.array(numbers, dtype=np.float32),
    }


def voice_condition(tensors: Mapping[str, np.ndarray], *, floor_depth: Sequence[float] | np.ndarray) -> VoiceCondition:
    """The condition of a voice.

    Args:
        tensors: as `voice_tensors` made them; with a `told_vector (G,)` where another speaker vector than the
            person's own is to be told.
        floor_depth: `(FLOOR_BANDS,)` noise floor to speak with: a clean one for synthesis, the voice's own to learn
            from its recordings.
    """
    numbers, vector = tensors["numbers"], tensors.get("told_vector", tensors["speaker_vector"])
    measure = SpeakerMeasure(
        mean_spectrum=tensors["mean_spectrum"],
        floor_depth=np.asarray(floor_depth, dtype=np.float32),
        log_f0_median=float(numbers[0]),
        log_f0_spread=float(numbers[1]),
        tempo=float(numbers[2]),
    )
    told = measure_vector(measure, synthetic=True, narrow_band=False)
    return VoiceCondition(
        speaker=torch.from_numpy(np.asarray(vector, dtype=np.float32))[None],
        measures=torch.from_numpy(told)[None],
        mean_spectrum=torch.from_numpy(measure.mean_spectrum)[:, None],
        measure=measure,
        duration_scale=float(numbers[3]),
    )


def acoustic_input(
    symbols: Sequence[str], prosody: PhonemeProsody, durations: np.ndarray, condition: VoiceCondition
) -> AcousticInput:
    """What the acoustic model is told of one sentence in a voice.

    Args:
        symbols: `T_ph` of them.
        prosody: pitch, voicing and energy of each.
        durations: frames of each `(T_ph,)`; those of the prosody are not looked at.
        condition: of the voice.
    """
    ids = symbol_ids(symbols)
    return AcousticInput(
        symbols=torch.from_numpy(ids.symbols)[None],
        bases=torch.from_numpy(ids.bases)[None],
        tones=torch.from_numpy(ids.tones)[None],
        pitch=torch.from_numpy(prosody.pitch)[None],
        voiced=torch.from_numpy(prosody.voiced)[None],
        energy=torch.from_numpy(prosody.energy)[None],
        length=regulate(torch.from_numpy(durations)),
        speaker=condition.speaker,
        measures=condition.measures,
    )
