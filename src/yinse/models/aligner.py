"""Forced alignment: how many mel frames each symbol of a transcript lasts.

A hidden Markov model of monophones in plain numpy. Each phone (stress and tone stripped) is a chain of
states that may be left early, all boundary symbols share one silence model that may be passed over, each state
holds a diagonal Gaussian mixture over cepstra and their differences. Training is Viterbi training from a flat start.
Speed comes from batches: the search steps through time in Python and works on all utterances and states at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yinse.core.errors import BadText, CheckpointKeys, ConfigError
from yinse.core.types import FloatArray
from yinse.text.symbols import BOUNDARIES, base_and_tone

IntArray = NDArray[np.int32]

SILENCE = "<silence>"
OTHER = "<other>"
_BOUNDARY_ORDER = tuple(sorted(BOUNDARIES))
_BOUNDARY_INDEX = {symbol: index for index, symbol in enumerate(_BOUNDARY_ORDER)}
_PAUSE_GUESS = {"^": 0.9, "$": 0.9, "|": 0.1}  # Chance of a pause before anything was learned; marks: 0.6.
_SHORTEST_FLAT_PAUSE_FRAMES = 8
_OTHER_FRAMES = 20_000
_BLOCK_FRAMES = 4096
_LN_6_4 = float(np.log(6.4))


@dataclass(frozen=True)
class AlignerConfig:
    """Every size of the aligner.

    Attributes:
        mel_bins: bins of the incoming log-mel spectrogram.
        top_hz: upper edge of the highest bin.
        band_limit_hz: bins centred above it are not looked at (half of all recordings hold nothing there).
        cepstra: cepstral coefficients, the zeroth included.
        delta_radius: frames on either side of the regression that makes differences.
        states_per_phone: states of a phone; one frame suffices for a phone whatever this is.
        silence_states: shortest pause in frames; a pause is this long or not there.
        gaussians: components per state after each training pass; the number of entries is the number of passes.
        mixture_iterations: expectation-maximisation rounds inside a state per pass.
        variance_floor: smallest variance, as a share of the variance over all frames.
        rare_frames: states with fewer training frames borrow the model of all speech.
    """

    mel_bins: int = 100
    top_hz: float = 12000.0
    band_limit_hz: float = 7600.0
    cepstra: int = 13
    delta_radius: int = 2
    states_per_phone: int = 2
    silence_states: int = 3
    gaussians: tuple[int, ...] = (1, 1, 1, 1, 2, 2, 2, 4, 4, 4)
    mixture_iterations: int = 2
    variance_floor: float = 0.02
    rare_frames: int = 12

    def __post_init__(self) -> None:
        pairs = zip(self.gaussians, self.gaussians[1:], strict=False)
        if not self.gaussians or self.gaussians[0] != 1 or any(b not in (a, 2 * a) for a, b in pairs):
            raise ConfigError(f"gaussians {self.gaussians} must start at 1 and stay or double at each pass")
        sizes = (self.cepstra, self.delta_radius, self.states_per_phone, self.silence_states, self.mixture_iterations)
        if min(sizes) < 1 or self.cepstra > self.mel_bins:
            raise ConfigError("sizes of the aligner must be at least 1, and no more cepstra than mel bins")

    @property
    def features(self) -> int:
        """Numbers per frame: cepstra, differences and second differences."""
        return 3 * self.cepstra


@dataclass(frozen=True, eq=False)
class Normalization:
    """Mean and standard deviation of a speaker's cepstra, float32 `(cepstra,)` each."""

    mean: FloatArray
    deviation: FloatArray


