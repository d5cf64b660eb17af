"""How recordings are cleaned and cut: one set of options, from code or from a JSON or TOML file."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from yinse.audio.compressor import CompressorSettings
from yinse.audio.denoise import DEFAULT_METHOD, METHODS
from yinse.audio.loudness import CEILING_DBTP, TARGET_LUFS
from yinse.audio.quality import QualityLimits
from yinse.audio.rumble import RUMBLE_BELOW_HZ
from yinse.audio.slicing import SHORTEST_S
from yinse.core.errors import ConfigError, UnknownName

_RATES_HZ = (8_000, 192_000)
_LOUDNESS_LUFS = (-40.0, -5.0)


@dataclass(frozen=True, slots=True)
class CleaningOptions:
    """How a recording is cleaned, and how it is cut. The defaults are those of cloning.

    Attributes:
        rate_hz: sample rate of the result; None: that of the recording.
        highpass_hz: rumble below this frequency is taken away.
        repair_clicks: whether short clicks are found and filled.
        denoise: name of the denoiser, see `yinse.audio.denoise.METHODS`.
        strength: share of the denoised signal, 0 to 1; None: as much as the noise calls for.
        strength_in_speech: without a given strength, share of a network's result at most while somebody speaks, 0 to 1:
            all of it makes voices more alike, less of it keeps words.
        noise_from: for the gate, start and end in seconds of a passage without speech.
        denoise_below_db: without a given strength, recordings whose signal-to-noise ratio is above this are left to
            their own noise.
        margin_s: silence kept at both ends.
        compression: gentle compression of the dynamic range; None: none.
        target_lufs: loudness of the result.
        ceiling_dbtp: highest true peak of the result.
        shortest_s: shortest utterance wanted.
        longest_s: longest utterance wanted.
        limits: what is warned about, and what is refused.

    Raises:
        ConfigError: a value is out of range.
        UnknownName: there is no such denoiser.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    rate_hz: int | None = None
    highpass_hz: float = RUMBLE_BELOW_HZ
    repair_clicks: bool = False
    denoise: str = DEFAULT_METHOD
    strength: float | None = None
    strength_in_speech: float = 1.0
    noise_from: tuple[float, float] | None = None
    denoise_below_db: float = 30.0
    margin_s: float = 0.1
    compression: CompressorSettings | None = None
    target_lufs: float = TARGET_LUFS
    ceiling_dbtp: float = CEILING_DBTP
    shortest_s: float = 2.0
    longest_s: float = 12.0
    limits: QualityLimits = field(default_factory=QualityLimits)

    def __post_init__(self) -> None:
        if self.denoise not in METHODS:
            raise UnknownName("denoiser", self.denoise, METHODS)
        for name, value, (low, high) in (
            ("rate_hz", self.rate_hz, _RATES_HZ),
            ("strength", self.strength, (0.0, 1.0)),
            ("strength_in_speech", self.strength_in_speech, (0.0, 1.0)),
            ("highpass_hz", self.highpass_hz, (1.0, 300.0)),
            ("margin_s", self.margin_s, (0.0, 2.0)),
            ("target_lufs", self.target_lufs, _LOUDNESS_LUFS),
            ("ceiling_dbtp", self.ceiling_dbtp, (-20.0, 0.0)),
            ("shortest_s", self.shortest_s, (SHORTEST_S, 60.0)),
        ):
            if value is not None and not low <= value <= high:
                raise ConfigError(f"{name} is {value:g}", advice=f"Use {low:g} to {high:g}.")
        if self.longest_s <= self.shortest_s:
            raise ConfigError(
                f"longest_s is {self.longest_s:g}", advice=f"Use more than shortest_s ({self.shortest_s:g})."
            )


PREPARATION = CleaningOptions(
    rate_hz=32_000,
    repair_clicks=True,
    strength_in_speech=0.65,
    compression=CompressorSettings(),
    target_lufs=-17.0,
    margin_s=0.15,
)
"""Options of `yinse prep`: material to train on, whatever the model."""


def load_options(path: Path, *, base: CleaningOptions = PREPARATION) -> CleaningOptions:
    """Reads options from a `.json` or `.toml` file; what it does not name stays as in `base`.

    Raises:
        ConfigError: the file cannot be read, or a name or value in it makes no sense; the message says which.
    """
    return options_from(_read(path), base=base, where=path.name)


def options_from(
    changes: dict[str, Any], *, base: CleaningOptions = PREPARATION, where: str | None = None
) -> CleaningOptions:
    """Options with some changes, as nested names and values.

    Raises:
        ConfigError: a name or value makes no sense; the message says which.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(CleaningOptions).validate_python(_merged(asdict(base), changes))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"'{name}': {first['msg'][0].lower()}{first['msg'][1:]}",
            where=where,
            advice="yinse prep --schema shows every name with its kind.",
        ) from error
    except (ConfigError, UnknownName) as error:
        raise ConfigError(error.what, where=where, advice=error.advice) from error


def options_schema() -> dict[str, Any]:
    """JSON schema of a file of options."""
    from pydantic import TypeAdapter

    return TypeAdapter(CleaningOptions).json_schema()


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the file cannot be read ({error})", where=str(path)) from error
    if path.suffix.lower() not in (".json", ".toml"):
        raise ConfigError(f"'{path.suffix}' is no file of options", where=path.name, advice="Use .json or .toml.")
    try:
        found = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise ConfigError(f"the file is damaged: {error}", where=path.name) from error
    if not isinstance(found, dict):
        raise ConfigError("the file holds no names with values", where=path.name)
    return found


def _merged(base: Any, changes: Any) -> Any:
    if isinstance(base, dict) and isinstance(changes, dict):
        return {**base, **{name: _merged(base.get(name), value) for name, value in changes.items()}}
    return changes
