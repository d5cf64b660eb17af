"""Gaps of a corpus in plain words: what is wrong, why it matters, what to record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from yinse.corpus import prosody_range as pr
from yinse.corpus import spoken_units as su
from yinse.corpus.coverage import KindCoverage, TextCoverage
from yinse.corpus.language_mix import LanguageMix
from yinse.corpus.prosody_range import ProsodyReport
from yinse.corpus.sentence_types import EXCLAMATION, QUESTIONS, STATEMENT
from yinse.corpus.speaker_spread import SpeakerSpread

Severity = Literal["important", "advised", "note"]
SEVERITIES: tuple[Severity, ...] = ("important", "advised", "note")

_SHORT_S = 45.0
_ENOUGH_TEXTS = 8
_FEW_QUESTIONS = 0.08
_FEW_EXCLAMATIONS = 0.04
_PHONEMES_WANTED = 0.95
_ONE_LENGTH = 0.95
_NAMES_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know about a corpus.

    Attributes:
        code: short name that stays the same, for programs.
        severity: "important", "advised" or "note".
        message: what was found.
        reason: why it matters.
        advice: what to record, or to do; "" for a note.
    """

    code: str
    severity: Severity
    message: str
    reason: str
    advice: str


def find_gaps(
    *,
    text: TextCoverage | None,
    mix: LanguageMix | None,
    prosody: ProsodyReport | None,
    speakers: SpeakerSpread | None,
) -> tuple[Finding, ...]:
    """All findings, the gravest first; parts that could not be looked at are None."""
    found = [
        *_of_amount(text, prosody),
        *(_of_text(text) if text else ()),
        *(_of_mix(mix) if mix else ()),
        *(_of_prosody(prosody) if prosody else ()),
        *(_of_speakers(speakers) if speakers else ()),
    ]
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))


def _of_amount(text: TextCoverage | None, prosody: ProsodyReport | None) -> Iterator[Finding]:
    """Recorded speech counts, and where there is none, what the texts would take."""
    seconds = prosody.speech_s if prosody else text.speech_s if text else None
    if seconds is not None and seconds < _SHORT_S:
        yield Finding(
            "little_speech",
            "important",
            f"there are {seconds:.0f} s of speech" if prosody else f"the texts take about {seconds:.0f} s to say",
            "a voice is learned from about a minute; less leaves most sounds with one example or none",
            "Record the 60 s script: yinse prompts --seconds 60.",
        )


def _of_text(text: TextCoverage) -> Iterator[Finding]:
    if text.language == "zh":
        yield from _of_sounds(text.kind(su.TONELESS), "syllables", 0.4 if text.speech_s < 120 else 0.7)
        tones = text.kind(su.TONE)
        yield from _missing(tones, "tones", "a tone that was never heard is guessed from other people")
        yield from _missing(text.kind(su.INITIAL), "initials", "this consonant is then spoken as other people do")
        yield from _missing(text.kind(su.FINAL), "finals", "this rhyme is then spoken as other people do")
    else:
        yield from _missing(text.kind(su.PHONEME), "phonemes", "this sound is then spoken as other people do")
        yield from _of_sounds(text.kind(su.DIPHONE), "transitions between sounds", 0.3 if text.speech_s < 120 else 0.5)
    yield from _missing(text.kind(su.CONTEXT), "contexts", "sounds change in such places, and only examples teach how")
    if text.punctuated >= _ENOUGH_TEXTS:
        yield from _of_types(text)
    if text.texts >= _ENOUGH_TEXTS:
        yield from _of_contents(text)


def _of_sounds(kind: KindCoverage, what: str, wanted: float) -> Iterator[Finding]:
    if kind.share < wanted:
        shown = ", ".join(kind.missing[:_NAMES_SHOWN])
        yield Finding(
            f"few_{kind.kind.replace(' ', '_')}s",
            "advised",
            f"{kind.covered} of {kind.total} {what} occur ({kind.share:.0%}); the most frequent missing: {shown}",
            "the more of them were heard, the less is guessed",
            "Record the prompts below; they were chosen for what is missing.",
        )


def _missing(kind: KindCoverage, what: str, reason: str) -> Iterator[Finding]:
    if kind.missing_count:
        shown = ", ".join(kind.missing[:_NAMES_SHOWN])
        severity: Severity = "important" if kind.share < _PHONEMES_WANTED and kind.kind != su.CONTEXT else "advised"
        yield Finding(
            f"missing_{kind.kind.replace(' ', '_')}s",
            severity,
            f"{kind.missing_count} of {kind.total} {what} never occur: {shown}",
            reason,
            "Record the prompts below; they were chosen for what is missing.",
        )


