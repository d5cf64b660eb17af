"""Context: what a frozen language model knows about the words around each phoneme.

The last hidden states of GPT-2 or BERT, read over the previous sentence and this one, are laid onto the phonemes
through their character spans. The language model never learns; `ContextProjection` (768 → 192) does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from yinse.core.errors import CheckpointKeys, ConfigError, Offline, UnknownName
from yinse.core.types import FloatArray, PhonemeSequence
from yinse.models.pretrained import import_transformers

CONTEXT_SIZE = 192
MAX_LENGTH = 512
"""Tokens that a language model reads at once, its special tokens included."""
_BATCH_SIZE = 8
_CLASSES: Mapping[str, tuple[str, Mapping[str, bool]]] = MappingProxyType(
    {
        "gpt2": ("GPT2Model", MappingProxyType({})),
        "bert": ("BertModel", MappingProxyType({"add_pooling_layer": False})),
    }
)
"""Type in a model's config.json → class of transformers, and its options."""


class ContextEncoder(Protocol):
    """Sentences to context vectors, one for each phoneme."""

    @property
    def width(self) -> int:
        """Size of a vector, 0 if there are none."""
        ...

    def encode(
        self, sequences: Sequence[PhonemeSequence], *, previous: Sequence[str] | None = None
    ) -> list[FloatArray] | None:
        """Context vectors `(T_ph, width)` of each sentence.

        Args:
            sequences: sentences as phonemes.
            previous: the sentence before each, "" for none.

        Returns:
            One array for each sentence, or None if this encoder has nothing to say.
        """
        ...


class NoContext:
    """The encoder that says nothing."""

    width = 0

    def encode(
        self, sequences: Sequence[PhonemeSequence], *, previous: Sequence[str] | None = None
    ) -> list[FloatArray] | None:
        """None, whatever the sentences (their vectors would be `(T_ph, 0)`)."""
        return None


