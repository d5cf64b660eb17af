"""Sentences on which speech synthesis stumbles: one word, repeated words, lists, numbers, tongue-twisters."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable

from yinse.evaluate.harness import Item
from yinse.evaluate.misheard import ErrorCount, total
from yinse.evaluate.plan import Task


def stress_sentences(language: str) -> list[str]:
    """One hundred sentences of a language, "en" or "zh"; written for this project."""
    file = importlib.resources.files("yinse.evaluate") / "data" / f"stress_{language}.txt"
    return file.read_text(encoding="utf-8").split("\n")[:-1]


def stress_tasks(makers: Iterable[str], *, limit: int | None = None) -> list[Task]:
    """The stress sentences of both languages, spoken by each maker.

    Args:
        makers: conditions, see `Task`.
        limit: sentences per language, spread over all kinds; None: all.
    """
    tasks = []
    for maker in makers:
        for language in ("en", "zh"):
            sentences = list(enumerate(stress_sentences(language)))
            step = 1 if limit is None else max(1, len(sentences) // limit)
            tasks += [
                Task(maker, "stress", f"{language}-{number:03d}", language, text)
                for number, text in sentences[::step][:limit]
            ]
    return tasks


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
