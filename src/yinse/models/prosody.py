"""Prosody GPT: what is said → how it is said, phoneme by phoneme.

    phonemes (all of them visible)  p1 p2 … pT   + context vectors, + voice
    decisions (causal)              d1 d2 … dT   each: duration, then pitch, then energy, as tokens

One transformer reads both rows: phonemes see all phonemes, a decision sees all phonemes and the decisions before it
(the mask of GPT-SoVITS' first stage, with prosody in the place of acoustic codes). Decision t stands at the position of
phoneme t. A reference is a prompt: its phonemes and its decisions come first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from yinse.audio.measure import PhonemeProsody
from yinse.core.errors import ConfigError
from yinse.models.acoustic import MEASURES
from yinse.models.blocks import AttentionBlock, KeyValueCache, rotation
from yinse.models.context import ContextProjection

DURATION_FRAMES = (*range(17), 18, 20, 22, 25, 28, 32, 36, 40, 46, 52, 60, 70, 80, 95, 110, 130, 160)
PITCH_STEP = 0.2
ENERGY_STEP = 0.2


@dataclass(frozen=True)
class ProsodyConfig:
    """Sizes of the prosody GPT.

    Attributes:
        symbols, bases, tones: rows of the embedding tables.
        pitch_tokens: token 0 is unvoiced, the others are steps of 0.2 spreads around the median.
        energy_tokens: steps of 0.2 nats, the last at +1.2.
        context_size: width of context vectors, 0 for none.
        language_model: the frozen language model whose hidden states are the context, as a folder or a name on the hub;
            "" for none.
        language_model_size: width of its hidden states, which a projection brings to `context_size`.

    Raises:
        ConfigError: a language model without sizes to project from and to, or a size without a language model.
    """

    symbols: int
    bases: int
    tones: int
    width: int = 160
    heads: int = 4
    layers: int = 4
    inner: int = 640
    pitch_tokens: int = 32
    energy_tokens: int = 24
    speaker_size: int = 256
    context_size: int = 192
    dropout: float = 0.1
    language_model: str = ""
    language_model_size: int = 0

    def __post_init__(self) -> None:
        if bool(self.language_model) != (self.language_model_size > 0):
            raise ConfigError("a language model and the size of its hidden states belong together")
        if self.language_model and not self.context_size:
            raise ConfigError("a language model needs a context size above 0")

    @property
    def token_counts(self) -> tuple[int, int, int]:
        """Vocabulary of durations, pitches and energies."""
        return len(DURATION_FRAMES), self.pitch_tokens, self.energy_tokens


def encode_prosody(prosody: PhonemeProsody, config: ProsodyConfig) -> np.ndarray:
    """Tokens `(T_ph, 3)` of measured prosody."""
    frames = np.asarray(DURATION_FRAMES, dtype=np.float32)
    edges = np.sqrt((frames[1:] + 0.25) * (frames[:-1] + 0.25))
    durations = np.searchsorted(edges, prosody.durations.astype(np.float32))
    middle = config.pitch_tokens // 2
    pitch = np.clip(np.round(prosody.pitch / PITCH_STEP) + middle, 1, config.pitch_tokens - 1)
    last = config.energy_tokens - 1
    energy = np.clip(np.round((prosody.energy - 1.2) / ENERGY_STEP) + last, 0, last)
    return np.stack([durations, np.where(prosody.voiced > 0, pitch, 0), energy], axis=1).astype(np.int64)


def decode_prosody(tokens: np.ndarray, config: ProsodyConfig) -> PhonemeProsody:
    """Prosody of tokens `(T_ph, 3)`."""
    voiced = tokens[:, 1] > 0
    pitch = np.where(voiced, (tokens[:, 1] - config.pitch_tokens // 2) * PITCH_STEP, 0.0)
    return PhonemeProsody(
        durations=np.asarray(DURATION_FRAMES, dtype=np.int32)[tokens[:, 0]],
        pitch=pitch.astype(np.float32),
        voiced=voiced.astype(np.float32),
        energy=((tokens[:, 2] - (config.energy_tokens - 1)) * ENERGY_STEP + 1.2).astype(np.float32),
    )


@dataclass(frozen=True)
class ProsodyInput:
    """What the GPT is told.

    Attributes:
        symbols, bases, tones: ids `(B, T_ph)`.
        speaker: unit vectors `(B, G)`.
        measures: measured numbers `(B, MEASURES)`.
        mask: True where there is a phoneme `(B, T_ph)`; None if all are.
        context: `(B, T_ph, D)`, hidden states of the language model if the GPT has one, else context vectors; zeros
            are no context. None: nowhere any.
    """

    symbols: Tensor
    bases: Tensor
    tones: Tensor
    speaker: Tensor
    measures: Tensor
    mask: Tensor | None = None
    context: Tensor | None = None


class ProsodyGPT(nn.Module):
    """Phonemes to durations, pitches and energies."""

    def __init__(self, config: ProsodyConfig) -> None:
        super().__init__()
        self.config = config
        self.symbol = nn.Embedding(config.symbols, config.width)
        self.base = nn.Embedding(config.bases, config.width)
        self.tone = nn.Embedding(config.tones, config.width)
        self.row = nn.Embedding(2, config.width)
        # one more token per table: "nothing decided yet", before the first decision
        self.tokens = nn.ModuleList(nn.Embedding(count + 1, config.width) for count in config.token_counts)
        self.voice = nn.Linear(config.speaker_size + MEASURES, config.width)
        self.context = nn.Linear(config.context_size, config.width, bias=False) if config.context_size else None
        self.projection = (
            ContextProjection(config.language_model_size, config.context_size) if config.language_model else None
        )
        self.blocks = nn.ModuleList(
            AttentionBlock(config.width, config.heads, config.inner, dropout=config.dropout)
            for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.width)
        self.heads = nn.ModuleList(nn.Linear(config.width, count) for count in config.token_counts)
        for table in (self.symbol, self.base, self.tone, self.row, *self.tokens):
            nn.init.normal_(table.weight, std=0.1)

    def embed_phonemes(self, inputs: ProsodyInput) -> Tensor:
        """`(B, T_ph, C)`."""
        x = self.symbol(inputs.symbols) + self.base(inputs.bases) + self.tone(inputs.tones)
        x = x + self.voice(torch.cat([inputs.speaker * 16.0, inputs.measures], dim=1))[:, None]
        if self.context is not None and inputs.context is not None:
            known = inputs.context if self.projection is None else self.projection(inputs.context)
            x = x + self.context(known)
        embedded: Tensor = x
        return embedded

    def embed_decisions(self, phonemes: Tensor, previous: Tensor) -> Tensor:
        """Input `(B, T, C)` of decisions: their phonemes `(B, T, C)` and the decisions before them `(B, T, 3)`."""
        x = phonemes + self.row.weight[1]
        for index, table in enumerate(self.tokens):
            x = x + table(previous[..., index])
        return x

    def decide(self, hidden: Tensor, chosen: Tensor | None, part: int) -> Tensor:
        """Logits `(B, T, V)` of one part (0 duration, 1 pitch, 2 energy), given the parts chosen before it.

        Args:
            hidden: `(B, T, C)` after the blocks.
            chosen: tokens `(B, T, ≥ part)`; None for part 0.
            part: which one.
        """
        x = self.norm(hidden)
        if chosen is not None:
            for index in range(part):
                x = x + self.tokens[index](chosen[..., index])
        logits: Tensor = self.heads[part](x)
        return logits

    def start_tokens(self, batch: int) -> Tensor:
        """The tokens `(B, 1, 3)` that stand before the first decision."""
        return torch.tensor(self.config.token_counts, device=self.row.weight.device).expand(batch, 1, 3)

    def forward(self, inputs: ProsodyInput, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits `(B, T_ph, V)` of durations, pitches and energies, told the true tokens `(B, T_ph, 3)` so far."""
        phonemes = self.embed_phonemes(inputs)
        batch, length, _ = phonemes.shape
        previous = torch.cat([self.start_tokens(batch), tokens[:, :-1]], dim=1)
        x = torch.cat([phonemes + self.row.weight[0], self.embed_decisions(phonemes, previous)], dim=1)
        turned = self._rotation(torch.arange(length, device=x.device).repeat(2)[None], x)
        mask = self.sight(length, x.device)[None, None]
        if inputs.mask is not None:
            mask = mask & inputs.mask.repeat(1, 2)[:, None, None]
            # a padded row must see something: itself
            mask = mask | torch.eye(2 * length, dtype=torch.bool, device=x.device)[None, None]
        for block in self.blocks:
            x = block(x, turned, mask=mask)
        hidden = x[:, length:]
        durations, pitches, energies = (self.decide(hidden, tokens, part) for part in range(3))
        return durations, pitches, energies

    @staticmethod
    def sight(length: int, device: torch.device) -> Tensor:
        """Who sees whom, `(2 T_ph, 2 T_ph)`: phonemes all phonemes, decisions all phonemes and earlier decisions."""
        mask = torch.zeros(2 * length, 2 * length, dtype=torch.bool, device=device)
        mask[:, :length] = True
        mask[length:, length:] = torch.ones(length, length, dtype=torch.bool, device=device).tril()
        return mask

    @torch.inference_mode()
    def generate(
        self,
        inputs: ProsodyInput,
        *,
        boundaries: Tensor,
        prompt: Tensor,
        temperature: float,
        top_p: float,
        generator: torch.Generator,
    ) -> Tensor:
        """Decide the prosody of a batch of one.

        Args:
            inputs: phonemes of the prompt, then of the text; no mask.
            boundaries: True for symbols that may last 0 frames `(T_ph,)`.
            prompt: tokens of the first phonemes `(T_prompt, 3)`, possibly none.
            temperature: of pitch and energy; 0 takes the likeliest token. Durations are means: see
                `expected_duration`.
            top_p: share of probability sampled from (Holtzman et al. 2020).
            generator: where chance comes from.

        Returns:
            tokens `(T_ph - T_prompt, 3)` of the text.
        """
        phonemes = self.embed_phonemes(inputs)
        length, given = phonemes.shape[1], len(prompt)
        size = self.config.width // self.config.heads
        cache = KeyValueCache(self.config.layers, 1, self.config.heads, 2 * length, size, like=phonemes)
        turned = self._rotation(torch.arange(length, device=phonemes.device)[None], phonemes)
        self._advance(phonemes + self.row.weight[0], turned, cache, mask=None)
        tokens = torch.cat([self.start_tokens(1)[0], prompt.to(phonemes.device)])
        hidden = phonemes
        if given:
            x = self.embed_decisions(phonemes[:, :given], tokens[None, :given])
            rows = self.sight(length, x.device)[length : length + given, : length + given]
            self._advance(x, turned[..., :given, :], cache, mask=rows)
        for index in range(given, length):
            x = self.embed_decisions(phonemes[:, index : index + 1], tokens[None, -1:])
            hidden = self._advance(x, turned[..., index : index + 1, :], cache, mask=None)
            chosen = torch.zeros((1, 1, 3), dtype=torch.long, device=x.device)
            durations = self.decide(hidden, None, 0)[0, 0].float()
            chosen[0, 0, 0] = expected_duration(durations, may_vanish=bool(boundaries[index]))
            for part in (1, 2):
                logits = self.decide(hidden, chosen, part)[0, 0].float()
                chosen[0, 0, part] = sample(logits, temperature=temperature, top_p=top_p, generator=generator)
            tokens = torch.cat([tokens, chosen[0]])
        return tokens[1 + given :]

    def _rotation(self, position: Tensor, like: Tensor) -> Tensor:
        return rotation(position, self.config.width // self.config.heads, like=like)

    def _advance(self, x: Tensor, turned: Tensor, cache: KeyValueCache, *, mask: Tensor | None) -> Tensor:
        for layer, block in enumerate(self.blocks):
            x = block(x, turned, mask=mask, cache=cache, layer=layer)
        cache.length += x.shape[1]
        return x


def expected_duration(logits: Tensor, *, may_vanish: bool) -> int:
    """The duration token nearest to the mean of a distribution with logits `(V,)`.

    Sampled or likeliest durations are too short as a whole, for the distribution has its long tail on one side, and
    uneven within a word; both are heard as swallowed sounds (docs/log.md: three times the word errors).

    Args:
        logits: of the duration tokens.
        may_vanish: a boundary: lasts 0 frames if that is likelier than not; a phoneme is never swallowed.
    """
    probability = torch.softmax(logits, dim=0)
    if may_vanish and probability[0] >= 0.5:
        return 0
    probability[0] = 0.0
    frames = torch.tensor(DURATION_FRAMES, dtype=torch.float32, device=logits.device)
    mean = (probability * frames).sum() / probability.sum()
    return int((frames[1:] - mean).abs().argmin()) + 1


def sample(logits: Tensor, *, temperature: float, top_p: float, generator: torch.Generator) -> Tensor:
    """One token of logits `(V,)`; chance comes from the generator's device, so that it is the same on all."""
    if temperature == 0:
        return logits.argmax()
    probability = torch.softmax(logits / temperature, dim=0).to(generator.device)
    ordered, order = probability.sort(descending=True)
    ordered[ordered.cumsum(0) - ordered > top_p] = 0.0
    return order[torch.multinomial(ordered, 1, generator=generator)[0]].to(logits.device)
