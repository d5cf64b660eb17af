"""Diagonal Gaussian mixtures, one per state, evaluated for all states at once as a matrix product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yinse.core.types import FloatArray

_BLOCK_FRAMES = 4096  # Keeps the scores of all components in the processor's cache.
_SPLIT_DEVIATIONS = 0.2


@dataclass(frozen=True, eq=False)
class Mixtures:
    """Mixtures of K components for S states over D numbers.

    Attributes:
        weight: float32 `(K, S)`, sums to 1 over K.
        mean, variance: float32 `(K, S, D)`.
    """

    weight: FloatArray
    mean: FloatArray
    variance: FloatArray

    @classmethod
    def standard(cls, states: int, size: int) -> Mixtures:
        """One standard normal distribution per state."""
        shape = (1, states, size)
        return cls(np.ones(shape[:2], np.float32), np.zeros(shape, np.float32), np.ones(shape, np.float32))

    def state(self, index: int) -> Mixtures:
        """The mixture of one state alone."""
        return Mixtures(self.weight[:, [index]], self.mean[:, [index]], self.variance[:, [index]])

    def split(self, random: np.random.Generator) -> Mixtures:
        """Twice the components, each pair a little apart in a random diagonal direction."""
        signs = random.choice(np.array([-1.0, 1.0], dtype=np.float32), size=self.mean.shape)
        shift = np.float32(_SPLIT_DEVIATIONS) * np.sqrt(self.variance) * signs
        return Mixtures(
            np.concatenate((self.weight, self.weight)) * np.float32(0.5),
            np.concatenate((self.mean - shift, self.mean + shift)),
            np.concatenate((self.variance, self.variance)),
        )

    def projection(self) -> tuple[FloatArray, FloatArray]:
        """Matrix `(2 * D, K * S)` over (x, x^2) and offset `(K, S)` that give the log-densities of the components."""
        size = self.mean.shape[-1]
        matrix = np.concatenate((self.mean / self.variance, -0.5 / self.variance), axis=-1).reshape(-1, 2 * size)
        constant = -0.5 * (np.log(2.0 * np.pi * self.variance) + self.mean**2 / self.variance).sum(axis=-1)
        return np.ascontiguousarray(matrix.T), np.asarray(constant + np.log(self.weight), dtype=np.float32)

    def log_likelihoods(self, frames: FloatArray) -> FloatArray:
        """Log-likelihood of frames `(T, D)` under each state, `(T, S)`."""
        matrix, offset = self.projection()
        result = np.empty((len(frames), offset.shape[1]), dtype=np.float32)
        for start in range(0, len(frames), _BLOCK_FRAMES):
            block = frames[start : start + _BLOCK_FRAMES]
            parts = (_with_squares(block) @ matrix).reshape(-1, *offset.shape) + offset
            top = parts.max(axis=1)
            if len(offset) > 1:
                parts -= top[:, None]
                top += np.log(np.exp(parts, out=parts).sum(axis=1))
            result[start : start + len(block)] = top
        return result

    def refit(
        self,
        frames: FloatArray,
        chosen: list[NDArray[np.intp]],
        *,
        floor: FloatArray,
        rare_frames: int,
        iterations: int,
    ) -> Mixtures:
        """Fit each state to its frames by expectation maximisation.

        Args:
            frames: `(T, D)`.
            chosen: indices of the frames of each state.
            floor: `(D,)` smallest variances.
            rare_frames: components with less than this many frames stay as they are.
            iterations: rounds; one suffices for single components.
        """
        weight, mean, variance = self.weight.copy(), self.mean.copy(), self.variance.copy()
        for state, indices in enumerate(chosen):
            x = frames[indices]
            for _ in range(iterations if len(weight) > 1 and len(x) else 1):
                matrix, offset = Mixtures(weight, mean, variance).state(state).projection()
                share = _with_squares(x) @ matrix + offset[:, 0]
                share = np.exp(share - share.max(axis=1, keepdims=True))
                share /= share.sum(axis=1, keepdims=True)
                mass = share.sum(axis=0) + np.float32(1e-3)
                centre = (share.T @ x) / mass[:, None]
                spread = np.maximum((share.T @ (x * x)) / mass[:, None] - centre**2, floor)
                kept = mass >= rare_frames
                mean[kept, state], variance[kept, state] = centre[kept], spread[kept]
                weight[:, state] = mass / mass.sum()
        return Mixtures(weight, mean, variance)


def _with_squares(frames: FloatArray) -> FloatArray:
    return np.concatenate((frames, frames * frames), axis=1)
