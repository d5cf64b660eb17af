"""GPT-SoVITS models behind the shape that the use cases hold."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from yinse.audio.silence import Segment, cut
from yinse.audio.slicing import slice_utterances
from yinse.core.errors import BadAudio, ConfigError
from yinse.core.events import Event
from yinse.core.types import AudioChunk, AudioClip, FloatArray, SpeakRequest
from yinse.synth.gpt_sovits import GptSovitsSynthesizer, SentenceCheck
from yinse.synth.gpt_sovits_options import GptSovitsOptions, options_from, with_precision
from yinse.synth.gpt_sovits_reference import Prompt, SpokenText
from yinse.synth.verify import Verifier
from yinse.text.phonemes import phonemize
from yinse.voices.voice import Voice
from yinse.weights.gpt_sovits import GptSovitsModels, load_gpt_sovits
from yinse.weights.native import load_aligner
from yinse.weights.official_encoders import Encoders, load_encoders
from yinse.workflows.engine import Engine, Enrolment, TimedText


class GptSovitsEngine:
    """Published GPT-SoVITS models as an `Engine`.

    Args:
        models: a set.
        encoders: those that are here.
        options: how to speak.
        listener: gives the engine that lays texts onto recordings and tells people apart: these models cannot.
        check: tells whether a sentence came out well.
    """

    can_tune = False
    needs_words = True

    def __init__(
        self,
        models: GptSovitsModels,
        encoders: Encoders,
        options: GptSovitsOptions,
        *,
        listener: Callable[[], Engine],
        check: SentenceCheck | None = None,
    ) -> None:
        self._models = models
        self._options = options
        self._synthesizer = GptSovitsSynthesizer(models, encoders, options, check=check)
        self._listener = listener

    @property
    def fingerprint(self) -> str:
        """Which set it is."""
        return self._models.fingerprint

    @property
    def sample_rate_hz(self) -> int:
        """Rate of its speech."""
        return self._synthesizer.sample_rate_hz

    def stream(self, request: SpeakRequest, voice: Voice, *, style: Prompt | None = None) -> Iterator[AudioChunk]:
        """Speaks sentence by sentence, in the manner of `style` if there is one."""
        return self._synthesizer.stream(request, voice, style=style)

    def style(self, clip: AudioClip, transcript: str) -> Prompt:
        """The manner in which a recording was spoken.

        Raises:
            BadAudio: it is too short or too long; the message says what is expected.
        """
        shortest_s, longest_s = self._options.shortest_reference_s, self._options.longest_reference_s
        if not shortest_s <= clip.duration_s <= longest_s:
            raise BadAudio(
                f"the style lasts {clip.duration_s:.1f} s, {shortest_s:g} to {longest_s:g} s are expected",
                advice="Cut it, or take another.",
            )
        return self._synthesizer.prompt(clip, transcript)

    def enroll(
        self, clips: Sequence[AudioClip], *, transcripts: Sequence[str | None], language: str | None
    ) -> Enrolment:
        """Takes the timbre from utterances, and the manner from one of those whose text is known."""
        found = self._synthesizer.enroll(
            clips,
            transcripts=transcripts,
            language=language,
            shorten=lambda spoken, longest_s: self._shortened(spoken, longest_s, language),
        )
        return Enrolment(found.tensors, found.bandwidth_hz, found.warnings)

    def convert(
        self,
        clip: AudioClip,
        voice: Voice,
        *,
        transcript: str | None = None,
        language: str | None = None,
        seed: int = 0,
    ) -> AudioClip:
        """Says an utterance again in another voice: its own semantic codes, spoken in that timbre."""
        return self._synthesizer.convert(clip, voice, transcript=transcript, language=language, seed=seed)

    def speaker_vectors(self, clips: Sequence[AudioClip]) -> list[FloatArray]:
        """One vector `(256,)` per clip, of the listener."""
        return self._listener().speaker_vectors(clips)

    def align(self, clips: Sequence[AudioClip], symbols: Sequence[Sequence[str]]) -> list[TimedText | None]:
        """Lays texts onto recordings of one person, by the listener."""
        return self._listener().align(clips, symbols)

    def tune(
        self, voice: Voice, clips: Sequence[AudioClip], transcripts: Sequence[str] | None, *, folder: Path
    ) -> Iterator[Event]:
        """Not offered for these models.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(
            "GPT-SoVITS models are not tuned here, they clone at once",
            advice="Leave --tune out, or use the native models.",
        )

    def _shortened(self, spoken: SpokenText, longest_s: float, language: str | None) -> SpokenText | None:
        """The beginning of an utterance, up to the last word that ends in time."""
        if not spoken.text:
            first = slice_utterances(spoken.clip, max_s=longest_s)[:1]
            return SpokenText(first[0].clip, None) if first else None
        sequence = phonemize(spoken.text, language=language)
        (timed,) = self.align([spoken.clip], [sequence.symbols])
        if timed is None:
            return None
        found: SpokenText | None = None
        lasts = itertools.accumulate(sequence.word_lengths)
        for last, text, (_, end) in zip(lasts, sequence.word_texts, sequence.spans, strict=True):
            end_s = float(timed.ends_s[last - 1])
            if text and end_s <= longest_s:
                found = SpokenText(cut(spoken.clip, Segment(0.0, end_s)), sequence.text[:end])
        return found


def load_engine(folder: Path, *, listener: Callable[[], Engine], precision: str | None = None) -> GptSovitsEngine:
    """The set in a folder, with the encoders that are on this machine.

    Args:
        folder: of the set.
        listener: see `GptSovitsEngine`.
        precision: "fp32", "bf16" or "int8"; None: as the folder chooses, "fp32" unless somebody changed it.

    Raises:
        ConfigError: the folder makes a choice at synthesis that makes no sense, or the precision would be slower here.
        YinseError: what `load_gpt_sovits` raises.
    """
    models = load_gpt_sovits(folder)
    options = options_from(models.synthesis)
    if precision is not None:
        options = with_precision(options, precision)
    models.prepare(semantic=options.semantic_precision, sovits=options.sovits_precision)
    check = Verifier(load_aligner) if options.retries else None
    return GptSovitsEngine(models, load_encoders(), options, listener=listener, check=check)
