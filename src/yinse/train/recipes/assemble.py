"""Stage 7: averaged weights, aligner and what is known of full-band speech become one model folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import yinse
from yinse.audio.measure import measure_speaker
from yinse.core.errors import ConfigError
from yinse.core.events import Artifact, Event, Finished, Progress
from yinse.core.types import FloatArray
from yinse.models.acoustic import AcousticModel
from yinse.models.aligner import Aligner
from yinse.models.content import ContentModel
from yinse.models.prosody import ProsodyGPT
from yinse.models.speaker import SpeakerEncoder, mean_direction
from yinse.models.spectrogram import SpectrogramConfig
from yinse.models.voice_condition import NEIGHBOUR_BINS, trusted_bins
from yinse.train.features import load_clips, read_records, save_json, speaker_files
from yinse.train.loop import read_progress
from yinse.train.recipes.acoustic import UNCLEAR
from yinse.train.recipes.base import BaseRun, content_sizes, load_averaged, load_vocoder
from yinse.train.recipes.prepare import PACKS
from yinse.train.references import EMBEDDED_CLIPS, NARROW_BAND_HZ
from yinse.train.work import Work, needed
from yinse.weights.content import save_content
from yinse.weights.native import NativeModels, fingerprint_of, save_native

NETWORKS = ("speaker", "acoustic", "prosody", "vocoder")
_CARD = """# Yinse base model, native family

English and Mandarin speech in the voice of a person heard for a minute: aligner, speaker encoder, prosody GPT,
acoustic model (flow matching) and vocoder. {parameters:.1f} million parameters, float16.

## Data
{data}

People that the figures below name were in none of it.

## Training
{training}

## Held-out losses
{figures}

## Use
Speaks and clones with `yinse say` and `yinse clone`. Clone only voices of people who agreed to it, and say that speech
is synthetic where listeners could take it for a recording. Other languages, singing and whispering were not trained.

