"""The encoders that every GPT-SoVITS set shares, each in a folder of its own among the models.

chinese-hubert-base              hears a reference: what is said in it, as features
chinese-roberta-wwm-ext-large    reads Mandarin: what its characters mean where they stand
eres2netv2                       hears a reference: who speaks (v2Pro and v2ProPlus)
"""

from __future__ import annotations

import functools
import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from yinse.core.errors import CheckpointKeys, DamagedFile, FingerprintMismatch, Incompatible, Offline
from yinse.core.home import models_folder
from yinse.models.kaldi_features import fbank
from yinse.models.semantic_features import SemanticFeatures
from yinse.models.speaker_verification import SpeakerVerification, SpeakerVerificationConfig
from yinse.models.text_features import TextFeatures
from yinse.weights.gpt_sovits import put_weights, whole_folder, write_json
from yinse.weights.native import fingerprint_of
from yinse.weights.official_file import CheckpointFile
from yinse.weights.restricted_pickle import StoredTensor
from yinse.weights.unfilled import unfilled

FORMAT = 1
HUBERT, BERT, SPEAKER = "hubert", "bert", "speaker-verification"
FOLDERS: Mapping[str, str] = MappingProxyType(
    {HUBERT: "chinese-hubert-base", BERT: "chinese-roberta-wwm-ext-large", SPEAKER: "eres2netv2"}
)
"""Where each kind of encoder lies among the models."""
_OPTIONS = MappingProxyType({HUBERT: "--hubert FOLDER", BERT: "--bert FOLDER", SPEAKER: "--speaker-verification FILE"})
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json")


@dataclass(frozen=True)
class Encoders:
    """The shared encoders; None where one is not on this machine.

    Attributes:
        speech: HuBERT: samples `(B, S)` at 16 kHz to features `(B, C, T)`, 50 a second.
        text: BERT: a text and how many phonemes each of its characters has, to vectors `(T_ph, D)`.
        speaker: speaker verification: samples `(B, S)` at 16 kHz to vectors `(B, V)`.
        missing: what to do about those that are not here, by name.
    """

    speech: Callable[[Tensor], Tensor] | None = None
    text: Callable[[str, Sequence[int]], Tensor] | None = None
    speaker: Callable[[Tensor], Tensor] | None = None
    missing: Mapping[str, str] | None = None

    def needed(self, name: str, purpose: str) -> Offline:
        """The error for an encoder that is not here."""
        return Offline(f"{purpose} needs {name}, which is not on this machine", advice=(self.missing or {}).get(name))


class _WhenAsked:
    """An encoder that is read from its folder when it is first asked."""

    def __init__(self, load: Callable[[], Callable[..., Tensor]]) -> None:
        self._load = functools.cache(load)

    def __call__(self, *arguments: Any) -> Tensor:
        return self._load()(*arguments)


def load_encoders(folder: Path | None = None) -> Encoders:
    """Those that are on this machine; each is read when it is first asked.

    Args:
        folder: of the models; None: the user's.
    """
    places = {kind: (folder or models_folder()) / name for kind, name in FOLDERS.items()}
    here = {kind: place for kind, place in places.items() if (place / "model.safetensors").is_file()}

    advice = "Run: yinse models pull gpt-sovits-v2pro, or: yinse models import S1 S2 --name NAME {}"
    return Encoders(
        speech=_WhenAsked(lambda: SemanticFeatures.load(here[HUBERT])) if HUBERT in here else None,
        text=_WhenAsked(lambda: TextFeatures.load(here[BERT])) if BERT in here else None,
        speaker=_WhenAsked(lambda: _load_speaker(here[SPEAKER])) if SPEAKER in here else None,
        missing={
            "HuBERT": advice.format(_OPTIONS[HUBERT]),
            "BERT": advice.format(_OPTIONS[BERT]),
            "the speaker model": advice.format(_OPTIONS[SPEAKER]),
        },
    )


def import_pretrained(kind: str, source: Path, folder: Path | None = None) -> Path:
    """Takes over a HuBERT or a BERT from a folder of `transformers`: config.json, weights, tokenizer.

    Args:
        kind: `HUBERT` or `BERT`.
        source: its weights are model.safetensors or pytorch_model.bin; the latter is read without unpickling.
        folder: of the models; None: the user's.

    Returns:
        Its folder; one that is there already is replaced.

    Raises:
        Offline: a file is missing; the message lists what belongs there.
        Incompatible: the folder holds another kind of model.
        DamagedFile, UnsafeFile, ResourceError: as `CheckpointFile`.
    """
    where = str(source)
    config = _pretrained_config(kind, source)
    safe, pickled = source / "model.safetensors", source / "pytorch_model.bin"
    try:
        weights = load_file(str(safe)) if safe.is_file() else _tensors(pickled)
    except SafetensorError as error:
        raise DamagedFile(f"damaged weights: {error}", where=str(safe)) from error
    # Heads that only their own training needs.
    weights = {name: value for name, value in weights.items() if not name.startswith("cls.")}
    if not weights:
        raise Incompatible("the folder holds no named weights", where=where)
    place = (folder or models_folder()) / FOLDERS[kind]
    with whole_folder(place, replace=True) as partial:
        save_file(
            {name: value.contiguous() for name, value in weights.items()},
            str(partial / "model.safetensors"),
            metadata={"format": "pt"},
        )
        for name in _TOKENIZER_FILES:
            if kind == BERT and (source / name).is_file():
                shutil.copyfile(source / name, partial / name)
        _describe(partial, kind, config, source)
    return place


