"""Stage 4: the acoustic model, trunk and flow together, on windows of aligned speech."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from yinse.audio.measure import SpeakerMeasure, fill_unvoiced, phoneme_prosody
from yinse.models.acoustic import AcousticInput, AcousticModel, RegulatedLength, Trunk
from yinse.models.spectrogram import SpectrogramConfig
from yinse.models.symbol_ids import SymbolIds, symbol_ids
from yinse.models.voice_condition import trusted_bins
from yinse.train.features import Clip
from yinse.train.loop import Losses
from yinse.train.recipes.align import AlignedClip
from yinse.train.recipes.vary import VARIED
from yinse.train.references import NARROW_BAND_HZ, Embed, Reference, make_references

PACK_SHARES = {
    "zh_en_kokoro": 0.33,
    "zh_en_kokoro-varied": 0.17,
    "en_librispeech": 0.22,
    "en_librispeech-varied": 0.07,
    "en_librispeech_250spk_untranscribed": 0.11,
    "en_librispeech_250spk_untranscribed-varied": 0.05,
    "en_kathleen": 0.05,
}
UNCLEAR = {("zh", name) for name in ("bm_lewis", "jf_alpha", "af_jessica", "hf_alpha", "hm_omega")}
"""Teacher voices whose Mandarin the recogniser mishears too often."""
LOWEST_CONFIDENCE = -5.0
CONTEXT_PHONEMES = 6
NARROWED = 0.3
"""How often a full-band clip is taken as if it ended at 8 kHz, so that narrow does not come to mean real."""
OWN_LANGUAGE = 0.7
"""How often a bilingual speaker is measured in the language of the target clip."""


@dataclass(frozen=True)
class Speech:
    """A training clip with everything that does not depend on the reference drawn."""

    clip: Clip
    ids: SymbolIds
    durations: np.ndarray
    melody: np.ndarray
    trusted: np.ndarray
    narrow: np.ndarray


class SpeechData:
    """Aligned clips by pack and speaker, with references per speaker and language."""

    def __init__(
        self,
        aligned: Iterable[AlignedClip],
        embed: Embed,
        *,
        spectrogram: SpectrogramConfig,
        references: int = 6,
        seed: int = 1,
    ) -> None:
        random = np.random.default_rng(seed)
        self.speech: dict[str, dict[str, list[Speech]]] = {}
        clips: dict[tuple[str, str], list[Clip]] = {}
        for item in aligned:
            clip = item.clip
            if item.confidence < LOWEST_CONFIDENCE or (clip.language, clip.speaker.partition(VARIED)[0]) in UNCLEAR:
                continue
            speech = Speech(
                clip,
                symbol_ids(item.symbols),
                item.durations,
                fill_unvoiced(clip.log_f0),
                trusted_bins(spectrogram, clip.bandwidth_hz),
                trusted_bins(spectrogram, NARROW_BAND_HZ),
            )
            self.speech.setdefault(clip.pack, {}).setdefault(clip.speaker, []).append(speech)
            clips.setdefault((clip.speaker, clip.language), []).append(clip)
        self.references = {
            key: make_references(group, embed, count=references, random=random) for key, group in clips.items()
        }
        self.speaker_weights = {
            pack: np.array([sum(len(s.clip.mel) for s in group) ** 0.5 for group in speakers.values()])
            for pack, speakers in self.speech.items()
        }

    def only(self, pack: str, speaker: str) -> SpeechData:
        """The data of one speaker alone."""
        one = copy.copy(self)
        one.speech = {pack: {speaker: self.speech[pack][speaker]}}
        one.speaker_weights = {pack: np.ones(1)}
        return one

    def draw(self, random: np.random.Generator) -> tuple[Speech, Reference]:
        """A random clip and a random reference of its speaker."""
        packs = [pack for pack in PACK_SHARES if pack in self.speech] or list(self.speech)
        shares = np.array([PACK_SHARES.get(pack, 1.0) for pack in packs])
        pack = packs[random.choice(len(packs), p=shares / shares.sum())]
        weights = self.speaker_weights[pack]
        speakers = list(self.speech[pack].values())
        group = speakers[random.choice(len(speakers), p=weights / weights.sum())]
        speech = group[int(random.integers(len(group)))]
        return speech, self.reference(speech, random)

    def reference(self, speech: Speech, random: np.random.Generator) -> Reference:
        """A reference of the clip's speaker, now and then in the speaker's other language."""
        name, language = speech.clip.speaker, speech.clip.language
        other = "en" if language == "zh" else "zh"
        if (name, other) in self.references and random.random() > OWN_LANGUAGE:
            language = other
        choices = self.references[name, language]
        return choices[int(random.integers(len(choices)))]


class AcousticTask:
    """Windows of `window_frames` frames for the acoustic model."""

    def __init__(
        self, data: SpeechData, *, batch_size: int = 8, window_frames: int = 200, seed: int = 1, augment: bool = True
    ) -> None:
        self.data, self.batch_size, self.window_frames, self.seed = data, batch_size, window_frames, seed
        self.augment = augment

    def batch(self, step: int) -> Mapping[str, Tensor]:
        """Tensors for `inputs_of` and the targets; see `collate`."""
        random = np.random.default_rng((self.seed, step))
        rows = []
        for _ in range(self.batch_size):
            speech, reference = self.data.draw(random)
            rows.append(cut_window(speech, reference, self.window_frames, random, augment=self.augment))
        return collate(rows)

    def losses(self, model: nn.Module, batch: Mapping[str, Tensor], step: int) -> Losses:
        """Trunk L1, flow matching, F0 and voicing; see `acoustic_losses`."""
        assert isinstance(model, AcousticModel)
        return acoustic_losses(model, batch)


def cut_window(
    speech: Speech,
    reference: Reference,
    frames: int,
    random: np.random.Generator,
    *,
    augment: bool,
    narrow: bool = True,
) -> dict[str, np.ndarray]:
    """One row of a batch: `frames` frames of a clip with the phonemes around them.

    Args:
        speech: the clip.
        reference: of its speaker.
        frames: length of the window; shorter clips are padded.
        random: where chance comes from.
        augment: jitter prosody and speaker vector.
        narrow: with `augment`, take some full-band clips as narrow-band ones.
    """
    measure: SpeakerMeasure = reference.measure
    prosody = phoneme_prosody(speech.clip.mel, speech.clip.log_f0, speech.durations, measure=measure)
    total = len(speech.clip.mel)
    start = int(random.integers(max(1, total - frames + 1)))
    stop = min(start + frames, total)
    phoneme = np.repeat(np.arange(len(speech.durations)), speech.durations)
    starts = np.cumsum(speech.durations) - speech.durations
    first = max(0, phoneme[start] - CONTEXT_PHONEMES)
    last = min(len(speech.durations), phoneme[stop - 1] + 1 + CONTEXT_PHONEMES)
    here = phoneme[start:stop]
    length = speech.durations[here].astype(np.float32)
    fraction = (np.arange(start, stop) - starts[here] + 0.5) / length
    voicing = (speech.clip.log_f0[start:stop] > 0).astype(np.float32)
    log_f0 = speech.melody[start:stop]
    jitter = random.normal(0, 0.06, (2, len(prosody.pitch))) if augment else np.zeros((2, len(prosody.pitch)))
    vector: np.ndarray = reference.speaker
    measures, trusted = reference.measures, speech.trusted
    if augment and narrow and trusted.all() and random.random() < NARROWED:
        trusted, measures = speech.narrow, narrowed(measures)
    if augment:
        vector = vector + random.normal(0, 0.15 / np.sqrt(len(vector)), len(vector))
    return {
        "symbols": speech.ids.symbols[first:last],
        "bases": speech.ids.bases[first:last],
        "tones": speech.ids.tones[first:last],
        "pitch": (prosody.pitch + jitter[0] * prosody.voiced)[first:last],
        "voiced": prosody.voiced[first:last],
        "energy": (prosody.energy + jitter[1])[first:last],
        "index": pad_frames(here - first, frames),
        "place": pad_frames(np.stack([fraction, np.abs(fraction - 0.5) * 2, np.log(length) / 3], axis=1), frames).T,
        "speaker": vector.astype(np.float32),
        "measures": measures,
        "mel": pad_frames(speech.clip.mel[start:stop].astype(np.float32) - measure.mean_spectrum, frames).T,
        "log_f0": pad_frames(log_f0, frames),
        "f0": pad_frames((log_f0 - measure.log_f0_median) / measure.log_f0_spread, frames),
        "voicing": pad_frames(voicing, frames),
        "valid": pad_frames(np.ones(stop - start, dtype=np.float32), frames),
        "trusted": trusted.astype(np.float32),
    }


def narrowed(measures: np.ndarray) -> np.ndarray:
    """Measures `(MEASURES,)` as they would be of a narrow-band recording: no floor in the top band, flag set."""
    told = measures.copy()
    told[-3], told[-1] = 4.0 / 3.0, 1.0
    return told


def pad_frames(values: np.ndarray, frames: int) -> np.ndarray:
    """Zeros behind the first axis up to `frames`."""
    return np.pad(values, [(0, frames - len(values))] + [(0, 0)] * (values.ndim - 1))


def collate(rows: list[dict[str, np.ndarray]]) -> dict[str, Tensor]:
    """Rows to a batch; `mask` says which phonemes are there and which only fill up the row."""
    longest = max(len(row["symbols"]) for row in rows)
    batch = {"mask": torch.from_numpy(np.stack([np.arange(longest) < len(row["symbols"]) for row in rows]))}
    for name in rows[0]:
        values = [row[name] for row in rows]
        if name in ("symbols", "bases", "tones", "pitch", "voiced", "energy"):
            values = [pad_frames(value, longest) for value in values]
        stacked = np.stack(values)
        batch[name] = torch.from_numpy(stacked if stacked.dtype == np.int64 else stacked.astype(np.float32))
    return batch


def inputs_of(batch: Mapping[str, Tensor]) -> AcousticInput:
    """The model's input of a batch."""
    names = ("symbols", "bases", "tones", "pitch", "voiced", "energy", "speaker", "measures", "mask")
    return AcousticInput(
        **{name: batch[name] for name in names}, length=RegulatedLength(batch["index"], batch["place"])
    )


