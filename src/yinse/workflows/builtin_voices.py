"""The voices that come with the package: nobody's, blends of synthetic speakers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from yinse.audio.measure import measure_speaker
from yinse.core.errors import ConfigError
from yinse.core.events import Artifact, Event, Finished, Progress
from yinse.core.types import AudioClip, FloatArray
from yinse.synth.native import NativeSynthesizer
from yinse.train.features import Clip, load_clips
from yinse.train.work import Work, needed
from yinse.voices.bundle import SUFFIX, write_voice
from yinse.voices.voice import READOUT, Voice
from yinse.weights.native import NativeModels

PACK = "zh_en_kokoro"
NAMES: Mapping[str, tuple[str, str]] = MappingProxyType({"blend_f": ("lan", "mei"), "blend_m": ("shan", "ming")})
"""Two voices of each kind of blend, the lower one first."""
LICENCE = "CC0-1.0"
LANGUAGES = ("zh", "en")

_CLIPS_PER_LANGUAGE = 8
_CLEAREST_SHARE = 0.5
"""Only the half whose speech fits its text best may become a voice."""
_PITCH_WEIGHT = 2.0
"""Voices half an octave apart are as distinct as ones whose vectors have a cosine of 0.3."""


@dataclass(frozen=True)
class Candidate:
    """A blend: its file's name, how clearly it speaks (0 at best), its median log F0, its vector `(G,)`."""

    stem: str
    clarity: float
    log_f0: float
    vector: FloatArray


def builtin_voices(work: Work, models: NativeModels, out: Path, *, created: str) -> Iterator[Event]:
    """Choose and write the built-in voices; the last event holds their names.

    Args:
        work: where base training left features and alignments.
        models: the set that the voices belong to, as loaded.
        out: folder for the bundles.
        created: ISO 8601 time.

    Raises:
        ConfigError: fewer than two blends of a kind are among the features.
    """
    # the models know these speakers by their vectors: nobody typical is told in their place
    synthesizer = NativeSynthesizer(replace(models, typical_speakers={}))
    rate_hz = synthesizer.sample_rate_hz
    names: list[str] = []
    for kind, pair in NAMES.items():
        found = candidates(work, models, kind)
        if len(found) < len(pair):
            raise ConfigError(f"fewer than two speakers '{PACK}/{kind}*'", where=str(work.features()))
        for name, chosen in zip(pair, distinct_pair(found), strict=True):
            yield Progress("voices", len(names), 2 * len(NAMES), f"{name} from {chosen.stem}")
            clips = voice_clips(load_clips(_features(work, chosen.stem), with_samples=True))
            spoken = [AudioClip(np.divide(clip.samples, 32768, dtype=np.float32), rate_hz) for clip in clips]
            enrolled = synthesizer.enroll(spoken, transcripts=[clip.text for clip in clips])
            voice = Voice(
                id=name,
                name=name,
                languages=LANGUAGES,
                # a last layer of their own made them less clear (docs/log.md)
                tensors={k: value for k, value in enrolled.tensors.items() if k != READOUT},
                bandwidth_hz=enrolled.bandwidth_hz,
                model_fingerprint=models.fingerprint,
                licence=LICENCE,
                created=created,
                synthetic=True,
            )
            voice = at_slower_pace(synthesizer, voice, list(zip(clips, spoken, strict=True)))
            write_voice(out / f"{name}{SUFFIX}", voice)
            names.append(name)
            yield Artifact("voice", str(out / f"{name}{SUFFIX}"))
    yield Finished(tuple(names))


def candidates(work: Work, models: NativeModels, kind: str) -> list[Candidate]:
    """The blends of a kind, measured."""
    found = []
    for path in sorted(needed(work.alignments(), "align").glob(f"{PACK}.{kind}*.json")):
        aligned = json.loads(path.read_text(encoding="utf-8")).values()
        clips = voice_clips(load_clips(_features(work, path.stem)))
        measure = measure_speaker([clip.mel for clip in clips], [clip.log_f0 for clip in clips])
        clarity = float(np.mean([record["confidence"] for record in aligned]))
        vector = models.speaker.embed([clip.mel for clip in clips])
        found.append(Candidate(path.stem, clarity, measure.log_f0_median, vector))
    return found


def distinct_pair(found: Sequence[Candidate]) -> tuple[Candidate, Candidate]:
    """Of the clearer half (two at least), the two that are least alike in pitch and timbre, the lower one first."""
    kept = max(2, round(len(found) * _CLEAREST_SHARE))
    clear = sorted(found, key=lambda one: -one.clarity)[:kept]

    def apart(pair: tuple[Candidate, Candidate]) -> float:
        first, second = pair
        return _PITCH_WEIGHT * abs(first.log_f0 - second.log_f0) + 1 - float(first.vector @ second.vector)

    first, second = max(itertools.combinations(clear, 2), key=apart)
    return (first, second) if first.log_f0 <= second.log_f0 else (second, first)


def _features(work: Work, stem: str) -> Path:
    return work.features() / f"{stem}.safetensors"


def voice_clips(clips: Sequence[Clip]) -> list[Clip]:
    """Of a blend's clips those that a voice is made from: some of each language."""
    spoken = [[clip for clip in clips if clip.language == language][:_CLIPS_PER_LANGUAGE] for language in LANGUAGES]
    return list(itertools.chain.from_iterable(spoken))


def at_slower_pace(synthesizer: NativeSynthesizer, voice: Voice, spoken: Sequence[tuple[Clip, AudioClip]]) -> Voice:
    """The voice with the pace of the language that its speaker reads more slowly.

    One of the two, for a voice has one pace: a mean hurries through the other language, and words get lost in hurry.
    """
    paces = []
    for language in LANGUAGES:
        own = [(clip.text, audio) for clip, audio in spoken if clip.language == language]
        if own:
            texts, audio = zip(*own, strict=True)
            paces.append(synthesizer.pace(voice, audio, texts))
    if not paces:
        return voice
    return replace(voice, tensors={**voice.tensors, "numbers": max(paces, key=lambda numbers: float(numbers[-1]))})