## Licence
MIT, as the package; the data's own licences, which ask for the attribution above, are named there.
"""


def assemble(run: BaseRun, out: Path) -> Iterator[Event]:
    """Write the model folder `out`; the last event holds its fingerprint.

    Raises:
        ConfigError: a stage has not been run, or no full-band or no synthetic speaker is among the features.
        CheckpointKeys: a checkpoint is of other sizes.
    """
    from safetensors.numpy import load_file

    work, sizes = run.work, run.sizes
    yield Progress("assemble", 0, 2)
    acoustic, prosody, speaker = AcousticModel(sizes.acoustic), ProsodyGPT(sizes.prosody), SpeakerEncoder(sizes.speaker)
    for name, model in (("acoustic", acoustic), ("prosody", prosody), ("speaker", speaker)):
        load_averaged(model, needed(work.checkpoint(name), name))
    needed(work.checkpoint("vocoder"), "vocoder")
    high_band, floor_depth = full_band(needed(work.features(), "prepare"), sizes.spectrogram)
    yield Progress("assemble", 1, 2)
    models = NativeModels(
        config=sizes,
        acoustic=acoustic,
        prosody=prosody,
        vocoder=load_vocoder(run),
        speaker=speaker,
        aligner=Aligner.from_state_dict(load_file(str(needed(work.aligner, "align"))), config=sizes.aligner),
        high_band=high_band,
        floor_depth=floor_depth,
        typical_speakers=typical_speakers(work.features(), speaker),
        fingerprint="",
    )
    provenance = describe(run)
    fingerprint = save_native(models, out, provenance=provenance, card=card(models, provenance))
    if work.checkpoint("content").exists():
        add_content(run, out)
    yield Progress("assemble", 2, 2)
    yield Artifact("model", str(out))
    yield Finished(fingerprint)


def add_content(run: BaseRun, folder: Path) -> Path:
    """Write the content encoder beside the set whose acoustic model taught it, and what is known of its training.

    Raises:
        ConfigError: it has not been trained.
        CheckpointKeys: its checkpoint is of other sizes.
    """
    model = ContentModel(content_sizes(run))
    load_averaged(model, needed(run.work.checkpoint("content"), "content"), prefix="content.")
    path = folder / "provenance.json"
    provenance = json.loads(path.read_text(encoding="utf-8"))
    provenance["stages"]["content"] = _stage(run, "content")
    save_json(path, provenance)
    return save_content(model, folder, fingerprint=fingerprint_of(folder / "model.safetensors"))


def full_band(features: Path, spectrogram: SpectrogramConfig) -> tuple[FloatArray, FloatArray]:
    """How full-band speech goes on above narrow-band speech, and how quiet a clean recording is.

    Returns:
        `(M,)` nats of each bin above the mean of the last `NEIGHBOUR_BINS` bins that a narrow-band recording has, mean
        over full-band speakers; noise floor `(FLOOR_BANDS,)`, mean over synthetic speakers.

    Raises:
        ConfigError: there is no full-band or no synthetic speaker.
    """
    narrow = trusted_bins(spectrogram, NARROW_BAND_HZ)
    bands: list[FloatArray] = []
    floors: list[FloatArray] = []
    for path in speaker_files(features):
        first = read_records(path)[0]
        full = bool(trusted_bins(spectrogram, first["bandwidth_hz"]).all())
        if not full and not first["synthetic"]:
            continue
        clips = load_clips(path)
        measure = measure_speaker([clip.mel for clip in clips], [clip.log_f0 for clip in clips])
        if full:
            bands.append(measure.mean_spectrum - measure.mean_spectrum[narrow][-NEIGHBOUR_BINS:].mean())
        if first["synthetic"]:
            floors.append(measure.floor_depth)
    if not bands or not floors:
        missing = "no synthetic" if bands else "no full-band"
        raise ConfigError(f"there is {missing} speaker among the features", where=str(features))
    return np.stack(bands).mean(axis=0, dtype=np.float32), np.stack(floors).mean(axis=0, dtype=np.float32)


def typical_speakers(features: Path, encoder: SpeakerEncoder) -> dict[str, FloatArray]:
    """By language that no real person speaks: the mean `(G,)`, of length 1, of the vectors of those who taught it."""
    vectors: dict[str, list[FloatArray]] = {}
    real: set[str] = set()
    for path in speaker_files(features):
        clips = load_clips(path)
        real |= {clip.language for clip in clips if not clip.synthetic}
        for language in {clip.language for clip in clips if clip.synthetic}:
            spoken = [clip.mel for clip in clips if clip.language == language]
            if (language, clips[0].speaker) not in UNCLEAR:
                vectors.setdefault(language, []).append(encoder.embed(spoken[:EMBEDDED_CLIPS]))
    return {language: mean_direction(found) for language, found in sorted(vectors.items()) if language not in real}


def describe(run: BaseRun) -> dict[str, Any]:
    """Where a set comes from: data with fingerprints, seeds and steps of all stages, last losses, licences."""
    return {
        "recipe": "yinse train base",
        "yinse": yinse.__version__,
        "sizes": json.loads(run.sizes.to_json()),
        "data": _data(run.data, run.work, run.sizes.spectrogram.frames_per_s * 3600),
        "stages": {name: _stage(run, name) for name in NETWORKS},
    }


def _stage(run: BaseRun, name: str) -> dict[str, Any]:
    """How a network was trained and what its last losses were."""
    folder = run.work.stage(name)
    held_out, loop = _last_line(folder / "heldout.jsonl"), folder / "loop.json"
    return {
        "steps": read_progress(run.work.checkpoint(name))["step"],
        "loop": json.loads(loop.read_text(encoding="utf-8")) if loop.exists() else None,
        "training_losses": _last_line(folder / "losses.jsonl"),
        "held_out_losses": held_out and held_out["packs"],
    }


def card(models: NativeModels, provenance: Mapping[str, Any]) -> str:
    """The model card."""
    networks = [getattr(models, name) for name in NETWORKS]
    figures = [
        f"| {name} | {pack} | {', '.join(f'{part} {value:.3f}' for part, value in losses.items())} |"
        for name, stage in provenance["stages"].items()
        for pack, losses in (stage["held_out_losses"] or {}).items()
    ]
    return _CARD.format(
        parameters=sum(p.numel() for network in networks for p in network.parameters()) / 1e6,
        data="\n".join(
            f"- {name}: {pack['speakers']} speakers, {pack['hours']:.1f} hours; {pack['licence']}"
            for name, pack in provenance["data"].items()
        ),
        training="\n".join(f"- {name}: {stage['steps']} steps" for name, stage in provenance["stages"].items()),
        figures="\n".join(["| network | people | losses |", "|---|---|---|", *figures]) if figures else "None kept.",
    )


def _data(data: Path, work: Work, frames_per_hour: float) -> dict[str, dict[str, Any]]:
    packs: dict[str, dict[str, Any]] = {}
    licences = {pack.name: pack.licence for pack in PACKS}
    for path in speaker_files(work.features()):
        records = read_records(path)
        name = records[0]["pack"]
        if name not in packs:
            table = data / name / "metadata.csv"
            digest = hashlib.sha256(table.read_bytes()).hexdigest() if table.exists() else None
            packs[name] = {"speakers": 0, "clips": 0, "hours": 0.0, "licence": licences.get(name), "sha256": digest}
        packs[name]["speakers"] += 1
        packs[name]["clips"] += len(records)
        packs[name]["hours"] += round(sum(record["frames"] for record in records) / frames_per_hour, 4)
    return packs


def _last_line(log: Path) -> Any:
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return json.loads(lines[-1]) if lines else None
