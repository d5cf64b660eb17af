"""From judged clips to one table: real and synthetic side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from yinse.core.types import FloatArray
from yinse.evaluate.harness import Item
from yinse.evaluate.misheard import ErrorCount, total
from yinse.evaluate.plan import CROSS, REAL, Person
from yinse.evaluate.speaker_judge import SimilarityFigures, similarities, similarity_figures
from yinse.evaluate.spectral_judge import SpectralJudge

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class References:
    """What clips are compared with.

    Attributes:
        people: who they are.
        vectors: of the judge of speakers, the mean `(G,)` of each person's reference minute.
        details: of the judge without a network, `(F,)` of each person's reference minute.
    """

    people: Sequence[Person]
    vectors: Mapping[str, FloatArray]
    details: Mapping[str, FloatArray]

    def pool(self, language: str) -> list[str]:
        """People who recorded in a language."""
        return [person.id for person in self.people if person.language == language]


@dataclass(frozen=True, slots=True)
class Row:
    """One condition of one group of people in one language. Numbers that do not apply are NaN.

    Attributes:
        group: language of the people's recordings; the peer's name for a peer.
        language: of the sentences.
        condition: how the clips were made.
        clips: how many.
        errors: words (en) or syllables with tones (zh) heard otherwise.
        errors_without_tones: the same, tones aside.
        real_errors: in the real recordings of the same sentences.
        similarity: to the target and to others; None for a peer.
        normalised: (target - strangers) / (real - strangers), strangers as in real recordings.
        normalised_among_all: the same, strangers being all the other people, whatever their language: a steadier figure
            where few share a language.
        detail_ratio: distance of spectral detail to the target over that to the nearest other person.
        naturalness: median DNSMOS: overall, signal, background, P.808.
        naturalness_quartiles: lower and upper quartile of the overall score.
        naturalness_gap: overall, median difference to the real recordings of the same people (a peer: of all).
        f0_ratio: F0 median over that of the real recordings, median over people.
        f0_spread_ratio: F0 spread likewise.
        rate_ratio: words or syllables per second likewise; only in the people's own language.
        upper_band_db: median energy at 8 to 11 kHz relative to 4 to 8 kHz.
        real_time_factor: time taken over length; 0 for recordings.
    """

    group: str
    language: str
    condition: str
    clips: int
    errors: ErrorCount
    errors_without_tones: ErrorCount
    real_errors: ErrorCount
    similarity: SimilarityFigures | None
    normalised: float
    normalised_among_all: float
    detail_ratio: float
    naturalness: tuple[float, float, float, float]
    naturalness_quartiles: tuple[float, float]
    naturalness_gap: float
    f0_ratio: float
    f0_spread_ratio: float
    rate_ratio: float
    upper_band_db: float
    real_time_factor: float


def summarise(items: Sequence[Item], references: References) -> list[Row]:
    """One row for each group of people, language and condition, in the order of the tasks."""
    languages = {person.id: person.language for person in references.people}
    groups: dict[tuple[str, str, str], list[Item]] = {}
    for item in items:
        group = languages.get(item.task.speaker, item.task.speaker)
        groups.setdefault((group, item.task.language, item.task.condition), []).append(item)
    real = [item for item in items if item.task.condition == REAL]
    return [_row(key, members, real, references) for key, members in groups.items()]


def _row(key: tuple[str, str, str], items: Sequence[Item], real: Sequence[Item], references: References) -> Row:
    group, language, condition = key
    is_person = group in ("en", "zh")
    sentences = {item.task.sentence for item in items}
    same_sentences = [item for item in real if item.task.sentence in sentences]
    same_people = [item for item in real if not is_person or item.task.speaker in {i.task.speaker for i in items}]
    similarity, ceiling, similarity_among_all, ceiling_among_all = (
        _similarity(clips, references, among_all=among_all) if is_person else None
        for among_all in (False, True)
        for clips in (items, same_people)
    )
    scores = [item.judgement.naturalness for item in items if item.judgement.naturalness is not None]
    overall = [score.overall for score in scores] or [NAN]
    real_overall = [i.judgement.naturalness.overall for i in same_people if i.judgement.naturalness is not None]
    own_language = is_person and not condition.endswith(CROSS)
    return Row(
        group=group,
        language=language,
        condition=condition,
        clips=len(items),
        errors=total(item.errors for item in items),
        errors_without_tones=total(item.errors_without_tones for item in items),
        real_errors=total(item.errors for item in same_sentences),
        similarity=similarity,
        normalised=similarity.normalised(ceiling) if similarity and ceiling else NAN,
        normalised_among_all=similarity_among_all.normalised(ceiling_among_all)
        if similarity_among_all and ceiling_among_all
        else NAN,
        detail_ratio=_detail_ratio(items, references) if is_person else NAN,
        naturalness=(
            _middle(score.overall for score in scores),
            _middle(score.signal for score in scores),
            _middle(score.background for score in scores),
            _middle(score.p808 for score in scores),
        ),
        naturalness_quartiles=(float(np.percentile(overall, 25)), float(np.percentile(overall, 75))),
        naturalness_gap=_middle(overall) - _middle(real_overall),
        f0_ratio=_ratio(items, same_people, lambda i: i.judgement.reading.f0_median_hz) if is_person else NAN,
        f0_spread_ratio=_ratio(items, same_people, lambda i: i.judgement.reading.f0_spread_semitones)
        if is_person
        else NAN,
        rate_ratio=_ratio(items, same_people, lambda i: i.judgement.reading.rate_per_s) if own_language else NAN,
        upper_band_db=_middle(item.judgement.reading.upper_band_db for item in items),
        real_time_factor=_middle(item.took_s / item.duration_s for item in items if item.duration_s > 0),
    )


def _similarity(items: Sequence[Item], references: References, *, among_all: bool) -> SimilarityFigures | None:
    judged = [
        (item.task.speaker, similarities(item.vector, references.vectors)) for item in items if item.judgement.vector
    ]
    if not judged or not references.vectors:
        return None
    pools = {person.id: references.pool(person.language) for person in references.people}
    return similarity_figures(judged, pools=None if among_all else pools)


def _detail_ratio(items: Sequence[Item], references: References) -> float:
    """Median over people: the clips of one person together against each reference."""
    judge = SpectralJudge()
    ratios = []
    for person in references.people:
        mine = [np.asarray(i.judgement.detail) for i in items if i.task.speaker == person.id and i.judgement.detail]
        others = [other for other in references.pool(person.language) if other != person.id]
        if mine and others and person.id in references.details:
            together = np.mean(mine, axis=0)
            nearest = min(judge.distance(together, references.details[other]) for other in others)
            ratios.append(judge.distance(together, references.details[person.id]) / nearest)
    return _middle(ratios)


def _ratio(items: Sequence[Item], real: Sequence[Item], value: Callable[[Item], float]) -> float:
    """Median over people of the ratio of their medians."""
    ratios = []
    for speaker in dict.fromkeys(item.task.speaker for item in items):
        mine = _middle(value(item) for item in items if item.task.speaker == speaker)
        theirs = _middle(value(item) for item in real if item.task.speaker == speaker)
        ratios.append(mine / theirs if theirs > 0 else NAN)
    return _middle(ratios)


def _middle(values: Iterable[float]) -> float:
    """Median of the numbers among the values; NaN if there are none."""
    numbers = [value for value in values if np.isfinite(value)]
    return float(median(numbers)) if numbers else NAN
