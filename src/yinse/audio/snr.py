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
FRAME_S, HOP_S = 0.032, 0.01
_LOWEST_HZ, _HIGHEST_HZ, _BANDS = 80.0, 8_000.0, 22
_QUANTILES = (2.0, 5.0, 10.0, 20.0, 35.0, 50.0, 65.0, 80.0, 90.0, 96.0)
_LAGS = (1, 3, 10)
_FLOOR_DB = -90.0
_MOST_FRAMES, _STRETCH_FRAMES = 6_000, 100


def band_levels_db(clip: AudioClip) -> NDArray[np.float64] | None:
    """Levels `(T, 22)` in dB of bands from 80 Hz to 8 kHz, equally wide by ear, every 10 ms; None for silence.

    A clip shorter than 0.3 s counts as silence. Of one longer than a minute, as many seconds of it are taken as make
    a minute.
    """
    found = windowed_frames(clip)
    if found is None or not clip.samples.any():
        return None
    return np.asarray(10.0 * np.log10(band_power(found[0], clip.sample_rate_hz) + 1e-12), dtype=np.float64)


def windowed_frames(clip: AudioClip) -> tuple[FloatArray, NDArray[np.int64]] | None:
    """Frames `(T, 32 ms)` under a window and which ones `(T,)` they are, every 10 ms; None below 0.3 s.

    Of a recording of more than a minute, as many seconds of it are taken as make a minute.
    """
    rate = clip.sample_rate_hz
    size, hop = round(FRAME_S * rate), round(HOP_S * rate)
    if len(clip.samples) < size + 30 * hop:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(clip.samples, size)[::hop]
    places = np.arange(len(frames))
    if len(frames) > _MOST_FRAMES:
        # Of a long recording, stretches of a second spread evenly: what follows a frame must be the next one.
        starts = np.linspace(0, len(frames) - _STRETCH_FRAMES, _MOST_FRAMES // _STRETCH_FRAMES).astype(int)
        places = (starts[:, None] + np.arange(_STRETCH_FRAMES)).ravel()
        frames = frames[places]
    return frames * np.hanning(size).astype(np.float32), places


def band_power(windowed: FloatArray, rate_hz: int) -> FloatArray:
    """Power `(T, 22)` of windowed frames `(T, size)` in each band."""
    bands = _bands(rate_hz, windowed.shape[1])
    spectra = np.fft.rfft(windowed, axis=1)[:, : len(bands)]
    return np.asarray((np.square(spectra.real) + np.square(spectra.imag)) @ bands)


@cache
def _bands(rate_hz: int, size: int) -> FloatArray:
    """Which bins belong to which band, `(F, 22)` over the size of the frame."""
    mels = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), _BANDS + 1)
    frequencies = 700.0 * (np.exp(mels / 1127.0) - 1.0)
    edges = np.minimum(np.round(frequencies * size / rate_hz), size // 2).astype(int)
    bands = np.zeros((int(edges[-1]) + 1, _BANDS), dtype=np.float32)
    for band, (low, high) in enumerate(pairwise(edges)):
        bands[low : max(high, low + 1), band] = 1.0 / size
    return bands


def _mel(frequency_hz: float) -> float:
    return float(1127.0 * np.log1p(frequency_hz / 700.0))


def snr_features(levels_db: NDArray[np.float64]) -> FloatArray:
    """What the network reads `(F,)`: quantiles and changes of band levels `(T, 22)` relative to the loud frames."""
    total = 10.0 * np.log10((10.0 ** (levels_db / 10.0)).sum(axis=1))
    loud = float(np.percentile(total, 95.0))
    relative = np.maximum(np.column_stack([levels_db, total]) - loud, _FLOOR_DB)
    quantiles = np.percentile(relative, _QUANTILES, axis=0)
    changes = [np.abs(relative[lag:] - relative[:-lag]).mean(axis=0) for lag in _LAGS]
    # How much the bands rise and fall together: speech does, noise does not.
    centred = relative[:, :-1] - relative[:, :-1].mean(axis=0)
    together = centred.mean(axis=1).var() / max(float(centred.var(axis=0).mean()), 1e-6)
    return np.concatenate([quantiles.ravel(), np.concatenate(changes), [together * 10.0]]).astype(np.float32) / 20.0


def estimate_snr_db(clip: AudioClip, *, levels_db: NDArray[np.float64] | None = None) -> float:
    """Mean power of the voice while it speaks over mean power of the noise, from -20 to 60 dB; -20 for silence.

    Args:
        clip: `(S,)`, best without rumble.
        levels_db: `(T, 22)` its band levels, if they are at hand.
    """
    levels_db = band_levels_db(clip) if levels_db is None else levels_db
    if levels_db is None:
        return LOWEST_SNR_DB
    tensors = _network()
    hidden = (snr_features(levels_db) - tensors["mean"]) / tensors["spread"]
    layers = len([name for name in tensors if name.startswith("weight")])
    for layer in range(layers):
        hidden = hidden @ tensors[f"weight{layer}"] + tensors[f"bias{layer}"]
        if layer < layers - 1:
            hidden = np.maximum(hidden, 0.0)
    return float(np.clip(hidden[0], LOWEST_SNR_DB, HIGHEST_SNR_DB))


@cache
def _network() -> dict[str, NDArray[np.float32]]:
    from safetensors.numpy import load

    tensors: dict[str, NDArray[np.float32]] = load((files("yinse.audio") / "data" / "snr.safetensors").read_bytes())
    return tensors