def import_speaker(path: Path, folder: Path | None = None) -> Path:
    """Takes over an ERes2NetV2 from its `.ckpt` file; arguments and errors as of `import_pretrained`.

    Raises:
        CheckpointKeys: the file holds another model.
    """
    weights = {name.removeprefix("module."): value for name, value in _tensors(path).items()}
    model = _speaker_model(weights, where=str(path))
    wanted = model.state_dict()
    taken = {name: value for name, value in weights.items() if name in wanted}
    put_weights(model, taken, where=str(path))
    place = (folder or models_folder()) / FOLDERS[SPEAKER]
    with whole_folder(place, replace=True) as partial:
        save_file({name: value.contiguous() for name, value in taken.items()}, str(partial / "model.safetensors"))
        _describe(partial, SPEAKER, {}, path)
    return place


def check_encoder(folder: Path) -> str:
    """Whether an encoder is as it was imported; returns its fingerprint.

    Raises:
        Incompatible: its description cannot be read.
        FingerprintMismatch: its weights changed.
    """
    try:
        expected = str(json.loads((folder / "config.json").read_text(encoding="utf-8"))["fingerprint"])
        found = fingerprint_of(folder / "model.safetensors")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Incompatible(f"unreadable model description ({error})", where=str(folder)) from error
    if found != expected:
        raise FingerprintMismatch(
            "the weights changed since they were written", where=str(folder), advice="Import or pull the model again."
        )
    return found


def _pretrained_config(kind: str, source: Path) -> dict[str, Any]:
    """What `transformers` wrote about a model, once all files are known to be there."""
    needed = [name for name in ("config.json",) if not (source / name).is_file()]
    if not any((source / name).is_file() for name in ("model.safetensors", "pytorch_model.bin")):
        needed.append("model.safetensors or pytorch_model.bin")
    if kind == BERT and not any((source / name).is_file() for name in ("tokenizer.json", "vocab.txt")):
        needed.append("tokenizer.json or vocab.txt")
    if needed:
        raise Offline(
            f"the folder has no {', no '.join(needed)}",
            where=str(source),
            advice=f"Place there what the hub's folder {FOLDERS[kind]} holds.",
        )
    try:
        config = json.loads((source / "config.json").read_text(encoding="utf-8"))
        found = config["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Incompatible(f"unreadable model description ({error})", where=str(source)) from error
    if found != kind:
        raise Incompatible(f"this is a model of type '{found}', expected is '{kind}'", where=str(source))
    return dict(config)


def _tensors(path: Path) -> dict[str, Tensor]:
    """All named tensors of a pickled file."""
    with CheckpointFile(path) as file:
        value = file.value
        if isinstance(value, dict) and isinstance(value.get("weight"), dict):
            value = value["weight"]
        if not isinstance(value, dict):
            raise DamagedFile("the file holds no named weights", where=str(path))
        return {str(name): file.tensor(stored) for name, stored in value.items() if isinstance(stored, StoredTensor)}


def _describe(folder: Path, kind: str, config: Mapping[str, Any], source: Path) -> None:
    fingerprint = fingerprint_of(folder / "model.safetensors")
    write_json(folder / "config.json", {**config, "type": kind, "format": FORMAT, "fingerprint": fingerprint})
    write_json(folder / "provenance.json", {"files": [source.name], "licence": "that of the files: ask who made them"})
    card = f"# {FOLDERS[kind]}\n\nAn encoder that GPT-SoVITS models share, imported from `{source.name}`.\n"
    (folder / "MODEL_CARD.md").write_text(card, encoding="utf-8")


def _speaker_model(weights: Mapping[str, Tensor], *, where: str) -> SpeakerVerification:
    """A network of the sizes that weights have."""
    try:
        channels = len(weights["conv1.weight"])
        width = len(weights["layer1.0.convs.0.weight"])
        blocks = [0, 0, 0, 0]
        for name in weights:
            stage = re.fullmatch(r"layer([1-4])\.\d+\.conv3\.weight", name)
            if stage:
                blocks[int(stage[1]) - 1] += 1
        config = SpeakerVerificationConfig(
            channels=channels,
            blocks=(blocks[0], blocks[1], blocks[2], blocks[3]),
            base_width=width * 64 // channels,
            scale=len([n for n in weights if n.startswith("layer1.0.convs.") and n.endswith(".weight")]),
            expansion=len(weights["layer1.0.conv3.weight"]) // channels,
            vector_size=len(weights["seg_1.weight"]),
        )
    except KeyError as error:
        raise CheckpointKeys(where, missing=[str(error.args[0])], unexpected=sorted(weights)[:3]) from error
    with unfilled():
        return SpeakerVerification(config)


def _load_speaker(folder: Path) -> Callable[[Tensor], Tensor]:
    try:
        weights = load_file(str(folder / "model.safetensors"))
    except (OSError, SafetensorError) as error:
        raise DamagedFile(f"damaged weights: {error}", where=str(folder)) from error
    model = _speaker_model(weights, where=str(folder))
    put_weights(model, weights, where=str(folder))

    @torch.inference_mode()
    def summary(samples: Tensor) -> Tensor:
        return model.summary(torch.stack([fbank(one) for one in samples]))

    return summary
