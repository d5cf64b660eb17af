"""How fast the semantic GPT writes at its published size (v2's is v2ProPlus' too): each form of its weights, and peers.

    python benchmarks/gpt_sovits.py [--rounds 3] [--threads 2] [--codes 200] [--reference FOLDER] [--peer FOLDER]
                                    [--genie FOLDER] [--gate 50] [--json] [--all]

Weights are random, by the rule in `fill.py` of the folder of reference numbers (YINSE_PARITY, else ../shared/parity).
Every contestant is a process of its own, told to write the same codes in turn, round by round, so that what else the
machine does falls on all; the best round counts. The limit is what reading the weights alone would take at the speed
at which this machine reads memory.

With `--all`, SoVITS (`gpt_sovits_decoder.py`) and the whole synthesis (`gpt_sovits_synthesis.py`) are measured behind
it, both at v2's and v2ProPlus' size.

The peers: pip install --no-deps --target FOLDER gpt-sovits-cpufast torchmetrics lightning-utilities; for genie-tts see
`genie.py`.
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
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from int8_native import native_gate
from safetensors import safe_open
from safetensors.torch import save_file

from yinse.models.semantic_gpt import SemanticConfig, SemanticGPT, official_keys
from yinse.models.semantic_precision import agreement, prepare
from yinse.models.semantic_sampling import SamplingOptions
from yinse.models.semantic_writing import SemanticText, write, write_batch

CONFIG = SemanticConfig()
SEED = 211
PHONEMES, PROMPT, BATCH = 100, 100, 8
LINEARS = CONFIG.layers * (4 * CONFIG.width**2 + 2 * CONFIG.width * CONFIG.inner)
# bytes of weights that one code reads, and how each contestant keeps them
FORMS = {"exact": 2, "int8": 1, "plain": 4, "peer": 4, "genie": 4}
MODES = {
    "exact": "Yinse, exact (fp32 arithmetic, weights in fp16)",
    "int8": "Yinse, int8",
    "plain": "Yinse, torch linear layers in fp32",
    "peer": "gpt-sovits-cpufast, fp32",
    "genie": "genie-tts, fp32, draws",
}
Round = dict[str, Any]


def make_weights(reference: Path, path: Path) -> None:
    """Write weights of the published size; no code is the end token."""
    spec = importlib.util.spec_from_file_location("fill", reference / "fill.py")
    fill = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fill)
    with torch.device("meta"):
        shapes = {name: tuple(value.shape) for name, value in SemanticGPT(CONFIG).state_dict().items()}
    tensors = {
        ours: torch.from_numpy(fill.tensor(theirs, shapes[ours], SEED)).half()
        for theirs, ours in official_keys(CONFIG).items()
    }
    tensors["logits.weight"][-1] = 0
    save_file(tensors, path)


def load(path: Path, mode: str) -> SemanticGPT:
    """The model from memory-mapped half-precision weights."""
    with torch.device("meta"):
        model = SemanticGPT(CONFIG)
    with safe_open(str(path), framework="pt") as file:
        model.load_state_dict({name: file.get_tensor(name) for name in file.keys()}, assign=True)  # noqa: SIM118
    if mode == "plain":
        return model.float().eval()
    prepare(model, "int8" if mode == "int8" else "exact")
    return model


def text(seed: int, length: int = PHONEMES) -> SemanticText:
    chance = torch.Generator().manual_seed(seed)
    phonemes = torch.randint(CONFIG.phonemes, (length,), generator=chance)
    return SemanticText(phonemes, torch.randn(length, CONFIG.context_size, generator=chance))


def prompt(seed: int) -> torch.Tensor:
    return torch.randint(CONFIG.end, (PROMPT,), generator=torch.Generator().manual_seed(seed))


def greedy(codes: int) -> SamplingOptions:
    return SamplingOptions(top_k=1, maximum_codes=codes, cut_drops_first=False, batch_cut_drops_last=False)


def ours(path: Path, mode: str) -> tuple[Callable[[int], list[int]], Callable[[int], object] | None]:
    model = load(path, mode)
    texts = [text(seed) for seed in range(BATCH)]

    def one(codes: int) -> list[int]:
        return write(model, texts[0], prompt(0), options=greedy(codes)).codes.tolist()

    def several(codes: int) -> object:
        return write_batch(model, texts, prompt(0), options=greedy(codes), generators=[None] * BATCH)

    return one, several


def peer(path: Path) -> tuple[Callable[[int], list[int]], None]:
    from AR.models.t2s_model import Text2SemanticDecoder

    sizes = {
        "hidden_dim": CONFIG.width,
        "embedding_dim": CONFIG.width,
        "head": CONFIG.heads,
        "n_layer": CONFIG.layers,
        "vocab_size": CONFIG.codes,
        "phoneme_vocab_size": CONFIG.phonemes,
        "dropout": 0,
        "EOS": CONFIG.end,
        "linear_units": CONFIG.inner,
    }
    model = Text2SemanticDecoder({"model": sizes}).eval()
    keys = official_keys(CONFIG)
    with safe_open(str(path), framework="pt") as file:
        model.load_state_dict({theirs: file.get_tensor(name).float() for theirs, name in keys.items()})
    model.rebuild_t2s_transformer()
    model.release_inference_only_unused_modules()
    first = text(0)

    @torch.inference_mode()
    def one(codes: int) -> list[int]:
        written, _ = model.infer_panel(
            first.phonemes[None],
            torch.tensor([PHONEMES]),
            prompt(0)[None],
            first.context.T[None],
            top_k=1,
            top_p=1.0,
            temperature=1.0,
            early_stop_num=codes - 1,
        )
        return written[0, PROMPT:].tolist()

    return one, None


def genie(path: Path) -> tuple[Callable[[int], list[int]], None]:
    from genie import Writer

    keys = official_keys(CONFIG)
    with safe_open(str(path), framework="pt") as file:
        writer = Writer(
            Path(os.environ["PYTHONPATH"].split(os.pathsep)[0]),
            lambda name: file.get_tensor(keys[name]).float().numpy(),
            threads=int(os.environ["OMP_NUM_THREADS"]),
        )
    first = text(0)
    told = (first.phonemes.numpy(), first.context.numpy(), prompt(0).numpy())
    return lambda codes: writer.write(*told, codes), None


def timed(task: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall seconds, processor seconds, result."""
    wall, processor = time.perf_counter(), time.process_time()
    result = task()
    return time.perf_counter() - wall, time.process_time() - processor, result


