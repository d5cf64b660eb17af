"""The whole front-end against the pipeline as commonly published, on the same clips, row by row.

    python benchmarks/frontend.py DATA --work FOLDER [--rows ROW ...] [--clips 200] [--peer published_frontend.py]
        [--recogniser MODEL] [--fuzz 5000] [--batch 500] [--people 4] [--seed 0]

DATA holds speech packs and noises. Speech of people and noises that nothing was chosen on is mixed at 5, 10 and 15 dB
(every third clip each) at 32 kHz. Rows:

    sound   speed in turn (published, ours with the gate, ours), DNSMOS, refused, SI-SDR, loudness, fricatives
    words   errors of a recogniser before and after cleaning, at 5 and 10 dB (--recogniser)
    clean   the same clips without noise: how many become worse
    snr     error of the estimated signal-to-noise ratio, 0 to 40 dB, of half-minute recordings and of sentences
    batch   10,000 clips of 5 s on two processes, extrapolated from --batch of them
    clone   voices of --people, each from its clean, its noisy and its cleaned minute (--recogniser)
    fuzz    damaged files

Each measurement is kept in FOLDER/results.jsonl at once: stopped, the same command goes on where it was, and rows may
be run one by one. The table is made of all that is kept. Times are processor seconds on one thread; let the machine
do nothing else.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from damaged import GATE, Damaged, try_damaged
from denoise import fricative_loss_db, with_gain
from frontend_table import MADE_WORSE, SNRS_DB, Found, Ledger, table
from mixtures import (
    Speech,
    added_noise,
    load_noise,
    load_speech,
    mix,
    noises,
    own_snr_db,
    si_sdr_db,
    speech,
    true_snr_db,
)
from numpy.typing import NDArray

from yinse.audio.decode import decode
from yinse.audio.denoise import make_denoiser
from yinse.audio.frontend import PreparedRecording, Restored, clean, cut_up_restored, restore
from yinse.audio.options import PREPARATION, CleaningOptions
from yinse.audio.parted_snr import refine_snr_db
from yinse.audio.quality import QualityLimits
from yinse.audio.resample import resample
from yinse.audio.rumble import without_rumble
from yinse.audio.silence import cut, speech_segments
from yinse.audio.snr import estimate_snr_db
from yinse.audio.write import write_audio
from yinse.core.errors import QualityGateError
from yinse.core.events import Finished
from yinse.core.types import AudioClip, FloatArray, SpeakRequest
from yinse.evaluate.misheard import errors_of, total
from yinse.evaluate.stress import stress_sentences
from yinse.voices.voice import Voice
from yinse.workflows.batch import Crashed, run_all
from yinse.workflows.prep import PrepRequest, prepare_corpus
from yinse.workflows.transcripts import Line, cut_by_text

RATE_HZ = 32_000
PACKS = ("en_librispeech", "zh_aishell_sample", "zh_en_kokoro", "de_nl_fewshot_cc0")
LENGTH_S = (3.0, 9.0)
CLEANEST_DB = 35.0
QUIETEST_DB = 43.0  # of the voices whose ratio is known: their own noise is below what is added
LADDER_DB = tuple(5.0 * rung for rung in range(9))
RECORDING_S = 30.0
SHAVED_EVERY = 4
ALL_KEPT = QualityLimits(good_snr_db=-90.0, lowest_snr_db=-90.0, hopeless_snr_db=-90.0)
SENTENCES = 40


@dataclass(frozen=True)
class Mixture:
    """A test clip: clean, and in noise."""

    id: str
    source: Speech
    clean: AudioClip
    heard: AudioClip
    snr_db: float
    path: Path


def mixtures(chosen: argparse.Namespace) -> Iterator[Mixture]:
    """Clips of the test, made one by one; each as a file too."""
    random = np.random.default_rng(chosen.seed)
    found = [
        one
        for one in speech(chosen.data, development=False, packs=PACKS)
        if LENGTH_S[0] <= one.duration_s <= LENGTH_S[1]
    ]
    behind = [load_noise(path, RATE_HZ) for path in noises(chosen.data, development=False)]
    count = 0
    for index in random.permutation(len(found)):
        if count == chosen.clips:
            return
        one = found[index]
        spoken = load_speech(one.path, RATE_HZ)
        if own_snr_db(spoken) < CLEANEST_DB:
            continue
        snr_db = SNRS_DB[count % len(SNRS_DB)]
        heard = mix(spoken, behind[count % len(behind)], snr_db, random=random)
        path = chosen.work / "mixtures" / f"{chosen.seed}-{count:04d}.wav"
        if not path.exists():
            write_audio(path, heard)
        yield Mixture(f"{chosen.seed}-{count:04d}", one, spoken, decode(path), snr_db, path)
        count += 1


def peer_of(path: Path | None) -> ModuleType | None:
    """The published pipeline as a module."""
    if path is None:
        return None
    spec = importlib.util.spec_from_file_location("published_frontend", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ours(path: Path, options: CleaningOptions, target: Path) -> tuple[Restored, PreparedRecording] | None:
    """From a file to files, as `yinse prep` does it; None if the recording is refused."""
    try:
        restored = restore(decode(path), options=options)
    except QualityGateError:
        return None
    prepared = cut_up_restored(restored, options=options)
    for number, one in enumerate(prepared.utterances):
        write_audio(target.with_name(f"{target.stem}_{number}.wav"), one.clip)
    return restored, prepared


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds that something takes, and what it answers."""
    start_s = time.process_time()
    result = work()
    return time.process_time() - start_s, result


