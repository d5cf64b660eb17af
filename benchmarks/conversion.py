"""Measures the content encoder on people whom no model has heard.

    python benchmarks/conversion.py convert --data ../shared/data --recogniser WHISPER --voices EVAL/voices
    python benchmarks/conversion.py tune    --data ../shared/data --recogniser WHISPER --people 4
    python benchmarks/conversion.py probe   --features WORK/features

`convert`: sentences of English and Mandarin people said again in the voices of eight English people, cloned at once,
by their units or (`--words`) by their words, known or as the recogniser hears them: words misheard, before and after;
the nearest of the eight; similarity, 0 a stranger, 1 a recording. `tune`: voices tuned without their transcripts speak
sentences of their own. `probe`: a linear reader names one of 64 speakers from the mean and the spread of units over a
clip it has not seen, and, beside it, of what the encoder hears.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from yinse.audio.decode import decode
from yinse.audio.measure import measure_speaker
from yinse.audio.write import write_audio
from yinse.core.events import Finished
from yinse.core.types import AudioClip, SpeakRequest
from yinse.evaluate.misheard import ErrorCount, total
from yinse.evaluate.plan import AT_ONCE, Person, PlanConfig, read_people
from yinse.evaluate.recogniser import Whisper, word_errors
from yinse.evaluate.speaker_judge import (
    Resemblyzer,
    SimilarityFigures,
    mean_vector,
    similarities,
    similarity_figures,
)
from yinse.models.analysis import Analysis
from yinse.models.content import relative
from yinse.synth.conversion import convert
from yinse.synth.native import NativeSynthesizer
from yinse.train.features import Clip, load_clips, speaker_files
from yinse.voices.store import VoiceStore
from yinse.voices.voice import ADAPTER_PREFIX, Voice
from yinse.weights.content import load_content
from yinse.weights.native import load_native
from yinse.workflows.native import NativeEngine

PROBED_SPEAKERS, PROBED_CLIPS = 64, 8


def clips_of(person: Person) -> list[AudioClip]:
    """The person's minute."""
    return [decode(one.path) for one in person.reference]


def enrolled(engine: NativeEngine, person: Person, *, words: bool) -> Voice:
    """The person's voice, at once."""
    texts = [one.text if words else None for one in person.reference]
    found = engine.enroll(clips_of(person), transcripts=texts, language=person.language)
    return Voice(
        id="v", name=person.id, languages=(person.language,), tensors=found.tensors, bandwidth_hz=found.bandwidth_hz,
        model_fingerprint=engine.fingerprint, licence="private", created="2026-01-01T00:00:00+00:00", synthetic=False,
    )  # fmt: skip


class Ears:
    """The judges, and what they think of people's minutes."""

    def __init__(self, recogniser: str, people: Sequence[Person]) -> None:
        self.recogniser, self.judge = Whisper(recogniser), Resemblyzer()
        self.minutes = {person.id: mean_vector(self.judge, clips_of(person)) for person in people}

    def errors(self, clip: AudioClip, text: str, language: str) -> ErrorCount:
        """What is misheard in a clip."""
        return word_errors(self.recogniser, [(clip, text)], language=language)[0]

    def likeness(self, clips: Sequence[tuple[str, AudioClip]]) -> SimilarityFigures:
        """Of clips to the people they should sound like."""
        return similarity_figures([(name, similarities(self.judge.embed(clip), self.minutes)) for name, clip in clips])


def say(label: str, real: ErrorCount, made: ErrorCount, like: SimilarityFigures, recorded: SimilarityFigures) -> None:
    print(
        f"{label}: misheard {made.rate:.1%} of {made.units}, in the recordings {real.rate:.1%};"
        f" nearest {like.nearest:.0%};"
        f" similarity {like.target:.3f}, to others {like.others:.3f}, of recordings {recorded.target:.3f};"
        f" normalised {like.normalised(recorded):.2f}"
    )


def conversion(options: argparse.Namespace) -> None:
    synthesizer = NativeSynthesizer(load_native(options.model))
    content = load_content(options.model, fingerprint=synthesizer.models.fingerprint)
    people = read_people(options.data, PlanConfig())
    english = [person for person in people if person.language == "en"][:8]
    ears = Ears(options.recogniser, english)
    recorded = ears.likeness([(p.id, decode(p.sentences[0].path)) for p in english])
    voices = _voices(options.voices, NativeEngine(synthesizer.models, content=lambda: content), english)
    for language, sources in (("en", english[:4]), ("zh", [person for person in people if person.language == "zh"])):
        real, made, pairs = [], [], []
        for turn, person in enumerate(sources):
            others = [target for target in english if target.id != person.id]
            for number, one in enumerate(person.sentences[: options.sentences]):
                target = others[(3 + turn * 2 + number) % len(others)]
                source = decode(one.path)
                said = one.text if options.words == "known" else None
                if options.words == "heard":
                    said = ears.recogniser.hear(source, language=language)
                voice = voices[target.id]
                clip = convert(synthesizer, content, source, voice, transcript=said, language=language, seed=1)
                if options.output:
                    write_audio(options.output / f"{one.id}-as-{target.id}.flac", clip)
                real.append(ears.errors(source, one.text, language))
                made.append(ears.errors(clip, one.text, language))
                pairs.append((target.id, clip))
        say(f"{language} into en, {len(pairs)} clips", total(real), total(made), ears.likeness(pairs), recorded)


