"""How fast GPT-SoVITS models of published size speak in all: load, first sound, whole sentence, many sentences.

    python benchmarks/gpt_sovits_synthesis.py [--parity FOLDER] [--sizes v2 v2ProPlus] [--threads 2] [--rounds 3]
                                              [--json]

Random weights by the rule of the parity folder, saved as a set of ours and loaded from it; the file is in the page
cache. An English sentence of 60 phonemes is spoken by the synthesizer, front-end included, BERT, HuBERT and the check
of what was said not: prefill of 100 phonemes and 100 codes, 200 codes written (8 s), since random weights never end at
the right place. Streaming writes as many codes as one second of sound needs: 25, and those that overlap with the next
piece. With `cut_at_silence`, the default, a piece may become up to twice as long.

"exact" is the default; "best" has the semantic GPT in int8 and SoVITS in bfloat16. Each arrangement runs in a process
of its own, in turn, round by round; the best time counts, and the highest peak. CPU seconds tell more than the clock
where other programs run. The floors are what reading weights and multiplying take at the speed measured on this
machine, the frequency domain of SoVITS' generator not counted: it can lie below.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gpt_sovits import BATCH, CONFIG, FORMS, LINEARS, make_weights, peak_bytes, prompt, read_bytes_s, text, timed
from gpt_sovits_decoder import BANDS, make_sovits, product_gflop_per_s
from safetensors.torch import load_file
from torch.utils.flop_counter import FlopCounterMode

from yinse.core.types import SpeakRequest
from yinse.models.hifigan_prepared import bfloat16_pays
from yinse.models.semantic_precision import Int8Linear
from yinse.models.semantic_sampling import SamplingOptions
from yinse.models.semantic_writing import write, write_batch
from yinse.models.sovits import SoVITS
from yinse.synth.gpt_sovits import GptSovitsSynthesizer
from yinse.synth.gpt_sovits_options import OFFICIAL, SENTENCES
from yinse.text.official import TABLE_SIZES, official_text
from yinse.text.phonemes import phonemize
from yinse.voices.voice import Voice
from yinse.weights.gpt_sovits import GptSovitsModels, load_gpt_sovits, save_gpt_sovits
from yinse.weights.native import fingerprint_of
from yinse.weights.official import SEMANTIC, SOVITS, ImportedSemantic, ImportedSoVITS, ImportReport
from yinse.weights.official_encoders import Encoders

PRECISIONS = {
    "exact": {"semantic": "exact", "sovits": "exact"},
    "best": {"semantic": "int8", "sovits": "bfloat16"},
}
TEXT = "The river was quiet as we crossed the old bridge, and then we slowly walked home together."
PROMPT_PHONEMES = 40
CODES, CODES_PER_S = 200, 25
LONG_TEXTS = (70, 76, 82, 88, 94, 100, 106, 112)
"""Phonemes of eight sentences, the prompt's among them."""
PREFILL = 200
Figures = dict[str, float]


def make_set(parity: Path, sizes: str, folder: Path) -> float:
    """Write a set of published size; returns GFLOP of SoVITS for a second of sound, as published."""
    made = folder.with_suffix(".safetensors")
    make_weights(parity, made)
    spoken = folder.with_suffix(".sovits.safetensors")
    config = make_sovits(parity, sizes, spoken)

    def report(kind: str, version: str) -> ImportReport:
        return ImportReport("random weights", "0" * 64, 0, kind, version, "", 0, (), ())

    save_gpt_sovits(
        folder,
        ImportedSemantic(CONFIG, load_file(str(made)), report(SEMANTIC, "v2 or later")),
        ImportedSoVITS(config, load_file(str(spoken)), report(SOVITS, sizes)),
    )
    made.unlink()
    spoken.unlink()
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        SoVITS(config)(
            torch.zeros(1, CODES, dtype=torch.long),
            torch.zeros(1, 60, dtype=torch.long),
            torch.zeros(1, config.condition),
        )
    return float(counter.get_total_flops() / 1e9 / (CODES / CODES_PER_S))


def written(codes: int) -> SamplingOptions:
    """The published way to draw, so many codes long."""
    return SamplingOptions(minimum_codes=codes, maximum_codes=codes, cut_drops_first=False, batch_cut_drops_last=False)


def random_voice(models: GptSovitsModels) -> Voice:
    """A voice with a timbre and a manner, of nobody."""
    chance = np.random.default_rng(3)
    semantic, sovits = models.semantic.config, models.sovits.config
    tensors = {
        "reference_condition": chance.normal(size=sovits.condition).astype(np.float32),
        "reference_codes": prompt(0).numpy(),
        "reference_phonemes": chance.integers(models.table, size=PROMPT_PHONEMES),
        "reference_context": chance.normal(size=(PROMPT_PHONEMES, semantic.context_size)).astype(np.float32),
    }
    return Voice(
        id="random",
        name="random",
        languages=("en",),
        tensors=tensors,
        bandwidth_hz=16_000.0,
        model_fingerprint=models.fingerprint,
        licence="none",
        created="2026-01-01T00:00:00+00:00",
        synthetic=True,
    )