def joined(clips: Sequence[AudioClip]) -> AudioClip:
    """Utterances behind each other, with a tenth of a second between them."""
    pause = np.zeros(RATE_HZ // 10, dtype=np.float32)
    parts = [part for clip in clips for part in (pause, clip.samples)]
    return AudioClip(np.concatenate(parts[1:] or [pause]), RATE_HZ)


def clips_of(prepared: PreparedRecording) -> list[AudioClip]:
    """The audio of a recording's utterances."""
    return [one.clip for one in prepared.utterances]


def cleaned_path(chosen: argparse.Namespace, one: Mixture) -> Path:
    """Where the utterances of a mixture lie, joined: the row of sound makes them, the row of words hears them."""
    return chosen.work / "cleaned" / f"{one.id}.wav"


def measure_sound(chosen: argparse.Namespace, ledger: Ledger) -> None:
    from yinse.evaluate.naturalness import Dnsmos

    judge, peer = Dnsmos(), peer_of(chosen.peer)
    out = chosen.work / "out"
    out.mkdir(parents=True, exist_ok=True)

    def work(one: Mixture) -> Found:
        found: Found = {"snr_db": one.snr_db, "duration_s": one.heard.duration_s}
        found["raw"] = judge.score(one.heard).overall
        found["reference"] = judge.score(one.clean).overall
        if peer is not None:
            target = out / f"{one.id}-peer.wav"
            found["peer_s"], _ = spent(lambda: peer.clean(one.path, target))
            found["peer"] = judge.score(decode(target)).overall
        for name, options in (("gate", GATE), ("default", PREPARATION)):
            target = out / f"{one.id}-{name}.wav"
            found[f"{name}_s"], result = spent(lambda options=options, target=target: ours(one.path, options, target))
            found[f"{name}_refused"] = result is None
            found[name], found[f"{name}_lufs"] = found["raw"], []
            if result is not None:
                restored, prepared = result[0].clip.samples, result[1]
                pieces = joined(clips_of(prepared))
                if name == "default":
                    write_audio(cleaned_path(chosen, one), pieces)
                found[name] = judge.score(pieces).overall
                found[f"{name}_lufs"] = [piece.loudness_lufs for piece in prepared.utterances]
                found[f"{name}_snr_db"] = prepared.report_before.snr_db
                reference = with_gain(one.clean.samples, one.heard.samples)
                found[f"{name}_si_sdr"] = si_sdr_db(reference, restored) - si_sdr_db(reference, one.heard.samples)
                found[f"{name}_fricatives"] = fricative_loss_db(reference, restored, RATE_HZ)
        return found

    for number, one in enumerate(mixtures(chosen)):
        if number == 0:  # warm: what is imported and compiled on first use is not counted
            for options in (GATE, PREPARATION):
                ours(one.path, options, out / "warm.wav")
            if peer is not None:
                peer.clean(one.path, out / "warm.wav")
        ledger.measure("sound", one.id, lambda one=one: work(one))


def measure_words(chosen: argparse.Namespace, ledger: Ledger) -> None:
    from yinse.evaluate.recogniser import Whisper

    listener = Whisper(chosen.recogniser)

    def work(one: Mixture) -> Found:
        found: Found = {"snr_db": one.snr_db}
        path = cleaned_path(chosen, one)
        if not path.exists():
            result = ours(one.path, PREPARATION, chosen.work / "out" / f"{one.id}-words.wav")
            write_audio(path, one.heard if result is None else joined(clips_of(result[1])))
        for name, clip in (("before", one.heard), ("after", decode(path))):
            heard = listener.hear(clip, language=one.source.language)
            errors = errors_of(one.source.text, heard, language=one.source.language)
            found[name], found["units"] = errors.errors, errors.units
        return found

    for one in mixtures(chosen):
        if one.snr_db in SNRS_DB[:2] and one.source.language in ("en", "zh") and one.source.text:
            ledger.measure("words", one.id, lambda one=one: work(one))


def measure_clean(chosen: argparse.Namespace, ledger: Ledger) -> None:
    from yinse.evaluate.naturalness import Dnsmos

    judge = Dnsmos()

    def turned(clip: AudioClip) -> float:
        """The score wherever the clip begins: the judge repeats short ones and looks at nine seconds at a time."""
        places = [len(clip.samples) * quarter // 4 for quarter in range(4)]
        return float(
            np.mean([judge.score(replace(clip, samples=np.roll(clip.samples, place))).overall for place in places])
        )

    def work(one: Mixture) -> Found:
        path = chosen.work / "clean" / f"{one.id}.wav"
        write_audio(path, one.clean)
        result = ours(path, PREPARATION, chosen.work / "out" / f"{one.id}-clean.wav")
        before = judge.score(one.clean).overall
        if result is None:
            return {"before": before, "after": before}
        _, prepared = result
        after = joined(clips_of(prepared))
        found: Found = {
            "before": before,
            "after": judge.score(after).overall,
            "segments": [(piece.segment.start_s, piece.segment.end_s) for piece in prepared.utterances],
            "duration_s": one.clean.duration_s,
            "clicks": len(prepared.clicks),
            "steps": [step.name for step in prepared.steps],
        }
        if found["after"] < before - MADE_WORSE:
            cut_only = joined([cut(one.clean, utterance.segment) for utterance in prepared.utterances])
            found |= {"cut": judge.score(cut_only).overall}
            found |= {"turned_before": turned(one.clean), "turned_after": turned(after)}
        elif int(one.id[-4:]) % SHAVED_EVERY == 0:
            # A control: nothing is done but to take a tenth of a second off both ends.
            shaved = one.clean.samples[RATE_HZ // 10 : -RATE_HZ // 10]
            found["shaved"] = judge.score(AudioClip(shaved, RATE_HZ)).overall
        return found

    for one in mixtures(chosen):
        ledger.measure("clean", one.id, lambda one=one: work(one))


def refined(heard: AudioClip) -> float:
    """The ratio as the default pipeline measures it: with the help of its denoiser."""
    denoised = make_denoiser(strength=1.0).denoise(heard)
    return refine_snr_db(estimate_snr_db(heard), heard, denoised, speech_segments(denoised))


def measure_snr(chosen: argparse.Namespace, ledger: Ledger) -> None:
    """The estimate for recordings of about half a minute, as people make them, and for sentences by themselves."""
    behind = [(path.stem, load_noise(path, RATE_HZ)) for path in noises(chosen.data, development=False)]
    sentences = [(number, one) for number, one in enumerate(mixtures(chosen)) if own_snr_db(one.clean) >= QUIETEST_DB]
    takes = recordings([one for _, one in sentences], count=len(behind) * len(LADDER_DB), seed=chosen.seed + 2)
    for row, clips in (
        ("snr", [(number, one.id, one.clean) for number, one in sentences]),
        ("snr of recordings", [(number, name, clip) for number, (name, clip) in enumerate(takes)]),
    ):
        random = np.random.default_rng(chosen.seed + 1)
        for number, name, spoken in clips:
            noise = behind[number % len(behind)]
            wanted_db = LADDER_DB[number // len(behind) % len(LADDER_DB)]
            added = added_noise(spoken, noise[1], wanted_db, random=random)

            def work(spoken: AudioClip = spoken, added: NDArray[np.float64] = added, noise: str = noise[0]) -> Found:
                heard = without_rumble(replace(spoken, samples=(spoken.samples + added).astype(np.float32)))
                true_db = true_snr_db(spoken, added)
                return {
                    "noise": noise,
                    "snr_db": true_db,
                    "duration_s": spoken.duration_s,
                    "error_db": estimate_snr_db(heard) - true_db,
                    "refined_error_db": refined(heard) - true_db,
                }

            ledger.measure(row, name, work)


def recordings(sentences: Sequence[Mixture], *, count: int, seed: int) -> list[tuple[str, AudioClip]]:
    """Clean sentences of one person behind each other, `RECORDING_S` long or all there are; people take turns."""
    random = np.random.default_rng(seed)
    of_people: dict[str, list[Mixture]] = {}
    for one in sentences:
        of_people.setdefault(one.source.speaker, []).append(one)
    people = [
        (name, own)
        for name, own in sorted(of_people.items())
        if sum(one.clean.duration_s for one in own) >= RECORDING_S / 2
    ]
    made = []
    for number in range(count):
        name, own = people[number % len(people)]
        parts: list[FloatArray] = []
        for index in random.permutation(len(own)):
            if sum(map(len, parts)) < RECORDING_S * RATE_HZ:
                parts.append(own[index].clean.samples)
        made.append((f"{number:03d}-{name}", AudioClip(np.concatenate(parts), RATE_HZ)))
    return made


def measure_batch(chosen: argparse.Namespace, ledger: Ledger) -> None:
    """Clips of five seconds on two processes, into an empty cache; then again."""
    folder = chosen.work / "batch"
    made = list(folder.glob("*.wav"))
    for one in mixtures(argparse.Namespace(**{**vars(chosen), "clips": max(10, chosen.batch // 4)})):
        if len(made) >= chosen.batch:
            break
        samples = np.resize(one.heard.samples, 5 * RATE_HZ)
        for shift in range(4):
            path = folder / f"{one.id}-{shift}.wav"
            write_audio(path, AudioClip(np.roll(samples, shift * RATE_HZ // 3), RATE_HZ))
            made.append(path)

    def run(jobs: int) -> float:
        start_s = time.monotonic()
        request = PrepRequest(
            audio=(folder,), output=chosen.work / "corpus", jobs=jobs, cache=chosen.work / "batch-cache"
        )
        *_, last = prepare_corpus(request)
        assert isinstance(last, Finished)
        return time.monotonic() - start_s

    ledger.measure("batch", str(chosen.batch), lambda: {"clips": len(made), "first_s": run(2), "second_s": run(2)})


def measure_clone(chosen: argparse.Namespace, ledger: Ledger) -> None:
    """Taken on from a clean, a noisy and a cleaned minute: likeness to later recordings, and hard sentences heard."""
    from yinse.evaluate.recogniser import Whisper
    from yinse.evaluate.speaker_judge import Resemblyzer, mean_vector
    from yinse.workflows.native import load_engine

    engine, judge, listener = load_engine(), Resemblyzer(), Whisper(chosen.recogniser)
    found = speech(chosen.data, development=False, packs=("en_librispeech",))
    behind = [load_noise(path, RATE_HZ) for path in noises(chosen.data, development=False)]
    people = sorted({one.speaker for one in found})[: chosen.people]
    random = np.random.default_rng(chosen.seed + 2)
    sentences, rate = stress_sentences("en", SENTENCES), engine.sample_rate_hz

    def figures(recording: AudioClip, options: CleaningOptions, lines: list[Line], later: np.ndarray) -> Found:
        pieces = cut_by_text(clean(recording, options=options).clip, lines, engine=engine, where="the minute")
        enrolment = engine.enroll(
            [piece.clip for piece in pieces], transcripts=[piece.text for piece in pieces], language="en"
        )
        voice = Voice(
            id="benchmark", name="benchmark", languages=("en",), tensors=enrolment.tensors,
            bandwidth_hz=enrolment.bandwidth_hz, model_fingerprint=engine.fingerprint, licence="private",
            created="2026-01-01T00:00:00+00:00", synthetic=False,
        )  # fmt: skip
        spoken = [
            AudioClip(
                np.concatenate([chunk.samples for chunk in engine.stream(SpeakRequest(text, language="en"), voice)]),
                rate,
            )
            for text in sentences
        ]
        errors = total(
            errors_of(text, listener.hear(clip, language="en"), language="en")
            for text, clip in zip(sentences, spoken, strict=True)
        )
        return {
            "similarity": float(judge.embed(AudioClip(np.concatenate([c.samples for c in spoken]), rate)) @ later),
            "errors": errors.errors,
            "units": errors.units,
        }

    for number, person in enumerate(people):
        own = [one for one in found if one.speaker == person]
        clips = [load_speech(one.path, RATE_HZ) for one in own]
        count = int((np.cumsum([clip.duration_s for clip in clips]) < 60).sum())
        minute = AudioClip(np.concatenate([clip.samples for clip in clips[:count]]), RATE_HZ)
        lines = [Line(one.text, one.path.name) for one in own[:count]]
        later = mean_vector(judge, clips[count:][:6])
        heard = mix(minute, behind[number % len(behind)], 10.0, random=random)
        kept = CleaningOptions(limits=ALL_KEPT)
        cases = {"raw": (heard, replace(kept, denoise="none")), "clean": (minute, kept), "cleaned": (heard, kept)}
        for case, (recording, options) in cases.items():
            ledger.measure(
                "clone",
                f"{person} {case}",
                lambda recording=recording, options=options, lines=lines, later=later: figures(
                    recording, options, lines, later
                ),
            )


def measure_fuzz(chosen: argparse.Namespace, ledger: Ledger) -> None:
    import soundfile

    folder = chosen.work / "fuzz"
    (folder / "out").mkdir(parents=True, exist_ok=True)
    (one,) = mixtures(argparse.Namespace(**{**vars(chosen), "clips": 1}))
    short = resample(AudioClip(one.heard.samples[: 2 * RATE_HZ], RATE_HZ), 24_000)
    originals = []
    for name, kind in (("a.wav", "PCM_16"), ("b.wav", "FLOAT"), ("c.flac", "PCM_16"), ("d.ogg", "VORBIS"),
                       ("e.mp3", "MPEG_LAYER_III")):  # fmt: skip
        soundfile.write(folder / name, short.samples, short.sample_rate_hz, subtype=kind)
        originals.append(str(folder / name))
    block = 500
    for start in range(0, chosen.fuzz, block):
        seeds = range(start, min(start + block, chosen.fuzz))

        def work(seeds: range = seeds) -> Found:
            counts: dict[str, int] = {}
            jobs = [Damaged(seed, tuple(originals), str(folder)) for seed in seeds]
            for _, outcome in run_all(try_damaged, jobs, jobs=2):
                name = "crash" if isinstance(outcome, Crashed) else outcome
                counts[name] = counts.get(name, 0) + 1
            left = [path.name for path in folder.rglob("*") if "partial" in path.name]
            return {"counts": counts, "half_written": len(left)}

        ledger.measure("fuzz", f"{start}-{seeds[-1]}", work)


ROWS: dict[str, Callable[[argparse.Namespace, Ledger], None]] = {
    "sound": measure_sound,
    "words": measure_words,
    "clean": measure_clean,
    "snr": measure_snr,
    "batch": measure_batch,
    "clone": measure_clone,
    "fuzz": measure_fuzz,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--rows", nargs="*", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--peer", type=Path, help="published_frontend.py")
    parser.add_argument("--recogniser", default="base", help="folder or cached name of a faster-whisper model")
    parser.add_argument("--fuzz", type=int, default=5_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    ledger = Ledger(chosen.work / "results.jsonl")
    for row in chosen.rows:
        print(f"measuring {row}", file=sys.stderr, flush=True)
        ROWS[row](chosen, ledger)
    print("\n".join(table(ledger)))


if __name__ == "__main__":
    main()
