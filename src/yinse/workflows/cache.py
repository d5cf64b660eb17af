"""Results kept by what they were made of, so that the same work is not done twice."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from yinse.core.errors import ResourceError

RESULT = "result.json"


class ResultCache:
    """Folders of results, each named by a key; a folder is there whole or not at all.

    Args:
        folder: where they lie; it is made when the first one is put in.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, key: str) -> Path | None:
        """The folder of a result, now marked as used; None if there is none."""
        entry = self._entry(key)
        try:
            os.utime(entry / RESULT)
        except OSError:
            return None
        return entry

    def put(self, key: str, write: Callable[[Path], None]) -> Path:
        """Keeps a result.

        Args:
            key: what it was made of, as a hash.
            write: writes its files, `result.json` among them, into the folder it is given; when it fails, nothing
                stays.

        Raises:
            ResourceError: the cache cannot be written.
        """
        entry, partial = self._entry(key), self.folder / f".{key}.{os.getpid()}.partial"
        try:
            partial.mkdir(parents=True, exist_ok=True)
            write(partial)
            entry.parent.mkdir(exist_ok=True)
            if not entry.exists():
                partial.rename(entry)
        except OSError as error:
            if not (entry / RESULT).exists():  # else another process was faster
                raise ResourceError(
                    f"the cache cannot be written ({error.strerror or error})",
                    where=str(self.folder),
                    advice="Check that the disk has room, or name another folder with --cache.",
                ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return entry

    def sweep(self) -> None:
        """Removes what processes left behind that were killed while they wrote."""
        for partial in self.folder.glob(".*.partial"):
            if not _is_running(partial.name.split(".")[-2]):
                shutil.rmtree(partial, ignore_errors=True)

    def prune(self, most_bytes: int) -> None:
        """Removes the results that were not used for longest, until the rest fits."""
        entries = sorted(self.folder.glob(f"??/*/{RESULT}"), key=lambda path: path.stat().st_mtime, reverse=True)
        total = 0
        for result in entries:
            total += sum(file.stat().st_size for file in result.parent.iterdir())
            if total > most_bytes:
                shutil.rmtree(result.parent, ignore_errors=True)

    def _entry(self, key: str) -> Path:
        return self.folder / key[:2] / key


def _is_running(process: str) -> bool:
    """Whether a process of this number may still be at work."""
    if os.name == "nt":  # there os.kill would end it
        return True
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:  # somebody else's
        return True
    return True
