"""The native model set as a folder: one file of weights, its configuration, its symbols, where it comes from.

config.json         format, sizes of every part, fingerprint of the weights
model.safetensors   all parts, float16, names prefixed with the part
symbols.json        the symbol table the weights were trained with
speakers.safetensors typical speaker vectors by language, if there are any
provenance.json     data, recipe, seed, steps, figures, licences
MODEL_CARD.md
"""

from __future__ import annotations

import copy
import hashlib
import importlib.resources
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from yinse.core.errors import CheckpointKeys, FingerprintMismatch, FormatTooNew, Incompatible, Offline
from yinse.core.types import FloatArray
from yinse.models.acoustic import AcousticModel
from yinse.models.aligner import Aligner
from yinse.models.low_rank import merge_low_rank
from yinse.models.native_config import NativeConfig, build_vocoder
from yinse.models.prosody import ProsodyGPT
from yinse.models.speaker import SpeakerEncoder
from yinse.models.spectrogram import SpectrogramConfig
from yinse.text.symbols import SYMBOLS
from yinse.voices.voice import READOUT

FORMAT = 1
PARTS = ("acoustic", "prosody", "vocoder", "speaker")
_SPEAKERS = "speakers.safetensors"


@dataclass(frozen=True)
class NativeModels:
    """A loaded set, in evaluation mode.

    Attributes:
        config: sizes.
        acoustic, prosody, vocoder, speaker: the networks.
        aligner: finds the phonemes of a transcript in a recording.
        high_band: `(M,)` nats from the mean of the last trusted bins of a narrow-band recording to each bin above, as
            full-band speakers have it.
        floor_depth: the noise floor of a clean recording, told to the models at synthesis.
        typical_speakers: by language, the mean `(G,)`, of length 1, of the speaker vectors that the networks learned it
            with; for languages that no real person taught, where a real person's vector is like none of them.
        fingerprint: first 16 hex digits of the SHA-256 of the weights.
    """

    config: NativeConfig
    acoustic: AcousticModel
    prosody: ProsodyGPT
    vocoder: nn.Module
    speaker: SpeakerEncoder
    aligner: Aligner
    high_band: np.ndarray
    floor_depth: np.ndarray
    typical_speakers: Mapping[str, FloatArray]
    fingerprint: str


def shipped_folder() -> Path:
    """Where the set that comes with the package lies."""
    return Path(str(importlib.resources.files("yinse") / "assets" / "base"))


def fingerprint_of(path: Path) -> str:
    """First 16 hex digits of a file's SHA-256."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def save_native(models: NativeModels, folder: Path, *, provenance: Mapping[str, Any], card: str) -> str:
    """Write a set; returns its fingerprint."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    for part in PARTS:
        for name, value in getattr(models, part).state_dict().items():
            tensors[f"{part}.{name}"] = value.half().contiguous()
    for name, array in models.aligner.state_dict().items():
        tensors[f"aligner.{name}"] = torch.from_numpy(np.array(array, order="C"))
    tensors["high_band"] = torch.from_numpy(models.high_band.astype(np.float32))
    tensors["floor_depth"] = torch.from_numpy(models.floor_depth.astype(np.float32))
    _write_tensors(folder / "model.safetensors", tensors)
    fingerprint = fingerprint_of(folder / "model.safetensors")
    save_typical_speakers(models.typical_speakers, folder)
    config = {
        "format": FORMAT,
        "type": "native",
        "fingerprint": fingerprint,
        "sizes": json.loads(models.config.to_json()),
    }
    for name, value in (("config", config), ("symbols", list(SYMBOLS)), ("provenance", dict(provenance))):
        (folder / f"{name}.json").write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    return fingerprint


def save_typical_speakers(vectors: Mapping[str, FloatArray], folder: Path) -> None:
    """Write a set's typical speaker vectors `(G,)` by language; the file appears whole or not at all."""
    _write_tensors(folder / _SPEAKERS, {language: torch.from_numpy(vector) for language, vector in vectors.items()})


def _write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    part = path.with_suffix(".part")
    save_file(tensors, str(part))
    part.replace(path)


def _read_tensors(path: Path, *, where: str) -> dict[str, Tensor]:
    try:
        return load_file(str(path))
    except SafetensorError as error:
        raise Incompatible(f"damaged weights: {error}", where=where) from None


def load_native(folder: Path | None = None) -> NativeModels:
    """Load a set; without a folder, the one that is shipped.

    Raises:
        Offline: the folder holds no model.
        FormatTooNew: written by a newer Yinse.
        FingerprintMismatch: the weights are not those the configuration names.
        Incompatible: not a native set, or trained with another symbol table.
        CheckpointKeys: names or shapes do not fit.
    """
    folder = folder or shipped_folder()
    record, tensors, where = _read_set(folder)
    config = NativeConfig.from_json(json.dumps(record["sizes"]))
    parts = {
        "acoustic": AcousticModel(config.acoustic),
        "prosody": ProsodyGPT(config.prosody),
        "vocoder": build_vocoder(config.vocoder),
        "speaker": SpeakerEncoder(config.speaker),
    }
    for name, module in parts.items():
        _load_part(module, name, tensors, where)
    return NativeModels(
        config=config,
        **parts,  # type: ignore[arg-type]
        aligner=_aligner(tensors, config),
        high_band=tensors["high_band"].numpy(),
        floor_depth=tensors["floor_depth"].numpy(),
        typical_speakers=_typical_speakers(folder, config),
        fingerprint=record["fingerprint"],
    )


