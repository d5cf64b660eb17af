"""Speaking with the native models: sentence by sentence, each a prosody, a mel, a waveform.

The stream is the only path; the offline result is its concatenation. Nothing a sentence does is remembered by the
models, so memory stays flat for a text of any length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from yinse.audio.bandwidth import bandwidth_hz
from yinse.audio.measure import PhonemeProsody, SpeakerMeasure, measure_speaker, phoneme_prosody
from yinse.core.errors import BadText, FingerprintMismatch
from yinse.core.types import AudioChunk, AudioClip, FloatArray, PhonemeSequence, PhonemeTiming, SpeakRequest
from yinse.models.aligner import Alignment
from yinse.models.analysis import Analysis, analyse
from yinse.models.context import ContextEncoder, load_context
from yinse.models.prosody import ProsodyInput, decode_prosody, encode_prosody
from yinse.models.spectrogram import LogMel
from yinse.models.symbol_ids import symbol_ids
from yinse.models.voice_condition import (
    VoiceCondition,
    acoustic_input,
    extend_band,
    trusted_bins,
    voice_condition,
    voice_tensors,
)
from yinse.synth.clear_speech import clear_stretch
from yinse.synth.native_options import SynthesisConfig
from yinse.synth.question_rise import raise_question
from yinse.synth.readout import learn_readout
from yinse.synth.sound import sound_of
from yinse.text.lexicon import Lexicon
from yinse.text.overrides import check_markup
from yinse.text.phonemes import phonemize
from yinse.text.sentences import Sentence, split_sentences
from yinse.text.symbols import BOUNDARIES, SYMBOLS
from yinse.voices.voice import FOREIGN_PREFIX, READOUT, TOLD_VECTOR, Voice
from yinse.weights.native import NativeModels, adapt

MELODY_FRAMES = 20
"""Voiced frames (0.25 s) for which half of what a melody's spread says is believed."""
PACE_SENTENCES = 6
"""From so many of a person's sentences the pace is measured."""
PACES = (0.7, 1.6)
"""Whoever speaks faster or slower than this beside the GPT is more likely measured wrongly."""


@dataclass(frozen=True)
class Enrolled:
    """What was measured on a person's recordings: a voice's tensors, the highest frequency heard, and warnings."""

    tensors: Mapping[str, np.ndarray]
    bandwidth_hz: float
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class StyleReference:
    """How a reference was spoken: ids `(T_ph,)` of its symbols' rows and its prosody tokens `(T_ph, 3)`."""

    symbols: tuple[str, ...]
    tokens: np.ndarray


@dataclass(frozen=True)
class SpokenText:
    """A recording with its text laid onto it, and how each phoneme was spoken."""

    seen: Analysis
    text: PhonemeSequence
    alignment: Alignment
    prosody: PhonemeProsody


@dataclass(frozen=True)
class SpokenSentence:
    """A sentence as samples `(S,)` with the frames of each of its symbols."""

    samples: FloatArray
    symbols: tuple[str, ...]
    durations: np.ndarray