def peak_bytes() -> int:
    """The most memory that this process had so far (Linux).

    `getrusage` would tell more: it counts what the process that started this one had.
    """
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) * 1024


def contestant(mode: str, path: Path, codes: int) -> None:
    """Load, then one round per line on standard input; figures as JSON on standard output."""
    makers = {"peer": peer, "genie": genie}
    load_s, _, (one, several) = timed(lambda: makers[mode](path) if mode in makers else ours(path, mode))
    for _ in sys.stdin:
        # two lengths: their difference is codes alone, without the prefill
        short_s, short_cpu_s, _ = timed(lambda: one(2))
        long_s, long_cpu_s, written = timed(lambda: one(codes))
        figures: Round = {
            "load_s": load_s,
            "prefill_s": short_s - 2 * (long_s - short_s) / (codes - 2),
            "token_ms": 1000 * (long_s - short_s) / (codes - 2),
            "token_cpu_ms": 1000 * (long_cpu_s - short_cpu_s) / (codes - 2),
            "peak_bytes": peak_bytes(),
            "codes": written,
        }
        if several is not None:
            short_s, _, _ = timed(lambda: several(2))
            long_s, _, _ = timed(lambda: several(codes))
            figures["batch_token_ms"] = 1000 * (long_s - short_s) / (codes - 2) / BATCH
        sys.stdout.write(json.dumps(figures) + "\n")
        sys.stdout.flush()


