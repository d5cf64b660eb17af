"""Speaking a text of any length into a file or a pipe, sentence by sentence, with captions and a report."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from yinse.audio.write import AudioWriter
from yinse.core.errors import BadText, ConfigError, ResourceError
from yinse.core.events import Artifact, Event, Finished, Progress
from yinse.core.files import WholeFile
from yinse.core.types import AudioChunk, FloatArray, PhonemeTiming, SpeakRequest
from yinse.voices.voice import Voice
from yinse.workflows.engine import Engine, check_fits


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakOutputs:
    """Where speech goes.

    Attributes:
        audio: a file, its suffix chooses the format; or an open pipe, which gets a WAV.
        captions: `.srt` or `.vtt`, one caption per sentence.
        report: JSON with the phonemes of every sentence, with start and end.

    Raises:
        ConfigError: captions of another kind.
    """

    audio: Path | BinaryIO
    captions: Path | None = None
    report: Path | None = None

    def __post_init__(self) -> None:
        if self.captions is not None and self.captions.suffix.lower() not in (".srt", ".vtt"):
            raise ConfigError(
                f"'{self.captions.suffix}' is no format of captions",
                where=str(self.captions),
                advice="Use .srt or .vtt.",
            )


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was spoken: sentences, seconds of audio, seconds it took, and seconds until the first of it was there."""

    sentences: int
    duration_s: float
    took_s: float
    first_audio_s: float


@dataclass(slots=True)
class _Sentence:
    """A sentence as its chunks come in; times from the start of the whole."""

    text: str
    text_span: tuple[int, int]
    start_s: float
    end_s: float
    phonemes: list[PhonemeTiming]
    attempts: int = 1
    faults: tuple[str, ...] = ()

    @property
    def speech_end_s(self) -> float:
        """Where its last phoneme ends: the pause behind it is not shown in captions."""
        return self.phonemes[-1].end_s if self.phonemes else self.end_s


class _Sink(Protocol):
    def add(self, sentence: _Sentence) -> None: ...
    def close(self) -> None: ...


class _Captions:
    def __init__(self, file: WholeFile, *, is_vtt: bool) -> None:
        self._file, self._is_vtt, self._count = file, is_vtt, 0
        if is_vtt:
            file.write(b"WEBVTT\n\n")

    def add(self, sentence: _Sentence) -> None:
        self._count += 1
        times = f"{self._clock(sentence.start_s)} --> {self._clock(sentence.speech_end_s)}"
        # A blank line would end the caption, an arrow would be taken for its times.
        text = " ".join(sentence.text.split()).replace("-->", "→")
        if self._is_vtt:
            text = text.replace("&", "&amp;").replace("<", "&lt;")
        self._file.write(f"{self._count}\n{times}\n{text}\n\n".encode())

    def close(self) -> None:
        pass

    def _clock(self, time_s: float) -> str:
        ms = round(time_s * 1000)
        mark = "." if self._is_vtt else ","
        return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{mark}{ms % 1000:03}"


class _Report:
    def __init__(self, file: WholeFile, request: SpeakRequest, voice: Voice, engine: Engine) -> None:
        self._file, self._separator = file, "\n"
        head = {
            "voice": voice.name,
            "voice_id": voice.id,
            "model_fingerprint": engine.fingerprint,
            "sample_rate_hz": engine.sample_rate_hz,
            "language": request.language,
            "speed": request.speed,
            "pitch_semitones": request.pitch_semitones,
            "seed": request.seed,
        }
        # Sentences are appended as they are spoken, so a book needs no more memory than a sentence.
        file.write((json.dumps(head, ensure_ascii=False, indent=1)[:-2] + ',\n "sentences": [').encode())

    def add(self, sentence: _Sentence) -> None:
        entry = {
            "text": sentence.text,
            "text_span": sentence.text_span,
            "start_s": round(sentence.start_s, 4),
            "end_s": round(sentence.end_s, 4),
            "attempts": sentence.attempts,
            "faults": sentence.faults,
            "phonemes": [
                {"symbol": phoneme.symbol, "start_s": round(phoneme.start_s, 4), "end_s": round(phoneme.end_s, 4)}
                for phoneme in sentence.phonemes
            ],
        }
        self._file.write((self._separator + "  " + json.dumps(entry, ensure_ascii=False)).encode())
        self._separator = ",\n"

    def close(self) -> None:
        self._file.write(b"\n ]\n}\n")


