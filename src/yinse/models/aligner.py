"""Forced alignment: how many mel frames each symbol of a transcript lasts.

A hidden Markov model of monophones in plain numpy. Each phone (stress and tone stripped) is a chain of
states that may be left early, all boundary symbols share one silence model that may be passed over, each state
holds a diagonal Gaussian mixture over cepstra and their differences. Training is Viterbi training from a flat start.
Speed comes from batches: the search steps through time in Python and works on all utterances and states at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yinse.core.errors import BadText, CheckpointKeys, ConfigError
from yinse.core.types import FloatArray
from yinse.models.mixtures import Mixtures
from yinse.models.viterbi import IntArray, StateGraph, best_paths
from yinse.text.symbols import BOUNDARIES, base_and_tone

SILENCE = "<silence>"
OTHER = "<other>"
_BOUNDARY_ORDER = tuple(sorted(BOUNDARIES))
_BOUNDARY_INDEX = {symbol: index for index, symbol in enumerate(_BOUNDARY_ORDER)}
_PAUSE_GUESS = {"^": 0.9, "$": 0.9, "|": 0.1}  # Chance of a pause before anything was learned; marks: 0.6.
_SHORTEST_FLAT_PAUSE_FRAMES = 8
_OTHER_FRAMES = 20_000
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
            state of all; at most 0, lower when the transcript does not fit. With the default sizes 99 % of right
            transcripts stayed above -4.9 and 99 % of wrong ones of similar length below -5.7 (1,230 clips).
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
class Transitions:
    """Probabilities of the graph.

    Attributes:
        stay, step, leave: float32 `(states,)` log probabilities of repeating a state, of going on to the next state of
            the phone, and of leaving the phone.
        pause: float32 `(boundary symbols,)` probability that a boundary is a pause, boundary symbols sorted.
    """

    stay: FloatArray
    step: FloatArray
    leave: FloatArray
    pause: FloatArray

    @classmethod
    def from_counts(cls, counts: NDArray[np.float64], pause: NDArray[np.float64]) -> Transitions:
        """From counts `(3, states)` of stays, steps and leaves, and the probabilities of pauses."""
        with np.errstate(divide="ignore"):
            stay, step, leave = np.log(counts / counts.sum(axis=0)).astype(np.float32)
        return cls(stay, step, leave, pause.astype(np.float32))


class Aligner:
    """Monophone HMM: diagonal Gaussian mixtures over cepstra and differences, normalised per speaker.

    Attributes:
        config: sizes.
        units: names of the units; the first is the silence, the second stands for phones never met in training.
    """

    def __init__(
        self, units: Sequence[str], mixtures: Mixtures, transitions: Transitions, *, config: AlignerConfig
    ) -> None:
        self.config = config
        self.units = tuple(units)
        self._mixtures = mixtures
        self._transitions = transitions
        self._unit_index = {unit: index for index, unit in enumerate(self.units)}

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
        lengths = [len(u.mel) for u in usable]
        frames = np.concatenate([_features(u.mel, u.normalization, config) for u in usable])
        features = np.split(frames, np.cumsum(lengths)[:-1])
        texts = [u.symbols for u in usable]
        random = np.random.default_rng(seed)

        states = 1 + (len(units) - 1) * config.states_per_phone
        counts = np.array([[0.65], [0.25], [0.10]]) * np.ones(states)
        counts[1:, :: config.states_per_phone] = [[0.0], [0.35]]
        guesses = np.array([_PAUSE_GUESS.get(symbol, 0.6) for symbol in _BOUNDARY_ORDER])
        mixtures, transitions = Mixtures.standard(states, config.features), Transitions.from_counts(counts, guesses)
        aligner = cls(units, mixtures, transitions, config=config)
        labels = np.concatenate([aligner._flat_labels(u.mel, u.symbols) for u in usable])
        for index, components in enumerate(config.gaussians):
            mixtures = aligner._estimate_mixtures(frames, labels, components, random)
            aligner = cls(units, mixtures, transitions, config=config)
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

    def _estimate_mixtures(
        self, frames: FloatArray, labels: IntArray, components: int, random: np.random.Generator
    ) -> Mixtures:
        """Fit each state to its frames, splitting its components first when there shall be more."""
        config, n = self.config, self.config.states_per_phone
        old = self._mixtures if components == len(self._mixtures.weight) else self._mixtures.split(random)
        order = np.argsort(labels, kind="stable")
        chosen = np.split(order, np.searchsorted(labels[order], np.arange(1, old.weight.shape[1])))
        # The model of sounds never met learns from a thin sample of all phones; hardly met ones borrow that sample.
        speech = order[len(chosen[0]) :]
        sample = speech[:: max(1, len(speech) // _OTHER_FRAMES)]
        chosen[1:] = [own if len(own) >= config.rare_frames else sample for own in chosen[1:]]
        chosen[1 : 1 + n] = [sample] * n
        floor = (config.variance_floor * frames.var(axis=0)).astype(np.float32)
        return old.refit(
            frames, chosen, floor=floor, rare_frames=config.rare_frames, iterations=config.mixture_iterations
        )

    def _estimate_transitions(
        self, texts: Sequence[Sequence[str]], graphs: Sequence[StateGraph], paths: Sequence[IntArray]
    ) -> Transitions:
        """Count stays, steps and leaves per acoustic state, and pauses per boundary symbol, with add-one smoothing."""
        counts = np.ones((3, len(self._transitions.stay)))
        counts[1, :: self.config.states_per_phone] = 0  # The silence is state 0, so these are last states of phones.
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
        # Within a pause only the last state chooses to stay or leave.
        counts[1, 0] = 0
        return Transitions.from_counts(counts, pauses[1] / pauses.sum(axis=0))

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
            batch_size: utterances searched at once.

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

    def scores(self, mel: FloatArray, *, normalization: Normalization | None = None) -> FloatArray:
        """Log-likelihood of each frame under each acoustic state, less that under the frame's best state.

        Args:
            mel: log-mel `(T_mel, M)`.
            normalization: statistics of the speaker; without it, of this utterance.

        Returns:
            float32 `(T_mel, states)`, at most 0; `states_of` tells whose states they are.

        Raises:
            BadText: there is no frame.
        """
        normalization = normalization or speaker_statistics([mel], config=self.config)
        found = self._mixtures.log_likelihoods(_features(mel, normalization, self.config))
        return np.asarray(found - found.max(axis=1, keepdims=True), dtype=np.float32)

    def states_of(self, symbol: str) -> range:
        """The acoustic states of a symbol in order; those of boundary symbols are the silence's one."""
        first = self._first_state(symbol)
        return range(first, first + (self.config.states_per_phone if first else 1))

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """All that was learned, ready for safetensors; the config is kept apart."""
        names = np.frombuffer("\n".join(self.units).encode(), dtype=np.uint8)
        return {**vars(self._mixtures), **vars(self._transitions), "units": names}

    @classmethod
    def from_state_dict(cls, state: Mapping[str, NDArray[Any]], *, config: AlignerConfig | None = None) -> Aligner:
        """The aligner that `state_dict` was taken from.

        Raises:
            CheckpointKeys: arrays are missing, unknown or of the wrong size.
        """
        config = config or AlignerConfig()
        of_mixtures, of_transitions = ([field.name for field in fields(kind)] for kind in (Mixtures, Transitions))
        expected = {*of_mixtures, *of_transitions, "units"}
        if set(state) != expected:
            raise CheckpointKeys("aligner", missing=expected - set(state), unexpected=set(state) - expected)
        units = bytes(state["units"]).decode().split("\n")
        states = 1 + (len(units) - 1) * config.states_per_phone
        weight = state["weight"].shape
        shapes = {name: (*weight[:1], states, config.features) for name in of_mixtures} | {
            "weight": (*weight[:1], states)
        }
        shapes |= {name: (states,) for name in of_transitions} | {"pause": (len(_BOUNDARY_ORDER),)}
        wrong = [name for name, shape in shapes.items() if state[name].shape != shape]
        if wrong:
            raise CheckpointKeys("aligner", missing=(), unexpected=wrong)
        mixtures = Mixtures(**{name: state[name] for name in of_mixtures})
        return cls(units, mixtures, Transitions(**{name: state[name] for name in of_transitions}), config=config)

    # ---------------------------------------------------------------- search

    def _first_state(self, symbol: str) -> int:
        unit = self._unit_index.get(unit_of(symbol), 1)
        return 0 if unit == 0 else 1 + (unit - 1) * self.config.states_per_phone

    def _graph(self, symbols: Sequence[str]) -> StateGraph:
        """Lay out the states of a transcript; boundary symbols in a row are one pause, owned by the first."""
        n, rest = self.config.states_per_phone, self.config.silence_states
        stay, step, leave, pause = (values.tolist() for values in vars(self._transitions).values())
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
        return StateGraph(np.array(emission, np.int32), np.array(owner, np.int32), table, initial, final)

    def _search(
        self, features: Sequence[FloatArray], graphs: Sequence[StateGraph], *, batch_size: int
    ) -> list[tuple[IntArray, FloatArray, FloatArray]]:
        """Best path of each utterance: states, and per frame the log-likelihoods of that and of the best state."""
        order = sorted(range(len(features)), key=lambda i: (-len(features[i]), i))
        results: dict[int, tuple[IntArray, FloatArray, FloatArray]] = {}
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            lengths = [len(features[i]) for i in batch]
            scores = self._mixtures.log_likelihoods(np.concatenate([features[i] for i in batch]))
            best = scores.max(axis=1)
            scores -= best[:, None]
            found = best_paths(scores, lengths, [graphs[i] for i in batch])
            begin = 0
            for i, path in zip(batch, found, strict=True):
                part = slice(begin, begin + len(path))
                taken = scores[part][np.arange(len(path)), graphs[i].emission[path]]
                results[i] = (path, taken + best[part], best[part])
                begin += len(path)
        return [results[i] for i in range(len(features))]


# -------------------------------------------------------------------- features


def _fits(frames: int, symbols: Sequence[str], config: AlignerConfig) -> bool:
    phones = sum(symbol not in BOUNDARIES for symbol in symbols)
    return len(symbols) > 0 and frames >= (phones or config.silence_states)


@lru_cache(maxsize=4)
def _cosines(config: AlignerConfig) -> FloatArray:
    """Cosine transform `(used bins, cepstra)` of the bins below the band limit."""
    edge = _slaney_mel(np.array([config.top_hz, config.band_limit_hz]))
    used = int((np.arange(1, config.mel_bins + 1) * edge[0] / (config.mel_bins + 1) <= edge[1]).sum())
    angle = np.pi / used * (np.arange(used)[:, None] + 0.5) * np.arange(config.cepstra)[None, :]
    return (np.cos(angle) * np.sqrt(2.0 / used)).astype(np.float32)


def _slaney_mel(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
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
