"""RNNoise: a small recurrent network for speech in noise, run by its C library."""

from __future__ import annotations

import ctypes
import importlib.util
from functools import cache
from pathlib import Path

import numpy as np

from yinse.audio.blend import blend, check_strength
from yinse.audio.resample import resample
from yinse.core.errors import InternalError, MissingExtra
from yinse.core.types import AudioClip, FloatArray

_RATE_HZ = 48_000
_FRAME = 480
_DELAY_SAMPLES = 960  # overlap of the analysis window, and a frame of look-ahead
_INT16 = np.float32(32_768.0)


class RNNoise:
    """RNNoise at 48 kHz; its library and weights come with the package pyrnnoise.

    Source: J.-M. Valin, A hybrid DSP/deep learning approach to real-time full-band speech enhancement (2018).

    Args:
        strength: share of the cleaned signal in the result, from 0 to 1; the rest is the original.

    Raises:
        ConfigError: strength is out of range.
        MissingExtra: pyrnnoise is not installed.
    """

    name = "rnnoise"

    def __init__(self, *, strength: float = 1.0) -> None:
        self.strength = check_strength(strength)
        _library()

    def denoise(self, clip: AudioClip) -> AudioClip:
        """Returns a clip of the same rate and length, aligned sample by sample with the original."""
        if self.strength == 0.0 or len(clip.samples) == 0:
            return clip
        cleaned = resample(AudioClip(_filtered(resample(clip, _RATE_HZ).samples), _RATE_HZ), clip.sample_rate_hz)
        fitted = np.pad(cleaned.samples, (0, max(0, len(clip.samples) - len(cleaned.samples))))[: len(clip.samples)]
        return blend(clip, AudioClip(fitted, clip.sample_rate_hz), self.strength)


def _filtered(samples: FloatArray) -> FloatArray:
    """Runs the network over samples `(S,)` at 48 kHz, its delay taken out."""
    library = _library()
    state = library.rnnoise_create(None)
    if not state:
        raise InternalError("RNNoise did not start")
    try:
        frames = -(-(len(samples) + _DELAY_SAMPLES) // _FRAME)
        heard = np.zeros(frames * _FRAME, dtype=np.float32)
        heard[: len(samples)] = samples * _INT16
        cleaned = np.zeros_like(heard)
        size = _FRAME * heard.itemsize
        for offset in range(0, frames * size, size):
            library.rnnoise_process_frame(state, cleaned.ctypes.data + offset, heard.ctypes.data + offset)
    finally:
        library.rnnoise_destroy(state)
    return np.asarray(cleaned[_DELAY_SAMPLES : _DELAY_SAMPLES + len(samples)] / _INT16)


@cache
def _library() -> ctypes.CDLL:
    # The package itself is not imported: it would bring readers of audio and a plotter, of which nothing is needed.
    found = importlib.util.find_spec("pyrnnoise")
    folders = list(found.submodule_search_locations or ()) if found else []
    paths = [path for folder in folders for path in Path(folder).glob("*rnnoise.*") if path.suffix in _SUFFIXES]
    if not paths:
        raise MissingExtra("the denoiser RNNoise", "rnnoise")
    library = ctypes.CDLL(str(paths[0]))
    library.rnnoise_create.argtypes = [ctypes.c_void_p]
    library.rnnoise_create.restype = ctypes.c_void_p
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    library.rnnoise_process_frame.restype = ctypes.c_float
    library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
    library.rnnoise_destroy.restype = None
    return library


_SUFFIXES = (".so", ".dylib", ".dll")
