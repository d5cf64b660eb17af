"""What a tuned voice does badly: held-out losses by phoneme and sentence type, as weights for the next prompts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from yinse.core.errors import BadText
from yinse.corpus import spoken_units as su
from yinse.text.mandarin import syllable_phonemes
from yinse.text.symbols import base_and_tone

_LEAST, _MOST = 0.5, 2.0
"""Bounds of a factor: a minute of speech holds few examples of a sound, and one bad one must not decide all."""
_PHONEME_FIGURE, _TYPE_FIGURE = "held_out_loss/", "held_out_loss_of_type/"


class HeldOutLosses(BaseModel):
    """Mean held-out loss by phoneme and by sentence type.

    Attributes:
        phonemes: in any unit (only ratios count), by base symbol without tone or stress, such as "sh", "ang", "AE".
        types: by sentence type, such as "yes/no question".
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    phonemes: dict[str, float] = Field(default_factory=dict)
    types: dict[str, float] = Field(default_factory=dict)

    def factor(self, kind: str, name: str) -> float:
        """How much more a unit matters than the average one, 0.5 to 2; 1 where nothing is known.

        Args:
            kind: of the unit.
            name: of the unit.
        """
        if kind == su.TYPE:
            return _relative([name], self.types)
        if kind in (su.TONED, su.TONELESS):
            symbols = syllable_phonemes(name if kind == su.TONED else f"{name}1") or ()
            return _relative([base_and_tone(symbol)[0] for symbol in symbols], self.phonemes)
        if kind in (su.PHONEME, su.DIPHONE):
            return _relative(name.split("-"), self.phonemes)
        if kind == su.STRESSED:
            return _relative([base_and_tone(name)[0]], self.phonemes)
        return 1.0

    def as_figures(self) -> dict[str, float]:
        """The losses as figures of a voice; see `losses_of_figures`."""
        return {
            **{f"{_PHONEME_FIGURE}{name}": loss for name, loss in self.phonemes.items()},
            **{f"{_TYPE_FIGURE}{name}": loss for name, loss in self.types.items()},
        }


def _relative(names: list[str], losses: Mapping[str, float]) -> float:
    known = [losses[name] for name in names if name in losses]
    mean = sum(losses.values()) / max(len(losses), 1)
    if not known or mean <= 0.0:
        return 1.0
    return min(max(sum(known) / len(known) / mean, _LEAST), _MOST)


def losses_of_figures(figures: Mapping[str, float]) -> HeldOutLosses | None:
    """The losses that tuning stored among the figures of a voice; None: it stored none."""
    phonemes = {n.removeprefix(_PHONEME_FIGURE): v for n, v in figures.items() if n.startswith(_PHONEME_FIGURE)}
    types = {n.removeprefix(_TYPE_FIGURE): v for n, v in figures.items() if n.startswith(_TYPE_FIGURE)}
    return HeldOutLosses(phonemes=phonemes, types=types) if phonemes or types else None


def read_losses(path: Path) -> HeldOutLosses:
    """Losses from a JSON file: {"phonemes": {"sh": 1.2}, "types": {"wh question": 0.9}}.

    Raises:
        BadText: no such file, or it holds something else.
    """
    try:
        return HeldOutLosses.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadText(f"the losses cannot be read ({error.strerror})", where=str(path)) from error
    except (ValueError, ValidationError) as error:
        raise BadText(
            "this is no file of losses", where=str(path), advice='Write {"phonemes": {"sh": 1.2}, "types": {}}.'
        ) from error
