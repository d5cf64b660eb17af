"""Source-filter vocoder: log-mel, F0 and voicing → waveform.

A band-limited pulse train through a minimum-phase filter plus white noise through a second filter, frame by frame in
the short-time Fourier domain. Both filters start as the envelope that the mel itself draws; a small ConvNeXt network
(Liu et al. 2022) learns the rest. Phase is never guessed by a network: periodicity is right from the first step
(compare Wang et al., "Neural source-filter waveform models", 2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from yinse.core.types import FloatArray
from yinse.models.blocks import ChannelNorm
from yinse.models.spectrogram import LogMel, SpectrogramConfig, mel_edges_hz


@dataclass(frozen=True)
class VocoderConfig:
    """Sizes of the source-filter vocoder.

    Attributes:
        correction_steps: how often the output's mel is compared with the wanted one and corrected.
        correction_limit: largest correction per step, nats.
    """

    channels: int = 192
    blocks: int = 6
    expansion: int = 3
    kernel: int = 7
    correction_steps: int = 2
    correction_limit: float = 2.0
    spectrogram: SpectrogramConfig = field(default_factory=SpectrogramConfig)


class ConvNextBlock(nn.Module):
    """Depthwise convolution, then a pointwise network, around a residual."""

    def __init__(self, channels: int, *, kernel: int, expansion: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = ChannelNorm(channels)
        self.expand = nn.Conv1d(channels, expansion * channels, 1)
        self.reduce = nn.Conv1d(expansion * channels, channels, 1)
        self.scale = nn.Parameter(torch.full((channels, 1), 0.3))

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, T)` to the same shape."""
        inside = nn.functional.gelu(self.expand(self.norm(self.depthwise(x))), approximate="tanh")
        return x + self.scale * self.reduce(inside)


@dataclass(frozen=True)
class Filters:
    """Log gains `(B, F, T_mel)` of the periodic and the noise part, for sources of unit variance."""

    periodic: Tensor
    noise: Tensor


