"""How much of the texture of real speech the acoustic model draws, by steps of its flow.

    python benchmarks/texture.py --data ../shared/data --voices EVAL/voices [--condition tuned] [--sentences 6]

People whom no model has heard, in their cloned voices (`yinse eval`): sentences that they recorded elsewhere, drawn
with the durations, melody and energies of the recording and with its noise floor, against the recording's own log-mel,
in speech frames and in the bands that the recording has. Medians over people, and the lowest and highest person:

    variance     over time in each mel bin, drawn / real
    fine         energy of cepstra 14 to 79 of a frame, drawn / real
    correlation  of these fine parts, drawn and real: grain adds energy but no correlation
    L1           mean difference, nats

What is drawn is sharpened as synthesis does. 0 steps is the trunk alone: the flow switched off.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from scipy.fft import dct

from yinse.audio.decode import decode
from yinse.audio.measure import speech_frames
from yinse.evaluate.plan import Person, PlanConfig, read_people
from yinse.models.acoustic import AcousticModel, Trunk
from yinse.models.analysis import analyse
from yinse.models.voice_condition import VoiceCondition, trusted_bins, voice_condition
from yinse.synth.native import NativeSynthesizer
from yinse.synth.readout import read_like
from yinse.synth.sharpening import sharpened
from yinse.text.phonemes import phonemize
from yinse.voices.store import VoiceStore
from yinse.weights.native import load_native

FINE = slice(14, 80)
Figures = tuple[float, float, float, float]
Drawn = tuple[np.ndarray, Trunk, np.ndarray]


def trunks(
    synthesizer: NativeSynthesizer, acoustic: AcousticModel, condition: VoiceCondition, person: Person
) -> Iterator[Drawn]:
    """Of each sentence: real log-mel relative to the person `(T_mel, M)`, the trunk, and which frames are speech."""
    for one in person.sentences:
        seen = analyse(decode(one.path), synthesizer.log_mel)
        text = phonemize(one.text, language=person.language)
        (laid,) = synthesizer.models.aligner.align([seen.mel], [text.symbols])
        if laid is not None:
            trunk = read_like(acoustic, seen, text.symbols, laid.durations, condition)
            yield seen.mel - condition.measure.mean_spectrum, trunk, speech_frames(seen.mel)


def figures(real: np.ndarray, drawn: np.ndarray) -> Figures:
    """Variance, fine energy, correlation of fine parts and L1 of log-mels `(T_mel, M)`."""
    fine_real, fine_drawn = (dct(mel, axis=1, norm="ortho")[:, FINE] for mel in (real, drawn))
    product = (fine_real * fine_drawn).sum()
    return (
        float((drawn.var(axis=0) / real.var(axis=0)).mean()),
        float(np.square(fine_drawn).sum() / np.square(fine_real).sum()),
        float(product / np.sqrt(np.square(fine_real).sum() * np.square(fine_drawn).sum())),
        float(np.abs(drawn - real).mean()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--voices", type=Path, required=True)
    parser.add_argument("--condition", default="tuned")
    parser.add_argument("--sentences", type=int, default=6)
    parser.add_argument("--steps", type=int, nargs="+", default=[0, 1, 2, 4, 8])
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    synthesizer = NativeSynthesizer(load_native(options.model))
    entries = VoiceStore(options.voices, builtin=options.voices / "none").entries()
    voices = {entry.card.name: entry.read() for entry in entries}
    plan = PlanConfig(sentences={"en": options.sentences, "zh": 2 * options.sentences})
    temperature = synthesizer.config.flow_temperature
    found: dict[tuple[str, int], list[Figures]] = {}
    for person in read_people(options.data, plan):
        voice = voices[f"{person.id} {options.condition}"]
        bins = trusted_bins(synthesizer.models.config.spectrogram, voice.bandwidth_hz)
        acoustic = synthesizer.adapted(voice).acoustic
        condition = voice_condition(voice.tensors, floor_depth=voice.tensors["floor_depth"])
        mean = condition.mean_spectrum
        mine = list(trunks(synthesizer, acoustic, condition, person))
        for steps in options.steps:
            pairs = []
            for real, trunk, spoken in mine:
                with torch.inference_mode():
                    drawn = acoustic.refine(
                        trunk, steps=steps, temperature=temperature, generator=torch.Generator().manual_seed(1)
                    )
                    drawn = sharpened(drawn + mean, mean) - mean
                pairs.append((real[spoken][:, bins], drawn[0].T.numpy()[spoken][:, bins]))
            whole = figures(np.concatenate([real for real, _ in pairs]), np.concatenate([made for _, made in pairs]))
            found.setdefault((person.language, steps), []).append(whole)
    for (language, steps), rows in found.items():
        columns = np.array(rows).T
        told = [
            f"{name} {np.median(values):.2f} ({values.min():.2f} to {values.max():.2f})"
            for name, values in zip(("variance", "fine", "correlation", "L1"), columns, strict=True)
        ]
        print(f"{language} {options.condition}, {steps} steps, {len(rows)} people: {', '.join(told)}")


if __name__ == "__main__":
    main()
