"""How far the voice stands above the noise, told by how the energy of each frequency band is spread over time.

Speech comes and goes in every band, at every few frames; noise does so less, or at other rates. From the quantiles
and the changes of band levels a small network, fitted to mixtures of known ratio, reads the ratio. It needs no
denoiser, so that judging a recording costs little and does not depend on how it will be cleaned.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from yinse.audio.silence import Segment, frame_levels, speech_frames
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip, FloatArray

HIGHEST_SNR_DB = 60.0
LOWEST_SNR_DB = -20.0
_FRAME_S, HOP_S = 0.032, 0.01
_LOWEST_HZ, _HIGHEST_HZ, _BANDS = 80.0, 8_000.0, 22
_QUANTILES = (2.0, 5.0, 10.0, 20.0, 35.0, 50.0, 65.0, 80.0, 90.0, 96.0)
_LAGS = (1, 3, 10)
_FLOOR_DB = -90.0
_MOST_FRAMES, _STRETCH_FRAMES = 6_000, 100
# Chosen on development people and noises: a denoiser is believed fully when it finds 10 dB, not at all from 18 dB on;
# nor when the other estimates are 12 dB higher. From 26 dB on the pauses are heard, up to three quarters at 32 dB;
# breaths lie in them, hence the lift.
_BELIEVED_DB = (10.0, 18.0)
_GAP_DB = (6.0, 12.0)
_QUIET_DB, _QUIET_SHARE = (26.0, 32.0), 0.75
_LIFT, _LIFT_ABOVE_DB = 0.1, 25.0
_SHORTEST_QUIET_S = 0.1
_FEWEST_PAUSE_FRAMES = 10


def band_levels_db(clip: AudioClip) -> NDArray[np.float64] | None:
    """Levels `(T, 22)` in dB of bands from 80 Hz to 8 kHz, equally wide by ear, every 10 ms; None for silence.

    A clip shorter than 0.3 s counts as silence. Of one longer than a minute, as many seconds of it are taken as make
    a minute.
    """
    rate = clip.sample_rate_hz
    size, hop = round(_FRAME_S * rate), round(HOP_S * rate)
    if len(clip.samples) < size + 30 * hop or not clip.samples.any():
        return None
    frames = np.lib.stride_tricks.sliding_window_view(clip.samples, size)[::hop]
    if len(frames) > _MOST_FRAMES:
        # Of a long recording, stretches of a second spread evenly: what follows a frame must be the next one.
        starts = np.linspace(0, len(frames) - _STRETCH_FRAMES, _MOST_FRAMES // _STRETCH_FRAMES).astype(int)
        frames = frames[(starts[:, None] + np.arange(_STRETCH_FRAMES)).ravel()]
    bands, window = _bands(rate, size)
    spectra = np.fft.rfft(frames * window, axis=1)[:, : len(bands)]
    power = np.square(spectra.real) + np.square(spectra.imag)
    return np.asarray(10.0 * np.log10(power @ bands + 1e-12), dtype=np.float64)


@cache
def _bands(rate_hz: int, size: int) -> tuple[FloatArray, FloatArray]:
    """Which bins belong to which band, `(F, 22)` over the size of the frame, and the window `(size,)`."""
    mels = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), _BANDS + 1)
    frequencies = 700.0 * (np.exp(mels / 1127.0) - 1.0)
    edges = np.minimum(np.round(frequencies * size / rate_hz), size // 2).astype(int)
    bands = np.zeros((int(edges[-1]) + 1, _BANDS), dtype=np.float32)
    for band, (low, high) in enumerate(pairwise(edges)):
        bands[low : max(high, low + 1), band] = 1.0 / size
    return bands, np.hanning(size).astype(np.float32)


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


def refine_snr_db(snr_db: float, clip: AudioClip, speech: AudioClip, spans: Sequence[Segment]) -> float:
    """A better estimate, where a network has parted voice and noise.

    As long as there is plenty of noise, what the network removed is the noise, whatever its kind. In quiet recordings
    its own error prevails; there the level between the words helps. Where it removed much more than there seems to be,
    it took voice for noise and is not believed.

    Args:
        snr_db: the estimate without it.
        clip: the recording `(S,)`, best without rumble.
        speech: the same without its noise `(S,)`, from a denoiser that knows speech.
        spans: where there is speech.

    Raises:
        ConfigError: the clips differ in length or rate.
    """
    if len(clip.samples) != len(speech.samples) or clip.sample_rate_hz != speech.sample_rate_hz:
        raise ConfigError("the denoised clip does not belong to the recording")
    if not spans:
        return snr_db
    spoken = np.zeros(len(clip.samples), dtype=np.bool_)
    for span in spans:
        spoken[round(span.start_s * clip.sample_rate_hz) : round(span.end_s * clip.sample_rate_hz)] = True
    power = np.square(clip.samples, dtype=np.float64)
    total = float(power[spoken].mean())
    removed_db = _ratio_db(total, float(np.square(clip.samples - speech.samples, dtype=np.float64)[spoken].mean()))
    quiet_db = snr_db
    if np.count_nonzero(~spoken) >= _SHORTEST_QUIET_S * clip.sample_rate_hz:
        quiet_db = _ratio_db(total, float(power[~spoken].mean()))
    guess_db = (snr_db + quiet_db) / 2
    belief = _between(_BELIEVED_DB[1] - removed_db, _BELIEVED_DB) * _between(
        _GAP_DB[1] - (guess_db - removed_db), _GAP_DB
    )
    other_db = max(removed_db, guess_db)
    if other_db > _QUIET_DB[0]:
        other_db += (
            _QUIET_SHARE * _between(other_db - _QUIET_DB[0], _QUIET_DB) * (_by_pauses_db(clip, total) - other_db)
        )
        other_db += _LIFT * max(0.0, other_db - _LIFT_ABOVE_DB)
    refined_db = belief * removed_db + (1.0 - belief) * other_db
    return float(np.clip(refined_db, LOWEST_SNR_DB, HIGHEST_SNR_DB))


def _by_pauses_db(clip: AudioClip, total: float) -> float:
    """The ratio as the pauses between words tell it: right where noise is so faint that they stand out."""
    levels_db = frame_levels(clip).level_db
    silent = ~speech_frames(clip)
    if np.count_nonzero(silent) < _FEWEST_PAUSE_FRAMES:
        silent = levels_db <= np.percentile(levels_db, 10.0)
    return _ratio_db(total, float(10.0 ** (np.median(levels_db[silent]) / 10.0)))


def _ratio_db(total: float, noise: float) -> float:
    return float(10.0 * np.log10(max(total - noise, 1e-12) / max(noise, 1e-12)))


def _between(value: float, edges: tuple[float, float]) -> float:
    """0 at a distance of nothing, 1 at the distance of the edges."""
    return float(np.clip(value / (edges[1] - edges[0]), 0.0, 1.0))


@cache
def _network() -> dict[str, NDArray[np.float32]]:
    from safetensors.numpy import load

    tensors: dict[str, NDArray[np.float32]] = load((files("yinse.audio") / "data" / "snr.safetensors").read_bytes())
    return tensors
