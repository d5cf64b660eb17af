"""Content encoder: what is said, without who says it — a recording's frames as the acoustic model's hidden phonemes.

    log-mel relative to the speaker ─ cepstra ─┐
    F0 and voicing relative to the speaker ────┤
    the language, where it is known ───────────┴─ encoder ─ units ─ in whose voice ─ hidden frames ─ trunk, flow

The units stand where text, aligner and length regulator stand otherwise, so one acoustic model speaks text and
recordings. They are soft (van Niekerk et al., "A comparison of discrete and soft speech units for improved voice
conversion", 2022), or each is rounded to a few levels (Mentzer et al., "Finite scalar quantization", 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from yinse.audio.measure import SpeakerMeasure, fill_unvoiced
from yinse.core.types import FloatArray
from yinse.models.analysis import Analysis
from yinse.models.blocks import ChannelNorm, ConditionedBlock

LANGUAGES = ("en", "zh")
"""What may be told of a recording; not told, it counts as a language of its own."""
_TOLD = len(LANGUAGES) + 1


@dataclass(frozen=True)
class ContentConfig:
    """Sizes of the content encoder.

    Attributes:
        mel_bins: lowest bins that are heard: those below 8 kHz, for many recordings have no more.
        cepstra: of these bins; few enough to keep formants and leave harmonics out.
        channels, dilations: of the encoder's blocks.
        rounds: how often the recording goes through these blocks, told each time which round it is: twice as deep at
            the same size.
        units: numbers per frame.
        levels: of each unit, odd; 0: soft units.
        condition: width of the acoustic model's condition.
        voice_channels: of what reads the units in a voice.
        hidden: channels of the acoustic model's hidden frames.
    """

    mel_bins: int = 86
    cepstra: int = 20
    channels: int = 128
    dilations: tuple[int, ...] = (1, 2, 4, 8, 12, 1)
    rounds: int = 2
    units: int = 48
    levels: int = 0
    condition: int = 128
    voice_channels: int = 128
    hidden: int = 256
    dropout: float = 0.05


def cosine_table(config: ContentConfig) -> Tensor:
    """Orthonormal cosine transform `(cepstra, mel_bins)`, scaled so that entries of speech are of order 1."""
    angle = torch.pi / config.mel_bins * (torch.arange(config.mel_bins) + 0.5)
    table = torch.cos(torch.arange(config.cepstra)[:, None] * angle) * (2.0 / config.mel_bins) ** 0.5
    # the first varies twenty times as much as the last
    return table * (torch.arange(config.cepstra)[:, None] + 1) ** 0.7 / 6


class ContentModel(nn.Module):
    """Frames to units, and units in a voice to the acoustic model's hidden frames.

    The language acts on every block and has a last layer of its own. Merely told at the entrance it is overheard: where
    all recordings of people are English and all Mandarin is synthetic, a person's Mandarin is heard as English.
    """

    cosines: Tensor

    def __init__(self, config: ContentConfig) -> None:
        super().__init__()
        self.config = config
        self.enter = nn.Conv1d(config.cepstra + 2, config.channels, 5, padding=2)
        self.blocks = nn.ModuleList(
            ConditionedBlock(config.channels, config.rounds * _TOLD, dilation=dilation, dropout=config.dropout)
            for dilation in config.dilations
        )
        self.norm = ChannelNorm(config.channels)
        self.leave = nn.Conv1d(config.channels, _TOLD * config.units, 1)
        self.voice_enter = nn.Conv1d(config.units, config.voice_channels, 3, padding=1)
        self.voice_modulate = nn.Linear(config.condition, 2 * config.voice_channels)
        self.voice_leave = nn.Conv1d(config.voice_channels, config.hidden, 1)
        self.register_buffer("cosines", cosine_table(config), persistent=False)

    def units(self, mel: Tensor, f0: Tensor, voicing: Tensor, language: Tensor) -> Tensor:
        """Units `(B, U, T_mel)` in [-1, 1] of a recording.

        Args:
            mel: log-mel relative to the speaker's mean spectrum, nats `(B, M, T_mel)`.
            f0: melody relative to the speaker's median, in units of spread, continuous `(B, T_mel)`.
            voicing: 0 or 1 `(B, T_mel)`.
            language: `(B, LANGUAGES)`, 1 at the one that is spoken; zeros where it is not known.
        """
        heard = torch.matmul(self.cosines, mel[:, : self.config.mel_bins].clamp(-9.0, 5.0))
        melody = torch.stack([(f0 * voicing).clamp(-4.0, 4.0), voicing], dim=1)
        told = torch.cat([language, 1 - language.sum(dim=1, keepdim=True)], dim=1)
        x = self.enter(torch.cat([heard, melody], dim=1))
        for turn in range(self.config.rounds):
            here = turn * _TOLD
            condition = nn.functional.pad(told, (here, (self.config.rounds - 1) * _TOLD - here))
            for block in self.blocks:
                x = block(x, condition)
        each = self.leave(self.norm(x)).unflatten(1, (_TOLD, self.config.units))
        soft = torch.tanh((each * told[:, :, None, None]).sum(dim=1).float())
        if not self.config.levels:
            return soft
        half = (self.config.levels - 1) / 2
        # rounding has no slope: the gradient passes as if it had not happened
        return soft + ((soft * half).round() / half - soft).detach()

    def frames(self, units: Tensor, condition: Tensor) -> Tensor:
        """Hidden frames `(B, C, T_mel)` for the acoustic model's trunk.

        Args:
            units: `(B, U, T_mel)`.
            condition: of the voice that speaks, as the acoustic model computes it, `(B, D)`.
        """
        scale, shift = self.voice_modulate(condition).unsqueeze(-1).chunk(2, dim=1)
        inside = nn.functional.gelu(self.voice_enter(units.to(condition.dtype)), approximate="tanh")
        hidden: Tensor = self.voice_leave(inside * (1 + scale) + shift)
        return hidden

    def forward(self, mel: Tensor, f0: Tensor, voicing: Tensor, language: Tensor, condition: Tensor) -> Tensor:
        """Hidden frames `(B, C, T_mel)` of a recording in a voice; arguments as in `units` and `frames`."""
        return self.frames(self.units(mel, f0, voicing, language), condition)


def relative(seen: Analysis, measure: SpeakerMeasure, *, language: str | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A clip as the content encoder hears it: what `ContentModel.units` takes, for a batch of one.

    Args:
        seen: the clip.
        measure: of the person who speaks in it.
        language: one of `LANGUAGES`, if it is known.
    """
    mel = torch.from_numpy((seen.mel - measure.mean_spectrum).T.copy())[None]
    f0 = (fill_unvoiced(seen.log_f0) - measure.log_f0_median) / measure.log_f0_spread
    voicing = torch.from_numpy((seen.log_f0 > 0).astype(np.float32))[None]
    return mel, torch.from_numpy(f0)[None], voicing, torch.from_numpy(told_language(language))[None]


def told_language(language: str | None) -> FloatArray:
    """`(LANGUAGES,)`, 1 at a language; zeros for None and for others."""
    return np.array([language == one for one in LANGUAGES], dtype=np.float32)
