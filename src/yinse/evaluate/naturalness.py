"""How good a clip sounds, as DNSMOS guesses it: a network that learned people's scores for noisy and clean speech."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from yinse.audio.measure import level_speech
from yinse.audio.resample import resample
from yinse.audio.runtimes import onnx_session
from yinse.core.errors import MissingExtra
from yinse.core.types import AudioClip

_DNSMOS_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Naturalness:
    """Guessed opinion scores from 1 to 5.

    Attributes:
        overall: ITU-T P.835 overall quality.
        signal: P.835 quality of the voice.
        background: P.835 quality of what is behind it.
        p808: overall quality as asked in ITU-T P.808.
    """

    overall: float
    signal: float
    background: float
    p808: float


class NaturalnessJudge(Protocol):
    """Scores clips."""

    def score(self, clip: AudioClip) -> Naturalness:
        """Scores of a clip `(S,)`."""
        ...


class Dnsmos:
    """DNSMOS of the package speechmos; clips are brought to one level first, because the scores follow it.

    Source: Reddy, Gopal, Cutler, DNSMOS P.835 (2022).

    Args:
        threads: CPU threads.

    Raises:
        MissingExtra: speechmos is not installed.
    """

    def __init__(self, *, threads: int = 1) -> None:
        try:
            from speechmos import dnsmos
        except ImportError as error:
            raise MissingExtra("the judge of naturalness", "eval") from error
        folder = Path(dnsmos.__file__).parent / "dnsmos_models"
        models = [folder / name for name in ("sig_bak_ovr.onnx", "model_v8.onnx")]
        self._judge: Any = dnsmos.DNSMOS(*map(str, models))
        # The package gives no way to say how many threads its sessions may use.
        self._judge.onnx_sess, self._judge.p808_onnx_sess = (onnx_session(model, threads=threads) for model in models)

    def score(self, clip: AudioClip) -> Naturalness:
        """Scores of a clip `(S,)`.

        Raises:
            BadAudio: the clip is silent or shorter than 0.1 s.
        """
        levelled = resample(level_speech(clip), _DNSMOS_RATE_HZ).samples
        scores = self._judge(np.clip(levelled, -1.0, 1.0), _DNSMOS_RATE_HZ, False)
        return Naturalness(*(float(scores[f"{name}_mos"]) for name in ("ovrl", "sig", "bak", "p808")))
