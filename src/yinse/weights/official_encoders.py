"""The encoders that every GPT-SoVITS set shares, each in a folder of its own among the models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from yinse.core.errors import Offline


@dataclass(frozen=True)
class Encoders:
    """The encoders that every GPT-SoVITS set shares; None where one is not on this machine.

    Attributes:
        speech: HuBERT: samples `(B, S)` at 16 kHz to features `(B, C, T)`, 50 a second.
        text: BERT: a text and how many phonemes each of its characters has, to vectors `(T_ph, D)`.
        speaker: speaker verification: samples `(B, S)` at 16 kHz to vectors `(B, V)`.
        missing: what to do about those that are not here, by name.
    """

    speech: Callable[[Tensor], Tensor] | None = None
    text: Callable[[str, Sequence[int]], Tensor] | None = None
    speaker: Callable[[Tensor], Tensor] | None = None
    missing: Mapping[str, str] | None = None

    def needed(self, name: str, purpose: str) -> Offline:
        """The error for an encoder that is not here."""
        return Offline(f"{purpose} needs {name}, which is not on this machine", advice=(self.missing or {}).get(name))


def load_encoders() -> Encoders:
    """Those that are on this machine."""
    return Encoders()
