"""The types that flow between packages: audio with its rate, phonemes with their words, requests and chunks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from yinse.core.errors import BadAudio, ConfigError

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class AudioClip:
    """Mono audio.

    Attributes:
        samples: float32 `(S,)`, nominally in [-1, 1].
        sample_rate_hz: samples per second.

    Raises:
        BadAudio: samples are not one-dimensional, not finite, or the rate is not positive.
    """

    samples: FloatArray
    sample_rate_hz: int

    def __post_init__(self) -> None:
        samples = np.ascontiguousarray(self.samples, dtype=np.float32)
        if samples.ndim != 1:
            raise BadAudio(f"audio must be mono (S,), got shape {samples.shape}")
        if self.sample_rate_hz <= 0:
            raise BadAudio(f"sample rate {self.sample_rate_hz} Hz is not positive")
        if not np.isfinite(samples).all():
            raise BadAudio("audio holds NaN or infinite samples", advice="Export the recording again.")
        object.__setattr__(self, "samples", samples)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate_hz


@dataclass(frozen=True, slots=True)
class PhonemeSequence:
    """Text as a model reads it: symbols grouped into items (words, or single boundary marks).

    Attributes:
        symbols: symbols of the shared table, `T_ph` of them.
        ids: their ids, `T_ph`.
        word_lengths: symbols per item; `sum(word_lengths) == len(symbols)`.
        word_texts: what each item stands for in `text`; "" for marks that were not written.
        word_languages: "zh", "en", or "" for marks.
        spans: (start, end) of each item in `text`.
        text: the normalised text.
        source_spans: (start, end) of each item in the text as it was given; () if that is not known.
        pauses_s: silence asked for at each item in seconds, 0.0 where none is; () if none is anywhere.
    """

    symbols: tuple[str, ...]
    ids: tuple[int, ...]
    word_lengths: tuple[int, ...]
    word_texts: tuple[str, ...]
    word_languages: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    text: str
    source_spans: tuple[tuple[int, int], ...] = ()
    pauses_s: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        items = {len(self.word_lengths), len(self.word_texts), len(self.word_languages), len(self.spans)}
        items |= {len(part) for part in (self.source_spans, self.pauses_s) if part}
        if sum(self.word_lengths) != len(self.symbols) or len(self.ids) != len(self.symbols) or len(items) != 1:
            raise ConfigError("phoneme sequence whose parts do not add up")


@dataclass(frozen=True, slots=True)
class PhonemeTiming:
    """One phoneme as spoken: start and end in seconds from the start of its sentence."""

    symbol: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A piece of synthesised speech; chunks in order are the whole.

    Attributes:
        samples: float32 `(S,)`.
        sample_rate_hz: samples per second.
        index: 0, 1, 2, … within the request.
        start_s: where the chunk starts in the whole.
        text: the sentence spoken.
        text_span: (start, end) of the sentence in the request's text.
        phonemes: timings relative to the chunk's start.
        is_last: whether this is the final chunk.
        attempts: how often the sentence was spoken until its check was content.
        faults: what the check still says about it; the best attempt is kept.
    """

    samples: FloatArray
    sample_rate_hz: int
    index: int
    start_s: float
    text: str
    text_span: tuple[int, int]
    phonemes: tuple[PhonemeTiming, ...] = ()
    is_last: bool = False
    attempts: int = 1
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpeakRequest:
    """What to say and how: one class for Python, command line, HTTP and batch.

    Attributes:
        text: any length.
        language: "zh", "en", or None to tell by script.
        speed: 1.0 as the voice speaks; 2.0 twice as fast. From 0.25 to 4.
        pitch_semitones: shift of the melody, from -12 to 12.
        seed: same seed, same samples on the same machine.
        pause_s: silence between sentences.
        lexicon: readings of words, pinyin syllables or ARPAbet phones, that go before those of the dictionaries.

    Raises:
        ConfigError: a value is out of range.
    """

    text: str
    language: str | None = None
    speed: float = 1.0
    pitch_semitones: float = 0.0
    seed: int = 0
    pause_s: float = field(default=0.25)
    lexicon: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.25 <= self.speed <= 4.0:
            raise ConfigError(f"speed {self.speed} is out of range", advice="Use 0.25 to 4.")
        if not -12.0 <= self.pitch_semitones <= 12.0:
            raise ConfigError(f"pitch {self.pitch_semitones} is out of range", advice="Use -12 to 12 semitones.")
        if not 0.0 <= self.pause_s <= 10.0:
            raise ConfigError(f"pause {self.pause_s} s is out of range", advice="Use 0 to 10 seconds.")
        if self.language not in (None, "zh", "en"):
            raise ConfigError(f"language '{self.language}' is unknown", advice="Use zh or en.")
