"""Semantic GPT: phonemes → semantic codes, 25 a second (first stage of GPT-SoVITS v1, v2 and v2Pro).

    phonemes (all of them visible)  p1 p2 … pT   each with the hidden state of a text encoder
    codes (causal)                  c1 c2 … cN   the prompt's, then those that are written

One post-norm transformer reads both rows; each row counts its positions from 0. What follows the last phoneme is the
first code, what follows the last code is the end token.

Sizes, key names and the order of operations are those of the published checkpoints, so that they load and give the
same numbers (tests/parity); the code is written from their description.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from yinse.core.errors import ConfigError
from yinse.models.blocks import KeyValueCache


@dataclass(frozen=True)
class SemanticConfig:
    """Sizes of the semantic GPT.

    Attributes:
        phonemes: rows of the phoneme table.
        codes: rows of the code table, the end token (always the last) included.
        width, heads, layers, inner: of the transformer.
        context_size: width of the text encoder's hidden states.
        dropout: of positions and layers, in training only.

    Raises:
        ConfigError: the heads do not divide the width.
    """

    phonemes: int = 732
    codes: int = 1025
    width: int = 512
    heads: int = 16
    layers: int = 24
    inner: int = 2048
    context_size: int = 1024
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ConfigError(f"{self.heads} heads do not divide a width of {self.width}")

    @property
    def end(self) -> int:
        """The end token."""
        return self.codes - 1


class PhonemeAttention:
    """Collects how much codes look at phonemes in one call of the model: a weighted sum over layers and heads.

    Args:
        weights: of layers and heads `(layers, heads)`; a single 1 picks one head, all 1 / (layers · heads) the mean.

    Attributes:
        share: `(B, T, T_ph)`, the rows of the logits of the same call.

    Raises:
        ConfigError: no head has any weight.
    """

    def __init__(self, weights: Tensor) -> None:
        if not weights.any():
            raise ConfigError("attention is asked for, but of no head")
        self.weights = weights
        self.share = weights.new_zeros(())
        self._wanted = weights.any(dim=1).tolist()

    def wants(self, layer: int) -> bool:
        """Whether the layer has weight; one without costs nothing."""
        return bool(self._wanted[layer])

    def begin(self) -> None:
        """Forget the call before."""
        self.share = self.weights.new_zeros(())

    def add(self, layer: int, attended: Tensor) -> None:
        """Add one layer's attention `(B, heads, T, T_ph)`."""
        self.share = self.share + torch.einsum("bhtp,h->btp", attended, self.weights[layer])


def sines(position: Tensor, width: int) -> Tensor:
    """Sine and cosine in turn (Vaswani et al. 2017, section 3.5) of positions `(B, T)`: `(B, T, C)`."""
    steps = torch.arange(0, width, 2, device=position.device, dtype=torch.float32)
    angle = position[..., None].float() * torch.exp(steps * -(math.log(10000.0) / width))
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)


