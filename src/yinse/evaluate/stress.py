"""Sentences on which speech synthesis stumbles: one word, repeated words, lists, numbers, tongue-twisters."""

from __future__ import annotations

import importlib.resources
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import Any

from yinse.core.errors import ConfigError
from yinse.evaluate.harness import Item
from yinse.evaluate.misheard import ErrorCount, total
from yinse.evaluate.plan import Task

_FIELD = re.compile(r"\{(?:(?P<low>\d+)\.\.(?P<high>\d+)(?P<comma>,?)|(?P<list>[a-z]+)\d?|\d)\}")
_MOST_TRIES = 200
"""So many known sentences of a kind in a row, and there are hardly any others."""


def stress_sentences(language: str, count: int | None = None) -> list[str]:
    """Sentences of a language, "en" or "zh": one hundred written for this project, beyond those composed ones.

    Args:
        language: "en" or "zh".
        count: how many; if fewer than are written, spread over all kinds. None: those that are written.

    Raises:
        ConfigError: there are not so many.
    """
    file = importlib.resources.files("yinse.evaluate") / "data" / f"stress_{language}.txt"
    written = file.read_text(encoding="utf-8").split("\n")[:-1]
    if count is None:
        return written
    if count <= len(written):
        return written[:: max(1, len(written) // count)][:count]
    new = (text for text in compose_sentences(language) if text not in written)
    sentences = written + list(itertools.islice(new, count - len(written)))
    if len(sentences) < count:
        raise ConfigError(f"there are only {len(sentences)} stress sentences of a language", advice="Ask for fewer.")
    return sentences


def compose_sentences(language: str, *, seed: int = 0) -> Iterator[str]:
    """Sentences of the five kinds in turn, no two the same, from templates and words.

    In a template, `{fruit2}` is a word of the list "fruit", another one for each number; `{2}` is one of the words that
    sound alike, drawn together; `{10..99}` is a number, `{1000..9999,}` one in groups of three digits.

    Args:
        language: "en" or "zh".
        seed: another seed gives other sentences: develop on those of another than are reported.
    """
    file = importlib.resources.files("yinse.evaluate") / "data" / f"stress_{language}.json"
    kinds: list[dict[str, Any]] = list(json.loads(file.read_text(encoding="utf-8")).values())
    random = Random(f"{language} {seed}")
    seen: set[str] = set()
    while kinds:
        for kind in tuple(kinds):
            tries = (_compose(kind, random) for _ in range(_MOST_TRIES))
            text = next((text for text in tries if text not in seen), None)
            if text is None:
                kinds.remove(kind)
            else:
                seen.add(text)
                yield text


def _compose(kind: Mapping[str, Any], random: Random) -> str:
    lists: dict[str, list[str]] = {name: random.sample(words, len(words)) for name, words in kind["words"].items()}
    if "sets" in kind:
        alike = random.choice(kind["sets"])
        lists[""] = random.sample(alike, len(alike))
    drawn: dict[str, str] = {}

    def fill(field: re.Match[str]) -> str:
        if field["low"]:
            return format(random.randint(int(field["low"]), int(field["high"])), field["comma"])
        if field[0] not in drawn:
            drawn[field[0]] = lists[field["list"] or ""].pop()
        return drawn[field[0]]

    text = _FIELD.sub(fill, random.choice(kind["templates"]))
    return text[0].upper() + text[1:]


def stress_tasks(makers: Iterable[str], *, count: int | None = None) -> list[Task]:
    """The stress sentences of both languages, spoken by each maker.

    Args:
        makers: conditions, see `Task`.
        count: sentences per language, see `stress_sentences`.
    """
    return [
        Task(maker, "stress", f"{language}-{number:03d}", language, text)
        for maker in makers
        for language in ("en", "zh")
        for number, text in enumerate(stress_sentences(language, count))
    ]


def lost_and_added(items: Iterable[Item]) -> dict[str, dict[str, ErrorCount]]:
    """Errors as heard by maker and language, over the sentences that every maker spoke.

    Returns:
        For each maker and each of "en", "zh" the sum of the counts; their `deletions` and `insertions` are what stress
        is about, substitutions are as much the listener's.
    """
    by_maker: dict[str, dict[str, Item]] = {}
    for item in items:
        by_maker.setdefault(item.task.condition, {})[item.task.sentence] = item
    common = set.intersection(*(set(spoken) for spoken in by_maker.values())) if by_maker else set()
    return {
        maker: {
            language: total(spoken[key].errors for key in sorted(common) if spoken[key].task.language == language)
            for language in ("en", "zh")
        }
        for maker, spoken in by_maker.items()
    }
