"""Recognises published GPT-SoVITS weights by their keys and shapes, and gives them our names.

What a file says about itself (its name, its first bytes, its size) is told to the user and decides nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from yinse.core.errors import CheckpointKeys, ConfigError, DamagedFile, Incompatible, YinseError
from yinse.models.semantic_gpt import SemanticConfig, SemanticGPT, official_keys
from yinse.models.sovits import SoVITS, SoVITSConfig
from yinse.models.sovits_keys import DROPPED, config_from_official, convert_official
from yinse.text.official import TABLE_SIZES
from yinse.weights.official_file import CheckpointFile
from yinse.weights.restricted_pickle import StoredTensor
from yinse.weights.unfilled import unfilled

SEMANTIC, SOVITS = "semantic GPT (S1, .ckpt)", "SoVITS (S2, .pth)"
_FIRST_TABLE_ROWS = 512
"""Rows of the phoneme table in the first semantic GPT, of which 322 are used."""
_PLUS_CHANNELS = 768
_HEADS_OF_FILES = MappingProxyType({b"05": "v2Pro", b"06": "v2ProPlus", b"00": "v1", b"01": "v2"})
_PREFIXES = ("model.", "module.", "net_g.")
_HOLDERS = ("weight", "state_dict", "model")
"""Where files keep their tensors: exported weights, trainers' states of S1 and S2."""
_KNOWN: tuple[tuple[str, Callable[[Mapping[str, Any]], bool]], ...] = (
    (
        "a LoRA of GPT-SoVITS v3 or v4, which is of no use without its base and is not supported",
        lambda names: any(".lora_A" in name or "lora_B" in name for name in names),
    ),
    ("a SoVITS of GPT-SoVITS v3 or v4, which is not supported yet", lambda names: _any(names, "cfm.", "bridge.")),
    (SEMANTIC, lambda names: "ar_text_embedding.word_embeddings.weight" in names),
    (SOVITS, lambda names: "enc_p.text_embedding.weight" in names and "ssl_proj.weight" in names),
    ("a discriminator (s2D) of GPT-SoVITS, which only training needs", lambda names: _any(names, "discriminators.")),
    ("a voice of RVC", lambda names: "enc_p.emb_phone.weight" in names),
    ("a model of so-vits-svc", lambda names: "emb_uv.weight" in names),
    ("a VITS model", lambda names: "enc_p.emb.weight" in names),
    ("a HuBERT", lambda names: _any(names, "feature_extractor.conv_layers.", "hubert.")),
    ("a BERT", lambda names: _any(names, "bert.embeddings.", "embeddings.word_embeddings.")),
    ("an ERes2NetV2 speaker model", lambda names: "layer3_ds.weight" in names or "seg_1.weight" in names),
    ("a vocoder", lambda names: _any(names, "conv_pre.", "ups.0.", "resblocks.0.")),
)


def _any(names: Mapping[str, Any], *beginnings: str) -> bool:
    return any(name.startswith(beginnings) for name in names)


@dataclass(frozen=True)
class ImportReport:
    """What was found in a file.

    Attributes:
        file: its name.
        sha256: of the whole file.
        size_bytes: of the file.
        kind: `SEMANTIC` or `SOVITS`.
        version: published version, by keys and shapes.
        info: what the trainer noted, such as "GPT-e15".
        tensors: how many were taken.
        dropped: published keys that inference does not need.
        unexpected: keys that the model has no place for; they were left out.
        remarks: what else the user should know.
    """

    file: str
    sha256: str
    size_bytes: int
    kind: str
    version: str
    info: str
    tensors: int
    dropped: tuple[str, ...]
    unexpected: tuple[str, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportedSemantic:
    """A semantic GPT from a file: sizes, weights by our names in the file's own precision, and what was found."""

    config: SemanticConfig
    weights: Mapping[str, Tensor]
    report: ImportReport


@dataclass(frozen=True)
class ImportedSoVITS:
    """A SoVITS from a file: sizes, weights by our names, and what was found."""

    config: SoVITSConfig
    weights: Mapping[str, Tensor]
    report: ImportReport


@dataclass
class _Found:
    """The tensors of a file under their published names, its sizes, and what it says about itself."""

    kind: str
    stored: dict[str, StoredTensor]
    sizes: Mapping[str, Any]
    info: str
    remarks: list[str] = field(default_factory=list)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: stored.shape for name, stored in self.stored.items()}


