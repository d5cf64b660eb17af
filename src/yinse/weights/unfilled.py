"""Makes networks whose weights will be read from a file: without drawing random numbers first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch.overrides import TorchFunctionMode


class _WithoutInitialisation(TorchFunctionMode):
    """Leaves memory as it is where a layer would fill it by `torch.nn.init`."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Iterable[type],
        arguments: tuple[Any, ...] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        given = options or {}
        if getattr(function, "__module__", None) == "torch.nn.init":
            return given["tensor"] if "tensor" in given else arguments[0]
        return function(*arguments, **given)


@contextmanager
def unfilled() -> Iterator[None]:
    """Within it, layers get memory that holds nothing yet; buffers are made as ever.

    The two models of the second published GPT-SoVITS take 0.04 s of processor time this way, 0.6 s with random numbers,
    and 1.3 s on the device "meta" (most of it imports).
    """
    with _WithoutInitialisation():
        yield
