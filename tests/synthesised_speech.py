"""Speech-like sounds with known phonemes, durations and melody, and a work folder of base training made of them."""

from __future__ import annotations

import csv
import functools
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from safetensors.numpy import save_file

from yinse.core.types import FloatArray
from yinse.models.acoustic import AcousticConfig
from yinse.models.native_config import NativeConfig
from yinse.models.prosody import ProsodyConfig
from yinse.models.speaker import SpeakerEncoder, SpeakerEncoderConfig
from yinse.models.spectrogram import LogMel, SpectrogramConfig
from yinse.models.symbol_ids import TONES
from yinse.models.vocoder import VocoderConfig
from yinse.text.phonemes import phonemize
from yinse.text.symbols import BASES, BOUNDARIES, SYMBOLS, base_and_tone
from yinse.train.features import Clip, save_clips, save_json
from yinse.train.loop import save_checkpoint
from yinse.train.work import Work

RATE_HZ, HOP = 24_000, 300
SENTENCES = {"en": ("Good morning to you.", "We can go home now."), "zh": ("今天天气很好。", "我们回家吧。")}
SPEAKERS = {
    "blend_f00": ("zh_en_kokoro", 205.0),
    "blend_f01": ("zh_en_kokoro", 250.0),
    "blend_m00": ("zh_en_kokoro", 100.0),
    "blend_m01": ("zh_en_kokoro", 125.0),
    "ls-19": ("en_librispeech", 150.0),
}
UNHEARD = {"blend_f13": ("zh_en_kokoro", 225.0), "ls-1089": ("en_librispeech", 115.0)}

TINY = NativeConfig(
    acoustic=AcousticConfig(
        symbols=len(SYMBOLS),
        bases=len(BASES),
        tones=TONES,
        channels=32,
        condition=16,
        text_blocks=1,
        melody_channels=16,
        melody_blocks=1,
        trunk_dilations=(1, 2),
        flow_dilations=(1,),
        harmonic_steps=16,
    ),
    prosody=ProsodyConfig(
        symbols=len(SYMBOLS), bases=len(BASES), tones=TONES, width=32, heads=2, layers=1, inner=64, context_size=0
    ),
    vocoder=VocoderConfig(channels=16, blocks=1),
    speaker=SpeakerEncoderConfig(channels=16, hidden=16, layers=1),
)


@dataclass(frozen=True)
class Spoken:
    """Samples `(S,)`, symbols, frames of each, log F0 `(T_mel,)` with 0 where unvoiced."""

    samples: FloatArray
    symbols: tuple[str, ...]
    durations: np.ndarray
    log_f0: FloatArray


def speak(text: str, *, f0_hz: float, punctuated: bool = True) -> Spoken:
    """Each sound has two formants of its own; vowels (and whatever has a tone) hum, the rest hisses."""
    symbols = phonemize(text, punctuated=punctuated).symbols
    random = np.random.default_rng(zlib.crc32(text.encode()))
    edges = {0, len(symbols) - 1}
    durations = np.array(
        [
            14 if place in edges else 0 if symbol in BOUNDARIES else int(random.integers(5, 12))
            for place, symbol in enumerate(symbols)
        ]
    )
    frames = int(durations.sum())
    names = np.repeat(np.array(symbols), durations)
    bends = np.interp(np.arange(frames), np.linspace(0, frames, 6), random.normal(0, 0.12, 6))
    f0 = f0_hz * np.exp(bends)
    voiced = np.array([base_and_tone(str(name))[1] > 0 or base_and_tone(str(name))[0] in "AA EE OO" for name in names])
    voiced &= ~np.isin(names, sorted(BOUNDARIES))
    times = np.arange((frames - 1) * HOP)
    phase = 2 * np.pi * np.cumsum(np.interp(times / HOP, np.arange(frames), f0)) / RATE_HZ
    harmonics = np.arange(1, int(6000 / f0_hz))
    gains = np.stack([_envelope(str(name), harmonics * f0_hz) for name in names])
    gains[~voiced] = 0.0
    hum = sum(np.interp(times / HOP, np.arange(frames), gains[:, k - 1]) * np.sin(k * phase) for k in harmonics)
    hiss_gain = np.where(voiced, 0.001, np.where(np.isin(names, sorted(BOUNDARIES)), 1e-4, 0.02))
    hiss = random.normal(0, 1, len(times)) * np.interp(times / HOP, np.arange(frames), hiss_gain)
    log_f0 = np.where(voiced, np.log(f0), 0.0).astype(np.float32)
    return Spoken((0.1 * hum + hiss).astype(np.float32), symbols, durations, log_f0)


