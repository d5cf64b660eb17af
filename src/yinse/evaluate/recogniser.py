"""A listener that we did not train: Whisper through faster-whisper, and the errors it hears."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from yinse.audio.resample import resample
from yinse.core.errors import MissingExtra, Offline
from yinse.core.types import AudioClip, FloatArray
from yinse.evaluate.misheard import ErrorCount, errors_of, total

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment

_WHISPER_RATE_HZ = 16_000
_SILENCE_S = 0.4
"""Added on both sides of a clip: recordings and peers bring a third of a second or more, speech made for streams next
to none, and what begins at once is heard worse (docs/log.md)."""

_LOOPING = 8.0
"""A text that packs so well is a listener in a loop: a syllable two hundred times. Tongue twisters pack to 2.5."""
_LONGEST_REPEATED = 5
"""So many tokens in a row are heard but once when it listens again."""


class Recogniser(Protocol):
    """Hears speech."""

    def hear(self, clip: AudioClip, *, language: str) -> str:
        """What is said in a clip `(S,)` of a known language."""
        ...


class Whisper:
    """Whisper in 8-bit integers, beam of 5, temperature 0: the same clip gives the same text. Loops are left.

    Source: Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision (2022), run by CTranslate2.

    Args:
        model: folder of a converted model (`model.bin`, `tokenizer.json`, ...), or the name of one in the hub's cache.
        threads: CPU threads.

    Raises:
        MissingExtra: faster-whisper is not installed.
        Offline: there is no such folder and no such model in the cache.
    """

    def __init__(self, model: Path | str, *, threads: int = 1) -> None:
        try:
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise MissingExtra("the recogniser", "eval") from error
        try:
            self._model: WhisperModel = WhisperModel(
                str(model), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
            )
        except Exception as error:  # the hub's client raises a dozen kinds when a model is not in its cache
            raise Offline(
                f"there is no recogniser '{model}'", advice="Give the folder of a Whisper model with --recogniser."
            ) from error

    def hear(self, clip: AudioClip, *, language: str) -> str:
        """What is said in a clip `(S,)`, heard between two silences; "" for silence."""
        samples = np.pad(resample(clip, _WHISPER_RATE_HZ).samples, round(_SILENCE_S * _WHISPER_RATE_HZ))
        segments = self._segments(samples, language)
        if any(segment.compression_ratio > _LOOPING for segment in segments):
            segments = self._segments(samples, language, no_repeat_ngram_size=_LONGEST_REPEATED)
        return " ".join(segment.text.strip() for segment in segments)

    def _segments(self, samples: FloatArray, language: str, **options: int) -> list[Segment]:
        segments, _ = self._model.transcribe(
            samples,
            language=language,
            beam_size=5,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            **options,
        )
        return list(segments)


def word_errors(
    recogniser: Recogniser, pairs: Iterable[tuple[AudioClip, str]], *, language: str
) -> tuple[ErrorCount, list[str]]:
    """Errors in clips whose text is known: words of English, syllables with tones of Mandarin.

    Args:
        recogniser: the listener.
        pairs: clips with what is said in them.
        language: "en" or "zh".

    Returns:
        The errors of all clips together, and what was heard in each.
    """
    counts, texts = [], []
    for clip, text in pairs:
        heard = recogniser.hear(clip, language=language)
        counts.append(errors_of(text, heard, language=language))
        texts.append(heard)
    return total(counts), texts
