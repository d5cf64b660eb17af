"""Fits the network that reads the signal-to-noise ratio off band levels, on development speech and noises.

    python benchmarks/fit_snr.py DATA OUT.safetensors [--mixtures 16000] [--seed 0]

DATA is the folder of speech packs and noises. What is fitted never hears a test noise or a test person; a sixth of
the speakers is kept out to see when to stop. Its figures on the test files are a row of `benchmarks/frontend.py`.

The shipped weights are from `--mixtures 9000`, before chirps, crickets and clanks were among the noises; this script
makes others, which have not been compared with them yet.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from mixtures import load_noise, load_speech, noises, own_snr_db, speech, speech_and_floor_power
from numpy.typing import NDArray
from safetensors.numpy import save
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from yinse.audio.snr import band_levels_db, snr_features
from yinse.core.files import WholeFile
from yinse.core.types import AudioClip

RATE_HZ = 24_000
PACKS = {"en_librispeech": 320, "zh_en_kokoro": 240}
CLEANEST_DB = 38.0
HIDDEN = 48


def coloured(length: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Noise with a random smooth spectrum that may swell and beat."""
    points = random.integers(3, 12)
    frequencies = np.fft.rfftfreq(length, 1 / RATE_HZ)
    slope = random.uniform(-1.5, 0.3)
    shape_db = np.interp(
        np.log(frequencies + 20), np.linspace(3, 9.4, points), random.normal(0, 10, points)
    ) + 20 * slope * np.log10((frequencies + 50) / 1000)
    noise = np.fft.irfft(np.fft.rfft(random.normal(size=length)) * 10 ** (shape_db / 20), length)
    times = np.arange(length) / RATE_HZ
    depth = random.choice([0.0, 0.0, random.uniform(0, 0.9)])
    return np.asarray(noise * (1 + depth * np.sin(2 * np.pi * random.uniform(0.1, 12) * times + random.uniform(0, 6))))


