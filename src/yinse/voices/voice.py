"""A voice: everything that makes a person sound like themselves, and whose it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yinse.core.errors import VoiceError

Tensors = Mapping[str, NDArray[Any]]

REQUIRED_SHAPES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"speaker_vector": (256,), "mean_spectrum": (100,), "floor_depth": (8,), "numbers": (4,)}
)
ADAPTER_PREFIX = "adapter."
READOUT = "readout"
TOLD_VECTOR = "told_vector"
FOREIGN_PREFIX = "foreign."
REFERENCE_DIMENSIONS: Mapping[str, int] = MappingProxyType(
    {"reference_condition": 1, "reference_codes": 1, "reference_phonemes": 1, "reference_context": 2}
)
"""Tensors of voices for GPT-SoVITS models; their sizes are those of the model."""
_FOREIGN = re.compile(rf"{re.escape(FOREIGN_PREFIX)}([a-z]+)\.(?:{TOLD_VECTOR}|{READOUT}|numbers)")
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_NAME_CHARACTERS = 64


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Voice:
    """A person's voice as a model can take it on.

    Attributes:
        id: opaque, of the characters a-z, 0-9 and "-"; names the file.
        name: what the user calls it.
        languages: those the person speaks in the recordings, "zh" and "en".
        tensors: of a native voice: `speaker_vector (256,)` of length 1; `mean_spectrum (100,)` and `floor_depth (8,)`
            in nats; `numbers (4,)`: log F0 median, log F0 spread, tempo, duration scale; optional style reference
            `style_symbols (T_ph,)` and `style_tokens (T_ph, 3)`, integers; optional `told_vector (256,)`, which the
            networks are told in place of `speaker_vector`; optional `readout (100, C + 1)`, the voice's part of the
            acoustic model's last layer, and `adapter.*`, in half precision; optional `foreign.LANGUAGE.*`, for
            `tensors_in`.
            Of a voice for GPT-SoVITS models: `reference_condition (D,)`, the timbre; and what continues the reference's
            manner, if its text is known: `reference_codes (T,)` and `reference_phonemes (T_ph,)`, integers, and
            `reference_context (T_ph, C)`, if there is any.
        bandwidth_hz: highest frequency heard in the recordings.
        model_fingerprint: the model set that the tensors belong to.
        licence: under which it may be used.
        created: ISO 8601 time.
        synthetic: nobody's voice.
        consent: who agreed to what, if it was recorded.
        retention: until when it may be kept, if that was agreed.
        figures: what was measured on it, such as similarity before and after tuning.

    Raises:
        VoiceError: a tensor is missing, unknown, of a wrong shape or not finite; the name or id cannot be used.
    """

    id: str
    name: str
    languages: tuple[str, ...]
    tensors: Tensors
    bandwidth_hz: float
    model_fingerprint: str
    licence: str
    created: str
    synthetic: bool
    consent: Mapping[str, Any] | None = None
    retention: Mapping[str, Any] | None = None
    figures: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _IDENTIFIER.fullmatch(self.id):
            raise VoiceError(f"'{self.id}' is not a voice id", advice="Use a-z, 0-9 and '-'.")
        check_name(self.name)
        if "reference_condition" in self.tensors:
            _check_reference(self.tensors, where=self.name)
        else:
            foreign = {found[1] for name in self.tensors if (found := _FOREIGN.fullmatch(name))}
            for language in ("", *sorted(foreign)):
                _check_tensors(self.tensors_in(language), where=self.name)
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))

    @property
    def is_tuned(self) -> bool:
        """Whether the model was adapted to it."""
        return any(name.startswith(ADAPTER_PREFIX) for name in self.tensors)

    def tensors_in(self, language: str) -> Tensors:
        """The voice where it speaks a language: other tensors may stand for it in one that it was not recorded in.

        Tuning is of the language that was recorded, so it is not among them.
        """
        prefix = f"{FOREIGN_PREFIX}{language}."
        foreign = {name.removeprefix(prefix): of for name, of in self.tensors.items() if name.startswith(prefix)}
        if not foreign:
            return self.tensors
        shared = {n: of for n, of in self.tensors.items() if not n.startswith((ADAPTER_PREFIX, FOREIGN_PREFIX))}
        return MappingProxyType({**shared, **foreign})


def check_name(name: str) -> None:
    """Accepts what can be printed on one line.

    Raises:
        VoiceError: empty, too long, or with spaces at its ends or control characters in it.
    """
    if not 1 <= len(name) <= _NAME_CHARACTERS or name != name.strip() or not name.isprintable():
        raise VoiceError(
            f"{name[:80]!r} cannot be the name of a voice", advice=f"Use 1 to {_NAME_CHARACTERS} printable characters."
        )


def _check_tensors(tensors: Tensors, *, where: str) -> None:
    for name, shape in REQUIRED_SHAPES.items():
        if name not in tensors:
            raise VoiceError(f"the tensor '{name}' is missing", where=where)
        if tensors[name].shape != shape:
            raise VoiceError(f"the tensor '{name}' has shape {tensors[name].shape} instead of {shape}", where=where)
    if TOLD_VECTOR in tensors and tensors[TOLD_VECTOR].shape != tensors["speaker_vector"].shape:
        raise VoiceError(f"the tensor '{TOLD_VECTOR}' has shape {tensors[TOLD_VECTOR].shape}", where=where)
    style = [name in tensors for name in ("style_symbols", "style_tokens")]
    if any(style):
        symbols, tokens = tensors.get("style_symbols"), tensors.get("style_tokens")
        if symbols is None or tokens is None or symbols.ndim != 1 or tokens.shape != (len(symbols), 3):
            raise VoiceError("the style reference is incomplete", where=where)
        if symbols.dtype.kind not in "iu" or tokens.dtype.kind not in "iu":
            raise VoiceError("the style reference does not hold integers", where=where)
    for name in tensors:
        known = name in {*REQUIRED_SHAPES, TOLD_VECTOR, READOUT} or _FOREIGN.fullmatch(name)
        if not known and not name.startswith(("style_", ADAPTER_PREFIX)):
            raise VoiceError(f"the tensor '{name}' is unknown", where=where)
    _check_numbers(tensors, where=where)


def _check_reference(tensors: Tensors, *, where: str) -> None:
    for name, values in tensors.items():
        if values.ndim != REFERENCE_DIMENSIONS.get(name, -1):
            raise VoiceError(f"the tensor '{name}' is unknown or has shape {values.shape}", where=where)
        integers = name in ("reference_codes", "reference_phonemes")
        if integers != (values.dtype.kind in "iu") or (integers and (not values.size or values.min() < 0)):
            raise VoiceError(f"the tensor '{name}' holds the wrong kind of numbers", where=where)
    if ("reference_codes" in tensors) != ("reference_phonemes" in tensors):
        raise VoiceError("the reference is incomplete", where=where)
    if "reference_context" in tensors and len(tensors["reference_context"]) != len(
        tensors.get("reference_phonemes", ())
    ):
        raise VoiceError("the reference's context does not fit its phonemes", where=where)
    _check_numbers(tensors, where=where)


def _check_numbers(tensors: Tensors, *, where: str) -> None:
    for name, values in tensors.items():
        if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
            raise VoiceError(f"the tensor '{name}' holds values that are not finite numbers", where=where)
