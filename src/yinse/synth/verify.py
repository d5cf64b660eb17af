"""Listens to what was spoken: was every word said, and none twice?

Our own aligner listens, whichever models spoke. What the semantic GPT of GPT-SoVITS looked at while it wrote is not
asked: which of its heads follow the text has not been shown on trained weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from yinse.core.errors import BadAudio
from yinse.core.types import AudioClip, FloatArray, PhonemeSequence
from yinse.models.aligner import Aligner
from yinse.models.analysis import level_mel
from yinse.models.spectrogram import LogMel, SpectrogramConfig
from yinse.models.word_check import WordCheck, WordFault

if TYPE_CHECKING:
    from yinse.synth.gpt_sovits import Attempt


@dataclass(frozen=True, slots=True)
class HeardFault:
    """A fault with its place.

    Attributes:
        kind: "lost" or "repeated".
        words: as they are read.
        span: (start, end) of the words in the normalised text of the sentence.
        time_s: where they should be, or where they begin again, from the start of the audio.
        margin: how sure that is, in log-likelihood.
    """

    kind: str
    words: tuple[str, ...]
    span: tuple[int, int]
    time_s: float
    margin: float


class Verifier:
    """Checks spoken sentences; a `SentenceCheck` of `yinse.synth.gpt_sovits`.

    Args:
        load: gives the aligner and the spectrogram it was trained on; called when the first sentence is checked.
    """

    attention = None

    def __init__(self, load: Callable[[], tuple[Aligner, SpectrogramConfig]]) -> None:
        self._load = load

    def __call__(self, attempt: Attempt) -> list[str]:
        """What is wrong with an attempt, in words."""
        return self.complaints(attempt.samples, attempt.sample_rate_hz, attempt.text.phonemes)

    def complaints(self, samples: FloatArray, sample_rate_hz: int, text: PhonemeSequence) -> list[str]:
        """What is wrong with a sentence `(S,)`, a line for each word; nothing, if all is well."""
        try:
            faults = self.faults(AudioClip(samples, sample_rate_hz), text)
        except BadAudio:  # silence
            return [f"'{word}' is missing" for word in _words(text, (0, len(text.word_texts)))]
        return [
            f"'{word}' {'is missing' if fault.kind == 'lost' else 'is said again'} at {fault.time_s:.2f} s"
            for fault in faults
            for word in fault.words
        ]

    def faults(self, clip: AudioClip, text: PhonemeSequence) -> list[HeardFault]:
        """Words of a sentence that are lost or repeated, as they follow one another.

        Raises:
            BadAudio: the clip is silent or too short.
        """
        check, log_mel = self._ear
        _, mel = level_mel(clip, log_mel)
        return [self._placed(fault, text) for fault in check(mel, text)]

    def _placed(self, fault: WordFault, text: PhonemeSequence) -> HeardFault:
        time_s = fault.frame / self._ear[1].config.frames_per_s
        return HeardFault(fault.kind, _words(text, fault.items), fault.span, time_s, fault.margin)

    @cached_property
    def _ear(self) -> tuple[WordCheck, LogMel]:
        aligner, spectrogram = self._load()
        return WordCheck(aligner), LogMel(spectrogram)


def _words(text: PhonemeSequence, items: tuple[int, int]) -> tuple[str, ...]:
    """The words among items; marks belong to no language."""
    chosen = slice(*items)
    return tuple(
        word for word, spoken in zip(text.word_texts[chosen], text.word_languages[chosen], strict=True) if spoken
    )
