"""The steps of cleaning on sound that is still coming in: so many samples in, as many out, a stated time later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from yinse.audio.blend import check_strength
from yinse.audio.compressor import (
    CompressorSettings,
    gain_reduction_db,
    gains_of,
    interpolated,
    step_levels_db,
    step_samples,
)
from yinse.audio.deep_filter import DeepFilterState
from yinse.audio.loudness import TARGET_LUFS
from yinse.audio.rnnoise import RNNoiseState
from yinse.audio.silence import FRAME_S, HOP_S, FrameLevels, frame_levels
from yinse.audio.spectral_gate import DEFAULT_STRENGTH, GateFrames, GateState
from yinse.core.errors import ConfigError
from yinse.core.types import AudioClip, FloatArray


class Stage(Protocol):
    """One step on a stream of samples."""

    @property
    def latency_samples(self) -> int:
        """By how much the output comes later than the input."""
        ...

    def push(self, samples: FloatArray) -> FloatArray:
        """Takes samples `(S,)`, any number of them, and returns as many earlier ones; zeros at first."""
        ...

    def finish(self) -> FloatArray:
        """The samples `(latency_samples,)` that are still inside; nothing may be pushed afterwards."""
        ...


class _Delayed:
    """Keeps what is done and hands out exactly as much as came in."""

    def __init__(self, latency_samples: int) -> None:
        self.latency_samples = latency_samples
        self._done = np.zeros(latency_samples, dtype=np.float32)

    def _handed_out(self, done: FloatArray, count: int) -> FloatArray:
        self._done = np.concatenate((self._done, done))
        out, self._done = self._done[:count], self._done[count:]
        return out


class GateStream(_Delayed):
    """The spectral gate with a noise floor tracked from the past alone.

    The stream is what `SpectralGate(causal=True)` makes of the whole; the ordinary gate looks for the quietest moment
    in the future too, and so differs most in the first second and a half.

    Args:
        sample_rate_hz: samples per second.
        strength: see `SpectralGate`.

    Raises:
        ConfigError: strength is out of range.
    """

    def __init__(self, sample_rate_hz: int, *, strength: float = DEFAULT_STRENGTH) -> None:
        self._strength = np.float32(check_strength(strength))
        self._frames = GateFrames.at(sample_rate_hz)
        super().__init__(len(self._frames.window))
        self._state = GateState(self._frames)
        # The first frame is centred on the first sample.
        self._heard = np.zeros(self._frames.hop, dtype=np.float32)
        self._tail = np.zeros(self._frames.hop, dtype=np.float32)
        self._before_start = True

    def push(self, samples: FloatArray) -> FloatArray:
        """Takes samples `(S,)` and returns as many, `latency_samples` (32 ms) earlier ones."""
        return self._handed_out(self._gated(samples), len(samples))

    def finish(self) -> FloatArray:
        """The samples `(latency_samples,)` that are still inside."""
        return self._handed_out(self._gated(np.zeros(2 * self.latency_samples, dtype=np.float32)), self.latency_samples)

    def _gated(self, samples: FloatArray) -> FloatArray:
        """Samples that are ready; a multiple of the hop."""
        hop = self._frames.hop
        self._heard = np.concatenate((self._heard, samples))
        ready = []
        while len(self._heard) >= 2 * hop:
            spectrum = np.fft.rfft(self._heard[: 2 * hop] * self._frames.window).astype(np.complex64)
            power = np.square(spectrum.real) + np.square(spectrum.imag)
            wave = self._frames.waves((spectrum * self._state.gain(power))[None])[0]
            if not self._before_start:
                original = self._heard[:hop]
                ready.append(original + self._strength * (self._tail + wave[:hop] - original))
            self._before_start = False
            self._tail = wave[hop:]
            self._heard = self._heard[hop:]
        return np.concatenate(ready) if ready else np.zeros(0, dtype=np.float32)


class NetworkStream(_Delayed):
    """DeepFilterNet or RNNoise on a stream at 48 kHz.

    The stream is what the network makes of the whole at the same level. `DeepFilterNet` brings a whole clip to the
    level at which the network works best, which a stream cannot know: set the gain of the input beforehand. And it
    plays the clip to the network a second time, faster, which a stream cannot: low voices lose more here.

    Args:
        method: "deepfilternet" or "rnnoise".
        strength: share of the cleaned signal, from 0 to 1.

    Raises:
        ConfigError: another method, or strength out of range.
        MissingExtra: the method's package is not installed.
    """

    def __init__(self, method: str = "deepfilternet", *, strength: float = 1.0) -> None:
        networks: dict[str, type[DeepFilterState] | type[RNNoiseState]] = {
            "deepfilternet": DeepFilterState,
            "rnnoise": RNNoiseState,
        }
        if method not in networks:
            raise ConfigError(f"there is no network called '{method}'", advice=f"Use {' or '.join(networks)}.")
        self._strength = np.float32(check_strength(strength))
        self._network = networks[method]()
        super().__init__(self._network.delay_samples + self._network.frame_samples)
        self._heard = np.zeros(0, dtype=np.float32)
        self._originals = np.zeros(self._network.delay_samples, dtype=np.float32)
        self._surplus = self._network.delay_samples

    def push(self, samples: FloatArray) -> FloatArray:
        """Takes samples `(S,)` and returns as many, `latency_samples` (40 or 30 ms) earlier ones."""
        return self._handed_out(self._filtered(samples), len(samples))

    def finish(self) -> FloatArray:
        """The samples `(latency_samples,)` that are still inside."""
        return self._handed_out(self._filtered(np.zeros(2 * self.latency_samples, np.float32)), self.latency_samples)

    def _filtered(self, samples: FloatArray) -> FloatArray:
        """Samples that are ready, in place of those that went in a delay earlier."""
        frame = self._network.frame_samples
        self._heard = np.concatenate((self._heard, samples))
        whole = len(self._heard) // frame * frame
        taken, self._heard = self._heard[:whole], self._heard[whole:]
        cleaned = self._network.process(taken)
        self._originals = np.concatenate((self._originals, taken))
        originals, self._originals = self._originals[:whole], self._originals[whole:]
        mixed = originals + self._strength * (cleaned - originals)
        # What comes out while the network fills up stands for nothing that went in.
        skipped = min(self._surplus, whole)
        self._surplus -= skipped
        return np.asarray(mixed[skipped:])


class CompressorStream(_Delayed):
    """Compression on a stream: what `compress` makes of the whole, if the loudness is that of the whole.

    Args:
        sample_rate_hz: samples per second.
        settings: how much and how fast.
        loudness_lufs: loudness of the speaker, from what was heard before; the threshold moves with it.
    """

    def __init__(
        self,
        sample_rate_hz: int,
        *,
        settings: CompressorSettings | None = None,
        loudness_lufs: float = TARGET_LUFS,
    ) -> None:
        self._settings = settings or CompressorSettings()
        self._offset_db = TARGET_LUFS - loudness_lufs
        self._step = step_samples(sample_rate_hz)
        super().__init__(2 * self._step)
        self._state = (0.0, 0.0)
        self._waiting = np.zeros(0, dtype=np.float32)  # the beginning of the next step
        self._heard = np.zeros(0, dtype=np.float32)  # what waits for the gain of the next step
        self._gains = np.zeros(0, dtype=np.float32)
        self._ready, self._first_step = 0, 0

    def push(self, samples: FloatArray) -> FloatArray:
        """Takes samples `(S,)` and returns as many, `latency_samples` (2 ms) earlier ones."""
        return self._handed_out(self._compressed(samples, last=False), len(samples))

    def finish(self) -> FloatArray:
        """The samples `(latency_samples,)` that are still inside."""
        return self._handed_out(self._compressed(np.zeros(0, dtype=np.float32), last=True), self.latency_samples)

    def _compressed(self, samples: FloatArray, *, last: bool) -> FloatArray:
        """Samples that are ready: up to the middle of the last step that is complete."""
        self._waiting = np.concatenate((self._waiting, samples))
        self._heard = np.concatenate((self._heard, samples))
        whole = len(self._waiting) if last else len(self._waiting) // self._step * self._step
        if whole:
            levels_db = step_levels_db(self._waiting[:whole], self._step) + self._offset_db
            reduction_db, self._state = gain_reduction_db(levels_db, self._settings, state=self._state)
            self._gains = np.concatenate((self._gains, gains_of(reduction_db)))
            self._waiting = self._waiting[whole:]
        if len(self._gains) == 0:
            return self._heard[:0]
        until = self._ready + len(self._heard)
        if not last:
            until = max(self._ready, int((self._first_step + len(self._gains) - 0.5) * self._step))
        times = np.arange(self._ready, until) / self._step - 0.5 - self._first_step
        done = self._heard[: until - self._ready] * interpolated(self._gains, times)
        self._heard = self._heard[until - self._ready :]
        self._first_step += len(self._gains) - 1
        self._gains = self._gains[-1:]
        self._ready = until
        return done


class Chain:
    """Stages one after the other.

    Args:
        stages: in the order of processing; all at one sample rate.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = tuple(stages)
        self.latency_samples = sum(stage.latency_samples for stage in stages)

    def push(self, samples: FloatArray) -> FloatArray:
        """Takes samples `(S,)` and returns as many, `latency_samples` earlier ones."""
        for stage in self._stages:
            samples = stage.push(samples)
        return samples

    def finish(self) -> FloatArray:
        """The samples `(latency_samples,)` that are still inside."""
        inside = np.zeros(0, dtype=np.float32)
        for stage in self._stages:
            inside = np.concatenate((stage.push(inside), stage.finish()))
        return inside


class LevelStream:
    """Level and zero crossings on a stream: the frames of `frame_levels`, as soon as each is complete.

    Which of them are speech depends on the loudest and quietest of the whole, which a stream cannot know.

    Args:
        sample_rate_hz: samples per second.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._rate_hz = sample_rate_hz
        self._frame, self._hop = (
            max(least, round(time_s * sample_rate_hz)) for least, time_s in ((2, FRAME_S), (1, HOP_S))
        )
        self._heard = np.zeros(0, dtype=np.float32)
        self._before: np.float32 | None = None

    def push(self, samples: FloatArray) -> FrameLevels:
        """Takes samples `(S,)` and returns the frames `(T,)` that they complete."""
        self._heard = np.concatenate((self._heard, samples))
        if len(self._heard) < self._frame:
            return FrameLevels(np.zeros(0), np.zeros(0))
        found = frame_levels(AudioClip(self._heard, self._rate_hz))
        if self._before is not None and np.signbit(self._before) != np.signbit(self._heard[0]):
            found.crossings_hz[0] += self._rate_hz / self._frame
        taken = len(found.level_db) * self._hop
        self._before, self._heard = self._heard[taken - 1], self._heard[taken:]
        return found