def _envelope(name: str, frequencies_hz: np.ndarray) -> np.ndarray:
    random = np.random.default_rng(zlib.crc32(base_and_tone(name)[0].encode()))
    low, high = random.uniform(250, 900), random.uniform(1000, 3500)
    return sum(np.exp(-(((frequencies_hz - centre) / 300) ** 2)) for centre in (low, high)) + 0.03


@functools.lru_cache(maxsize=64)
def clip_of(text: str, speaker: str, pack: str, f0_hz: float) -> tuple[Clip, Spoken]:
    """A training clip and the truth about it."""
    spoken = speak(text, f0_hz=f0_hz)
    with torch.inference_mode():
        mel = LogMel(SpectrogramConfig())(torch.from_numpy(spoken.samples)[None])[0].T.numpy()
    clip = Clip(
        id=f"{speaker}/{zlib.crc32(text.encode())}.wav",
        speaker=speaker,
        pack=pack,
        text=text,
        language="zh" if text[0] > "z" else "en",
        punctuated=True,
        synthetic=pack == "zh_en_kokoro",
        bandwidth_hz=12000 if pack == "zh_en_kokoro" else 8000,
        mel=mel.astype(np.float16),
        log_f0=spoken.log_f0,
        samples=np.round(spoken.samples * 32767).astype(np.int16),
    )
    return clip, spoken


def sentences_of(pack: str) -> Sequence[str]:
    """What the speakers of a pack say."""
    return SENTENCES["en"] + (SENTENCES["zh"] if pack == "zh_en_kokoro" else ())


def make_work(folder: Path) -> Work:
    """A work folder as `prepare`, `align` and the speaker encoder's teacher leave it."""
    work = Work(folder)
    for held_out, speakers in ((False, SPEAKERS), (True, UNHEARD)):
        features, alignments = work.features(held_out=held_out), work.alignments(held_out=held_out)
        features.mkdir(parents=True)
        alignments.mkdir()
        vectors = {}
        for speaker, (pack, f0_hz) in speakers.items():
            made = [clip_of(text, speaker, pack, f0_hz) for text in sentences_of(pack)]
            save_clips(features / f"{pack}.{speaker}.safetensors", [clip for clip, _ in made])
            records = {
                clip.id: {"symbols": spoken.symbols, "durations": spoken.durations.tolist(), "confidence": -1.0}
                for clip, spoken in made
            }
            save_json(alignments / f"{pack}.{speaker}.json", records)
            vector = np.random.default_rng(zlib.crc32(speaker.encode())).normal(size=256)
            vectors |= {clip.id: (vector / np.linalg.norm(vector)).astype(np.float32) for clip, _ in made}
        save_file(vectors, str(work.teacher_vectors(held_out=held_out)))
    return work


def save_fresh_encoder(work: Work) -> None:
    """A speaker encoder that has learned nothing, as if its stage had been run."""
    torch.manual_seed(0)
    weights = SpeakerEncoder(TINY.speaker).state_dict()
    work.stage("speaker").mkdir()
    save_checkpoint(
        work.checkpoint("speaker"), {f"average/{name}": value for name, value in weights.items()}, {"step": 0}
    )


def make_pack(data: Path) -> None:
    """A data folder: one synthetic pack of a training speaker and an unheard one, as recordings."""
    pack = data / "zh_en_kokoro"
    rows = []
    for speaker, f0_hz in (("blend_f00", 205.0), ("blend_f13", 225.0)):
        for index, text in enumerate(sentences_of(pack.name)):
            name = f"{speaker}/{index}.wav"
            (pack / speaker).mkdir(parents=True, exist_ok=True)
            soundfile.write(pack / name, speak(text, f0_hz=f0_hz).samples, RATE_HZ)
            rows.append({"file": name, "speaker": speaker, "language": "zh" if text[0] > "z" else "en", "text": text})
    with open(pack / "metadata.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    splits = {"base_training": {"zh_en_kokoro": ["blend_f00"]}, "development": {"zh_en_kokoro": ["blend_f13"]}}
    (data / "splits.json").write_text(json.dumps(splits), encoding="utf-8")
