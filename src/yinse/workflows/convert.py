"""A person's recording said again in another voice, with the timing of the recording."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from yinse.audio.decode import decode
from yinse.audio.frontend import restore
from yinse.audio.loudness import normalize_loudness
from yinse.audio.options import CleaningOptions
from yinse.audio.resample import resample
from yinse.audio.silence import Segment
from yinse.audio.slicing import UtteranceSlice, slice_utterances
from yinse.audio.write import AudioWriter
from yinse.core.errors import BadAudio, BadText, ConfigError
from yinse.core.events import Artifact, Event, Finished, Progress, Warned
from yinse.core.types import AudioClip, FloatArray
from yinse.corpus.transcriber import Transcriber
from yinse.voices.voice import Voice
from yinse.workflows.engine import Engine, check_fits
from yinse.workflows.transcripts import Line, Piece, cut_by_text, find_transcripts, mostly_fitting, speakable

LONGEST_CONVERTED_S = 900.0
"""The result is held in memory until it is written whole."""
_FADE_S = 0.005
"""Pieces meet in pauses; what noise there is must not click."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertRequest:
    """What to convert.

    Attributes:
        audio: a recording of one person.
        text: file with what is said; None: NAME.txt beside NAME.wav, if it is there, else a recogniser is asked, if one
            is given.
        language: "zh", "en", or None to tell by the text.
        seed: same seed, same samples on the same machine.

    Raises:
        ConfigError: the language is unknown.
    """

    audio: Path
    text: Path | None = None
    language: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.language not in (None, "zh", "en"):
            raise ConfigError(f"language '{self.language}' is unknown", advice="Use zh or en.")


@dataclass(frozen=True, slots=True, eq=False)
class Converted:
    """A converted recording: the audio, as long as the recording was, and the utterances it was cut into."""

    clip: AudioClip
    utterances: int


def convert_recording(
    request: ConvertRequest,
    voice: Voice,
    *,
    engine: Engine,
    transcriber: Callable[[], Transcriber] | None = None,
    output: Path | None = None,
) -> Iterator[Event]:
    """Says a recording again in another voice: clean, cut at pauses, convert, put back. The last event holds a
    `Converted`.

    Known words are understood better than what native models hear; GPT-SoVITS has to be told them.

    Args:
        request: the recording.
        voice: made for these models.
        engine: the models.
        transcriber: makes the recogniser that is asked when there is no text; models that need words need it then.
        output: file to write; it appears when everything is converted, or not at all.

    Raises:
        BadAudio: it cannot be read, lasts longer than 15 minutes, or holds no speech.
        QualityGateError: it is too poor.
        BadText: the text is not what is said.
        MissingExtra, Offline: there is no text and no recogniser, or a part of the models is not here.
        FingerprintMismatch: the voice was made for other models.
        ConfigError: the output's suffix names no format.
    """
    check_fits(voice, engine)
    rate_hz = engine.sample_rate_hz
    writer = None if output is None else AudioWriter(output, rate_hz)  # an unknown suffix is told at once
    (lines,) = find_transcripts([request.audio], request.text)
    name = request.audio.name
    if engine.needs_words and not lines and transcriber is None:
        raise BadText("these models have to be told what is said", where=name, advice="Give the text, or a recogniser.")
    yield Progress("clean", 0, 1, name)
    options = CleaningOptions()
    source = restore(decode(request.audio, limit_s=LONGEST_CONVERTED_S), options=options, where=name).clip
    source = normalize_loudness(source, target_lufs=options.target_lufs, ceiling_dbtp=options.ceiling_dbtp)
    yield Progress("clean", 1, 1)
    if lines:
        pieces = yield from _with_text(source, lines, engine=engine, where=name)
    elif transcriber is not None:
        pieces = yield from _listened(source, request, transcriber())
    else:
        if request.language is None:
            yield Warned("the language was not told; sounds are heard better with --language en or zh", name)
        pieces = [_placed(part, source, None) for part in slice_utterances(source)]
    if not pieces:
        raise BadAudio("the recording holds no speech to convert", where=name)
    whole = np.zeros(round(len(source.samples) * rate_hz / source.sample_rate_hz), dtype=np.float32)
    for index, piece in enumerate(pieces):
        yield Progress("convert", index, len(pieces), name)
        said = engine.convert(
            piece.clip, voice, transcript=piece.text, language=request.language, seed=request.seed + index
        )
        start = round(piece.start * rate_hz / source.sample_rate_hz)
        length = min(round(len(piece.clip.samples) * rate_hz / source.sample_rate_hz), len(whole) - start)
        whole[start : start + length] += _fitted(resample(said, rate_hz).samples, length, fade=round(_FADE_S * rate_hz))
    yield Progress("convert", len(pieces), len(pieces))
    result = Converted(AudioClip(np.clip(whole, -1.0, 1.0), rate_hz), len(pieces))
    if writer is not None:
        with writer:
            writer.write(result.clip.samples)
        yield Artifact("audio", str(output))
    yield Finished(result)


