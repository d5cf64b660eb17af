"""The ONNX graphs of genie-tts 2.0.2 with weights of one's own, for the benchmarks of GPT-SoVITS models.

    pip install --no-deps --target FOLDER genie-tts==2.0.2 onnxruntime==1.22.1 'onnx<1.20' protobuf ml_dtypes \\
        flatbuffers

The package itself asks for files of the hub when it is imported; its graphs lie in the wheel, without weights, and are
run here as it runs them: weights widened to single precision, all optimisations of onnxruntime on, the cache of keys
and values handed in and out of each step.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = Callable[[str], NDArray[Any]]


def session(folder: Path, graph: str, weights: Weights, *, threads: int) -> Any:
    """A graph that runs.

    Args:
        folder: where the packages are.
        graph: such as "v2/Models/vits_fp32.onnx".
        weights: gives the tensor that a graph knows by a name.
        threads: of its products.

    Raises:
        ValueError: a tensor is not of the graph's shape.
    """
    import onnx
    import onnxruntime

    model = onnx.load(str(folder / "genie_tts" / "Data" / graph), load_external_data=False)
    for tensor in model.graph.initializer:
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        value = np.ascontiguousarray(weights(tensor.name), dtype=np.float32)
        if value.shape != tuple(tensor.dims):
            raise ValueError(f"{tensor.name} has shape {value.shape} instead of {tuple(tensor.dims)}")
        del tensor.external_data[:]
        tensor.raw_data, tensor.data_location = value.tobytes(), onnx.TensorProto.DEFAULT
    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


class Writer:
    """The first stage: phonemes and a prompt of codes to more codes, drawn from the 15 likeliest.

    Args:
        folder: where the packages are.
        weights: gives tensors of the first stage by their published names.
        threads: of its products.
    """

    def __init__(self, folder: Path, weights: Weights, *, threads: int) -> None:
        def decoder(name: str) -> NDArray[Any]:
            return weights(name.replace("transformer_encoder", "h"))

        def encoder(name: str) -> NDArray[Any]:
            # What turns the reference into codes belongs to the second stage; here the codes are given.
            part, _, rest = name.partition(".")
            shapes = {"ssl_proj.weight": (768, 768, 2), "ssl_proj.bias": (768,)}
            return weights(rest) if part == "encoder" else np.zeros(shapes.get(rest, (1024, 768)))

        made = [
            session(folder, f"v2/Models/t2s_{part}_fp32.onnx", given, threads=threads)
            for part, given in (("encoder", encoder), ("first_stage_decoder", decoder), ("stage_decoder", decoder))
        ]
        self._encoder, self._first, self._next = made
        self._names = [given.name for given in self._next.get_inputs()]

    def write(self, phonemes: NDArray[Any], context: NDArray[Any], prompt: NDArray[Any], codes: int) -> list[int]:
        """So many codes after a prompt `(T,)`, for phonemes `(T_ph,)` with context `(T_ph, D)`."""
        half = len(phonemes) // 2
        told = {
            "ref_seq": phonemes[None, :half],
            "text_seq": phonemes[None, half:],
            "ref_bert": context[:half],
            "text_bert": context[half:],
            "ssl_content": np.zeros((1, 768, 4), np.float32),
        }
        read, _ = self._encoder.run(None, told)
        written, embedded, *cache = self._first.run(None, {"x": read, "prompts": prompt[None]})
        for _ in range(codes - 1):
            given = dict(zip(self._names, [written, embedded, *cache], strict=True))
            written, embedded, _, *cache = self._next.run(None, given)
        return [int(code) for code in written[0, -codes:]]