def keys(length: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Short knocks at random times over faint air."""
    noise = 0.02 * coloured(length, random)
    for place in random.integers(0, length, size=int(length / RATE_HZ * random.uniform(1, 8)) + 1):
        size = min(length - place, round(random.uniform(0.004, 0.06) * RATE_HZ))
        noise[place : place + size] += random.normal(size=size) * np.exp(-np.arange(size) / (0.2 * size + 1))
    return noise


def chirps(length: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Short whistles that glide, as birds make them, over faint air."""
    noise = random.uniform(0.001, 0.05) * coloured(length, random)
    pitch_hz, notes_per_s = random.uniform(1_500, 7_000), random.uniform(0.5, 10)
    for place in random.integers(0, length, size=int(length / RATE_HZ * notes_per_s) + 1):
        size = min(length - place, round(random.uniform(0.02, 0.35) * RATE_HZ))
        glide = np.linspace(*(pitch_hz * random.uniform(0.7, 1.4, size=2)), size)
        glide = glide * (1 + random.uniform(0, 0.1) * np.sin(np.arange(size) * random.uniform(0, 300) / RATE_HZ))
        noise[place : place + size] += (
            random.uniform(0.2, 1) * np.hanning(size) * np.sin(2 * np.pi * np.cumsum(glide) / RATE_HZ)
        )
    return noise


def crickets(length: int, random: np.random.Generator) -> NDArray[np.float64]:
    """High tones that beat fast, in trains or without an end."""
    times = np.arange(length) / RATE_HZ
    noise = random.uniform(0.005, 0.3) * coloured(length, random)
    for _ in range(random.integers(1, 4)):
        beat = np.maximum(0.0, np.sin(2 * np.pi * random.uniform(10, 60) * times + random.uniform(0, 6)))
        train = np.sin(2 * np.pi * random.uniform(0.2, 3) * times + random.uniform(0, 6)) > random.uniform(-1.2, 0.6)
        noise += random.uniform(0.2, 1) * beat * train * np.sin(2 * np.pi * random.uniform(2_500, 7_500) * times)
    return noise


def clanks(length: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Things that are struck and ring."""
    noise = random.uniform(0.001, 0.05) * coloured(length, random)
    for place in random.integers(0, length, size=int(length / RATE_HZ * random.uniform(0.5, 5)) + 1):
        size = min(length - place, round(random.uniform(0.05, 0.6) * RATE_HZ))
        since = np.arange(size) / RATE_HZ
        for ring_hz in random.uniform(300, 8_000, size=random.integers(1, 6)):
            noise[place : place + size] += (
                random.uniform(0.1, 1) * np.exp(-since * random.uniform(5, 60)) * np.sin(2 * np.pi * ring_hz * since)
            )
    return noise


def hum(length: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Mains or a motor: harmonics of a steady tone over air."""
    times = np.arange(length) / RATE_HZ
    f0 = random.choice([50.0, 60.0, random.uniform(40, 400)])
    partials = sum(
        random.uniform(0, 1) / k * np.sin(2 * np.pi * k * f0 * times + random.uniform(0, 6)) for k in range(1, 20)
    )
    air = coloured(length, random)
    return np.asarray(partials + random.uniform(0.02, 1.0) * air / (air.std() + 1e-9))


def babble(length: int, voices: list[AudioClip], random: np.random.Generator) -> NDArray[np.float64]:
    """Several people at once."""
    people = random.integers(3, 12)
    chosen = [voices[i].samples for i in random.integers(len(voices), size=people)]
    return np.asarray(
        sum(
            np.resize(np.roll(one, int(random.integers(len(one)))), length).astype(np.float64) / (one.std() + 1e-9)
            for one in chosen
        )
    )


MADE = {"keys": keys, "hum": hum, "chirps": chirps, "crickets": crickets, "clanks": clanks}


def a_noise(
    length: int, recorded: list[AudioClip], voices: list[AudioClip], random: np.random.Generator
) -> NDArray[np.float64]:
    """One of the development noises, at a random speed, or one made by rule."""
    kinds = {"recorded": 0.42, "babble": 0.12, "coloured": 0.18} | dict.fromkeys(MADE, 0.28 / len(MADE))
    kind = str(random.choice(list(kinds), p=list(kinds.values())))
    if kind == "recorded":
        samples = recorded[random.integers(len(recorded))].samples.astype(np.float64)
        speed = random.uniform(0.7, 1.4)
        start = random.integers(len(samples))
        rolled = np.roll(samples, -start)
        places = (np.arange(length) * speed) % (len(rolled) - 1)
        noise = np.interp(places, np.arange(len(rolled)), rolled)
        if random.random() < 0.3:
            noise = noise / noise.std() + random.uniform(0.1, 1) * coloured(length, random)
        return np.asarray(noise)
    if kind == "babble":
        return babble(length, voices, random)
    return (MADE | {"coloured": coloured})[kind](length, random)


def room(random: np.random.Generator) -> NDArray[np.float64]:
    """A room's response: the direct sound and an exponential tail."""
    tail_s = random.uniform(0.1, 0.7)
    times = np.arange(round(tail_s * RATE_HZ)) / RATE_HZ
    response = random.normal(size=len(times)) * 10 ** (-3 * times / tail_s)
    response *= 10 ** (-random.uniform(2, 15) / 20) / np.sqrt(np.sum(response**2))
    response[0] = 1.0
    return np.asarray(response)


def buzz(random: np.random.Generator) -> AudioClip:
    """A voice made by rule: harmonics that swell like syllables, with pauses; what odd voices have in common."""
    length = round(random.uniform(2.0, 8.0) * RATE_HZ)
    times = np.arange(length) / RATE_HZ
    f0 = random.uniform(80, 280) * 2 ** (random.uniform(0, 0.3) * np.sin(2 * np.pi * random.uniform(0.3, 2) * times))
    source = np.cumsum(f0) / RATE_HZ % 1.0 - 0.5
    for centre in random.uniform(300, 3500, size=random.integers(0, 4)):
        radius = np.exp(-np.pi * 120.0 / RATE_HZ)
        source = lfilter([1.0 - radius], [1.0, -2 * radius * np.cos(2 * np.pi * centre / RATE_HZ), radius**2], source)
    swell = 0.6 + 0.4 * np.cos(2 * np.pi * random.uniform(2, 6) * times)
    on = np.interp(times, np.linspace(0, times[-1], 12), random.choice([0.0, 1.0, 1.0], size=12)) > 0.3
    samples = source / np.abs(source).max() * swell * on + 1e-5 * random.normal(size=length)
    return AudioClip((0.3 * samples).astype(np.float32), RATE_HZ)


def mixture(clean: list[AudioClip], recorded: list[AudioClip], random: np.random.Generator) -> tuple[AudioClip, float]:
    """A recording as people make them, and its true ratio."""
    clip = clean[random.integers(len(clean))] if random.random() > 0.05 else buzz(random)
    samples = clip.samples.astype(np.float64)
    wanted_s = random.uniform(1.5, 8.0)
    if random.random() < 0.8 and len(samples) > wanted_s * RATE_HZ:
        start = random.integers(len(samples) - round(wanted_s * RATE_HZ))
        samples = samples[start : start + round(wanted_s * RATE_HZ)]
    voice, floor = speech_and_floor_power(AudioClip(samples.astype(np.float32), RATE_HZ))
    pads = [round(random.choice([0.0, random.exponential(0.5)]) * RATE_HZ) for _ in range(2)]
    samples = np.pad(samples, pads)
    if random.random() < 0.25:
        samples = fftconvolve(samples, room(random))[: len(samples)]
    noise = a_noise(len(samples), recorded, clean, random)
    snr_db = random.uniform(-10.0, 52.0)
    power = voice / 10 ** (snr_db / 10)
    noise *= np.sqrt(power / max(float(np.mean(noise**2)), 1e-12))
    mixed = samples + noise
    if random.random() < 0.5:  # a microphone's colour
        gain = random.uniform(-0.6, 0.6)
        mixed = lfilter([1.0, gain], [1.0], mixed)
    if random.random() < 0.15:  # a narrow line
        mixed = sosfilt(butter(6, random.uniform(3_000, 9_000), fs=RATE_HZ, output="sos"), mixed)
    mixed *= random.uniform(0.05, 0.9) / np.abs(mixed).max()
    return AudioClip(mixed.astype(np.float32), RATE_HZ), float(10 * np.log10(voice / (power + floor)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--mixtures", type=int, default=16_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    random = np.random.default_rng(chosen.seed)
    recorded = [load_noise(path, RATE_HZ) for path in noises(chosen.data, development=True)]
    groups: list[list[AudioClip]] = [[], []]  # for fitting, for stopping
    for pack, count in PACKS.items():
        found = speech(chosen.data, development=True, packs=[pack])
        people = sorted({one.speaker for one in found})
        stopping = set(people[::6])
        for index in random.permutation(len(found))[:count]:
            clip = load_speech(found[index].path, RATE_HZ)
            if own_snr_db(clip) >= CLEANEST_DB:
                groups[found[index].speaker in stopping].append(clip)
    sets = []
    for clean, count in zip(groups, (chosen.mixtures, chosen.mixtures // 8), strict=True):
        rows, labels = [], []
        while len(rows) < count:
            heard, snr_db = mixture(clean, recorded, random)
            levels_db = band_levels_db(heard)
            if levels_db is not None:
                rows.append(snr_features(levels_db))
                labels.append(snr_db)
        sets.append((np.stack(rows), np.array(labels, dtype=np.float32)))
    tensors = fit(sets[0], sets[1], seed=chosen.seed)
    with WholeFile(chosen.out) as file:
        file.write(save(tensors))


Examples = tuple[NDArray[np.float32], NDArray[np.float32]]


def fit(training: Examples, stopping: Examples, *, seed: int, epochs: int = 60) -> dict[str, NDArray[np.float32]]:
    """A network of two hidden layers, by the mean absolute error; the epoch that is best on unheard people."""
    torch.manual_seed(seed)
    mean, spread = training[0].mean(axis=0), training[0].std(axis=0) + 1e-3
    width = training[0].shape[1]
    network = torch.nn.Sequential(
        torch.nn.Linear(width, HIDDEN), torch.nn.ReLU(), torch.nn.Dropout(0.1),
        torch.nn.Linear(HIDDEN, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 1),
    )  # fmt: skip
    torch.nn.init.constant_(network[5].bias, 20.0)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    inputs, labels = torch.from_numpy((training[0] - mean) / spread), torch.from_numpy(training[1])
    held, truth = torch.from_numpy((stopping[0] - mean) / spread), torch.from_numpy(stopping[1])
    best, kept = float("inf"), {}
    for epoch in range(epochs):
        network.train()
        for batch in torch.randperm(len(inputs)).split(128):
            noise = 0.05 * torch.randn_like(inputs[batch])
            loss = torch.nn.functional.smooth_l1_loss(network(inputs[batch] + noise)[:, 0], labels[batch], beta=2.0)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
        network.eval()
        with torch.inference_mode():
            errors = (network(held)[:, 0] - truth).abs()
        within = (truth >= 0) & (truth <= 40)
        if errors[within].mean() < best:
            best = float(errors[within].mean())
            kept = {name: value.clone() for name, value in network.state_dict().items()}
            print(f"epoch {epoch}: {best:.2f} dB, median {errors[within].median():.2f}, "
                  f"95 % {errors[within].quantile(0.95):.2f}")  # fmt: skip
    linear = [name.split(".")[0] for name in kept if name.endswith("weight")]
    tensors = {"mean": mean.astype(np.float32), "spread": spread.astype(np.float32)}
    for place, name in enumerate(linear):
        tensors[f"weight{place}"] = kept[f"{name}.weight"].T.contiguous().numpy().astype(np.float32)
        tensors[f"bias{place}"] = kept[f"{name}.bias"].numpy().astype(np.float32)
    return tensors


if __name__ == "__main__":
    main()
