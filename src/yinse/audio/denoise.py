"""Taking noise out of a recording: what a denoiser is, the choice of one by name, and DeepFilterNet."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from yinse.audio.blend import blend, check_strength
from yinse.audio.deep_filter import DEEP_FILTER_RATE_HZ, deep_filter
from yinse.audio.resample import resample
from yinse.audio.rnnoise import RNNoise
from yinse.audio.silence import LOUD_PERCENTILE, frame_levels
from yinse.audio.spectral_gate import DEFAULT_STRENGTH as GATE_STRENGTH
from yinse.audio.spectral_gate import GateFrames, SpectralGate
from yinse.core.errors import ConfigError, UnknownName
from yinse.core.types import AudioClip, FloatArray

METHODS = ("deepfilternet", "rnnoise", "gate", "none")
"""Names of the denoisers."""
DEFAULT_METHOD = "deepfilternet"
_FADES_FROM_DB = 12.0


class Denoiser(Protocol):
    """Takes noise out of recordings; a replaceable part."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    @property
    def strength(self) -> float:
        """Share of the cleaned signal in the result, from 0 to 1."""
        ...

    def denoise(self, clip: AudioClip) -> AudioClip:
        """Returns a clip of the same rate and length, aligned sample by sample with the original."""
        ...


def make_denoiser(
    method: str = DEFAULT_METHOD, *, strength: float | None = None, noise_from: tuple[float, float] | None = None
) -> Denoiser:
    """The denoiser of a name.

    Args:
        method: one of `METHODS`.
        strength: from 0 to 1; None: the method's own default.
        noise_from: for the gate: start and end in seconds of a passage without speech.

    Raises:
        UnknownName: there is no such method.
        ConfigError: strength is out of range, or the method reads no noise passage.
        MissingExtra: the method's package is not installed.
    """
    if method not in METHODS:
        raise UnknownName("denoiser", method, METHODS)
    if method == "gate":
        return SpectralGate(strength=GATE_STRENGTH if strength is None else strength, noise_from=noise_from)
    if noise_from is not None:
        raise ConfigError(f"{method} reads no noise passage", advice="Use the gate.")
    if method == "none":
        return NoDenoiser()
    network = RNNoise if method == "rnnoise" else DeepFilterNet
    return network(strength=1.0 if strength is None else strength)


def denoise(
    clip: AudioClip,
    *,
    method: str = DEFAULT_METHOD,
    strength: float | None = None,
    noise_from: tuple[float, float] | None = None,
) -> AudioClip:
    """A clip `(S,)` without its noise, of the same rate and length; arguments and errors as for `make_denoiser`."""
    return make_denoiser(method, strength=strength, noise_from=noise_from).denoise(clip)


def strengths_for(
    snr_db: float, *, method: str = DEFAULT_METHOD, none_from_db: float = 30.0, most_in_speech: float = 1.0
) -> tuple[float, float]:
    """How much of a denoiser's result a recording calls for, 0 to 1: between words, and while somebody speaks.

    Faint noise is taken out less, for the network's own error is then as large.

    Args:
        snr_db: its signal-to-noise ratio.
        method: one of `METHODS`; the gate is never used in full, and never takes a sound away with its noise.
        none_from_db: ratio from which on a recording is left to its own noise.
        most_in_speech: no more of a network's result while somebody speaks.
    """
    if snr_db >= none_from_db:
        return 0.0, 0.0
    strength = min(1.0, (none_from_db - snr_db) / max(none_from_db - _FADES_FROM_DB, 1e-6))
    if method == SpectralGate.name:
        return (min(strength, GATE_STRENGTH),) * 2
    return strength, min(strength, most_in_speech)


class NoDenoiser:
    """Leaves recordings as they are."""

    name = "none"
    strength = 0.0

    def denoise(self, clip: AudioClip) -> AudioClip:
        """Returns the clip itself."""
        return clip


class DeepFilterNet:
    """DeepFilterNet 3, a network for full-band speech enhancement, at 48 kHz.

    It takes a low voice for noise here and there, so it hears the clip twice, the second time played faster and so at
    a higher pitch, and each moment and frequency is as the hearing left it that took less: noise is what both call so.

    Source: H. Schröter et al., DeepFilterNet: Perceptually Motivated Real-Time Speech Enhancement (Interspeech 2023).

    Args:
        strength: share of the cleaned signal in the result, from 0 to 1; the rest is the original.

    Raises:
        ConfigError: strength is out of range.
    """

    name = "deepfilternet"
    # The network silences quiet recordings altogether and damages loud ones; loud frames belong here.
    _LOUD_FRAMES_DBFS = -25.0
    _SPEEDS = (1.0, 1.3)
    _LEAD_S = 0.12

    def __init__(self, *, strength: float = 1.0) -> None:
        self.strength = check_strength(strength)

    def denoise(self, clip: AudioClip) -> AudioClip:
        """Returns a clip of the same rate and length, aligned sample by sample with the original."""
        if self.strength == 0.0 or len(clip.samples) == 0:
            return clip
        loud_dbfs = float(np.percentile(frame_levels(clip).level_db, LOUD_PERCENTILE))
        gain = np.float32(10.0 ** ((self._LOUD_FRAMES_DBFS - loud_dbfs) / 20.0))
        frames, length = GateFrames.at(clip.sample_rate_hz), len(clip.samples)
        samples = clip.samples * gain
        first, second = (
            frames.spectra(self._filtered(AudioClip(samples, round(speed * clip.sample_rate_hz))) / gain)
            for speed in self._SPEEDS
        )
        kept = np.where(np.abs(second) > np.abs(first), second, first)
        return blend(clip, AudioClip(frames.samples(kept, length), clip.sample_rate_hz), self.strength)

    def _filtered(self, clip: AudioClip) -> FloatArray:
        """What the network leaves of a clip `(S,)`, `(S,)`."""
        whole = resample(clip, DEEP_FILTER_RATE_HZ).samples
        # It hears the beginning backwards first, for until it knows the noise it lets some through.
        lead = round(self._LEAD_S * DEEP_FILTER_RATE_HZ)
        left = deep_filter(np.pad(whole, (lead, 0), mode="symmetric"))[lead:]
        cleaned = resample(AudioClip(left, DEEP_FILTER_RATE_HZ), clip.sample_rate_hz).samples
        return np.pad(cleaned, (0, max(0, len(clip.samples) - len(cleaned))))[: len(clip.samples)]
