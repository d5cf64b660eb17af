"""What GPT-SoVITS models take from recordings: the timbre, and a stretch of speech whose manner they continue."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from yinse.audio.resample import resample
from yinse.core.errors import BadAudio, VoiceError
from yinse.core.types import AudioClip, FloatArray
from yinse.models.sovits import Reference, SoVITS
from yinse.models.spectrogram import LogMel
from yinse.synth.gpt_sovits_options import GptSovitsOptions
from yinse.voices.voice import Voice
from yinse.weights.official_encoders import Encoders

SPEECH_RATE_HZ = 16_000
"""Rate that HuBERT and the speaker model hear."""
_LOOK_AHEAD_SAMPLES = 80
"""A frame of HuBERT reads 400 samples, and the next one begins after 320."""
_JOINING_SILENCE_S = 0.2
_LOUDEST_DIVISOR = 2.0


@dataclass(frozen=True, eq=False)
class Prompt:
    """Speech that the semantic GPT continues.

    Attributes:
        codes: `(T,)`.
        phonemes: `(T_ph,)` ids.
        context: `(T_ph, D)` of BERT; None: zeros.
    """

    codes: Tensor
    phonemes: Tensor
    context: Tensor | None


@dataclass(frozen=True, eq=False)
class SpokenText:
    """An utterance and what is said in it; None where that is not known."""

    clip: AudioClip
    text: str | None


def choose_reference(
    spoken: Sequence[SpokenText],
    *,
    options: GptSovitsOptions,
    timbre: Callable[[AudioClip], FloatArray],
    shorten: Callable[[SpokenText, float], SpokenText | None],
) -> SpokenText:
    """The stretch of speech whose manner is continued.

    Args:
        spoken: utterances of one person, in order.
        options: which lengths fit, and whether there is a choice.
        timbre: vector `(D,)` of an utterance, to find the most typical one.
        shorten: the beginning of an utterance, up to so many seconds, cut between words; None if it cannot be cut.

    Raises:
        BadAudio: nothing fits; the message says what was found and what was expected.
    """
    shortest_s, longest_s = options.shortest_reference_s, options.longest_reference_s
    expected = f"{shortest_s:g} to {longest_s:g} s are expected"
    if not options.choose_reference:
        duration_s = spoken[0].clip.duration_s
        if not shortest_s <= duration_s <= longest_s:
            raise BadAudio(f"the reference lasts {duration_s:.1f} s, {expected}", advice="Cut it, or take another.")
        return spoken[0]
    known = [one for one in spoken if one.text] or list(spoken)
    fitting = [one for one in known if shortest_s <= one.clip.duration_s <= longest_s]
    if not fitting:
        cut = (shorten(one, longest_s) for one in known if one.clip.duration_s > longest_s)
        fitting = [one for one in cut if one is not None and one.clip.duration_s >= shortest_s]
    if not fitting:
        fitting = _joined(known, shortest_s, longest_s)
    if not fitting:
        total_s = sum(one.clip.duration_s for one in spoken)
        raise BadAudio(
            f"the recordings hold {total_s:.1f} s of speech of which no stretch fits, {expected}",
            advice=f"Record at least {shortest_s:g} s in one go.",
        )
    vectors = np.stack([timbre(one.clip) for one in fitting])
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return fitting[int((vectors @ vectors.sum(axis=0)).argmax())]


def _joined(spoken: Sequence[SpokenText], shortest_s: float, longest_s: float) -> list[SpokenText]:
    """Short utterances one after the other, until they are long enough; none if they never are."""
    parts: list[SpokenText] = []
    total_s = 0.0
    for one in spoken:
        more_s = one.clip.duration_s + (_JOINING_SILENCE_S if parts else 0.0)
        if total_s + more_s > longest_s:
            continue
        parts.append(one)
        total_s += more_s
        if total_s >= shortest_s:
            break
    if total_s < shortest_s:
        return []
    rate_hz = parts[0].clip.sample_rate_hz
    silence = np.zeros(round(_JOINING_SILENCE_S * rate_hz), dtype=np.float32)
    samples = [piece for part in parts for piece in (silence, resample(part.clip, rate_hz).samples)][1:]
    texts = [part.text for part in parts]
    text = " ".join(text for text in texts if text) if all(texts) else None
    return [SpokenText(AudioClip(np.concatenate(samples), rate_hz), text)]


class ReferenceReader:
    """Hears references for one SoVITS."""

    def __init__(self, sovits: SoVITS, encoders: Encoders, options: GptSovitsOptions) -> None:
        self._sovits, self._encoders, self._options = sovits, encoders, options
        self._spectrum = LogMel(sovits.config.spectrogram)

    @torch.inference_mode()
    def timbre(self, clips: Sequence[AudioClip]) -> FloatArray:
        """What the voices of clips have in common `(D,)`: the mean of their timbres.

        Raises:
            Offline: the model reads speaker vectors, and there is no speaker model.
            BadAudio: a clip is too short.
        """
        return self._sovits.condition([self._reference(clip) for clip in clips])[0].numpy()

    @torch.inference_mode()
    def codes(self, clip: AudioClip) -> FloatArray:
        """Semantic codes of a clip `(T,)`, 25 a second, the silence behind it included.

        Raises:
            Offline: there is no HuBERT.
        """
        samples = torch.from_numpy(resample(clip, SPEECH_RATE_HZ).samples)
        silence = samples.new_zeros(round(self._options.reference_silence_s * SPEECH_RATE_HZ))
        return self._encoded(torch.cat([samples, silence]))

    @torch.inference_mode()
    def codes_of_all(self, clip: AudioClip) -> FloatArray:
        """Semantic codes of a clip `(T,)` that last as long as it does, or up to 40 ms longer.

        Raises:
            Offline: there is no HuBERT.
        """
        samples = torch.from_numpy(resample(clip, SPEECH_RATE_HZ).samples)
        config = self._sovits.config
        count = math.ceil(clip.duration_s * config.sample_rate_hz / config.code_samples)
        # The last frame, too, needs the samples behind its start that HuBERT's convolutions look at.
        wanted = count * SPEECH_RATE_HZ * config.code_samples // config.sample_rate_hz + _LOOK_AHEAD_SAMPLES
        return self._encoded(torch.nn.functional.pad(samples, (0, wanted - len(samples))))

    def _encoded(self, samples: Tensor) -> FloatArray:
        if self._encoders.speech is None:
            raise self._encoders.needed("HuBERT", "hearing a recording's words")
        return self._sovits.encode(self._encoders.speech(samples[None]))[0].numpy()

    def _reference(self, clip: AudioClip) -> Reference:
        config = self._sovits.config
        samples = torch.from_numpy(resample(clip, config.sample_rate_hz).samples)
        loudest = float(samples.abs().max()) if len(samples) else 0.0
        if loudest > 1.0:
            samples = samples / min(_LOUDEST_DIVISOR, loudest)
        if len(samples) < config.spectrogram.fft_samples:
            raise BadAudio(f"a reference of {clip.duration_s:.2f} s is too short to be heard")
        speaker = None
        if config.speaker_vector:
            if self._encoders.speaker is None:
                raise self._encoders.needed("the speaker model", "the timbre of a reference")
            heard = resample(AudioClip(samples.numpy(), config.sample_rate_hz), SPEECH_RATE_HZ).samples
            speaker = self._encoders.speaker(torch.from_numpy(heard)[None])
        return Reference(self._spectrum.magnitude(samples[None]), speaker)


def voice_prompt(voice: Voice, sovits: SoVITS, *, table: int, context_size: int) -> tuple[Tensor, Prompt | None]:
    """Timbre `(1, D)` of a voice, and the speech that is continued, if the voice has any.

    Raises:
        VoiceError: its tensors are not of this model's sizes.
    """
    tensors = voice.tensors
    condition = tensors.get("reference_condition")
    if condition is None or condition.shape != (sovits.config.condition,):
        raise VoiceError(
            "the voice holds no timbre for this model", where=voice.name, advice="Clone it again with this model."
        )
    prompt = None
    if "reference_codes" in tensors:
        codes, phonemes = tensors["reference_codes"], tensors["reference_phonemes"]
        context = tensors.get("reference_context")
        if codes.max() >= sovits.config.codes or phonemes.max() >= table:
            raise VoiceError("the voice holds codes or phonemes that this model does not know", where=voice.name)
        if context is not None and context.shape[1] != context_size:
            raise VoiceError("the voice holds a context that this model does not read", where=voice.name)
        prompt = Prompt(
            torch.from_numpy(codes.astype(np.int64)),
            torch.from_numpy(phonemes.astype(np.int64)),
            None if context is None else torch.from_numpy(context.astype(np.float32)),
        )
    return torch.from_numpy(condition.astype(np.float32))[None], prompt
