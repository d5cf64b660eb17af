"""A peer to be measured beside: Kokoro-82M, run by a process of its own in its own environment."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from yinse.audio.decode import decode
from yinse.core.errors import BadText, ConfigError, ResourceError
from yinse.core.types import AudioClip
from yinse.text.normalize import normalize

PEER = "kokoro"
VOICES = {"en": "af_heart", "zh": "zf_xiaoxiao"}


@dataclass(frozen=True, slots=True)
class KokoroConfig:
    """Where the peer lies and how it speaks.

    Attributes:
        kit: folder with `english.py`, which turns English words into its phonemes.
        home: folder with its environment `venv` and its `voices`, made by the kit's `setup.sh`.
        threads: CPU threads.
    """

    kit: Path
    home: Path
    threads: int = 1


class Kokoro:
    """Kokoro-82M in 8-bit integers under onnxruntime; use it in a `with` block.

    Args:
        config: where it lies.

    Raises:
        ConfigError: it is not there.
        ResourceError: its process ended.
    """

    def __init__(self, config: KokoroConfig) -> None:
        self._config = config
        python = config.home / "venv" / "bin" / "python"
        for path in (python, config.home / "voices", config.kit / "english.py"):
            if not path.exists():
                raise ConfigError(
                    "the peer Kokoro is not installed",
                    where=str(path),
                    advice=f"Run {config.kit / 'setup.sh'}, or leave the peer out.",
                )
        self._python = python

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="yinse-peer-")
        self._errors = (Path(self._folder.name) / "errors.txt").open("w+", encoding="utf-8")
        driver = Path(__file__).with_name("kokoro_driver.py")
        self._process = subprocess.Popen(
            # -I: the folder of the driver does not become a place to import from.
            [str(self._python), "-I", str(driver), str(self._config.kit), str(self._config.home),
             str(self._config.threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
        )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
        self._folder.cleanup()

    def speak(self, text: str, *, language: str) -> tuple[AudioClip, float]:
        """Speaks a sentence, its numbers read out by us, because its English kit reads none.

        Returns:
            The speech, and the seconds that its network took.

        Raises:
            BadText: it does not know a word, or the sentence is too long for it.
            ResourceError: its process ended.
        """
        target = Path(self._folder.name) / "spoken.wav"
        job = {"text": normalize(text, language=language), "language": language, "voice": VOICES[language]}
        answer = self._ask({**job, "target": str(target)})
        if "problem" in answer:
            raise BadText(answer["problem"])
        return decode(target), float(answer["took_s"])

    def peak_bytes(self) -> int:
        """Most memory that its process held so far."""
        return int(self._ask({"peak": True})["peak_bytes"])

    def _ask(self, job: dict[str, Any]) -> dict[str, Any]:
        if self._process.stdin is None or self._process.stdout is None:
            raise ResourceError("the peer Kokoro has no pipes")
        try:
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._ended() from error
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ended(self) -> ResourceError:
        self._errors.flush()
        self._errors.seek(0)
        said = self._errors.read().strip().splitlines()
        return ResourceError(f"the peer Kokoro ended: {said[-1] if said else 'without a word'}")
