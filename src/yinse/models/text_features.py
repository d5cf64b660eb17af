"""Context of the characters of a text, as GPT-SoVITS reads it: a BERT's third hidden layer from the end.

`chinese-roberta-wwm-ext-large` gives 1024 numbers for each character, and each of the character's phonemes gets them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from yinse.core.errors import BadText
from yinse.models.pretrained import import_transformers, load_frozen

_UNUSED_LAYERS = 2
"""Layers behind the one that is read; they need not be computed."""
_FEATURE = "the context of Mandarin text"


class TextFeatures:
    """A frozen BERT.

    Args:
        model: a BERT without pooling; its last two layers are cut off.
        tokenizer: knows each character by itself.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        model.encoder.layer = nn.ModuleList(list(model.encoder.layer)[:-_UNUSED_LAYERS])
        self.model = model
        self.tokenizer = tokenizer

    @classmethod
    def load(cls, name: str | Path, *, device: str = "cpu") -> TextFeatures:
        """From a folder with config.json, model.safetensors and the tokenizer, or from the hub's cache.

        Raises:
            YinseError: what `load_frozen` raises.
        """
        model = load_frozen("BertModel", name, feature=_FEATURE, device=device, add_pooling_layer=False)
        tokenizer = import_transformers(_FEATURE).BertTokenizer.from_pretrained(str(name), local_files_only=True)
        return cls(model, tokenizer)

    @property
    def width(self) -> int:
        """Size of a vector, 1024 for the published model."""
        return int(self.model.config.hidden_size)

    @torch.inference_mode()
    def __call__(self, text: str, phonemes_per_character: Sequence[int]) -> Tensor:
        """Vectors `(T_ph, D)` of normalised text.

        Args:
            text: normalised Mandarin, punctuation included.
            phonemes_per_character: of each character of the text; the official front-end calls it word2ph.

        Raises:
            BadText: text and counts are not of one length.
        """
        if len(text) != len(phonemes_per_character):
            raise BadText(f"{len(text)} characters, but phonemes counted for {len(phonemes_per_character)}")
        tokenizer, size = self.tokenizer, self.model.config.max_position_embeddings - 2
        states = [torch.zeros(0, self.width)]
        for start in range(0, len(text), size):
            # character by character: what the tokenizer passes over or joins would break the counts
            ids = tokenizer.convert_tokens_to_ids([character.lower() for character in text[start : start + size]])
            row = [tokenizer.cls_token_id, *ids, tokenizer.sep_token_id]
            read = self.model(input_ids=torch.tensor([row], device=self.model.device)).last_hidden_state
            states.append(read[0, 1:-1].cpu())
        return torch.cat(states).repeat_interleave(torch.tensor(list(phonemes_per_character), dtype=torch.long), dim=0)