@dataclass(frozen=True, eq=False)
class TrainingUtterance:
    """A clip to learn from: log-mel `(T_mel, M)`, its symbols, and its speaker's statistics."""

    mel: FloatArray
    symbols: Sequence[str]
    normalization: Normalization


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where the symbols lie.

    Attributes:
        durations: int32 `(T_ph,)` frames per symbol; sums to `T_mel`; 0 only for boundary symbols.
        log_likelihood_per_frame: mean log-likelihood of the frames given their states.
        confidence: mean over phone frames of the log-likelihood under the aligned state less that under the best
            state of all; at most 0, lower when the transcript does not fit.
    """

    durations: IntArray
    log_likelihood_per_frame: float
    confidence: float


def speaker_statistics(mels: Sequence[FloatArray], *, config: AlignerConfig | None = None) -> Normalization:
    """Mean and deviation of the cepstra of one speaker's clips, each `(T_mel, M)`.

    Raises:
        BadText: there is no frame to measure.
    """
    config = config or AlignerConfig()
    if not sum(len(mel) for mel in mels):
        raise BadText("no audio frames to align")
    cepstra = np.concatenate([_cepstra(mel, config) for mel in mels])
    deviation = np.maximum(cepstra.std(axis=0, dtype=np.float64), 1e-3)
    return Normalization(cepstra.mean(axis=0, dtype=np.float64).astype(np.float32), deviation.astype(np.float32))


def unit_of(symbol: str) -> str:
    """The acoustic unit of a symbol: the silence for boundaries, else the phone without stress or tone."""
    return SILENCE if symbol in BOUNDARIES else base_and_tone(symbol)[0]


@dataclass(frozen=True, eq=False)
class _Graph:
    """States of one utterance in order; arcs run forward by `distance` (0: stay).

    Attributes:
        emission: int32 `(S,)` acoustic state of each.
        owner: int32 `(S,)` position of the symbol each belongs to.
        arcs: float32 `(D, S)` log probability of entering a state from `distance` states before.
        initial, final: float32 `(S,)` log probabilities of starting and ending there.
    """

    emission: IntArray
    owner: IntArray
    arcs: FloatArray
    initial: FloatArray
    final: FloatArray


class Aligner:
    """Monophone HMM: diagonal Gaussian mixtures over cepstra and differences, normalised per speaker.

    Attributes:
        config: sizes.
        units: names of the units; the first is the silence, the second stands for phones never met in training.
    """

    def __init__(self, config: AlignerConfig, units: Sequence[str], arrays: Mapping[str, NDArray[Any]]) -> None:
        self.config = config
        self.units = tuple(units)
        self._arrays = dict(arrays)
        self._unit_index = {unit: index for index, unit in enumerate(self.units)}
        self._projection, self._offset = _gaussian_projection(self._arrays)

    # ---------------------------------------------------------------- training

    @classmethod
    def train(
        cls, utterances: Sequence[TrainingUtterance], *, config: AlignerConfig | None = None, seed: int = 0
    ) -> Aligner:
        """Learn an aligner from clips and transcripts alone.

        Args:
            utterances: a thousand clips of several speakers are plenty; clips too short for their text are ignored.
            config: sizes.
            seed: of the directions in which mixtures are split.

        Raises:
            BadText: no utterance fits its transcript.
        """
        config = config or AlignerConfig()
        usable = [u for u in utterances if _fits(len(u.mel), u.symbols, config)]
        if not usable:
            raise BadText("no clip is long enough for its transcript", advice="Check that clips and texts match.")
        seen = {unit_of(symbol) for u in usable for symbol in u.symbols} - {SILENCE}
        units = [SILENCE, OTHER, *sorted(seen)]
        features = [_features(u.mel, u.normalization, config) for u in usable]
        frames = np.concatenate(features)
        texts = [u.symbols for u in usable]
        random = np.random.default_rng(seed)

        aligner = cls(config, units, _initial_arrays(config, len(units)))
        labels = np.concatenate([aligner._flat_labels(u.mel, u.symbols) for u in usable])
        transitions: dict[str, NDArray[Any]] = {}
        for index, components in enumerate(config.gaussians):
            arrays = _estimate_mixtures(aligner._arrays, frames, labels, components, config, random)
            aligner = cls(config, units, arrays | transitions)
            if index + 1 < len(config.gaussians):
                graphs = [aligner._graph(text) for text in texts]
                paths = [path for path, _, _ in aligner._search(features, graphs, batch_size=32)]
                labels = np.concatenate([g.emission[path] for g, path in zip(graphs, paths, strict=True)])
                transitions = aligner._estimate_transitions(texts, graphs, paths)
        return aligner

    def _flat_labels(self, mel: FloatArray, symbols: Sequence[str]) -> IntArray:
        """Guess the acoustic state of each frame: long quiet stretches are silence, phones share the rest evenly."""
        n = self.config.states_per_phone
        speech = np.array([self._first_state(s) + k for s in symbols if s not in BOUNDARIES for k in range(n)], int)
        labels = np.zeros(len(mel), dtype=np.int32)
        if not len(speech):
            return labels
        level = mel.mean(axis=1)
        low, high = np.percentile(level, (5, 95))
        quiet = level < low + 0.35 * (high - low)
        edges = np.flatnonzero(np.diff(np.concatenate(([0], quiet.view(np.int8), [0]))))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            # Quiet stretches this short are closures inside words, not pauses.
            if end - start < _SHORTEST_FLAT_PAUSE_FRAMES and start > 0 and end < len(mel):
                quiet[start:end] = False
        spoken = np.flatnonzero(~quiet)
        if len(spoken) < len(speech) // n:
            spoken = np.arange(len(mel))
        labels[spoken] = speech[np.arange(len(spoken)) * len(speech) // len(spoken)]
        return labels

    def _estimate_transitions(
        self, texts: Sequence[Sequence[str]], graphs: Sequence[_Graph], paths: Sequence[IntArray]
    ) -> dict[str, NDArray[Any]]:
        """Count stays, steps and leaves per acoustic state, and pauses per boundary symbol, with add-one smoothing."""
        n, states = self.config.states_per_phone, len(self._arrays["stay"])
        is_last = np.zeros(states, dtype=bool)
        is_last[::n] = True  # State 0 is the silence, so phone states run 1..n, n+1..2n, ...
        counts = np.ones((3, states))
        counts[1, is_last] = 0
        pauses = np.ones((2, len(_BOUNDARY_ORDER)))
        for symbols, graph, path in zip(texts, graphs, paths, strict=True):
            emission, owner = graph.emission[path], graph.owner[path]
            changes = np.flatnonzero(np.diff(path))
            np.add.at(counts[0], emission[np.flatnonzero(np.diff(path) == 0)], 1)
            within = owner[changes] == owner[changes + 1]
            np.add.at(counts[1], emission[changes[within]], 1)
            np.add.at(counts[2], np.append(emission[changes[~within]], emission[-1]), 1)
            heard = set(owner.tolist())
            for position in set(graph.owner.tolist()):
                if symbols[position] in BOUNDARIES:
                    pauses[int(position in heard), _BOUNDARY_INDEX[symbols[position]]] += 1
        total = counts.sum(axis=0)
        with np.errstate(divide="ignore"):
            stay, step, leave = np.log(counts / total).astype(np.float32)
        pause = (pauses[1] / pauses.sum(axis=0)).astype(np.float32)
        return {"stay": stay, "step": step, "leave": leave, "pause": pause}

    # ---------------------------------------------------------------- alignment

    def align(
        self,
        mels: Sequence[FloatArray],
        symbols: Sequence[Sequence[str]],
        *,
        normalization: Normalization | Sequence[Normalization] | None = None,
        batch_size: int = 32,
    ) -> list[Alignment | None]:
        """Align many utterances.

        Args:
            mels: log-mels `(T_mel, M)`.
            symbols: the symbols of each, `T_ph` of them.
            normalization: statistics of the speaker, or of each utterance's speaker; without it, of these utterances
                taken as one speaker.
            batch_size: utterances searched at once; no influence on the result.

        Returns:
            One entry per utterance; None where there are fewer frames than phones, or no symbols.

        Raises:
            BadText: the lists differ in length.
        """
        if len(mels) != len(symbols):
            raise BadText(f"{len(mels)} recordings but {len(symbols)} transcripts")
        wanted = [i for i, mel in enumerate(mels) if _fits(len(mel), symbols[i], self.config)]
        results: list[Alignment | None] = [None] * len(mels)
        if not wanted:
            return results
        if normalization is None:
            normalization = speaker_statistics(mels, config=self.config)
        each = [normalization] * len(mels) if isinstance(normalization, Normalization) else normalization
        features = [_features(mels[i], each[i], self.config) for i in wanted]
        graphs = [self._graph(symbols[i]) for i in wanted]
        found = self._search(features, graphs, batch_size=batch_size)
        for i, graph, (path, likelihood, best) in zip(wanted, graphs, found, strict=True):
            durations = np.bincount(graph.owner[path], minlength=len(symbols[i])).astype(np.int32)
            is_phone = graph.emission[path] > 0
            confidence = float((likelihood - best)[is_phone].mean()) if is_phone.any() else 0.0
            results[i] = Alignment(durations, float(likelihood.mean()), confidence)
        return results

    def align_one(
        self, mel: FloatArray, symbols: Sequence[str], *, normalization: Normalization | None = None, where: str = ""
    ) -> Alignment:
        """Align one utterance; arguments as in `align`, `where` names it in errors.

        Raises:
            BadText: fewer frames than phones, or no symbols.
        """
        (alignment,) = self.align([mel], [symbols], normalization=normalization)
        if alignment is None:
            raise BadText(
                f"{len(mel)} frames of audio cannot hold {len(symbols)} symbols",
                where=where or None,
                advice="Check that the transcript belongs to the recording.",
            )
        return alignment

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """All that was learned, ready for safetensors; the config is kept apart."""
        names = np.frombuffer("\n".join(self.units).encode(), dtype=np.uint8)
        return {**self._arrays, "units": names}

    @classmethod
    def from_state_dict(cls, state: Mapping[str, NDArray[Any]], *, config: AlignerConfig | None = None) -> Aligner:
        """The aligner that `state_dict` was taken from.

        Raises:
            CheckpointKeys: arrays are missing, unknown or of the wrong size.
        """
        config = config or AlignerConfig()
        expected = set(_initial_arrays(config, 2)) | {"units"}
        if set(state) != expected:
            raise CheckpointKeys("aligner", missing=expected - set(state), unexpected=set(state) - expected)
        units = bytes(state["units"]).decode().split("\n")
        arrays = {name: array for name, array in state.items() if name != "units"}
        fresh = _initial_arrays(config, len(units))
        wrong = [name for name, array in arrays.items() if array.shape[-1:] != fresh[name].shape[-1:]]
        if wrong:
            raise CheckpointKeys("aligner", missing=(), unexpected=wrong)
        return cls(config, units, arrays)

    # ---------------------------------------------------------------- search

    def _first_state(self, symbol: str) -> int:
        unit = self._unit_index.get(unit_of(symbol), 1)
        return 0 if unit == 0 else 1 + (unit - 1) * self.config.states_per_phone

    def _graph(self, symbols: Sequence[str]) -> _Graph:
        """Lay out the states of a transcript; boundary symbols in a row are one pause, owned by the first."""
        n, rest = self.config.states_per_phone, self.config.silence_states
        stay, step, leave, pause = (self._arrays[name].tolist() for name in ("stay", "step", "leave", "pause"))
        emission: list[int] = []
        owner: list[int] = []
        arcs: list[tuple[int, int, float]] = []  # (source, target, log probability); source -1 is the start
        exits: list[tuple[int, float]] = [(-1, 0.0)]
        for position, symbol in enumerate(symbols):
            first = len(emission)
            if symbol not in BOUNDARIES:
                state = self._first_state(symbol)
                emission += range(state, state + n)
                owner += [position] * n
                arcs += [(source, first, cost) for source, cost in exits]
                arcs += [(first + k, first + k, stay[state + k]) for k in range(n)]
                arcs += [(first + k, first + k + 1, step[state + k]) for k in range(n - 1)]
                exits = [(first + k, leave[state + k]) for k in range(n)]
            elif position == 0 or symbols[position - 1] not in BOUNDARIES:
                chance = pause[_BOUNDARY_INDEX[symbol]]
                emission += [0] * rest
                owner += [position] * rest
                arcs += [(source, first, cost + math.log(chance)) for source, cost in exits]
                arcs += [(first + k, first + k + 1, 0.0) for k in range(rest - 1)]
                arcs.append((first + rest - 1, first + rest - 1, stay[0]))
                exits = [(source, cost + math.log1p(-chance)) for source, cost in exits]
                exits.append((first + rest - 1, leave[0]))
        table = np.full((n + rest + 1, len(emission)), -np.inf, dtype=np.float32)
        initial, final = np.full((2, len(emission)), -np.inf, dtype=np.float32)
        for source, target, cost in arcs:
            if source < 0:
                initial[target] = cost
            else:
                table[target - source, target] = cost
        for source, cost in exits:
            if source >= 0:
                final[source] = cost
        return _Graph(np.array(emission, np.int32), np.array(owner, np.int32), table, initial, final)

    def _search(
        self, features: Sequence[FloatArray], graphs: Sequence[_Graph], *, batch_size: int
    ) -> list[tuple[IntArray, FloatArray, FloatArray]]:
        """Best path of each utterance: states, and per frame the log-likelihoods of that and of the best state."""
        order = sorted(range(len(features)), key=lambda i: (-len(features[i]), i))
        results: dict[int, tuple[IntArray, FloatArray, FloatArray]] = {}
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            found = self._search_batch([features[i] for i in batch], [graphs[i] for i in batch])
            results.update(zip(batch, found, strict=True))
        return [results[i] for i in range(len(features))]

    def _search_batch(
        self, features: Sequence[FloatArray], graphs: Sequence[_Graph]
    ) -> list[tuple[IntArray, FloatArray, FloatArray]]:
        """Viterbi search over utterances sorted from long to short."""
        lengths = np.array([len(f) for f in features])
        offsets = np.cumsum(lengths) - lengths
        scores = _log_likelihoods(np.concatenate(features), self._projection, self._offset)
        best = scores.max(axis=1)
        scores -= best[:, None]  # Keeps the sums small enough for float32.
        size, width = len(graphs), max(len(g.emission) for g in graphs)
        emission = np.zeros((size, width), dtype=np.int64)
        arcs = np.full((graphs[0].arcs.shape[0], size, width), -np.inf, dtype=np.float32)
        initial, final = np.full((2, size, width), -np.inf, dtype=np.float32)
        for row, graph in enumerate(graphs):
            count = len(graph.emission)
            emission[row, :count] = graph.emission
            arcs[:, row, :count] = graph.arcs
            initial[row, :count], final[row, :count] = graph.initial, graph.final
        distances = [d for d in range(1, len(arcs)) if np.isfinite(arcs[d]).any()]

        flat_scores, states = scores.ravel(), scores.shape[1]
        index = emission + (offsets * states)[:, None]
        came_from = np.zeros((lengths[0], size, width), dtype=np.uint8)
        path = np.zeros((lengths[0], size), dtype=np.int32)
        score = initial + flat_scores[index]
        active = size
        for t in range(lengths[0]):
            while active and lengths[active - 1] == t:
                active -= 1
            if t:
                index[:active] += states
                previous = score[:active]
                score = previous + arcs[0, :active]
                for d in distances:
                    other = previous[:, :-d] + arcs[d, :active, d:]
                    np.copyto(came_from[t, :active, d:], d, where=other > score[:, d:])
                    np.maximum(score[:, d:], other, out=score[:, d:])
                score += flat_scores[index[:active]]
            ending = np.flatnonzero(lengths[:active] == t + 1)
            path[t, ending] = (score[ending] + final[ending]).argmax(axis=1)
        rows = np.arange(size)
        for t in range(lengths[0] - 1, 0, -1):
            alive = rows[lengths > t]
            here = path[t, alive]
            path[t - 1, alive] = here - came_from[t, alive, here]
        results = []
        for row, (length, offset) in enumerate(zip(lengths, offsets, strict=True)):
            steps, part = path[:length, row].copy(), slice(offset, offset + length)
            taken = scores[part][np.arange(length), emission[row, steps]]
            results.append((steps, taken + best[part], best[part]))
        return results


# -------------------------------------------------------------------- features


def _fits(frames: int, symbols: Sequence[str], config: AlignerConfig) -> bool:
    phones = sum(symbol not in BOUNDARIES for symbol in symbols)
    return len(symbols) > 0 and frames >= (phones or config.silence_states)


@lru_cache(maxsize=4)
def _cosines(config: AlignerConfig) -> FloatArray:
    """Cosine transform `(used bins, cepstra)` of the bins below the band limit."""
    edge = slaney_mel(np.array([config.top_hz, config.band_limit_hz]))
    used = int((np.arange(1, config.mel_bins + 1) * edge[0] / (config.mel_bins + 1) <= edge[1]).sum())
    angle = np.pi / used * (np.arange(used)[:, None] + 0.5) * np.arange(config.cepstra)[None, :]
    return (np.cos(angle) * np.sqrt(2.0 / used)).astype(np.float32)


def slaney_mel(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mel numbers after Slaney's Auditory Toolbox: linear below 1 kHz, logarithmic above."""
    linear = frequency_hz * 3.0 / 200.0
    return np.where(
        frequency_hz < 1000.0, linear, 15.0 + np.log(np.maximum(frequency_hz, 1.0) / 1000.0) * 27.0 / _LN_6_4
    )