class NativeSynthesizer:
    """Takes on voices and speaks in them.

    Raises:
        YinseError: what `yinse.models.context.load_context` raises, if the models read a language model.
    """

    def __init__(self, models: NativeModels, config: SynthesisConfig | None = None) -> None:
        self.models = models
        self.config = config or SynthesisConfig()
        self.log_mel = LogMel(models.config.spectrogram)
        sizes = models.config.prosody
        self.context = load_context(sizes.language_model, width=sizes.language_model_size)
        self._adapted: tuple[Voice, dict[str, NativeModels]] | None = None

    @property
    def sample_rate_hz(self) -> int:
        """Rate of the speech."""
        return self.models.config.spectrogram.sample_rate_hz

    # ------------------------------------------------------------------ speaking

    def stream(
        self, request: SpeakRequest, voice: Voice, *, style: StyleReference | None = None
    ) -> Iterator[AudioChunk]:
        """Speak a text, one chunk a sentence.

        Args:
            request: what to say and how.
            voice: in whose voice.
            style: speak in the manner of this reference instead of the voice's own.

        Raises:
            FingerprintMismatch: the voice was made with other models.
            BadText: nothing in the text can be spoken, or an override or pause in it is malformed.
        """
        if voice.model_fingerprint != self.models.fingerprint:
            raise FingerprintMismatch(
                f"the voice '{voice.name}' belongs to model {voice.model_fingerprint}, not {self.models.fingerprint}",
                advice="Clone it again, or load the model it was made with.",
            )
        check_markup(request.text)
        lexicon = Lexicon.of(request.lexicon)
        prompt = style or voice_style(voice)
        start_s, index = 0.0, 0
        waiting: tuple[Sentence, SpokenSentence] | None = None
        for sentence in split_sentences(request.text):
            try:
                phonemes = phonemize(sentence.text, language=request.language, lexicon=lexicon)
            except BadText:
                continue
            if waiting is not None:
                chunk = self._chunk(*waiting, index=index, start_s=start_s, pause_s=request.pause_s, is_last=False)
                start_s, index = start_s + len(chunk.samples) / self.sample_rate_hz, index + 1
                yield chunk
            generator = torch.Generator().manual_seed(hash_seed(request.seed, sentence.start))
            language = main_language([phonemes])
            spoken = speak_sentence(
                self.adapted(voice, language),
                phonemes,
                voice_condition(voice.tensors_in(language), floor_depth=self.models.floor_depth),
                prompt,
                context=hidden_states(self.context, phonemes, previous=waiting[0].text if waiting else ""),
                request=request,
                config=self.config,
                generator=generator,
            )
            waiting = (sentence, spoken)
        if waiting is None:
            raise BadText("nothing in the text can be spoken", advice="Give words in Chinese or English.")
        yield self._chunk(*waiting, index=index, start_s=start_s, pause_s=0.0, is_last=True)

    def adapted(self, voice: Voice, language: str = "") -> NativeModels:
        """The models as a voice has them for a language; the last voice's are kept, for the next request is often its.

        Args:
            voice: with last layers and adapter.
            language: that is spoken; "" for the voice's own.
        """
        if self._adapted is None or self._adapted[0] is not voice:
            self._adapted = voice, {}
        found, tensors = self._adapted[1], voice.tensors_in(language)
        key = language if tensors is not voice.tensors else ""
        if key not in found:
            gain = self.config.readout_gain if TOLD_VECTOR in tensors else 1.0
            found[key] = adapt(self.models, tensors, readout_gain=gain)
        return found[key]

    def _chunk(
        self, sentence: Sentence, spoken: SpokenSentence, *, index: int, start_s: float, pause_s: float, is_last: bool
    ) -> AudioChunk:
        pause = np.zeros(round(pause_s * self.sample_rate_hz), dtype=np.float32)
        frame_s = 1 / self.models.config.spectrogram.frames_per_s
        ends = np.cumsum(spoken.durations) * frame_s
        timings = tuple(
            PhonemeTiming(symbol, float(end - frames * frame_s), float(end))
            for symbol, frames, end in zip(spoken.symbols, spoken.durations, ends, strict=True)
        )
        return AudioChunk(
            samples=np.concatenate([spoken.samples, pause]),
            sample_rate_hz=self.sample_rate_hz,
            index=index,
            start_s=start_s,
            text=sentence.text,
            text_span=(sentence.start, sentence.end),
            phonemes=timings,
            is_last=is_last,
        )

    # ------------------------------------------------------------------ taking on a voice

    def enroll(
        self,
        clips: Sequence[AudioClip],
        *,
        transcripts: Sequence[str | None] | None = None,
        language: str | None = None,
    ) -> Enrolled:
        """Measure a person's voice.

        Where the models learned the person's language from synthetic speakers alone, they are told the middle of those:
        a real person's vector is like none of them, and costs words and likeness (docs/adr/0008).

        Args:
            clips: cleaned utterances of one person.
            transcripts: what was said in each, where known: gives the style reference and the pace.
            language: that the person speaks; None to tell by the script of the transcripts.

        Raises:
            BadAudio: nothing in the clips is speech.
        """
        analyses = [analyse(clip, self.log_mel) for clip in clips]
        width_hz = float(np.median([bandwidth_hz(clip) for clip in clips]))
        trusted = trusted_bins(self.models.config.spectrogram, width_hz)
        measure = measure_speaker([a.mel for a in analyses], [a.log_f0 for a in analyses])
        measure = extend_band(measure, trusted, self.models.high_band)
        vector = self.models.speaker.embed([a.mel for a in analyses])
        tensors = voice_tensors(vector, measure, duration_scale=1.0)
        known = zip(analyses, transcripts or (), strict=False)
        spoken = self.lay_out([(a, phonemize(text, language=language)) for a, text in known if text], measure)
        own = language or main_language([one.text for one in spoken])
        if own in self.models.typical_speakers:
            tensors[TOLD_VECTOR] = self.models.typical_speakers[own]
        if spoken:
            style = self._style(spoken)
            tensors["style_symbols"] = symbol_ids(style.symbols).symbols.astype(np.int32)
            tensors["style_tokens"] = style.tokens.astype(np.int32)

            def measured(told: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
                return self._measured(spoken, {**tensors, **told}, style, trusted=trusted)

            foreign = foreign_tensors(self.models, [own], measured)
            tensors |= measured({}) | foreign
        return Enrolled(tensors, width_hz, ())

    def _style(self, spoken: Sequence[SpokenText]) -> StyleReference:
        """The utterance that fits its text best, of those that are short enough."""
        limit = self.config.prompt_seconds * self.models.config.spectrogram.frames_per_s
        fitting = [one for one in spoken if one.alignment.durations.sum() <= limit] or spoken[:1]
        best = max(fitting, key=lambda one: one.alignment.confidence)
        return StyleReference(best.text.symbols, encode_prosody(best.prosody, self.models.config.prosody))

    def _measured(
        self,
        spoken: Sequence[SpokenText],
        tensors: Mapping[str, np.ndarray],
        style: StyleReference,
        *,
        trusted: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Last layer and pace of a person, the models being told what the tensors tell."""
        readout = learn_readout(
            self.models.acoustic,
            [(one.seen, one.text.symbols, one.alignment.durations) for one in spoken],
            voice_condition(tensors, floor_depth=tensors["floor_depth"]),
            trusted=trusted,
        )
        pace = self._pace(self.models, spoken, voice_condition(tensors, floor_depth=self.models.floor_depth), style)
        return {READOUT: readout, "numbers": np.append(tensors["numbers"][:3], np.float32(pace))}

    def lay_out(self, known: Sequence[tuple[Analysis, PhonemeSequence]], measure: SpeakerMeasure) -> list[SpokenText]:
        """The clips of one person whose texts fit them, aligned; prosody is relative to the measure."""
        found = align_analyses(self.models, [seen for seen, _ in known], [text for _, text in known])
        return [
            SpokenText(
                seen, text, alignment, phoneme_prosody(seen.mel, seen.log_f0, alignment.durations, measure=measure)
            )
            for (seen, text), alignment in zip(known, found, strict=True)
            if alignment is not None and alignment.confidence >= self.config.lowest_confidence
        ]

    def pace(self, voice: Voice, clips: Sequence[AudioClip], transcripts: Sequence[str]) -> np.ndarray:
        """A voice's measured numbers `(4,)` with its pace as its adapter leaves it: tuned, a GPT knows part of it.

        Args:
            voice: with its style reference.
            clips: of the person.
            transcripts: what is said in each.
        """
        numbers, style = np.asarray(voice.tensors["numbers"]), voice_style(voice)
        if style is None:
            return numbers
        condition = voice_condition(voice.tensors, floor_depth=self.models.floor_depth)
        known = zip(clips[: PACE_SENTENCES + 1], transcripts, strict=False)
        read = [(analyse(clip, self.log_mel), phonemize(text)) for clip, text in known]
        spoken = self.lay_out(read, condition.measure)
        return np.append(numbers[:3], np.float32(self._pace(self.adapted(voice), spoken, condition, style)))

    def _pace(
        self, models: NativeModels, spoken: Sequence[SpokenText], condition: VoiceCondition, style: StyleReference
    ) -> float:
        """How much longer the person's phones are than the GPT's for the same texts, the style reference's apart."""
        real = ours = 0
        for one in [each for each in spoken if each.text.symbols != style.symbols][:PACE_SENTENCES]:
            decided = decide_prosody(
                models,
                one.text.symbols,
                condition,
                style,
                context=hidden_states(self.context, one.text),
                config=self.config,
                generator=torch.Generator().manual_seed(0),
            )
            phones = np.array([symbol not in BOUNDARIES for symbol in one.text.symbols])
            real += int(one.prosody.durations[phones].sum())
            ours += int(decided.durations[phones].sum())
        return float(np.clip(real / ours, *PACES)) if ours else 1.0

    def similarity(self, vector_a: FloatArray, vector_b: FloatArray) -> float:
        """Cosine of two speaker vectors `(G,)`."""
        return float(np.dot(vector_a, vector_b) / (np.linalg.norm(vector_a) * np.linalg.norm(vector_b) + 1e-9))

    def align(self, clips: Sequence[AudioClip], texts: Sequence[PhonemeSequence]) -> list[Alignment | None]:
        """Lay texts onto one person's recordings; None where a text is far too long."""
        return align_analyses(self.models, [analyse(clip, self.log_mel) for clip in clips], texts)

    def style_reference(self, clip: AudioClip, transcript: str, *, language: str | None = None) -> StyleReference:
        """The manner in which a clip was spoken, relative to its own speaker.

        Raises:
            BadAudio: the clip holds no speech.
            BadText: the transcript does not fit the clip.
        """
        seen = analyse(clip, self.log_mel)
        text = phonemize(transcript, language=language)
        (alignment,) = align_analyses(self.models, [seen], [text])
        if alignment is None:
            raise BadText("the transcript is far longer than the recording", advice="Check the style reference's text.")
        measure = measure_speaker([seen.mel], [seen.log_f0])
        prosody = phoneme_prosody(seen.mel, seen.log_f0, alignment.durations, measure=measure)
        return StyleReference(text.symbols, encode_prosody(prosody, self.models.config.prosody))


def main_language(texts: Sequence[PhonemeSequence]) -> str:
    """Of most words; "" without words."""
    words = Counter(language for text in texts for language in text.word_languages if language)
    return words.most_common(1)[0][0] if words else ""


def foreign_tensors(
    models: NativeModels,
    own: Sequence[str],
    measured: Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]],
) -> dict[str, np.ndarray]:
    """What `Voice.tensors_in` needs for languages that no real person taught (docs/adr/0008).

    Args:
        models: that speak.
        own: languages of the recordings.
        measured: what is measured anew on the person, if the networks are told other tensors.
    """
    found: dict[str, np.ndarray] = {}
    for language, typical in models.typical_speakers.items():
        if language not in own:
            told = {TOLD_VECTOR: typical}
            named = {**told, **measured(told)}
            found |= {f"{FOREIGN_PREFIX}{language}.{name}": values for name, values in named.items()}
    return found


