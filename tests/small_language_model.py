"""Small language models of the real classes, as the hub serves them, with a tokenizer built here."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

VOCABULARY = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] 今 天 气 很 好 我 们 读 书 hello world read ##ing the book , . ? ！ 。".split()
)


def build(folder: Path, kind: str) -> Path:
    """A folder as the hub serves it: config, safetensors weights, fast tokenizer."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]")
    fast.save_pretrained(folder)
    torch.manual_seed(3)
    if kind == "gpt2":
        config = transformers.GPT2Config(
            vocab_size=len(VOCABULARY), n_embd=48, n_layer=2, n_head=2, n_positions=32, bos_token_id=2, eos_token_id=3
        )
        model = transformers.GPT2Model(config)
    else:
        config = transformers.BertConfig(
            vocab_size=len(VOCABULARY),
            hidden_size=48,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=96,
            max_position_embeddings=32,
        )
        model = transformers.BertModel(config)
    model.save_pretrained(folder)
    return folder
