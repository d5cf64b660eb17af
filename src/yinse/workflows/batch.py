"""The same work on many things in several processes: a thing that breaks its process costs itself only."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_WATCH_EVERY_S = 1.0
_WAITING_PER_PROCESS = 3


class Crashed(Exception):
    """The work on a thing went wrong in a way nobody foresaw: its process died, twice, or it met a bug."""


def run_all(
    work: Callable[[_Item], _Result], items: Sequence[_Item], *, jobs: int
) -> Iterator[tuple[int, _Result | Crashed]]:
    """Does the work on every item, in processes of its own; with one job, in this process.

    Args:
        work: a function of a module; it returns what went wrong with an item rather than raising it.
        items: things that can be sent to a process.
        jobs: number of processes.

    Yields:
        Place and result of each item as they are done; `Crashed` for one that broke its process.

    Raises:
        Exception: what `work` raises; the other processes are stopped.
    """
    if jobs <= 1 or len(items) <= 1:
        for place, item in enumerate(items):
            yield place, work(item)
        return
    suspects: list[int] = []
    todo = list(range(len(items)))[::-1]
    while todo:
        pool = _pool(jobs)
        running: dict[Future[_Result], int] = {}
        try:
            while todo or running:
                while todo and len(running) < jobs * _WAITING_PER_PROCESS:
                    place = todo.pop()
                    running[pool.submit(work, items[place])] = place
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    yield running.pop(future), result
        except BrokenProcessPool:
            # Any of those that were under way may have done it: each gets a process of its own, below.
            suspects += running.values()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    for place in suspects:
        with _pool(1) as alone:
            try:
                yield place, alone.submit(work, items[place]).result()
            except BrokenProcessPool:
                yield place, Crashed("its process died")


def _pool(jobs: int) -> ProcessPoolExecutor:
    # Spawned, not forked: libraries with threads of their own do not survive a fork.
    return ProcessPoolExecutor(
        jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_follow_parent, initargs=(os.getpid(),)
    )


def _follow_parent(parent: int) -> None:
    """Leaves Ctrl-C to the parent, and ends this process soon after the parent was killed: nothing else would."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