def _of_types(text: TextCoverage) -> Iterator[Finding]:
    types = text.shares[su.TYPE]
    questions = sum(types.get(name, 0.0) for name in QUESTIONS)
    if types.get(STATEMENT, 0.0) == 1.0:
        yield Finding(
            "only_statements",
            "important",
            "there are only statements",
            "a voice that never asked does not know how its questions rise",
            "Record yes/no questions, wh questions and exclamations, five of each.",
        )
        return
    if questions < _FEW_QUESTIONS:
        yield Finding(
            "few_questions",
            "advised",
            f"{questions:.0%} of the sentences are questions",
            "the melody of questions is learned from questions",
            "Record a few yes/no questions and a few with a question word.",
        )
    if types.get(EXCLAMATION, 0.0) < _FEW_EXCLAMATIONS:
        yield Finding(
            "few_exclamations",
            "advised",
            f"{types.get(EXCLAMATION, 0.0):.0%} of the sentences are exclamations",
            "without them lively sentences come out flat",
            "Record a few exclamations, and mean them.",
        )


def _of_contents(text: TextCoverage) -> Iterator[Finding]:
    # a transcript in lower case does not tell names and letters from other words
    hidden = (su.NAMES, su.LETTERS) if text.language == "en" and not text.punctuated else ()
    none = [name for name, share in text.shares[su.FEATURE].items() if share == 0.0 and name not in hidden]
    if none:
        yield Finding(
            "no_" + "_".join(name.replace(" ", "_") for name in none),
            "advised",
            f"there are no {', no '.join(none)}",
            "they are read in a rhythm of their own",
            "Record the prompts below that hold them.",
        )
    lengths = text.shares[su.LENGTH]
    longest = max(lengths, key=lambda name: lengths[name])
    if lengths[longest] >= _ONE_LENGTH and longest in ("under 2 s", "over 10 s"):
        yield Finding(
            "one_length",
            "advised",
            f"{lengths[longest]:.0%} of the texts take {longest}",
            "where people breathe and pause is learned from sentences of different lengths",
            "Record sentences of 2 to 10 s.",
        )


def _of_mix(mix: LanguageMix) -> Iterator[Finding]:
    if mix.verdict in ("mixed", "two languages"):
        yield Finding(
            "language_mix",
            "important" if mix.verdict == "two languages" else "advised",
            f"{mix.other_share:.0%} of the words are not in the main language ({mix.main}); "
            f"{mix.mixed_texts:.0%} of the texts hold both",
            "loan words and letters do good, but a corpus half and half can make the timbre drift between languages",
            "Keep to one language with the loan words that belong to it; make a corpus of its own of the other one.",
        )


_FLAT: dict[str, tuple[str, str, str]] = {
    pr.PITCH_RANGE: (
        "flat_pitch", "the voice moves little within a sentence",
        "Read as if you told it to a friend across the table, not as if from a sheet.",
    ),
    pr.PITCH_VARIETY: (
        "even_pitch", "all sentences lie at the same height",
        "Record some excited and some quiet sentences; the prompts carry cues.",
    ),
    pr.RATE_VARIETY: (
        "even_rate", "all sentences are equally fast",
        "Read the prompts marked fast briskly, and those marked slow with time.",
    ),
    pr.ENERGY_RANGE: (
        "flat_loudness", "stressed and unstressed syllables are equally loud",
        "Lean on the words that matter, and switch off automatic gain if the recorder has it.",
    ),
    pr.ENERGY_VARIETY: (
        "even_loudness", "all sentences are equally loud",
        "Call some of the exclamations out, say some tender sentences softly.",
    ),
    pr.QUESTION_RISE: (
        "flat_questions", "yes/no questions end no higher than statements",
        "Read yes/no questions as if you wanted an answer.",
    ),
}  # fmt: skip


def _of_prosody(prosody: ProsodyReport) -> Iterator[Finding]:
    for name, (code, message, advice) in _FLAT.items():
        measured = prosody.measures[name]
        if measured.verdict == "low" and measured.value is not None:
            yield Finding(
                code,
                "advised",
                f"{message}: {name} {measured.value:.2g}, usual are {measured.low:.2g} to {measured.high:.2g}",
                "what does not vary in the recordings will not vary in the voice",
                advice,
            )
    rate = prosody.measures[pr.RATE]
    if rate.verdict in ("low", "high") and rate.value is not None:
        yield Finding(
            "slow" if rate.verdict == "low" else "fast",
            "note",
            f"{rate.value:.1f} syllables per second is {'slow' if rate.verdict == 'low' else 'fast'}, usual are "
            f"{rate.low:.1f} to {rate.high:.1f}",
            "the voice will speak at this pace",
            "",
        )


def _of_speakers(speakers: SpeakerSpread) -> Iterator[Finding]:
    if speakers.second:
        yield Finding(
            "two_people",
            "important",
            f"two people seem to speak; the second one in {'; '.join(speakers.second[:5])}",
            "the voice would be a mixture of both",
            "Keep the recordings of one person.",
        )
    if speakers.outliers:
        shown = "; ".join(f"{name} ({value:.2f})" for name, value in speakers.outliers[:5])
        yield Finding(
            "other_voice",
            "important" if len(speakers.outliers) > 0.1 * speakers.segments else "advised",
            f"{len(speakers.outliers)} of {speakers.segments} segments do not sound like the others: {shown}",
            "another person, music or a distorted take pulls the voice away from yours",
            "Listen to them; leave them out or record them again.",
        )
