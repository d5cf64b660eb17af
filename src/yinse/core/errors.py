"""Every error Yinse raises on purpose: what happened, where, and what to do.

The command line maps each class to an exit code (`exit_code`): 1 the user can fix it, 2 bad usage or
configuration, 3 an optional part is missing, 4 refused by a quality gate, 5 our bug.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class YinseError(Exception):
    """Base of all errors raised on purpose.

    Args:
        what: what happened, one sentence without a final stop.
        where: file, line or utterance concerned.
        advice: what the user can do about it.
    """

    exit_code: ClassVar[int] = 5

    def __init__(self, what: str, *, where: str | None = None, advice: str | None = None) -> None:
        self.what = what
        self.where = where
        self.advice = advice
        text = f"{where}: {what}" if where else what
        super().__init__(f"{text}. {advice}" if advice else text)


class UserError(YinseError):
    """Something the user can put right."""

    exit_code = 1


class BadAudio(UserError):
    """Audio that cannot be decoded or used."""


class BadText(UserError):
    """Text that holds nothing to speak, or a transcript that does not fit its recording.

    Args:
        what: what happened.
        where: file, line or utterance concerned.
        advice: what the user can do about it.
        span: start and end of the offending characters in the text that was given.
    """

    def __init__(
        self, what: str, *, where: str | None = None, advice: str | None = None, span: tuple[int, int] | None = None
    ) -> None:
        self.span = span
        super().__init__(what, where=where, advice=advice)


class UnsupportedLanguage(UserError):
    """A language that the loaded model does not speak."""


class VoiceError(UserError):
    """A voice bundle that is damaged, foreign or incomplete."""


class ConfigError(UserError):
    """A configuration value or command-line option that makes no sense."""

    exit_code = 2


class UnknownName(UserError):
    """A name that does not exist; the message proposes the nearest one that does."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        near = difflib.get_close_matches(name, self.known, n=1)
        listed = ", ".join(self.known) or "none"
        advice = f"Did you mean '{near[0]}'?" if near else f"Known: {listed}."
        super().__init__(f"there is no {kind} called '{name}'", advice=advice)


class MissingExtra(UserError):
    """An optional dependency is not installed."""

    exit_code = 3

    def __init__(self, feature: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{feature} needs an optional part", advice=f"Run: pip install 'yinse[{extra}]'")


class QualityGateError(UserError):
    """A recording too poor to learn from; the message says why and how to record again."""

    exit_code = 4


class Incompatible(YinseError):
    """Files that do not belong together."""

    exit_code = 1


class FingerprintMismatch(Incompatible):
    """A file names another model than the one at hand, or its contents changed."""


class FormatTooNew(Incompatible):
    """A file written by a newer Yinse."""


class DamagedFile(Incompatible):
    """A file of weights that is cut short, changed on its way, or of another format."""


class UnsafeFile(Incompatible):
    """A file that asks for more than numbers and names; nothing in it was run."""


class CheckpointKeys(Incompatible):
    """Weights that do not fit the model; missing and unexpected names are listed."""

    def __init__(self, where: str, *, missing: Iterable[str], unexpected: Iterable[str]) -> None:
        self.missing, self.unexpected = sorted(missing), sorted(unexpected)
        super().__init__(
            f"weights do not fit: missing {self.missing[:8]}, unexpected {self.unexpected[:8]}",
            where=where,
            advice="Use weights made for this model.",
        )


class ResourceError(YinseError):
    """The machine said no: memory, disk, network."""

    exit_code = 1


class OutOfMemory(ResourceError):
    """Not enough memory for the request."""


class Busy(ResourceError):
    """Too many requests at once."""


class Offline(ResourceError):
    """A file is not here and may not or cannot be fetched."""


class InternalError(YinseError):
    """A bug of ours."""

    exit_code = 5
