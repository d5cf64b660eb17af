"""Damaged recordings for the front-end, and what becomes of them."""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from yinse.audio.decode import decode
from yinse.audio.frontend import prepare
from yinse.audio.options import PREPARATION
from yinse.audio.write import write_audio
from yinse.core.errors import YinseError

GATE = replace(PREPARATION, denoise="gate")


@dataclass(frozen=True)
class Damaged:
    """A file of which something was broken."""

    seed: int
    originals: tuple[str, ...]
    folder: str


def damage(data: bytes, random: np.random.Generator) -> bytes:
    """Cut, overwritten, lied about, or nothing but noise."""
    kind = random.integers(6)
    broken = bytearray(data)
    if kind == 0:
        return bytes(broken[: int(random.integers(len(broken)))])
    if kind == 1:
        return random.bytes(int(random.integers(1, 20_000)))
    if kind == 2:  # sizes and rates in the header
        for place in random.integers(4, min(80, len(broken)), size=4):
            broken[place] = int(random.integers(256))
        return bytes(broken)
    if kind == 3:
        start = int(random.integers(len(broken)))
        return bytes(broken[start:] + broken[:start])
    for place in random.integers(0, len(broken), size=200 if kind == 4 else 3):
        broken[place] = int(random.integers(256))
    return bytes(broken)


def try_damaged(one: Damaged) -> str:
    """What becomes of a damaged file: used, refused, or a bug."""

    def too_long(_number: int, _frame: object) -> None:
        raise TimeoutError

    random = np.random.default_rng(one.seed)
    original = Path(one.originals[int(random.integers(len(one.originals)))])
    path = Path(one.folder) / f"{one.seed}{original.suffix}"
    path.write_bytes(damage(original.read_bytes(), random))
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(60)
    target = Path(one.folder) / "out" / f"{one.seed}.wav"
    try:
        for piece in prepare(decode(path), options=GATE).utterances[:1]:
            write_audio(target, piece.clip)
        return "used"
    except YinseError:
        return "half-written" if target.exists() else "refused"
    except TimeoutError:
        return "hang"
    except Exception as error:  # any other is a bug, and the count must go on
        return f"bug: {type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
        path.unlink()
