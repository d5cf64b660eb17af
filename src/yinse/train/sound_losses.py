"""How badly a voice does single sounds and kinds of sentence: held-out losses, taken apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from yinse.corpus.losses import HeldOutLosses
from yinse.corpus.sentence_types import sentence_types
from yinse.models.acoustic import AcousticModel
from yinse.text.symbols import BASES, BOUNDARIES
from yinse.train.recipes.acoustic import Speech, collate, cut_window, inputs_of
from yinse.train.references import Reference

_FEWEST_FRAMES = 4
"""A sound of which less than 50 ms were held out says nothing."""


@torch.inference_mode()
def losses_by_sound(model: AcousticModel, speech: Sequence[Speech], reference: Reference) -> HeldOutLosses:
    """Mean distance of the trunk's log-mel from the recorded one, in nats, by base symbol and by sentence type.

    Args:
        model: in evaluation mode.
        speech: clips not trained on.
        reference: of their speaker.
    """
    by_base: dict[str, list[np.ndarray]] = defaultdict(list)
    by_type: dict[str, list[np.ndarray]] = defaultdict(list)
    for item in speech:
        row = cut_window(item, reference, len(item.clip.mel), np.random.default_rng(0), augment=False, narrow=False)
        batch = collate([row])
        voicing = batch["voicing"]
        trunk, _, _ = model(inputs_of(batch), batch["log_f0"], batch["f0"] * voicing, voicing)
        trusted = batch["trusted"][0].numpy() > 0
        frames = (trunk.mel.float() - batch["mel"]).abs()[0].numpy()[trusted].mean(axis=0)
        bases = np.repeat(item.ids.bases, item.durations)
        for base in np.unique(bases):
            name = BASES[base]
            if name not in BOUNDARIES:
                by_base[name].append(frames[bases == base])
        by_type[sentence_types(item.clip.text)[0]].append(frames)
    return HeldOutLosses(phonemes=_means(by_base), types=_means(by_type))


def _means(groups: Mapping[str, list[np.ndarray]]) -> dict[str, float]:
    joined = {name: np.concatenate(parts) for name, parts in groups.items()}
    return {name: round(float(v.mean()), 4) for name, v in sorted(joined.items()) if len(v) >= _FEWEST_FRAMES}
