"""Published files become model folders: recognised by keys and shapes, refused with what was found and expected."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from official_files import (
    SOVITS_SIZES,
    hyper_parameters,
    random_weights,
    semantic_shapes,
    sovits_shapes,
    write,
    write_semantic,
    write_sovits,
)
from yinse.core.errors import (
    CheckpointKeys,
    ConfigError,
    DamagedFile,
    FingerprintMismatch,
    FormatTooNew,
    Incompatible,
    Offline,
    ResourceError,
)
from yinse.weights.gpt_sovits import load_gpt_sovits, save_gpt_sovits
from yinse.weights.official import import_semantic, import_sovits


def test_a_pair_becomes_a_folder_that_gives_the_same_weights(tmp_path: Path) -> None:
    s1, s2 = write_semantic(tmp_path / "voice-e15.ckpt"), write_sovits(tmp_path / "voice_e8_s200.pth")
    semantic, sovits = import_semantic(s1), import_sovits(s2)
    assert (semantic.report.version, semantic.report.info) == ("v2 or later", "GPT-e15")
    assert (sovits.report.version, sovits.report.info) == ("v2", "8epoch_200iteration")
    assert (semantic.config.layers, semantic.config.heads, semantic.config.end) == (2, 2, 32)
    assert (sovits.config.condition, sovits.config.ssl_size, sovits.config.code_samples) == (32, 12, 1280)
    assert len(sovits.report.dropped) == 3 and not sovits.report.unexpected

    folder = tmp_path / "models" / "ada"
    fingerprint = save_gpt_sovits(folder, semantic, sovits)
    models = load_gpt_sovits(folder)
    assert (models.fingerprint, models.version, models.table) == (fingerprint, "v2", 732)
    written = random_weights(semantic_shapes(), seed=0)
    assert torch.equal(models.semantic.state_dict()["blocks.1.feed_in.weight"], written["h.layers.1.linear1.weight"])
    up, scale = (random_weights(sovits_shapes(), seed=1)[f"dec.ups.0.weight_{part}"].float() for part in "vg")
    merged = up * (scale / up.flatten(1).norm(dim=1)[:, None, None])
    assert torch.allclose(models.sovits.state_dict()["generator.ups.0.weight"], merged)
    assert json.loads((folder / "symbols.json").read_text())[3] == "."
    provenance = json.loads((folder / "provenance.json").read_text())
    assert provenance["files"]["semantic"]["file"] == "voice-e15.ckpt"
    assert [path.name for path in folder.parent.iterdir()] == ["ada"]


@pytest.mark.parametrize(
    ("version", "head", "sizes"),
    [
        ("v1", None, {"phonemes": 322}),
        ("v2", b"01", {}),
        ("v2Pro", b"05", {"speaker": 24}),
    ],
)
def test_versions_are_told_by_keys_and_shapes(tmp_path: Path, version: str, head: bytes | None, sizes: dict) -> None:
    found = import_sovits(write_sovits(tmp_path / "a.pth", head=head, **sizes))
    assert found.report.version == version
    assert not found.report.remarks
    assert found.config.reference_bins == (1025 if version == "v1" else 704)
    assert found.config.speaker_vector == sizes.get("speaker", 0)


def test_first_bytes_that_say_something_else_are_told(tmp_path: Path) -> None:
    found = import_sovits(write_sovits(tmp_path / "a.pth", head=b"06"))
    assert found.report.version == "v2"
    assert "v2ProPlus" in found.report.remarks[0]


def test_files_of_trainers_and_bare_weights_are_read(tmp_path: Path) -> None:
    weights = random_weights(sovits_shapes() | {"enc_q.pre.weight": (4, 4, 1)})
    config = hyper_parameters(model=SOVITS_SIZES)
    trained = {"model": weights, "iteration": 3, "optimizer": {"state": {0: torch.zeros(3)}}, "learning_rate": 1e-4}
    found = import_sovits(write(tmp_path / "G_1.pth", trained | {"config": config}, legacy=True))
    assert "enc_q.pre.weight" in found.report.dropped
    bare = random_weights(semantic_shapes(), prefix="model.")
    found = import_semantic(
        write(tmp_path / "a.ckpt", {"state_dict": bare, "epoch": 3, "config": {"model": {"head": 4}}})
    )
    assert found.config.heads == 4
    found = import_semantic(write(tmp_path / "b.ckpt", bare))
    assert found.config.heads == 16 and "16 are assumed" in found.report.remarks[0]


def test_unknown_keys_are_told_and_left_out(tmp_path: Path) -> None:
    weights = random_weights(sovits_shapes() | {"dec.extra.weight": (2, 2), "more": (1,)})
    value = {"weight": weights, "config": hyper_parameters(model=SOVITS_SIZES)}
    assert import_sovits(write(tmp_path / "a.pth", value)).report.unexpected == ("generator.extra.weight", "more")


# ------------------------------------------------------------------ what cannot be used


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"cfm.estimator.base_model.model.q.lora_A.default.weight": (2, 2)}, "LoRA .* without its base"),
        ({"cfm.estimator.norm.weight": (2,), "bridge.0.weight": (2, 2)}, "v3 or v4, which is not supported"),
        ({"discriminators.0.convs.0.weight": (1, 1)}, "discriminator"),
        ({"enc_p.emb_phone.weight": (2, 2)}, "RVC"),
        ({"enc_p.emb.weight": (2, 2), "dec.conv_pre.weight": (1,)}, "VITS"),
        ({"feature_extractor.conv_layers.0.conv.weight": (1,)}, "HuBERT"),
        ({"bert.embeddings.word_embeddings.weight": (1, 1)}, "BERT"),
        ({"layer1.0.weight": (1,)}, "unknown model .*layer1.0.weight"),
    ],
)
def test_files_of_others_are_named(tmp_path: Path, keys: dict, said: str) -> None:
    path = write(tmp_path / "a.pth", {"weight": random_weights(keys)})
    for read in (import_sovits, import_semantic):
        with pytest.raises(Incompatible, match=said) as caught:
            read(path)
        assert "Expected is a" in str(caught.value) and str(path) in str(caught.value)


def test_a_lora_is_named_by_its_rank_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pth", {"weight": random_weights({"cfm.x": (1,)}), "lora_rank": 32}, head=b"03")
    with pytest.raises(Incompatible, match="LoRA"):
        import_sovits(path)


def test_one_part_given_as_the_other(tmp_path: Path) -> None:
    s1, s2 = write_semantic(tmp_path / "a.ckpt"), write_sovits(tmp_path / "a.pth")
    with pytest.raises(Incompatible, match=r"this is a semantic GPT \(S1, .ckpt\) .* Expected is a SoVITS"):
        import_sovits(s1)
    with pytest.raises(Incompatible, match=r"this is a SoVITS \(S2, .pth\) .* Expected is a semantic GPT"):
        import_semantic(s2)


def test_half_a_download(tmp_path: Path) -> None:
    path = write_sovits(tmp_path / "a.pth")
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(DamagedFile, match="only a part"):
        import_sovits(path)


def test_parts_of_different_versions(tmp_path: Path) -> None:
    first = import_semantic(write_semantic(tmp_path / "a.ckpt", phonemes=512))
    later = import_semantic(write_semantic(tmp_path / "b.ckpt"))
    sovits = import_sovits(write_sovits(tmp_path / "a.pth"))
    old = import_sovits(write_sovits(tmp_path / "b.pth", phonemes=322))
    fewer = import_sovits(write_sovits(tmp_path / "c.pth", codes=16))
    for s1, s2 in ((first, sovits), (later, old)):
        with pytest.raises(Incompatible, match="Give two files of one version"):
            save_gpt_sovits(tmp_path / "m", s1, s2)
    with pytest.raises(Incompatible, match="writes 32 codes, the SoVITS reads 16"):
        save_gpt_sovits(tmp_path / "m", later, fewer)
    assert not (tmp_path / "m").exists()
    save_gpt_sovits(tmp_path / "m", first, old)
    assert load_gpt_sovits(tmp_path / "m").table == 322


def test_missing_wrong_and_broken_weights(tmp_path: Path) -> None:
    config = hyper_parameters(model=SOVITS_SIZES)
    shapes = sovits_shapes()
    del shapes["enc_p.proj.weight"]
    with pytest.raises(CheckpointKeys, match="prior.statistics.weight"):
        import_sovits(write(tmp_path / "a.pth", {"weight": random_weights(shapes), "config": config}))
    shapes = semantic_shapes() | {"h.layers.0.norm1.bias": (3,)}
    with pytest.raises(CheckpointKeys, match=r"h.layers.0.norm1.bias"):
        import_semantic(
            write(tmp_path / "a.ckpt", {"weight": random_weights(shapes), "config": {"model": {"head": 2}}})
        )
    weights = random_weights(semantic_shapes())
    weights["bert_proj.bias"][0] = torch.nan
    with pytest.raises(DamagedFile, match="bert_proj.bias"):
        import_semantic(write(tmp_path / "b.ckpt", {"weight": weights, "config": {"model": {"head": 2}}}))
    with pytest.raises(Incompatible, match="do not fit together"):
        import_semantic(
            write(tmp_path / "c.ckpt", {"weight": random_weights(semantic_shapes()), "config": {"model": {"head": 7}}})
        )
    with pytest.raises(Incompatible, match="sizes of a SoVITS"):
        import_sovits(write(tmp_path / "d.pth", {"weight": random_weights(sovits_shapes())}))


# ------------------------------------------------------------------ folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    semantic = import_semantic(write_semantic(tmp_path / "a.ckpt"))
    sovits = import_sovits(write_sovits(tmp_path / "a.pth"))
    save_gpt_sovits(tmp_path / "set", semantic, sovits)
    return tmp_path / "set"


def test_a_folder_is_written_whole_or_not_at_all(tmp_path: Path, folder: Path) -> None:
    semantic, sovits = import_semantic(tmp_path / "a.ckpt"), import_sovits(tmp_path / "a.pth")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError, match="already a model"):
        save_gpt_sovits(folder, semantic, sovits)
    save_gpt_sovits(folder, semantic, sovits, replace=True)
    assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(ResourceError):
        save_gpt_sovits(tmp_path / "a.ckpt" / "set", semantic, sovits)
    with pytest.raises(TypeError):
        save_gpt_sovits(tmp_path / "other", semantic, sovits, synthesis={"x": object()})
    assert sorted(tmp_path.rglob("*")) == before


def test_folders_that_changed_are_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())

    def change(**values: object) -> None:
        (folder / "config.json").write_text(json.dumps({**config, **values}))

    for values, error in (
        ({"type": "native"}, Incompatible),
        ({"format": 99}, FormatTooNew),
        ({"fingerprint": "0" * 16}, FingerprintMismatch),
        ({"sizes": {}}, Incompatible),
        ({"version": "v9"}, Incompatible),
    ):
        change(**values)
        with pytest.raises(error):
            load_gpt_sovits(folder)
    change(sizes={**config["sizes"], "semantic": {**config["sizes"]["semantic"], "layers": 3}})
    with pytest.raises(CheckpointKeys):
        load_gpt_sovits(folder)
    (folder / "config.json").write_text("[")
    with pytest.raises(Incompatible):
        load_gpt_sovits(folder)
    with pytest.raises(Offline):
        load_gpt_sovits(folder.parent / "none")


def test_weights_stay_in_the_precision_of_the_file(folder: Path) -> None:
    stored = load_file(str(folder / "model.safetensors"))
    assert stored["semantic.blocks.0.feed_in.weight"].dtype == torch.float16
    assert stored["sovits.prior.statistics.weight"].dtype == torch.float16
    assert stored["sovits.generator.ups.0.weight"].dtype == torch.float32  # joined from two halves