def acoustic_losses(model: AcousticModel, batch: Mapping[str, Tensor], *, texture: bool = True) -> Losses:
    """Losses of a batch, see `drawing_losses`."""
    voicing = batch["voicing"]
    drawn = model(inputs_of(batch), batch["log_f0"], batch["f0"] * voicing, voicing)
    return drawing_losses(model, drawn, batch, texture=texture)


def drawing_losses(
    model: AcousticModel, drawn: tuple[Trunk, Tensor, Tensor], batch: Mapping[str, Tensor], *, texture: bool = True
) -> Losses:
    """Losses of what a model drew of a batch: trunk, F0 and voicing logits.

    The mel is compared where the frame is real and the recording has a band; melody where there is voice. Without
    texture the flow decoder is left out.
    """
    voicing, valid = batch["voicing"], batch["valid"]
    trunk, f0, voicing_logits = drawn
    weight = valid[:, None] * batch["trusted"][:, :, None]
    mel = ((trunk.mel.float() - batch["mel"]).abs() * weight).sum() / weight.sum()
    # unvoiced frames carry the line between their neighbours: worth a little, so that the melody stays continuous
    melody_weight = valid * (0.1 + 0.9 * voicing)
    melody = ((f0.float() - batch["f0"]).abs() * melody_weight).sum() / melody_weight.sum()
    cross = nn.functional.binary_cross_entropy_with_logits(voicing_logits.float(), voicing, reduction="none")
    voice = (cross * valid).sum() / valid.sum()
    losses = {"loss": mel + 0.3 * melody + 0.3 * voice, "mel": mel, "f0": melody, "voicing": voice}
    if not texture:
        return losses
    flow = flow_loss(model, trunk, batch["mel"], weight)
    return {**losses, "loss": losses["loss"] + 0.5 * flow, "flow": flow}


def flow_loss(model: AcousticModel, trunk: Trunk, mel: Tensor, weight: Tensor) -> Tensor:
    """Flow matching of what the trunk leaves of a log-mel `(B, M, T_mel)`, where the weight is not 0."""
    rest = (mel - trunk.mel.detach().float()) * model.config.residual_scale
    time = torch.rand(len(rest), device=rest.device)
    noise = torch.randn_like(rest)
    at = time[:, None, None]
    # the decoder starts from the trunk but does not pull at it
    start = type(trunk)(trunk.hidden.detach(), trunk.mel.detach(), trunk.harmonics, trunk.condition.detach())
    velocity = model.flow((1 - at) * noise + at * rest, time, start).float()
    return ((velocity - (rest - noise)).square() * weight).sum() / weight.sum()
