"""The workshops as one thing that the use cases hold: they know this shape, not the models behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from yinse.core.errors import FingerprintMismatch
from yinse.core.events import Event
from yinse.core.types import AudioChunk, AudioClip, FloatArray, SpeakRequest
from yinse.voices.voice import Voice


@dataclass(frozen=True, slots=True, eq=False)
class Enrolment:
    """What was measured on a person's recordings.

    Attributes:
        tensors: those of `Voice`.
        bandwidth_hz: highest frequency heard.
        warnings: what should be said about the recordings.
    """

    tensors: Mapping[str, NDArray[Any]]
    bandwidth_hz: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class TimedText:
    """How the symbols of a text lie in a recording.

    Attributes:
        ends_s: `(T_ph,)` where each symbol ends; it begins where the one before ends.
        confidence: 0 at best; lower when the text does not fit.
    """

    ends_s: NDArray[Any]
    confidence: float


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """What tuning added to a voice: its tensors, and what was measured before and after."""

    tensors: Mapping[str, NDArray[Any]]
    figures: Mapping[str, float]


class Engine(Protocol):
    """A set of models, ready to speak, to take on voices and to be tuned."""

    @property
    def fingerprint(self) -> str:
        """Which set it is."""
        ...

    @property
    def sample_rate_hz(self) -> int:
        """Rate of its speech."""
        ...

    @property
    def can_tune(self) -> bool:
        """Whether `tune` is offered."""
        ...

    def stream(self, request: SpeakRequest, voice: Voice, *, style: Any = None) -> Iterator[AudioChunk]:
        """Speaks sentence by sentence, in the manner of `style`, made by the method of that name."""
        ...

    def style(self, clip: AudioClip, transcript: str) -> Any:
        """The manner in which a recording was spoken."""
        ...

    def enroll(
        self, clips: Sequence[AudioClip], *, transcripts: Sequence[str | None], language: str | None
    ) -> Enrolment:
        """Measures a person's voice on utterances."""
        ...

    @property
    def needs_words(self) -> bool:
        """Whether `convert` has to be told what is said; else it is the better for it."""
        ...

    def convert(
        self,
        clip: AudioClip,
        voice: Voice,
        *,
        transcript: str | None = None,
        language: str | None = None,
        seed: int = 0,
    ) -> AudioClip:
        """Says an utterance again in another voice, with its timing.

        Args:
            clip: `(S,)`, cleaned, at about -18 LUFS, some seconds long; whole recordings are cut at pauses before.
            voice: made for these models.
            transcript: what is said, where it is known.
            language: of the transcript; None to tell by script.
            seed: same seed, same samples.

        Returns:
            As long as the clip, at the rate of this engine's speech.
        """
        ...

    def speaker_vectors(self, clips: Sequence[AudioClip]) -> list[FloatArray]:
        """One vector `(256,)` per clip."""
        ...

    def align(self, clips: Sequence[AudioClip], symbols: Sequence[Sequence[str]]) -> list[TimedText | None]:
        """Lays texts onto recordings of one person; None where a text is far too long for its recording."""
        ...

    def tune(
        self, voice: Voice, clips: Sequence[AudioClip], transcripts: Sequence[str] | None, *, folder: Path
    ) -> Iterator[Event]:
        """Adapts the models to a voice; the result of the last event is a `Tuning`.

        Without transcripts it learns how the person sounds, not how they read. Killed and run again with the same
        folder, it goes on where it was.
        """
        ...


def check_fits(voice: Voice, engine: Engine) -> None:
    """Whether a voice was made for these models.

    Raises:
        FingerprintMismatch: it was not.
    """
    if voice.model_fingerprint != engine.fingerprint:
        raise FingerprintMismatch(
            f"the voice was made for other models than the ones at hand: for {voice.model_fingerprint}, not "
            f"{engine.fingerprint}",
            where=voice.name,
            advice="Leave the model out, name the one it was made for, or clone it again from the recordings.",
        )
