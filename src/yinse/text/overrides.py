"""Readings and pauses written into a text: `{行|hang2}`, `{read|R EH1 D}`, `[pause:0.5s]`, and those of a lexicon."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from yinse.core.errors import BadText
from yinse.text.characters import OVERRIDE_PLACE, PAUSE_PLACE
from yinse.text.given import HELP, Given, parse_given
from yinse.text.lexicon import Lexicon
from yinse.text.reading import Source
from yinse.text.spanned import SpannedText

LONGEST_PAUSE_S = 10.0
MARKUP_MAX = 400
"""Characters of an override or pause at most."""
_ATTEMPT = re.compile(r"\{[^{}|\n]*\|[^{}\n]*\}?|\[pause(?::[^\[\]\n]*\]?|\])")
_OVERRIDE = re.compile(r"\{([^|]*)\|([^|]*)\}")
_PAUSE = re.compile(r"\[pause: ?(\d{1,5}(?:\.\d{1,3})?) ?(ms|s)\]")
_PAUSE_HELP = f"Write [pause:0.5s] or [pause:300ms], {LONGEST_PAUSE_S:.0f} seconds at most."
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Marked:
    """Text in which noncharacters hold the places of what was written into it.

    Attributes:
        spanned: the text, with the place of each character in the original.
        given: the overrides and lexicon words, in order.
        pauses_s: the pauses in seconds, in order.
    """

    spanned: SpannedText
    given: list[Given]
    pauses_s: list[float]


def markup_spans(text: str) -> list[tuple[int, int]]:
    """Where overrides and pauses, and what looks like them, stand in a text."""
    return [match.span() for match in _ATTEMPT.finditer(text)]


def _fail(what: str, advice: str | None, text: str, span: tuple[int, int]) -> BadText:
    line = text.count("\n", 0, span[0]) + 1
    at = f"line {line}, " if "\n" in text else ""
    return BadText(what, where=f"{at}characters {span[0] + 1} to {span[1]}", advice=advice, span=span)


def _parse(text: str, span: tuple[int, int]) -> Given | float:
    """An override, or the seconds of a pause."""
    written = text[span[0] : span[1]]
    shown = written if len(written) <= _SHOWN else written[:_SHOWN] + "…"
    if written.startswith("["):
        match = _PAUSE.fullmatch(written)
        pause_s = float(match[1]) / (1000 if match[2] == "ms" else 1) if match else -1.0
        if not 0 <= pause_s <= LONGEST_PAUSE_S:
            raise _fail(f"'{shown}' is no pause", _PAUSE_HELP, text, span)
        return pause_s
    match = _OVERRIDE.fullmatch(written)
    if match is None or len(written) > MARKUP_MAX:
        raise _fail(f"'{shown}' is no override", f"Write {{行|hang2}} or {{read|R EH1 D}}. {HELP}", text, span)
    try:
        return parse_given(match[1], match[2], source=Source.OVERRIDE)
    except BadText as error:
        raise _fail(error.what, error.advice, text, span) from error


def check_markup(text: str) -> None:
    """Reads every override and pause of a text, before any of it is spoken.

    Raises:
        BadText: one is malformed; the message says where and how to write it, `span` is its place.
    """
    for span in markup_spans(text):
        _parse(text, span)


def mark(text: str, lexicon: Lexicon | None = None) -> Marked:
    """Takes overrides, pauses and the words of a lexicon out of a text.

    Args:
        text: any text.
        lexicon: a user's readings; an override goes before them.

    Returns:
        The text with a noncharacter in place of each.

    Raises:
        BadText: an override or pause is malformed; `span` is its place.
    """
    found: list[Given] = []
    pauses_s: list[float] = []
    kept: list[tuple[str, int, int]] = []

    at = 0
    for start, end in (*markup_spans(text), (len(text), len(text))):
        while at < start:
            given = lexicon.match(text, at) if lexicon else None
            # A word of the lexicon does not reach into an override.
            if given is not None and at + len(given.text) <= start:
                found.append(given)
                kept.append((OVERRIDE_PLACE, at, at + len(given.text)))
                at += len(given.text)
                continue
            if text[at] not in (OVERRIDE_PLACE, PAUSE_PLACE):
                kept.append((text[at], at, at + 1))
            at += 1
        if start < end:
            parsed = _parse(text, (start, end))
            if isinstance(parsed, Given):
                found.append(parsed)
                kept.append((OVERRIDE_PLACE, start, end))
            else:
                pauses_s.append(parsed)
                kept.append((PAUSE_PLACE, start, end))
            at = end
    chars, starts, ends = ([*column] for column in zip(*kept, strict=True)) if kept else ([], [], [])
    return Marked(SpannedText("".join(chars), starts, ends), found, pauses_s)


@dataclass(slots=True)
class Restored:
    """Normalised text with what was written into it at its places.

    Attributes:
        spanned: the text, the words of the overrides in it.
        forced: syllables of single Han characters, by their index.
        words: start and end of the words that are read as given, whole.
        pauses: index before which a pause stands, and its seconds.
    """

    spanned: SpannedText
    forced: dict[int, tuple[str, Source]] = field(default_factory=dict)
    words: list[tuple[int, int, Given]] = field(default_factory=list)
    pauses: list[tuple[int, float]] = field(default_factory=list)


_PLACE = re.compile(f"[{OVERRIDE_PLACE}{PAUSE_PLACE}]")


def restore(spanned: SpannedText, marked: Marked) -> Restored:
    """Puts back what `mark` took out, after the text around it was rewritten.

    Args:
        spanned: the rewritten text, whose noncharacters are those of `marked`, in order.
        marked: what they stand for.
    """
    given, pauses = iter(marked.given), iter(marked.pauses_s)
    restored = Restored(spanned)
    grown = 0

    def put(match: re.Match[str]) -> str:
        nonlocal grown
        at = match.start() + grown
        if match[0] == PAUSE_PLACE:
            restored.pauses.append((at, next(pauses)))
            new = " "
        else:
            one = next(given)
            new = one.text
            if one.is_by_character:
                restored.forced |= {at + i: (syllable, one.source) for i, syllable in enumerate(one.reading)}
            else:
                restored.words.append((at, at + len(new), one))
        grown += len(new) - 1
        return new

    restored.spanned = spanned.sub(_PLACE, put)
    return restored
