"""Decoding: every format to the same samples, every way a file can be bad to a clear error."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from yinse.audio.decode import decode
from yinse.core.errors import BadAudio
from yinse.core.types import FloatArray

RATE_HZ = 24_000


def _tone(duration_s: float = 2.0) -> FloatArray:
    time_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    beat = 1.0 + 0.5 * np.sin(2 * np.pi * 3.0 * time_s)
    return (0.3 * beat * np.sin(2 * np.pi * 220.0 * time_s)).astype(np.float32)


def _by_libsndfile(container: str, encoding: str, samples: FloatArray | None = None) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, _tone() if samples is None else samples, RATE_HZ, format=container, subtype=encoding)
    return buffer.getvalue()


def _by_ffmpeg(container: str, codec: str) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=48_000 if codec == "libopus" else RATE_HZ)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(_tone()[None, :], format="fltp", layout="mono")
        frame.sample_rate = RATE_HZ
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return buffer.getvalue()


LOSSLESS = {
    "wav16": lambda: _by_libsndfile("WAV", "PCM_16"),
    "wav24": lambda: _by_libsndfile("WAV", "PCM_24"),
    "wav32": lambda: _by_libsndfile("WAV", "PCM_32"),
    "float": lambda: _by_libsndfile("WAV", "FLOAT"),
    "double": lambda: _by_libsndfile("WAV", "DOUBLE"),
    "flac": lambda: _by_libsndfile("FLAC", "PCM_16"),
}
LOSSY = {
    "wav8": lambda: _by_libsndfile("WAV", "PCM_U8"),
    "mp3": lambda: _by_libsndfile("MP3", "MPEG_LAYER_III"),
    "vorbis": lambda: _by_libsndfile("OGG", "VORBIS"),
    "opus": lambda: _by_libsndfile("OGG", "OPUS"),
    "m4a": lambda: _by_ffmpeg("ipod", "aac"),
    "mp4": lambda: _by_ffmpeg("mp4", "aac"),
    "aac": lambda: _by_ffmpeg("adts", "aac"),
    "webm": lambda: _by_ffmpeg("webm", "libopus"),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_give_the_samples_back(name: str) -> None:
    clip = decode(LOSSLESS[name]())
    assert clip.sample_rate_hz == RATE_HZ
    np.testing.assert_allclose(clip.samples, _tone(), atol=2**-14)


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_formats_give_length_and_level(name: str) -> None:
    clip = decode(LOSSY[name]())
    # An AAC encoder's lead-in of 1024 samples may be left in.
    assert clip.duration_s == pytest.approx(2.0, abs=0.06)
    assert np.std(clip.samples) == pytest.approx(np.std(_tone()), rel=0.05)


@pytest.mark.parametrize(
    ("channels", "why"),
    [
        (lambda x: np.stack([x, x], axis=1), "two equal channels"),
        (lambda x: np.stack([x, 0 * x + 0.1], axis=1), "one dead channel with an offset"),
        (lambda x: np.stack([x, -x], axis=1), "one inverted channel"),
        (lambda x: np.stack([0 * x, -x], axis=1) * -1, "the first channel dead"),
        (lambda x: np.stack([x] * 6, axis=1), "six channels"),
    ],
)
def test_channels_become_one_voice(channels: Callable[[FloatArray], FloatArray], why: str) -> None:
    clip = decode(_by_libsndfile("WAV", "PCM_16", channels(_tone())))
    np.testing.assert_allclose(clip.samples, _tone(), atol=2e-4, err_msg=why)


def test_more_channels_than_any_microphone_has() -> None:
    data = bytearray(LOSSLESS["double"]())
    data[22] = 62  # libsndfile finds this inconsistent, ffmpeg reads it
    try:
        assert len(decode(bytes(data)).samples) > 0
    except BadAudio as error:
        assert error.advice


def test_truncated_files_give_what_can_be_read() -> None:
    for container, encoding in (("MP3", "MPEG_LAYER_III"), ("WAV", "PCM_16"), ("OGG", "VORBIS")):
        data = _by_libsndfile(container, encoding, _tone(8.0))
        assert 0.5 <= decode(data[: len(data) * 2 // 3]).duration_s < 8.0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"These are the words I would like to hear.\n" * 100,
        LOSSY["mp3"]()[:200],
        LOSSY["m4a"]()[:4000],
        _by_libsndfile("WAV", "PCM_16", _tone(0.0)),
        _by_libsndfile("WAV", "FLOAT", np.where(np.arange(48_000) == 500, np.nan, _tone()).astype(np.float32)),
        _by_libsndfile("WAV", "FLOAT", np.full(48_000, np.inf, dtype=np.float32)),
        _by_libsndfile("WAV", "FLOAT", _tone() * np.float32(32_768)),
    ],
    ids=["empty", "text", "cut MP3", "M4A without index", "no samples", "NaN", "infinite", "integers as floats"],
)
def test_what_is_no_audio_is_refused(data: bytes) -> None:
    with pytest.raises(BadAudio) as caught:
        decode(data)
    assert caught.value.advice


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "notes.wav"
    with pytest.raises(BadAudio, match="no such file"):
        decode(path)
    path.write_text("not audio at all " * 50)
    with pytest.raises(BadAudio, match="notes.wav"):
        decode(path)
    with pytest.raises(BadAudio):
        decode(tmp_path)


def test_playlists_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(LOSSLESS["wav16"]())
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:2,\na.wav\n#EXT-X-ENDLIST\n")
    with pytest.raises(BadAudio):
        decode(tmp_path / "list.m3u8")


@pytest.fixture
def never_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails a test that gets as far as reading samples."""
    monkeypatch.setattr("yinse.audio.decode._checked", lambda *_, **__: pytest.fail("it was decoded"))


@pytest.mark.usefixtures("never_decoded")
def test_three_hours_are_refused_by_the_header(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    size = 3 * 3600 * RATE_HZ * 2
    header = bytearray(LOSSLESS["wav16"]()[:44])
    header[4:8], header[40:44] = (size + 36).to_bytes(4, "little"), size.to_bytes(4, "little")
    with path.open("wb") as file:
        file.write(header)
        file.truncate(44 + size)
    with pytest.raises(BadAudio, match="180 minutes"):
        decode(path)


@pytest.mark.usefixtures("never_decoded")
@pytest.mark.parametrize("name", LOSSY)
def test_every_format_tells_its_length_beforehand(name: str) -> None:
    if name == "aac":
        pytest.skip("a bare AAC stream has no header; its length is guessed")
    with pytest.raises(BadAudio, match="limit"):
        decode(LOSSY[name](), limit_s=1.5)


def test_the_limit_holds_where_the_header_lies() -> None:
    data = bytearray(LOSSLESS["wav16"]())
    data[40:44] = b"\xff\xff\xff\xff"
    assert decode(bytes(data)).duration_s == pytest.approx(2.0)
    with pytest.raises(BadAudio, match="limit"):
        decode(bytes(data), limit_s=1.0)