def measure(folder: Path, arrangement: str) -> Figures:
    """One round of one arrangement, from loading on."""
    figures: Figures = {"imports_bytes": peak_bytes()}

    def note(name: str, task: Callable[[], Any]) -> Any:
        figures[f"{name}_s"], figures[f"{name}_cpu_s"], result = timed(task)
        return result

    note("hash", lambda: fingerprint_of(folder / "model.safetensors"))
    models: GptSovitsModels = note("load", lambda: load_gpt_sovits(folder))
    note("prepare", lambda: models.prepare(**PRECISIONS[arrangement]))  # type: ignore[arg-type]
    figures["loaded_bytes"] = peak_bytes()

    whole = replace(OFFICIAL, sampling=written(CODES), cut=SENTENCES, pause_s=0.0)
    piece = CODES_PER_S + whole.overlap_codes
    streamed = replace(whole, chunk_codes=piece, cut_at_silence=False)
    voice, request = random_voice(models), SpeakRequest(TEXT)

    def first_sound() -> float:
        pieces = GptSovitsSynthesizer(models, Encoders(), streamed).stream(request, voice)
        return len(next(pieces).samples) / models.sovits.config.sample_rate_hz

    def sentence() -> float:
        chunks = GptSovitsSynthesizer(models, Encoders(), whole).stream(request, voice)
        return sum(len(chunk.samples) for chunk in chunks) / models.sovits.config.sample_rate_hz

    lengths_s = (note("first_sound_cold", first_sound), note("first_sound", first_sound), note("sentence", sentence))
    if lengths_s != (1.0, 1.0, CODES / CODES_PER_S):
        raise RuntimeError(f"1, 1 and {CODES / CODES_PER_S} s were to be spoken, not {lengths_s}")
    figures["spoken_bytes"] = peak_bytes()

    texts = [text(seed, length) for seed, length in enumerate(LONG_TEXTS)]
    chances = [torch.Generator().manual_seed(seed) for seed in range(BATCH)]
    middle, chance = texts[BATCH // 2], chances[BATCH // 2]
    note("alone", lambda: write(models.semantic, middle, prompt(0), options=written(CODES), generator=chance))
    note("batch", lambda: write_batch(models.semantic, texts, prompt(0), options=written(CODES), generators=chances))
    figures["batch_bytes"] = peak_bytes()
    return figures


def run(folder: Path, arrangement: str, threads: int) -> Figures:
    """`measure` in a process of its own."""
    command = [sys.executable, __file__, "--threads", str(threads), "--measure", str(folder), arrangement]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout))


def int8_gflop_per_s() -> float:
    """Speed of a large product of int8 weights, as the semantic GPT multiplies them."""
    linear, rows = Int8Linear(torch.randn(1536, 1536), torch.zeros(1536)), torch.randn(1, 1536, 1536)
    return 2 * 1536**3 / min(timed(lambda: linear(rows))[0] for _ in range(8)) / 1e9


def floors(work: float, read: float, products: dict[str, float]) -> dict[str, Figures]:
    """Seconds that each figure takes at least, by the speeds of this machine.

    Args:
        work: GFLOP of SoVITS for a second of sound.
        read: bytes of memory a second.
        products: GFLOP a second, by precision.
    """
    found = {}
    for name, chosen in PRECISIONS.items():
        multiply = products["int8" if chosen["semantic"] == "int8" else "float32"]
        speak_s = work / products["bfloat16" if chosen["sovits"] == "bfloat16" else "float32"]
        position_s = 2 * LINEARS / 1e9 / multiply
        code_s = max(LINEARS * FORMS[chosen["semantic"]] / read, position_s)
        batch_s = max(LINEARS * FORMS[chosen["semantic"]] / read, BATCH * position_s)
        prefill_s = PREFILL * position_s
        piece = CODES_PER_S + OFFICIAL.overlap_codes
        found[name] = {
            "first_sound_s": prefill_s + piece * (code_s + speak_s / CODES_PER_S),
            "sentence_s": prefill_s + CODES * (code_s + speak_s / CODES_PER_S),
            "alone_s": prefill_s + CODES * code_s,
            "batch_s": BATCH * prefill_s + CODES * batch_s,
        }
    return found


