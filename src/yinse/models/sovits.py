"""SoVITS as GPT-SoVITS publishes it: semantic codes and phonemes, in the timbre of references → waveform.

    codes ─ codebook ─ code encoder ─┐
    phonemes ─────── phoneme encoder ┴─ fusion ─ joint encoder ─ prior ─ flow ─ generator ─ waveform
    references ─ style encoder ─ condition ┴───────────────────────────────┴────────┘

A VITS (Kim et al. 2021) without durations: each code lasts a fixed number of latent frames. The places of optional
parts are in the configuration: the speaker-verification vector, and, for training alone, a posterior.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from yinse.core.errors import ConfigError
from yinse.models.hifigan import GeneratorConfig, HifiGanGenerator
from yinse.models.hifigan_prepared import PreparedGenerator
from yinse.models.sovits_layers import CouplingFlow, RelativeAttention, StyleEncoder, TransformerLayer
from yinse.models.spectrogram import SpectrogramConfig

Precision = Literal["exact", "bfloat16"]
NOISE_SCALE = 0.5
"""Spread of the latent frames around the prior's mean, in units of the prior's own."""


@dataclass(frozen=True)
class SoVITSConfig:
    """Sizes of a SoVITS; the defaults are those of the second published model.

    Attributes:
        phonemes: entries of the phoneme table.
        codes: entries of the semantic codebook.
        ssl_size: width of the self-supervised features, and of a codebook entry.
        frames_per_code: latent frames, and SSL frames, that each code lasts.
        latent: channels of a latent frame.
        hidden, inner, heads, layers, kernel, window: of the encoders; those of codes have half of the layers.
        dropout: of the encoders, in training.
        fusion_hidden, fusion_heads: of the attention from codes to phonemes.
        reference_bins: lowest bins of a reference's spectrum that are read.
        style_hidden, style_heads, style_kernel: of the style encoder.
        condition: size of the vector that stands for the timbre.
        speaker_vector: size of the speaker-verification vector, 0 for none.
        couplings, flow_kernel, flow_layers: of the flow.
        generator: latent frames to waveform.
        spectrogram: of references.

    Raises:
        ConfigError: parts do not fit together.
    """

    phonemes: int = 732
    codes: int = 1024
    ssl_size: int = 768
    frames_per_code: int = 2
    latent: int = 192
    hidden: int = 192
    inner: int = 768
    heads: int = 2
    layers: int = 6
    kernel: int = 3
    window: int = 4
    dropout: float = 0.1
    fusion_hidden: int = 512
    fusion_heads: int = 4
    reference_bins: int = 704
    style_hidden: int = 128
    style_heads: int = 2
    style_kernel: int = 5
    condition: int = 512
    speaker_vector: int = 0
    couplings: int = 4
    flow_kernel: int = 5
    flow_layers: int = 4
    generator: GeneratorConfig = field(
        default_factory=lambda: GeneratorConfig(
            inputs=192,
            upsampling=(10, 8, 2, 2, 2),
            upsampling_kernels=(16, 16, 8, 2, 2),
            condition=512,
            weight_norm=False,
            output_bias=False,
        )
    )
    spectrogram: SpectrogramConfig = field(
        default_factory=lambda: SpectrogramConfig(
            sample_rate_hz=32000,
            fft_samples=2048,
            hop_samples=640,
            mel_bins=128,
            mel_max_hz=16000.0,
            centred=False,
            power_floor=1e-8,
        )
    )

    def __post_init__(self) -> None:
        made = (self.generator.inputs, self.generator.condition)
        if made != (self.latent, self.condition):
            raise ConfigError(f"the generator reads {made}, the model gives {(self.latent, self.condition)}")
        if self.hidden % self.heads or self.fusion_hidden % self.fusion_heads or self.latent % 2:
            raise ConfigError("heads must divide the width, and the latent channels be even")
        if not self.speaker_vector and self.condition != self.fusion_hidden:
            raise ConfigError(f"condition {self.condition} and fusion {self.fusion_hidden} must be of one size")

    @property
    def sample_rate_hz(self) -> int:
        """Of the waveform."""
        return self.spectrogram.sample_rate_hz

    @property
    def code_samples(self) -> int:
        """Samples that each code lasts."""
        return self.frames_per_code * self.generator.hop_samples


@dataclass(frozen=True)
class Reference:
    """A recording whose timbre is wanted.

    Attributes:
        spectrum: magnitudes `(B, F, T)`.
        speaker: speaker-verification vector `(B, V)`, for models that read one.
        frames: real frames of each row `(B,)`; all, if None.
    """

    spectrum: Tensor
    speaker: Tensor | None = None
    frames: Tensor | None = None


@dataclass(frozen=True)
class Prior:
    """What codes and phonemes say about the latent frames.

    Attributes:
        hidden: frames of the joint encoder, before any change of speed `(B, C, T)`.
        mean, log_std: of the latent frames `(B, L, T)`.
        mask: 1 where there is a frame `(B, 1, T)`.
    """

    hidden: Tensor
    mean: Tensor
    log_std: Tensor
    mask: Tensor


def mask_of(lengths: Tensor | None, like: Tensor) -> Tensor:
    """Mask `(B, 1, T)` of lengths `(B,)` for frames `(B, C, T)`; all ones without lengths."""
    if lengths is None:
        return like.new_ones((len(like), 1, like.shape[2]))
    places = torch.arange(like.shape[2], device=like.device)
    return (places < lengths[:, None]).to(like.dtype)[:, None]


class Fusion(nn.Module):
    """Codes look at the phonemes and are told the timbre (the published code calls it MRTE)."""

    def __init__(self, config: SoVITSConfig) -> None:
        super().__init__()
        self.codes_in = nn.Conv1d(config.hidden, config.fusion_hidden, 1)
        self.phonemes_in = nn.Conv1d(config.hidden, config.fusion_hidden, 1)
        self.attention = RelativeAttention(config.fusion_hidden, config.fusion_heads)
        self.leave = nn.Conv1d(config.fusion_hidden, config.hidden, 1)

    def forward(
        self, codes: Tensor, codes_mask: Tensor, phonemes: Tensor, phonemes_mask: Tensor, condition: Tensor
    ) -> Tensor:
        """Frames `(B, C, T)` of code frames `(B, C, T)`, phonemes `(B, C, T_ph)` and a condition `(B, D, 1)`."""
        codes = self.codes_in(codes * codes_mask)
        phonemes = self.phonemes_in(phonemes * phonemes_mask) * phonemes_mask
        seen = self.attention(codes * codes_mask, phonemes, codes_mask.transpose(1, 2) * phonemes_mask)
        fused: Tensor = self.leave((seen + codes + condition) * codes_mask)
        return fused


class PriorEncoder(nn.Module):
    """Semantic features and phonemes to the distribution of latent frames."""

    def __init__(self, config: SoVITSConfig) -> None:
        super().__init__()
        self.config = config
        self.codes_in = nn.Conv1d(config.ssl_size, config.hidden, 1)
        self.phoneme_embedding = nn.Embedding(config.phonemes, config.hidden)
        self.code_encoder = self._encoder(config.layers // 2)
        self.phoneme_encoder = self._encoder(config.layers)
        self.fusion = Fusion(config)
        self.joint_encoder = self._encoder(config.layers // 2)
        self.statistics = nn.Conv1d(config.hidden, 2 * config.latent, 1)
        nn.init.normal_(self.phoneme_embedding.weight, std=config.hidden**-0.5)

    def _encoder(self, layers: int) -> nn.ModuleList:
        config = self.config
        return nn.ModuleList(
            TransformerLayer(
                config.hidden,
                config.inner,
                config.heads,
                kernel=config.kernel,
                window=config.window,
                dropout=config.dropout,
            )
            for _ in range(layers)
        )

    def forward(
        self,
        semantic: Tensor,
        phonemes: Tensor,
        condition: Tensor,
        *,
        frames: Tensor | None = None,
        phoneme_lengths: Tensor | None = None,
        speed: float = 1.0,
        keep_frames: int | None = None,
        overlap: Tensor | None = None,
    ) -> Prior:
        """Distribution of the latent frames.

        Args:
            semantic: codebook entries, one for each latent frame `(B, S, T)`.
            phonemes: ids `(B, T_ph)`.
            condition: `(B, D, 1)`, of the fusion's width.
            frames: real frames of each row `(B,)`; all, if None.
            phoneme_lengths: the same for the phonemes.
            speed: above 1 the frames become fewer: the encoder's output is resampled.
            keep_frames: only this many frames from the end go on (streaming).
            overlap: last hidden frames of the piece before `(B, C, N)`, faded into the first ones kept (streaming).
        """
        mask = mask_of(frames, semantic)
        x = self.codes_in(semantic * mask) * mask
        for layer in self.code_encoder:
            x = layer(x, mask)
        spoken = self.phoneme_embedding(phonemes).transpose(1, 2)
        phonemes_mask = mask_of(phoneme_lengths, spoken)
        for layer in self.phoneme_encoder:
            spoken = layer(spoken, phonemes_mask)
        x = self.fusion(x, mask, spoken, phonemes_mask, condition)
        for layer in self.joint_encoder:
            x = layer(x, mask)
        if keep_frames is not None:
            x, mask = x[:, :, -keep_frames:], mask[:, :, -keep_frames:]
        if overlap is not None:
            x = _fade_in(x, overlap)
        hidden = x
        if speed != 1.0:
            size = resampled_frames(x.shape[2], speed)
            x = nn.functional.interpolate(x, size=size, mode="linear")
            mask = nn.functional.interpolate(mask, size=size, mode="nearest")
        mean, log_std = (self.statistics(x) * mask).chunk(2, dim=1)
        return Prior(hidden, mean, log_std, mask)


@dataclass(frozen=True)
class Decoded:
    """A waveform `(B, S)` and the hidden frames `(B, C, T)` that it came from, for the next piece's overlap."""

    samples: Tensor
    hidden: Tensor