def hash_seed(seed: int, place: int) -> int:
    """A seed for each place of a text, the same on every machine."""
    return int(np.random.SeedSequence((abs(seed), place)).generate_state(1, np.uint64)[0] >> np.uint64(1))


def align_analyses(
    models: NativeModels, analyses: Sequence[Analysis], texts: Sequence[PhonemeSequence]
) -> list[Alignment | None]:
    """Durations of the symbols of one person's analysed clips."""
    mels = [a.mel for a in analyses]
    return models.aligner.align(mels, [t.symbols for t in texts])


def voice_style(voice: Voice) -> StyleReference | None:
    """The style reference that a voice carries, if any."""
    if "style_tokens" not in voice.tensors:
        return None
    symbols = tuple(SYMBOLS[index] for index in voice.tensors["style_symbols"])
    return StyleReference(symbols, np.asarray(voice.tensors["style_tokens"], dtype=np.int64))


def hidden_states(encoder: ContextEncoder, text: PhonemeSequence, *, previous: str = "") -> FloatArray | None:
    """What a language model knows of a sentence's phonemes `(T_ph, D)`, read after the previous sentence, if any."""
    found = encoder.encode([text], previous=[previous])
    return found[0] if found else None


def decide_prosody(
    models: NativeModels,
    symbols: Sequence[str],
    condition: VoiceCondition,
    prompt: StyleReference | None,
    *,
    context: FloatArray | None,
    config: SynthesisConfig,
    generator: torch.Generator,
) -> PhonemeProsody:
    """The GPT's prosody of a sentence; `context` are hidden states `(T_ph, D)` of its symbols, the prompt has none."""
    if context is not None and prompt:
        context = np.pad(context, ((len(prompt.symbols), 0), (0, 0)))
    whole = (*prompt.symbols, *symbols) if prompt else tuple(symbols)
    ids = symbol_ids(whole)
    tokens = models.prosody.generate(
        ProsodyInput(
            symbols=torch.from_numpy(ids.symbols)[None],
            bases=torch.from_numpy(ids.bases)[None],
            tones=torch.from_numpy(ids.tones)[None],
            speaker=condition.speaker,
            measures=condition.measures,
            context=None if context is None else torch.from_numpy(context)[None],
        ),
        boundaries=torch.tensor([symbol in BOUNDARIES for symbol in whole]),
        prompt=torch.from_numpy(prompt.tokens) if prompt else torch.zeros((0, 3), dtype=torch.long),
        temperature=config.prosody_temperature,
        top_p=config.prosody_top_p,
        generator=generator,
    )
    return decode_prosody(tokens.numpy(), models.config.prosody)


