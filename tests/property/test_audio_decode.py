"""Whatever bytes arrive, decoding gives a clip or says `BadAudio`."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from yinse.audio.decode import decode
from yinse.core.errors import BadAudio
from yinse.core.types import AudioClip


def _file(container: str, encoding: str) -> bytes:
    samples = np.random.default_rng(0).standard_normal((2000, 2)) * 0.1
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 16_000, format=container, subtype=encoding)
    return buffer.getvalue()


_FILES = [
    _file("WAV", "PCM_16"),
    _file("WAV", "FLOAT"),
    _file("FLAC", "PCM_16"),
    _file("OGG", "VORBIS"),
    _file("MP3", "MPEG_LAYER_III"),
]


def _decoded(data: bytes) -> None:
    try:
        clip = decode(data)
    except BadAudio as error:
        assert error.where and error.advice
    else:
        assert isinstance(clip, AudioClip) and len(clip.samples) > 0


@given(st.binary(max_size=4096))
def test_random_bytes(data: bytes) -> None:
    _decoded(data)


@pytest.mark.parametrize(
    "magic", [b"RIFF\x24\0\0\0WAVEfmt ", b"fLaC", b"OggS", b"ID3", b"\0\0\0\x20ftypM4A ", b"\x1aE\xdf\xa3"]
)
@settings(max_examples=40)
@given(data=st.binary(max_size=512))
def test_random_bytes_behind_a_true_beginning(magic: bytes, data: bytes) -> None:
    _decoded(magic + data)


@given(
    file=st.sampled_from(_FILES),
    damage=st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), min_size=1, max_size=8),
    keep=st.floats(0.0, 1.0),
)
def test_damaged_headers_and_cut_files(file: bytes, damage: list[tuple[int, int]], keep: float) -> None:
    data = bytearray(file)
    for place, value in damage:
        data[place % len(data)] = value
    _decoded(bytes(data[: round(keep * len(data))]))