def _voices(folder: Path | None, engine: NativeEngine, people: Sequence[Person]) -> dict[str, Voice]:
    if folder is None:
        return {person.id: enrolled(engine, person, words=True) for person in people}
    found = {entry.card.name: entry.read() for entry in VoiceStore(folder, builtin=folder / "none").entries()}
    return {person.id: found[f"{person.id} {AT_ONCE}"] for person in people}


def _at_once(voice: Voice) -> Voice:
    kept = {name: value for name, value in voice.tensors.items() if not name.startswith(ADAPTER_PREFIX)}
    return replace(voice, tensors=kept)


def tuning(options: argparse.Namespace) -> None:
    models = load_native(options.model)
    engine = NativeEngine(models, content=lambda: load_content(options.model, fingerprint=models.fingerprint))
    people = read_people(options.data, PlanConfig())
    for language, count in (("en", options.people), ("zh", 2)):
        group = [person for person in people if person.language == language]
        ears = Ears(options.recogniser, group)
        real: list[ErrorCount] = []
        recordings: list[tuple[str, AudioClip]] = []
        made: dict[str, list[tuple[str, AudioClip]]] = {}
        errors: dict[str, list[ErrorCount]] = {}
        for person in group[:count]:
            bare = enrolled(engine, person, words=False)
            with tempfile.TemporaryDirectory() as folder:
                *_, last = engine.tune(bare, clips_of(person), None, folder=Path(folder))
            assert isinstance(last, Finished)
            tuned = replace(bare, tensors={**bare.tensors, **last.result.tensors})
            for one in person.sentences[: options.sentences]:
                recording = decode(one.path)
                real.append(ears.errors(recording, one.text, language))
                recordings.append((person.id, recording))
                for name, voice in (("at once", bare), ("last layer", _at_once(tuned)), ("tuned", tuned)):
                    chunks = list(engine.stream(SpeakRequest(one.text, language=language, seed=1), voice))
                    clip = AudioClip(np.concatenate([chunk.samples for chunk in chunks]), engine.sample_rate_hz)
                    made.setdefault(name, []).append((person.id, clip))
                    errors.setdefault(name, []).append(ears.errors(clip, one.text, language))
        recorded = ears.likeness(recordings)
        for name, clips in made.items():
            say(f"{language}, no transcript, {name}", total(real), total(errors[name]), ears.likeness(clips), recorded)


def probe(options: argparse.Namespace) -> None:
    models = load_native(options.model)
    content = load_content(options.model, fingerprint=models.fingerprint)
    people = []
    for path in speaker_files(options.features):
        clips = load_clips(path, limit=PROBED_CLIPS)
        if path.name.startswith("en_librispeech.") and len(clips) == PROBED_CLIPS:
            people.append(clips)
    for path in speaker_files(options.features):
        clips = load_clips(path, limit=PROBED_CLIPS)
        if path.name.startswith("zh_en_kokoro.") and len(clips) == PROBED_CLIPS and len(people) < PROBED_SPEAKERS:
            people.append(clips)
    people = people[:PROBED_SPEAKERS]

    @torch.inference_mode()
    def summary(clip: Clip, of: Callable[..., torch.Tensor]) -> np.ndarray:
        mel = clip.mel.astype(np.float32)
        measure = measure_speaker([mel], [clip.log_f0])
        seen = Analysis(mel, clip.log_f0, np.zeros(0, dtype=np.float32))
        found = of(*relative(seen, measure, language=clip.language))[0].numpy()
        return np.concatenate([found.mean(axis=1), found.std(axis=1)])

    for name, of in (("units", content.units), ("what the encoder hears", lambda mel, *_: mel)):
        rows = np.array([[summary(clip, of) for clip in clips] for clips in people])
        print(f"{name}: {named(rows):.1%} of {len(people)} speakers named, by chance {1 / len(people):.1%}")


def named(rows: np.ndarray) -> float:
    """Share of clips whose speaker a linear reader names; `rows (speakers, clips, D)`, the last quarter unseen."""
    speakers, clips, width = rows.shape
    seen = clips * 3 // 4
    inputs = torch.from_numpy((rows - rows[:, :seen].mean(axis=(0, 1))) / (rows[:, :seen].std(axis=(0, 1)) + 1e-6))
    who = torch.arange(speakers)
    torch.manual_seed(0)
    reader = torch.nn.Linear(width, speakers).double()
    optimizer = torch.optim.AdamW(reader.parameters(), lr=0.02, weight_decay=0.3)
    for _ in range(300):
        optimizer.zero_grad()
        logits = reader(inputs[:, :seen].reshape(-1, width).double())
        torch.nn.functional.cross_entropy(logits, who.repeat_interleave(seen)).backward()
        optimizer.step()
    right = reader(inputs[:, seen:].reshape(-1, width).double()).argmax(dim=1) == who.repeat_interleave(clips - seen)
    return float(right.double().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("convert", "tune", "probe"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--model", type=Path, help="folder of a native set; else the shipped one")
    parser.add_argument("--recogniser", default="base", help="folder or cached name of a faster-whisper model")
    parser.add_argument("--voices", type=Path, help="voices of an evaluation (OUTPUT/voices); else cloned anew")
    parser.add_argument("--features", type=Path, help="feature files of base training")
    parser.add_argument("--sentences", type=int, default=6, help="of each person")
    parser.add_argument("--people", type=int, default=4, help="English ones that are tuned")
    parser.add_argument("--words", choices=("known", "heard"), help="convert by words, not by units")
    parser.add_argument("--output", type=Path, help="keep converted clips here")
    options = parser.parse_args()
    {"convert": conversion, "tune": tuning, "probe": probe}[options.part](options)


if __name__ == "__main__":
    main()
