"""Sizes of a whole native model set, as code and as JSON.

A configuration file names its vocoder by a word from a closed table and holds numbers, nothing else: data never
chooses code. The spectrogram, which all parts share, is written once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields, is_dataclass
from types import MappingProxyType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from yinse.core.errors import ConfigError, UnknownName
from yinse.models.acoustic import AcousticConfig
from yinse.models.aligner import AlignerConfig
from yinse.models.hifigan import HifiGanConfig, HifiGanVocoder
from yinse.models.prosody import DURATION_FRAMES, ProsodyConfig
from yinse.models.speaker import SpeakerEncoderConfig
from yinse.models.spectrogram import SpectrogramConfig
from yinse.models.symbol_ids import TONES
from yinse.models.vocoder import SourceFilterVocoder, VocoderConfig
from yinse.text.symbols import BASES, SYMBOLS

_VOCODER_CONFIGS: Mapping[str, type[VocoderConfig | HifiGanConfig]] = MappingProxyType(
    {"source-filter": VocoderConfig, "hifi-gan": HifiGanConfig}
)
_Config = TypeVar("_Config")


@dataclass(frozen=True)
class NativeConfig:
    """Sizes of all parts of a native model set.

    Raises:
        ConfigError: parts that do not fit together.
    """

    acoustic: AcousticConfig
    prosody: ProsodyConfig
    vocoder: VocoderConfig | HifiGanConfig
    speaker: SpeakerEncoderConfig

    def __post_init__(self) -> None:
        acoustic, prosody, speaker = self.acoustic, self.prosody, self.speaker
        _same("spectrogram", acoustic=acoustic.spectrogram, vocoder=self.vocoder.spectrogram)
        for name in ("symbols", "bases", "tones"):
            _same(name, acoustic=getattr(acoustic, name), prosody=getattr(prosody, name))
        _same(
            "size of the speaker vector",
            acoustic=acoustic.speaker_size,
            prosody=prosody.speaker_size,
            speaker=speaker.vector_size,
        )
        if speaker.mel_bins > self.spectrogram.mel_bins:
            raise ConfigError(f"the speaker encoder reads {speaker.mel_bins} bins of {self.spectrogram.mel_bins}")
        if prosody.width % (2 * prosody.heads):
            raise ConfigError(f"{prosody.heads} heads of even size do not fit into a width of {prosody.width}")

    @property
    def spectrogram(self) -> SpectrogramConfig:
        """The log-mel that all parts share."""
        return self.acoustic.spectrogram

    @property
    def aligner(self) -> AlignerConfig:
        """Sizes of the aligner that reads this log-mel."""
        return AlignerConfig(mel_bins=self.spectrogram.mel_bins, top_hz=self.spectrogram.mel_max_hz)

    def to_json(self) -> str:
        """The configuration as JSON text; `from_json` reads it back."""
        record: dict[str, Any] = {"spectrogram": _write(self.spectrogram)}
        for part in fields(self):
            value = getattr(self, part.name)
            record[part.name] = {k: v for k, v in _write(value).items() if k != "spectrogram"}
        kind = next(kind for kind, config in _VOCODER_CONFIGS.items() if isinstance(self.vocoder, config))
        record["vocoder"] = {"kind": kind, **record["vocoder"]}
        return json.dumps(record, indent=1)

    @classmethod
    def from_json(cls, text: str) -> NativeConfig:
        """Read what `to_json` wrote.

        Raises:
            ConfigError: no JSON object, an unknown or missing key, or a value of the wrong type; the key is named.
            UnknownName: a kind of vocoder that does not exist.
        """
        try:
            record = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"the configuration is not JSON: {error}") from error
        parts = _mapping(record, "configuration")
        names = ("spectrogram", *(part.name for part in fields(cls)))
        _check_keys(parts, "configuration", known=names, required=names)
        shared = {"spectrogram": parts["spectrogram"]}
        vocoder = dict(_mapping(parts["vocoder"], "vocoder"))
        kind = str(vocoder.pop("kind", ""))
        if kind not in _VOCODER_CONFIGS:
            raise UnknownName("vocoder", kind, _VOCODER_CONFIGS)
        return cls(
            acoustic=_read(AcousticConfig, parts["acoustic"], "acoustic", extra=shared),
            prosody=_read(ProsodyConfig, parts["prosody"], "prosody"),
            vocoder=_read(_VOCODER_CONFIGS[kind], vocoder, "vocoder", extra=shared),
            speaker=_read(SpeakerEncoderConfig, parts["speaker"], "speaker"),
        )


def base() -> NativeConfig:
    """The shipped sizes: small enough for a laptop's processor."""
    return NativeConfig(
        acoustic=AcousticConfig(symbols=len(SYMBOLS), bases=len(BASES), tones=TONES),
        prosody=ProsodyConfig(symbols=len(SYMBOLS), bases=len(BASES), tones=TONES),
        vocoder=VocoderConfig(),
        speaker=SpeakerEncoderConfig(),
    )


