"""SoVITS, native: phonemes with durations, pitch and energy, in whose voice → log-mel.

    symbols ─ embed ─┐
    pitch, energy ───┴─ text encoder ─ length regulator ─┬─ melody ─ F0, voicing per frame ─ harmonic picture ─┐
                                                         └──────────────── trunk ◄─────────────────────────────┘
                                                                             │ mean mel
                            noise ─ flow decoder (conditional flow matching) ┴─ mel

Durations are explicit: every phoneme that is no boundary gets at least one frame, and none is read twice. Mels are
relative to the speaker's mean spectrum, melody to the speaker's median F0 in units of the speaker's spread. The flow
decoder (Lipman et al. 2023; Mehta et al., "Matcha-TTS", 2024) adds what the trunk's L1 loss averages away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from yinse.core.types import FloatArray
from yinse.models.blocks import ChannelNorm, ConditionedBlock, sinusoidal_embedding
from yinse.models.spectrogram import SpectrogramConfig, mel_filters

MEASURES = 13
"""Measured numbers in the condition: F0 median, F0 spread, tempo, eight floor bands, synthetic, narrow band."""


@dataclass(frozen=True)
class AcousticConfig:
    """Sizes of the acoustic model."""

    symbols: int
    bases: int
    tones: int
    channels: int = 256
    condition: int = 128
    speaker_size: int = 256
    text_blocks: int = 2
    text_kernel: int = 3
    melody_channels: int = 96
    melody_blocks: int = 3
    trunk_dilations: tuple[int, ...] = (1, 2, 4, 1, 1)
    flow_dilations: tuple[int, ...] = (1, 2, 4, 1, 1)
    residual_scale: float = 2.0
    harmonic_steps: int = 128
    dropout: float = 0.05
    spectrogram: SpectrogramConfig = field(default_factory=SpectrogramConfig)


def harmonic_table(config: SpectrogramConfig, steps: int) -> FloatArray:
    """How the harmonics of a pulse train stand out of its own smooth spectrum in a log-mel, `(steps, M)` nats.

    F0 runs from 50 to 640 Hz in equal log steps. The value is 0 where the bins are too wide to resolve harmonics.
    """
    filters = mel_filters(config)
    bins_hz = np.linspace(0.0, config.sample_rate_hz / 2, config.fft_samples // 2 + 1)
    lobe_hz = 2.0 * config.sample_rate_hz / config.fft_samples  # half width of the Hann window's main lobe
    flat = filters.sum(axis=1)
    table = []
    for f0_hz in np.exp(np.linspace(np.log(50.0), np.log(640.0), steps)):
        distance = np.abs((bins_hz + f0_hz / 2) % f0_hz - f0_hz / 2)
        comb = np.where(distance < lobe_hz, 0.5 + 0.5 * np.cos(np.pi * distance / lobe_hz), 0.0)
        comb[bins_hz < f0_hz / 2] *= 0.2
        comb /= np.sqrt(np.mean(comb[bins_hz > f0_hz] ** 2))
        table.append(np.log(np.maximum(filters @ comb / flat, 0.03)))
    return np.asarray(table, dtype=np.float32)


@dataclass(frozen=True)
class RegulatedLength:
    """Which phoneme each frame belongs to (`index (B, T_mel)`) and where in it (`place (B, 3, T_mel)`)."""

    index: Tensor
    place: Tensor


def regulate(durations: Tensor) -> RegulatedLength:
    """Spread phonemes over frames.

    Args:
        durations: frames per phoneme `(T_ph,)`, integers ≥ 0.

    Returns:
        for a batch of one: the phoneme of each frame, and per frame the fraction of the phoneme gone, the distance to
        its middle, and the logarithm of its length.
    """
    total = torch.repeat_interleave(torch.arange(len(durations), device=durations.device), durations)
    starts = torch.cumsum(durations, dim=0) - durations
    length = durations[total].float()
    fraction = (torch.arange(len(total), device=durations.device) - starts[total] + 0.5) / length
    place = torch.stack([fraction, (fraction - 0.5).abs() * 2, length.log() / 3])
    return RegulatedLength(total[None], place[None])


@dataclass(frozen=True)
class AcousticInput:
    """What the acoustic model is told.

    Attributes:
        symbols, bases, tones: ids `(B, T_ph)`.
        pitch: per phoneme, mean log F0 relative to the speaker in units of spread, 0 if unvoiced `(B, T_ph)`.
        voiced: whether the phoneme has a pitch, 0 or 1 `(B, T_ph)`.
        energy: per phoneme, mean log magnitude relative to the speaker's mean spectrum, nats `(B, T_ph)`.
        length: frames of each phoneme.
        speaker: unit vectors `(B, G)`.
        measures: measured numbers `(B, MEASURES)`, scaled to about ±1.
        mask: phonemes that are there and do not just fill up a batch, boolean `(B, T_ph)`; None: all.
    """

    symbols: Tensor
    bases: Tensor
    tones: Tensor
    pitch: Tensor
    voiced: Tensor
    energy: Tensor
    length: RegulatedLength
    speaker: Tensor
    measures: Tensor
    mask: Tensor | None = None


class Told(Protocol):
    """What the models are told of a voice."""

    @property
    def speaker(self) -> Tensor:
        """Unit vectors `(B, G)`."""
        ...

    @property
    def measures(self) -> Tensor:
        """Measured numbers `(B, MEASURES)`."""
        ...


@dataclass(frozen=True)
class Trunk:
    """What the flow decoder starts from: hidden frames `(B, C, T_mel)`, mean mel `(B, M, T_mel)`, condition."""

    hidden: Tensor
    mel: Tensor
    harmonics: Tensor
    condition: Tensor


class TextEncoder(nn.Module):
    """Symbols with their prosody to hidden phonemes."""

    def __init__(self, config: AcousticConfig) -> None:
        super().__init__()
        self.symbol = nn.Embedding(config.symbols, config.channels)
        self.base = nn.Embedding(config.bases, config.channels)
        self.tone = nn.Embedding(config.tones, config.channels)
        self.prosody = nn.Conv1d(3, config.channels, 1)
        self.blocks = nn.ModuleList(
            ConditionedBlock(config.channels, config.condition, kernel=config.text_kernel, dropout=config.dropout)
            for _ in range(config.text_blocks)
        )
        for table in (self.symbol, self.base, self.tone):
            nn.init.normal_(table.weight, std=0.3)

    def forward(self, inputs: AcousticInput, condition: Tensor) -> Tensor:
        """Hidden phonemes `(B, C, T_ph)`."""
        embedded = self.symbol(inputs.symbols) + self.base(inputs.bases) + self.tone(inputs.tones)
        x: Tensor = embedded.transpose(1, 2)
        x = x + self.prosody(torch.stack([inputs.pitch, inputs.voiced, inputs.energy], dim=1))
        there = None if inputs.mask is None else inputs.mask[:, None].to(x.dtype)
        for block in self.blocks:
            x = block(x, condition, mask=there)
        return x


class Melody(nn.Module):
    """Hidden frames to F0 (in units of the speaker's spread) and voicing, frame by frame."""

    def __init__(self, config: AcousticConfig) -> None:
        super().__init__()
        width = config.melody_channels
        self.enter = nn.Conv1d(config.channels, width, 1)
        self.blocks = nn.ModuleList(
            ConditionedBlock(width, config.condition, kernel=5, dilation=dilation, dropout=config.dropout)
            for dilation in (1, 2, 4, 8)[: config.melody_blocks]
        )
        self.leave = nn.Conv1d(width, 2, 1)

    def forward(self, frames: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """F0 `(B, T_mel)` in units of spread, voicing logits `(B, T_mel)`."""
        x = self.enter(frames)
        for block in self.blocks:
            x = block(x, condition)
        f0, voicing = self.leave(x).unbind(dim=1)
        return f0, voicing


class FlowDecoder(nn.Module):
    """Velocity of the path from noise to the part of the mel that the trunk averaged away."""

    def __init__(self, config: AcousticConfig) -> None:
        super().__init__()
        bins = config.spectrogram.mel_bins
        self.time = nn.Sequential(
            nn.Linear(64, config.condition), nn.GELU(), nn.Linear(config.condition, config.condition)
        )
        self.enter = nn.Conv1d(3 * bins + config.channels, config.channels, 1)
        self.blocks = nn.ModuleList(
            ConditionedBlock(config.channels, config.condition, dilation=dilation) for dilation in config.flow_dilations
        )
        self.norm = ChannelNorm(config.channels)
        self.leave = nn.Conv1d(config.channels, bins, 1)

    def forward(self, noisy: Tensor, time: Tensor, trunk: Trunk) -> Tensor:
        """Velocity `(B, M, T_mel)` at `noisy (B, M, T_mel)` and `time (B,)` in [0, 1]."""
        condition = trunk.condition + self.time(sinusoidal_embedding(time, 64).to(trunk.condition.dtype))
        x = self.enter(torch.cat([noisy, trunk.mel, trunk.harmonics, trunk.hidden], dim=1))
        for block in self.blocks:
            x = block(x, condition)
        velocity: Tensor = self.leave(self.norm(x))
        return velocity


class AcousticModel(nn.Module):
    """Phonemes to log-mel in a voice."""

    harmonics: Tensor

    def __init__(self, config: AcousticConfig) -> None:
        super().__init__()
        self.config = config
        bins = config.spectrogram.mel_bins
        self.voice = nn.Sequential(
            nn.Linear(config.speaker_size + MEASURES, config.condition),
            nn.GELU(),
            nn.Linear(config.condition, config.condition),
        )
        self.text = TextEncoder(config)
        self.place = nn.Conv1d(3, config.channels, 1)
        self.melody = Melody(config)
        self.source = nn.Conv1d(bins + 2, config.channels, 1)
        self.trunk_blocks = nn.ModuleList(
            ConditionedBlock(config.channels, config.condition, dilation=dilation, dropout=config.dropout)
            for dilation in config.trunk_dilations
        )
        self.norm = ChannelNorm(config.channels)
        self.leave = nn.Conv1d(config.channels, bins, 1)
        self.flow = FlowDecoder(config)
        table = torch.from_numpy(harmonic_table(config.spectrogram, config.harmonic_steps))
        self.register_buffer("harmonics", table, persistent=False)

    def condition(self, told: Told) -> Tensor:
        """Condition `(B, D)` from speaker vector and measures."""
        # the vector has unit length: scaled so that its entries are of order 1
        vector: Tensor = self.voice(torch.cat([told.speaker * 16.0, told.measures], dim=1))
        return vector

    def frames(self, inputs: AcousticInput, condition: Tensor) -> Tensor:
        """Hidden phonemes spread over their frames, `(B, C, T_mel)`."""
        phonemes = self.text(inputs, condition)
        index = inputs.length.index[:, None].expand(-1, phonemes.shape[1], -1)
        spread: Tensor = torch.gather(phonemes, 2, index) + self.place(inputs.length.place.to(phonemes.dtype))
        return spread

    def harmonic_picture(self, log_f0: Tensor, voicing: Tensor) -> Tensor:
        """Harmonics `(B, M, T_mel)` of a melody: natural log of Hz `(B, T_mel)`, voicing in [0, 1] `(B, T_mel)`."""
        low, high = np.log(50.0), np.log(640.0)
        place = ((log_f0 - low) / (high - low)).clamp(0, 1) * (self.config.harmonic_steps - 1)
        below = place.floor().long().clamp(max=self.config.harmonic_steps - 2)
        weight = (place - below).unsqueeze(-1)
        rows = torch.lerp(self.harmonics[below], self.harmonics[below + 1], weight.to(self.harmonics.dtype))
        return (rows * voicing.unsqueeze(-1)).transpose(1, 2)

    def trunk(self, frames: Tensor, log_f0: Tensor, f0: Tensor, voicing: Tensor, condition: Tensor) -> Trunk:
        """Mean mel from hidden frames and melody.

        Args:
            frames: `(B, C, T_mel)`.
            log_f0: natural log of Hz `(B, T_mel)`.
            f0: the same in units of the speaker's spread, 0 if unvoiced `(B, T_mel)`.
            voicing: 0 to 1 `(B, T_mel)`.
            condition: `(B, D)`.
        """
        harmonics = self.harmonic_picture(log_f0, voicing).to(frames.dtype)
        source = torch.cat([harmonics, torch.stack([f0, voicing], dim=1).to(frames.dtype)], dim=1)
        x = frames + self.source(source)
        for block in self.trunk_blocks:
            x = block(x, condition)
        hidden = self.norm(x)
        return Trunk(hidden, self.leave(hidden), harmonics, condition)

    def refine(self, trunk: Trunk, *, steps: int, temperature: float, generator: torch.Generator) -> Tensor:
        """Mel `(B, M, T_mel)` with texture: Euler steps along the flow from noise; 0 steps give the trunk's mean."""
        if steps == 0:
            return trunk.mel
        noise = torch.randn(trunk.mel.shape, generator=generator, dtype=torch.float32).to(trunk.mel)
        x = noise * temperature
        for step in range(steps):
            time = torch.full((len(x),), step / steps, device=x.device)
            x = x + self.flow(x, time, trunk) / steps
        return trunk.mel + x / self.config.residual_scale

    def forward(
        self, inputs: AcousticInput, log_f0: Tensor, f0: Tensor, voicing: Tensor
    ) -> tuple[Trunk, Tensor, Tensor]:
        """Trunk, predicted F0 and voicing logits, the trunk being told the melody given.

        Args:
            inputs: phonemes, lengths, voice.
            log_f0, f0, voicing: the melody as in `trunk`, `(B, T_mel)` each.
        """
        condition = self.condition(inputs)
        return self.follow(self.frames(inputs, condition), condition, log_f0, f0, voicing)

    def follow(
        self, frames: Tensor, condition: Tensor, log_f0: Tensor, f0: Tensor, voicing: Tensor
    ) -> tuple[Trunk, Tensor, Tensor]:
        """As `forward`, from hidden frames `(B, C, T_mel)` and condition `(B, D)`, wherever the frames come from."""
        predicted_f0, voicing_logits = self.melody(frames, condition)
        return self.trunk(frames, log_f0, f0, voicing, condition), predicted_f0, voicing_logits
