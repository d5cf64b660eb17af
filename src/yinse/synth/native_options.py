"""What may be chosen when the native models speak."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SynthesisConfig:
    """Choices at synthesis; the defaults were chosen on the development speakers (docs/log.md).

    Attributes:
        flow_steps: Euler steps of the flow decoder; 0 speaks the trunk's mean mel.
        flow_temperature: size of the noise it starts from; less of it sounds calmer and is a little less alike.
        prosody_temperature: of the GPT's choices; 0 takes the likeliest.
        prosody_top_p: share of probability it chooses from.
        output_gain: from the level the models learned to the level people expect (about -18 LUFS).
        peak: loudest sample; a sentence that exceeds it is turned down.
        head_frames, tail_frames: silence before and after a sentence.
        shortest_mark_frames: pause at a written mark inside a sentence, at least.
        pause_energy: of pauses at marks that the GPT gave no time, nats from the speaker's mean; people's are at -2.2.
        lowest_confidence: recordings whose transcript fits worse teach nothing.
        longest_gap_frames: pause at a plain word boundary, at most.
        prompt_seconds: longest style reference.
        farthest_centre: how far a sentence's mean pitch may lie from the speaker's median, in the speaker's spreads.
        melody_share: how much of the way a sentence's melody is brought to the speaker's measured spread, 0 to 1.
        melody_stretch: by which factor at most it is widened, or narrowed.
        readout_gain: by which a voice's own last layer is taken where the networks are told a typical speaker: it alone
            says then whose mouth it is, and least squares comes out too flat.
        question_rise: semitones by which English questions that yes or no answers go up at their end: see
            `raise_question`.
        english_stretch, strong_stretch: how much longer English lasts, and in it what sounds weak: see `clear_stretch`.
    """

    flow_steps: int = 4
    flow_temperature: float = 0.2
    prosody_temperature: float = 0.6
    prosody_top_p: float = 0.9
    output_gain: float = 2.2
    peak: float = 0.97
    head_frames: int = 3
    tail_frames: int = 8
    shortest_mark_frames: int = 6
    pause_energy: float = -2.0
    lowest_confidence: float = -7.5
    longest_gap_frames: int = 16
    prompt_seconds: float = 8.0
    farthest_centre: float = 0.25
    melody_share: float = 0.8
    melody_stretch: float = 1.8
    readout_gain: float = 1.25
    question_rise: float = 6.0
    english_stretch: float = 1.06
    strong_stretch: float = 1.5