def _cepstra(mel: FloatArray, config: AlignerConfig) -> FloatArray:
    cosines = _cosines(config)
    return np.asarray(np.asarray(mel, dtype=np.float32)[:, : len(cosines)] @ cosines, dtype=np.float32)


def _features(mel: FloatArray, normalization: Normalization, config: AlignerConfig) -> FloatArray:
    """Normalised cepstra with first and second differences, `(T_mel, 3 * cepstra)`."""
    static = (_cepstra(mel, config) - normalization.mean) / normalization.deviation
    first = _differences(static, config.delta_radius)
    return np.concatenate((static, first, _differences(first, config.delta_radius)), axis=1)


def _differences(values: FloatArray, radius: int) -> FloatArray:
    padded = np.pad(values, ((radius, radius), (0, 0)), mode="edge")
    count = len(values)
    total = np.zeros_like(values)
    for k in range(1, radius + 1):
        total += k * (padded[radius + k : radius + k + count] - padded[radius - k : radius - k + count])
    return total / np.float32(2 * sum(k * k for k in range(1, radius + 1)))


# -------------------------------------------------------------------- mixtures


def _initial_arrays(config: AlignerConfig, units: int) -> dict[str, NDArray[Any]]:
    """Flat mixtures and plain guesses of the transition probabilities."""
    states = 1 + (units - 1) * config.states_per_phone
    is_last = np.arange(states) % config.states_per_phone == 0
    step = np.where(is_last, 0.0, 0.25)
    with np.errstate(divide="ignore"):
        return {
            "weight": np.ones((1, states), dtype=np.float32),
            "mean": np.zeros((1, states, config.features), dtype=np.float32),
            "variance": np.ones((1, states, config.features), dtype=np.float32),
            "stay": np.log(np.full(states, 0.65)).astype(np.float32),
            "step": np.log(step).astype(np.float32),
            "leave": np.log(0.35 - step).astype(np.float32),
            "pause": np.array([_PAUSE_GUESS.get(b, 0.6) for b in _BOUNDARY_ORDER], dtype=np.float32),
        }