class SoVITS(nn.Module):
    """Codes and phonemes in a timbre to a waveform."""

    def __init__(self, config: SoVITSConfig) -> None:
        super().__init__()
        self.config = config
        self.semantic_projection = nn.Conv1d(
            config.ssl_size, config.ssl_size, config.frames_per_code, stride=config.frames_per_code
        )
        self.codebook = nn.Embedding(config.codes, config.ssl_size)
        self.style = StyleEncoder(
            config.reference_bins,
            config.style_hidden,
            config.condition,
            heads=config.style_heads,
            kernel=config.style_kernel,
        )
        if config.speaker_vector:
            self.speaker_projection = nn.Linear(config.speaker_vector, config.condition)
            self.speaker_activation = nn.PReLU(config.condition)
            self.fusion_projection = nn.Linear(config.condition, config.fusion_hidden)
        self.prior = PriorEncoder(config)
        self.flow = CouplingFlow(
            config.latent,
            config.hidden,
            config.condition,
            couplings=config.couplings,
            kernel=config.flow_kernel,
            layers=config.flow_layers,
        )
        self.generator: nn.Module = HifiGanGenerator(config.generator)

    def prepare(self, precision: Precision = "exact") -> None:
        """Arrange the generator for speaking on a CPU; afterwards its weights can be neither trained nor saved.

        Args:
            precision: "exact" says the same up to rounding; "bfloat16" is faster where the processor has such
                products (`yinse.models.hifigan_prepared.bfloat16_pays`).
        """
        if isinstance(self.generator, HifiGanGenerator):
            self.generator = PreparedGenerator(
                self.generator, precision=torch.bfloat16 if precision == "bfloat16" else torch.float32
            )

    def encode(self, ssl: Tensor) -> Tensor:
        """Semantic codes `(B, T // frames_per_code)` of self-supervised features `(B, S, T)`: the nearest entries."""
        projected = self.semantic_projection(ssl).transpose(1, 2)
        entries = self.codebook.weight
        distance = projected.square().sum(2, keepdim=True) - 2 * projected @ entries.T + entries.square().sum(1)
        return distance.argmin(dim=2)

    def quantized(self, codes: Tensor) -> Tensor:
        """Codebook entries `(B, S, T)` of codes `(B, T)`."""
        return self.codebook(codes).transpose(1, 2)

    def condition(self, references: Sequence[Reference]) -> Tensor:
        """Timbre `(B, D)`: the mean over references.

        Raises:
            ConfigError: no reference, or a speaker vector that is missing or that nothing reads.
        """
        if not references:
            raise ConfigError("no reference was given, so there is no timbre", advice="Give at least one recording.")
        return torch.stack([self._timbre(reference) for reference in references]).mean(dim=0)

    def _timbre(self, reference: Reference) -> Tensor:
        wanted, size = self.config.speaker_vector, 0 if reference.speaker is None else reference.speaker.shape[1]
        if size != wanted:
            raise ConfigError(f"the reference has a speaker vector of size {size}, the model reads one of {wanted}")
        mask = mask_of(reference.frames, reference.spectrum)
        vector = self.style(reference.spectrum[:, : self.config.reference_bins] * mask, mask)[:, :, 0]
        if wanted:
            vector = self.speaker_activation(vector + self.speaker_projection(reference.speaker))
        return vector

    def latent_frames(self, codes: int, *, speed: float = 1.0) -> int:
        """Latent frames that so many codes become: the length of the noise that `forward` is given."""
        return resampled_frames(codes * self.config.frames_per_code, speed)

    def infer_prior(
        self,
        codes: Tensor,
        phonemes: Tensor,
        condition: Tensor,
        *,
        code_lengths: Tensor | None = None,
        phoneme_lengths: Tensor | None = None,
        speed: float = 1.0,
        keep_codes: int | None = None,
        overlap: Tensor | None = None,
    ) -> Prior:
        """Distribution of the latent frames; arguments as in `forward`, condition `(B, D)`."""
        repeat = self.config.frames_per_code
        return self.prior(
            self.quantized(codes).repeat_interleave(repeat, dim=2),
            phonemes,
            self.fusion_projection(condition)[:, :, None] if self.config.speaker_vector else condition[:, :, None],
            frames=None if code_lengths is None else code_lengths * repeat,
            phoneme_lengths=phoneme_lengths,
            speed=speed,
            keep_frames=None if keep_codes is None else keep_codes * repeat,
            overlap=overlap,
        )

    def sample(self, prior: Prior, condition: Tensor, *, noise: Tensor | None, noise_scale: float) -> Tensor:
        """Latent frames `(B, L, T)`: a draw from the prior, through the flow."""
        drawn = prior.mean
        if noise is not None:
            drawn = drawn + noise * prior.log_std.exp() * noise_scale
        return self.flow(drawn, prior.mask, condition[:, :, None], reverse=True) * prior.mask

    def forward(
        self,
        codes: Tensor,
        phonemes: Tensor,
        condition: Tensor,
        *,
        noise: Tensor | None = None,
        noise_scale: float = NOISE_SCALE,
        code_lengths: Tensor | None = None,
        phoneme_lengths: Tensor | None = None,
        speed: float = 1.0,
        keep_codes: int | None = None,
        overlap: Tensor | None = None,
    ) -> Decoded:
        """Speak.

        Args:
            codes: semantic codes `(B, T)`.
            phonemes: ids `(B, T_ph)`.
            condition: timbre `(B, D)`.
            noise: normal noise `(B, L, latent_frames)`; without it the mean is spoken.
            noise_scale: of the noise.
            code_lengths, phoneme_lengths: real entries of each row `(B,)`; all, if None.
            speed: above 1 is faster.
            keep_codes: only this many codes from the end are spoken; the ones before are context (streaming).
            overlap: the hidden frames `(B, C, N)` with which the piece before ended (streaming).
        """
        prior = self.infer_prior(
            codes,
            phonemes,
            condition,
            code_lengths=code_lengths,
            phoneme_lengths=phoneme_lengths,
            speed=speed,
            keep_codes=keep_codes,
            overlap=overlap,
        )
        latent = self.sample(prior, condition, noise=noise, noise_scale=noise_scale)
        return Decoded(self.generator(latent, condition), prior.hidden)


def resampled_frames(frames: int, speed: float) -> int:
    """Frames after a change of speed, counted as the published code does: one more than fits."""
    return frames if speed == 1.0 else int(frames / speed) + 1


def _fade_in(x: Tensor, overlap: Tensor) -> Tensor:
    """`x (B, C, T)` whose first frames fade over from `overlap (B, C, N)` by quarter waves of sine and cosine."""
    count = overlap.shape[2]
    wave = torch.sin(torch.arange(2 * count, device=x.device, dtype=x.dtype) * math.pi / (2 * count))
    faded = x[:, :, :count] * wave[:count] + overlap * wave[count:]
    return torch.cat([faded, x[:, :, count:]], dim=2)
