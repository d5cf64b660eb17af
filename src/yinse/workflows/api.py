"""The Python interface: `clone`, `say`, `stream`, `convert`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from yinse.audio.write import write_audio
from yinse.core.errors import InternalError
from yinse.core.events import Event, Finished, Warned
from yinse.core.types import AudioChunk, AudioClip, SpeakRequest
from yinse.corpus.transcriber import FasterWhisper
from yinse.voices.store import VoiceStore
from yinse.voices.voice import Voice
from yinse.workflows.clone import CloneRequest, CloneTools, clone_voice
from yinse.workflows.convert import ConvertRequest, convert_recording, recogniser_asked
from yinse.workflows.engine import Engine, check_fits
from yinse.workflows.style import find_style


@cache
def shipped_engine() -> Engine:
    """The models that come with the package, loaded once."""
    from yinse.workflows.native import load_engine

    return load_engine()


@cache
def _named_engine(model: str | None, precision: str | None) -> Engine:
    from yinse.workflows.engines import load_engine

    return load_engine(model, precision=precision)


def _engine(model: str | None, voice: Voice | None = None, precision: str | None = None) -> Engine:
    """The models that are named, else those that the voice was made for, else those of the package."""
    if model is None and voice is not None:
        from yinse.workflows.models import SHIPPED, find_model_of

        found = find_model_of(voice.model_fingerprint)
        model = str(found.folder) if found is not None and found.name != SHIPPED else None
    return shipped_engine() if model is None and precision is None else _named_engine(model, precision)


def clone(
    audio: str | Path | Sequence[str | Path],
    *,
    name: str,
    text: str | Path | None = None,
    language: str | None = None,
    tune: bool | None = None,
    replace: bool = False,
    model: str | None = None,
) -> Voice:
    """Makes a voice from a minute of a person's recordings, and keeps it under its name.

    Args:
        audio: recordings, or folders of recordings, of one person.
        name: of the voice.
        text: file with what is said: one line per recording, or lines `name<TAB>text`. Without it, NAME.txt beside
            NAME.wav is read; else a recogniser is asked, if one is installed.
        language: "zh", "en", or None to tell by the text.
        tune: adapt the models too, which takes minutes, by the sound alone where it is not known what was said; None:
            if it is known.
        replace: an older voice of this name gives way.
        model: name or folder of a model set; None: the one of the package.

    Returns:
        The voice. Warnings about the recordings are issued as `UserWarning`.

    Raises:
        YinseError: what `yinse.workflows.clone.clone_voice` raises.

    Example:
        >>> voice = clone("me.wav", name="me")  # doctest: +SKIP
    """
    paths = (audio,) if isinstance(audio, str | Path) else tuple(audio)
    request = CloneRequest(
        audio=tuple(Path(path) for path in paths),
        name=name,
        text=None if text is None else Path(text),
        language=language,
        tune=tune,
        replace=replace,
    )
    tools = CloneTools(FasterWhisper)
    voice: Voice = _result(clone_voice(request, engine=_engine(model), store=VoiceStore(), tools=tools)).voice
    return voice


def stream(
    text: str,
    voice: str | Voice | None = None,
    *,
    language: str | None = None,
    speed: float = 1.0,
    pitch_semitones: float = 0.0,
    seed: int = 0,
    style: str | Path | None = None,
    model: str | None = None,
    precision: str | None = None,
) -> Iterator[AudioChunk]:
    """Speaks a text of any length, one `AudioChunk` a sentence, in flat memory.

    Args:
        text: English, Mandarin, or both.
        voice: a voice, its name, or None for the first built-in one.
        language: "zh", "en", or None to tell by script.
        speed: 1.0 as the voice speaks.
        pitch_semitones: shift of the melody.
        seed: same seed, same samples on the same machine.
        style: a recording of a few sentences whose manner of speaking is taken on.
        model: name or folder of a model set; None: the one that the voice was made for.
        precision: "fp32", "bf16" or "int8", of GPT-SoVITS models; None: as their folder chooses.

    Raises:
        UnknownName: there is no such voice; the message proposes the nearest.
        ConfigError: an option is out of range.
        BadText: nothing in the text can be spoken (raised by the first chunk).
    """
    request = SpeakRequest(text, language=language, speed=speed, pitch_semitones=pitch_semitones, seed=seed)
    chosen = voice if isinstance(voice, Voice) else VoiceStore().get_or_default(voice)
    engine = _engine(model, chosen, precision)
    check_fits(chosen, engine)
    manner = None if style is None else find_style(Path(style), engine=engine, transcriber=FasterWhisper)
    return engine.stream(request, chosen, style=manner)


def say(text: str, voice: str | Voice | None = None, *, output: str | Path | None = None, **options: Any) -> AudioClip:
    """Speaks a text.

    Args:
        text: English, Mandarin, or both.
        voice: a voice, its name, or None for the first built-in one.
        output: file to write as well; its suffix chooses WAV, FLAC, OGG, Opus or MP3.
        options: those of `stream`.

    Returns:
        The whole speech.

    Example:
        >>> clip = say("Hello. 你好。", output="hello.wav")  # doctest: +SKIP
    """
    chunks = list(stream(text, voice, **options))
    clip = AudioClip(np.concatenate([chunk.samples for chunk in chunks]), chunks[0].sample_rate_hz)
    if output is not None:
        write_audio(Path(output), clip)
    return clip


def convert(
    audio: str | Path,
    voice: str | Voice | None = None,
    *,
    output: str | Path | None = None,
    text: str | Path | None = None,
    language: str | None = None,
    recogniser: str | None = None,
    seed: int = 0,
    model: str | None = None,
    precision: str | None = None,
) -> AudioClip:
    """Says a recording again in another voice, with its timing.

    Args:
        audio: a recording of one person.
        voice: a voice, its name, or None for the first built-in one.
        output: file to write as well; its suffix chooses WAV, FLAC, OGG, Opus or MP3.
        text: file with what is said: clearer than what the models hear. Without it, NAME.txt beside NAME.wav is read,
            if it is there.
        language: "zh", "en", or None to tell by the text.
        recogniser: faster-whisper model that hears the words where no text is; None: "base" for GPT-SoVITS models,
            which need the words, and none for others.
        seed: same seed, same samples on the same machine.
        model: name or folder of a model set; None: the one that the voice was made for.
        precision: "fp32", "bf16" or "int8", of GPT-SoVITS models; None: as their folder chooses.

    Returns:
        Speech as long as the recording. Warnings are issued as `UserWarning`.

    Raises:
        YinseError: what `yinse.workflows.convert.convert_recording` raises.

    Example:
        >>> clip = convert("me.wav", "Ada", output="ada.wav")  # doctest: +SKIP
    """
    chosen = voice if isinstance(voice, Voice) else VoiceStore().get_or_default(voice)
    request = ConvertRequest(audio=Path(audio), text=None if text is None else Path(text), language=language, seed=seed)
    engine = _engine(model, chosen, precision)
    asked = recogniser_asked(recogniser, engine)
    events = convert_recording(
        request,
        chosen,
        engine=engine,
        transcriber=partial(FasterWhisper, asked) if asked else None,
        output=None if output is None else Path(output),
    )
    clip: AudioClip = _result(events).clip
    return clip


def _result(events: Iterator[Event]) -> Any:
    """What the last event of a use case holds; its warnings are issued as such."""
    for event in events:
        if isinstance(event, Warned):
            warnings.warn(f"{event.where}: {event.message}" if event.where else event.message, stacklevel=3)
        if isinstance(event, Finished):
            return event.result
    raise InternalError("a use case ended without a result")
