"""Stand-ins for what is slow or random: an engine that hums, recordings that only look like speech."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from yinse.core.errors import BadText
from yinse.core.events import Event, Finished, Progress
from yinse.core.types import AudioChunk, AudioClip, FloatArray, PhonemeTiming, SpeakRequest
from yinse.text.phonemes import phonemize
from yinse.text.sentences import split_sentences
from yinse.voices.voice import Voice
from yinse.workflows.engine import Enrolment, TimedText, Tuning

RATE_HZ = 24_000
SYMBOL_S = 0.08
"""How long a fake speaker takes for a symbol."""


def humming(pattern: Sequence[tuple[float, bool]], *, f0_hz: float = 120.0, rate_hz: int = RATE_HZ) -> AudioClip:
    """Stretches `(seconds, voiced)` of a buzz that swells like syllables, or of near-silence."""
    random = np.random.default_rng(0)
    parts = []
    for seconds, voiced in pattern:
        times = np.arange(round(seconds * rate_hz)) / rate_hz
        part = 1e-4 * random.normal(size=len(times))
        if voiced:
            part += 0.3 * (f0_hz * times % 1.0 - 0.5) * (0.6 + 0.4 * np.cos(2 * np.pi * 4 * times))
        parts.append(part)
    return AudioClip(np.concatenate(parts).astype(np.float32), rate_hz)


def reading(texts: Sequence[str], *, f0_hz: float = 120.0) -> AudioClip:
    """A fake recording of someone who reads sentences, with pauses between them."""
    pattern = [(0.3, False)]
    for text in texts:
        pattern += [(SYMBOL_S * len(phonemize(text).symbols), True), (0.4, False)]
    return humming(pattern, f0_hz=f0_hz)


def make_voice(name: str = "Ada", *, fingerprint: str = "fake", **changes: Any) -> Voice:
    """A voice of the fake engine."""
    fields: dict[str, Any] = {
        "id": f"{zlib.crc32(name.encode()):08x}",
        "name": name,
        "languages": ("en", "zh"),
        "bandwidth_hz": 12_000.0,
        "model_fingerprint": fingerprint,
        "licence": "private",
        "created": "2026-01-01T00:00:00+00:00",
        "synthetic": True,
    }
    return Voice(**{**fields, "tensors": _tensors(np.eye(1, 256, dtype=np.float32)[0]), **changes})


def _tensors(vector: FloatArray) -> dict[str, np.ndarray]:
    return {
        "speaker_vector": vector,
        "mean_spectrum": np.zeros(100, dtype=np.float32),
        "floor_depth": np.zeros(8, dtype=np.float32),
        "numbers": np.array([4.8, 0.2, 0.6, 1.0], dtype=np.float32),
    }


class FakeEngine:
    """An `Engine` that hums a sentence, tells people apart by their F0, and believes texts of the right length.

    Args:
        interrupt_at: number of tuning steps after which somebody presses Ctrl-C, once.
    """

    fingerprint = "fake"
    sample_rate_hz = RATE_HZ
    can_tune = True
    needs_words = False
    tuning_steps = 5

    def __init__(self, *, interrupt_at: int | None = None) -> None:
        self.interrupt_at = interrupt_at
        self.steps_run: list[int] = []
        self.tuned_texts: list[str] | None = []

    def stream(self, request: SpeakRequest, voice: Voice, *, style: Any = None) -> Iterator[AudioChunk]:
        start_s, index = 0.0, 0
        sentences = list(split_sentences(request.text))
        if not sentences:
            raise BadText("nothing in the text can be spoken")
        for sentence in sentences:
            symbols = phonemize(sentence.text, language=request.language).symbols
            length_s = SYMBOL_S * len(symbols) / request.speed
            samples = humming([(length_s, True)], f0_hz=100.0 + request.seed).samples
            ends_s = np.linspace(0.0, length_s, len(symbols) + 1).tolist()
            timings = [PhonemeTiming(s, a, b) for s, a, b in zip(symbols, ends_s, ends_s[1:], strict=False)]
            yield AudioChunk(
                samples,
                RATE_HZ,
                index,
                start_s,
                sentence.text,
                (sentence.start, sentence.end),
                tuple(timings),
                is_last=sentence is sentences[-1],
            )
            start_s, index = start_s + len(samples) / RATE_HZ, index + 1

    def style(self, clip: AudioClip, transcript: str) -> Any:
        return transcript

    def enroll(
        self, clips: Sequence[AudioClip], *, transcripts: Sequence[str | None], language: str | None
    ) -> Enrolment:
        return Enrolment(_tensors(self.speaker_vectors(clips)[0]), 7000.0)

    def convert(
        self,
        clip: AudioClip,
        voice: Voice,
        *,
        transcript: str | None = None,
        language: str | None = None,
        seed: int = 0,
    ) -> AudioClip:
        """Hums at another pitch, as loud as the clip."""
        hum = humming([(clip.duration_s, True)], f0_hz=200.0 + seed).samples
        return AudioClip(hum * float(np.abs(clip.samples).max()), RATE_HZ)

    def speaker_vectors(self, clips: Sequence[AudioClip]) -> list[FloatArray]:
        """The octave of the strongest partial, and a little of everything."""
        vectors = []
        for clip in clips:
            power = np.abs(np.fft.rfft(clip.samples))
            strongest_hz = float(power.argmax()) * clip.sample_rate_hz / len(clip.samples)
            vector = np.full(256, 0.01)
            vector[round(2 * np.log2(max(strongest_hz, 1.0)))] = 1.0
            vectors.append((vector / np.linalg.norm(vector)).astype(np.float32))
        return vectors

    def align(self, clips: Sequence[AudioClip], symbols: Sequence[Sequence[str]]) -> list[TimedText | None]:
        found: list[TimedText | None] = []
        for clip, text in zip(clips, symbols, strict=True):
            ratio = clip.duration_s / (SYMBOL_S * len(text))
            pauses = np.array([1.0 if symbol in ".!?" else 0.0 for symbol in text])
            lengths = 1.0 + 4.0 * pauses
            fits = 0.7 < ratio < 2.0
            ends_s = np.cumsum(lengths) / lengths.sum() * clip.duration_s
            found.append(TimedText(ends_s, -1.0 if fits else -9.0) if ratio > 0.1 else None)
        return found

    def tune(
        self, voice: Voice, clips: Sequence[AudioClip], transcripts: Sequence[str] | None, *, folder: Path
    ) -> Iterator[Event]:
        self.tuned_texts = None if transcripts is None else list(transcripts)
        folder.mkdir(parents=True, exist_ok=True)
        checkpoint = folder / "checkpoint"
        done = int(checkpoint.read_text()) if checkpoint.exists() else 0
        for step in range(done, self.tuning_steps):
            self.steps_run.append(step)
            checkpoint.write_text(str(step + 1))
            yield Progress("tune", step + 1, self.tuning_steps)
            if self.interrupt_at == step + 1:
                self.interrupt_at = None
                raise KeyboardInterrupt
        adapter = {"adapter.acoustic.x.up": np.ones((2, 2), dtype=np.float16)}
        yield Finished(Tuning(adapter, {"similarity_before": 0.7, "similarity_after": 0.85}))
