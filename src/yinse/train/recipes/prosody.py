"""Stage 5: the prosody GPT, on whole utterances, every other one prompted by another utterance of the speaker."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from yinse.audio.measure import phoneme_prosody
from yinse.models.prosody import ProsodyConfig, ProsodyGPT, ProsodyInput, encode_prosody
from yinse.train.clip_context import ClipContext
from yinse.train.loop import Losses
from yinse.train.recipes.acoustic import Speech, SpeechData, narrowed, pad_frames
from yinse.train.references import Reference

PROMPTED = 0.5
"""How often another utterance of the speaker comes first."""
NARROWED = 0.3
IGNORED = -100


class ProsodyTask:
    """Utterances as phonemes and prosody tokens, with what a language model knows of them if `context` is given."""

    def __init__(
        self,
        data: SpeechData,
        config: ProsodyConfig,
        *,
        batch_size: int = 16,
        longest: int = 240,
        seed: int = 1,
        augment: bool = True,
        context: ClipContext | None = None,
    ) -> None:
        self.data, self.config, self.batch_size, self.longest, self.seed = data, config, batch_size, longest, seed
        self.augment = augment
        self.context = context if context and context.width else None

    def batch(self, step: int) -> Mapping[str, Tensor]:
        """`symbols, bases, tones (B, T_ph)`, `tokens (B, T_ph, 3)` (ignored ones -100), `speaker`, `measures`.

        With a language model also `context (B, T_ph, D)`.
        """
        random = np.random.default_rng((self.seed, step))
        rows = [self._row(random) for _ in range(self.batch_size)]
        longest = max(len(row["symbols"]) for row in rows)
        batch: dict[str, Tensor] = {}
        for name in ("symbols", "bases", "tones", "context"):
            if name not in rows[0]:
                continue
            batch[name] = torch.from_numpy(np.stack([pad_frames(row[name], longest) for row in rows]))
        padded = [
            np.pad(row["tokens"], ((0, longest - len(row["tokens"])), (0, 0)), constant_values=IGNORED) for row in rows
        ]
        batch["tokens"] = torch.from_numpy(np.stack(padded))
        for name in ("speaker", "measures"):
            batch[name] = torch.from_numpy(np.stack([row[name] for row in rows]).astype(np.float32))
        return batch

    def _row(self, random: np.random.Generator) -> dict[str, np.ndarray]:
        speech, reference = self.data.draw(random)
        parts = [speech]
        if random.random() < PROMPTED:
            group = self.data.speech[speech.clip.pack][speech.clip.speaker]
            parts.insert(0, group[int(random.integers(len(group)))])
        tokens = np.concatenate([utterance_tokens(part, reference, self.config) for part in parts])
        row = {
            name: np.concatenate([getattr(part.ids, name) for part in parts]) for name in ("symbols", "bases", "tones")
        }
        row["tokens"] = tokens
        if self.context:
            # as in synthesis, a prompt has no context
            known = self.context.of(speech.clip)
            row["context"] = np.pad(known, ((len(tokens) - len(known), 0), (0, 0)))
        if len(tokens) > self.longest:
            # a window keeps its beginning unknown: its first decisions are made without those before
            start = int(random.integers(len(tokens) - self.longest + 1))
            row = {name: values[start : start + self.longest] for name, values in row.items()}
        vector: np.ndarray = reference.speaker
        measures: np.ndarray = reference.measures
        if self.augment:
            vector = vector + random.normal(0, 0.25 / np.sqrt(len(vector)), len(vector))
            measures = measures + random.normal(0, 0.05, len(measures))
            if random.random() < NARROWED:
                measures = narrowed(measures)
        return row | {"speaker": vector, "measures": measures}

    def losses(self, model: nn.Module, batch: Mapping[str, Tensor], step: int) -> Losses:
        """Cross-entropies of durations, pitches and energies."""
        assert isinstance(model, ProsodyGPT)
        tokens = batch["tokens"]
        inputs = ProsodyInput(
            symbols=batch["symbols"],
            bases=batch["bases"],
            tones=batch["tones"],
            speaker=batch["speaker"],
            measures=batch["measures"],
            mask=tokens[..., 0] != IGNORED,
            context=batch.get("context"),
        )
        logits = model(inputs, tokens.clamp(min=0))
        durations, pitches, energies = (
            nn.functional.cross_entropy(part.float().transpose(1, 2), tokens[..., index], ignore_index=IGNORED)
            for index, part in enumerate(logits)
        )
        return {
            "loss": durations + pitches + 0.5 * energies,
            "duration": durations,
            "pitch": pitches,
            "energy": energies,
        }


def utterance_tokens(speech: Speech, reference: Reference, config: ProsodyConfig) -> np.ndarray:
    """Tokens `(T_ph, 3)` of a clip relative to a reference of its speaker."""
    prosody = phoneme_prosody(speech.clip.mel, speech.clip.log_f0, speech.durations, measure=reference.measure)
    return encode_prosody(prosody, config)