def import_semantic(path: Path) -> ImportedSemantic:
    """The semantic GPT in a published `.ckpt` file.

    Raises:
        Incompatible: the file holds something else; the message says what.
        CheckpointKeys: weights are missing or of another shape.
        DamagedFile, UnsafeFile, ResourceError: as `CheckpointFile`.
    """
    where = str(path)
    with CheckpointFile(path) as file:
        found = _find(file, SEMANTIC, where=where)
        config = _semantic_config(found, where=where)
        names = official_keys(config)
        taken = {names[name]: file.tensor(stored) for name, stored in found.stored.items() if name in names}
        unexpected = tuple(sorted(found.stored.keys() - names.keys()))
        with unfilled():
            model = SemanticGPT(config)
        _check(taken, model, {ours: theirs for theirs, ours in names.items()}, where=where)
    version = "v1" if config.phonemes == _FIRST_TABLE_ROWS else "v2 or later"
    return ImportedSemantic(config, taken, _report(path, found, version, taken, (), unexpected))


def import_sovits(path: Path) -> ImportedSoVITS:
    """The SoVITS in a published `.pth` file; raises what `import_semantic` raises."""
    where = str(path)
    with CheckpointFile(path) as file:
        found = _find(file, SOVITS, where=where)
        try:
            config = config_from_official(found.sizes, found.shapes())
        except ConfigError as error:
            raise Incompatible(error.what, where=where, advice=error.advice) from error
        wanted = {name: stored for name, stored in found.stored.items() if not name.startswith(tuple(DROPPED))}
        converted = convert_official({name: file.tensor(stored) for name, stored in wanted.items()})
        with unfilled():
            model = SoVITS(config)
        known = model.state_dict()
        taken = {name: value for name, value in converted.weights.items() if name in known}
        _check(taken, model, {}, where=where)
    version = sovits_version(config)
    told = _HEADS_OF_FILES.get(file.head)
    if told is not None and told != version:
        found.remarks.append(f"its first bytes say {told}, its weights are of {version}")
    dropped = tuple(sorted(found.stored.keys() - wanted.keys()))
    unexpected = (*converted.unexpected, *(converted.weights.keys() - taken.keys()))
    return ImportedSoVITS(config, taken, _report(path, found, version, taken, dropped, unexpected))


def sovits_version(config: SoVITSConfig) -> str:
    """The published name for models of these sizes."""
    if config.phonemes == TABLE_SIZES["v1"]:
        return "v1"
    if not config.speaker_vector:
        return "v2"
    return "v2ProPlus" if config.generator.channels == _PLUS_CHANNELS else "v2Pro"


def check_pair(semantic: ImportedSemantic, sovits: ImportedSoVITS) -> None:
    """Whether two models belong to one another, as far as their sizes show it.

    Raises:
        Incompatible: one reads the first table of phonemes, the other a later one; or they write other codes.
    """
    first = (semantic.report.version == "v1", sovits.report.version == "v1")
    if first[0] != first[1]:
        raise Incompatible(
            f"the semantic GPT '{semantic.report.file}' is of {semantic.report.version}, "
            f"the SoVITS '{sovits.report.file}' of {sovits.report.version}",
            advice="Give two files of one version.",
        )
    if semantic.config.end != sovits.config.codes:
        raise Incompatible(
            f"the semantic GPT writes {semantic.config.end} codes, the SoVITS reads {sovits.config.codes}",
            advice="Give two files of one version.",
        )


