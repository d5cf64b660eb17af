"""Writing audio files whole or not at all, in one go or chunk by chunk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from yinse.core.errors import ConfigError, ResourceError
from yinse.core.types import AudioChunk, AudioClip, FloatArray

_FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
_PIECE_SAMPLES = 1 << 16  # libsndfile's Vorbis encoder keeps a whole call on the stack


class AudioWriter:
    """Writes a file of any length piece by piece; the suffix chooses WAV, FLAC, OGG, Opus or MP3.

    The pieces go to a hidden file beside the target, which takes the target's name when the `with` block ends well
    and is removed when it does not.

    Args:
        path: file to write; an older file of that name is replaced.
        sample_rate_hz: rate of the samples that will be written.

    Raises:
        ConfigError: the suffix names no format that can be written.
        ResourceError: the folder cannot be written, or the disk is full.
    """

    def __init__(self, path: Path, sample_rate_hz: int) -> None:
        if path.suffix.lower() not in _FORMATS:
            raise ConfigError(
                f"'{path.suffix}' is not a format that can be written",
                where=str(path),
                advice=f"Use one of {', '.join(sorted(_FORMATS))}.",
            )
        self._path = path
        self._sample_rate_hz = sample_rate_hz
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.partial")

    def __enter__(self) -> Self:
        import soundfile

        container, encoding = _FORMATS[self._path.suffix.lower()]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = soundfile.SoundFile(
                self._partial, "w", self._sample_rate_hz, channels=1, format=container, subtype=encoding
            )
        except (OSError, soundfile.SoundFileError) as error:
            if self._partial.exists():
                self._partial.unlink()
            raise self._failed(error) from error
        return self

    def write(self, samples: FloatArray) -> None:
        """Appends samples `(S,)`; what exceeds full scale is clipped.

        Raises:
            ResourceError: the disk is full.
        """
        import soundfile

        try:
            for start in range(0, len(samples), _PIECE_SAMPLES):
                self._file.write(np.clip(samples[start : start + _PIECE_SAMPLES], -1.0, 1.0))
        except (OSError, AssertionError, soundfile.SoundFileError) as error:  # AssertionError: fewer samples fitted
            raise self._failed(error) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import soundfile

        try:
            self._file.close()
            if kind is None:
                with self._partial.open("rb") as file:
                    os.fsync(file.fileno())
                self._partial.replace(self._path)
        except (OSError, soundfile.SoundFileError) as failure:
            if kind is None:
                raise self._failed(failure) from failure
        finally:
            self._partial.unlink(missing_ok=True)

    def _failed(self, error: BaseException) -> ResourceError:
        return ResourceError(
            f"the file cannot be written ({error})",
            where=str(self._path),
            advice="Check that the folder can be written and that the disk has room.",
        )


def write_audio(path: Path, audio: AudioClip | Iterable[AudioClip | AudioChunk]) -> None:
    """Writes a clip, or chunks of one rate as they come, in the format of the suffix.

    Args:
        path: file to write; it appears when it is complete, or not at all.
        audio: a clip, or clips or chunks that follow each other.

    Raises:
        ConfigError: unknown suffix, no chunks, or chunks of different rates.
        ResourceError: the folder cannot be written, or the disk is full.
    """
    chunks = iter([audio] if isinstance(audio, AudioClip) else audio)
    first = next(chunks, None)
    if first is None:
        raise ConfigError("there are no chunks to write", where=str(path))
    with AudioWriter(path, first.sample_rate_hz) as writer:
        writer.write(first.samples)
        for chunk in chunks:
            if chunk.sample_rate_hz != first.sample_rate_hz:
                raise ConfigError("chunks of different sample rates", where=str(path))
            writer.write(chunk.samples)
