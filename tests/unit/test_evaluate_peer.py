"""The peer's process: what is asked, what comes back, and what happens when it ends."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from yinse.core.errors import BadText, ResourceError
from yinse.evaluate.kokoro import Kokoro, KokoroConfig

# Stands where the peer's interpreter would be, and answers in its place.
STAND_IN = """#!{python}
import json, sys, wave
for line in sys.stdin:
    job = json.loads(line)
    if "peak" in job:
        answer = {{"peak_bytes": 1000}}
    elif "crash" in job["text"]:
        sys.exit("ValueError: broken")
    elif "xyzzy" in job["text"]:
        answer = {{"problem": "the peer does not know xyzzy"}}
    else:
        with wave.open(job["target"], "wb") as file:
            file.setnchannels(1), file.setsampwidth(2), file.setframerate(24000)
            file.writeframes(b"\\0\\1" * 100 * len(job["text"]))
        answer = {{"took_s": 0.5}}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def config(tmp_path: Path) -> KokoroConfig:
    """A kit and a home whose interpreter is the stand-in."""
    kit, home = tmp_path / "kit", tmp_path / "home"
    for folder in (kit, home / "voices", home / "venv" / "bin"):
        folder.mkdir(parents=True)
    (kit / "english.py").touch()
    python = home / "venv" / "bin" / "python"
    python.write_text(STAND_IN.format(python=sys.executable))
    python.chmod(0o755)
    return KokoroConfig(kit, home)


def test_speech_comes_back_with_its_time(config: KokoroConfig) -> None:
    with Kokoro(config) as kokoro:
        clip, took_s = kokoro.speak("Room 7.", language="en")
        assert len(clip.samples) > 100 * len("Room 7.")  # "seven" was read out
        assert took_s == 0.5
        assert kokoro.peak_bytes() == 1000


def test_unknown_word_is_bad_text_and_it_goes_on(config: KokoroConfig) -> None:
    with Kokoro(config) as kokoro:
        with pytest.raises(BadText, match="xyzzy"):
            kokoro.speak("xyzzy", language="en")
        assert kokoro.speak("fine", language="en")[1] == 0.5


def test_end_of_the_process_tells_its_last_words(config: KokoroConfig) -> None:
    with Kokoro(config) as kokoro, pytest.raises(ResourceError, match="ValueError: broken"):
        kokoro.speak("crash", language="en")
