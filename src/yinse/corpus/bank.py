"""Sentences to be recorded: the ones that come with the program, and a user's own."""

from __future__ import annotations

import csv
import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

from yinse.core.errors import BadText, ConfigError
from yinse.corpus.spoken_units import LENGTH, TYPE, SpokenText, Unit, take_apart

LANGUAGES = ("zh", "en")
TAGS = ("register", "topic", "emotion", "rate")
"""What a prompt of the bank is tagged with: emotion and rate are cues for the reader, not measurements."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A sentence to read aloud.

    Attributes:
        id: language and place in the bank, such as "zh0042"; "" for a sentence of the user's own.
        text: what to read.
        tags: by the names in `TAGS`; empty for a sentence of the user's own.
        is_dense: packs rare sounds, and so tells nothing about how often sounds occur.
        spoken: what a speaker trains by saying it.
    """

    id: str
    text: str
    tags: Mapping[str, str]
    is_dense: bool
    spoken: SpokenText

    @property
    def units(self) -> Counter[Unit]:
        """Sounds, types, features, and tags as units of the kind of their name."""
        return self.spoken.units + Counter({(kind, value): 1 for kind, value in self.tags.items()})

    @property
    def types(self) -> tuple[str, ...]:
        """Sentence types, the main one first."""
        return tuple(name for kind, name in self.spoken.units if kind == TYPE)


def check_language(language: str) -> None:
    """Accepts a language that there are prompts for.

    Raises:
        ConfigError: it is none.
    """
    if language not in LANGUAGES:
        raise ConfigError(f"language '{language}' is unknown", advice="Use zh or en.")


@functools.cache
def shipped_bank(language: str) -> tuple[Prompt, ...]:
    """The bank of a language; 2 to 10 s each.

    Raises:
        ConfigError: unknown language.
    """
    check_language(language)
    table = files("yinse.corpus").joinpath("data", f"prompts_{language}.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(
        Prompt(
            f"{language}{number:04d}",
            row["text"],
            MappingProxyType({tag: row[tag] for tag in TAGS}),
            row["kind"] == "dense",
            take_apart(row["text"], language=language),
        )
        for number, row in enumerate(rows, 1)
    )


def own_bank(lines: Sequence[str], *, language: str) -> tuple[tuple[Prompt, ...], tuple[str, ...]]:
    """Prompts of a user's own sentences, one a line.

    Args:
        lines: texts; empty ones and repetitions are passed over.
        language: "zh" or "en".

    Returns:
        The prompts, and what was left out, as sentences for the user.

    Raises:
        BadText: nothing can be spoken.
        ConfigError: unknown language.
    """
    check_language(language)
    prompts: list[Prompt] = []
    left_out: list[str] = []
    for number, text in enumerate(lines, 1):
        if not text.strip() or any(text.strip() == prompt.text for prompt in prompts):
            continue
        try:
            spoken = take_apart(text.strip(), language=language)
        except BadText:
            left_out.append(f"line {number} holds nothing to speak")
            continue
        if spoken.languages[language] == 0:
            left_out.append(f"line {number} is not in the language {language}")
        elif spoken.units[LENGTH, "over 10 s"]:
            left_out.append(f"line {number} takes about {spoken.speech_s:.0f} s: cut it into sentences of 10 s or less")
        else:
            prompts.append(Prompt("", text.strip(), {}, False, spoken))
    if not prompts:
        raise BadText("none of the lines can be a prompt", advice="; ".join(left_out[:3]) or "Write one in each line.")
    return tuple(prompts), tuple(left_out)


@functools.cache
def natural_counts(language: str) -> Mapping[Unit, int]:
    """How often units occur in the bank's ordinary sentences: about 24,000 syllables or 20,000 phonemes.

    They are everyday sentences of many subjects and stand in for natural speech; what was written to pack rare sounds
    is not counted.

    Raises:
        ConfigError: unknown language.
    """
    total: Counter[Unit] = Counter()
    for prompt in shipped_bank(language):
        if not prompt.is_dense:
            total.update(prompt.spoken.units)
    return MappingProxyType(total)


def tags_of(text: str) -> Mapping[str, str] | None:
    """Tags of a text that is in a bank, by its words; None: it is not."""
    return _tags_by_words().get(_words(text))


def _words(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


@functools.cache
def _tags_by_words() -> Mapping[str, Mapping[str, str]]:
    return {_words(prompt.text): prompt.tags for language in LANGUAGES for prompt in shipped_bank(language)}
