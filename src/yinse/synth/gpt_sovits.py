"""Speaking with GPT-SoVITS models: sentence by sentence, each phonemes, codes, a waveform.

    reference: phonemes + codes ─┐
    text ─ phonemes (+ BERT) ────┴─ semantic GPT ─ codes ─┬─ SoVITS ─ waveform
                       └─ phonemes of the sentence alone ─┤
    reference: timbre ────────────────────────────────────┘

Where a check is given, a sentence that fails it is spoken again with another seed, and the best attempt is kept.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from yinse.audio.bandwidth import bandwidth_hz
from yinse.core.errors import BadText, ConfigError, FingerprintMismatch
from yinse.core.types import AudioChunk, AudioClip, FloatArray, PhonemeSequence, SpeakRequest
from yinse.models.semantic_writing import SemanticCodes, SemanticText, chunks, write, write_batch
from yinse.models.semantic_writing import stream as write_stream
from yinse.synth.gpt_sovits_conversion import convert_utterance
from yinse.synth.gpt_sovits_options import SENTENCES, GptSovitsOptions
from yinse.synth.gpt_sovits_reference import (
    Prompt,
    ReferenceReader,
    SpokenText,
    choose_reference,
    voice_prompt,
)
from yinse.synth.gpt_sovits_streaming import stream_sentence
from yinse.synth.native import Enrolled
from yinse.text.cuts import begins_short, cut_sentences
from yinse.text.lexicon import Lexicon
from yinse.text.official import OfficialText, official_text
from yinse.text.overrides import check_markup, markup_spans
from yinse.text.phonemes import phonemize
from yinse.text.sentences import Sentence, split_sentences
from yinse.voices.voice import Voice
from yinse.weights.gpt_sovits import GptSovitsModels
from yinse.weights.official_encoders import Encoders

_NOTHING_WRITTEN = "the model wrote nothing"
_CODES, _NOISE = 0, 1


@dataclass(frozen=True, eq=False)
class SentenceText:
    """A sentence of the request, or what of it stands between two pauses, as a model reads it.

    Attributes:
        sentence: what is written, and where.
        phonemes: as our front-end reads it.
        spoken: its phonemes as the models know them.
        context: BERT's vectors `(T_ph, D)`, if it has any.
        before_s, after_s: silence that the text asks for.
        ends_sentence: whether no other part of the sentence follows.
    """

    sentence: Sentence
    phonemes: PhonemeSequence
    spoken: OfficialText
    context: Tensor | None = None
    before_s: float = 0.0
    after_s: float = 0.0
    ends_sentence: bool = True


@dataclass(frozen=True, eq=False)
class Attempt:
    """A sentence as it was spoken once, for a check.

    Attributes:
        text: what was to be said.
        codes: what was written, with its attention over the prompt's phonemes and the sentence's, if it was asked for.
        prompt_phonemes: how many of those phonemes are the prompt's.
        samples: `(S,)`, without pauses.
        sample_rate_hz: of the samples.
        number: 0 for the first attempt.
    """

    text: SentenceText
    codes: SemanticCodes
    prompt_phonemes: int
    samples: FloatArray
    sample_rate_hz: int
    number: int


class SentenceCheck(Protocol):
    """Tells whether a sentence was spoken as it is written."""

    @property
    def attention(self) -> Tensor | None:
        """Weights `(layers, heads)` with which the attention is to be summed; None: it is not needed."""
        ...

    def __call__(self, attempt: Attempt) -> Sequence[str]:
        """What is wrong with it, in words; nothing, if all is well."""
        ...


@dataclass(frozen=True, eq=False)
class _Piece:
    """Samples `(S,)` of a sentence, all of it or some, whether they are its first and last, and what its check said."""

    text: SentenceText
    samples: FloatArray
    is_first: bool = True
    is_last: bool = True
    ends_request: bool = False
    attempts: int = 1
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Voiced:
    """What all sentences of a request share."""

    request: SpeakRequest
    condition: Tensor
    prompt: Prompt | None

    def whole(self, text: SentenceText, context_size: int) -> SemanticText:
        """What the semantic GPT reads: the prompt's phonemes, then the sentence's."""
        phonemes = torch.tensor(text.spoken.ids)
        if self.prompt is None:
            return SemanticText(phonemes, text.context)
        contexts = (self.prompt.context, text.context)
        context = None
        if any(one is not None for one in contexts):
            lengths = (len(self.prompt.phonemes), len(phonemes))
            context = torch.cat(
                [
                    torch.zeros(length, context_size) if one is None else one
                    for one, length in zip(contexts, lengths, strict=True)
                ]
            )
        return SemanticText(torch.cat([self.prompt.phonemes, phonemes]), context)

    @property
    def prompt_codes(self) -> Tensor:
        """Codes that the semantic GPT continues `(T,)`, possibly none."""
        return torch.zeros(0, dtype=torch.long) if self.prompt is None else self.prompt.codes

    @property
    def prompt_phonemes(self) -> int:
        """How many there are."""
        return 0 if self.prompt is None else len(self.prompt.phonemes)


class GptSovitsSynthesizer:
    """Takes on voices and speaks in them.

    Args:
        models: a set.
        encoders: those that are here.
        options: how to speak.
        check: tells whether a sentence came out well; None: nobody asks.
    """

    def __init__(
        self,
        models: GptSovitsModels,
        encoders: Encoders,
        options: GptSovitsOptions,
        *,
        check: SentenceCheck | None = None,
    ) -> None:
        self.models, self.encoders, self.options, self.check = models, encoders, options, check
        self._reader = ReferenceReader(models.sovits, encoders, options)

    @property
    def sample_rate_hz(self) -> int:
        """Rate of the speech."""
        return self.models.sovits.config.sample_rate_hz

    # ------------------------------------------------------------------ speaking

    def stream(self, request: SpeakRequest, voice: Voice, *, style: Prompt | None = None) -> Iterator[AudioChunk]:
        """Speaks a text: a chunk a sentence, or pieces of sentences while they are written (`chunk_codes`).

        Args:
            request: what to say and how.
            voice: in whose voice.
            style: speech whose manner is continued instead of the voice's own.

        Raises:
            FingerprintMismatch: the voice was made with other models.
            BadText: nothing in the text can be spoken, or the model knows no such phoneme.
            Offline: the text is Mandarin, and there is no BERT.
            ConfigError: the request asks for what these models cannot do.
        """
        if voice.model_fingerprint != self.models.fingerprint:
            raise FingerprintMismatch(
                f"the voice '{voice.name}' belongs to model {voice.model_fingerprint}, not {self.models.fingerprint}",
                advice="Clone it again, or load the model it was made with.",
            )
        if request.pitch_semitones:
            raise ConfigError("GPT-SoVITS models cannot shift the pitch", advice="Leave the pitch at 0.")
        check_markup(request.text)
        semantic = self.models.semantic.config
        condition, own = voice_prompt(
            voice, self.models.sovits, table=self.models.table, context_size=semantic.context_size
        )
        voiced = _Voiced(request, condition, style or own)
        texts = self._texts(request)
        following = next(texts, None)
        if following is None:
            raise _nothing_to_speak(request.text)
        start_s = 0.0
        for index, piece in enumerate(self._pieces(request, voiced)):
            before_s, after_s = self._silence_s(piece, request)
            samples = np.concatenate([self._silence(before_s), _limited(piece.samples), self._silence(after_s)])
            yield AudioChunk(
                samples=samples,
                sample_rate_hz=self.sample_rate_hz,
                index=index,
                start_s=start_s,
                text=piece.text.sentence.text,
                text_span=(piece.text.sentence.start, piece.text.sentence.end),
                is_last=piece.ends_request,
                attempts=piece.attempts,
                faults=piece.faults,
            )
            start_s += len(samples) / self.sample_rate_hz

    def _silence_s(self, piece: _Piece, request: SpeakRequest) -> tuple[float, float]:
        """Seconds of silence before and after a piece."""
        before_s = piece.text.before_s if piece.is_first else 0.0
        after_s = piece.text.after_s if piece.is_last else 0.0
        if piece.is_last and piece.text.ends_sentence and (self.options.pause_at_end or not piece.ends_request):
            after_s += request.pause_s if self.options.pause_s is None else self.options.pause_s
        return before_s, after_s

    def _silence(self, duration_s: float) -> FloatArray:
        return np.zeros(int(duration_s * self.sample_rate_hz), dtype=np.float32)

    def _pieces(self, request: SpeakRequest, voiced: _Voiced) -> Iterator[_Piece]:
        texts = self._texts(request)
        waiting = next(texts, None)
        if waiting is None:
            raise _nothing_to_speak(request.text)
        speak = self._streamed if self.options.chunk_codes else self._together
        size = 1  # the first sentence goes alone, so that there is something to hear early
        while waiting is not None:
            batch = [waiting, *itertools.islice(texts, size - 1)]
            size = 1 if self.options.chunk_codes else self.options.batch
            waiting = next(texts, None)
            for piece in speak([self._with_context(text) for text in batch], voiced):
                is_end = waiting is None and piece.is_last and piece.text.sentence is batch[-1].sentence
                yield replace(piece, ends_request=is_end)

    def _texts(self, request: SpeakRequest) -> Iterator[SentenceText]:
        cut = self.options.cut
        lexicon = Lexicon.of(request.lexicon)
        pause_first = self.options.pause_before_short and begins_short(request.text)
        for sentence in split_sentences(request.text) if cut == SENTENCES else cut_sentences(request.text, cut):
            parts = _between_pauses(sentence)
            for part in parts:
                try:
                    phonemes = phonemize(part.text, language=request.language, lexicon=lexicon)
                except BadText:  # a sentence in another script; what is left is read
                    continue
                spoken = official_text(phonemes, table=self.models.table, pause_first=pause_first)
                asked_s = phonemes.pauses_s or (0.0,)
                yield SentenceText(
                    part,
                    phonemes,
                    spoken,
                    before_s=asked_s[0],
                    after_s=sum(asked_s[1:]),
                    ends_sentence=part is parts[-1],
                )
                pause_first = False

    def _with_context(self, text: SentenceText) -> SentenceText:
        """The sentence with what BERT knows of its Mandarin; there is nothing to know of its English."""
        runs = text.spoken.runs
        if not any(run.language == "zh" for run in runs):
            return text
        if self.encoders.text is None:
            if self.options.allow_missing_context:
                return text
            raise self.encoders.needed("BERT", "speaking Mandarin")
        size = self.models.semantic.config.context_size
        rows = [
            self.encoders.text(run.text, run.lengths) if run.language == "zh" else torch.zeros(run.phonemes, size)
            for run in runs
        ]
        return replace(text, context=torch.cat(rows))

    # ------------------------------------------------------------------ one sentence, or a few

    def _together(self, batch: Sequence[SentenceText], voiced: _Voiced) -> Iterator[_Piece]:
        """Sentences whose codes are written at once, then spoken one by one, or as one."""
        options = self.options
        whole = [voiced.whole(text, self.models.semantic.config.context_size) for text in batch]
        generators = [_generator(voiced.request.seed, text.sentence.start, 0, _CODES) for text in batch]
        attention = None if self.check is None else self.check.attention
        if len(batch) == 1:
            written = [
                write(
                    self.models.semantic,
                    whole[0],
                    voiced.prompt_codes,
                    options=options.sampling,
                    generator=generators[0],
                    attention=attention,
                )
            ]
        else:
            written = write_batch(
                self.models.semantic,
                whole,
                voiced.prompt_codes,
                options=options.sampling,
                generators=generators,
                attention=attention,
            )
        as_one = options.decode_batch_as_one and voiced.request.speed == 1.0 and self.check is None
        if len(batch) > 1 and as_one:
            yield from self._as_one(batch, written, voiced)
        else:
            for text, codes in zip(batch, written, strict=True):
                yield self._checked(text, codes, voiced)

    def _checked(self, text: SentenceText, codes: SemanticCodes, voiced: _Voiced) -> _Piece:
        """A sentence that was written once, spoken; written and spoken again while its check finds fault with it."""
        best: _Piece | None = None
        for number in range(self.options.retries + 1):
            if number:
                codes = write(
                    self.models.semantic,
                    voiced.whole(text, self.models.semantic.config.context_size),
                    voiced.prompt_codes,
                    options=self.options.sampling,
                    generator=_generator(voiced.request.seed, text.sentence.start, number, _CODES),
                    attention=None if self.check is None else self.check.attention,
                )
            noise = _generator(voiced.request.seed, text.sentence.start, number, _NOISE)
            samples = self._decode(codes.codes, text.spoken.ids, voiced, noise)
            faults: Sequence[str] = () if len(codes.codes) else (_NOTHING_WRITTEN,)
            if not faults and self.check is not None:
                faults = self.check(Attempt(text, codes, voiced.prompt_phonemes, samples, self.sample_rate_hz, number))
            # silence has one fault, and is worse than any speech
            if best is None or (not len(samples), len(faults)) < (not len(best.samples), len(best.faults)):
                best = _Piece(text, samples, faults=tuple(faults))
            if not faults:
                break
        return replace(best, attempts=number + 1) if best else _Piece(text, samples)

    def _as_one(
        self, batch: Sequence[SentenceText], written: Sequence[SemanticCodes], voiced: _Voiced
    ) -> Iterator[_Piece]:
        """Sentences decoded in one go, as if they were one, and cut apart again."""
        ids = [index for text in batch for index in text.spoken.ids]
        noise = _generator(voiced.request.seed, batch[0].sentence.start, 0, _NOISE)
        samples = self._decode(torch.cat([codes.codes for codes in written]), ids, voiced, noise)
        start = 0
        for text, codes in zip(batch, written, strict=True):
            end = start + len(codes.codes) * self.models.sovits.config.code_samples
            faults = () if len(codes.codes) else (_NOTHING_WRITTEN,)
            yield _Piece(text, samples[start:end], faults=faults)
            start = end

    def _streamed(self, batch: Sequence[SentenceText], voiced: _Voiced) -> Iterator[_Piece]:
        """Pieces of one sentence while it is written; nobody can check what is already heard."""
        (text,) = batch
        options, semantic = self.options, self.models.semantic
        codes = write_stream(
            semantic,
            voiced.whole(text, semantic.config.context_size),
            voiced.prompt_codes,
            options=options.sampling,
            generator=_generator(voiced.request.seed, text.sentence.start, 0, _CODES),
        )
        knows_silence = options.cut_at_silence and options.silence_code < semantic.config.end
        pieces = chunks(
            codes,
            length=options.chunk_codes,
            similarity=semantic.similarity(options.silence_code) if knows_silence else None,
            threshold=options.silence_similarity,
        )
        spoken = stream_sentence(
            self.models.sovits,
            pieces,
            torch.tensor(text.spoken.ids),
            voiced.condition,
            options=options,
            speed=voiced.request.speed,
            generator=_generator(voiced.request.seed, text.sentence.start, 0, _NOISE),
        )
        ended = False
        for place, (samples, ended) in enumerate(spoken):
            yield _Piece(text, samples, is_first=not place, is_last=ended)
        if not ended:
            yield _Piece(text, np.zeros(0, dtype=np.float32), faults=(_NOTHING_WRITTEN,))

    @torch.inference_mode()
    def _decode(
        self, codes: Tensor, phonemes: Sequence[int], voiced: _Voiced, generator: torch.Generator
    ) -> FloatArray:
        """Samples `(S,)` of codes `(T,)`."""
        if not len(codes):
            return np.zeros(0, dtype=np.float32)
        sovits, speed = self.models.sovits, voiced.request.speed
        frames = sovits.latent_frames(len(codes), speed=speed)
        decoded = sovits(
            codes[None],
            torch.tensor([list(phonemes)]),
            voiced.condition,
            noise=torch.randn(1, sovits.config.latent, frames, generator=generator),
            noise_scale=self.options.noise_scale,
            speed=speed,
        )
        samples: FloatArray = decoded.samples[0].numpy()
        return samples

    def convert(
        self,
        clip: AudioClip,
        voice: Voice,
        *,
        transcript: str | None = None,
        language: str | None = None,
        seed: int = 0,
    ) -> AudioClip:
        """An utterance again in another voice; see `convert_utterance`."""
        return convert_utterance(
            clip,
            voice,
            self.models,
            self._reader,
            transcript=transcript,
            language=language,
            noise_scale=self.options.noise_scale,
            generator=_generator(seed, 0, 0, _NOISE),
        )

    # ------------------------------------------------------------------ taking on a voice

    def enroll(
        self,
        clips: Sequence[AudioClip],
        *,
        transcripts: Sequence[str | None],
        language: str | None,
        shorten: Callable[[SpokenText, float], SpokenText | None],
    ) -> Enrolled:
        """Takes from a person's utterances what a voice needs.

        Args:
            clips: cleaned utterances of one person.
            transcripts: what was said in each, where known: without any, the voice has a timbre and no manner.
            language: of the transcripts; None to tell by script.
            shorten: see `choose_reference`.

        Raises:
            BadAudio: no stretch is of a fitting length.
            Offline: an encoder that is needed is not here.
        """
        spoken = [SpokenText(clip, text) for clip, text in zip(clips, transcripts, strict=True)]
        chosen = choose_reference(
            spoken, options=self.options, timbre=lambda clip: self._reader.timbre([clip]), shorten=shorten
        )
        others = sorted((one.clip for one in spoken if one is not chosen), key=lambda clip: -clip.duration_s)
        heard = [chosen.clip, *others[: self.options.timbre_clips - 1]]
        tensors = {"reference_condition": self._reader.timbre(heard)}
        warnings: tuple[str, ...] = ()
        if chosen.text:
            prompt = self.prompt(chosen.clip, chosen.text, language=language)
            tensors |= {
                "reference_codes": prompt.codes.numpy().astype(np.int32),
                "reference_phonemes": prompt.phonemes.numpy().astype(np.int32),
            }
            if prompt.context is not None:
                tensors["reference_context"] = prompt.context.numpy().astype(np.float32)
        else:
            warnings = ("it is not known what is said: the voice has the person's timbre, but not their manner",)
        return Enrolled(tensors, float(np.median([bandwidth_hz(clip) for clip in clips])), warnings)

    def prompt(self, clip: AudioClip, text: str, *, language: str | None = None) -> Prompt:
        """Speech to continue.

        Raises:
            BadText: the text holds nothing to speak, or the model knows no such phoneme.
            Offline: there is no HuBERT, or no BERT for Mandarin.
        """
        phonemes = phonemize(text, language=language)
        spoken = official_text(phonemes, table=self.models.table)
        read = self._with_context(SentenceText(Sentence(text, 0, len(text)), phonemes, spoken))
        return Prompt(torch.from_numpy(self._reader.codes(clip)), torch.tensor(spoken.ids), read.context)


def _nothing_to_speak(text: str) -> BadText:
    """The error for a text without words in a language that is spoken, with the script that it is written in."""
    scripts = Counter(unicodedata.name(letter, "").split(" ")[0] for letter in text if letter.isalpha())
    found = "".join(f": it is written in {script.title()}" for script, _ in scripts.most_common(1) if script)
    return BadText(f"nothing in the text can be spoken{found}", advice="Give words in Chinese or English.")


def _between_pauses(sentence: Sentence) -> list[Sentence]:
    """What of a sentence stands between the pauses written into it: these models cannot be told to be silent."""
    ends = [0]
    for start, end in markup_spans(sentence.text):
        around = (sentence.text[ends[-1] : start], sentence.text[end:])
        if sentence.text[start] == "[" and all(any(map(str.isalnum, text)) for text in around):
            ends.append(end)
    bounds = zip(ends, [*ends[1:], len(sentence.text)], strict=True)
    # Where the published cutting changed a mark, places are off by as much, and stay inside the sentence.
    return [
        Sentence(sentence.text[start:end], sentence.start + start, min(sentence.start + end, sentence.end))
        for start, end in bounds
    ]


def _generator(seed: int, place: int, attempt: int, purpose: int) -> torch.Generator:
    """Chance for one attempt at the sentence at a place, apart for codes and noise; the same on every machine."""
    state = np.random.SeedSequence((abs(seed), place, attempt, purpose)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0] >> np.uint64(1)))


def _limited(samples: FloatArray) -> FloatArray:
    """Samples whose peak is at most 1."""
    loudest = float(np.abs(samples).max()) if len(samples) else 0.0
    return samples / loudest if loudest > 1.0 else samples
