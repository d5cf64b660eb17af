"""Stage 6: the vocoder, first on real mels, then on the acoustic model's own.

The likelihood of the true spectrum under the expected power (Itakura and Saito, 1968) decides how much of each bin is
pulse and how much is noise: a distance of log magnitudes alone drifts to buzz, because noise pays an error that pulses
do not. Mel and multi-resolution spectral distances keep the result crisp.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from yinse.audio.measure import fill_unvoiced
from yinse.models.vocoder import SourceFilterVocoder
from yinse.train.features import Clip
from yinse.train.loop import Losses

CONTEXT_FRAMES = 2
POWER_FLOOR = 1e-5
RESOLUTIONS = (256, 512, 1024, 2048)


class VocoderTask:
    """Windows of real speech; half of the mels are roughened as an acoustic model would.

    Args:
        clips: training clips with samples.
        hop_samples: of the model.
        batch_size: windows per batch.
        window_frames: length of a window without its context.
        seed: of the batches.
    """

    def __init__(
        self, clips: Sequence[Clip], *, hop_samples: int, batch_size: int = 12, window_frames: int = 40, seed: int = 1
    ) -> None:
        self.frames = window_frames + 2 * CONTEXT_FRAMES
        self.clips = [clip for clip in clips if len(clip.mel) > self.frames + 1]
        # every speaker is heard about equally often, long packs a little more
        speakers: dict[str, list[Clip]] = {}
        for clip in self.clips:
            speakers.setdefault(clip.speaker, []).append(clip)
        self.by_speaker = list(speakers.values())
        weights = np.array([sum(len(clip.mel) for clip in group) ** 0.4 for group in self.by_speaker])
        self.weights = weights / weights.sum()
        self.hop_samples, self.batch_size, self.seed = hop_samples, batch_size, seed

    def batch(self, step: int) -> Mapping[str, Tensor]:
        """`mel (B, M, T)`, `rough (B, M, T)`, `log_f0 (B, T)`, `voicing (B, T)`, `samples (B, (T - 1) * hop)`."""
        random = np.random.default_rng((self.seed, step))
        columns: dict[str, list[np.ndarray]] = {name: [] for name in ("mel", "rough", "log_f0", "voicing", "samples")}
        for group in random.choice(len(self.by_speaker), self.batch_size, p=self.weights):
            clip = self.by_speaker[group][int(random.integers(len(self.by_speaker[group])))]
            start = int(random.integers(len(clip.mel) - self.frames))
            window = slice(start, start + self.frames)
            gain = random.uniform(-1.0, 0.3)
            mel = clip.mel[window].astype(np.float32) + gain
            log_f0 = fill_unvoiced(clip.log_f0)[window]
            samples = clip.samples[start * self.hop_samples : (start + self.frames - 1) * self.hop_samples]
            rough = random.random() < 0.5
            columns["mel"].append(mel.T)
            columns["rough"].append((roughen(mel, random) if rough else mel).T)
            columns["log_f0"].append(log_f0 + (random.normal(0, 0.015) if rough else 0.0))
            columns["voicing"].append(clip.log_f0[window] > 0)
            columns["samples"].append(samples / np.float32(32768) * np.float32(np.exp(gain)))
        return {name: torch.from_numpy(np.stack(rows).astype(np.float32)) for name, rows in columns.items()}

    def losses(self, model: nn.Module, batch: Mapping[str, Tensor], step: int) -> Losses:
        """Likelihood, mel distance and multi-resolution spectral distance."""
        assert isinstance(model, SourceFilterVocoder)
        filters = model.filters(batch["rough"], batch["log_f0"], batch["voicing"])
        with torch.autocast(batch["mel"].device.type, enabled=False):
            phase = torch.rand((len(batch["mel"]), 1), dtype=torch.float64, device=batch["mel"].device)
            pulses = model.pulses(batch["log_f0"], batch["voicing"], phase=phase)
            inner = slice(CONTEXT_FRAMES, -CONTEXT_FRAMES)
            source = model.log_mel.stft(pulses)
            truth = model.log_mel.stft(batch["samples"]).abs().square()[:, :, inner] + POWER_FLOOR
            expected = model.expected_power(filters, source)[:, :, inner] + POWER_FLOOR
            likelihood = (truth / expected + expected.log() - truth.log() - 1).clamp(max=50.0).mean()
            spectra = model.spectra(filters, source, model.log_mel.stft(torch.randn_like(pulses)))
            heard = model.log_mel.istft(spectra, pulses.shape[1])
            edge = CONTEXT_FRAMES * self.hop_samples
            mel = (model.log_mel(heard) - batch["mel"])[:, :, inner].abs().mean()
            spectral = spectral_distance(heard[:, edge:-edge], batch["samples"][:, edge:-edge])
        return {
            "loss": likelihood + mel + 0.7 * spectral,
            "likelihood": likelihood,
            "mel": mel,
            "spectral": spectral,
        }


def roughen(mel: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A mel `(T, M)` as an acoustic model writes it: a little smeared, a little wrong."""
    width = random.uniform(0.0, 0.5)
    for axis in (0, 1):
        mel = (1 - width) * mel + width / 2 * (np.roll(mel, 1, axis) + np.roll(mel, -1, axis))
    return mel + random.normal(0, random.uniform(0, 0.2), mel.shape)


def spectral_distance(heard: Tensor, wanted: Tensor) -> Tensor:
    """Spectral convergence and log-magnitude L1 at several resolutions (Yamamoto et al., "Parallel WaveGAN", 2020)."""
    total = heard.new_zeros(())
    for size in RESOLUTIONS:
        window = torch.hann_window(size, device=heard.device)
        ours, theirs = (
            torch.stft(x, size, size // 4, window=window, return_complex=True).abs().clamp_min(1e-4)
            for x in (heard, wanted)
        )
        total = total + (ours - theirs).norm() / theirs.norm() + (ours.log() - theirs.log()).abs().mean()
    return total / len(RESOLUTIONS)
