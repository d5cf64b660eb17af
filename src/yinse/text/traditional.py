"""Traditional characters to simplified ones, character for character: every place stays where it was."""

from __future__ import annotations

import functools
import importlib.resources
import re

_ASPECT = re.compile(r"(?<![名原专编译论巨拙所土显卓昭遗合撰執执])著(?![名作称稱书書述录錄者有重论論陆陸])")
"""著 that is the particle 着, as in 看著, and not 著名, 名著."""
_KEPT = re.compile(r"乾(?=[隆坤元卦嘉清陵县縣道])|(?<=[康萧蕭])乾")


@functools.cache
def _tables() -> tuple[dict[int, str], dict[str, str], re.Pattern[str]]:
    text = importlib.resources.files("yinse.text").joinpath("data/traditional.txt").read_text("utf-8")
    _, traditional, simplified, *words = text.splitlines()
    phrases = dict(line.split(" ") for line in words)
    any_phrase = re.compile("|".join(sorted(phrases, key=len, reverse=True)))
    return dict(zip(map(ord, traditional), simplified, strict=True)), phrases, any_phrase


def to_simplified(text: str) -> str:
    """Simplified form of a text, as long as the text; simplified text stays as it is.

    Args:
        text: any text. Words whose characters go another way than each by itself (瞭解, 乾隆) are known.
    """
    if text.isascii():
        return text
    table, phrases, any_phrase = _tables()
    kept = {match.start(): "乾" for match in _KEPT.finditer(text)}
    for match in any_phrase.finditer(text):
        kept |= dict(enumerate(phrases[match[0]], match.start()))
    plain = _ASPECT.sub("着", text).translate(table)
    if not kept:
        return plain
    return "".join(kept.get(index, char) for index, char in enumerate(plain))
