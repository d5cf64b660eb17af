"""Pauses quieter than the acoustic model draws them: it learned from recordings with rooms and noise in their pauses.

A downward expander (McNally, "Dynamic range control of digital audio signals", 1984) over the frames of a log-mel: what
lies far below the loud ones is taken further down, all bands alike, so that speech keeps its spectrum.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import avg_pool1d, pad

LOUD = 0.95
"""Share of frames that are no louder than what counts as loud."""
QUIET = 3.2
"""So many nats (28 dB) below it a frame is a pause, or the moment before a plosive."""
RATIO = 3.0
"""How much further down it lies then."""
_FRAMES = 5


def quieter_pauses(mel: Tensor) -> Tensor:
    """A log-mel `(B, M, T_mel)`, nats, with its quiet frames expanded downwards."""
    level = mel.logsumexp(dim=1, keepdim=True)
    below = (level - level.quantile(LOUD, dim=2, keepdim=True) + QUIET).clamp(max=0.0)
    around = _FRAMES // 2
    gain = avg_pool1d(pad(below, (around, around), mode="replicate"), _FRAMES, stride=1)
    return mel + (RATIO - 1) * gain
