"""What was said in the recordings of a voice, kept as counts of sounds among its figures: no text, no audio."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from yinse.corpus import spoken_units as su
from yinse.corpus.coverage import total_units
from yinse.corpus.spoken_units import SpokenText, Unit

_FIGURE = "said/"
_SECONDS, _SYLLABLES, _WORDS = "seconds", "syllables", "words"
_KEPT = frozenset((
    su.TONED, su.TONELESS, su.INITIAL, su.FINAL, su.TONE, su.TONE_PAIR, su.CONTEXT, su.PHONEME, su.STRESSED, su.DIPHONE,
    su.TYPE, su.FEATURE, su.LENGTH,
))  # fmt: skip


def figures_of_units(texts: Sequence[SpokenText]) -> dict[str, float]:
    """Counts of the sounds of texts as figures of a voice; some hundreds, a few kilobytes."""
    figures = {
        f"{_FIGURE}{kind}/{name}": float(count) for (kind, name), count in total_units(texts).items() if kind in _KEPT
    }
    return figures | {
        f"{_FIGURE}{_SECONDS}": sum(text.speech_s for text in texts),
        f"{_FIGURE}{_SYLLABLES}": float(sum(text.syllables for text in texts)),
        f"{_FIGURE}{_WORDS}": float(sum(text.words for text in texts)),
    }


def units_of_figures(figures: Mapping[str, float]) -> SpokenText | None:
    """The texts of a voice as one; None: the voice does not know them."""
    said = {name.removeprefix(_FIGURE): value for name, value in figures.items() if name.startswith(_FIGURE)}
    if not said:
        return None
    units: Counter[Unit] = Counter()
    for name, count in said.items():
        kind, _, unit = name.partition("/")
        if unit:
            units[kind, unit] = int(count)
    syllables, words = int(said.get(_SYLLABLES, 0.0)), int(said.get(_WORDS, 0.0))
    languages = Counter({language: count for language, count in (("zh", syllables), ("en", words)) if count})
    return SpokenText("", units, said.get(_SECONDS, 0.0), syllables, words, languages)
