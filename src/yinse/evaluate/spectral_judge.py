"""A second judge of speakers that is no network: formants, and how the spectrum moves around its mean.

The mean spectrum and the median pitch of a voice are among the conditions that the models are given, so a judge that
looked at them would praise what was copied. This one takes both out first.
"""

from __future__ import annotations

import numpy as np

from yinse.audio.resample import resample
from yinse.core.errors import BadAudio
from yinse.core.types import AudioClip, FloatArray

_RATE_HZ = 16_000
_WINDOW, _HOP = 512, 160
_BANDS, _HIGHEST_HZ = 48, 7_600.0
_CEPSTRA = 24
_SPEECH_BELOW_LOUD = 2.5  # nats
_LPC_RATE_HZ, _LPC_ORDER = 10_000, 10
_FORMANTS = 4
_PERCENTILES = (10, 25, 50, 75, 90)
# Typical deviation of each kind of number between sentences of one real person: it makes them comparable.
_SCALES = {"formants": 0.11, "bands": 0.10, "cepstra": 0.13, "shape": 0.25}


class SpectralJudge:
    """Measures a clip as numbers that differ between people more than between sentences."""

    def measure(self, clip: AudioClip) -> FloatArray:
        """Numbers `(F,)` of a clip `(S,)`, each in units of its deviation between sentences of one person.

        They are percentiles of the first four formants (linear prediction, log Hz), the log deviation of each mel band
        and of each cepstral coefficient around their means, and the skewness of the bands.

        Raises:
            BadAudio: the clip holds no speech.
        """
        samples = resample(clip, _RATE_HZ).samples
        if len(samples) < _RATE_HZ // 2 or not samples.any():
            raise BadAudio("too short or too silent to tell who speaks")
        frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP] * np.hanning(_WINDOW)
        mel = np.log(np.abs(np.fft.rfft(frames, axis=1)) @ _filters().T + 1e-5)
        level = mel[:, : _BANDS * 2 // 3].mean(axis=1)
        residual = mel[level > np.percentile(level, 95) - _SPEECH_BELOW_LOUD]
        residual = residual - residual.mean(axis=0)
        deviation = residual.std(axis=0) + 1e-3
        order = np.arange(_BANDS)
        basis = np.cos(np.pi * np.outer(np.arange(1, _CEPSTRA + 1), order + 0.5) / _BANDS) * np.sqrt(2 / _BANDS)
        parts = {
            "formants": np.percentile(_log_formants(clip), _PERCENTILES, axis=0).ravel(),
            "bands": np.log(deviation),
            "cepstra": np.log((residual @ basis.T).std(axis=0) + 1e-3),
            "shape": (residual**3).mean(axis=0) / deviation**3,
        }
        return np.concatenate([values / _SCALES[name] for name, values in parts.items()]).astype(np.float32)

    def distance(self, left: FloatArray, right: FloatArray) -> float:
        """Root mean square difference of two measurements `(F,)`."""
        return float(np.sqrt(np.mean((np.asarray(left) - np.asarray(right)) ** 2)))


def _filters() -> FloatArray:
    """Triangles on O'Shaughnessy's mel scale, `(_BANDS, _WINDOW // 2 + 1)`."""
    highest = 2595.0 * np.log10(1.0 + _HIGHEST_HZ / 700.0)
    edges_hz = 700.0 * (10.0 ** (np.linspace(0.0, highest, _BANDS + 2) / 2595.0) - 1.0)
    hz = np.linspace(0.0, _RATE_HZ / 2, _WINDOW // 2 + 1)
    rising = (hz - edges_hz[:-2, None]) / (edges_hz[1:-1] - edges_hz[:-2])[:, None]
    falling = (edges_hz[2:, None] - hz) / (edges_hz[2:] - edges_hz[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangles / triangles.sum(axis=1, keepdims=True), dtype=np.float32)


def _log_formants(clip: AudioClip) -> FloatArray:
    """Logarithm of the first four formants in Hz in the loud frames of a clip, `(T, 4)`.

    Source: Markel, Gray, Linear Prediction of Speech (1976): angles of the poles of an all-pole model.
    """
    samples = resample(clip, _LPC_RATE_HZ).samples.astype(np.float64)
    emphasised = samples[1:] - 0.97 * samples[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(emphasised, 300)[::200] * np.hamming(300)
    power = (frames**2).sum(axis=1)
    frames = frames[power > np.percentile(power, 95) * 0.01]
    spectra = np.abs(np.fft.rfft(frames, 1024, axis=1)) ** 2
    lags = np.fft.irfft(spectra, axis=1)[:, : _LPC_ORDER + 1]
    lags[:, 0] = lags[:, 0] * 1.0001 + 1e-12
    distance = np.abs(np.subtract.outer(np.arange(_LPC_ORDER), np.arange(_LPC_ORDER)))
    predictors = np.linalg.solve(lags[:, distance], lags[:, 1:, None])[..., 0]
    companions = np.zeros((len(frames), _LPC_ORDER, _LPC_ORDER))
    companions[:, 0] = predictors
    companions[:, np.arange(1, _LPC_ORDER), np.arange(_LPC_ORDER - 1)] = 1.0
    poles = np.linalg.eigvals(companions)
    hz = np.abs(np.angle(poles)) * _LPC_RATE_HZ / (2 * np.pi)
    width_hz = -np.log(np.abs(poles) + 1e-12) * _LPC_RATE_HZ / np.pi
    is_formant = (poles.imag > 0) & (hz > 180) & (hz < 4900) & (width_hz < 500)
    ordered = np.sort(np.where(is_formant, hz, np.inf), axis=1)[:, :_FORMANTS]
    complete = ordered[np.isfinite(ordered).all(axis=1)]
    if len(complete) == 0:
        raise BadAudio("no voice found in the clip")
    return np.asarray(np.log(complete), dtype=np.float32)