def _gaussian_projection(arrays: Mapping[str, NDArray[Any]]) -> tuple[FloatArray, FloatArray]:
    """Turn mixtures into a matrix `(2 * features, K * states)` over (x, x^2) and an offset `(K, states)`."""
    weight, mean, variance = arrays["weight"], arrays["mean"], arrays["variance"]
    features = mean.shape[-1]
    matrix = np.concatenate((mean / variance, -0.5 / variance), axis=-1).reshape(-1, 2 * features)
    constant = -0.5 * (np.log(2.0 * np.pi * variance) + mean**2 / variance).sum(axis=-1)
    return np.ascontiguousarray(matrix.T), np.asarray(constant + np.log(weight), dtype=np.float32)


def _log_likelihoods(frames: FloatArray, projection: FloatArray, offset: FloatArray) -> FloatArray:
    """Log-likelihood of each frame under each state, `(T, states)`."""
    result = np.empty((len(frames), offset.shape[1]), dtype=np.float32)
    for start in range(0, len(frames), _BLOCK_FRAMES):
        block = frames[start : start + _BLOCK_FRAMES]
        parts = (np.concatenate((block, block * block), axis=1) @ projection).reshape(-1, *offset.shape) + offset
        top = parts.max(axis=1)
        if len(offset) > 1:
            parts -= top[:, None]
            top += np.log(np.exp(parts, out=parts).sum(axis=1))
        result[start : start + len(block)] = top
    return result