class SemanticBlock(nn.Module):
    """Post-norm transformer block; the mask and the cache come from outside."""

    def __init__(self, width: int, heads: int, inner: int, *, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.query_key_value = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width)
        self.feed_in = nn.Linear(width, inner)
        self.feed_out = nn.Linear(inner, width)
        self.feed_norm = nn.LayerNorm(width)

    def forward(
        self,
        x: Tensor,
        *,
        mask: Tensor | None,
        cache: KeyValueCache | None,
        layer: int,
        record: PhonemeAttention | None,
        phonemes: int,
    ) -> Tensor:
        """`x (B, T, C)` to the same shape.

        Args:
            x: the new positions.
            mask: True where seen, broadcast to `(B, heads, T, T_keys)`; None: everything so far.
            cache: holds the positions before `x` and takes the new ones.
            layer: of the cache and of the record.
            record: takes the attention to the first `phonemes` positions.
            phonemes: how many positions are phonemes.
        """
        batch, length, width = x.shape
        parts = self.query_key_value(x).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind()
        if cache is not None:
            key, value = cache.extend(layer, key, value)
        chance = self.dropout if self.training else 0.0
        if record is None or not record.wants(layer):
            seen = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=chance)
        else:
            score = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
            share = torch.softmax(score if mask is None else score.masked_fill(~mask, -torch.inf), dim=-1)
            # the last phoneme chooses the first code
            rows = min(length, share.shape[-1] - phonemes + 1)
            record.add(layer, share[:, :, -rows:, :phonemes])
            seen = share @ value
        x = self.attention_norm(x + self._drop(self.output(seen.transpose(1, 2).reshape(batch, length, width))))
        inside = self._drop(torch.relu_(self.feed_in(x)))
        fed: Tensor = self.feed_norm(x + self._drop(self.feed_out(inside)))
        return fed

    def _drop(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(x, self.dropout) if self.training else x


class SemanticGPT(nn.Module):
    """Phonemes to semantic codes."""

    def __init__(self, config: SemanticConfig) -> None:
        super().__init__()
        self.config = config
        self.phoneme = nn.Embedding(config.phonemes, config.width)
        self.context = nn.Linear(config.context_size, config.width)
        self.phoneme_scale = nn.Parameter(torch.ones(1))
        self.code = nn.Embedding(config.codes, config.width)
        self.code_scale = nn.Parameter(torch.ones(1))
        self.blocks = nn.ModuleList(
            SemanticBlock(config.width, config.heads, config.inner, dropout=config.dropout)
            for _ in range(config.layers)
        )
        self.logits = nn.Linear(config.width, config.codes, bias=False)

    def cache(self, batch: int, capacity: int) -> KeyValueCache:
        """An empty cache of `batch` texts for `capacity` positions, phonemes and codes together.

        Memory is taken as positions are filled: 98 kB a position at the published size.
        """
        config = self.config
        return KeyValueCache(
            config.layers, batch, config.heads, capacity, config.width // config.heads, like=self.phoneme.weight
        )

    def forward(
        self,
        codes: Tensor,
        *,
        phonemes: Tensor | None = None,
        context: Tensor | None = None,
        phoneme_mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        phoneme_count: int = 0,
        record: PhonemeAttention | None = None,
    ) -> Tensor:
        """Logits of what comes next.

        Training gives phonemes and all codes at once, without a cache. Writing gives phonemes, the prompt's codes and
        an empty cache first; then the codes since the last call, with the same cache and mask, and without phonemes.

        Args:
            codes: `(B, T_codes)`, possibly none.
            phonemes: ids `(B, T_ph)`, short texts padded on the left. None if the cache has them.
            context: hidden states of the text encoder `(B, T_ph, D)`, zeros for none; goes with `phonemes`.
            phoneme_mask: True where there is a phoneme `(B, T_ph)`; None if all are.
            cache: made by `cache`; its length moves on.
            phoneme_count: T_ph, if `phonemes` is None.
            record: collects the attention of the codes to the phonemes.

        Returns:
            `(B, T_codes, C)` scores of codes and end token; with phonemes one row more, first: what follows the last
            phoneme.
        """
        before = cache.length - phoneme_count if cache is not None and phonemes is None else 0
        known = before + codes.shape[1]
        x = self.code(codes)
        x = x + self.code_scale * sines(torch.arange(before, known, device=x.device)[None], self.config.width)
        if phonemes is not None:
            phoneme_count = phonemes.shape[1]
            x = torch.cat([self._embed_phonemes(phonemes, context, phoneme_mask), x], dim=1)
        mask = None
        if x.shape[1] > 1 or phoneme_mask is not None:
            mask = self._sight(phoneme_count, known, x.shape[1], phoneme_mask, x.device)
        x = nn.functional.dropout(x, self.config.dropout, self.training).to(self.code.weight.dtype)
        if record is not None:
            record.begin()
        for layer, block in enumerate(self.blocks):
            x = block(x, mask=mask, cache=cache, layer=layer, record=record, phonemes=phoneme_count)
        if cache is not None:
            cache.length += x.shape[1]
        logits: Tensor = self.logits(x if phonemes is None else x[:, phoneme_count - 1 :])
        return logits

    def similarity(self, code: int) -> Tensor:
        """Cosine `(codes,)` of every code's embedding to that of `code`; near silence's code is where to cut."""
        table = nn.functional.normalize(self.code.weight.detach(), dim=1)
        return table @ table[code]

    def _embed_phonemes(self, phonemes: Tensor, context: Tensor | None, mask: Tensor | None) -> Tensor:
        """`(B, T_ph, C)`; positions count from each text's first phoneme."""
        x = self.phoneme(phonemes)
        x = x + (self.context.bias if context is None else self.context(context))
        if mask is None:
            place = torch.arange(phonemes.shape[1], device=phonemes.device)[None]
        else:
            place = (mask.cumsum(dim=1) - 1).clamp(min=0)
        return x + self.phoneme_scale * sines(place, self.config.width)

    @staticmethod
    def _sight(phonemes: int, codes: int, rows: int, phoneme_mask: Tensor | None, device: torch.device) -> Tensor:
        """Whom the last `rows` positions see, `(B or 1, 1, rows, T)`: all phonemes, and the codes up to themselves."""
        total = phonemes + codes
        column = torch.arange(total, device=device)
        row = torch.arange(total - rows, total, device=device)[:, None]
        mask = (column < phonemes) | (column <= row)
        if phoneme_mask is None:
            return mask[None, None]
        known = nn.functional.pad(phoneme_mask, (0, codes), value=True)
        # a padded row must see something: itself
        return ((mask & known[:, None]) | (column == row))[:, None]


def official_keys(config: SemanticConfig) -> dict[str, str]:
    """The published name of every weight, and ours; a released file puts `model.` in front of each.

    Every tensor has the same shape in both: `in_proj` holds query, key and value in this order, as ours does.
    """
    block = {
        "self_attn.in_proj_": "query_key_value.",
        "self_attn.out_proj.": "output.",
        "norm1.": "attention_norm.",
        "linear1.": "feed_in.",
        "linear2.": "feed_out.",
        "norm2.": "feed_norm.",
    }
    keys = {
        "bert_proj.weight": "context.weight",
        "bert_proj.bias": "context.bias",
        "ar_text_embedding.word_embeddings.weight": "phoneme.weight",
        "ar_text_position.alpha": "phoneme_scale",
        "ar_audio_embedding.word_embeddings.weight": "code.weight",
        "ar_audio_position.alpha": "code_scale",
        "ar_predict_layer.weight": "logits.weight",
    }
    for layer in range(config.layers):
        for theirs, ours in block.items():
            for kind in ("weight", "bias"):
                keys[f"h.layers.{layer}.{theirs}{kind}"] = f"blocks.{layer}.{ours}{kind}"
    return keys
