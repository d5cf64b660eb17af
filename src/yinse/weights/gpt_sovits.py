"""A gpt-sovits set as a folder: a semantic GPT and a SoVITS that belong together.

config.json         format, published version, sizes of both, fingerprint of the weights, choices at synthesis
model.safetensors   both parts, in the precision they were published in, names prefixed with the part
symbols.json        the symbol table the weights were trained with
provenance.json     the files they came from, with their hashes, and what was left out
MODEL_CARD.md

The encoders that every set shares (HuBERT, BERT, speaker verification) lie in folders of their own.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

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
from yinse.models.hifigan import GeneratorConfig
from yinse.models.semantic_gpt import SemanticConfig, SemanticGPT
from yinse.models.semantic_precision import Precision as SemanticPrecision
from yinse.models.semantic_precision import prepare
from yinse.models.sovits import Precision as SoVITSPrecision
from yinse.models.sovits import SoVITS, SoVITSConfig
from yinse.models.spectrogram import SpectrogramConfig
from yinse.text.official import TABLE_SIZES, published_symbols
from yinse.weights.native import fingerprint_of
from yinse.weights.official import ImportedSemantic, ImportedSoVITS, ImportReport, check_pair
from yinse.weights.unfilled import unfilled

KIND = "gpt-sovits"
FORMAT = 1
_PARTS = ("semantic", "sovits")


@dataclass(frozen=True)
class GptSovitsModels:
    """A loaded set, in evaluation mode.

    Attributes:
        version: published name of models of these sizes.
        semantic: phonemes to codes, in the precision of its file.
        sovits: codes to a waveform, in single precision.
        table: how many symbols both know.
        fingerprint: first 16 hex digits of the SHA-256 of the weights.
        synthesis: choices at synthesis that the folder makes.
    """

    version: str
    semantic: SemanticGPT
    sovits: SoVITS
    table: int
    fingerprint: str
    synthesis: Mapping[str, Any]

    def prepare(self, *, semantic: SemanticPrecision = "exact", sovits: SoVITSPrecision = "exact") -> None:
        """Arranges both for speaking on this processor; afterwards they can be neither trained nor saved.

        Args:
            semantic, sovits: precision of each; "exact" says the same as the published program, up to rounding.
        """
        prepare(self.semantic, semantic)
        self.sovits.prepare(sovits)


def save_gpt_sovits(
    folder: Path,
    semantic: ImportedSemantic,
    sovits: ImportedSoVITS,
    *,
    synthesis: Mapping[str, Any] | None = None,
    replace: bool = False,
) -> str:
    """Writes a set; the folder appears whole or not at all. Returns its fingerprint.

    Args:
        folder: of the set.
        semantic, sovits: as they were imported.
        synthesis: choices at synthesis that are not the published ones.
        replace: an older folder of that name gives way.

    Raises:
        Incompatible: the two do not belong to one another.
        ConfigError: there is a folder of that name.
        ResourceError: the folder cannot be written.
    """
    check_pair(semantic, sovits)
    with whole_folder(folder, replace=replace) as partial:
        tensors = {f"semantic.{name}": value for name, value in semantic.weights.items()}
        tensors |= {f"sovits.{name}": value for name, value in sovits.weights.items()}
        save_file({name: value.contiguous() for name, value in tensors.items()}, str(partial / "model.safetensors"))
        fingerprint = fingerprint_of(partial / "model.safetensors")
        version = sovits.report.version
        config = {
            "format": FORMAT,
            "type": KIND,
            "fingerprint": fingerprint,
            "version": version,
            "sizes": {
                "semantic": dataclasses.asdict(semantic.config),
                "sovits": dataclasses.asdict(sovits.config),
            },
            "synthesis": dict(synthesis or {}),
        }
        reports = {"semantic": semantic.report, "sovits": sovits.report}
        provenance = {
            "files": {part: dataclasses.asdict(report) for part, report in reports.items()},
            "licence": "that of the files: ask who made them",
        }
        table = published_symbols(TABLE_SIZES[version])
        for name, value in (("config", config), ("symbols", table), ("provenance", provenance)):
            write_json(partial / f"{name}.json", value)
        (partial / "MODEL_CARD.md").write_text(_card(folder.name, reports), encoding="utf-8")
    return fingerprint


def load_gpt_sovits(folder: Path) -> GptSovitsModels:
    """Loads a set; it speaks once it is prepared.

    Raises:
        Offline: the folder holds no model.
        FormatTooNew: written by a newer Yinse.
        FingerprintMismatch: the weights are not those the configuration names.
        Incompatible: not a gpt-sovits set.
        CheckpointKeys: names or shapes do not fit.
    """
    record, tensors = read_folder(folder, KIND, newest=FORMAT)
    where = str(folder)
    try:
        sizes, version = record["sizes"], str(record["version"])
        semantic_config = SemanticConfig(**sizes["semantic"])
        sovits_config = _sovits_config(sizes["sovits"])
        synthesis = dict(record["synthesis"])
        table = TABLE_SIZES[version]
    except (KeyError, TypeError, ValueError, ConfigError) as error:
        raise Incompatible(f"unreadable model description ({error})", where=where) from error
    with unfilled():
        semantic, sovits = SemanticGPT(semantic_config), SoVITS(sovits_config)
    for part, model in zip(_PARTS, (semantic, sovits), strict=True):
        prefix = f"{part}."
        weights = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
        put_weights(model, weights, where=f"{where} ({part})", widen=part != "semantic")
    return GptSovitsModels(version, semantic, sovits, table, str(record["fingerprint"]), synthesis)


def put_weights(model: nn.Module, weights: Mapping[str, Tensor], *, where: str, widen: bool = True) -> None:
    """Gives a model its weights, and puts it to rest.

    Args:
        model: made `unfilled`.
        weights: by its names.
        where: for messages.
        widen: to single precision; else they stay as they are, mapped from their file.

    Raises:
        CheckpointKeys: names or shapes do not fit.
    """
    wanted = model.state_dict()
    wrong = [name for name, value in wanted.items() if name not in weights or weights[name].shape != value.shape]
    foreign = weights.keys() - wanted.keys()
    if wrong or foreign:
        raise CheckpointKeys(where, missing=wrong, unexpected=foreign)
    if widen:
        weights = {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
    model.load_state_dict(dict(weights), assign=True)
    model.eval().requires_grad_(False)


def read_folder(folder: Path, kind: str, *, newest: int) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What a model folder says about itself, and its tensors, once they are known to be unchanged.

    Raises:
        Offline, FormatTooNew, FingerprintMismatch, Incompatible, DamagedFile: as `load_gpt_sovits`.
    """
    weights, where = folder / "model.safetensors", str(folder)
    if not (folder / "config.json").is_file() or not weights.is_file():
        raise Offline("no model here", where=where, advice="Give a folder with config.json and model.safetensors.")
    try:
        record = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        found, written = record["type"], int(record["format"])
        expected = str(record["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Incompatible(f"unreadable model description ({error})", where=where) from error
    if found != kind:
        raise Incompatible(f"this is a model of type {found!r}, not {kind!r}", where=where)
    if written > newest:
        raise FormatTooNew(f"model format {written}, newest known is {newest}", where=where, advice="Update Yinse.")
    if fingerprint_of(weights) != expected:
        raise FingerprintMismatch(
            "the weights changed since they were written", where=where, advice="Import or pull the model again."
        )
    try:
        return record, load_file(str(weights))
    except SafetensorError as error:
        raise DamagedFile(f"damaged weights: {error}", where=where) from error


@contextmanager
def whole_folder(folder: Path, *, replace: bool = False) -> Iterator[Path]:
    """A folder to write into that takes its name when the `with` block ends well, and vanishes when it does not.

    Raises:
        ConfigError: there is a folder of that name, and it may not be replaced.
        ResourceError: it cannot be written.
    """
    if folder.exists() and not replace:
        raise ConfigError(
            f"there is already a model called '{folder.name}'",
            where=str(folder),
            advice="Choose another name, or add --replace.",
        )
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
        yield partial
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
    except (OSError, SafetensorError) as error:
        raise ResourceError(
            f"the model cannot be written ({error})",
            where=str(folder),
            advice="Check that the folder can be written and that the disk has room.",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Writes a description that people can read."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _sovits_config(sizes: Mapping[str, Any]) -> SoVITSConfig:
    generator = {name: _tuples(value) for name, value in sizes["generator"].items()}
    return SoVITSConfig(
        **{
            **sizes,
            "generator": GeneratorConfig(**generator),
            "spectrogram": SpectrogramConfig(**sizes["spectrogram"]),
        }
    )


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _card(name: str, reports: Mapping[str, ImportReport]) -> str:
    lines = [
        f"# {name}",
        "",
        "Published GPT-SoVITS weights, imported by Yinse. They are not ours: who may use them, and for what, is said "
        "where they came from. A voice belongs to the person who is heard in it.",
        "",
    ]
    for report in reports.values():
        note = f" ({report.info})" if report.info else ""
        lines += [f"- {report.kind}, {report.version}: `{report.file}`{note}, SHA-256 `{report.sha256}`"]
        lines += [f"  - left out: {len(report.dropped)} tensors for training only"] if report.dropped else []
        lines += [f"  - unknown, left out: {', '.join(report.unexpected)}"] if report.unexpected else []
        lines += [f"  - {remark}" for remark in report.remarks]
    return "\n".join(lines) + "\n"
