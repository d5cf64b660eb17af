"""A recording said again in another voice: its units, its melody in the voice's range, its loudness and timing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from yinse.audio.measure import measure_speaker
from yinse.core.types import AudioClip
from yinse.models.analysis import analyse
from yinse.models.content import ContentModel, relative
from yinse.models.voice_condition import voice_condition
from yinse.synth.native import NativeSynthesizer, hash_seed
from yinse.voices.voice import Voice


@torch.inference_mode()
def convert(
    synthesizer: NativeSynthesizer,
    content: ContentModel,
    clips: Sequence[AudioClip],
    voice: Voice,
    *,
    seed: int = 0,
) -> Iterator[AudioClip]:
    """Say one person's utterances again in another voice.

    Args:
        synthesizer: speaks.
        content: of its model set.
        clips: of one person, each `(S,)`, some seconds long; together they tell what is particular to the person.
        voice: made for these models.
        seed: same seed, same samples.

    Yields:
        each clip anew, as long as it was, at the synthesizer's rate.

    Raises:
        BadAudio: nothing in the clips is speech.
    """
    config, rate_hz = synthesizer.config, synthesizer.sample_rate_hz
    analyses = [analyse(clip, synthesizer.log_mel) for clip in clips]
    measure = measure_speaker([seen.mel for seen in analyses], [seen.log_f0 for seen in analyses])
    models = synthesizer.adapted(voice)
    acoustic = models.acoustic
    target = voice_condition(voice.tensors, floor_depth=models.floor_depth)
    told = acoustic.condition(target)
    for place, (clip, seen) in enumerate(zip(clips, analyses, strict=True)):
        generator = torch.Generator().manual_seed(hash_seed(seed, place))
        mel, f0, voicing = relative(seen, measure)
        frames = content(mel, f0, voicing, told)
        log_f0 = target.measure.log_f0_median + f0 * target.measure.log_f0_spread
        trunk = acoustic.trunk(frames, log_f0, f0 * voicing, voicing, told)
        spoken = acoustic.refine(
            trunk, steps=config.flow_steps, temperature=config.flow_temperature, generator=generator
        )
        samples = models.vocoder(spoken + target.mean_spectrum, log_f0, voicing, generator=generator)[0].numpy()
        samples = samples * config.output_gain
        samples = samples * min(1.0, config.peak / max(float(np.abs(samples).max()), 1e-9))
        length = round(len(clip.samples) * rate_hz / clip.sample_rate_hz)
        fitted = np.zeros(length, dtype=np.float32)
        fitted[: len(samples)] = samples[:length]
        yield AudioClip(fitted, rate_hz)
