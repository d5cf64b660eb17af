"""How fast Yinse speaks, how soon it starts, and how much memory a long text takes; Kokoro in int8 beside it.

    python benchmarks/synthesis.py [--rounds 3] [--threads 2] [--voice NAME] [--model FOLDER] [--peer KIT HOME] [--json]

Both speak the same sentences in turn, round by round, so that what else the machine does falls on both; the best
round counts. The limit is what the models' multiplications alone would take at the speed of this machine's matrix
product: a real-time factor that no code can go below without smaller models or fewer bits.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from yinse.core.types import SpeakRequest
from yinse.evaluate.kokoro import Kokoro, KokoroConfig
from yinse.voices.store import VoiceStore
from yinse.voices.voice import Voice
from yinse.workflows.engine import Engine
from yinse.workflows.native import load_engine

SENTENCES = {
    "en": (
        "The library opens at nine, and the first readers are usually students.",
        "Every evening the old man walked along the river and counted the boats.",
        "When the rain stopped, we carried the table back into the garden.",
    ),
    "zh": (
        "图书馆九点开门，最早来的读者常常是学生。",
        "每天傍晚，老人都沿着河边散步，数一数来往的船。",
        "雨停了以后，我们把桌子搬回了花园。",
    ),
}
LONG_CHARACTERS, SHORT_CHARACTERS = 10_000, 1_000
SAY = "from yinse.cli.main import main; main()"


@dataclass(frozen=True)
class Speed:
    """Best of all rounds; memory of the whole process that spoke."""

    real_time_factor: float
    first_audio_s: float
    peak_bytes: int


@dataclass(frozen=True)
class Limit:
    """Multiplications and additions per second of speech, and how many the machine can do."""

    operations_per_s: float
    machine_operations_per_s: float

    @property
    def real_time_factor(self) -> float:
        return self.operations_per_s / self.machine_operations_per_s


def ours(engine: Engine, voice: Voice, language: str) -> tuple[float, float]:
    """Real-time factor, and seconds until the first sentence is there."""
    started_s = time.perf_counter()
    first_s = length_s = 0.0
    for chunk in engine.stream(SpeakRequest(" ".join(SENTENCES[language]), language=language), voice):
        first_s = first_s or time.perf_counter() - started_s
        length_s = chunk.start_s + len(chunk.samples) / chunk.sample_rate_hz
    return (time.perf_counter() - started_s) / length_s, first_s


def theirs(kokoro: Kokoro, language: str) -> tuple[float, float]:
    """The same for the peer."""
    spoken = [kokoro.speak(text, language=language) for text in SENTENCES[language]]
    return sum(took_s for _, took_s in spoken) / sum(clip.duration_s for clip, _ in spoken), spoken[0][1]


def long_text(characters: int) -> str:
    """English prose of at least so many characters, cut there."""
    paragraph = " ".join(SENTENCES["en"]) + "\n"
    return (paragraph * (characters // len(paragraph) + 1))[:characters]


def peak_of_say(characters: int, arguments: Sequence[str], *, threads: int) -> int:
    """Most memory that `yinse say` held while it spoke a text, in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        text.write_text(long_text(characters), encoding="utf-8")
        command = [sys.executable, "-c", SAY, "say", "-f", str(text), "-o", str(Path(folder) / "o.wav"), *arguments]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"yinse say failed with exit code {process.returncode}")
        return usage.ru_maxrss * 1024


def limit_of(engine: Engine, voice: Voice) -> Limit:
    """What the machine's matrix product would need for the models' multiplications."""
    counter = FlopCounterMode(display=False)
    with counter:
        (chunk,) = engine.stream(SpeakRequest(SENTENCES["en"][0], language="en"), voice)
    left, right = torch.randn(1024, 1024), torch.randn(1024, 1024)
    times = []
    for _ in range(20):
        started_s = time.perf_counter()
        left @ right
        times.append(time.perf_counter() - started_s)
    length_s = len(chunk.samples) / chunk.sample_rate_hz
    return Limit(counter.get_total_flops() / length_s, 2 * 1024**3 / min(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--voice", help="else the first built-in one")
    parser.add_argument("--model", type=Path, help="folder of a model set; else the shipped one")
    parser.add_argument("--peer", type=Path, nargs=2, metavar=("KIT", "HOME"), help="the teacher kit and its home")
    parser.add_argument("--skip-memory", action="store_true", help="do not speak the long text")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    engine = load_engine(options.model)
    voice = VoiceStore().get_or_default(options.voice)
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    peaks: dict[str, int] = {}
    with ExitStack() as stack:
        kokoro = None
        if options.peer:
            kokoro = stack.enter_context(Kokoro(KokoroConfig(*options.peer, threads=options.threads)))
        for number in range(options.rounds + 1):
            for language in SENTENCES:
                turns = {"yinse": ours(engine, voice, language)}
                if kokoro is not None:
                    turns["kokoro int8"] = theirs(kokoro, language)
                if number:  # the first round only warms up
                    for maker, turn in turns.items():
                        found.setdefault(maker, {}).setdefault(language, []).append(turn)
        if kokoro is not None:
            peaks["kokoro int8"] = kokoro.peak_bytes()
    growth = 0
    if not options.skip_memory:
        arguments = [*(["--voice", options.voice] if options.voice else [])]
        arguments += ["--model", str(options.model)] if options.model else []
        short, peaks["yinse"] = (
            peak_of_say(characters, arguments, threads=options.threads)
            for characters in (SHORT_CHARACTERS, LONG_CHARACTERS)
        )
        growth = peaks["yinse"] - short
    limit = limit_of(engine, voice)
    rows = {
        f"{maker}, {language}": Speed(min(r for r, _ in turns), min(f for _, f in turns), peaks.get(maker, 0))
        for maker, languages in found.items()
        for language, turns in languages.items()
    }
    if options.json:
        result = {
            "threads": options.threads,
            "rounds": options.rounds,
            "speed": {name: asdict(speed) for name, speed in rows.items()},
            "growth_bytes": growth,
            "limit": {**asdict(limit), "real_time_factor": limit.real_time_factor},
        }
        print(json.dumps(result, indent=1))
        return
    print(f"{options.threads} threads, best of {options.rounds}\n")
    print("| | real-time factor | first audio, ms | peak memory, MB |\n|---|---|---|---|")
    for name, speed in rows.items():
        memory = f"{speed.peak_bytes / 1e6:.0f}" if speed.peak_bytes else ""
        print(f"| {name} | {speed.real_time_factor:.3f} | {1000 * speed.first_audio_s:.0f} | {memory} |")
    print(f"| limit | {limit.real_time_factor:.4f} | | |\n")
    print(
        f"limit: {limit.operations_per_s / 1e9:.1f} GFLOP per second of speech at "
        f"{limit.machine_operations_per_s / 1e9:.0f} GFLOP/s of this machine's matrix product"
    )
    if not options.skip_memory:
        print(f"memory: {LONG_CHARACTERS} characters take {growth / 1e6:.0f} MB more than {SHORT_CHARACTERS}")


if __name__ == "__main__":
    main()
