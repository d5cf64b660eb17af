"""TensorBoard: losses, held-out losses and sounds of a training run, for those who ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from yinse.core.errors import MissingExtra
from yinse.core.types import FloatArray


class Board:
    """Writes what TensorBoard shows.

    Args:
        folder: of the run.

    Raises:
        MissingExtra: TensorBoard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise MissingExtra("TensorBoard", "train") from None
        self._writer = SummaryWriter(str(folder))

    def scalars(self, step: int, values: Mapping[str, float], *, group: str) -> None:
        """One point on each curve `group/name`."""
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)

    def sounds(self, step: int, sounds: Mapping[str, FloatArray], *, sample_rate_hz: int) -> None:
        """Sounds by name, `(S,)` each."""
        for name, samples in sounds.items():
            self._writer.add_audio(name, samples[None].clip(-1, 1), step, sample_rate=sample_rate_hz)
        self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
