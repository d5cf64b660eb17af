"""Symbols as ids of the factored embeddings: the symbol itself, its base sound, its tone or stress."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from yinse.text.symbols import BASES, SYMBOL_IDS, base_and_tone

TONES = 6
"""0 none or unstressed, 1 to 5 Mandarin tones, 1 and 2 English stress."""
_BASE_IDS = {base: index for index, base in enumerate(BASES)}


@dataclass(frozen=True)
class SymbolIds:
    """A symbol sequence as ids, int64 `(T_ph,)` each."""

    symbols: np.ndarray
    bases: np.ndarray
    tones: np.ndarray


def symbol_ids(symbols: Iterable[str]) -> SymbolIds:
    """Ids of symbols that Mandarin and English use."""
    names = list(symbols)
    parts = [base_and_tone(name) for name in names]
    return SymbolIds(
        np.array([SYMBOL_IDS[name] for name in names], dtype=np.int64),
        np.array([_BASE_IDS[base] for base, _ in parts], dtype=np.int64),
        np.array([tone for _, tone in parts], dtype=np.int64),
    )
