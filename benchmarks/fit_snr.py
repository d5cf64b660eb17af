"""Fits what reads the signal-to-noise ratio where a denoiser parted voice and noise, on development files only.

    python benchmarks/fit_snr.py DATA OUT.safetensors [--scenes 1600] [--jobs 1] [--seed 0]

DATA is the folder of speech packs and noises. A scene is speech of somebody from base training in a noise for
development or in one made by rule, at -8 to 50 dB, in a room or not; what is fitted never hears a test noise or a test
person. Where kinds of noise are left out in turn, the error on them is printed. The same seed gives the same weights,
however many jobs. A third of a second of processor time a scene. OUT is shipped as
`src/yinse/audio/data/parted_snr.safetensors`; figures on the test files are a row of `benchmarks/frontend.py`.

With `--bands` it fits the network that reads band levels alone, without a denoiser, `snr.safetensors` instead. The
shipped one is older: it never met chirps, crickets and clanks.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from mixtures import load_noise, load_speech, noises, own_snr_db, speech, speech_and_floor_power, spoken_samples
from numpy.typing import NDArray
from safetensors.numpy import save
from scipy.ndimage import zoom
from scipy.signal import butter, fftconvolve, istft, lfilter, sosfilt, stft

from yinse.audio.denoise import make_denoiser
from yinse.audio.parted_snr import parted_features
from yinse.audio.resample import resample
from yinse.audio.rumble import without_rumble
from yinse.audio.snr import band_levels_db, estimate_snr_db, snr_features
from yinse.core.files import WholeFile
from yinse.core.types import AudioClip

RATE_HZ = 24_000
PACKS = {"en_librispeech": 150, "zh_en_kokoro": 110, "en_kathleen": 30}
CLEANEST_DB = 38.0
HIDDEN = 48
FITTED_DB = (-10.0, 42.0)
RIDGE, KERNEL_RIDGE, NARROWNESS = 30.0, 0.4, 1.0
TURNS = 6
BANDS_FROM = 1_000_000  # scenes of their own


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


def played(recording: AudioClip, length: int, random: np.random.Generator) -> NDArray[np.float64]:
    """A stretch of a recorded noise at a random speed, heard through another microphone."""
    samples = recording.samples.astype(np.float64)
    rolled = np.roll(samples, -int(random.integers(len(samples))))
    noise = np.interp(
        (np.arange(length) * random.uniform(0.7, 1.4)) % (len(rolled) - 1), np.arange(len(rolled)), rolled
    )
    if random.random() < 0.5:
        frequencies = np.fft.rfftfreq(length, 1 / RATE_HZ)
        gains_db = random.normal(0, 6, size=5)
        noise = np.fft.irfft(
            np.fft.rfft(noise) * 10 ** (np.interp(np.log(frequencies + 20), np.linspace(3, 9.4, 5), gains_db) / 20),
            length,
        )
    return np.asarray(noise / (noise.std() + 1e-9))


def a_noise(
    length: int, recorded: dict[str, AudioClip], voices: list[AudioClip], random: np.random.Generator
) -> tuple[str, NDArray[np.float64]]:
    """One of the development noises or one made by rule, and what it is called."""
    kinds = {"recorded": 0.5, "babble": 0.06, "coloured": 0.12} | dict.fromkeys(MADE, 0.32 / len(MADE))
    kind = str(random.choice(list(kinds), p=list(kinds.values())))
    if kind == "recorded":
        kind = str(random.choice(list(recorded)))
        noise = played(recorded[kind], length, random)
        if random.random() < 0.2:
            noise = noise + random.uniform(0.1, 1) * coloured(length, random)
        return kind, noise
    if kind == "babble":
        return kind, babble(length, voices, random)
    return kind, (MADE | {"coloured": coloured})[kind](length, random)


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


@dataclass(frozen=True)
class Scene:
    """A recording as people make them, and its true ratio.

    Attributes:
        heard: it, `(S,)`.
        snr_db: power of the voice over that of all noise, while there is speech.
        kind: name of the noise.
        stopping: whether the person is one of those who tell when to stop.
    """

    heard: AudioClip
    snr_db: float
    kind: str
    stopping: bool


class Pool:
    """What scenes are made of: clean voices for fitting and for stopping, and development noises."""

    def __init__(self, data: Path, *, seed: int) -> None:
        self.seed = seed
        self.recorded = {path.stem: load_noise(path, RATE_HZ) for path in noises(data, development=True)}
        self.voices: tuple[list[AudioClip], list[AudioClip]] = ([], [])
        random = np.random.default_rng(seed)
        for pack, count in PACKS.items():
            found = speech(data, development=True, packs=[pack])
            stopping = set(sorted({one.speaker for one in found})[::6])
            for index in random.permutation(len(found))[:count]:
                clip = load_speech(found[index].path, RATE_HZ)
                if own_snr_db(clip) >= CLEANEST_DB:
                    self.voices[found[index].speaker in stopping].append(clip)


def scene(pool: Pool, number: int) -> Scene:
    """The scene of a number: always the same for a seed."""
    random = np.random.default_rng((pool.seed, number))
    stopping = bool(random.random() < 1 / 8)
    voices = pool.voices[stopping]
    clip = voices[random.integers(len(voices))] if random.random() > 0.05 else buzz(random)
    if random.random() < 0.5:  # somebody larger or smaller
        clip = resample(AudioClip(clip.samples, round(random.uniform(0.8, 1.25) * RATE_HZ)), RATE_HZ)
    samples = clip.samples.astype(np.float64)
    wanted_s = random.uniform(2.0, 7.0)
    if len(samples) > wanted_s * RATE_HZ:
        start = random.integers(len(samples) - round(wanted_s * RATE_HZ))
        samples = samples[start : start + round(wanted_s * RATE_HZ)]
    before, behind = (round(random.choice([0.0, random.exponential(0.5)]) * RATE_HZ) for _ in range(2))
    samples = np.pad(samples, (before, behind))
    heard = fftconvolve(samples, room(random))[: len(samples)] if random.random() < 0.25 else samples
    kind, noise = a_noise(len(samples), pool.recorded, voices, random)
    signals = [samples, heard, noise]
    if random.random() < 0.5:  # a microphone's colour
        gain = random.uniform(-0.6, 0.6)
        signals = [lfilter([1.0, gain], [1.0], one) for one in signals]
    if random.random() < 0.15:  # a narrow line
        narrow = butter(6, random.uniform(3_000, 9_000), fs=RATE_HZ, output="sos")
        signals = [sosfilt(narrow, one) for one in signals]
    dry, heard, noise = signals
    clip = AudioClip(dry.astype(np.float32), RATE_HZ)
    spoken = spoken_samples(clip)
    _, floor = speech_and_floor_power(AudioClip(clip.samples[before : len(dry) - behind], RATE_HZ))
    voice = float(np.mean(heard[spoken] ** 2))
    power = voice / 10 ** (random.uniform(-8.0, 50.0) / 10)
    noise = noise * np.sqrt(power / max(float(np.mean(noise[spoken] ** 2)), 1e-3 * float(np.mean(noise**2)), 1e-12))
    # Rumble is taken away before a recording is judged: what nobody will hear is not counted.
    audible = without_rumble(AudioClip(noise.astype(np.float32), RATE_HZ)).samples
    power = float(np.mean(np.square(audible[spoken], dtype=np.float64)))
    mixed = heard + noise
    mixed *= random.uniform(0.05, 0.9) / np.abs(mixed).max()
    return Scene(
        without_rumble(AudioClip(mixed.astype(np.float32), RATE_HZ)),
        float(10 * np.log10(voice / (power + floor))),
        kind,
        stopping,
    )


def robbed(speech: AudioClip, random: np.random.Generator) -> AudioClip:
    """What a denoiser leaves of a voice that it takes for noise in part: each band loses a share, which changes."""
    _, times_s, spectra = stft(speech.samples, RATE_HZ, nperseg=512)
    share = random.uniform(0.2, 0.95)
    bands, moments = 6, max(2, round(float(times_s[-1]) / 0.15))
    field = zoom(random.random((bands, moments)), (spectra.shape[0] / bands, spectra.shape[1] / moments), order=1)
    _, left = istft(spectra * (1.0 - share * field), RATE_HZ, nperseg=512)
    fitted = np.pad(left, (0, max(0, len(speech.samples) - len(left))))[: len(speech.samples)]
    return AudioClip(fitted.astype(np.float32), RATE_HZ)


def parted(pool: Pool, numbers: Sequence[int]) -> list[tuple[str, float, NDArray[np.float64]]]:
    """Kind of noise, true ratio and what is read of scenes: features, and the ratio that band levels tell.

    Each scene twice: as the denoiser leaves it, and as one would that takes the voice for noise in part.
    """
    found = []
    for number in numbers:
        one = scene(pool, number)
        denoised = make_denoiser(strength=1.0).denoise(one.heard)
        snr_db = estimate_snr_db(one.heard)
        for left in (denoised, robbed(denoised, np.random.default_rng((pool.seed, number, 1)))):
            features = parted_features(one.heard, left)
            if features is not None:
                found.append((one.kind, one.snr_db, np.append(features, snr_db)))
    return found


def fit_parted(features: NDArray[np.float64], snr_db: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """A ridge regression, and kernel ridge regression of what it leaves, in closed form."""
    wanted_db = np.clip(snr_db, *FITTED_DB)
    mean, spread = features.mean(axis=0), features.std(axis=0) + 0.3
    points = (features - mean) / spread
    middle_db = wanted_db.mean()
    slopes = np.linalg.solve(points.T @ points + RIDGE * np.eye(points.shape[1]), points.T @ (wanted_db - middle_db))
    near = np.exp(-NARROWNESS * np.square(points[:, None] - points).mean(axis=2))
    weights = np.linalg.solve(near + KERNEL_RIDGE * np.eye(len(points)), wanted_db - middle_db - points @ slopes)
    return {
        "mean": mean, "spread": spread, "middle_db": np.array([middle_db]), "slopes_db": slopes,
        "narrowness": np.array([NARROWNESS]), "points": points, "weights_db": weights,
    }  # fmt: skip


def errors_left_out(
    kinds: NDArray[np.str_], features: NDArray[np.float64], snr_db: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Absolute errors at 0 to 40 dB on kinds of noise that were not fitted."""
    within = (snr_db >= 0.0) & (snr_db <= 40.0)
    errors = []
    for turn in range(TURNS):
        out = np.isin(kinds, sorted(set(kinds))[turn::TURNS])
        fitted = fit_parted(features[~out], snr_db[~out])
        places = (features[out & within] - fitted["mean"]) / fitted["spread"]
        near = np.exp(-NARROWNESS * np.square(places[:, None] - fitted["points"]).mean(axis=2))
        read_db = fitted["middle_db"] + places @ fitted["slopes_db"] + near @ fitted["weights_db"]
        errors.append(np.abs(read_db - snr_db[out & within]))
    return np.concatenate(errors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--scenes", type=int, default=1600)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--bands", type=int, default=0, help="fit band levels instead, on so many scenes")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    pool = Pool(chosen.data, seed=chosen.seed)
    if chosen.bands:
        tensors = fit_bands(pool, chosen.bands, seed=chosen.seed)
    else:
        found = []
        with ProcessPoolExecutor(chosen.jobs) as workers:
            for part in workers.map(partial(parted, pool), np.array_split(np.arange(chosen.scenes), chosen.jobs)):
                found += part
        kinds = np.array([kind for kind, _, _ in found])
        features, snr_db = np.stack([row for _, _, row in found]), np.array([value for _, value, _ in found])
        errors = errors_left_out(kinds, features, snr_db)
        print(f"kinds left out: median {np.median(errors):.2f} dB, 95 % {np.quantile(errors, 0.95):.2f} dB")
        tensors = fit_parted(features, snr_db)
    with WholeFile(chosen.out) as file:
        file.write(save({name: np.ascontiguousarray(tensor, dtype=np.float32) for name, tensor in tensors.items()}))


Examples = tuple[NDArray[np.float32], NDArray[np.float32]]


def fit_bands(pool: Pool, count: int, *, seed: int) -> dict[str, NDArray[np.float32]]:
    """The network of band levels, fitted on scenes that no denoiser heard."""
    rows: tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]] = ([], [])
    labels: tuple[list[float], list[float]] = ([], [])
    for number in range(BANDS_FROM, BANDS_FROM + count):
        one = scene(pool, number)
        levels_db = band_levels_db(one.heard)
        if levels_db is not None:
            rows[one.stopping].append(snr_features(levels_db))
            labels[one.stopping].append(one.snr_db)
    training, stopping = (
        (np.stack(part), np.array(snr_db, dtype=np.float32)) for part, snr_db in zip(rows, labels, strict=True)
    )
    return fit(training, stopping, seed=seed)


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