def final_durations(
    symbols: Sequence[str], durations: np.ndarray, *, scale: float, config: SynthesisConfig
) -> np.ndarray:
    """Frames per symbol `(T_ph,)`: paced, pauses within bounds, no phone without a frame.

    Fractions are carried on, so that the whole is as long as asked for.
    """
    wanted = durations.astype(np.float64) * scale
    for place, symbol in enumerate(symbols):
        if place == 0:
            wanted[place] = config.head_frames
        elif place == len(symbols) - 1:
            wanted[place] = config.tail_frames
        elif symbol == "|":
            wanted[place] = min(wanted[place], config.longest_gap_frames * scale)
        elif symbol in BOUNDARIES:
            wanted[place] = max(wanted[place], config.shortest_mark_frames * scale)
        else:
            wanted[place] = max(wanted[place], 1.0)
    # halves go up: rounded to even, a phone of one frame between two halves would get none, then one too many
    ends = np.floor(np.cumsum(wanted) + 0.5).astype(np.int64)
    frames = np.diff(ends, prepend=0)
    phones = np.array([symbol not in BOUNDARIES for symbol in symbols])
    return np.where(phones, np.maximum(frames, 1), np.maximum(frames, 0))


def quiet_pauses(decided: PhonemeProsody, durations: np.ndarray, *, energy: float) -> PhonemeProsody:
    """Prosody in which pauses that last, though the GPT saw none, are quiet.

    What takes no time has no energy: its 0 would be that of speech, and the pause would be drawn as a breath.

    Args:
        decided: by the GPT.
        durations: final frames per symbol `(T_ph,)`.
        energy: of these pauses.
    """
    added = (decided.durations == 0) & (durations > 0)
    return replace(decided, energy=np.where(added, np.float32(energy), decided.energy))


