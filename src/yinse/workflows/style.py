"""The manner of speaking of a recording, for `say --style`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from yinse.audio.decode import decode
from yinse.audio.frontend import clean
from yinse.core.errors import BadText
from yinse.corpus.transcriber import Transcriber
from yinse.workflows.engine import Engine
from yinse.workflows.transcripts import find_transcripts

LONGEST_STYLE_S = 20.0


def find_style(path: Path, *, engine: Engine, transcriber: Callable[[], Transcriber]) -> Any:
    """The manner in which a recording is spoken.

    Args:
        path: a recording of one or a few sentences; what is said lies as NAME.txt beside NAME.wav.
        engine: the models.
        transcriber: makes the recogniser that is asked when there is no text.

    Raises:
        BadAudio: it cannot be read, or lasts longer than 20 s.
        QualityGateError: it is too poor.
        BadText: the text is not what is said.
        MissingExtra, Offline: there is no text and no recogniser.
    """
    clip = clean(decode(path, limit_s=LONGEST_STYLE_S), where=path.name).clip
    (lines,) = find_transcripts([path], None)
    text = " ".join(line.text for line in lines) or transcriber().transcribe(clip)
    try:
        return engine.style(clip, text)
    except BadText as error:
        raise BadText(error.what, where=path.with_suffix(".txt").name, advice=error.advice) from error
