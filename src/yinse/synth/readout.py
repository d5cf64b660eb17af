"""A voice's own last layer, solved in closed form from its recordings: likeness without a step of training.

A base model draws an unheard person's sounds as it has heard them from others. What is left between its drawing of the
person's own sentences and the recording is, for the most part, a linear function of the hidden frames: ridge
regression (Hoerl and Kennard, 1970) finds it in a second, as linear regression of the output layer adapted hybrid
recognisers to their speakers (Neto et al., "Speaker-adaptation for hybrid HMM-ANN continuous speech recognition
system", 1995).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from yinse.audio.measure import fill_unvoiced, phoneme_prosody
from yinse.core.types import FloatArray
from yinse.models.acoustic import AcousticModel, Trunk
from yinse.models.analysis import Analysis
from yinse.models.voice_condition import VoiceCondition, acoustic_input

PRIOR_FRAMES = 400.0
"""How many frames of evidence the base model is worth against the person's own (5 s; docs/log.md)."""


def learn_readout(
    acoustic: AcousticModel,
    spoken: Iterable[tuple[Analysis, tuple[str, ...], np.ndarray]],
    condition: VoiceCondition,
    *,
    trusted: np.ndarray,
) -> np.ndarray:
    """What to add to the acoustic model's last layer for a voice.

    Args:
        acoustic: the base model.
        spoken: of the person: analysed clips, their symbols, frames per symbol `(T_ph,)`.
        condition: of the voice with the noise floor of its recordings, so that noise is not learned as likeness.
        trusted: boolean `(M,)`, bins that the recordings have.

    Returns:
        Weights and, behind them, the bias: `(M, C + 1)`, float16.
    """
    drawn = ((*draw(acoustic, seen, symbols, durations, condition), seen.mel) for seen, symbols, durations in spoken)
    return solve_readout(acoustic, drawn, trusted=trusted)


def solve_readout(
    acoustic: AcousticModel, drawn: Iterable[tuple[np.ndarray, FloatArray, FloatArray]], *, trusted: np.ndarray
) -> np.ndarray:
    """What `learn_readout` returns, of a person's clips: hidden frames and mean log-mel as drawn, log-mel recorded."""
    size = acoustic.config.channels + 1
    products, targets = PRIOR_FRAMES * np.eye(size), np.zeros((size, acoustic.config.spectrogram.mel_bins))
    for hidden, mel, recorded in drawn:
        inputs = np.concatenate([hidden, np.ones((len(hidden), 1))], axis=1)
        products += inputs.T @ inputs
        targets += inputs.T @ ((recorded - mel) * trusted)
    return np.ascontiguousarray(np.linalg.solve(products, targets).T.astype(np.float16))


def draw(
    acoustic: AcousticModel, seen: Analysis, symbols: tuple[str, ...], durations: np.ndarray, condition: VoiceCondition
) -> tuple[np.ndarray, FloatArray]:
    """A model's hidden frames `(T_mel, C)` and mean log-mel `(T_mel, M)` of a sentence, read as the person read it."""
    trunk = read_like(acoustic, seen, symbols, durations, condition)
    return trunk.hidden[0].T.double().numpy(), (trunk.mel[0] + condition.mean_spectrum).T.numpy()


@torch.inference_mode()
def read_like(
    acoustic: AcousticModel, seen: Analysis, symbols: tuple[str, ...], durations: np.ndarray, condition: VoiceCondition
) -> Trunk:
    """The trunk of a sentence in the durations `(T_ph,)`, energies and melody of a clip in which it is spoken."""
    measure = condition.measure
    prosody = phoneme_prosody(seen.mel, seen.log_f0, durations, measure=measure)
    inputs = acoustic_input(symbols, prosody, durations, condition)
    log_f0 = torch.from_numpy(fill_unvoiced(seen.log_f0))[None]
    voicing = torch.from_numpy((seen.log_f0 > 0).astype(np.float32))[None]
    f0 = (log_f0 - measure.log_f0_median) / measure.log_f0_spread
    trunk, _, _ = acoustic(inputs, log_f0, f0 * voicing, voicing)
    return trunk