def pause_frames(phonemes: PhonemeSequence, *, frames_per_s: float) -> np.ndarray:
    """Frames of silence that the text asks for at each symbol `(T_ph,)`, 0 where it asks for none."""
    asked = np.zeros(len(phonemes.symbols), dtype=np.int64)
    firsts = np.cumsum(phonemes.word_lengths) - phonemes.word_lengths
    for first, pause_s in zip(firsts, phonemes.pauses_s, strict=False):
        asked[first] = round(pause_s * frames_per_s)
    return asked


def insert_silence(samples: FloatArray, durations: np.ndarray, silence: np.ndarray, *, hop: int) -> FloatArray:
    """Speech with silence in the middle of symbols, before the first and after the last.

    The models hum in a pause far longer than those they learned, so it is not left to them.

    Args:
        samples: `(S,)`.
        durations: frames of each symbol `(T_ph,)`.
        silence: frames to add at each `(T_ph,)`.
        hop: samples per frame.
    """
    chosen = np.flatnonzero(silence)
    places = np.cumsum(durations) - durations // 2
    places[0], places[-1] = 0, durations.sum()
    pieces = [piece.copy() for piece in np.split(samples, places[chosen] * hop)]
    fade = np.linspace(0.0, 1.0, hop, dtype=np.float32)
    parts = pieces[:1]
    for before, after, frames in zip(pieces, pieces[1:], silence[chosen], strict=False):
        end, start = before[-hop:], after[:hop]
        end *= fade[::-1][hop - len(end) :]
        start *= fade[: len(start)]
        parts += [np.zeros(frames * hop, dtype=np.float32), after]
    return np.concatenate(parts)