class _WavPipe:
    """A WAV of unknown length, as a pipe needs it: its header names the greatest length, as ffmpeg's does."""

    def __init__(self, pipe: BinaryIO, sample_rate_hz: int) -> None:
        self._pipe = pipe
        header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16, 1, 1, sample_rate_hz,
                             2 * sample_rate_hz, 2, 16, b"data", 0xFFFFFFFF)  # fmt: skip
        self._send(header)

    def write(self, samples: FloatArray) -> None:
        self._send(np.round(np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes())

    def _send(self, data: bytes) -> None:
        try:
            self._pipe.write(data)
            self._pipe.flush()
        except OSError as error:
            raise ResourceError(
                f"the audio cannot be written ({error.strerror or error})", where="standard output"
            ) from error


def speak(
    request: SpeakRequest, voice: Voice, *, engine: Engine, outputs: SpeakOutputs, style: Any = None
) -> Iterator[Event]:
    """Speaks a text; files appear when all of it was spoken, or not at all. The last event holds a `Spoken`.

    Memory does not grow with the text.

    Args:
        request: what to say and how.
        voice: made for these models.
        engine: the models.
        outputs: where it goes.
        style: a manner of speaking to take on, made by `find_style`.

    Raises:
        BadText: nothing in the text can be spoken.
        FingerprintMismatch: the voice was made for other models.
        ResourceError: the disk is full.
    """
    check_fits(voice, engine)
    started_s = time.monotonic()
    first_audio_s = duration_s = 0.0
    sentences = 0
    chunks = engine.stream(request, voice, style=style)
    first = next(chunks, None)
    if first is None:
        raise BadText("the text holds nothing to speak", advice="Write at least one word in English or Mandarin.")
    with ExitStack() as stack:
        sinks: list[_Sink] = []
        if outputs.captions is not None:
            is_vtt = outputs.captions.suffix.lower() == ".vtt"
            sinks.append(_Captions(stack.enter_context(WholeFile(outputs.captions)), is_vtt=is_vtt))
        if outputs.report is not None:
            sinks.append(_Report(stack.enter_context(WholeFile(outputs.report)), request, voice, engine))
        audio: AudioWriter | _WavPipe
        if isinstance(outputs.audio, Path):
            audio = stack.enter_context(AudioWriter(outputs.audio, first.sample_rate_hz))
        else:
            audio = _WavPipe(outputs.audio, first.sample_rate_hz)
        first_audio_s = time.monotonic() - started_s
        sentence: _Sentence | None = None
        for chunk in _with_first(first, chunks):
            audio.write(chunk.samples)
            duration_s = chunk.start_s + len(chunk.samples) / chunk.sample_rate_hz
            if sentence is None or chunk.text_span != sentence.text_span:
                if sentence is not None:
                    _add(sinks, sentence)
                sentences += 1
                sentence = _Sentence(chunk.text, chunk.text_span, chunk.start_s, duration_s, [])
            sentence.end_s = duration_s
            sentence.attempts, sentence.faults = chunk.attempts, chunk.faults
            sentence.phonemes += [
                PhonemeTiming(timing.symbol, chunk.start_s + timing.start_s, chunk.start_s + timing.end_s)
                for timing in chunk.phonemes
            ]
            yield Progress("speak", chunk.text_span[1], len(request.text), f"{duration_s:.1f} s of speech")
        if sentence is not None:
            _add(sinks, sentence)
        for sink in sinks:
            sink.close()
    yield Progress("speak", len(request.text), len(request.text), f"{duration_s:.1f} s of speech")
    for kind, path in (("audio", outputs.audio), ("captions", outputs.captions), ("report", outputs.report)):
        if isinstance(path, Path):
            yield Artifact(kind, str(path))
    yield Finished(Spoken(sentences, duration_s, time.monotonic() - started_s, first_audio_s))


def _with_first(first: AudioChunk, others: Iterator[AudioChunk]) -> Iterator[AudioChunk]:
    yield first
    yield from others


def _add(sinks: list[_Sink], sentence: _Sentence) -> None:
    for sink in sinks:
        sink.add(sentence)
