"""What the weights of published SoVITS models are called here, and what sizes they have."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from yinse.core.errors import CheckpointKeys, ConfigError
from yinse.models.hifigan import GeneratorConfig
from yinse.models.sovits import SoVITSConfig

_ATTENTION = (("conv_q", "query"), ("conv_k", "key"), ("conv_v", "value"), ("conv_o", "output"))
_LAYER = (
    (r"attn_layers\.(\d+)\.emb_rel_k", r"\1.attention.distance_keys"),
    (r"attn_layers\.(\d+)\.emb_rel_v", r"\1.attention.distance_values"),
    *((rf"attn_layers\.(\d+)\.{theirs}", rf"\1.attention.{ours}") for theirs, ours in _ATTENTION),
    (r"norm_layers_1\.(\d+)\.gamma", r"\1.attention_norm.weight"),
    (r"norm_layers_1\.(\d+)\.beta", r"\1.attention_norm.bias"),
    (r"norm_layers_2\.(\d+)\.gamma", r"\1.feed_norm.weight"),
    (r"norm_layers_2\.(\d+)\.beta", r"\1.feed_norm.bias"),
    (r"ffn_layers\.(\d+)\.conv_1", r"\1.feed_in"),
    (r"ffn_layers\.(\d+)\.conv_2", r"\1.feed_out"),
)
_ENCODERS = (("encoder_ssl", "code_encoder"), ("encoder_text", "phoneme_encoder"), ("encoder2", "joint_encoder"))

RENAMED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(theirs), ours)
    for theirs, ours in (
        (r"ssl_proj", "semantic_projection"),
        (r"quantizer\.vq\.layers\.0\._codebook\.embed", "codebook.weight"),
        (r"enc_p\.ssl_proj", "prior.codes_in"),
        (r"enc_p\.text_embedding", "prior.phoneme_embedding"),
        *(
            (rf"enc_p\.{encoder}\.{theirs}", f"prior.{name}.{ours}")
            for encoder, name in _ENCODERS
            for theirs, ours in _LAYER
        ),
        *(
            (rf"enc_p\.mrte\.cross_attention\.{theirs}", f"prior.fusion.attention.{ours}")
            for theirs, ours in _ATTENTION
        ),
        (r"enc_p\.mrte\.c_pre", "prior.fusion.codes_in"),
        (r"enc_p\.mrte\.text_pre", "prior.fusion.phonemes_in"),
        (r"enc_p\.mrte\.c_post", "prior.fusion.leave"),
        (r"enc_p\.proj", "prior.statistics"),
        (r"flow\.flows\.(\d+)\.pre", r"flow.couplings.\1.enter"),
        (r"flow\.flows\.(\d+)\.post", r"flow.couplings.\1.leave"),
        (r"flow\.flows\.(\d+)\.enc\.cond_layer", r"flow.couplings.\1.network.condition"),
        (r"flow\.flows\.(\d+)\.enc\.in_layers\.(\d+)", r"flow.couplings.\1.network.gates.\2"),
        (r"flow\.flows\.(\d+)\.enc\.res_skip_layers\.(\d+)", r"flow.couplings.\1.network.outputs.\2"),
        (r"dec", "generator"),
        (r"ref_enc\.spectral\.(\d+)\.fc", r"style.spectral.\1"),
        (r"ref_enc\.temporal\.(\d+)\.conv1\.conv", r"style.temporal.\1.convolution"),
        (r"ref_enc\.slf_attn\.w_qs", "style.query"),
        (r"ref_enc\.slf_attn\.w_ks", "style.key"),
        (r"ref_enc\.slf_attn\.w_vs", "style.value"),
        (r"ref_enc\.slf_attn\.fc", "style.output"),
        (r"ref_enc\.fc\.fc", "style.leave"),
        (r"sv_emb", "speaker_projection"),
        (r"ge_to512", "fusion_projection"),
        (r"prelu", "speaker_activation"),
    )
)
"""Published beginning of a key (a regular expression), and what stands here for it."""

DROPPED: Mapping[str, str] = MappingProxyType(
    {
        "enc_q.": "posterior encoder, for training only",
        "quantizer.vq.layers.0._codebook.inited": "state of the codebook's own training",
        "quantizer.vq.layers.0._codebook.cluster_size": "state of the codebook's own training",
        "quantizer.vq.layers.0._codebook.embed_avg": "state of the codebook's own training",
    }
)
"""Published beginning of a key that is left out on purpose, and why."""


@dataclass(frozen=True)
class ConvertedWeights:
    """Published weights under our names.

    Attributes:
        weights: ready for `SoVITS.load_state_dict`, in the precision they had.
        dropped: published keys left out on purpose (`DROPPED` says why).
        unexpected: published keys that no part of the model is known by.
    """

    weights: dict[str, Tensor]
    dropped: tuple[str, ...]
    unexpected: tuple[str, ...]


def our_name(key: str) -> str | None:
    """Our name of a published key, None if it has none."""
    for pattern, ours in RENAMED:
        found = re.match(rf"{pattern.pattern}(?=\.|$)", key)
        if found:
            name = found.expand(ours) + key[found.end() :]
            # the published flow counts the turns of the channels between its couplings, too
            return re.sub(r"(?<=^flow\.couplings\.)\d+", lambda count: str(int(count[0]) // 2), name)
    return None


def convert_official(weights: Mapping[str, Tensor]) -> ConvertedWeights:
    """Rename published weights, and multiply split ones (`weight_g`, `weight_v`) together again.

    Raises:
        CheckpointKeys: a split weight without its other half.
    """
    converted: dict[str, Tensor] = {}
    dropped, unexpected = [], []
    for key, value in weights.items():
        if key.startswith(tuple(DROPPED)):
            dropped.append(key)
            continue
        name = our_name(key)
        if name is None:
            unexpected.append(key)
        elif name.endswith(("distance_keys", "distance_values")):
            converted[name] = value[0]
        else:
            converted[name] = value
    for name in [name for name in converted if name.endswith(".weight_v")]:
        stem = name.removesuffix("_v")
        if f"{stem}_g" not in converted:
            raise CheckpointKeys(name, missing=[f"{stem}_g"], unexpected=[])
        direction, length = converted.pop(name).float(), converted.pop(f"{stem}_g").float()
        converted[stem] = direction * (length / torch.linalg.vector_norm(direction, dim=(1, 2), keepdim=True))
    halves = [name for name in converted if name.endswith(".weight_g")]
    if halves:
        raise CheckpointKeys(halves[0], missing=[f"{name[:-1]}v" for name in halves], unexpected=[])
    return ConvertedWeights(converted, tuple(dropped), tuple(unexpected))


def config_from_official(sizes: Mapping[str, Any], shapes: Mapping[str, Sequence[int]]) -> SoVITSConfig:
    """The configuration of published weights.

    Args:
        sizes: the checkpoint's `config["model"]`: what the published class was built with.
        shapes: of all published keys; what the sizes leave open is read off them.

    Raises:
        ConfigError: a size or a key that tells one is missing, or the sizes do not fit together.
    """
    try:
        phonemes, hidden = shapes["enc_p.text_embedding.weight"]
        condition = int(sizes["gin_channels"])
        latent = int(sizes["inter_channels"])
        return SoVITSConfig(
            phonemes=int(phonemes),
            codes=int(shapes["quantizer.vq.layers.0._codebook.embed"][0]),
            ssl_size=int(shapes["ssl_proj.weight"][0]),
            frames_per_code=int(shapes["ssl_proj.weight"][2]),
            latent=latent,
            hidden=int(hidden),
            inner=int(sizes["filter_channels"]),
            heads=int(sizes["n_heads"]),
            layers=int(sizes["n_layers"]),
            kernel=int(sizes["kernel_size"]),
            window=int(shapes["enc_p.encoder_text.attn_layers.0.emb_rel_k"][1]) // 2,
            dropout=float(sizes.get("p_dropout", 0.1)),
            fusion_hidden=int(shapes["enc_p.mrte.c_pre.weight"][0]),
            reference_bins=int(shapes["ref_enc.spectral.0.fc.weight"][1]),
            style_hidden=int(shapes["ref_enc.spectral.0.fc.weight"][0]),
            style_kernel=int(shapes["ref_enc.temporal.0.conv1.conv.weight"][2]),
            condition=condition,
            speaker_vector=int(shapes["sv_emb.weight"][1]) if "sv_emb.weight" in shapes else 0,
            couplings=len([key for key in shapes if re.fullmatch(r"flow\.flows\.\d+\.pre\.weight", key)]),
            flow_kernel=int(shapes["flow.flows.0.enc.in_layers.0.weight_v"][2]),
            flow_layers=len([key for key in shapes if re.match(r"flow\.flows\.0\.enc\.in_layers\.\d+\.bias", key)]),
            generator=GeneratorConfig(
                inputs=latent,
                channels=int(sizes["upsample_initial_channel"]),
                upsampling=_integers(sizes["upsample_rates"]),
                upsampling_kernels=_integers(sizes["upsample_kernel_sizes"]),
                resblock_kernels=_integers(sizes["resblock_kernel_sizes"]),
                resblock_dilations=tuple(_integers(row) for row in sizes["resblock_dilation_sizes"]),
                paired=str(sizes["resblock"]) == "1",
                condition=condition,
                weight_norm=False,
                output_bias="dec.conv_post.bias" in shapes,
            ),
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ConfigError(
            f"these are not the sizes of a SoVITS: {error}",
            advice="Give the weights and the configuration of one file.",
        ) from error


def _integers(values: Sequence[Any]) -> tuple[int, ...]:
    return tuple(int(value) for value in values)
