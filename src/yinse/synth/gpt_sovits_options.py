"""Choices when GPT-SoVITS models speak: the published program's, each by a name, and those we think better."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, get_args

from yinse.core.errors import ConfigError
from yinse.models.hifigan_prepared import bfloat16_pays
from yinse.models.semantic_precision import Precision as SemanticPrecision
from yinse.models.semantic_precision import int8_pays
from yinse.models.semantic_sampling import SamplingOptions
from yinse.models.sovits import NOISE_SCALE
from yinse.models.sovits import Precision as SoVITSPrecision
from yinse.text.cuts import METHODS

SENTENCES = "sentences"


@dataclass(frozen=True, kw_only=True)
class GptSovitsOptions:
    """How GPT-SoVITS models take on a voice and speak. The defaults are the published program's.

    Attributes:
        sampling: how codes are drawn, and when they end.
        noise_scale: spread of SoVITS around its mean.
        cut: "cut0" to "cut5" (see `yinse.text.cuts`), or "sentences": at the ends of sentences, in flat memory.
        pause_before_short: a text whose first clause has fewer than four characters begins with a pause.
        batch: sentences whose codes are written at once; each gets the codes it would get alone.
        decode_batch_as_one: SoVITS speaks the sentences of a batch as if they were one, where the speed is 1.
        pause_s: silence after a sentence; None: what the request says.
        pause_at_end: it follows the last sentence, too.
        reference_silence_s: silence put behind the reference before its codes are found. The published program means
            0.3 s and puts 0.6: it counts samples at 32 kHz and adds them to a recording at 16 kHz.
        shortest_reference_s, longest_reference_s: a reference whose manner is continued.
        choose_reference: take the most typical stretch of fitting length out of all there is, joining utterances that
            are too short and cutting those that are too long; else the first one must fit.
        timbre_clips: how many utterances the timbre is averaged over, the reference among them.
        allow_missing_context: speak Mandarin without BERT, which is heard; else its absence is an error.
        chunk_codes: pieces of at least so many codes are spoken while the rest is still written; 0: whole sentences.
        cut_at_silence: pieces end where the code is most like silence, else after exactly `chunk_codes`.
        silence_code: the code of silence.
        silence_similarity: least likeness to silence at such an end.
        overlap_codes: codes that a piece shares with the one before it, faded over.
        search_samples: how far a piece may be shifted to meet the one before it; 0: not at all.
        semantic_precision: "exact", or "int8": faster, but other codes.
        sovits_precision: "exact", or "bfloat16": faster where the processor has such products.
        retries: how often a sentence that fails its check is spoken again with another seed; 0: nobody checks. What is
            streamed in pieces is not checked.

    Raises:
        ConfigError: a value that makes no sense.
    """

    sampling: SamplingOptions = field(default_factory=SamplingOptions)
    noise_scale: float = NOISE_SCALE
    cut: str = "cut5"
    pause_before_short: bool = True
    batch: int = 1
    decode_batch_as_one: bool = True
    pause_s: float | None = 0.3
    pause_at_end: bool = True
    reference_silence_s: float = 0.6
    shortest_reference_s: float = 3.0
    longest_reference_s: float = 10.0
    choose_reference: bool = False
    timbre_clips: int = 1
    allow_missing_context: bool = False
    chunk_codes: int = 0
    cut_at_silence: bool = True
    silence_code: int = 486
    silence_similarity: float = 0.0
    overlap_codes: int = 2
    search_samples: int = 320
    semantic_precision: SemanticPrecision = "exact"
    sovits_precision: SoVITSPrecision = "exact"
    retries: int = 0

    def __post_init__(self) -> None:
        if self.cut not in (*METHODS, SENTENCES):
            raise ConfigError(
                f"there is no way to cut called '{self.cut}'", advice=f"Use one of {', '.join((*METHODS, SENTENCES))}."
            )
        for name, known in (
            (self.semantic_precision, get_args(SemanticPrecision)),
            (self.sovits_precision, get_args(SoVITSPrecision)),
        ):
            if name not in known:
                raise ConfigError(f"there is no precision called '{name}'", advice=f"Use one of {', '.join(known)}.")
        if min(self.batch, self.timbre_clips, self.overlap_codes) < 1:
            raise ConfigError("batch, timbre_clips and overlap_codes are at least 1")
        if min(self.noise_scale, self.pause_s or 0.0, self.reference_silence_s, self.chunk_codes, self.retries) < 0:
            raise ConfigError("noise, pauses, chunks and retries cannot be negative")
        if not 0 < self.shortest_reference_s < self.longest_reference_s:
            raise ConfigError("the shortest reference must be shorter than the longest")
        if self.chunk_codes and self.chunk_codes <= self.overlap_codes:
            raise ConfigError("a piece must be longer than what it shares with the one before it")


OFFICIAL = GptSovitsOptions()
"""The published program."""
RECOMMENDED = replace(
    OFFICIAL,
    cut=SENTENCES,
    batch=4,
    decode_batch_as_one=False,
    pause_s=None,
    pause_at_end=False,
    reference_silence_s=0.3,
    choose_reference=True,
    timbre_clips=8,
    retries=2,
)
"""What `yinse models import` chooses, with reasons in docs/guide/gpt-sovits.md."""
PRESETS: Mapping[str, GptSovitsOptions] = MappingProxyType({"official": OFFICIAL, "recommended": RECOMMENDED})

PRECISIONS: Mapping[str, tuple[SemanticPrecision, SoVITSPrecision]] = MappingProxyType(
    {"fp32": ("exact", "exact"), "bf16": ("exact", "bfloat16"), "int8": ("int8", "bfloat16")}
)
"""How exactly the semantic GPT and SoVITS reckon, by the names that users give: docs/adr/0005 and 0006."""


def with_precision(options: GptSovitsOptions, name: str) -> GptSovitsOptions:
    """Options with a precision that is at least as fast as "fp32" on this processor.

    Args:
        options: all others.
        name: of `PRECISIONS`. With "int8", SoVITS reckons in bfloat16 where the processor has such products.

    Raises:
        ConfigError: no such precision, or this processor would be slower with it.
    """
    if name not in PRECISIONS:
        raise ConfigError(f"there is no precision called '{name}'", advice=f"Use one of {', '.join(PRECISIONS)}.")
    semantic, sovits = PRECISIONS[name]
    if (name == "bf16" and not bfloat16_pays()) or (name == "int8" and not int8_pays()):
        raise ConfigError(f"this processor is not faster in {name}", advice="Use fp32.")
    if not bfloat16_pays():
        sovits = "exact"
    return replace(options, semantic_precision=semantic, sovits_precision=sovits)


def options_from(chosen: Mapping[str, Any]) -> GptSovitsOptions:
    """Options as a model folder names them: a "preset", and what differs from it; "sampling" is a mapping of its own.

    Raises:
        ConfigError: an unknown name, or a value that makes no sense.
    """
    given = dict(chosen)
    preset = given.pop("preset", "official")
    if preset not in PRESETS:
        raise ConfigError(f"there is no preset called '{preset}'", advice=f"Use one of {', '.join(PRESETS)}.")
    options = PRESETS[preset]
    try:
        if "sampling" in given:
            given["sampling"] = replace(options.sampling, **given["sampling"])
        return replace(options, **given)
    except TypeError as error:
        known = ", ".join(field.name for field in dataclasses.fields(GptSovitsOptions))
        raise ConfigError(f"a choice at synthesis makes no sense ({error})", advice=f"Known: {known}.") from error
