"""SoVITS speaks while the semantic GPT still writes: pieces that share a little with the one before, faded over.

As the published program does it: each piece is decoded with all codes so far in view, its hidden frames fade over from
the piece before, and its samples are shifted to where they fit best (SOLA) and faded over once more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from yinse.core.types import FloatArray
from yinse.models.sovits import SoVITS
from yinse.synth.gpt_sovits_options import GptSovitsOptions

_FEWEST_CODES = 10
"""A piece with fewer new codes is decoded with more of the ones before."""


@torch.inference_mode()
def stream_sentence(
    sovits: SoVITS,
    pieces: Iterable[list[int]],
    phonemes: Tensor,
    condition: Tensor,
    *,
    options: GptSovitsOptions,
    speed: float,
    generator: torch.Generator,
) -> Iterator[tuple[FloatArray, bool]]:
    """Samples `(S,)` of a sentence as soon as they are certain, and whether they are its last.

    Args:
        sovits: codes to a waveform.
        pieces: codes as they are written.
        phonemes: of the sentence `(T_ph,)`.
        condition: timbre `(1, D)`.
        options: how pieces overlap.
        speed: above 1 is faster.
        generator: where chance comes from.
    """
    overlap, per_code = options.overlap_codes, sovits.config.frames_per_code
    code_samples = sovits.config.code_samples / speed
    held_samples = math.ceil(overlap * code_samples)
    written: list[int] = []
    hidden: Tensor | None = None
    held: FloatArray | None = None
    for piece in pieces:
        seen = min(overlap + max(0, _FEWEST_CODES - len(piece)), len(written))
        written += piece
        kept = len(piece) + seen
        frames = sovits.latent_frames(kept, speed=speed)
        decoded = sovits(
            torch.tensor([written]),
            phonemes[None],
            condition,
            noise=torch.randn(1, sovits.config.latent, frames, generator=generator),
            noise_scale=options.noise_scale,
            speed=speed,
            keep_codes=None if hidden is None else kept,
            overlap=None if hidden is None else hidden[:, :, hidden.shape[2] - seen * per_code :],
        )
        hidden = decoded.hidden
        samples = decoded.samples[0].numpy()
        if held is not None:
            samples = samples[-int((overlap + len(piece)) * code_samples) :]
            samples = join(held, samples, search_samples=options.search_samples)
        held = samples[len(samples) - held_samples :]
        yield samples[: len(samples) - held_samples], False
    if held is not None:
        yield held, True


def join(held: FloatArray, samples: FloatArray, *, search_samples: int) -> FloatArray:
    """`samples` from where they are most like `held` `(N,)` on, its first N fading over from it.

    Args:
        held: the end of what was there before.
        samples: what follows; its beginning is meant to be the same.
        search_samples: how far its beginning may be off.
    """
    count = len(held)
    searched = samples[: count + search_samples].astype(np.float64)
    likeness = np.correlate(searched, held.astype(np.float64), mode="valid")
    energy = np.concatenate([[0.0], np.cumsum(searched**2)])
    best = int((likeness / np.sqrt(energy[count:] - energy[:-count] + 1e-8)).argmax())
    shifted = samples[best:].copy()
    rising = (0.5 - 0.5 * np.cos(np.pi * np.arange(count) / count)).astype(np.float32)
    shifted[:count] = rising * shifted[:count] + (1.0 - rising) * held
    return shifted
