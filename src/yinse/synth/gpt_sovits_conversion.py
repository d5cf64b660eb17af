"""Saying a recording again with GPT-SoVITS models: its own semantic codes, spoken in another timbre.

    recording ─ HuBERT ─ codes ─┐
    its words ─ phonemes ───────┼─ SoVITS ─ waveform
    voice ─ timbre ─────────────┘

The semantic GPT has nothing to write: codes hold what is said and when, 25 of them a second.
"""

from __future__ import annotations

import torch

from yinse.core.types import AudioClip
from yinse.synth.gpt_sovits_reference import ReferenceReader, voice_prompt
from yinse.text.official import official_text
from yinse.text.phonemes import phonemize
from yinse.text.symbols import SYMBOL_IDS
from yinse.voices.voice import Voice
from yinse.weights.gpt_sovits import GptSovitsModels

_UNKNOWN_WORDS = (SYMBOL_IDS["."],)
"""What SoVITS reads beside codes of which nobody knows the words."""


@torch.inference_mode()
def convert_utterance(
    clip: AudioClip,
    voice: Voice,
    models: GptSovitsModels,
    reader: ReferenceReader,
    *,
    transcript: str | None,
    language: str | None,
    noise_scale: float,
    generator: torch.Generator,
) -> AudioClip:
    """An utterance in the timbre of another voice, as long as it was, to the sample.

    Args:
        clip: `(S,)`.
        voice: made for these models.
        models: of which SoVITS speaks.
        reader: hears the codes of the clip.
        transcript: what is said; None where there are no words.
        language: of the transcript; None to tell by script.
        noise_scale: spread of SoVITS around its mean.
        generator: where chance comes from.

    Raises:
        BadText: the transcript holds nothing to speak, or the model knows no such phoneme.
        VoiceError: the voice holds no timbre for these models.
        Offline: there is no HuBERT.
    """
    sovits = models.sovits
    condition, _ = voice_prompt(voice, sovits, table=models.table, context_size=models.semantic.config.context_size)
    phonemes: tuple[int, ...] = _UNKNOWN_WORDS
    if transcript:
        phonemes = official_text(phonemize(transcript, language=language), table=models.table).ids
    codes = torch.from_numpy(reader.codes_of_all(clip))
    noise = torch.randn(1, sovits.config.latent, sovits.latent_frames(len(codes)), generator=generator)
    decoded = sovits(codes[None], torch.tensor([phonemes]), condition, noise=noise, noise_scale=noise_scale)
    rate_hz = sovits.config.sample_rate_hz
    length = round(len(clip.samples) * rate_hz / clip.sample_rate_hz)
    return AudioClip(decoded.samples[0, :length].numpy(), rate_hz)
