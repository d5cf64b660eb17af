"""What a model is told about a training speaker: the same measurements and vector that cloning a voice takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from yinse.audio.measure import SpeakerMeasure, measure_speaker
from yinse.core.types import FloatArray
from yinse.models.voice_condition import measure_vector
from yinse.train.features import Clip

REFERENCE_FRAMES = 4000
"""A reference is about 50 seconds, as a user's minute."""
EMBEDDED_CLIPS = 12
"""So many clips of it give the speaker vector."""
NARROW_BAND_HZ = 8000


Embed = Callable[[Sequence[Clip]], FloatArray]
"""Clips of one speaker to the speaker's vector `(G,)`."""


@dataclass(frozen=True)
class Reference:
    """A speaker as heard in some of their clips."""

    measure: SpeakerMeasure
    measures: FloatArray
    speaker: FloatArray


def make_references(clips: Sequence[Clip], embed: Embed, *, count: int, random: np.random.Generator) -> list[Reference]:
    """`count` references of one speaker, each of a random minute of the clips."""
    references = []
    for _ in range(count):
        chosen, frames = [], 0
        for index in random.permutation(len(clips)):
            chosen.append(clips[index])
            frames += len(clips[index].mel)
            if frames > REFERENCE_FRAMES:
                break
        measure = measure_speaker([clip.mel for clip in chosen], [clip.log_f0 for clip in chosen])
        vector = embed(chosen[:EMBEDDED_CLIPS])
        # also when it is played somewhat faster
        narrow = chosen[0].bandwidth_hz < 1.2 * NARROW_BAND_HZ
        told = measure_vector(measure, synthetic=chosen[0].synthetic, narrow_band=narrow)
        references.append(Reference(measure, told, vector))
    return references
