"""Any recording a person may have, decoded to one mono clip at its own rate; what cannot be read is `BadAudio`."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from yinse.core.errors import BadAudio
from yinse.core.types import AudioClip, FloatArray

DEFAULT_LIMIT_S = 3600.0
_BLOCK_SAMPLES = 1 << 18
_SHORTEST_DAMAGED_S = 0.5
_RATE_RANGE_HZ = (1_000, 768_000)
# Float files may exceed full scale a little; integers stored as floats, or random bytes, exceed it vastly.
_LOUDEST_SAMPLE = 64.0
# A channel 20 dB below the loudest one adds noise rather than voice.
_DEAD_CHANNEL_POWER = 0.01
# What libsndfile is trusted with, by the first bytes. Not MP3: its decoder writes warnings to the
# terminal.
_SOUNDFILE_MAGIC = (b"RIFF", b"RIFX", b"RF64", b"riff", b"fLaC", b"OggS", b"FORM", b"caff", b".snd")
# The demuxers that ffmpeg may try. Playlists are left out: they make it open other files and addresses.
_FFMPEG_FORMATS = "aac,ac3,aiff,amr,ape,asf,au,avi,caf,flac,flv,matroska,mov,mp3,mpeg,mpegts,ogg,rm,tta,w64,wav,webm,wv"
_ADVICE = "Use a WAV, FLAC, MP3, OGG, M4A or WebM recording that plays on this machine."


@dataclass(frozen=True, slots=True)
class _Block:
    """Consecutive samples `(n, channels)` of a recording."""

    samples: FloatArray
    sample_rate_hz: int


_BlockReader = Callable[[Path | bytes, str, float], Generator[_Block, None, None]]


class _Unreadable(Exception):
    """A decoder does not know the format; the next one is asked."""


def decode(source: Path | bytes, *, limit_s: float = DEFAULT_LIMIT_S) -> AudioClip:
    """Decodes a recording of any usual format, rate, width and number of channels.

    Channels are averaged, after silent ones are left out and inverted ones turned. A file that breaks off gives what
    can be read, if that is 0.5 s or more. libsndfile is asked first, then ffmpeg.

    Args:
        source: a file, or the bytes of one.
        limit_s: longest recording accepted; longer ones are refused by their header, without being decoded.

    Returns:
        Mono audio at the recording's own rate.

    Raises:
        BadAudio: no such file, not audio, empty, too long, or samples that are not numbers.
    """
    where = source.name if isinstance(source, Path) else "audio"
    if isinstance(source, Path) and not source.is_file():
        raise BadAudio("there is no such file", where=str(source), advice="Check the path.")
    for read_blocks in (_soundfile_blocks, _ffmpeg_blocks):
        try:
            return _mono(source, read_blocks, where=where, limit_s=limit_s)
        except _Unreadable:
            continue
    raise BadAudio("this holds no audio that can be read", where=where, advice=_ADVICE)


def _mono(source: Path | bytes, read_blocks: _BlockReader, *, where: str, limit_s: float) -> AudioClip:
    """Mixes the blocks of one decoder; several channels are read twice, so that only the mix is ever held."""
    with closing(read_blocks(source, where, limit_s)) as blocks:
        first = next(blocks, None)
        if first is None:
            raise _Unreadable
        channels = first.samples.shape[1]
    weights = np.ones(1)
    if channels > 1:
        with closing(read_blocks(source, where, limit_s)) as blocks:
            weights = _channel_weights(blocks, channels)
    parts: list[FloatArray] = []
    with closing(read_blocks(source, where, limit_s)) as blocks:
        for block in blocks:
            if block.samples.shape[1] != channels or block.sample_rate_hz != first.sample_rate_hz:
                break  # the stream changes its format half-way: keep the consistent part
            parts.append((block.samples @ weights).astype(np.float32))
    return AudioClip(np.concatenate(parts), first.sample_rate_hz)


def _channel_weights(blocks: Iterator[_Block], channels: int) -> NDArray[np.float64]:
    """Mixing weights `(channels,)`: the mean of the channels that are alive, each in the polarity of the loudest."""
    count, total, products = 0, np.zeros(channels), np.zeros((channels, channels))
    for block in blocks:
        if block.samples.shape[1] != channels:
            break
        wide = block.samples.astype(np.float64)
        count += len(wide)
        total += wide.sum(axis=0)
        products += wide.T @ wide
    covariance = products / count - np.outer(total, total) / count**2
    power = covariance.diagonal()
    loudest = int(power.argmax())
    alive = power >= _DEAD_CHANNEL_POWER * power[loudest]
    polarity = np.where(covariance[loudest] < 0.0, -1.0, 1.0)
    weights: NDArray[np.float64] = np.where(alive, polarity, 0.0) / alive.sum()
    return weights


def _check_header(sample_rate_hz: int, duration_s: float, *, where: str, limit_s: float) -> None:
    if not _RATE_RANGE_HZ[0] <= sample_rate_hz <= _RATE_RANGE_HZ[1]:
        raise BadAudio(f"a sample rate of {sample_rate_hz} Hz makes no sense", where=where, advice=_ADVICE)
    if duration_s > limit_s:
        raise BadAudio(
            f"the recording lasts {duration_s / 60:.0f} minutes, the limit is {limit_s / 60:g}",
            where=where,
            advice="Cut the best part out of it; a few clean minutes are enough.",
        )


def _checked(blocks: Iterator[FloatArray], sample_rate_hz: int, *, where: str, limit_s: float) -> Iterator[_Block]:
    """Refuses samples that are no numbers, and streams longer than their header said."""
    samples_read = 0
    for samples in blocks:
        samples_read += len(samples)
        _check_header(sample_rate_hz, samples_read / sample_rate_hz, where=where, limit_s=limit_s)
        # One pass finds both NaN (every comparison is false) and absurd values.
        if not (np.abs(samples) <= _LOUDEST_SAMPLE).all():
            raise BadAudio(
                "samples are not numbers or far beyond full scale", where=where, advice="Export the recording again."
            )
        yield _Block(samples, sample_rate_hz)


def _whole_or_long_enough(samples_read: int, sample_rate_hz: int, *, where: str, reason: object) -> None:
    """Called when decoding broke off: a useful remainder is kept, less is an error."""
    if samples_read < _SHORTEST_DAMAGED_S * sample_rate_hz:
        raise BadAudio(
            f"the recording is damaged after {samples_read / sample_rate_hz:.2f} s ({reason})",
            where=where,
            advice="Copy or export it again.",
        )


def _opened(source: Path | bytes) -> BinaryIO:
    return source.open("rb") if isinstance(source, Path) else io.BytesIO(source)


def _soundfile_blocks(source: Path | bytes, where: str, limit_s: float) -> Generator[_Block, None, None]:
    """Reads with libsndfile: WAV, FLAC, OGG, AIFF, CAF and their kin."""
    import soundfile

    with _opened(source) as file:
        if not file.read(4).startswith(_SOUNDFILE_MAGIC):
            raise _Unreadable
        file.seek(0)
        try:
            sound = soundfile.SoundFile(file)
        except (soundfile.LibsndfileError, TypeError, ValueError) as error:  # TypeError: a file called .raw
            raise _Unreadable from error
        with sound:
            rate_hz = int(sound.samplerate)
            _check_header(rate_hz, sound.frames / max(rate_hz, 1), where=where, limit_s=limit_s)

            def read() -> Iterator[FloatArray]:
                samples_read = 0
                while True:
                    try:
                        samples = sound.read(_BLOCK_SAMPLES // sound.channels + 1, dtype="float32", always_2d=True)
                    except soundfile.LibsndfileError as error:
                        _whole_or_long_enough(samples_read, rate_hz, where=where, reason=error)
                        return
                    if len(samples) == 0:
                        return
                    samples_read += len(samples)
                    yield samples

            yield from _checked(read(), rate_hz, where=where, limit_s=limit_s)


def _ffmpeg_blocks(source: Path | bytes, where: str, limit_s: float) -> Generator[_Block, None, None]:
    """Reads with ffmpeg: MP3, M4A, AAC, WebM, the sound of videos, and what libsndfile could not open."""
    import av
    from av.error import FFmpegError

    with _opened(source) as file:
        try:
            container = av.open(file, mode="r", options={"format_whitelist": _FFMPEG_FORMATS}, metadata_errors="ignore")
        except (FFmpegError, OSError, ValueError) as error:
            raise _Unreadable from error
        with container:
            if not container.streams.audio or container.streams.audio[0].codec_context is None:
                raise _Unreadable
            stream = container.streams.audio[0]
            rate_hz = int(stream.codec_context.sample_rate or 0)
            duration = Fraction(container.duration or 0, av.time_base)
            if stream.duration and stream.time_base:
                duration = stream.duration * stream.time_base
            _check_header(rate_hz, float(duration), where=where, limit_s=limit_s)

            def read() -> Iterator[FloatArray]:
                samples_read = 0
                # Interleaved: with more than 8 channels, reading separate planes crashes PyAV.
                resampler = av.AudioResampler(format="flt")
                try:
                    for packet in container.demux(stream):
                        for frame in packet.decode():
                            if frame.sample_rate != rate_hz:
                                return
                            for packed in resampler.resample(frame):
                                samples: FloatArray = np.asarray(packed.to_ndarray(), dtype=np.float32)
                                samples = samples.reshape(-1, packed.layout.nb_channels)
                                samples_read += len(samples)
                                yield samples
                except (FFmpegError, OSError, ValueError) as error:
                    _whole_or_long_enough(samples_read, rate_hz, where=where, reason=error)

            yield from _checked(read(), rate_hz, where=where, limit_s=limit_s)
