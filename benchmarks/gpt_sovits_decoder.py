"""How fast SoVITS turns codes into sound at the published sizes, and how much memory that takes.

    python benchmarks/gpt_sovits_decoder.py [--parity FOLDER] [--sizes v2 v2ProPlus] [--threads 2] [--rounds 3]
                                            [--genie FOLDER] [--json]

Random weights by the rule of the parity folder, 200 codes (8 s), 60 phonemes, a reference of 250 frames, a batch of
one. Every arrangement runs in a process of its own, in turn, round by round; the best round counts. The weights lie in
half precision in a safetensors file, as in an imported set, and are mapped from it: peaks hold what loading, preparing
and speaking take, not what it took to make them. CPU seconds tell more than the clock where other programs run. The
floor is what the published network's multiplications would take at the speed of this machine's matrix product; the
frequency domain needs fewer of them, so it can lie below.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from gpt_sovits import peak_bytes
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.utils.flop_counter import FlopCounterMode

from yinse.models.sovits import Reference, SoVITS, SoVITSConfig
from yinse.models.sovits_keys import config_from_official, convert_official
from yinse.weights.gpt_sovits import put_weights
from yinse.weights.unfilled import unfilled

CODES, PHONEMES, REFERENCE_FRAMES = 200, 60, 250
ARRANGEMENTS = ("modules", "exact", "bfloat16")
GENIE = "genie-tts"
BANDS = {"v2": (512, (16, 16, 8, 2, 2), 512), "v2ProPlus": (768, (20, 16, 8, 2, 2), 1024)}


def official_shapes(parity: Path, sizes: str) -> dict[str, tuple[int, ...]]:
    """Published names of what speaks, and their shapes."""
    keys = json.loads((parity / f"keys_s2_{sizes}.json").read_text(encoding="utf-8"))
    return {key: tuple(shape) for key, (shape, _) in keys.items() if not key.startswith("enc_q.")}


def official_weights(parity: Path, sizes: str) -> dict[str, torch.Tensor]:
    """Random weights by the parity folder's rule."""
    spec = importlib.util.spec_from_file_location("fill", parity / "fill.py")
    fill = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fill)
    return {key: torch.from_numpy(fill.tensor(key, shape, 18)) for key, shape in official_shapes(parity, sizes).items()}


def config_of(parity: Path, sizes: str) -> SoVITSConfig:
    """A published size."""
    channels, kernels, condition = BANDS[sizes]
    published = {
        "inter_channels": 192,
        "filter_channels": 768,
        "n_heads": 2,
        "n_layers": 6,
        "kernel_size": 3,
        "resblock": "1",
        "resblock_kernel_sizes": [3, 7, 11],
        "resblock_dilation_sizes": [[1, 3, 5]] * 3,
        "upsample_rates": [10, 8, 2, 2, 2],
        "upsample_initial_channel": channels,
        "upsample_kernel_sizes": kernels,
        "gin_channels": condition,
    }
    return config_from_official(published, official_shapes(parity, sizes))


def make_sovits(parity: Path, sizes: str, path: Path) -> SoVITSConfig:
    """Write random weights of a published size, in half precision and by our names."""
    weights = convert_official(official_weights(parity, sizes)).weights
    save_file({name: value.half().contiguous() for name, value in weights.items()}, path)
    return config_of(parity, sizes)


def load(path: Path, config: SoVITSConfig) -> SoVITS:
    """The model of such a file, as that of an imported set is loaded."""
    with unfilled():
        model = SoVITS(config)
    put_weights(model, load_file(path), where=str(path))
    return model


