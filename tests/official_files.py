"""Makes `.ckpt` and `.pth` files as the official programs and the community's write them, at tiny sizes."""

from __future__ import annotations

import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


class HParams:
    """Stands for the class `utils.HParams`, objects of which the official programs leave in their files."""


HParams.__module__ = "utils"


def hyper_parameters(**values: Any) -> HParams:
    """Hyper-parameters as such objects, one inside the other."""
    found = HParams()
    for name, value in values.items():
        setattr(found, name, hyper_parameters(**value) if isinstance(value, Mapping) else value)
    return found


def saved(value: Any, *, legacy: bool = False) -> bytes:
    """A file as `torch.save` makes it in the official programs."""
    buffer = io.BytesIO()
    module = types.ModuleType("utils")
    module.HParams = HParams  # type: ignore[attr-defined]
    sys.modules["utils"] = module
    try:
        torch.save(value, buffer, _use_new_zipfile_serialization=not legacy)
    finally:
        del sys.modules["utils"]
    return buffer.getvalue()


def write(path: Path, value: Any, *, head: bytes | None = None, legacy: bool = False) -> Path:
    """Writes a file, with other first two bytes if wanted."""
    data = saved(value, legacy=legacy)
    path.write_bytes(data if head is None else head + data[2:])
    return path


def zip_with(pickled: bytes, members: Mapping[str, bytes] | None = None, *, compression: int = 0) -> bytes:
    """A zip as torch's, around a pickle of one's own."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        for name, data in (members or {}).items():
            archive.writestr(name, data)
    return buffer.getvalue()


def storage_reference(key: str = "0", numel: int = 4, kind: str = "FloatStorage") -> bytes:
    """The instructions that put a storage on the stack."""
    return (
        b"(X\x07\x00\x00\x00storagectorch\n" + kind.encode() + b"\n" + text(key) + text("cpu") + integer(numel) + b"tQ"
    )


def text(value: str) -> bytes:
    """The instruction for a string."""
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def integer(value: int) -> bytes:
    """The instruction for an integer."""
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def tensor_call(
    storage: bytes, *, offset: int = 0, shape: tuple[int, ...] = (4,), stride: tuple[int, ...] = (1,)
) -> bytes:
    """The instructions that make a tensor of a storage."""
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + integer(offset)
        + b"(" + b"".join(map(integer, shape)) + b"t(" + b"".join(map(integer, stride)) + b"t"
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )  # fmt: skip


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def pickled(value: Any, protocol: int = 2) -> bytes:
    """A pickle by Python itself."""
    return pickle.dumps(value, protocol)


def state(weights: Mapping[str, Tensor]) -> OrderedDict[str, Tensor]:
    """A state dict, with the attribute that torch's have."""
    found = OrderedDict(weights)
    found._metadata = OrderedDict({"": {"version": 1}})  # type: ignore[attr-defined]
    return found


def semantic_shapes(
    *, phonemes: int = 732, width: int = 16, layers: int = 2, codes: int = 33, context: int = 12
) -> dict[str, tuple[int, ...]]:
    """Published keys of a tiny semantic GPT."""
    shapes: dict[str, tuple[int, ...]] = {
        "bert_proj.weight": (width, context),
        "bert_proj.bias": (width,),
        "ar_text_embedding.word_embeddings.weight": (phonemes, width),
        "ar_text_position.alpha": (1,),
        "ar_audio_embedding.word_embeddings.weight": (codes, width),
        "ar_audio_position.alpha": (1,),
        "ar_predict_layer.weight": (codes, width),
    }
    for layer in range(layers):
        names = {
            "self_attn.in_proj_weight": (3 * width, width),
            "self_attn.in_proj_bias": (3 * width,),
            "self_attn.out_proj.weight": (width, width),
            "self_attn.out_proj.bias": (width,),
            "linear1.weight": (2 * width, width),
            "linear1.bias": (2 * width,),
            "linear2.weight": (width, 2 * width),
            "linear2.bias": (width,),
        }
        names |= {f"norm{place}.{kind}": (width,) for place in (1, 2) for kind in ("weight", "bias")}
        shapes |= {f"h.layers.{layer}.{name}": shape for name, shape in names.items()}
    return shapes


SOVITS_SIZES: dict[str, Any] = {
    "inter_channels": 8,
    "hidden_channels": 16,
    "filter_channels": 32,
    "n_heads": 2,
    "n_layers": 2,
    "kernel_size": 3,
    "p_dropout": 0.1,
    "resblock": "1",
    "resblock_kernel_sizes": [3],
    "resblock_dilation_sizes": [[1]],
    "upsample_rates": [10, 8, 2, 2, 2],
    "upsample_initial_channel": 64,
    "upsample_kernel_sizes": [16, 16, 8, 2, 2],
    "gin_channels": 32,
    "semantic_frame_rate": "25hz",
}
"""What a tiny SoVITS was built with, as its file says."""


