"""Which files are meant when a person names recordings and folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from yinse.core.errors import BadAudio, ConfigError

AUDIO_SUFFIXES = frozenset(".wav .flac .mp3 .m4a .aac .ogg .opus .oga .webm .aiff .aif .caf .wma .mp4".split())


def find_recordings(paths: Sequence[Path], *, deep: bool = False) -> list[Path]:
    """Audio files, folders replaced by what they hold.

    Args:
        paths: files and folders.
        deep: whether folders inside folders are searched too.

    Raises:
        BadAudio: a path does not exist, or a folder holds no audio.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            listed = path.rglob("*") if deep else path.iterdir()
            inside = sorted(file for file in listed if file.suffix.lower() in AUDIO_SUFFIXES)
            if not inside:
                raise BadAudio("the folder holds no recordings", where=str(path))
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise BadAudio("there is no such file", where=str(path), advice="Check the path.")
    if not found:
        raise ConfigError("there are no recordings", advice="Name at least one audio file.")
    return list(dict.fromkeys(found))
