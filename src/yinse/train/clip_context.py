"""What a frozen language model knows of training clips, asked once for each."""

from __future__ import annotations

import numpy as np

from yinse.models.context import ContextEncoder
from yinse.text.phonemes import phonemize
from yinse.train.features import Clip


class ClipContext:
    """Hidden states of clips by pack and name, kept in memory as float16."""

    def __init__(self, encoder: ContextEncoder) -> None:
        self._encoder = encoder
        self._known: dict[tuple[str, str], np.ndarray] = {}

    @property
    def width(self) -> int:
        """Size of a hidden state, 0 if there are none."""
        return self._encoder.width

    def of(self, clip: Clip) -> np.ndarray:
        """`(T_ph, width)`, float32; the clip's transcript must be speakable. What was said before is not known."""
        key = clip.pack, clip.id
        if key not in self._known:
            text = phonemize(clip.text, language=clip.language or None, punctuated=clip.punctuated)
            found = self._encoder.encode([text])
            states = found[0] if found else np.zeros((len(text.symbols), 0))
            self._known[key] = states.astype(np.float16)
        return self._known[key].astype(np.float32)
