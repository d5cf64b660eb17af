"""Strength: how much of what a denoiser made of a recording goes into the result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from yinse.audio.silence import FRAME_S, HOP_S, speech_frames
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip

_REACH_FRAMES, _SMOOTH_FRAMES = 13, 5


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


def blend_around_speech(original: AudioClip, cleaned: AudioClip, *, in_pauses: float, in_speech: float) -> AudioClip:
    """A `blend` of one strength between words and of another one while somebody speaks, gliding within 50 ms.

    Noise is heard most in pauses, and what a denoiser takes from the voice it takes while somebody speaks. Speech is
    sought in the cleaned clip, and reaches 60 ms beyond what is found.

    Args:
        original: `(S,)`.
        cleaned: `(S,)` of the same rate, aligned sample by sample.
        in_pauses: share of the cleaned clip there, from 0 to 1.
        in_speech: likewise.

    Raises:
        ConfigError: a strength is out of range, or the clips differ in length or rate.
    """
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    pauses = blend(original, cleaned, in_pauses)
    if in_pauses == in_speech:
        return pauses
    speech = blend(original, cleaned, in_speech)
    spoken = maximum_filter1d(speech_frames(cleaned).astype(np.float32), _REACH_FRAMES)
    spoken = uniform_filter1d(spoken, _SMOOTH_FRAMES)
    times_s = np.arange(len(original.samples)) / original.sample_rate_hz
    share = np.interp(times_s, np.arange(len(spoken)) * HOP_S + FRAME_S / 2, spoken).astype(np.float32)
    return replace(original, samples=pauses.samples + share * (speech.samples - pauses.samples))
