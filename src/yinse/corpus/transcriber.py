"""What was said in a recording, for people who have no transcript of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from yinse.audio.resample import resample
from yinse.core.errors import MissingExtra, Offline
from yinse.core.types import AudioClip

_RATE_HZ = 16_000
_LANGUAGES = ("en", "zh")
_MANDARIN_PROMPT = "以下是普通话的句子。"
"""Makes Whisper write simplified characters and marks."""


class Transcriber(Protocol):
    """Hears speech, writes text; a replaceable part."""

    def transcribe(self, clip: AudioClip, *, language: str | None = None) -> str:
        """The words of a clip `(S,)`, with marks; "" if there are none. Without a language it is told by ear."""
        ...


class FasterWhisper:
    """Whisper, run by CTranslate2 in 8 bits on the CPU; nothing is downloaded.

    Source: A. Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision (2022).

    Args:
        model: a folder with a converted model, or the name of one in the hub's cache, such as "base".

    Raises:
        MissingExtra: faster-whisper is not installed.
        Offline: the model is not on this machine.
    """

    def __init__(self, model: str | Path = "base") -> None:
        try:
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise MissingExtra("writing down what was said", "asr") from error
        try:
            self._model: Any = WhisperModel(str(model), device="cpu", compute_type="int8", local_files_only=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise Offline(
                f"the recogniser '{model}' is not on this machine",
                advice="Name a folder with a faster-whisper model, or give the transcripts yourself.",
            ) from error

    def transcribe(self, clip: AudioClip, *, language: str | None = None) -> str:
        """The words of a clip `(S,)`, with marks; "" if there are none."""
        heard = resample(clip, _RATE_HZ).samples
        if language is None:
            _, _, likely = self._model.detect_language(heard)
            language = max(_LANGUAGES, key=dict(likely).__getitem__)
        segments, _ = self._model.transcribe(
            heard,
            language=language,
            beam_size=5,
            condition_on_previous_text=False,
            initial_prompt=_MANDARIN_PROMPT if language == "zh" else None,
        )
        return " ".join(segment.text.strip() for segment in segments).strip()