def sovits_shapes(
    *, phonemes: int = 732, codes: int = 32, ssl: int = 12, speaker: int = 0
) -> dict[str, tuple[int, ...]]:
    """Published keys of a tiny SoVITS with `SOVITS_SIZES`."""
    sizes = SOVITS_SIZES
    hidden, inner, latent, gin = (sizes[f"{n}_channels"] for n in ("hidden", "filter", "inter", "gin"))
    fusion, style = 32, 16
    shapes: dict[str, tuple[int, ...]] = {}

    def layer(name: str, *shape: int, split: bool = False, bias: bool = True, outputs: int | None = None) -> None:
        if split:
            shapes[f"{name}.weight_g"] = (shape[0], 1, 1)
        shapes[f"{name}.weight_v" if split else f"{name}.weight"] = shape
        if bias:
            shapes[f"{name}.bias"] = (outputs or shape[0],)

    for encoder, layers in (("encoder_ssl", 1), ("encoder_text", 2), ("encoder2", 1)):
        for index in range(layers):
            for part in "qkvo":
                layer(f"enc_p.{encoder}.attn_layers.{index}.conv_{part}", hidden, hidden, 1)
            for part in "kv":
                shapes[f"enc_p.{encoder}.attn_layers.{index}.emb_rel_{part}"] = (1, 9, hidden // 2)
            layer(f"enc_p.{encoder}.ffn_layers.{index}.conv_1", inner, hidden, 3)
            layer(f"enc_p.{encoder}.ffn_layers.{index}.conv_2", hidden, inner, 3)
            for norm in ("norm_layers_1", "norm_layers_2"):
                shapes |= {f"enc_p.{encoder}.{norm}.{index}.{kind}": (hidden,) for kind in ("gamma", "beta")}
    layer("enc_p.ssl_proj", hidden, ssl, 1)
    layer("enc_p.text_embedding", phonemes, hidden, bias=False)
    for part in "qkvo":
        layer(f"enc_p.mrte.cross_attention.conv_{part}", fusion, fusion, 1)
    layer("enc_p.mrte.c_pre", fusion, hidden, 1)
    layer("enc_p.mrte.text_pre", fusion, hidden, 1)
    layer("enc_p.mrte.c_post", hidden, fusion, 1)
    layer("enc_p.proj", 2 * latent, hidden, 1)
    for flow in range(0, 8, 2):
        layer(f"flow.flows.{flow}.pre", hidden, latent // 2, 1)
        layer(f"flow.flows.{flow}.post", latent // 2, hidden, 1)
        layer(f"flow.flows.{flow}.enc.cond_layer", 4 * hidden, gin, 1, split=True)
        for index in range(2):
            layer(f"flow.flows.{flow}.enc.in_layers.{index}", 2 * hidden, hidden, 5, split=True)
            layer(f"flow.flows.{flow}.enc.res_skip_layers.{index}", (2 - index) * hidden, hidden, 1, split=True)
    channels = sizes["upsample_initial_channel"]
    layer("dec.conv_pre", channels, latent, 7)
    layer("dec.cond", channels, gin, 1)
    for index, kernel in enumerate(sizes["upsample_kernel_sizes"]):
        layer(f"dec.ups.{index}", channels, channels // 2, kernel, split=True, outputs=channels // 2)
        channels //= 2
        for convs in ("convs1", "convs2"):
            layer(f"dec.resblocks.{index}.{convs}.0", channels, channels, 3, split=True)
    layer("dec.conv_post", 1, channels, 7, bias=False)
    layer("ref_enc.spectral.0.fc", style, 1025 if phonemes == 322 else 704)
    layer("ref_enc.spectral.3.fc", style, style)
    for index in range(2):
        layer(f"ref_enc.temporal.{index}.conv1.conv", 2 * style, style, 5)
    for part in ("w_qs", "w_ks", "w_vs", "fc"):
        layer(f"ref_enc.slf_attn.{part}", style, style)
    layer("ref_enc.fc.fc", gin, style)
    layer("ssl_proj", ssl, ssl, 2)
    codebook = "quantizer.vq.layers.0._codebook"
    shapes |= {f"{codebook}.embed": (codes, ssl), f"{codebook}.embed_avg": (codes, ssl)}
    shapes |= {f"{codebook}.inited": (1,), f"{codebook}.cluster_size": (codes,)}
    if speaker:
        layer("sv_emb", gin, speaker)
        layer("ge_to512", fusion, gin)
        shapes["prelu.weight"] = (gin,)
    return shapes


def random_weights(
    shapes: Mapping[str, tuple[int, ...]], *, seed: int = 0, prefix: str = ""
) -> OrderedDict[str, Tensor]:
    """Weights in half precision, as files hold them; norms and scales are ones."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes.items():
        spread = max(1, torch.Size(shape[1:]).numel()) ** -0.5
        value = torch.randn(shape, generator=generator) * spread
        ones = name.endswith(("norm1.weight", "norm2.weight", "gamma", "alpha", "weight_g", "inited"))
        weights[prefix + name] = (torch.ones(shape) if ones else value).half()
    return state(weights)


def write_semantic(path: Path, *, seed: int = 0, head: bytes | None = None, **sizes: int) -> Path:
    """A file as `GPT_weights/NAME-e15.ckpt`."""
    weights = random_weights(semantic_shapes(**sizes), seed=seed, prefix="model.")
    config = {"model": {"head": 2, "vocab_size": sizes.get("codes", 33), "dropout": 0}, "train": {"epochs": 15}}
    return write(path, {"weight": weights, "config": config, "info": "GPT-e15"}, head=head)


def write_sovits(path: Path, *, seed: int = 1, head: bytes | None = None, legacy: bool = False, **sizes: int) -> Path:
    """A file as `SoVITS_weights/NAME_e8_s200.pth`."""
    value = {
        "weight": random_weights(sovits_shapes(**sizes), seed=seed),
        "config": hyper_parameters(train={"epochs": 8}, data={"sampling_rate": 32000}, model=SOVITS_SIZES),
        "info": "8epoch_200iteration",
    }
    return write(path, value, head=head, legacy=legacy)
