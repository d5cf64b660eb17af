"""How far the voice stands above the noise, told by how the energy of each frequency band is spread over time.

Speech comes and goes in every band, at every few frames; noise does so less, or at other rates. From the quantiles
and the changes of band levels a small network, fitted to mixtures of known ratio, reads the ratio. It needs no
denoiser, so that judging a recording costs little and does not depend on how it will be cleaned.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from yinse.core.types import AudioClip, FloatArray

HIGHEST_SNR_DB = 60.0
LOWEST_SNR_DB = -20.0
_FRAME_S, HOP_S = 0.032, 0.01
_LOWEST_HZ, _HIGHEST_HZ, _BANDS = 80.0, 8_000.0, 22
_QUANTILES = (2.0, 5.0, 10.0, 20.0, 35.0, 50.0, 65.0, 80.0, 90.0, 96.0)
_LAGS = (1, 3, 10)
_FLOOR_DB = -90.0
_MOST_FRAMES = 6_000


def snr_features(clip: AudioClip) -> FloatArray | None:
    """What the network reads `(F,)`: quantiles and changes of band levels relative to the loud frames.

    Args:
        clip: `(S,)`; None is returned for one that is silent or shorter than 0.3 s.
    """
    levels = band_levels_db(clip)
    if levels is None:
        return None
    total = 10.0 * np.log10((10.0 ** (levels / 10.0)).sum(axis=1))
    loud = float(np.percentile(total, 95.0))
    relative = np.maximum(np.column_stack([levels, total]) - loud, _FLOOR_DB)
    quantiles = np.percentile(relative, _QUANTILES, axis=0)
    changes = [np.abs(relative[lag:] - relative[:-lag]).mean(axis=0) for lag in _LAGS]
    # How much the bands rise and fall together: speech does, noise does not.
    centred = relative[:, :-1] - relative[:, :-1].mean(axis=0)
    together = centred.mean(axis=1).var() / max(float(centred.var(axis=0).mean()), 1e-6)
    return np.concatenate([quantiles.ravel(), np.concatenate(changes), [together * 10.0]]).astype(np.float32) / 20.0


def band_levels_db(clip: AudioClip) -> NDArray[np.float64] | None:
    """Levels `(T, 22)` in dB of bands from 80 Hz to 8 kHz, equally wide by ear, every 10 ms; None for silence."""
    rate = clip.sample_rate_hz
    size, hop = round(_FRAME_S * rate), round(HOP_S * rate)
    if len(clip.samples) < size + 30 * hop or not clip.samples.any():
        return None
    frames = np.lib.stride_tricks.sliding_window_view(clip.samples, size)[::hop]
    frames = frames[:: max(1, -(-len(frames) // _MOST_FRAMES))] if len(frames) > _MOST_FRAMES else frames
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(size).astype(np.float32), axis=1)))
    edges = _band_edges(rate, size)
    bands = np.stack([power[:, low : max(high, low + 1)].sum(axis=1) for low, high in pairwise(edges)], axis=1)
    return np.asarray(10.0 * np.log10(bands / size + 1e-12), dtype=np.float64)


def _band_edges(rate_hz: int, size: int) -> list[int]:
    mels = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), _BANDS + 1)
    frequencies = 700.0 * (np.exp(mels / 1127.0) - 1.0)
    bins = np.minimum(np.round(frequencies * size / rate_hz), size // 2)
    return [int(edge) for edge in bins]


def _mel(frequency_hz: float) -> float:
    return float(1127.0 * np.log1p(frequency_hz / 700.0))


def estimate_snr_db(clip: AudioClip) -> float:
    """Mean power of the voice while it speaks over mean power of the noise, from -20 to 60 dB; -20 for silence.

    Args:
        clip: `(S,)`, best without rumble.
    """
    features = snr_features(clip)
    if features is None:
        return LOWEST_SNR_DB
    tensors = _network()
    hidden = (features - tensors["mean"]) / tensors["spread"]
    layers = len([name for name in tensors if name.startswith("weight")])
    for layer in range(layers):
        hidden = hidden @ tensors[f"weight{layer}"].astype(np.float32) + tensors[f"bias{layer}"]
        if layer < layers - 1:
            hidden = np.maximum(hidden, 0.0)
    return float(np.clip(hidden[0], LOWEST_SNR_DB, HIGHEST_SNR_DB))


@cache
def _network() -> dict[str, NDArray[np.float32]]:
    from safetensors.numpy import load

    tensors: dict[str, NDArray[np.float32]] = load((files("yinse.audio") / "data" / "snr.safetensors").read_bytes())
    return tensors
