"""Log mel filter bank energies as Kaldi computes them (`compute-fbank-feats`), which speaker-verification models read.

Frames of 25 ms every 10 ms without padding; each loses its mean, is pre-emphasised and shaped by Povey's window; power
spectra are summed in triangles on the HTK mel scale, unweighted, and the natural logarithm is taken.
"""

from __future__ import annotations

import torch
from torch import Tensor

SAMPLE_RATE_HZ = 16000
MEL_BINS = 80
_FRAME_SAMPLES, _HOP_SAMPLES, _FFT_SAMPLES = 400, 160, 512
_LOW_HZ = 20.0
_PREEMPHASIS = 0.97
_FLOOR = torch.finfo(torch.float32).eps


def fbank(samples: Tensor) -> Tensor:
    """Filter bank energies `(T, 80)`, in nats, of a waveform `(S,)` of ±1 at 16 kHz: `T = (S - 400) // 160 + 1`.

    No noise is added (dither 0); fewer than 400 samples give no frame.
    """
    if len(samples) < _FRAME_SAMPLES:
        return samples.new_zeros((0, MEL_BINS))
    frames = samples.unfold(0, _FRAME_SAMPLES, _HOP_SAMPLES)
    frames = frames - frames.mean(dim=1, keepdim=True)
    # the first sample of a frame is emphasised against itself
    before = torch.cat([frames[:, :1], frames[:, :-1]], dim=1)
    window = torch.hann_window(_FRAME_SAMPLES, periodic=False, device=samples.device) ** 0.85
    spectra = torch.fft.rfft((frames - _PREEMPHASIS * before) * window, n=_FFT_SAMPLES)
    power = spectra.abs().square()
    return (power @ _triangles().to(samples.device).T).clamp_min(_FLOOR).log()


def _triangles() -> Tensor:
    """Filters `(80, F)`, straight lines on the mel scale with a height of 1."""

    def mel(hz: Tensor) -> Tensor:
        return 1127.0 * torch.log1p(hz / 700.0)

    bins = mel(torch.arange(_FFT_SAMPLES // 2 + 1, dtype=torch.float64) * (SAMPLE_RATE_HZ / _FFT_SAMPLES))
    low, high = mel(torch.tensor([_LOW_HZ, SAMPLE_RATE_HZ / 2], dtype=torch.float64)).tolist()
    step = (high - low) / (MEL_BINS + 1)
    left = low + step * torch.arange(MEL_BINS, dtype=torch.float64)[:, None]
    filters = torch.minimum(bins - left, left + 2 * step - bins) / step
    filters[:, -1] = 0  # Kaldi leaves out the bin at half the sample rate
    return filters.clamp_min(0).float()