def load_aligner(folder: Path | None = None) -> tuple[Aligner, SpectrogramConfig]:
    """The aligner of a set alone, and the spectrogram it reads; without a folder, of the set that is shipped.

    Raises:
        YinseError: what `load_native` raises.
    """
    record, tensors, _ = _read_set(folder)
    config = NativeConfig.from_json(json.dumps(record["sizes"]))
    return _aligner(tensors, config), config.spectrogram


def _typical_speakers(folder: Path, config: NativeConfig) -> dict[str, FloatArray]:
    """Those of a set; none in a set that was written without."""
    path = folder / _SPEAKERS
    if not path.is_file():
        return {}
    vectors = {language: vector.numpy() for language, vector in _read_tensors(path, where=str(path)).items()}
    wrong = [language for language, vector in vectors.items() if vector.shape != (config.speaker.vector_size,)]
    if wrong:
        raise CheckpointKeys(str(path), missing=(), unexpected=wrong)
    return vectors


def _aligner(tensors: Mapping[str, Tensor], config: NativeConfig) -> Aligner:
    state = {n.removeprefix("aligner."): t.numpy() for n, t in tensors.items() if n.startswith("aligner.")}
    return Aligner.from_state_dict(state, config=config.aligner)


def _read_set(folder: Path | None) -> tuple[dict[str, Any], dict[str, Tensor], str]:
    """Description and tensors of a set, and the name of its folder."""
    folder = folder or shipped_folder()
    weights, where = folder / "model.safetensors", str(folder)
    if not (folder / "config.json").is_file() or not weights.is_file():
        raise Offline("no model here", where=where, advice="Give a folder with config.json and model.safetensors.")
    try:
        record = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        symbols = json.loads((folder / "symbols.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Incompatible(f"unreadable model description: {error}", where=where) from None
    if record.get("type") != "native":
        raise Incompatible(f"this is a model of type {record.get('type')!r}, not 'native'", where=where)
    if record["format"] > FORMAT:
        raise FormatTooNew(
            f"model format {record['format']}, newest known is {FORMAT}", where=where, advice="Update Yinse."
        )
    if fingerprint_of(weights) != record["fingerprint"]:
        raise FingerprintMismatch(
            "the weights changed since they were written", where=where, advice="Restore the folder."
        )
    if symbols != list(SYMBOLS):
        raise Incompatible("trained with another symbol table", where=where)
    return record, _read_tensors(weights, where=where), where


def adapt(models: NativeModels, tensors: Mapping[str, np.ndarray], *, readout_gain: float = 1.0) -> NativeModels:
    """The set with a voice's last layer and adapter merged in; the set itself where there is neither.

    Args:
        models: left as they are.
        tensors: of a voice; `readout`, `adapter.PART.NAME.up` and `.down` count.
        readout_gain: by which the weights of the voice's last layer are taken, its bias as it is.

    Raises:
        CheckpointKeys: the adapter was made for other models.
    """
    changed: dict[str, nn.Module] = {}
    for part in PARTS:
        prefix = f"adapter.{part}."
        updates = {n.removeprefix(prefix): torch.from_numpy(v) for n, v in tensors.items() if n.startswith(prefix)}
        if updates:
            changed[part] = copy.deepcopy(getattr(models, part))
            merge_low_rank(changed[part], updates)
    if READOUT in tensors:
        acoustic = changed.setdefault("acoustic", copy.deepcopy(models.acoustic))
        weight, bias = acoustic.get_parameter("leave.weight"), acoustic.get_parameter("leave.bias")
        _add_readout(weight, bias, tensors[READOUT], gain=readout_gain)
    return replace(models, **changed) if changed else models  # type: ignore[arg-type]


def _add_readout(weight: Tensor, bias: Tensor, readout: np.ndarray, *, gain: float) -> None:
    """Add a voice's last layer `(M, C + 1)` to that of the acoustic model, in place."""
    if readout.shape != (weight.shape[0], weight.shape[1] + 1):
        raise CheckpointKeys(
            "the voice's last layer", missing=[f"{tuple(weight.shape)}"], unexpected=[f"{readout.shape}"]
        )
    update = torch.from_numpy(readout.astype(np.float32))
    weight.data += gain * update[:, :-1, None]
    bias.data += update[:, -1]


def _load_part(module: nn.Module, name: str, tensors: Mapping[str, Tensor], where: str) -> None:
    prefix = name + "."
    state = {key.removeprefix(prefix): value.float() for key, value in tensors.items() if key.startswith(prefix)}
    wanted = module.state_dict()
    missing = [key for key in wanted if key not in state or state[key].shape != wanted[key].shape]
    unexpected = [key for key in state if key not in wanted]
    if missing or unexpected:
        raise CheckpointKeys(f"{where} ({name})", missing=missing, unexpected=unexpected)
    module.load_state_dict(state)
    module.eval().requires_grad_(False)
