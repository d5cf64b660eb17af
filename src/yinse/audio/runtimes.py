"""How networks of others are run: ONNX graphs by onnxruntime, and C libraries that take a frame of sound at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from yinse.core.types import FloatArray


def onnx_session(model: bytes | Path, *, threads: int = 1) -> Any:
    """An ONNX graph, of a file or its content, ready to run on the processor."""
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    graph = str(model) if isinstance(model, Path) else model
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def through_frames(samples: FloatArray, size: int, run: Callable[[int, int], object]) -> FloatArray:
    """What a C function makes of samples `(S,)`, `(S,)`.

    Args:
        samples: a multiple of a frame.
        size: samples of a frame.
        run: takes the address of a frame that is heard and of one to write.
    """
    heard = np.ascontiguousarray(samples, dtype=np.float32)
    written = np.zeros_like(heard)
    source, target = heard.ctypes.data, written.ctypes.data
    for offset in range(0, heard.nbytes, size * heard.itemsize):
        run(source + offset, target + offset)
    return written
