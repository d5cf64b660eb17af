"""What the coach says of a corpus: one report for the terminal, JSON and the page."""

from __future__ import annotations

from dataclasses import dataclass

from yinse.corpus.coverage import TextCoverage
from yinse.corpus.findings import Finding
from yinse.corpus.language_mix import LanguageMix
from yinse.corpus.prosody_range import ProsodyReport
from yinse.corpus.speaker_spread import SpeakerSpread


@dataclass(frozen=True, slots=True)
class NextPrompt:
    """A sentence to record next.

    Attributes:
        id: of the bank; "" for a user's own sentence.
        text: what to read.
        cue: how to read it: type, emotion and rate, as far as they are tagged.
        adds: what it adds, in words.
    """

    id: str
    text: str
    cue: str
    adds: str


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """What a corpus or voice covers and lacks.

    Attributes:
        subject: what was looked at.
        language: "zh" or "en", in which gaps are looked for.
        recordings: audio files, 0 for a text or a voice.
        recorded_s: their length.
        text: what the texts cover; None where no text is known.
        mix: languages of the texts.
        prosody: how lively it is spoken; None without audio.
        speakers: how alike the segments are; None without audio or with fewer than four segments.
        findings: gaps in plain words, the gravest first.
        next_prompts: what to record next.
        unseen: what could not be looked at, and why.
    """

    subject: str
    language: str
    recordings: int
    recorded_s: float
    text: TextCoverage | None
    mix: LanguageMix | None
    prosody: ProsodyReport | None
    speakers: SpeakerSpread | None
    findings: tuple[Finding, ...]
    next_prompts: tuple[NextPrompt, ...]
    unseen: tuple[str, ...]