def recogniser_asked(named: str | None, engine: Engine) -> str | None:
    """Which recogniser is to hear what no text tells: the one that is named, else "base" if the models need words."""
    return named or ("base" if engine.needs_words else None)


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """An utterance, the sample at which it starts, and what is said in it, if that is known."""

    clip: AudioClip
    start: int
    text: str | None


def _placed(part: UtteranceSlice, source: AudioClip, text: str | None) -> _Placed:
    return _Placed(part.clip, round(part.segment.start_s * source.sample_rate_hz), text)


def _with_text(
    source: AudioClip, lines: Sequence[Line], *, engine: Engine, where: str
) -> Generator[Event, None, list[_Placed]]:
    """Utterances with the words of the text that is given."""
    pieces = cut_by_text(source, lines, engine=engine, where=where)
    fits = mostly_fitting(pieces, engine=engine, advice="Check that the text belongs to the recording.")
    for piece, fit in zip(pieces, fits, strict=True):
        if not fit:
            yield Warned(f"'{(piece.text or '')[:60]}' may not be what is said there", piece.where)
    return _in_a_row(pieces)


def _listened(
    source: AudioClip, request: ConvertRequest, recogniser: Transcriber
) -> Generator[Event, None, list[_Placed]]:
    """Utterances with the words that a recogniser hears."""
    name = request.audio.name
    found: list[_Placed] = []
    parts = slice_utterances(source)
    for index, part in enumerate(parts):
        yield Progress("listen", index, len(parts), name)
        text = speakable(recogniser.transcribe(part.clip, language=request.language))
        if text is None:
            yield Warned(f"no words were heard at {_clock(part.segment)}", name)
        found.append(_placed(part, source, text))
    return found


def _in_a_row(pieces: Sequence[Piece]) -> list[_Placed]:
    """Pieces that follow one another without gaps."""
    starts = np.cumsum([0] + [len(piece.clip.samples) for piece in pieces]).tolist()
    return [_Placed(piece.clip, start, piece.text) for piece, start in zip(pieces, starts, strict=False)]


def _clock(segment: Segment) -> str:
    return f"{segment.start_s:.1f} to {segment.end_s:.1f} s"


def _fitted(samples: FloatArray, length: int, *, fade: int) -> FloatArray:
    """Samples `(S,)` cut or filled with silence to a length, their ends faded."""
    fitted = np.zeros(length, dtype=np.float32)
    count = min(length, len(samples))
    fitted[:count] = samples[:count]
    fade = min(fade, length // 2)
    ramp = np.linspace(0.0, 1.0, fade, endpoint=False, dtype=np.float32)
    fitted[:fade] *= ramp
    fitted[length - fade :] *= ramp[::-1]
    return fitted
