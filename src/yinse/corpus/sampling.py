"""How often each utterance is drawn in training, so that rare sounds are not drowned by frequent ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_HIGHEST_FACTOR = 3.0


def coverage_weights(
    symbols: Sequence[Sequence[str]], lengths: Sequence[float], *, power: float
) -> NDArray[np.float64]:
    """Weights of utterances by the rarity of their phonemes.

    An utterance's length is multiplied by the mean of `(usual count / count of the phoneme) ** power` over its
    phonemes, counts taken over all utterances, the usual one being the geometric mean over phonemes in use; a factor
    is at most 3 times and at least a third of the mean one. Power 0 draws by length alone.

    Args:
        symbols: phonemes of each utterance.
        lengths: how long each is, in any unit.
        power: 0 to 1, how strongly rare phonemes count.

    Returns:
        Weights `(N,)` that sum to 1.
    """
    counts = Counter(symbol for utterance in symbols for symbol in utterance)
    usual = np.exp(np.mean(np.log([count for count in counts.values()]))) if counts else 1.0
    rarity = np.array(
        [
            np.mean([(usual / counts[symbol]) ** power for symbol in utterance]) if utterance else 1.0
            for utterance in symbols
        ]
    )
    rarity = np.clip(rarity / rarity.mean(), 1.0 / _HIGHEST_FACTOR, _HIGHEST_FACTOR)
    weights = np.asarray(lengths, dtype=np.float64) * rarity
    return np.asarray(weights / weights.sum())
