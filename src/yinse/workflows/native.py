"""The native models behind the shape that the use cases hold."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from yinse.core.errors import BadAudio
from yinse.core.events import Event, Finished, Progress, relay
from yinse.core.types import AudioChunk, AudioClip, FloatArray, SpeakRequest
from yinse.models.analysis import level_mel
from yinse.models.content import ContentModel
from yinse.models.speaker import mean_direction
from yinse.synth.conversion import convert, readout_by_units
from yinse.synth.native import NativeSynthesizer, StyleReference, foreign_tensors
from yinse.text.phonemes import phonemize
from yinse.voices.voice import READOUT, Voice
from yinse.weights.content import load_content
from yinse.weights.native import NativeModels, load_native
from yinse.workflows.engine import Enrolment, TimedText, Tuning

TRIAL_SENTENCES = {
    "en": ("The river was quiet when we crossed the bridge.", "Would you like another cup of tea before we go?"),
    "zh": ("我们沿着河边慢慢走回家。", "明天早上你想喝茶还是咖啡？"),
}
"""Spoken before and after tuning, to be compared."""


class NativeEngine:
    """Our own models as an `Engine`."""

    can_tune = True
    needs_words = False

    def __init__(self, models: NativeModels, *, content: Callable[[], ContentModel] | None = None) -> None:
        self._models = models
        self._content = content or functools.cache(lambda: load_content(fingerprint=models.fingerprint))
        self._synthesizer = NativeSynthesizer(models)

    @property
    def fingerprint(self) -> str:
        """Which set it is."""
        return self._models.fingerprint

    @property
    def sample_rate_hz(self) -> int:
        """Rate of its speech."""
        return self._synthesizer.sample_rate_hz

    def stream(
        self, request: SpeakRequest, voice: Voice, *, style: StyleReference | None = None
    ) -> Iterator[AudioChunk]:
        """Speaks sentence by sentence, in the manner of `style` if there is one."""
        return self._synthesizer.stream(request, voice, style=style)

    def style(self, clip: AudioClip, transcript: str) -> StyleReference:
        """The manner in which a recording was spoken."""
        return self._synthesizer.style_reference(clip, transcript)

    def enroll(
        self, clips: Sequence[AudioClip], *, transcripts: Sequence[str | None], language: str | None
    ) -> Enrolment:
        """Measures a person's voice on utterances."""
        found = self._synthesizer.enroll(clips, transcripts=transcripts, language=language)
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
        """Says an utterance again by its words, or by its units where they are unknown; silence where nobody speaks.

        Raises:
            Offline: the set has no content encoder.
            BadText: nothing in the transcript can be spoken.
        """
        try:
            return convert(
                self._synthesizer, self._content(), clip, voice, transcript=transcript, language=language, seed=seed
            )
        except BadAudio:
            count = round(len(clip.samples) * self.sample_rate_hz / clip.sample_rate_hz)
            return AudioClip(np.zeros(count, dtype=np.float32), self.sample_rate_hz)

    def speaker_vectors(self, clips: Sequence[AudioClip]) -> list[FloatArray]:
        """One vector `(256,)` per clip."""
        return [self._models.speaker.embed([mel]) for mel in self._mels(clips)]

    def align(self, clips: Sequence[AudioClip], symbols: Sequence[Sequence[str]]) -> list[TimedText | None]:
        """Lays texts onto recordings of one person; None where a text is far too long for its recording."""
        mels = self._mels(clips)
        found = self._models.aligner.align(mels, symbols)
        frames_per_s = self._models.config.spectrogram.frames_per_s
        return [TimedText(np.cumsum(one.durations) / frames_per_s, one.confidence) if one else None for one in found]

    def tune(
        self, voice: Voice, clips: Sequence[AudioClip], transcripts: Sequence[str] | None, *, folder: Path
    ) -> Iterator[Event]:
        """Adapts the models to a voice, by units where there are no transcripts; the last event holds a `Tuning`."""
        if transcripts is None:
            events = self._tune_by_units(voice, clips, folder=folder)
        else:
            from yinse.train.tune import tune

            context = self._synthesizer.context
            events = tune(self._models, voice, clips, transcripts, folder=folder, context=context)
        learned = yield from relay(events)
        yield Progress("compare", 0, 1)
        tensors = dict(learned.tensors)
        tuned = replace(voice, tensors={**voice.tensors, **tensors})
        if transcripts is not None:
            tensors["numbers"] = self._synthesizer.pace(tuned, clips, transcripts)
            tuned = replace(voice, tensors={**voice.tensors, **tensors})
        figures = dict(learned.figures)
        for when, spoken in (("before", voice), ("after", tuned)):
            figures |= {f"{name}_{when}": value for name, value in self._figures(spoken).items()}
        yield Finished(Tuning(tensors, figures))

    def _tune_by_units(self, voice: Voice, clips: Sequence[AudioClip], *, folder: Path) -> Iterator[Event]:
        from yinse.train.tune_units import tune_by_units

        content = self._content()

        def measured(told: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
            enrolled = replace(voice, tensors={**voice.tensors, **told})
            return {READOUT: readout_by_units(self._synthesizer, content, clips, enrolled)}

        readout = {**measured({}), **foreign_tensors(self._models, voice.languages, measured)}
        enrolled = replace(voice, tensors={**voice.tensors, **readout})
        learned = yield from relay(tune_by_units(self._models, content, enrolled, clips, folder=folder))
        yield Finished(replace(learned, tensors={**readout, **learned.tensors}))

    def _figures(self, voice: Voice) -> dict[str, float]:
        """What our own encoder and aligner say of a voice's speech: likeness to the person, fit to the text."""
        languages = voice.languages or tuple(TRIAL_SENTENCES)
        sentences = [sentence for language in languages for sentence in TRIAL_SENTENCES[language]]
        spoken = [list(self.stream(SpeakRequest(sentence), voice)) for sentence in sentences]
        clips = [
            AudioClip(np.concatenate([chunk.samples for chunk in chunks]), self.sample_rate_hz) for chunks in spoken
        ]
        heard = mean_direction(self.speaker_vectors(clips))
        found = self.align(clips, [phonemize(sentence).symbols for sentence in sentences])
        return {
            "similarity": self._synthesizer.similarity(heard, voice.tensors["speaker_vector"]),
            "clarity": float(np.mean([one.confidence for one in found if one])),
        }

    def _mels(self, clips: Sequence[AudioClip]) -> list[FloatArray]:
        """Log-mels `(T_mel, M)` at the level that the models learned."""
        return [level_mel(clip, self._synthesizer.log_mel)[1] for clip in clips]


def load_engine(folder: Path | None = None) -> NativeEngine:
    """The models in a folder; None: those that come with the package. Raises what `load_native` raises."""
    models = load_native(folder)
    content = functools.cache(lambda: load_content(folder, fingerprint=models.fingerprint))
    return NativeEngine(models, content=content)