def race(
    modes: Sequence[str], path: Path, *, rounds: int, codes: int, threads: int, packages: dict[str, list[Path]]
) -> dict[str, Round]:
    """Each contestant's best round; `packages` are folders that a peer is imported from."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    best: dict[str, Round] = {}
    with ExitStack() as stack:
        running = {}
        for mode in modes:
            command = [sys.executable, __file__, "--contestant", mode, str(path), "--codes", str(codes)]
            places = [*map(str, packages.get(mode, [])), os.environ.get("PYTHONPATH", "")]
            own = environment | {"PYTHONPATH": os.pathsep.join(places)}
            process = subprocess.Popen(command, env=own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            running[mode] = stack.enter_context(process)
        for _ in range(rounds):
            for mode, process in running.items():
                process.stdin.write("\n")
                process.stdin.flush()
                figures = json.loads(process.stdout.readline())
                kept = best.setdefault(mode, figures)
                for name, value in figures.items():
                    if name != "codes":
                        kept[name] = max(kept[name], value) if name == "peak_bytes" else min(kept[name], value)
    return best


def read_bytes_s() -> float:
    """How fast this machine reads memory, best of several."""
    data = torch.ones(LINEARS)
    return data.nbytes / min(timed(data.max)[0] for _ in range(12))


def gate(path: Path, count: int) -> dict[str, float]:
    """The quality gate of int8 on that many prompts, told 30 codes that the exact model wrote to each."""
    exact, reduced = load(path, "exact"), load(path, "int8")
    spoken = []
    for seed in range(count):
        given, start = text(seed, 40 + seed % 40), prompt(seed)
        codes = write(exact, given, start, options=greedy(30)).codes
        spoken.append((given, torch.cat([start, codes])))
    found = agreement(exact, reduced, spoken, start=PROMPT)
    return {"likeliest": found.likeliest, "divergence": found.divergence, "steps": found.steps, "prompts": count}


def table(best: dict[str, Round], speed: float) -> list[str]:
    """Rows for the terminal."""
    rows = [
        "| contestant | codes/s | limit | ms/code (CPU) | batch of 8, codes/s | prefill s | load s | peak GB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for mode, found in best.items():
        together = 1000 / found["batch_token_ms"] if "batch_token_ms" in found else None
        cells = [
            MODES[mode],
            f"{1000 / found['token_ms']:.0f}",
            f"{speed / (LINEARS * FORMS[mode]):.0f}",
            f"{found['token_ms']:.1f} ({found['token_cpu_ms']:.1f})",
            "-" if together is None else f"{together:.0f}",
            f"{found['prefill_s']:.2f}",
            f"{found['load_s']:.2f}",
            f"{found['peak_bytes'] / 1e9:.2f}",
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--codes", type=int, default=200, help="25 are a second of speech")
    beside = Path(__file__).resolve().parents[2] / "shared" / "parity"
    parser.add_argument("--reference", type=Path, default=Path(os.environ.get("YINSE_PARITY") or beside))
    parser.add_argument("--peer", type=Path, help="folder with the packages of gpt-sovits-cpufast")
    parser.add_argument("--genie", type=Path, help="folder with the packages of genie-tts")
    parser.add_argument("--all", action="store_true", help="measure SoVITS and the whole synthesis, too")
    parser.add_argument("--gate", type=int, default=0, help="prompts of the quality gate; 0: leave it out")
    parser.add_argument("--modes", nargs="+", choices=list(MODES), default=["exact", "int8", "plain"])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--contestant", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contestant:
        mode, path = options.contestant
        contestant(mode, Path(path), options.codes)
        return
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "semantic.safetensors"
        make_weights(options.reference, path)
        packages = {}
        if options.peer:
            packages["peer"] = [options.peer / "GPT_SoVITS", options.peer]
        if options.genie:
            packages["genie"] = [options.genie]
        modes = [*options.modes, *packages]
        best = race(modes, path, rounds=options.rounds, codes=options.codes, threads=options.threads, packages=packages)
        speed = read_bytes_s()
        report: dict[str, Any] = {"read_bytes_s": speed, "threads": options.threads, "best": best}
        if options.gate:
            report["gate"] = gate(path, options.gate)
            report["gate_trained"] = native_gate(options.gate)
    same = {mode for mode in best if best[mode]["codes"] == best["exact"]["codes"]} if "exact" in best else set()
    report["codes_as_exact"] = sorted(same)
    for found in best.values():
        del found["codes"]
    if options.json:
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
        return
    rows = table(best, speed)
    rows.append(f"read: {speed / 1e9:.1f} GB/s, {options.threads} threads; same codes: {', '.join(sorted(same))}")
    if options.gate:
        rows.append(f"gate of int8: {report['gate']}")
        rows.append(f"the same on the trained prosody GPT, see int8_native.py: {report['gate_trained']}")
    sys.stdout.write("\n".join(rows) + "\n")
    sys.stdout.flush()
    if options.all:
        same_way = ["--parity", str(options.reference), "--rounds", str(options.rounds)]
        same_way += ["--threads", str(options.threads), "--sizes", "v2", "v2ProPlus"]
        for name in ("decoder", "synthesis"):
            script = Path(__file__).with_name(f"gpt_sovits_{name}.py")
            peers = ["--genie", str(options.genie)] if options.genie and name == "decoder" else []
            subprocess.run([sys.executable, str(script), *same_way, *peers], check=True)


if __name__ == "__main__":
    main()
