"""Making a clean recording sound like one made at home: a fan, a room, a speaker who turns away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from yinse.core.types import AudioClip

_REVERBERATION_S = 0.3
"""Time in which the room's sound falls by 60 dB: a furnished living room."""
_DIRECT_OVER_ROOM_DB = 8.0
_FAN_HZ = 97.0
_FAN_PARTIALS = 12
_LEVEL_EVERY_S = 4.0
_LEVEL_RANGE_DB = (-9.0, 0.0)


def spoil(clip: AudioClip, *, snr_db: float = 13.0, seed: int = 0) -> AudioClip:
    """Adds uneven level, room and fan noise to a clean recording.

    Args:
        clip: `(S,)`.
        snr_db: mean power of the speech over that of the fan.
        seed: of everything random.
    """
    random = np.random.default_rng(seed)
    rate_hz = clip.sample_rate_hz
    spoken = _in_a_room(_uneven(clip.samples.astype(np.float64), rate_hz, random), rate_hz, random)
    fan = _fan(len(spoken), rate_hz, random)
    gain = np.sqrt(np.mean(spoken**2) / np.mean(fan**2) / 10.0 ** (snr_db / 10.0))
    mixed = spoken + gain * fan
    return AudioClip((0.5 * mixed / np.abs(mixed).max()).astype(np.float32), rate_hz)


def _uneven(samples: NDArray[np.float64], rate_hz: int, random: np.random.Generator) -> NDArray[np.float64]:
    points = len(samples) // round(_LEVEL_EVERY_S * rate_hz) + 2
    level_db = np.interp(
        np.arange(len(samples)) / (_LEVEL_EVERY_S * rate_hz),
        np.arange(points),
        random.uniform(*_LEVEL_RANGE_DB, size=points),
    )
    return np.asarray(samples * 10.0 ** (level_db / 20.0))


def _in_a_room(samples: NDArray[np.float64], rate_hz: int, random: np.random.Generator) -> NDArray[np.float64]:
    from scipy.signal import fftconvolve

    times_s = np.arange(round(_REVERBERATION_S * rate_hz)) / rate_hz
    response = random.normal(size=len(times_s)) * 10.0 ** (-3.0 * times_s / _REVERBERATION_S)
    response *= 10.0 ** (-_DIRECT_OVER_ROOM_DB / 20.0) / np.sqrt(np.sum(response**2))
    response[0] = 1.0
    return np.asarray(fftconvolve(samples, response)[: len(samples)])


def _fan(length: int, rate_hz: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Blades that hum with a slow beat, and air that rushes: noise that falls by 6 and by 3 dB per octave."""
    times_s = np.arange(length) / rate_hz
    beat = 1.0 + 0.2 * np.sin(2 * np.pi * 0.7 * times_s)
    hum = sum(
        np.sin(2 * np.pi * k * _FAN_HZ * times_s + random.uniform(0, 2 * np.pi)) / k
        for k in range(1, _FAN_PARTIALS + 1)
    )
    frequencies_hz = np.maximum(np.fft.rfftfreq(length, 1 / rate_hz), 30.0)
    air = np.zeros(length)
    for slope, share in ((-1.0, 1.0), (-0.5, 1.0)):
        spectrum = np.fft.rfft(random.normal(size=length)) * (frequencies_hz / 100.0) ** slope
        noise = np.fft.irfft(spectrum, length)
        air += share * noise / np.sqrt(np.mean(noise**2))
    return np.asarray(0.5 * beat * hum + air)
