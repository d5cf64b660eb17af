"""What each part of the native models is good for: the same sentences with one part switched off at a time.

    python benchmarks/ablations.py --data ../shared/data --recogniser WHISPER [--sentences 3] [--people 8]

English and Mandarin people whom no model has heard, taken on from a minute with its transcript, speak sentences that
they recorded elsewhere:

    whole        as shipped
    no flow      the trunk's mean mel as it is
    no GPT       each symbol as long, as loud and as voiced as in people's minutes on average, on a level melody
    no vector    everybody's speaker vector is the mean of all: mean spectrum, melody and last layer are still one's own
    own vector   in its place where the language has a typical one (Mandarin): everybody is taken on with their own
    no layer     without the last layer that was solved for the voice

misheard: words or toned syllables; similarity, 0 a stranger, 1 a recording; F0: spread, of real; DNSMOS overall.
The content encoder has a script of its own, `conversion.py`; `texture.py` shows what the flow adds to mels.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
from conversion import Ears, clips_of, enrolled

from yinse.audio.decode import decode
from yinse.audio.measure import PhonemeProsody, phoneme_prosody
from yinse.core.types import AudioClip, SpeakRequest
from yinse.evaluate.melody import measure_reading
from yinse.evaluate.misheard import total
from yinse.evaluate.naturalness import Dnsmos
from yinse.evaluate.plan import Person, PlanConfig, read_people
from yinse.models.analysis import analyse
from yinse.models.speaker import mean_direction
from yinse.models.voice_condition import voice_condition
from yinse.synth import native
from yinse.synth.native import NativeSynthesizer
from yinse.text.phonemes import phonemize
from yinse.voices.voice import READOUT, Voice
from yinse.weights.native import load_native
from yinse.workflows.native import NativeEngine

Typical = Mapping[str, tuple[float, float, float]]


def typical_prosody(synthesizer: NativeSynthesizer, voices: Mapping[str, Voice], people: Sequence[Person]) -> Typical:
    """Frames, share voiced and energy of each symbol, on average over people's minutes."""
    met: dict[str, list[tuple[float, float, float]]] = {}
    for person in people:
        seen = [analyse(clip, synthesizer.log_mel) for clip in clips_of(person)]
        texts = [phonemize(one.text, language=person.language) for one in person.reference]
        measure = voice_condition(voices[person.id].tensors, floor_depth=synthesizer.models.floor_depth).measure
        found = synthesizer.models.aligner.align([one.mel for one in seen], [text.symbols for text in texts])
        for one, text, laid in zip(seen, texts, found, strict=True):
            if laid is not None:
                said = phoneme_prosody(one.mel, one.log_f0, laid.durations, measure=measure)
                for symbol, *values in zip(text.symbols, said.durations, said.voiced, said.energy, strict=True):
                    met.setdefault(symbol, []).append((float(values[0]), float(values[1]), float(values[2])))
    typical = {symbol: tuple(np.mean(values, axis=0).tolist()) for symbol, values in met.items()}
    middle = tuple(np.mean(list(typical.values()), axis=0).tolist())
    return typical | {"": middle}


def plain(typical: Typical, _: object, symbols: Sequence[str], *__: object, **___: object) -> PhonemeProsody:
    """The typical prosody of symbols, without a melody; takes what `decide_prosody` takes."""
    rows = np.array([typical.get(symbol, typical[""]) for symbol in symbols], dtype=np.float32)
    return PhonemeProsody(
        durations=np.round(rows[:, 0]).astype(np.int32),
        pitch=np.zeros(len(rows), dtype=np.float32),
        voiced=(rows[:, 1] > 0.5).astype(np.float32),
        energy=rows[:, 2],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recogniser", required=True)
    parser.add_argument("--sentences", type=int, default=3, help="per English person, twice as many per Mandarin one")
    parser.add_argument("--people", type=int, default=8, help="English ones")
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    models, judge = load_native(options.model), Dnsmos()
    synthesizer, engine = NativeSynthesizer(models), NativeEngine(models)
    untold = NativeEngine(replace(models, typical_speakers={}))
    without_flow = NativeSynthesizer(models, config=replace(synthesizer.config, flow_steps=0))
    plan = PlanConfig(sentences={"en": options.sentences, "zh": 2 * options.sentences})
    everybody = read_people(options.data, plan)
    for language in ("en", "zh"):
        people = [person for person in everybody if person.language == language][: options.people]
        ears = Ears(options.recogniser, people)
        voices = {person.id: enrolled(engine, person, words=True) for person in people}
        typical = typical_prosody(synthesizer, voices, people)
        mean = mean_direction([voice.tensors["speaker_vector"] for voice in voices.values()])
        recordings = [(person, one, decode(one.path)) for person in people for one in person.sentences]
        recorded = ears.likeness([(person.id, clip) for person, _, clip in recordings])
        is_typical = language in models.typical_speakers
        own = {person.id: enrolled(untold, person, words=True) for person in people if is_typical}
        other = "own vector" if is_typical else "no vector"
        for name in ("whole", "no flow", "no GPT", other, "no layer"):
            made, errors, spread, noise = [], [], [], []
            for person, one, recording in recordings:
                voice = (own if name == "own vector" else voices)[person.id]
                if name == "no vector":
                    voice = replace(voice, tensors={**voice.tensors, "speaker_vector": mean})
                if name == "no layer":
                    voice = replace(voice, tensors={n: t for n, t in voice.tensors.items() if n != READOUT})
                speaker = without_flow if name == "no flow" else synthesizer
                decide = partial(plain, typical) if name == "no GPT" else native.decide_prosody
                with patch.object(native, "decide_prosody", decide):
                    request = SpeakRequest(one.text, language=language, seed=1)
                    chunks = list(speaker.stream(request, voice))
                clip = AudioClip(np.concatenate([chunk.samples for chunk in chunks]), speaker.sample_rate_hz)
                made.append((person.id, clip))
                errors.append(ears.errors(clip, one.text, language))
                noise.append(judge.score(clip).overall)
                ours, theirs = (measure_reading(each, units=1).f0_spread_semitones for each in (clip, recording))
                spread.append(ours / theirs)
            like = ears.likeness(made)
            normalised = like.normalised(recorded)
            print(
                f"{language} {name}, {len(made)} clips: misheard {total(errors).rate:.1%},"
                f" similarity {like.target:.3f}, normalised {normalised:.2f}, nearest {like.nearest:.0%},"
                f" F0 {np.nanmedian(spread):.2f}, DNSMOS {np.mean(noise):.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
