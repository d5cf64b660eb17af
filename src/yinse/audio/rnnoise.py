"""RNNoise: a small recurrent network for speech in noise, run by its C library."""

from __future__ import annotations

import ctypes
import importlib.util
import weakref
from functools import cache
from pathlib import Path

import numpy as np

from yinse.audio.blend import blend, check_strength
from yinse.audio.resample import resample
from yinse.audio.runtimes import through_frames
from yinse.core.errors import InternalError, MissingExtra
from yinse.core.types import AudioClip, FloatArray

_RATE_HZ = 48_000
_INT16 = np.float32(32_768.0)
_SUFFIXES = (".so", ".dylib", ".dll")


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
    state = RNNoiseState()
    start = state.delay_samples
    heard = np.zeros(-(-(len(samples) + start) // state.frame_samples) * state.frame_samples, dtype=np.float32)
    heard[: len(samples)] = samples
    return state.process(heard)[start : start + len(samples)]


class RNNoiseState:
    """A running RNNoise at 48 kHz.

    Attributes:
        frame_samples: what it takes at a time, 10 ms.
        delay_samples: how much later its output comes: overlap of its window and a frame of look-ahead, 20 ms.

    Raises:
        MissingExtra: pyrnnoise is not installed.
        InternalError: the library does not start.
    """

    frame_samples = 480
    delay_samples = 960

    def __init__(self) -> None:
        self._library = _library()
        self._state = self._library.rnnoise_create(None)
        if not self._state:
            raise InternalError("RNNoise did not start")
        weakref.finalize(self, self._library.rnnoise_destroy, self._state)

    def process(self, samples: FloatArray) -> FloatArray:
        """The next samples `(S,)`, a multiple of the frame, cleaned and delayed."""

        def run(heard: int, cleaned: int) -> None:
            self._library.rnnoise_process_frame(self._state, cleaned, heard)

        return through_frames(samples * _INT16, self.frame_samples, run) / _INT16


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
