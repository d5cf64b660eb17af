"""Who speaks, as a network heard it that we did not train: similarity to the target, to others, and who is nearest."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from yinse.audio.resample import resample
from yinse.audio.rumble import without_rumble
from yinse.core.errors import BadAudio, MissingExtra
from yinse.core.types import AudioClip, FloatArray

if TYPE_CHECKING:
    from resemblyzer import VoiceEncoder

_JUDGE_RATE_HZ = 16_000
_SHORTEST_SAMPLES = 8_000
_LEVEL = 10 ** (-30 / 20)
"""Root mean square that speech is brought to: the level which the encoder was trained on, and only raised to by itself.
It reads magnitudes, not their logarithms, so that a person 14 dB louder is 0.05 less alike (docs/log.md)."""


class SpeakerJudge(Protocol):
    """Turns a clip into a vector whose direction tells the speaker."""

    def embed(self, clip: AudioClip) -> FloatArray:
        """Vector `(G,)` of length 1 of a clip `(S,)`."""
        ...


class Resemblyzer:
    """The GE2E speaker encoder of the package resemblyzer, 256 numbers.

    Source: Wan et al., Generalized End-to-End Loss for Speaker Verification (2018).

    Raises:
        MissingExtra: resemblyzer is not installed.
    """

    def __init__(self) -> None:
        try:
            with warnings.catch_warnings():  # its packages import names that are about to be removed
                warnings.simplefilter("ignore")
                from resemblyzer import VoiceEncoder
        except ImportError as error:
            raise MissingExtra("the judge of speakers", "eval") from error
        self._encoder: VoiceEncoder = VoiceEncoder("cpu", verbose=False)

    def embed(self, clip: AudioClip) -> FloatArray:
        """Vector `(256,)` of length 1 of a clip `(S,)`; long silences are left out, and how loud it is tells nothing.

        Nor does what lies below any voice: the rumble of a person's room would count as likeness, and speech made from
        cleaned recordings has none (docs/log.md).

        Raises:
            BadAudio: the clip is silent or shorter than half a second.
        """
        from resemblyzer import preprocess_wav

        samples = without_rumble(resample(clip, _JUDGE_RATE_HZ)).samples
        if len(samples) < _SHORTEST_SAMPLES or not samples.any():
            raise BadAudio("too short or too silent to tell who speaks")
        speech = preprocess_wav(np.clip(samples, -1.0, 1.0))
        if len(speech) < _SHORTEST_SAMPLES:  # its detector of voices took nearly everything for silence
            speech = samples
        speech = speech * (_LEVEL / np.sqrt(np.mean(np.square(speech))))
        return np.asarray(self._encoder.embed_utterance(speech), dtype=np.float32)


def mean_vector(judge: SpeakerJudge, clips: Iterable[AudioClip]) -> FloatArray:
    """Mean of the vectors of several clips `(S,)` of one person, scaled to length 1, `(G,)`.

    Raises:
        BadAudio: no clip can be judged.
    """
    vectors = []
    for clip in clips:
        try:
            vectors.append(judge.embed(clip))
        except BadAudio:
            continue
    if not vectors:
        raise BadAudio("no clip is long enough to tell who speaks")
    mean = np.mean(vectors, axis=0)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)


def similarities(vector: FloatArray, references: Mapping[str, FloatArray]) -> dict[str, float]:
    """Cosine between a vector `(G,)` and each person's `(G,)`."""
    return {person: float(vector @ reference) for person, reference in references.items()}


@dataclass(frozen=True, slots=True)
class SimilarityFigures:
    """What a judge of speakers says of a set of clips.

    Attributes:
        target: mean similarity to the person meant.
        others: mean similarity to the other people.
        nearest: share of the clips whose nearest person is the one meant.
        clips: how many there are.
    """

    target: float
    others: float
    nearest: float
    clips: int

    def normalised(self, real: SimilarityFigures) -> float:
        """(target - others) / (real - others): 1 is a recording of the person, 0 a stranger; NaN if they are alike.

        Args:
            real: the figures of real recordings of the same people; its `others` is how alike strangers are.
        """
        span = real.target - real.others
        return (self.target - real.others) / span if span > 0 else float("nan")


def similarity_figures(
    judged: Sequence[tuple[str, Mapping[str, float]]], *, pools: Mapping[str, Sequence[str]] | None = None
) -> SimilarityFigures:
    """Summary of judged clips; every person weighs the same.

    Args:
        judged: for each clip the person meant and its similarity to each person.
        pools: for each person the others it is compared with; all of them if None.

    Raises:
        BadAudio: there is no clip.
    """
    if not judged:
        raise BadAudio("there is nothing to judge")
    by_person: dict[str, list[tuple[float, float, float]]] = {}
    for person, similarity in judged:
        others = [other for other in (pools[person] if pools else similarity) if other != person]
        strangers = [similarity[other] for other in others]
        target = similarity[person]
        stranger = float(np.mean(strangers)) if strangers else float("nan")
        by_person.setdefault(person, []).append((target, stranger, float(target > max(strangers, default=-1.0))))
    target, stranger, nearest = np.mean([np.mean(rows, axis=0) for rows in by_person.values()], axis=0).tolist()
    return SimilarityFigures(target, stranger, nearest, len(judged))


def similarity_table(
    judge: SpeakerJudge, references: Mapping[str, Sequence[AudioClip]], clips: Iterable[tuple[str, AudioClip]]
) -> SimilarityFigures:
    """Similarity of clips to the people they should sound like.

    Args:
        judge: who tells voices apart.
        references: recordings of each person.
        clips: the person meant and the clip.
    """
    vectors = {person: mean_vector(judge, recordings) for person, recordings in references.items()}
    return similarity_figures([(person, similarities(judge.embed(clip), vectors)) for person, clip in clips])