class LanguageModelContext:
    """A frozen GPT-2 or BERT of transformers (extra `context`), for instance `uer/gpt2-chinese-cluecorpussmall`.

    The same sentence gives the same vectors alone and in a batch.

    Args:
        model: a model whose output has `last_hidden_state (B, T, D)`; it is put to rest for good.
        tokenizer: a fast tokenizer (one that knows character offsets).
        max_length: tokens read at once; what does not fit is read apart, the previous sentence is shortened first.
    """

    def __init__(self, model: Any, tokenizer: Any, *, max_length: int = MAX_LENGTH) -> None:
        if not tokenizer.is_fast:
            raise ConfigError("the tokenizer knows no character offsets", advice="Use a model with a tokenizer.json.")
        self.model = model.float().eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.max_length = min(max_length, int(model.config.max_position_embeddings))

    @classmethod
    def load(cls, name: str | Path, *, download: bool = False, device: str = "cpu") -> LanguageModelContext:
        """Load a language model: weights from safetensors, code from transformers alone.

        Args:
            name: a folder (config.json, model.safetensors, tokenizer), or a name on the hub.
            download: whether what is not in the hub's cache may be fetched.
            device: where the model computes.

        Raises:
            MissingExtra: transformers is not installed.
            Offline: the files are not here, or could not be fetched.
            UnknownName: neither GPT-2 nor BERT.
            CheckpointKeys: the weights are not those of the model.
            ConfigError: no fast tokenizer.
        """
        transformers = import_transformers("context from a language model")
        options = {"local_files_only": not download, "trust_remote_code": False}
        try:
            kind = transformers.AutoConfig.from_pretrained(str(name), **options).model_type
            if kind not in _CLASSES:
                raise UnknownName("class of language models", kind, _CLASSES)
            class_name, sizes = _CLASSES[kind]
            model, report = getattr(transformers, class_name).from_pretrained(
                str(name), use_safetensors=True, output_loading_info=True, local_files_only=not download, **sizes
            )
            # when a text is too long, its end is what matters
            tokenizer = transformers.AutoTokenizer.from_pretrained(str(name), truncation_side="left", **options)
        except (OSError, ValueError) as error:
            raise Offline(
                f"no language model could be loaded ({str(error).splitlines()[0]})",
                where=str(name),
                advice="Give a folder with config.json, model.safetensors and the tokenizer, or allow the download.",
            ) from error
        if report["missing_keys"]:
            raise CheckpointKeys(str(name), missing=report["missing_keys"], unexpected=report["unexpected_keys"])
        return cls(model.to(device), tokenizer)

    @property
    def width(self) -> int:
        """Size of a hidden state, 768 for the published models."""
        return int(self.model.config.hidden_size)

    def encode(
        self, sequences: Sequence[PhonemeSequence], *, previous: Sequence[str] | None = None
    ) -> list[FloatArray]:
        """Context vectors `(T_ph, width)` of each sentence, read after the sentence before it."""
        before = previous if previous is not None else [""] * len(sequences)
        read = [self._read(sequence.text, said) for sequence, said in zip(sequences, before, strict=True)]
        windows = [ids for tokens, _ in read for ids in tokens]
        states: list[FloatArray] = []
        for start in range(0, len(windows), _BATCH_SIZE):
            states += self.hidden_states(windows[start : start + _BATCH_SIZE])
        vectors, used = [], 0
        for sequence, (tokens, offsets) in zip(sequences, read, strict=True):
            hidden = np.concatenate(states[used : used + len(tokens)])
            used += len(tokens)
            words = offsets[:, 1] > offsets[:, 0]  # special tokens stand for no characters
            vectors.append(align(hidden[words], offsets[words], phoneme_spans(sequence)))
        return vectors

    @torch.inference_mode()
    def hidden_states(self, windows: Sequence[Sequence[int]]) -> list[FloatArray]:
        """Last hidden states `(T, D)` of each row of token ids, computed as one padded batch."""
        lengths = [len(window) for window in windows]
        ids = torch.zeros((len(windows), max(lengths)), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, window in enumerate(windows):
            ids[row, : len(window)] = torch.tensor(window)
            mask[row, : len(window)] = 1
        device = self.model.device
        output = self.model(input_ids=ids.to(device), attention_mask=mask.to(device)).last_hidden_state.cpu().numpy()
        return [output[row, :length] for row, length in enumerate(lengths)]

    def _read(self, text: str, previous: str) -> tuple[list[list[int]], np.ndarray]:
        """Windows of token ids that cover `text`, in order, and the offsets in `text` of all their tokens `(T, 2)`."""
        head = previous[-8 * self.max_length :] + " " if previous else ""
        encoded = self.tokenizer(
            head + text,
            truncation=True,
            max_length=self.max_length,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        windows: list[list[int]] = []
        offsets = []
        # cut from the left, the first window is the last of the text
        for ids, places in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True):
            if windows and places and max(end for _, end in places) <= len(head):
                break
            windows.append(ids)
            offsets.append(np.asarray(places, dtype=np.int64).reshape(-1, 2))
        return windows[::-1], np.concatenate(offsets[::-1]) - len(head)


def load_context(name: str, *, width: int, device: str = "cpu") -> ContextEncoder:
    """The context encoder of a model set; `NoContext` for the name "".

    Args:
        name: folder, or name in the hub's cache.
        width: of the hidden states that the set was made for.
        device: where the language model computes.

    Raises:
        ConfigError: the language model is of another width.
        YinseError: what `LanguageModelContext.load` raises.
    """
    if not name:
        return NoContext()
    encoder = LanguageModelContext.load(name, device=device)
    if encoder.width != width:
        raise ConfigError(
            f"hidden states of {encoder.width} numbers, the models were made for {width}",
            where=name,
            advice="Use the language model that the set was trained with.",
        )
    return encoder


def phoneme_spans(sequence: PhonemeSequence) -> np.ndarray:
    """Characters `(T_ph, 2)` of the text that each phoneme is read from: in Mandarin one, in English the word."""
    spans: list[tuple[int, int]] = []
    for length, language, (start, end) in zip(
        sequence.word_lengths, sequence.word_languages, sequence.spans, strict=True
    ):
        for index in range(length):
            character = start + index * (end - start) // length
            spans.append((character, character + 1) if language == "zh" else (start, end))
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def align(hidden: FloatArray, offsets: np.ndarray, spans: np.ndarray) -> FloatArray:
    """Lay hidden states onto spans of characters.

    Args:
        hidden: `(T, D)`.
        offsets: characters of each token, in order `(T, 2)`; negative before the text.
        spans: characters of each phoneme `(T_ph, 2)`.

    Returns:
        `(T_ph, D)`: the mean over the tokens that overlap the span; if none does (a pause, or a character that the
        tokenizer passes over), the last token before it; if there is none, zeros.
    """
    first = np.searchsorted(offsets[:, 1], spans[:, 0], side="right")
    last = np.searchsorted(offsets[:, 0], spans[:, 1], side="left")
    first = np.where(last > first, first, np.maximum(last - 1, 0))
    summed = np.concatenate([np.zeros((1, hidden.shape[1])), np.cumsum(hidden, axis=0, dtype=np.float64)])
    return ((summed[last] - summed[first]) / np.maximum(last - first, 1)[:, None]).astype(np.float32)


class ContextProjection(nn.Module):
    """The one part of the context that learns: a linear map of normalised hidden states.

    Args:
        width: of the hidden states.
        size: of the context vectors.
    """

    def __init__(self, width: int, size: int = CONTEXT_SIZE) -> None:
        super().__init__()
        self.width = width
        # without a bias, no context (zeros) stays no context
        self.linear = nn.Linear(width, size, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """`(B, T_ph, D)` to `(B, T_ph, size)`."""
        # a few entries of GPT-2's states are a hundred times the others: each vector is normalised first
        projected: Tensor = self.linear(nn.functional.layer_norm(hidden, (self.width,)))
        return projected