def envelope_matrix(config: SpectrogramConfig) -> FloatArray:
    """Interpolation of values at mel centres to linear-frequency bins, `(F, M)`."""
    centres = mel_edges_hz(config)[1:-1]
    bins_hz = np.linspace(0.0, config.sample_rate_hz / 2, config.fft_samples // 2 + 1)
    identity = np.eye(config.mel_bins)
    return np.stack([np.interp(bins_hz, centres, row) for row in identity], axis=1).astype(np.float32)


class SourceFilterVocoder(nn.Module):
    """Log-mel with its melody to a waveform."""

    envelope: Tensor
    flat_log_mel: Tensor
    noise_start: Tensor

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.config = config
        self.log_mel = LogMel(config.spectrogram)
        bins, frequencies = config.spectrogram.mel_bins, config.spectrogram.fft_samples // 2 + 1
        self.enter = nn.Conv1d(bins + 2, config.channels, config.kernel, padding=config.kernel // 2)
        self.blocks = nn.ModuleList(
            ConvNextBlock(config.channels, kernel=config.kernel, expansion=config.expansion)
            for _ in range(config.blocks)
        )
        self.norm = ChannelNorm(config.channels)
        self.leave = nn.Conv1d(config.channels, 2 * frequencies, 1)
        nn.init.normal_(self.leave.weight, std=1e-3)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]
        self.register_buffer("envelope", torch.from_numpy(envelope_matrix(config.spectrogram)), persistent=False)
        self.register_buffer("flat_log_mel", self.log_mel.filters.sum(dim=1).log()[:, None], persistent=False)
        # voiced speech is mostly periodic below 4 kHz: the noise part starts 4 nats down there
        ramp = torch.linspace(0, config.spectrogram.sample_rate_hz / 2, frequencies) / 4000 * 4 - 4
        self.register_buffer("noise_start", ramp.clamp(max=-0.5)[:, None], persistent=False)

    @property
    def source_gain(self) -> float:
        """Root mean square of a spectrum bin of a windowed source of unit variance."""
        return math.sqrt(float(self.log_mel.window.square().sum()))

    def filters(self, mel: Tensor, log_f0: Tensor, voicing: Tensor) -> Filters:
        """Filters for a mel `(B, M, T_mel)`, log F0 `(B, T_mel)` (continuous) and voicing `(B, T_mel)` in [0, 1]."""
        melody = torch.stack([(log_f0 - 5.0) * voicing, voicing], dim=1)
        x = self.enter(torch.cat([(mel + 5.0) / 3.0, melody], dim=1))
        for block in self.blocks:
            x = block(x)
        periodic, noise = self.leave(self.norm(x)).float().chunk(2, dim=1)
        with torch.autocast(mel.device.type, enabled=False):  # half precision here would be heard as roughness
            envelope = torch.matmul(self.envelope, (mel - self.flat_log_mel).float()) - math.log(self.source_gain)
        return Filters(envelope + periodic, envelope + noise + self.noise_start * voicing.unsqueeze(1))

    def pulses(self, log_f0: Tensor, voicing: Tensor, *, phase: Tensor) -> Tensor:
        """Band-limited pulse train of unit variance where voiced.

        The sum of all cosines up to the Nyquist rate in closed form (the Dirichlet kernel).

        Args:
            log_f0, voicing: `(B, T_mel)`.
            phase: starting phase in turns `(B, 1)`.

        Returns:
            `(B, (T_mel - 1) * hop)`.
        """
        spectrogram = self.config.spectrogram
        samples = (log_f0.shape[1] - 1) * spectrogram.hop_samples

        def per_sample(frames: Tensor) -> Tensor:
            line = nn.functional.interpolate(frames[:, None], size=samples + 1, mode="linear", align_corners=True)
            return line[:, 0, :-1]

        f0_hz = per_sample(log_f0.float()).exp()
        # double precision: the phase of a minute of speech is thousands of turns
        turns = (torch.cumsum(f0_hz.double() / spectrogram.sample_rate_hz, dim=1) + phase) % 1.0
        harmonics = (spectrogram.sample_rate_hz / 2 / f0_hz).floor()
        half = math.pi * turns.float()
        denominator = torch.sin(half)
        near = denominator.abs() < 1e-4
        kernel = torch.sin((2 * harmonics + 1) * half) / torch.where(near, torch.ones_like(half), denominator)
        kernel = torch.where(near, 2 * harmonics + 1, kernel) / 2 - 0.5
        return kernel * torch.sqrt(2 / harmonics) * per_sample(voicing.float())

    def expected_power(self, filters: Filters, source: Tensor) -> Tensor:
        """Expected spectral power `(B, F, T_mel)`; `source` are complex spectra of the pulses."""
        periodic = (2 * filters.periodic).exp() * source.abs().square()
        return periodic + (2 * filters.noise).exp() * self.source_gain**2

    def spectra(self, filters: Filters, source: Tensor, noise: Tensor) -> Tensor:
        """Complex spectra `(B, F, T_mel)` of pulses and noise through their filters."""
        return source * minimum_phase(filters.periodic) + noise * filters.noise.exp()

    def correct(self, spectra: Tensor, mel: Tensor) -> Tensor:
        """Bring the mel of a waveform closer to the one wanted, without parameters."""
        limit = self.config.correction_limit
        for _ in range(self.config.correction_steps):
            heard = self.log_mel.stft(self.log_mel.istft(spectra))
            error = (mel - self.log_mel.from_magnitude(heard.abs())).clamp(-limit, limit)
            spectra = heard * torch.matmul(self.envelope, error).exp()
        return spectra

    def forward(
        self, mel: Tensor, log_f0: Tensor, voicing: Tensor, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Waveform `(B, (T_mel - 1) * hop)` of a mel `(B, M, T_mel)`, log F0 and voicing `(B, T_mel)`."""
        filters = self.filters(mel, log_f0, voicing)
        phase = torch.rand((len(mel), 1), generator=generator, dtype=torch.float64).to(mel.device)
        pulses = self.pulses(log_f0, voicing, phase=phase)
        noise = torch.randn(pulses.shape, generator=generator).to(mel.device)
        spectra = self.spectra(filters, self.log_mel.stft(pulses), self.log_mel.stft(noise))
        return self.log_mel.istft(self.correct(spectra, mel), pulses.shape[1])


def minimum_phase(log_gain: Tensor) -> Tensor:
    """Complex response `(B, F, T)` with this log gain and minimum phase (folded cepstrum, Oppenheim and Schafer)."""
    size = 2 * (log_gain.shape[1] - 1)
    cepstrum = torch.fft.irfft(log_gain, n=size, dim=1)
    fold = torch.zeros(size, 1, device=log_gain.device)
    fold[0], fold[size // 2], fold[1 : size // 2] = 1.0, 1.0, 2.0
    return torch.fft.rfft(cepstrum * fold, dim=1).exp()