def _estimate_mixtures(
    arrays: Mapping[str, NDArray[Any]],
    frames: FloatArray,
    labels: IntArray,
    components: int,
    config: AlignerConfig,
    random: np.random.Generator,
) -> dict[str, NDArray[Any]]:
    """Fit the mixture of each state to its frames, splitting components first when there shall be more."""
    weight, mean, variance = arrays["weight"], arrays["mean"], arrays["variance"]
    if components > len(weight):
        shift = 0.2 * np.sqrt(variance) * random.choice(np.array([-1.0, 1.0], dtype=np.float32), size=mean.shape)
        weight = np.concatenate((weight, weight)) * np.float32(0.5)
        mean, variance = np.concatenate((mean - shift, mean + shift)), np.concatenate((variance, variance))
    weight, mean, variance = weight.copy(), mean.copy(), variance.copy()
    floor = (config.variance_floor * frames.var(axis=0)).astype(np.float32)
    order = np.argsort(labels, kind="stable")
    ends = np.searchsorted(labels[order], np.arange(weight.shape[1] + 1))
    n = config.states_per_phone
    others = range(1, 1 + n)
    for state in range(weight.shape[1]):
        chosen = order[ends[state] : ends[state + 1]]
        if state in others:
            # A thin sample of all phones: the model of sounds that training never met, or hardly.
            chosen = order[ends[1 + n] :][:: max(1, (len(order) - ends[1 + n]) // _OTHER_FRAMES)]
        if len(chosen) < config.rare_frames:
            source = 1 + (state - 1) % n if state else 0
            weight[:, state], mean[:, state], variance[:, state] = (
                weight[:, source],
                mean[:, source],
                variance[:, source],
            )
            continue
        x = frames[chosen]
        for _ in range(config.mixture_iterations if components > 1 else 1):
            parameters = {"weight": weight[:, [state]], "mean": mean[:, [state]], "variance": variance[:, [state]]}
            projection, offset = _gaussian_projection(parameters)
            share = np.concatenate((x, x * x), axis=1) @ projection + offset[:, 0]
            share = np.exp(share - share.max(axis=1, keepdims=True))
            share /= share.sum(axis=1, keepdims=True)
            mass = share.sum(axis=0) + np.float32(1e-3)
            centre = (share.T @ x) / mass[:, None]
            spread = np.maximum((share.T @ (x * x)) / mass[:, None] - centre**2, floor)
            # A component that lost its frames stays where it was.
            kept = mass >= config.rare_frames
            mean[kept, state], variance[kept, state] = centre[kept], spread[kept]
            weight[:, state] = mass / mass.sum()
    return {**arrays, "weight": weight, "mean": mean, "variance": variance}
