"""The content encoder's file beside a native model set: `content.safetensors`, weights in 8 bits.

Every weight matrix is whole numbers from -127 to 127 and one scale per row; the rest is float16. The header tells sizes
and the fingerprint of the set whose acoustic model taught it. Only conversion and tuning without a transcript read it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from yinse.core.errors import CheckpointKeys, FingerprintMismatch, FormatTooNew, Incompatible, Offline
from yinse.models.content import ContentConfig, ContentModel
from yinse.weights.native import shipped_folder

FORMAT = 2
FILE = "content.safetensors"
_SCALE = ".scale"


def save_content(model: ContentModel, folder: Path, *, fingerprint: str) -> Path:
    """Write the content encoder beside the set of this fingerprint; the file appears whole or not at all."""
    tensors: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        if value.dim() < 2 or value.shape[1] == 1:
            tensors[name] = value.half().contiguous()
            continue
        rows = value.flatten(1)
        scale = (rows.abs().amax(dim=1) / 127).clamp_min(1e-8).half()
        tensors[name] = (rows / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8).view(value.shape)
        tensors[name + _SCALE] = scale
    about = {"format": FORMAT, "fingerprint": fingerprint, "sizes": asdict(model.config)}
    part = folder / (FILE + ".part")
    save_file(tensors, str(part), metadata={"content": json.dumps(about)})
    return part.replace(folder / FILE)


def load_content(folder: Path | None = None, *, fingerprint: str) -> ContentModel:
    """The content encoder of a set, in evaluation mode.

    Args:
        folder: of the set; None: of the one that is shipped.
        fingerprint: of the set.

    Raises:
        Offline: the set has none.
        FormatTooNew: written by a newer Yinse.
        FingerprintMismatch: it was made for other models.
        Incompatible: it is damaged.
        CheckpointKeys: names or shapes do not fit.
    """
    path = (folder or shipped_folder()) / FILE
    if not path.is_file():
        raise Offline(
            "this model set has no content encoder",
            where=str(path),
            advice="Train one: yinse train base --stage content",
        )
    try:
        with safe_open(str(path), framework="pt") as file:
            about = json.loads(file.metadata()["content"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        config = _config(about)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise Incompatible(f"this is no content encoder, or a damaged one: {error}", where=str(path)) from error
    if about["fingerprint"] != fingerprint:
        raise FingerprintMismatch(
            f"the content encoder belongs to model {about['fingerprint']}, not {fingerprint}",
            where=str(path),
            advice="Train it again, or restore the folder.",
        )
    model = ContentModel(config)
    state = {name: _value(name, tensors) for name in tensors if not name.endswith(_SCALE)}
    wanted = model.state_dict()
    missing = [name for name, value in wanted.items() if name not in state or state[name].shape != value.shape]
    if missing or state.keys() - wanted.keys():
        raise CheckpointKeys(str(path), missing=missing, unexpected=state.keys() - wanted.keys())
    model.load_state_dict(state)
    return model.eval().requires_grad_(False)


def _config(about: dict[str, Any]) -> ContentConfig:
    if about["format"] > FORMAT:
        raise FormatTooNew(f"content encoder of format {about['format']}, newest known is {FORMAT}")
    sizes = about["sizes"]
    return ContentConfig(**{**sizes, "dilations": tuple(sizes["dilations"])})


def _value(name: str, tensors: dict[str, Tensor]) -> Tensor:
    scale = tensors.get(name + _SCALE)
    value = tensors[name].float()
    return value if scale is None else value * scale.float().view(-1, *[1] * (value.dim() - 1))
