"""Log-mel spectrograms: the one picture of sound that every model here reads and writes.

Slaney's mel scale and area normalisation (Auditory Toolbox, 1998; the scale librosa made common), magnitude
spectra, natural logarithm with a floor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from yinse.core.types import FloatArray

_LINEAR_HZ_PER_MEL = 200.0 / 3.0
_BREAK_HZ = 1000.0
_LOG_STEP = np.log(6.4) / 27.0

_Frequencies = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class SpectrogramConfig:
    """Sizes of the analysis; 12.5 ms steps at 24 kHz.

    Attributes:
        centred: whether frames stand around sample t * hop; else the pad is shared out so that S // hop frames fit.
        power_floor: added to the power of each bin before the root.
    """

    sample_rate_hz: int = 24000
    fft_samples: int = 1024
    hop_samples: int = 300
    mel_bins: int = 100
    mel_min_hz: float = 0.0
    mel_max_hz: float = 12000.0
    floor: float = 1e-5
    centred: bool = True
    power_floor: float = 0.0

    @property
    def frames_per_s(self) -> float:
        """Mel frames per second."""
        return self.sample_rate_hz / self.hop_samples


def hz_to_mel(hz: _Frequencies) -> _Frequencies:
    """Slaney's scale: linear below 1 kHz, logarithmic above."""
    linear = hz / _LINEAR_HZ_PER_MEL
    log = _BREAK_HZ / _LINEAR_HZ_PER_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, linear, log)


def mel_to_hz(mel: _Frequencies) -> _Frequencies:
    """Inverse of `hz_to_mel`."""
    break_mel = _BREAK_HZ / _LINEAR_HZ_PER_MEL
    log = _BREAK_HZ * np.exp((np.maximum(mel, break_mel) - break_mel) * _LOG_STEP)
    return np.where(mel < break_mel, mel * _LINEAR_HZ_PER_MEL, log)


def mel_edges_hz(config: SpectrogramConfig) -> _Frequencies:
    """Edges and centres of the triangles, `(mel_bins + 2,)`; bin m is centred on entry m + 1."""
    low, high = (float(hz_to_mel(np.array(hz))) for hz in (config.mel_min_hz, config.mel_max_hz))
    return mel_to_hz(np.linspace(low, high, config.mel_bins + 2))


def mel_filters(config: SpectrogramConfig) -> FloatArray:
    """Triangular filters with equal area, `(mel_bins, fft_samples // 2 + 1)`."""
    edges = mel_edges_hz(config)
    bins_hz = np.linspace(0.0, config.sample_rate_hz / 2, config.fft_samples // 2 + 1)
    widths = np.diff(edges)
    ramps = edges[:, None] - bins_hz[None, :]
    rising = -ramps[:-2] / widths[:-1, None]
    falling = ramps[2:] / widths[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None], dtype=np.float32)


class LogMel(nn.Module):
    """Waveform to log-mel frames."""

    window: Tensor
    filters: Tensor

    def __init__(self, config: SpectrogramConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("window", torch.hann_window(config.fft_samples), persistent=False)
        self.register_buffer("filters", torch.from_numpy(mel_filters(config)), persistent=False)

    def stft(self, samples: Tensor) -> Tensor:
        """Complex spectra `(B, F, T_mel)` of `(B, S)`; frame t is centred on sample t * hop, `T_mel = S // hop + 1`.

        If not `centred`, each frame begins `(fft_samples - hop) / 2` before sample t * hop, and `T_mel = S // hop`.
        """
        config = self.config
        pad = config.fft_samples // 2 if config.centred else (config.fft_samples - config.hop_samples) // 2
        # reflection needs more samples than the pad; short inputs are padded with silence instead
        mode = "reflect" if samples.shape[-1] > pad else "constant"
        if not config.centred:
            samples = nn.functional.pad(samples[:, None], (pad, pad), mode=mode)[:, 0]
        return torch.stft(
            samples,
            self.config.fft_samples,
            self.config.hop_samples,
            window=self.window,
            center=config.centred,
            pad_mode=mode,
            return_complex=True,
        )

    def magnitude(self, samples: Tensor) -> Tensor:
        """Magnitudes `(B, F, T_mel)` of a waveform `(B, S)`."""
        spectra = self.stft(samples)
        if not self.config.power_floor:
            return spectra.abs()
        return (spectra.real.square() + spectra.imag.square() + self.config.power_floor).sqrt()

    def istft(self, spectra: Tensor, samples: int | None = None) -> Tensor:
        """Waveform `(B, S)` of complex spectra `(B, F, T_mel)`."""
        return torch.istft(
            spectra, self.config.fft_samples, self.config.hop_samples, window=self.window, center=True, length=samples
        )

    def from_magnitude(self, magnitude: Tensor) -> Tensor:
        """Log-mel `(B, M, T_mel)` of magnitudes `(B, F, T_mel)`."""
        return torch.matmul(self.filters, magnitude).clamp_min(self.config.floor).log()

    def forward(self, samples: Tensor) -> Tensor:
        """Log-mel `(B, M, T_mel)` in nats of a waveform `(B, S)`."""
        return self.from_magnitude(self.magnitude(samples))
