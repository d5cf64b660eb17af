"""Recordings as the native models see them: level, log-mel, melody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from yinse.audio.measure import level_speech
from yinse.audio.pitch import track_pitch
from yinse.audio.resample import resample
from yinse.core.types import AudioClip, FloatArray
from yinse.models.spectrogram import LogMel


@dataclass(frozen=True)
class Analysis:
    """One clip: log-mel `(T_mel, M)`, natural log of F0 `(T_mel,)` (0 where unvoiced), samples `(S,)`."""

    mel: FloatArray
    log_f0: FloatArray
    samples: FloatArray


def level_mel(clip: AudioClip, log_mel: LogMel) -> tuple[AudioClip, FloatArray]:
    """A clip at the model's rate and level, and its log-mel `(T_mel, M)`.

    Raises:
        BadAudio: the clip is silent or too short.
    """
    clip = level_speech(resample(clip, log_mel.config.sample_rate_hz))
    with torch.inference_mode():
        return clip, log_mel(torch.from_numpy(clip.samples)[None])[0].T.contiguous().numpy()


def analyse(clip: AudioClip, log_mel: LogMel) -> Analysis:
    """Bring a clip to the model's rate and level and look at it.

    Raises:
        BadAudio: the clip is silent or too short.
    """
    clip, mel = level_mel(clip, log_mel)
    pitch = track_pitch(clip, hop_s=log_mel.config.hop_samples / clip.sample_rate_hz)
    log_f0 = np.where(pitch.voiced, np.log(np.maximum(pitch.f0_hz, 1.0)), 0.0).astype(np.float32)
    return Analysis(mel, log_f0, clip.samples)
