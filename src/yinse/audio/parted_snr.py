"""How far the voice stands above the noise, where a network has parted the two.

What a denoiser removed is noise, but voice too where it errs, and in quiet recordings its errors are larger than the
noise. So what it removed is looked at where hardly anything was left and where much was, and the recording itself where
nobody speaks. What all this says together was fitted to mixtures of known ratio (`benchmarks/fit_snr.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from yinse.audio.silence import Segment
from yinse.audio.snr import FRAME_S, HIGHEST_SNR_DB, HOP_S, LOWEST_SNR_DB, band_power, windowed_frames
from yinse.audio.voice_activity import SILERO_FRAME_S, speech_probabilities
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip, FloatArray

_SPOKEN_BELOW_LOUD_DB, _SPOKEN_AROUND_FRAMES = 27.0, 31
_QUIET_BELOW_LOUD_DB, _QUIET_PERCENTILE = 35.0, 15.0
_FEWEST_QUIET, _FEWEST_QUIET_SHARE = 8, 1 / 12
_FAINT_PERCENTILE = 30.0
_SOME_LEFT, _HALF_LEFT = 0.1, 0.5
_NO_VOICE = 0.15
_DEEPEST_DB = -60.0

Array = NDArray[np.float64]


def refine_snr_db(snr_db: float, clip: AudioClip, speech: AudioClip, spans: Sequence[Segment]) -> float:
    """A better estimate, where a network has parted voice and noise.

    Args:
        snr_db: the estimate without it, which has a say; the answer where there is nothing to part.
        clip: the recording `(S,)`, best without rumble.
        speech: the same without its noise `(S,)`, from a denoiser that knows speech.
        spans: where there is speech.

    Raises:
        ConfigError: the clips differ in length or rate.
    """
    features = parted_features(clip, speech) if spans else None
    if features is None:
        return snr_db
    fitted = _fitted()
    place = (np.append(features, snr_db) - fitted["mean"]) / fitted["spread"]
    near = np.exp(-fitted["narrowness"] * np.square(fitted["points"] - place).mean(axis=1))
    refined_db = fitted["middle_db"] + place @ fitted["slopes_db"] + near @ fitted["weights_db"]
    return float(np.clip(refined_db.item(), LOWEST_SNR_DB, HIGHEST_SNR_DB))


def parted_features(clip: AudioClip, speech: AudioClip) -> Array | None:
    """What the ratio is read from, `(10,)`; None for a recording that is silent or shorter than 0.3 s.

    Levels in dB relative to the recording while there is speech: of the recording in frames of which nearly nothing was
    left; of what was left of speech; of what was removed from the fainter frames of speech. Ten times how much what
    was removed follows what was left, and the share of speech. Levels again: of what was removed in the loudest tenth
    of frames; in those bands of which something was left; of the recording in frames that sound like no voice; of
    what was removed in bands that it halved; and in the louder frames of speech.

    Raises:
        ConfigError: the clips differ in length or rate.
    """
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    if len(clip.samples) != len(speech.samples) or clip.sample_rate_hz != speech.sample_rate_hz:
        raise ConfigError("the denoised clip does not belong to the recording")
    framed = windowed_frames(clip)
    if framed is None or not clip.samples.any():
        return None
    rate = clip.sample_rate_hz
    heard, in_bands = _power(framed[0], rate)
    left, left_in_bands = _power(_windowed(speech.samples, rate), rate)
    removed, removed_in_bands = _power(_windowed(clip.samples - speech.samples, rate), rate)

    loudness_db = 10.0 * np.log10(uniform_filter1d(left, 3))
    loudness_db -= np.percentile(loudness_db, 95.0)
    spoken = maximum_filter1d((loudness_db > -_SPOKEN_BELOW_LOUD_DB).astype(np.int8), _SPOKEN_AROUND_FRAMES) > 0
    quiet = loudness_db < min(-_QUIET_BELOW_LOUD_DB, np.percentile(loudness_db, _QUIET_PERCENTILE))
    fewest = max(_FEWEST_QUIET, int(len(loudness_db) * _FEWEST_QUIET_SHARE))
    if np.count_nonzero(quiet) < fewest:
        quiet = np.zeros(len(loudness_db), dtype=np.bool_)
        quiet[np.argsort(loudness_db)[:fewest]] = True
    faint = spoken & (loudness_db < np.percentile(loudness_db[spoken], _FAINT_PERCENTILE))
    likely = speech_probabilities(clip)
    times_s = framed[1] * HOP_S + FRAME_S / 2
    likely_then = np.interp(times_s, (np.arange(len(likely)) - 0.5) * SILERO_FRAME_S, likely)
    no_voice = likely_then < _NO_VOICE
    if np.count_nonzero(no_voice) <= _FEWEST_QUIET:
        no_voice = quiet

    reference = heard[spoken].mean()

    def level(power: Array | np.floating) -> float:
        if np.size(power) == 0:
            return _DEEPEST_DB
        return max(float(10.0 * np.log10(max(float(np.mean(power)), 1e-12) / reference)), _DEEPEST_DB)

    def within(bands: NDArray[np.bool_]) -> Array:
        return np.asarray((removed_in_bands * bands)[spoken].sum(axis=1))

    return np.array(
        [
            level(heard[quiet]),
            level(left[spoken]),
            level(removed[faint]),
            10.0 * _likeness(np.log(removed[spoken]), np.log(left[spoken])),
            10.0 * spoken.mean(),
            level(np.percentile(removed, 90.0)),
            level(within(left_in_bands >= _SOME_LEFT * in_bands)),
            level(heard[no_voice]),
            level(within(left_in_bands < _HALF_LEFT * in_bands)),
            level(removed[spoken & ~faint]),
        ]
    )


def _windowed(samples: FloatArray, rate_hz: int) -> FloatArray:
    """Frames `(T, size)` of samples as long as the recording, which is long enough."""
    found = windowed_frames(AudioClip(samples, rate_hz))
    assert found is not None
    return found[0]


def _power(windowed: FloatArray, rate_hz: int) -> tuple[Array, Array]:
    """Power of windowed frames: of all of it `(T,)`, and in bands `(T, 22)`."""
    return (
        np.square(windowed).sum(axis=1).astype(np.float64) / 2 + 1e-12,
        band_power(windowed, rate_hz).astype(np.float64) + 1e-12,
    )


def _likeness(first: Array, second: Array) -> float:
    """Correlation of two series `(N,)`; 0 where one of them never changes."""
    if first.std() == 0.0 or second.std() == 0.0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


@cache
def _fitted() -> dict[str, Array]:
    from safetensors.numpy import load

    tensors = load((files("yinse.audio") / "data" / "parted_snr.safetensors").read_bytes())
    return {name: tensor.astype(np.float64) for name, tensor in tensors.items()}
