"""Stage 3: the speaker encoder, taught by Resemblyzer (Wan et al. 2018) and by who is who.

The student hears short windows with random colouration and noise and must say where the teacher puts the clean clip;
a second term pulls it to its speaker's place among all speakers. The teacher is not needed after training.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn

from yinse.core.errors import MissingExtra
from yinse.core.events import Event, Finished, Progress
from yinse.core.types import FloatArray
from yinse.models.spectrogram import SpectrogramConfig
from yinse.train.features import load_clips, speaker_files
from yinse.train.loop import Losses

TEACHER_RATE_HZ = 16000
CLIPS_PER_SPEAKER = 40
TEACHER_SECONDS = 8


def teach(features: Path, out: Path, *, spectrogram: SpectrogramConfig) -> Iterator[Event]:
    """Resemblyzer's vector of up to `CLIPS_PER_SPEAKER` clips of each speaker, saved as `clip id -> (256,)`.

    Raises:
        MissingExtra: resemblyzer is not installed.
    """
    try:
        from resemblyzer import VoiceEncoder
    except ImportError:
        raise MissingExtra("training the speaker encoder", "eval") from None
    import soxr

    judge = VoiceEncoder("cpu", verbose=False)
    vectors: dict[str, FloatArray] = {}
    files = speaker_files(features)
    for done, path in enumerate(files, start=1):
        for clip in load_clips(path, with_samples=True)[:CLIPS_PER_SPEAKER]:
            samples = clip.samples[: TEACHER_SECONDS * spectrogram.sample_rate_hz] / np.float32(32768)
            heard = soxr.resample(samples, spectrogram.sample_rate_hz, TEACHER_RATE_HZ)
            vectors[clip.id] = judge.embed_utterance(heard).astype(np.float32)
        yield Progress("teach", done, len(files))
    part = out.with_suffix(".part")
    save_file(vectors, str(part))
    part.replace(out)
    yield Finished(len(vectors))


class SpeakerTask:
    """Windows of random speakers with the teacher's vectors.

    Args:
        features: folder of training features.
        teacher: file written by `teach`.
        speakers_per_batch: distinct speakers in a batch, two windows each.
        window_frames: shortest and longest window.
        seed: of the batches.
    """

    def __init__(
        self,
        features: Path,
        teacher: Path,
        *,
        speakers_per_batch: int = 48,
        window_frames: tuple[int, int] = (96, 240),
        seed: int = 1,
    ) -> None:
        vectors = load_file(str(teacher))
        self.mels: list[list[FloatArray]] = []
        self.targets: list[FloatArray] = []
        for path in speaker_files(features):
            clips = [clip for clip in load_clips(path) if clip.id in vectors and len(clip.mel) >= window_frames[0]]
            if clips:
                self.mels.append([clip.mel for clip in clips])
                self.targets.append(np.stack([vectors[clip.id] for clip in clips]))
        means = np.stack([target.mean(axis=0) for target in self.targets])
        self.centroids = torch.from_numpy(means / np.linalg.norm(means, axis=1, keepdims=True))
        self.speakers_per_batch, self.window_frames, self.seed = speakers_per_batch, window_frames, seed

    def batch(self, step: int) -> Mapping[str, Tensor]:
        """`mel (B, M, T_mel)`, `target (B, G)`, `speaker (B,)`."""
        random = np.random.default_rng((self.seed, step))
        frames = int(random.integers(*self.window_frames))
        mels, targets, speakers = [], [], []
        for speaker in random.choice(len(self.mels), min(self.speakers_per_batch, len(self.mels)), replace=False):
            for _ in range(2):
                index = int(random.integers(len(self.mels[speaker])))
                mel = self.mels[speaker][index]
                start = int(random.integers(max(1, len(mel) - frames + 1)))
                window = np.asarray(mel[start : start + frames], dtype=np.float32)
                window = np.pad(window, ((0, frames - len(window)), (0, 0)), mode="wrap")
                mels.append(colour(window, random).T)
                targets.append(self.targets[speaker][index])
                speakers.append(speaker)
        return {
            "mel": torch.from_numpy(np.stack(mels)),
            "target": torch.from_numpy(np.stack(targets)),
            "speaker": torch.tensor(speakers),
        }

    def losses(self, model: nn.Module, batch: Mapping[str, Tensor], step: int) -> Losses:
        """Distance to the teacher's vector of the clip, and cross-entropy over the speakers' centres."""
        vector = model(batch["mel"]).float()
        near = 1 - nn.functional.cosine_similarity(vector, batch["target"]).mean()
        logits = 20.0 * vector @ self.centroids.to(vector.device).T
        who = nn.functional.cross_entropy(logits, batch["speaker"])
        return {"loss": 4 * near + 0.3 * who, "distance": near, "cross_entropy": who}


def colour(mel: FloatArray, random: np.random.Generator) -> FloatArray:
    """Another microphone and room: a smooth random tilt and a noise floor on a log-mel `(T_mel, M)`."""
    bins = np.linspace(0, np.pi, mel.shape[1])
    tilt = sum(random.normal(0, 0.25) * np.cos(order * bins) for order in range(1, 4))
    floor = mel.max() - random.uniform(3.5, 9.0) + random.normal(0, 0.3, mel.shape)
    return np.asarray(np.logaddexp(mel + tilt, floor), dtype=np.float32)
