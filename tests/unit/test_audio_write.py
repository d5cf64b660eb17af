"""Audio files appear whole or not at all."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from yinse.audio.decode import decode
from yinse.audio.write import AudioWriter, write_audio
from yinse.core.errors import ConfigError, ResourceError
from yinse.core.types import AudioClip

CLIP = AudioClip(0.3 * np.sin(np.arange(48_000) * 0.05).astype(np.float32), 24_000)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3", "WAV"])
def test_the_suffix_chooses_the_format(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"speech.{suffix}"
    write_audio(path, CLIP)
    again = decode(path)
    assert again.duration_s == pytest.approx(2.0, abs=0.05)
    assert np.std(again.samples) == pytest.approx(np.std(CLIP.samples), rel=0.05)
    assert list(tmp_path.iterdir()) == [path]


def test_chunks_make_the_same_file_as_the_whole(tmp_path: Path) -> None:
    write_audio(tmp_path / "whole.wav", CLIP)
    parts = np.array_split(CLIP.samples, 7)
    write_audio(tmp_path / "parts.wav", (AudioClip(part, 24_000) for part in parts))
    assert (tmp_path / "whole.wav").read_bytes() == (tmp_path / "parts.wav").read_bytes()


def test_loud_samples_are_clipped_not_wrapped(tmp_path: Path) -> None:
    write_audio(tmp_path / "loud.wav", AudioClip(np.array([3.0, -3.0], dtype=np.float32), 24_000))
    assert decode(tmp_path / "loud.wav").samples == pytest.approx([1.0, -1.0], abs=1e-4)


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    write_audio(path, CLIP)
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt), AudioWriter(path, 24_000) as writer:
        writer.write(CLIP.samples)
        raise KeyboardInterrupt
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_bad_requests(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a format"):
        write_audio(tmp_path / "speech.docx", CLIP)
    with pytest.raises(ConfigError, match="no chunks"):
        write_audio(tmp_path / "speech.wav", [])
    with pytest.raises(ConfigError, match="different sample rates"):
        write_audio(tmp_path / "speech.wav", [CLIP, AudioClip(CLIP.samples, 16_000)])
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError):
        write_audio(tmp_path / "file" / "speech.wav", CLIP)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_a_full_disk_leaves_nothing(suffix: str, tmp_path: Path) -> None:
    code = (
        "import numpy as np, resource, sys\n"
        "from pathlib import Path\n"
        "from yinse.audio.write import write_audio\n"
        "from yinse.core.errors import ResourceError\n"
        "from yinse.core.types import AudioClip\n"
        "import soundfile\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))\n"
        "noise = np.random.default_rng(0).standard_normal(480_000).astype(np.float32) * 0.1\n"
        "try:\n"
        "    write_audio(Path(sys.argv[1]), AudioClip(noise, 24_000))\n"
        "except ResourceError as error:\n"
        "    sys.exit(17)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / f"speech.{suffix}")], check=False)
    assert done.returncode == 17
    assert list(tmp_path.iterdir()) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 20_000