def large() -> NativeConfig:
    """The published sizes, for a GPU.

    A GPT of 6 layers, 768 wide, 12 heads, 3072 inner, with 500 prosody tokens in all; an acoustic model of 192
    channels and 80 mels; HiFi-GAN with upsampling 8 · 8 · 2 · 2 from 512 channels.
    """
    spectrogram = SpectrogramConfig(hop_samples=256, mel_bins=80)
    pitch_tokens = 256
    return NativeConfig(
        acoustic=AcousticConfig(
            symbols=len(SYMBOLS),
            bases=len(BASES),
            tones=TONES,
            channels=192,
            condition=256,
            text_blocks=6,
            melody_channels=192,
            melody_blocks=4,
            trunk_dilations=(1, 2, 4, 8, 1, 2, 4, 8),
            flow_dilations=(1, 2, 4, 8, 1, 2, 4, 8),
            dropout=0.1,
            spectrogram=spectrogram,
        ),
        prosody=ProsodyConfig(
            symbols=len(SYMBOLS),
            bases=len(BASES),
            tones=TONES,
            width=768,
            heads=12,
            layers=6,
            inner=3072,
            pitch_tokens=pitch_tokens,
            energy_tokens=500 - pitch_tokens - len(DURATION_FRAMES),
        ),
        vocoder=HifiGanConfig(spectrogram=spectrogram),
        # 70 of these 80 bins lie below 8 kHz
        speaker=SpeakerEncoderConfig(mel_bins=70),
    )


def build_vocoder(config: VocoderConfig | HifiGanConfig) -> SourceFilterVocoder | HifiGanVocoder:
    """The vocoder of a configuration, with fresh weights."""
    return HifiGanVocoder(config) if isinstance(config, HifiGanConfig) else SourceFilterVocoder(config)


def _same(what: str, **values: object) -> None:
    if len(set(values.values())) > 1:
        listed = ", ".join(f"{part} {value}" for part, value in values.items())
        raise ConfigError(f"the parts differ in their {what}: {listed}")


def _write(value: Any) -> Any:
    if is_dataclass(value):
        return {part.name: _write(getattr(value, part.name)) for part in fields(value)}
    return value


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"a table of settings is expected, not {value!r}", where=where)
    return value


def _check_keys(record: Mapping[str, Any], where: str, *, known: Iterable[str], required: Iterable[str]) -> None:
    known = sorted(known)
    for key in record:
        if key not in known:
            raise ConfigError(f"unknown key '{key}'", where=where, advice=f"Known: {', '.join(known)}.")
    for key in required:
        if key not in record:
            raise ConfigError(f"key '{key}' is missing", where=where)


def _read(config: type[_Config], value: Any, where: str, *, extra: Mapping[str, Any] | None = None) -> _Config:
    """A configuration class from its record; `extra` are settings that stand elsewhere in the file."""
    record = _mapping(value, where)
    shared = dict(extra or {})
    parts = [part for part in fields(config) if part.name not in shared]  # type: ignore[arg-type]
    _check_keys(
        record,
        where,
        known=(part.name for part in parts),
        required=(part.name for part in parts if part.default is MISSING and part.default_factory is MISSING),
    )
    hints = get_type_hints(config)
    return config(**{key: _value(hints[key], item, f"{where}.{key}") for key, item in {**record, **shared}.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    if is_dataclass(hint):
        return _read(hint, value, where)  # type: ignore[arg-type]
    if get_origin(hint) is UnionType:
        *others, last = get_args(hint)
        for other in others:
            with suppress(ConfigError):
                return _value(other, value, where)
        return _value(last, value, where)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"a list is expected, not {value!r}", where=where)
        return tuple(_value(get_args(hint)[0], item, where) for item in value)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise ConfigError(f"{hint.__name__} is expected, not {value!r}", where=where)
    return value
