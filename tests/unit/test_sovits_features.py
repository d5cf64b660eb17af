"""HuBERT and BERT features: what they read, and what they say when it is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from yinse.core.errors import BadAudio, BadText, Offline
from yinse.models.semantic_features import SemanticFeatures
from yinse.models.text_features import TextFeatures

transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def speech_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    config = transformers.HubertConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8, 8),
        conv_kernel=(10, 32),
        conv_stride=(5, 64),
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        do_stable_layer_norm=False,
    )
    folder = tmp_path_factory.mktemp("hubert")
    transformers.HubertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def text_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("bert")
    symbols = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"你好世界，。a"]
    (folder / "vocab.txt").write_text("\n".join(symbols) + "\n", encoding="utf-8")
    config = transformers.BertConfig(
        vocab_size=len(symbols),
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=12,
    )
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def test_speech(speech_folder: Path) -> None:
    features = SemanticFeatures.load(speech_folder)
    samples = torch.randn(2, 6400)
    found = features(samples)
    expected = transformers.HubertModel.from_pretrained(speech_folder).eval()(samples).last_hidden_state
    assert found.shape == (2, 16, 20)
    assert torch.allclose(found, expected.transpose(1, 2), atol=1e-5)
    with pytest.raises(BadAudio, match="399"):
        features(torch.zeros(1, 399))


def test_text(text_folder: Path) -> None:
    features = TextFeatures.load(text_folder)
    found = features("你好，A龘。", [2, 2, 1, 1, 0, 1])
    full = transformers.BertModel.from_pretrained(text_folder, add_pooling_layer=False).eval()
    ids = torch.tensor([[2, 5, 6, 9, 11, 1, 10, 3]])
    expected = full(input_ids=ids, output_hidden_states=True).hidden_states[-3][0, 1:-1]
    assert features.width == 16
    assert torch.allclose(found, expected[[0, 0, 1, 1, 2, 3, 5]], atol=1e-5)
    with pytest.raises(BadText, match="2 characters"):
        features("你好", [2])


def test_text_longer_than_the_model_reads(text_folder: Path) -> None:
    features = TextFeatures.load(text_folder)
    found = features("你好世界，" * 5, [1] * 25)
    assert found.shape == (25, 16)
    assert torch.allclose(found[:10], features("你好世界，" * 2, [1] * 10), atol=1e-5)
    assert features("", []).shape == (0, 16)


def test_missing_files_are_named(tmp_path: Path) -> None:
    for load in (SemanticFeatures.load, TextFeatures.load):
        with pytest.raises(Offline, match="config.json"):
            load(tmp_path / "nothing")
