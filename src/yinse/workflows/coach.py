"""What a corpus or voice covers and lacks, and what to record next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from yinse.audio.decode import decode
from yinse.audio.slicing import slice_utterances
from yinse.core.errors import BadAudio, BadText, MissingExtra, Offline, VoiceError
from yinse.core.events import Event, Finished, Progress, Warned
from yinse.core.types import AudioClip
from yinse.corpus import spoken_units as su
from yinse.corpus.bank import Prompt, own_bank, shipped_bank
from yinse.corpus.coverage import TextCoverage, text_coverage, total_units
from yinse.corpus.findings import find_gaps
from yinse.corpus.language_mix import language_mix
from yinse.corpus.losses import HeldOutLosses, losses_of_figures
from yinse.corpus.prompts import Chosen, Wanted, choose_prompts
from yinse.corpus.prosody_range import ProsodyReport, UtteranceProsody, measure_utterance, prosody_report
from yinse.corpus.report import CoverageReport, NextPrompt
from yinse.corpus.speaker_spread import SpeakerSpread, speaker_spread
from yinse.corpus.spoken_units import SpokenText, Unit, take_apart
from yinse.corpus.transcriber import Transcriber
from yinse.corpus.voice_units import units_of_figures
from yinse.text.sentences import split_sentences
from yinse.voices.voice import Voice
from yinse.workflows.corpus_files import CorpusItem, read_corpus
from yinse.workflows.engine import Engine
from yinse.workflows.speakers import two_speakers
from yinse.workflows.transcripts import LONGEST_WITH_TEXT_S, Line, cut_by_text

NEXT_PROMPTS = 10
_ONE_UTTERANCE_S = 15.0
_MOST_LISTENED_S = 600.0
"""Recognising speech takes about a tenth to a third of its length: ten minutes tell enough of an hour."""
_MOST_SEGMENTS = 120
"""So many segments show the spread of a speaker vector; more would only take longer."""
QUALITY_RECORDINGS = 80
"""So many recordings, spread evenly, tell the quality of a corpus."""
_WORKERS = 2
_UNKNOWN_LANGUAGE = "en"
_MARKS = re.compile("[。！？!?，,；;…]|[.](?:\\s|$)")


@dataclass(frozen=True, slots=True)
class CoachTools:
    """What the coach uses if it is there.

    Attributes:
        engine: makes the models that compare voices and cut recordings at their sentences; None: goes without.
        transcriber: makes the recogniser for recordings without text; raises MissingExtra or Offline without one.
    """

    engine: Callable[[], Engine] | None = None
    transcriber: Callable[[], Transcriber] | None = None


@dataclass(slots=True)
class _Heard:
    """What is gathered while recordings are gone through."""

    texts: list[str] = field(default_factory=list)
    utterances: list[UtteranceProsody] = field(default_factory=list)
    segments: list[tuple[str, AudioClip]] = field(default_factory=list)
    recorded_s: float = 0.0
    without_text: int = 0
    unreadable: list[str] = field(default_factory=list)


def check_corpus(
    paths: Sequence[Path],
    *,
    tools: CoachTools,
    language: str | None = None,
    listing: Path | None = None,
    prompts: int = NEXT_PROMPTS,
) -> Iterator[Event]:
    """Looks at recordings and texts; the last event holds a `CoverageReport`.

    Args:
        paths: see `read_corpus`.
        tools: what may be used.
        language: "zh" or "en"; None: the one most words are in.
        listing: transcripts of the recordings.
        prompts: how many sentences to propose.

    Raises:
        BadAudio: a path does not exist, or no recording can be read.
        BadText: a transcript cannot be read.
        ConfigError: unknown language.
    """
    items = read_corpus(paths, listing)
    unseen: list[str] = []
    heard = _Heard()
    recordings = [item for item in items if item.audio is not None]
    engine = tools.engine() if tools.engine and recordings else None
    yield from _hear(recordings, heard, engine=engine)
    if heard.unreadable:
        if len(heard.unreadable) == len(recordings) and not any(item.lines for item in items):
            raise BadAudio("none of the recordings can be read", where=heard.unreadable[0])
        for name in heard.unreadable:
            yield Warned("cannot be read: left out", name)
    if heard.without_text:
        unseen += yield from _listen(recordings, heard, language=language, tools=tools)
    heard.texts += [line for item in items for line in item.lines]
    spoken = list(_take_apart_all(heard.texts, language))
    mix = language_mix(spoken) if spoken else None
    main = language or (mix.main if mix else None)
    if main is None:
        main, prompts = _UNKNOWN_LANGUAGE, 0
        unseen.append("in which language is spoken: say it with --language; the usual ranges are those of English")
    coverage = text_coverage(spoken, language=main) if spoken else None
    if coverage is None:
        unseen.append("which sounds and sentences occur: the texts of the recordings are not known")
    if not recordings:
        unseen.append("how it is spoken: there is no audio")
    prosody = prosody_report(heard.utterances, language=main) if heard.utterances else None
    yield Progress("compare the voice", 0, 1)
    speakers = _spread(heard, engine)
    if recordings and engine is None:
        unseen.append("whether all segments are of one voice: the models are not at hand")
    yield Finished(
        _report(
            ", ".join(str(path) for path in paths),
            main,
            spoken,
            coverage=coverage,
            prosody=prosody,
            speakers=speakers,
            recordings=len(recordings),
            recorded_s=heard.recorded_s,
            unseen=tuple(unseen),
            prompts=prompts,
        )
    )


def check_voice(voice: Voice, *, language: str | None = None, prompts: int = NEXT_PROMPTS) -> CoverageReport:
    """What the texts that a voice was tuned on cover.

    Raises:
        VoiceError: the voice was not tuned with texts, so that nothing is known of them.
        ConfigError: unknown language.
    """
    main = language or voice.languages[0]
    spoken = units_of_figures(voice.figures)
    if spoken is None:
        raise VoiceError(
            "the voice does not know what was said in its recordings",
            where=voice.name,
            advice="Check the recordings instead, or clone it again with their text.",
        )
    return _report(
        voice.name,
        main,
        [spoken],
        coverage=text_coverage([spoken], language=main),
        prosody=None,
        speakers=None,
        recordings=0,
        recorded_s=0.0,
        unseen=("how it is spoken, and the spread of the segments: a voice does not hold its recordings",),
        prompts=prompts,
        losses=losses_of_figures(voice.figures),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRequest:
    """What to propose prompts for.

    Attributes:
        language: "zh" or "en".
        count: how many prompts; None with `seconds`.
        seconds: a script of this much speech instead.
        own: lines of the user's own text to choose from instead of the bank.
        have: units recorded already.
        losses: what a tuned voice does badly.
    """

    language: str
    count: int | None = None
    seconds: float | None = None
    own: Sequence[str] | None = None
    have: Mapping[Unit, int] = field(default_factory=dict)
    losses: HeldOutLosses | None = None


def propose_prompts(request: PromptRequest) -> Iterator[Event]:
    """Chooses prompts; the last event holds a tuple of `NextPrompt`.

    Raises:
        ConfigError: unknown language, or neither or both of count and seconds.
        BadText: nothing in the user's own text can be a prompt.
    """
    bank: Sequence[Prompt]
    if request.own is None:
        bank = shipped_bank(request.language)
    else:
        bank, left_out = own_bank(request.own, language=request.language)
        yield from (Warned(each) for each in left_out)
    chosen = choose_prompts(
        bank,
        language=request.language,
        count=request.count,
        seconds=request.seconds,
        wanted=Wanted(have=request.have, losses=request.losses),
    )
    yield Finished(tuple(_next_prompt(one) for one in chosen))


def units_of_corpus(paths: Sequence[Path], *, language: str, listing: Path | None = None) -> Counter[Unit]:
    """Units that the texts of a corpus hold, without listening to it.

    Raises:
        BadAudio: a path does not exist.
        BadText: no text is known.
    """
    items = read_corpus(paths, listing)
    spoken = list(_take_apart_all([line for item in items for line in item.lines], language))
    if not spoken:
        raise BadText(
            "no text of these recordings is known",
            where=", ".join(str(path) for path in paths),
            advice="Put NAME.txt beside NAME.wav, or look at them with: yinse check",
        )
    return total_units(spoken)


def _hear(recordings: Sequence[CorpusItem], heard: _Heard, *, engine: Engine | None) -> Iterator[Event]:
    """Measures all recordings, two at a time."""
    keep_every = max(1, len(recordings) // _MOST_SEGMENTS)
    with ThreadPoolExecutor(_WORKERS) as pool:
        for index, (item, parts) in enumerate(
            zip(recordings, pool.map(lambda item: _measure(item, engine), recordings), strict=True)
        ):
            name = item.audio.name if item.audio else ""
            yield Progress("listen", index, len(recordings), name)
            if parts is None:
                heard.unreadable.append(str(item.audio))
                continue
            heard.recorded_s += parts.recorded_s
            heard.without_text += not item.lines
            heard.utterances += parts.utterances
            if index % keep_every == 0:
                heard.segments += parts.segments
    yield Progress("listen", len(recordings), len(recordings))


@dataclass(frozen=True, slots=True)
class _Parts:
    recorded_s: float
    utterances: list[UtteranceProsody]
    segments: list[tuple[str, AudioClip]]


def _measure(item: CorpusItem, engine: Engine | None) -> _Parts | None:
    """Utterances of a recording and their measures; None: it cannot be read."""
    assert item.audio is not None
    try:
        clip = decode(item.audio)
    except BadAudio:
        return None
    text = " ".join(item.lines)
    sentences = [sentence.text for sentence in split_sentences(text)]
    pieces: list[tuple[str, AudioClip, str | None]] = []
    name = item.audio.name
    if clip.duration_s <= _ONE_UTTERANCE_S and len(sentences) <= 1:
        pieces = [(name, clip, text or None)]
    elif sentences and engine is not None and clip.duration_s <= LONGEST_WITH_TEXT_S:
        try:
            cut = cut_by_text(clip, [Line(line, name) for line in item.lines], engine=engine, where=name)
            pieces = [(f"{name}: {piece.text or ''}"[:60], piece.clip, piece.text) for piece in cut]
        except BadText:  # the text does not belong to the recording: it is heard without
            pieces = []
    if not pieces:
        pieces = [(f"{name} at {s.segment.start_s:.0f} s", s.clip, None) for s in slice_utterances(clip)]
    measured = [_measure_piece(part, said) for _, part, said in pieces]
    return _Parts(clip.duration_s, [m for m in measured if m], [(name, part) for name, part, _ in pieces])


def _measure_piece(clip: AudioClip, text: str | None) -> UtteranceProsody | None:
    spoken = next(iter(_take_apart_all([text], None)), None) if text else None
    if spoken is None or text is None:
        return measure_utterance(clip)
    single = len(list(split_sentences(text))) == 1
    kinds = [name for kind, name in spoken.units if kind == su.TYPE]
    vowels = sum(count for (kind, _), count in spoken.units.items() if kind == su.STRESSED)
    return measure_utterance(clip, syllables=spoken.syllables + vowels, kind=kinds[0] if single and kinds else None)


def _listen(
    recordings: Sequence[CorpusItem], heard: _Heard, *, language: str | None, tools: CoachTools
) -> Generator[Event, None, list[str]]:
    """Texts of recordings without any, through the recogniser; what stays unknown."""
    unknown = f"what is said in {heard.without_text} of {len(recordings)} recordings"
    if tools.transcriber is None:
        return [f"{unknown}: they have no text"]
    try:
        transcriber = tools.transcriber()
    except (MissingExtra, Offline) as error:
        return [f"{unknown}: they have no text, and {error.what} (pip install 'yinse[asr]')"]
    left_s = _MOST_LISTENED_S
    silent = [item for item in recordings if not item.lines and str(item.audio) not in heard.unreadable]
    for index, item in enumerate(silent):
        assert item.audio is not None
        yield Progress("read what is said", index, len(silent), item.audio.name)
        for part in slice_utterances(decode(item.audio)):
            if left_s <= 0:
                return [f"{unknown} beyond the first {_MOST_LISTENED_S / 60:.0f} minutes"]
            left_s -= part.clip.duration_s
            text = transcriber.transcribe(part.clip, language=language)
            if text:
                heard.texts.append(text)
    return []


def _take_apart_all(texts: Sequence[str], language: str | None) -> Iterator[SpokenText]:
    """Sentences of texts, taken apart; what cannot be spoken is passed over."""
    for text in texts:
        for sentence in split_sentences(text):
            try:
                yield take_apart(sentence.text, language=language, punctuated=bool(_MARKS.search(sentence.text)))
            except BadText:
                continue


def _spread(heard: _Heard, engine: Engine | None) -> SpeakerSpread | None:
    step = max(1, len(heard.segments) // _MOST_SEGMENTS)
    segments = [(name, clip) for name, clip in heard.segments[::step] if clip.duration_s >= 1.0]
    if engine is None or not segments:
        return None
    vectors = engine.speaker_vectors([clip for _, clip in segments])
    spread = speaker_spread(vectors, [name for name, _ in segments])
    second = two_speakers(vectors, [clip.duration_s for _, clip in segments])
    return spread and replace(spread, second=tuple(segments[place][0] for place in second))


def _report(
    subject: str,
    language: str,
    spoken: Sequence[SpokenText],
    *,
    coverage: TextCoverage | None,
    prosody: ProsodyReport | None,
    speakers: SpeakerSpread | None,
    recordings: int,
    recorded_s: float,
    unseen: tuple[str, ...],
    prompts: int,
    losses: HeldOutLosses | None = None,
) -> CoverageReport:
    mix = language_mix(spoken) if spoken else None
    wanted = Wanted(have=total_units(spoken), losses=losses)
    chosen = choose_prompts(shipped_bank(language), language=language, count=prompts, wanted=wanted) if prompts else ()
    return CoverageReport(
        subject=subject,
        language=language,
        recordings=recordings,
        recorded_s=recorded_s,
        text=coverage,
        mix=mix,
        prosody=prosody,
        speakers=speakers,
        findings=find_gaps(text=coverage, mix=mix, prosody=prosody, speakers=speakers),
        next_prompts=tuple(_next_prompt(one) for one in chosen),
        unseen=unseen,
    )


def _next_prompt(chosen: Chosen) -> NextPrompt:
    prompt = chosen.prompt
    cue = ", ".join(
        [
            *prompt.types,
            *(prompt.tags[tag] for tag in ("emotion", "rate") if prompt.tags.get(tag) not in (None, "normal")),
        ]
    )
    return NextPrompt(prompt.id, prompt.text, cue, _in_words(chosen.adds))


def _in_words(units: Sequence[Unit]) -> str:
    """What a prompt adds: kinds of sentence and features by name, sounds by the first few and their number."""
    named = [name for kind, name in units if kind in (su.TYPE, su.FEATURE, su.CONTEXT)]
    sounds = [name for kind, name in units if kind in (su.TONED, su.DIPHONE)]
    told = ", ".join(named)
    if sounds:
        more = f" and {len(sounds) - 5} more" if len(sounds) > 5 else ""
        told += f"{'; ' if told else ''}{' '.join(sounds[:5])}{more}"
    return told