def table(best: dict[str, Figures], least: dict[str, Figures]) -> list[str]:
    """Rows for the terminal: seconds by the clock and of the processor, and the floor."""
    length_s = CODES / CODES_PER_S

    def seconds(name: str, arrangement: str, *, per: float = 1.0) -> str:
        found, floor = best[arrangement], least[arrangement].get(f"{name}_s")
        shown = f"{found[f'{name}_s'] / per:.2f} ({found[f'{name}_cpu_s'] / per:.2f})"
        return shown if floor is None else f"{shown}, floor {floor / per:.2f}"

    def rate(name: str, arrangement: str, codes: int) -> str:
        found, floor = best[arrangement], least[arrangement][f"{name}_s"]
        per_s, per_cpu_s = codes / found[f"{name}_s"], codes / found[f"{name}_cpu_s"]
        return f"{per_s:.0f} ({per_cpu_s:.0f}), limit {codes / floor:.0f}"

    def gain(arrangement: str) -> str:
        found = best[arrangement]
        by_clock, by_cpu = (BATCH * found[f"alone{kind}"] / found[f"batch{kind}"] for kind in ("_s", "_cpu_s"))
        return f"{by_clock:.1f} ({by_cpu:.1f})"

    def memory(name: str, arrangement: str) -> str:
        return f"{best[arrangement][f'{name}_bytes'] / 1e6:.0f}"

    rows: list[tuple[str, Callable[[str], str]]] = [
        ("hash, s (CPU)", lambda name: seconds("hash", name)),
        ("load, hash included, s (CPU)", lambda name: seconds("load", name)),
        ("preparing for this processor, s (CPU)", lambda name: seconds("prepare", name)),
        ("first sound of 1 s, s (CPU)", lambda name: seconds("first_sound", name)),
        ("the same, first of the process, s (CPU)", lambda name: seconds("first_sound_cold", name)),
        ("whole sentence of 8 s, real-time factor (CPU)", lambda name: seconds("sentence", name, per=length_s)),
        ("one text, codes/s (CPU)", lambda name: rate("alone", name, CODES)),
        (f"{BATCH} texts at once, codes/s (CPU)", lambda name: rate("batch", name, BATCH * CODES)),
        ("gain (CPU)", gain),
        ("peak, MB: imports", lambda name: memory("imports", name)),
        ("loaded and prepared", lambda name: memory("loaded", name)),
        ("after speaking 8 s", lambda name: memory("spoken", name)),
        (f"after {BATCH} texts at once", lambda name: memory("batch", name)),
    ]
    lines = [f"| | {' | '.join(best)} |", "|---" * (len(best) + 1) + "|"]
    return lines + [f"| {title} | {' | '.join(cell(name) for name in best)} |" for title, cell in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    beside = Path(__file__).resolve().parents[2] / "shared" / "parity"
    parser.add_argument("--parity", type=Path, default=Path(os.environ.get("YINSE_PARITY") or beside))
    parser.add_argument("--sizes", nargs="+", choices=BANDS, default=["v2"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.measure:
        folder, arrangement = options.measure
        print(json.dumps(measure(Path(folder), arrangement)))
        return
    phonemes = len(official_text(phonemize(TEXT), table=TABLE_SIZES["v2"]).ids)
    read = read_bytes_s()
    products = {kind: product_gflop_per_s(getattr(torch, kind)) for kind in ("float32", "bfloat16")}
    products["int8"] = int8_gflop_per_s()
    report: dict[str, Any] = {"threads": options.threads, "phonemes": phonemes, "read_bytes_s": read}
    report |= {"gflop_per_s": products, "bfloat16_pays": bfloat16_pays(), "sizes": {}}
    with tempfile.TemporaryDirectory() as parent:
        for sizes in options.sizes:
            folder = Path(parent) / sizes
            work = make_set(options.parity, sizes, folder)
            best: dict[str, Figures] = {}
            for _ in range(options.rounds):
                for name in PRECISIONS:
                    for key, value in run(folder, name, options.threads).items():
                        kept = best.setdefault(name, {})
                        kept[key] = (max if key.endswith("_bytes") else min)(value, kept.get(key, value))
            file_bytes = (folder / "model.safetensors").stat().st_size
            least = floors(work, read, products)
            report["sizes"][sizes] = {"best": best, "floors": least, "file_bytes": file_bytes, "gflop_for_1_s": work}
    if options.json:
        print(json.dumps(report, indent=1))
        return
    rates = ", ".join(f"{name} {rate:.0f}" for name, rate in products.items())
    print(f"{options.threads} threads, best of {options.rounds}, {phonemes} phonemes; bfloat16 pays: {bfloat16_pays()}")
    print(f"floors: memory {read / 1e9:.1f} GB/s; GFLOP/s of a matrix product: {rates}")
    for sizes, found in report["sizes"].items():
        print(
            f"\n{sizes}: file {found['file_bytes'] / 1e6:.0f} MB, SoVITS {found['gflop_for_1_s']:.1f} GFLOP for 1 s\n"
        )
        print("\n".join(table(found["best"], found["floors"])))


if __name__ == "__main__":
    main()
