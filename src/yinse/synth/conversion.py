"""A recording said again in another voice: its units or words, its melody in the voice's range, its timing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from yinse.audio.measure import SpeakerMeasure, measure_speaker
from yinse.core.types import AudioClip
from yinse.models.acoustic import AcousticModel, Trunk
from yinse.models.analysis import Analysis, analyse
from yinse.models.content import ContentModel, relative
from yinse.models.voice_condition import VoiceCondition, acoustic_input, trusted_bins, voice_condition
from yinse.synth.native import NativeSynthesizer, SpokenText, main_language
from yinse.synth.readout import solve_readout
from yinse.synth.sound import sound_of
from yinse.text.phonemes import phonemize
from yinse.voices.voice import Voice


@torch.inference_mode()
def convert(
    synthesizer: NativeSynthesizer,
    content: ContentModel,
    clip: AudioClip,
    voice: Voice,
    *,
    transcript: str | None = None,
    language: str | None = None,
    seed: int = 0,
) -> AudioClip:
    """Say an utterance again in another voice, by its words where they are known and fit, else by its units.

    Args:
        synthesizer: speaks.
        content: of its model set.
        clip: `(S,)`, some seconds of one person, for it also tells what is particular to the person.
        voice: made for these models.
        transcript: what is said, if it is known: phonemes are clearer than units.
        language: of the clip, if it is known.
        seed: same seed, same samples.

    Returns:
        As long as the clip, at the synthesizer's rate.

    Raises:
        BadAudio: nothing in the clip is speech.
        BadText: nothing in the transcript can be spoken.
    """
    rate_hz = synthesizer.sample_rate_hz
    seen = analyse(clip, synthesizer.log_mel)
    words = None if transcript is None else phonemize(transcript, language=language)
    language = language or (main_language([words]) if words else None)
    models = synthesizer.adapted(voice, language or "")
    generator = torch.Generator().manual_seed(seed)
    target = voice_condition(voice.tensors_in(language or ""), floor_depth=models.floor_depth)
    person = measure_speaker([seen.mel], [seen.log_f0])
    said = next(iter(synthesizer.lay_out([(seen, words)] if words else [], person)), None)
    trunk, log_f0, voicing = _read(models.acoustic, content, seen, person, target, language, said)
    samples = sound_of(models, trunk, log_f0, voicing, target, config=synthesizer.config, generator=generator)
    fitted = np.zeros(round(len(clip.samples) * rate_hz / clip.sample_rate_hz), dtype=np.float32)
    count = min(len(fitted), len(samples))
    fitted[:count] = samples[:count]
    return AudioClip(fitted, rate_hz)


def readout_by_units(
    synthesizer: NativeSynthesizer, content: ContentModel, clips: Sequence[AudioClip], voice: Voice
) -> np.ndarray:
    """A voice's own last layer `(M, C + 1)`, as `learn_readout` solves it, where it is not known what was said.

    Args:
        synthesizer: whose models speak.
        content: of its model set.
        clips: utterances of the person.
        voice: of the person, without a last layer.
    """
    models = synthesizer.models
    condition = voice_condition(voice.tensors, floor_depth=voice.tensors["floor_depth"])
    seen = [analyse(clip, synthesizer.log_mel) for clip in clips]
    language = voice.languages[0] if len(voice.languages) == 1 else None
    drawn = ((*_draw(models.acoustic, content, one, condition, language), one.mel) for one in seen)
    return solve_readout(models.acoustic, drawn, trusted=trusted_bins(models.config.spectrogram, voice.bandwidth_hz))


@torch.inference_mode()
def _draw(
    acoustic: AcousticModel, content: ContentModel, seen: Analysis, condition: VoiceCondition, language: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """Hidden frames `(T_mel, C)` and mean log-mel `(T_mel, M)` of a clip read by its units in its own voice."""
    trunk, _, _ = _read(acoustic, content, seen, condition.measure, condition, language)
    return trunk.hidden[0].T.double().numpy(), (trunk.mel[0] + condition.mean_spectrum).T.numpy()


def _read(
    acoustic: AcousticModel,
    content: ContentModel,
    seen: Analysis,
    person: SpeakerMeasure,
    target: VoiceCondition,
    language: str | None,
    said: SpokenText | None = None,
) -> tuple[Trunk, Tensor, Tensor]:
    """A clip of a person read in a voice, by its text if that is laid onto it, else by its units.

    Returns:
        Trunk, log F0 and voicing `(1, T_mel)`.
    """
    mel, f0, voicing, spoken = relative(seen, person, language=language)
    told = acoustic.condition(target)
    if said:
        inputs = acoustic_input(said.text.symbols, said.prosody, said.alignment.durations, target)
        frames = acoustic.frames(inputs, told)
    else:
        frames = content(mel, f0, voicing, spoken, told)
    log_f0 = target.measure.log_f0_median + f0 * target.measure.log_f0_spread
    return acoustic.trunk(frames, log_f0, f0 * voicing, voicing, told), log_f0, voicing
