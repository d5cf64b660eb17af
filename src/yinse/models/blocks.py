"""Blocks shared by the models: normalisation, conditioned convolutions, rotary attention with its cache outside."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class ChannelNorm(nn.Module):
    """Root-mean-square normalisation over channels (Zhang and Sennrich, 2019), frame by frame, no memory in time."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, T)` to the same shape."""
        scale = torch.rsqrt(x.float().square().mean(dim=1, keepdim=True) + 1e-6)
        return x * scale.to(x.dtype) * self.gain.to(x.dtype)


class ConditionedBlock(nn.Module):
    """Residual pair of convolutions whose input is scaled and shifted by a condition (FiLM, Perez et al. 2018).

    Args:
        channels: width.
        condition: width of the condition, 0 for none.
        kernel: frames seen by each convolution.
        dilation: of the first convolution.
    """

    def __init__(
        self, channels: int, condition: int, *, kernel: int = 3, dilation: int = 1, dropout: float = 0
    ) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.modulate = nn.Linear(condition, 2 * channels) if condition else None
        self.first = nn.Conv1d(channels, channels, kernel, padding=dilation * (kernel // 2), dilation=dilation)
        self.second = nn.Conv1d(channels, channels, kernel, padding=kernel // 2)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, condition: Tensor | None = None, *, mask: Tensor | None = None) -> Tensor:
        """`x (B, C, T)`, `condition (B, D)` to `(B, C, T)`.

        Where `mask` (broadcast to `(B, C, T)`) is 0, the convolutions see what they see behind an end: zeros.
        """
        inside = self.norm(x)
        if self.modulate is not None and condition is not None:
            scale, shift = self.modulate(condition).unsqueeze(-1).chunk(2, dim=1)
            inside = inside * (1 + scale) + shift
        if mask is not None:
            inside = inside * mask
        inside = self.dropout(nn.functional.gelu(self.first(inside), approximate="tanh"))
        return x + self.second(inside if mask is None else inside * mask)


def sinusoidal_embedding(position: Tensor, size: int, *, scale: float = 1000.0) -> Tensor:
    """Sines and cosines `(B, size)` of positions `(B,)` in [0, 1] (Vaswani et al. 2017, section 3.5)."""
    half = size // 2
    frequency = torch.exp(-math.log(10000.0) / (half - 1) * torch.arange(half, device=position.device))
    angle = scale * position[:, None] * frequency
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def rotation(position: Tensor, size: int, *, like: Tensor) -> Tensor:
    """Cosines and sines `(2, B, 1, T, D / 2)` by which positions `(B, T)` turn heads of `size` D, typed as `like`."""
    half = size // 2
    frequency = torch.exp(-math.log(10000.0) / half * torch.arange(half, device=position.device))
    angle = position[:, None, :, None].float() * frequency
    return torch.stack([angle.cos(), angle.sin()]).to(like.dtype)


def rotate(x: Tensor, by: Tensor) -> Tensor:
    """Rotary position embedding (Su et al. 2021) of `x (…, B, heads, T, D)` by what `rotation` returned."""
    cosine, sine = by
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


class KeyValueCache:
    """Keys and values of all layers, allocated once: `(layers, 2, B, heads, capacity, D)`.

    Args:
        layers, batch, heads, capacity, size: dimensions in that order.
    """

    def __init__(self, layers: int, batch: int, heads: int, capacity: int, size: int, *, like: Tensor) -> None:
        self.data = like.new_zeros((layers, 2, batch, heads, capacity, size))
        self.length = 0

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store `(B, heads, T, D)` behind `length` and return all keys and values so far; `length` stays."""
        new = keys.shape[2]
        held = self.data[layer]
        # narrow costs half of what an index does, and this runs for every layer of every token
        place = held.narrow(3, self.length, new)
        place[0].copy_(keys)
        place[1].copy_(values)
        seen_keys, seen_values = held.narrow(3, 0, self.length + new).unbind()
        return seen_keys, seen_values


class AttentionBlock(nn.Module):
    """Pre-norm transformer block with rotary positions; the mask and the cache come from outside."""

    def __init__(self, width: int, heads: int, inner: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.feed_norm = nn.LayerNorm(width)
        self.feed_in = nn.Linear(width, inner)
        self.feed_out = nn.Linear(inner, width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        turned: Tensor,
        *,
        mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        layer: int = 0,
    ) -> Tensor:
        """`x (B, T, C)`, heads `turned` by place; `mask` (broadcast to `(B, heads, T, T_keys)`) is True where seen."""
        batch, length, width = x.shape
        parts = self.query_key_value(self.attention_norm(x)).view(batch, length, 3, self.heads, width // self.heads)
        parts = parts.permute(2, 0, 3, 1, 4)
        (query, key), value = rotate(parts[:2], turned), parts[2]
        if cache is not None:
            key, value = cache.extend(layer, key, value)
        seen = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        x = x + self.dropout(self.output(seen.transpose(1, 2).reshape(batch, length, width)))
        inside = nn.functional.gelu(self.feed_in(self.feed_norm(x)), approximate="tanh")
        return x + self.dropout(self.feed_out(inside))
