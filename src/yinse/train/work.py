"""The work folder of base training: where each stage finds what the stages before it left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from yinse.core.errors import ConfigError


@dataclass(frozen=True)
class Work:
    """A work folder.

    Attributes:
        folder: holds everything below.
    """

    folder: Path

    def features(self, *, held_out: bool = False) -> Path:
        """Folder of feature files, of training speakers or of those who stay unheard."""
        return self._pair("features", held_out)

    def alignments(self, *, held_out: bool = False) -> Path:
        """Folder of durations."""
        return self._pair("alignments", held_out)

    @property
    def transcripts(self) -> Path:
        """File of what a recogniser heard in training clips without a text."""
        return self.folder / "transcripts.json"

    @property
    def varied(self) -> tuple[Path, Path]:
        """Folders of features and durations of speakers made out of others."""
        return self.folder / "features-varied", self.folder / "alignments-varied"

    def teacher_vectors(self, *, held_out: bool = False) -> Path:
        """File of the speaker encoder's targets."""
        return self._pair("teacher-vectors", held_out).with_suffix(".safetensors")

    @property
    def aligner(self) -> Path:
        """File of the aligner."""
        return self.folder / "aligner.safetensors"

    def stage(self, name: str) -> Path:
        """Folder of a trained stage: checkpoint, losses, sounds."""
        return self.folder / name

    def checkpoint(self, name: str) -> Path:
        """Checkpoint of a trained stage."""
        return self.stage(name) / "checkpoint.safetensors"

    def _pair(self, name: str, held_out: bool) -> Path:
        return self.folder / (f"{name}-held-out" if held_out else name)


def needed(path: Path, stage: str) -> Path:
    """A path that an earlier stage should have made.

    Raises:
        ConfigError: it did not.
    """
    if not path.exists():
        raise ConfigError(
            f"stage '{stage}' has not been run", where=str(path), advice=f"Run: yinse train base --stage {stage} …"
        )
    return path
