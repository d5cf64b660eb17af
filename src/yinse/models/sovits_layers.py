"""Layers that VITS-like models are built of: relative attention, gated convolutions, coupling flow, style encoder.

Kim, Kong and Son, "Conditional variational autoencoder with adversarial learning for end-to-end text-to-speech", 2021.
Frames are `(B, C, T)`; masks are `(B, 1, T)`, 1 where there is something and 0 in the padding behind it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

MASKED = -1e4
"""Score of a pair that may not see each other; finite, so that a row of nothing but padding stays a number."""


class FrameNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each frame."""

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, T)` to the same shape."""
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class RelativeAttention(nn.Module):
    """Multi-head attention; with a window, keys and values near the query also count by their distance.

    The distances' tables are shared by the heads (Shaw, Uszkoreit and Vaswani, 2018, as in VITS).

    Args:
        channels: width; each head has `channels / heads`.
        heads: heads.
        window: farthest distance with an entry in the tables, 0 for no tables.
    """

    def __init__(self, channels: int, heads: int, *, window: int = 0) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        self.query = nn.Conv1d(channels, channels, 1)
        self.key = nn.Conv1d(channels, channels, 1)
        self.value = nn.Conv1d(channels, channels, 1)
        self.output = nn.Conv1d(channels, channels, 1)
        size = channels // heads
        if window:
            self.distance_keys = nn.Parameter(torch.randn(2 * window + 1, size) * size**-0.5)
            self.distance_values = nn.Parameter(torch.randn(2 * window + 1, size) * size**-0.5)

    def forward(self, x: Tensor, seen: Tensor, mask: Tensor) -> Tensor:
        """What `x (B, C, T)` finds in `seen (B, C, T_seen)`; `mask (B, T, T_seen)` is 1 where a frame may look."""
        query, key, value = (
            projected.view(len(x), self.heads, -1, projected.shape[2]).transpose(2, 3)
            for projected in (self.query(x), self.key(seen), self.value(seen))
        )
        query = query / math.sqrt(query.shape[3])
        scores = query @ key.transpose(2, 3)
        if self.window:
            place, near = self._near(x.shape[2], seen.shape[2], x.device)
            towards = query @ self.distance_keys.T
            scores = scores + torch.where(near, towards.gather(3, place.expand_as(scores)), 0.0)
        weights = scores.masked_fill(mask[:, None] == 0, MASKED).softmax(dim=3)
        found = weights @ value
        if self.window:
            spread = weights.new_zeros((*weights.shape[:3], 2 * self.window + 1))
            spread = spread.scatter_add(3, place.expand_as(weights), torch.where(near, weights, 0.0))
            found = found + spread @ self.distance_values
        joined: Tensor = self.output(found.transpose(2, 3).reshape(x.shape))
        return joined

    def _near(self, queries: int, keys: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Row of the tables for each pair, and whether the pair is near enough to have one, `(T, T_seen)` both."""
        distance = torch.arange(keys, device=device) - torch.arange(queries, device=device)[:, None]
        return (distance + self.window).clamp(0, 2 * self.window), distance.abs() <= self.window


class TransformerLayer(nn.Module):
    """Post-norm layer of VITS's encoders: relative attention, then two convolutions."""

    def __init__(self, channels: int, inner: int, heads: int, *, kernel: int, window: int, dropout: float) -> None:
        super().__init__()
        self.attention = RelativeAttention(channels, heads, window=window)
        self.attention_norm = FrameNorm(channels)
        self.feed_in = nn.Conv1d(channels, inner, kernel, padding="same")
        self.feed_out = nn.Conv1d(inner, channels, kernel, padding="same")
        self.feed_norm = FrameNorm(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`(B, C, T)` to the same shape; the padding, where `mask (B, 1, T)` is 0, is not seen."""
        x = x * mask
        x = self.attention_norm(x + self.dropout(self.attention(x, x, mask.transpose(1, 2) * mask)))
        inside = self.dropout(torch.relu(self.feed_in(x * mask)))
        inside = self.feed_out(inside * mask) * mask
        x = self.feed_norm(x + self.dropout(inside))
        return x * mask


class GatedConvolutions(nn.Module):
    """WaveNet (van den Oord et al. 2016) without causality: gated convolutions with residuals and a sum of skips.

    Args:
        channels: width.
        condition: width of the condition.
        kernel: frames seen by each layer.
        layers: layers.
    """

    def __init__(self, channels: int, condition: int, *, kernel: int, layers: int) -> None:
        super().__init__()
        self.channels = channels
        self.condition = nn.Conv1d(condition, 2 * channels * layers, 1)
        self.gates = nn.ModuleList(
            nn.Conv1d(channels, 2 * channels, kernel, padding=kernel // 2) for _ in range(layers)
        )
        # the last layer hands nothing on: all of its channels are skips
        self.outputs = nn.ModuleList(
            nn.Conv1d(channels, channels * (1 if layer == layers - 1 else 2), 1) for layer in range(layers)
        )

    def forward(self, x: Tensor, mask: Tensor, condition: Tensor) -> Tensor:
        """Sum of skips `(B, C, T)` of `x (B, C, T)` under `condition (B, D, 1)`; `mask` is `(B, 1, T)`."""
        biases = self.condition(condition).chunk(len(self.gates), dim=1)
        skips = torch.zeros_like(x)
        for gate, output, bias in zip(self.gates, self.outputs, biases, strict=True):
            signal, opening = (gate(x) + bias).chunk(2, dim=1)
            handed = output(torch.tanh(signal) * torch.sigmoid(opening))
            if handed.shape[1] > self.channels:
                onward, handed = handed.chunk(2, dim=1)
                x = (x + onward) * mask
            skips = skips + handed
        return skips * mask


class Coupling(nn.Module):
    """Coupling layer that shifts one half of the channels by what the other half says (Dinh et al. 2017)."""

    def __init__(self, channels: int, hidden: int, condition: int, *, kernel: int, layers: int) -> None:
        super().__init__()
        self.enter = nn.Conv1d(channels // 2, hidden, 1)
        self.network = GatedConvolutions(hidden, condition, kernel=kernel, layers=layers)
        self.leave = nn.Conv1d(hidden, channels // 2, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, mask: Tensor, condition: Tensor, *, sign: int) -> Tensor:
        """`x (B, C, T)` with its second half shifted, `sign` +1 towards the prior and -1 back."""
        kept, shifted = x.chunk(2, dim=1)
        shift = self.leave(self.network(self.enter(kept) * mask, mask, condition)) * mask
        return torch.cat([kept, (shifted + sign * shift) * mask], dim=1)


class CouplingFlow(nn.Module):
    """Coupling layers with the channels turned round between them: latent frames ↔ frames of the prior."""

    def __init__(self, channels: int, hidden: int, condition: int, *, couplings: int, kernel: int, layers: int) -> None:
        super().__init__()
        self.couplings = nn.ModuleList(
            Coupling(channels, hidden, condition, kernel=kernel, layers=layers) for _ in range(couplings)
        )

    def forward(self, x: Tensor, mask: Tensor, condition: Tensor, *, reverse: bool = False) -> Tensor:
        """From posterior to prior, or back with `reverse`: `x (B, C, T)`, `mask (B, 1, T)`, `condition (B, D, 1)`."""
        if reverse:
            for coupling in reversed(self.couplings):
                x = coupling(x.flip(1), mask, condition, sign=-1)
            return x
        for coupling in self.couplings:
            x = coupling(x, mask, condition, sign=1).flip(1)
        return x


class GatedResidual(nn.Module):
    """Convolution whose second half of channels opens the first, around a residual."""

    def __init__(self, channels: int, *, kernel: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(channels, 2 * channels, kernel, padding=kernel // 2)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, T)` to the same shape."""
        return x + self.dropout(nn.functional.glu(self.convolution(x), dim=1))


class StyleEncoder(nn.Module):
    """Spectrum of a reference to one vector (Min et al., "Meta-StyleSpeech", 2021, section 3.1).

    Args:
        inputs: spectrum bins read.
        hidden: width inside.
        outputs: size of the vector.
        heads: heads of its one attention.
        kernel: frames seen by its convolutions.
    """

    def __init__(
        self, inputs: int, hidden: int, outputs: int, *, heads: int, kernel: int, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.heads = heads
        self.spectral = nn.Sequential(
            nn.Linear(inputs, hidden),
            nn.Mish(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.Mish(),
            nn.Dropout(dropout),
        )
        self.temporal = nn.Sequential(*(GatedResidual(hidden, kernel=kernel, dropout=dropout) for _ in range(2)))
        self.query = nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        self.leave = nn.Linear(hidden, outputs)

    def forward(self, spectra: Tensor, mask: Tensor) -> Tensor:
        """Vectors `(B, D, 1)` of `spectra (B, F, T)` with `mask (B, 1, T)`."""
        x = self.temporal(self.spectral(spectra.transpose(1, 2)).transpose(1, 2))
        x = (x * mask).transpose(1, 2)
        query, key, value = (
            projection(x).view(*x.shape[:2], self.heads, -1).transpose(1, 2)
            for projection in (self.query, self.key, self.value)
        )
        # the published code divides by the root of the whole width, not of a head's
        found = nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask[:, None] > 0, scale=x.shape[2] ** -0.5
        )
        x = x + self.dropout(self.output(found.transpose(1, 2).reshape(x.shape)))
        frames = self.leave(x).transpose(1, 2) * mask
        return frames.sum(dim=2, keepdim=True) / mask.sum(dim=2, keepdim=True)
