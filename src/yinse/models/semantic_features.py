"""Self-supervised features of speech, which SoVITS turns into semantic codes: a HuBERT's last hidden states.

Hsu et al., "HuBERT", 2021; GPT-SoVITS reads `chinese-hubert-base` (768 numbers, 50 times a second).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from yinse.core.errors import BadAudio
from yinse.models.pretrained import load_frozen

SAMPLE_RATE_HZ = 16000
_FEWEST_SAMPLES = 400
"""What the convolutions of a HuBERT need for one frame."""


class SemanticFeatures:
    """A frozen HuBERT.

    Args:
        model: its output has `last_hidden_state (B, T, D)`.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    @classmethod
    def load(cls, name: str | Path, *, device: str = "cpu") -> SemanticFeatures:
        """From a folder with config.json and model.safetensors, or from the hub's cache.

        Raises:
            YinseError: what `load_frozen` raises.
        """
        return cls(load_frozen("HubertModel", name, feature="reading a reference's words", device=device))

    @torch.inference_mode()
    def __call__(self, samples: Tensor) -> Tensor:
        """Features `(B, D, T)` of waveforms `(B, S)` of ±1 at 16 kHz, about `S / 320` frames.

        The waveform is read as it is, not brought to unit variance, as GPT-SoVITS does it.

        Raises:
            BadAudio: too short for a frame.
        """
        if samples.shape[1] < _FEWEST_SAMPLES:
            raise BadAudio(f"{samples.shape[1]} samples are too few for HuBERT, which reads {_FEWEST_SAMPLES} at least")
        states: Tensor = self.model(samples.to(self.model.device, torch.float32)).last_hidden_state
        return states.transpose(1, 2)
