"""The user's voices in a folder, and the built-in ones in the package."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from yinse.core.errors import ResourceError, UnknownName, VoiceError, YinseError
from yinse.core.home import voices_folder
from yinse.voices.bundle import SUFFIX, VoiceCard, read_card, read_voice, write_voice
from yinse.voices.voice import Voice, check_name

DEFAULT_VOICE = "mei"
"""Of the built-in voices the one whose stress sentences are understood best (docs/log.md)."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredVoice:
    """A voice that lies somewhere.

    Attributes:
        card: what the bundle says about it.
        file: the bundle.
        is_builtin: whether it came with the package.
    """

    card: VoiceCard
    file: Traversable
    is_builtin: bool

    def read(self) -> Voice:
        """The voice, verified; raises what `read_voice` raises."""
        return read_voice(self.file)


class VoiceStore:
    """All voices one can speak with, by name.

    Args:
        folder: the user's voices; None: those under `YINSE_HOME`. It need not exist.
        builtin: folder of the built-in voices; None: those of the package.
    """

    def __init__(self, folder: Path | None = None, *, builtin: Traversable | None = None) -> None:
        self.folder = folder if folder is not None else voices_folder()
        self._builtin = builtin if builtin is not None else files("yinse").joinpath("assets", "voices")

    def entries(self) -> tuple[StoredVoice, ...]:
        """All voices, built-in ones first, by name; bundles that are no longer readable are left out."""
        return self._scan()[0]

    def damaged(self) -> tuple[YinseError, ...]:
        """What is wrong with the bundles that `entries` leaves out."""
        return self._scan()[1]

    def find(self, name: str) -> StoredVoice:
        """The entry of a voice, by its name or id.

        Raises:
            UnknownName: there is none; the message proposes the nearest name.
        """
        entries = self.entries()
        for entry in entries:
            if name in (entry.card.name, entry.card.id):
                return entry
        raise UnknownName("voice", name, [entry.card.name for entry in entries])

    def get(self, name: str) -> Voice:
        """A voice by its name or id.

        Raises:
            UnknownName: there is none; the message proposes the nearest name.
            VoiceError, FingerprintMismatch: its bundle is damaged or was changed.
        """
        return self.find(name).read()

    def get_or_default(self, name: str | None) -> Voice:
        """A voice by its name or id; None: `DEFAULT_VOICE`, else the first of all. Raises what `get` raises."""
        if name is not None:
            return self.get(name)
        entries = sorted(self.entries(), key=lambda entry: entry.card.id != DEFAULT_VOICE)
        return entries[0].read() if entries else self.get(DEFAULT_VOICE)

    def check_free(self, name: str, *, replace: bool = False) -> None:
        """Whether a voice of this name may be saved.

        Raises:
            VoiceError: no name at all, the name of a built-in voice, or one of the user's own without `replace`.
        """
        check_name(name)
        for entry in self._named(name):
            if entry.is_builtin:
                raise VoiceError(f"'{name}' is a built-in voice", advice="Choose another name.")
            if not replace:
                raise VoiceError(
                    f"there is already a voice called '{name}'",
                    advice=f"Choose another name, add --replace, or run: yinse voices forget {name}",
                )

    def save(self, voice: Voice, *, replace: bool = False) -> Path:
        """Writes a voice into the folder.

        Args:
            voice: found under its name from now on.
            replace: an older voice of the same name is deleted once the new one is written.

        Returns:
            Its file.

        Raises:
            VoiceError: the name is taken.
            ResourceError: the folder cannot be written, or the disk is full.
        """
        self.check_free(voice.name, replace=replace)
        older = [self.folder / entry.file.name for entry in self._named(voice.name)]
        path = self.folder / f"{voice.id}{SUFFIX}"
        write_voice(path, voice)
        for old in older:
            if old != path:
                _delete(old)
        return path

    def forget(self, name: str) -> Path:
        """Deletes a voice of the user.

        Returns:
            The file that was deleted.

        Raises:
            UnknownName: there is none of this name.
            VoiceError: it is built in.
            ResourceError: the file cannot be deleted.
        """
        entry = self.find(name)
        if entry.is_builtin:
            raise VoiceError(f"'{name}' is a built-in voice", advice="Only voices of your own can be forgotten.")
        path = self.folder / entry.file.name
        _delete(path)
        return path

    def _named(self, name: str) -> list[StoredVoice]:
        return [entry for entry in self.entries() if entry.card.name == name]

    def _scan(self) -> tuple[tuple[StoredVoice, ...], tuple[YinseError, ...]]:
        entries: list[StoredVoice] = []
        damaged: list[YinseError] = []
        places: tuple[tuple[Traversable, bool], ...] = ((self._builtin, True), (self.folder, False))
        for folder, is_builtin in places:
            for file in folder.iterdir() if folder.is_dir() else ():
                if file.name.endswith(SUFFIX) and not file.name.startswith("."):
                    try:
                        entries.append(StoredVoice(read_card(file), file, is_builtin))
                    except YinseError as error:
                        damaged.append(error)
        entries.sort(key=lambda entry: (not entry.is_builtin, entry.card.name))
        return tuple(entries), tuple(damaged)


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ResourceError(f"the voice cannot be deleted ({error.strerror})", where=str(path)) from error