@torch.inference_mode()
def measure(options: argparse.Namespace) -> dict[str, object]:
    """Time and memory of one arrangement, and its waveform's log spectrum to compare with."""
    torch.set_num_threads(options.threads)
    imports_bytes = peak_bytes()
    model = load(options.weights, config_of(options.parity, options.sizes[0]))
    loaded_bytes = peak_bytes()
    before = time.perf_counter()
    if options.arrangement != "modules":
        model.prepare(options.arrangement)
    prepared_s = time.perf_counter() - before
    generator = torch.Generator().manual_seed(1)
    config = model.config
    codes = torch.randint(config.codes, (1, CODES), generator=generator)
    phonemes = torch.randint(config.phonemes, (1, PHONEMES), generator=generator)
    speaker = torch.randn(1, config.speaker_vector, generator=generator) if config.speaker_vector else None
    spectrum = torch.rand(1, config.spectrogram.fft_samples // 2 + 1, REFERENCE_FRAMES, generator=generator)
    noise = torch.randn(1, config.latent, model.latent_frames(CODES), generator=generator)

    def decode() -> tuple[torch.Tensor, float]:
        condition = model.condition([Reference(spectrum, speaker)])
        latent = model.sample(model.infer_prior(codes, phonemes, condition), condition, noise=noise, noise_scale=0.5)
        generator_begins_s = time.process_time()
        return model.generator(latent, condition)[0], generator_begins_s

    samples, _ = decode()
    rows = []
    for _ in range(2):
        clock_s, cpu_s = time.perf_counter(), time.process_time()
        samples, generator_begins_s = decode()
        end_s = time.process_time()
        rows.append((time.perf_counter() - clock_s, end_s - cpu_s, generator_begins_s - cpu_s))
    length_s = len(samples) / config.sample_rate_hz
    result: dict[str, object] = {
        "real_time_factor": min(row[0] for row in rows) / length_s,
        "cpu_s_per_s": min(row[1] for row in rows) / length_s,
        "before_generator_cpu_s_per_s": min(row[2] for row in rows) / length_s,
        "prepared_s": prepared_s,
        "imports_bytes": imports_bytes,
        "loaded_bytes": loaded_bytes,
        "peak_bytes": peak_bytes(),
    }
    if options.arrangement == "modules":
        with FlopCounterMode(display=False) as counter:
            decode()
        result["gflop_per_s"] = counter.get_total_flops() / length_s / 1e9
    samples.numpy().tofile(options.samples)
    return result


def measure_genie(options: argparse.Namespace) -> dict[str, float]:
    """Time and memory of genie-tts (see `genie.py`), which hears the timbre anew each time at v2's size."""
    from genie import session

    (sizes,), imports_bytes = options.sizes, peak_bytes()
    with safe_open(str(options.weights), framework="pt") as file:
        graph = session(
            options.genie,
            f"{sizes}/Models/vits_fp32.onnx",
            lambda name: file.get_tensor(name.removeprefix("vq_model.")).float().numpy(),
            threads=options.threads,
        )
    loaded_bytes, chance = peak_bytes(), np.random.default_rng(1)
    told = {
        "text_seq": chance.integers(700, size=(1, PHONEMES)),
        "pred_semantic": chance.integers(1024, size=(1, 1, CODES)),
        "ref_audio": 0.1 * chance.normal(size=(1, REFERENCE_FRAMES * 640)).astype(np.float32),
        "ge": chance.normal(size=(1, 1024, 1)).astype(np.float32),
        "ge_advanced": chance.normal(size=(1, 512, 1)).astype(np.float32),
    }
    told = {given.name: told[given.name] for given in graph.get_inputs()}
    rows = []
    for _ in range(3):
        clock_s, cpu_s = time.perf_counter(), time.process_time()
        (samples,) = graph.run(None, told)
        rows.append((time.perf_counter() - clock_s, time.process_time() - cpu_s))
    length_s = samples.size / 32_000
    return {
        "real_time_factor": min(row[0] for row in rows) / length_s,
        "cpu_s_per_s": min(row[1] for row in rows) / length_s,
        "imports_bytes": imports_bytes,
        "loaded_bytes": loaded_bytes,
        "peak_bytes": peak_bytes(),
    }


def run(options: argparse.Namespace, sizes: str, arrangement: str, weights: Path, samples: Path) -> dict[str, float]:
    """`measure` in a process of its own."""
    command = [sys.executable, __file__, "--parity", str(options.parity), "--sizes", sizes, "--weights", str(weights)]
    command += ["--threads", str(options.threads), "--arrangement", arrangement, "--samples", str(samples)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    if arrangement == GENIE:
        command += ["--genie", str(options.genie)]
        environment["PYTHONPATH"] = os.pathsep.join([str(options.genie), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def log_spectral_difference_db(first: Path, second: Path) -> float:
    """Root mean square difference of log spectra over frequency, mean over time."""
    window = torch.hann_window(1024)
    logs = [
        torch.stft(torch.from_numpy(np.fromfile(path, np.float32)), 1024, 256, window=window, return_complex=True)
        .abs()
        .clamp_min(1e-5)
        .log10()
        * 20
        for path in (first, second)
    ]
    return float((logs[0] - logs[1]).square().mean(dim=0).sqrt().mean())


def product_gflop_per_s(precision: torch.dtype) -> float:
    """Speed of a large matrix product."""
    left, right = (torch.randn(1536, 1536).to(precision) for _ in range(2))
    times_s = []
    for _ in range(8):
        begin_s = time.perf_counter()
        left @ right
        times_s.append(time.perf_counter() - begin_s)
    return 2 * 1536**3 / min(times_s) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parity = Path(__file__).resolve().parents[2] / "shared" / "parity"
    parser.add_argument("--parity", type=Path, default=parity, help="folder with fill.py and keys_s2_*.json")
    parser.add_argument("--sizes", nargs="+", choices=BANDS, default=["v2"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--genie", type=Path, help="folder with the packages of genie-tts")
    parser.add_argument("--arrangement", choices=(*ARRANGEMENTS, GENIE), help=argparse.SUPPRESS)
    parser.add_argument("--weights", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--samples", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.arrangement:
        print(json.dumps(measure_genie(options) if options.arrangement == GENIE else measure(options)))
        return
    torch.set_num_threads(options.threads)
    products = {str(kind)[6:]: product_gflop_per_s(kind) for kind in (torch.float32, torch.bfloat16)}
    found: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        samples = {name: Path(folder) / name for name in ARRANGEMENTS}
        for sizes in options.sizes:
            best = found.setdefault(sizes, {})
            weights = Path(folder) / f"{sizes}.safetensors"
            make_sovits(options.parity, sizes, weights)
            if options.genie:
                # its graphs keep weights split into length and direction, as the files do
                split = {name: value.half() for name, value in official_weights(options.parity, sizes).items()}
                save_file(split, Path(folder) / f"{sizes}.official.safetensors")
            for _ in range(options.rounds):
                for name in (*ARRANGEMENTS, GENIE) if options.genie else ARRANGEMENTS:
                    given = weights.with_suffix(".official.safetensors") if name == GENIE else weights
                    row = run(options, sizes, name, given, samples.get(name, weights))
                    kept = best.setdefault(name, row)
                    best[name] = {
                        key: (max if key.endswith("_bytes") else min)(value, kept[key]) for key, value in row.items()
                    }
            for name in ARRANGEMENTS[1:]:
                best[name]["difference_db"] = log_spectral_difference_db(samples["modules"], samples[name])
    if options.json:
        print(json.dumps({"threads": options.threads, "gflop_per_s": products, "sizes": found}, indent=1))
        return
    rates = ", ".join(f"{name} {rate:.0f}" for name, rate in products.items())
    print(f"{options.threads} threads, best of {options.rounds}; GFLOP/s of a matrix product: {rates}\n")
    print(
        "| | real-time factor | CPU s per s | of it before the generator | preparing, s "
        "| peak, MB: imports; loaded; after speaking | difference, dB |"
    )
    print("|---|---|---|---|---|---|---|")
    for sizes, rows in found.items():
        for name, row in rows.items():
            shown = [row.get(key) for key in ("real_time_factor", "cpu_s_per_s", "before_generator_cpu_s_per_s")]
            numbers = " | ".join("–" if number is None else f"{number:.3f}" for number in shown)
            peaks = "; ".join(f"{row[f'{name}_bytes'] / 1e6:.0f}" for name in ("imports", "loaded", "peak"))
            rest = f"{row.get('prepared_s', 0):.2f} | {peaks} | {row.get('difference_db', 0):.2f}"
            print(f"| {sizes}, {name} | {numbers} | {rest} |")
        work = rows["modules"]["gflop_per_s"]
        floors = ", ".join(f"{name} {work / rate:.3f}" for name, rate in products.items())
        print(f"\nfloor of {sizes}, {work:.1f} GFLOP for a second: {floors}\n")


if __name__ == "__main__":
    main()
