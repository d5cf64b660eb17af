"""The last steps of all native speech, of texts and of conversions.

Texture, quieter pauses, sharper harmonics, waveform, level.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from yinse.core.types import FloatArray
from yinse.models.acoustic import Trunk
from yinse.models.voice_condition import VoiceCondition
from yinse.synth.expander import quieter_pauses
from yinse.synth.native_options import SynthesisConfig
from yinse.synth.sharpening import sharpened
from yinse.weights.native import NativeModels


def sound_of(
    models: NativeModels,
    trunk: Trunk,
    log_f0: Tensor,
    voicing: Tensor,
    condition: VoiceCondition,
    *,
    config: SynthesisConfig,
    generator: torch.Generator,
) -> FloatArray:
    """Samples `(S,)` at listening level of what the acoustic model drew in a voice.

    Args:
        models: with the voice's adapter.
        trunk: of one utterance, relative to the voice.
        log_f0, voicing: `(1, T_mel)`.
        condition: of the voice.
        config: texture and level.
        generator: of all noise.
    """
    drawn = models.acoustic.refine(
        trunk, steps=config.flow_steps, temperature=config.flow_temperature, generator=generator
    )
    mel = sharpened(quieter_pauses(drawn + condition.mean_spectrum), condition.mean_spectrum)
    samples: FloatArray = models.vocoder(mel, log_f0, voicing, generator=generator)[0].numpy()
    return at_listening_level(samples, config)


def at_listening_level(samples: FloatArray, config: SynthesisConfig) -> FloatArray:
    """Speech `(S,)` from the level that the models learned to that which people expect, its peak within bounds."""
    samples = samples * config.output_gain
    loudest = float(np.abs(samples).max())
    return samples * (config.peak / loudest) if loudest > config.peak else samples
