"""Strength: how much of what a denoiser made of a recording goes into the result."""

from __future__ import annotations

import numpy as np

from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip


def check_strength(strength: float) -> float:
    """Returns a denoising strength.

    Raises:
        ConfigError: it is not from 0 to 1.
    """
    if not 0.0 <= strength <= 1.0:
        raise ConfigError(f"denoising strength {strength} is out of range", advice="Use 0 to 1.")
    return strength


def blend(original: AudioClip, cleaned: AudioClip, strength: float) -> AudioClip:
    """The mix of a recording and of what a denoiser made of it at full strength.

    For a spectral gate this is `prop_decrease`: noise falls to `1 - strength` of its amplitude.

    Args:
        original: `(S,)`.
        cleaned: `(S,)` of the same rate, aligned sample by sample.
        strength: share of the cleaned clip, from 0 to 1.

    Raises:
        ConfigError: the strength is out of range, or the clips differ in length or rate.
    """
    check_strength(strength)
    if len(original.samples) != len(cleaned.samples) or original.sample_rate_hz != cleaned.sample_rate_hz:
        raise ConfigError("the denoised clip does not belong to the recording")
    if strength == 0.0:
        return original
    if strength == 1.0:
        return cleaned
    mixed = original.samples + np.float32(strength) * (cleaned.samples - original.samples)
    return AudioClip(mixed, original.sample_rate_hz)
