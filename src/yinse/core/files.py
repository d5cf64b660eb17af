"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from yinse.core.errors import ResourceError


class WholeFile:
    """Writes a file piece by piece; it takes its name when the `with` block ends well, and vanishes when it does not.

    Args:
        path: file to write; an older file of that name is replaced, its folder is made.

    Raises:
        ResourceError: the folder cannot be written, or the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.partial")

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._partial.open("wb")
        except OSError as error:
            raise self._failed(error) from error
        return self

    def write(self, data: bytes) -> None:
        """Appends bytes.

        Raises:
            ResourceError: the disk is full.
        """
        try:
            self._file.write(data)
        except OSError as error:
            raise self._failed(error) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._file.flush()
                os.fsync(self._file.fileno())
            self._file.close()
            if kind is None:
                self._partial.replace(self._path)
        except OSError as failure:
            if kind is None:
                raise self._failed(failure) from failure
        finally:
            self._partial.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> ResourceError:
        return ResourceError(
            f"the file cannot be written ({error.strerror or error})",
            where=str(self._path),
            advice="Check that the folder can be written and that the disk has room.",
        )