def _find(file: CheckpointFile, wanted: str, *, where: str) -> _Found:
    value = file.value
    if not isinstance(value, dict):
        raise DamagedFile(f"the file holds a {type(value).__name__} instead of named weights", where=where)
    holder = next((name for name in _HOLDERS if isinstance(value.get(name), dict)), None)
    weights: Mapping[Any, Any] = value if holder is None else value[holder]
    stored = {name: tensor for name, tensor in weights.items() if isinstance(tensor, StoredTensor)}
    if not stored or not all(isinstance(name, str) for name in stored):
        raise Incompatible("the file holds no named weights", where=where, advice=_expected(wanted))
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in stored):
            stored = {name.removeprefix(prefix): tensor for name, tensor in stored.items()}
    kind = next((kind for kind, matches in _KNOWN if matches(stored)), None)
    if isinstance(value.get("lora_rank"), int):
        kind = _KNOWN[0][0]
    if kind != wanted:
        named = f"a {kind}" if kind in (SEMANTIC, SOVITS) else kind or "an unknown model"
        first = ", ".join(sorted(stored)[:3])
        raise Incompatible(
            f"this is {named} (it has {len(stored)} tensors: {first}, …)",
            where=where,
            advice=_expected(wanted),
        )
    config = value.get("config")
    sizes = config.get("model") if isinstance(config, dict) else None
    info = value.get("info")
    return _Found(kind, stored, sizes if isinstance(sizes, dict) else {}, info if isinstance(info, str) else "")


def _expected(wanted: str) -> str:
    return f"Expected is a {wanted} of GPT-SoVITS v1, v2, v2Pro or v2ProPlus."


def _semantic_config(found: _Found, *, where: str) -> SemanticConfig:
    shapes, sizes = found.shapes(), found.sizes
    try:
        phonemes, width = shapes["ar_text_embedding.word_embeddings.weight"]
        layers = 0
        while f"h.layers.{layers}.linear1.weight" in shapes:
            layers += 1
        if "head" not in sizes:
            found.remarks.append("it does not say how many attention heads it has: 16 are assumed")
        return SemanticConfig(
            phonemes=phonemes,
            codes=shapes["ar_predict_layer.weight"][0],
            width=width,
            heads=int(sizes.get("head", 16)),
            layers=layers,
            inner=shapes["h.layers.0.linear1.weight"][0],
            context_size=shapes["bert_proj.weight"][1],
        )
    except KeyError as error:
        raise CheckpointKeys(where, missing=[str(error.args[0])], unexpected=[]) from error
    except (ConfigError, ValueError, TypeError) as error:
        what = error.what if isinstance(error, YinseError) else str(error)
        raise Incompatible(f"the sizes of the file do not fit together: {what}", where=where) from error


def _check(taken: Mapping[str, Tensor], model: nn.Module, names: Mapping[str, str], *, where: str) -> None:
    """Whether weights are those of a model, and numbers."""
    wanted = model.state_dict()
    wrong = [name for name, value in wanted.items() if name not in taken or taken[name].shape != value.shape]
    if wrong:
        raise CheckpointKeys(where, missing=[names.get(name, name) for name in wrong], unexpected=())
    for name, value in taken.items():
        if not torch.isfinite(value).all():
            raise DamagedFile(f"the weight '{names.get(name, name)}' holds values that are no numbers", where=where)


def _report(
    path: Path,
    found: _Found,
    version: str,
    taken: Mapping[str, Tensor],
    dropped: tuple[str, ...],
    unexpected: tuple[str, ...],
) -> ImportReport:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ImportReport(
        file=path.name,
        sha256=digest,
        size_bytes=path.stat().st_size,
        kind=found.kind,
        version=version,
        info=found.info,
        tensors=len(taken),
        dropped=dropped,
        unexpected=tuple(sorted(unexpected)),
        remarks=tuple(found.remarks),
    )
