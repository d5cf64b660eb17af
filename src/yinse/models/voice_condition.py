"""A speaker as numbers for the networks: the condition that acoustic model and prosody GPT share."""

from __future__ import annotations

import numpy as np

from yinse.audio.measure import SpeakerMeasure
from yinse.core.types import FloatArray


def measure_vector(measure: SpeakerMeasure, *, synthetic: bool, narrow_band: bool) -> FloatArray:
    """Measured numbers scaled to about ±1, `(MEASURES,)`."""
    return np.array(
        [
            (measure.log_f0_median - 5.1) * 2.0,
            (measure.log_f0_spread - 0.18) * 6.0,
            (measure.tempo - 0.85) * 5.0,
            *(measure.floor_depth + 4.0) / 3.0,
            float(synthetic),
            float(narrow_band),
        ],
        dtype=np.float32,
    )