def centred(prosody: PhonemeProsody, *, farthest: float) -> PhonemeProsody:
    """The prosody with its melody moved as a whole so that its mean lies within `farthest` spreads of the median.

    Real voices speaking Mandarin, of whom the GPT has met none, come out up to 2.7 spreads too high otherwise.
    """
    weight = prosody.voiced * prosody.durations
    if not weight.any():
        return prosody
    mean = float((prosody.pitch * weight).sum() / weight.sum())
    shift = float(np.clip(mean, -farthest, farthest)) - mean
    return replace(prosody, pitch=(prosody.pitch + shift * prosody.voiced).astype(np.float32))


def spread_melody(f0: Tensor, voicing: Tensor, *, share: float, stretch: float) -> Tensor:
    """A melody `(B, T_mel)`, in the speaker's spreads, brought towards a spread of 1 around its own middle.

    Left alone, it is too narrow in English, which synthetic readers teach to be even, and too wide for people who read
    Mandarin flatly. Its shape stays. A few sounds need not show a speaker's whole range, so they are changed less.

    Args:
        f0: log F0 from the speaker's median over the speaker's spread.
        voicing: 1 where voiced `(B, T_mel)`.
        share: how much of the way.
        stretch: factor at most, either way.
    """
    heard = f0[voicing > 0]
    if len(heard) < 2:
        return f0
    low, middle, high = torch.quantile(heard, torch.tensor([0.16, 0.5, 0.84]))
    known = share * len(heard) / (len(heard) + MELODY_FRAMES)
    factor = (2.0 / (high - low).clamp(min=1e-3)) ** known
    return middle + (f0 - middle) * factor.clamp(1 / stretch, stretch)


@torch.inference_mode()
def speak_sentence(
    models: NativeModels,
    phonemes: PhonemeSequence,
    condition: VoiceCondition,
    prompt: StyleReference | None,
    *,
    context: FloatArray | None,
    request: SpeakRequest,
    config: SynthesisConfig,
    generator: torch.Generator,
) -> SpokenSentence:
    """One sentence from symbols to samples."""
    decided = decide_prosody(
        models, phonemes.symbols, condition, prompt, context=context, config=config, generator=generator
    )
    decided = centred(decided, farthest=config.farthest_centre)
    scale = condition.duration_scale / request.speed
    wanted = decided.durations * clear_stretch(phonemes, english=config.english_stretch, strong=config.strong_stretch)
    durations = final_durations(phonemes.symbols, wanted, scale=scale, config=config)
    silence = pause_frames(phonemes, frames_per_s=models.config.spectrogram.frames_per_s)
    durations[1:-1] = np.where(silence, np.minimum(silence, config.longest_gap_frames), durations)[1:-1]
    silence[1:-1] -= np.where(silence, durations, 0)[1:-1]
    inputs = acoustic_input(
        phonemes.symbols, quiet_pauses(decided, durations, energy=config.pause_energy), durations, condition
    )
    acoustic = models.acoustic
    told = acoustic.condition(inputs)
    frames = acoustic.frames(inputs, told)
    f0, voicing_logits = acoustic.melody(frames, told)
    voicing = (voicing_logits > 0).float()
    f0 = spread_melody(f0, voicing, share=config.melody_share, stretch=config.melody_stretch)
    semitone = np.log(2) / 12
    rise = config.question_rise * semitone / condition.measure.log_f0_spread
    f0 = raise_question(phonemes, durations, f0, rise=rise)
    shift = request.pitch_semitones * semitone
    log_f0 = condition.measure.log_f0_median + f0 * condition.measure.log_f0_spread + shift
    trunk = acoustic.trunk(frames, log_f0, f0 * voicing, voicing, told)
    samples = sound_of(models, trunk, log_f0, voicing, condition, config=config, generator=generator)
    samples = insert_silence(samples.astype(np.float32), durations, silence, hop=models.config.spectrogram.hop_samples)
    return SpokenSentence(samples, phonemes.symbols, durations + silence)
