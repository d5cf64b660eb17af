"""Yinse: from one minute of a person's recording to speech in that voice.

`clone` makes a voice from recordings, `say` speaks with it, `stream` speaks sentence by sentence, `convert` says a
recording again in it. They are loaded at their first use, so that `import yinse` costs nothing: no torch, no numpy.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yinse.workflows.api import clone as clone
    from yinse.workflows.api import convert as convert
    from yinse.workflows.api import say as say
    from yinse.workflows.api import stream as stream

__version__ = "0.1.0"
__all__ = ["__version__", "clone", "convert", "say", "stream"]


def __getattr__(name: str) -> Any:
    if name in ("clone", "convert", "say", "stream"):
        # By name, not by an import statement: the layers below must not reach `workflows` through the root package.
        return getattr(importlib.import_module("yinse.workflows.api"), name)
    raise AttributeError(f"module 'yinse' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
