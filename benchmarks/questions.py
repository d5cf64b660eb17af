"""Whether questions end as a reader ends them, up or down: beside Kokoro's reading, and beside people's.

    python benchmarks/questions.py --peer KIT HOME [--data DATA] [--voice NAME ...] [--seeds 1 2 3]

The questions that Kokoro reads are written for this and were never trained on. The slope of a reading is that of a line
through F0, in semitones, over the voiced part of its last half second. Where the reader's line rises or falls by a
semitone or more, ours should go the same way. The same words with a full stop in place of the question mark are spoken
too: a reading that hears the mark ends higher with it.

DATA is the folder of speech packs. LibriSpeech's people read few sentences that are a question and nothing else: those
of up to 14 words among development and test people, found by their first word and read through by eye.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mixtures import load_speech, speech

from yinse.audio.pitch import track_pitch
from yinse.audio.silence import trim_silence
from yinse.core.types import AudioClip, SpeakRequest
from yinse.evaluate.kokoro import Kokoro, KokoroConfig
from yinse.voices.store import VoiceStore
from yinse.voices.voice import Voice
from yinse.workflows.engine import Engine
from yinse.workflows.native import load_engine

QUESTIONS = {
    "en": (
        "Did you lock the back door?", "Is the bakery still open?", "Have they found the missing dog?",
        "Are you coming to the meeting?", "Can I borrow your ladder?", "Would you like some more soup?",
        "Has the train already left?", "Do you remember her name?", "Is this your umbrella?",
        "Was it raining in the morning?", "Could we sit near the window?", "Will it be cold tomorrow?",
        "You are leaving already?", "The blue one?", "Really?",
        "Where did you put the keys?", "How long does the journey take?", "Who painted this picture?",
        "What time does the museum close?", "Why is the kitchen so quiet?", "When will the results arrive?",
        "Which road leads to the harbour?", "How many apples are left?", "Whose bicycle is that?",
    ),
    "zh": (
        "你把后门锁好了吗？", "面包店还开着吗？", "他们找到那只狗了吗？", "你明天来开会吗？", "梯子可以借我用一下吗？",
        "你要不要再喝一碗汤？", "火车已经开走了吗？", "你还记得她的名字吗？", "这把雨伞是你的吗？", "早上下过雨吗？",
        "我们能坐在窗边吗？", "明天会很冷吧？", "你这就要走？", "蓝色的那个？", "真的？",
        "你把钥匙放在哪儿了？", "路上要花多长时间？", "这幅画是谁画的？", "博物馆几点关门？", "厨房里为什么这么安静？",
        "结果什么时候出来？", "去港口走哪条路？", "还剩几个苹果？", "那辆自行车是谁的？",
    ),
}  # fmt: skip
READ_BY_PEOPLE = {
    "for yes or no": (
        "61-70968-0058", "121-127105-0021", "260-123288-0017", "908-31957-0007", "1320-122617-0038",
        "1580-141083-0047", "1580-141084-0046", "2830-3980-0046", "3729-6852-0025", "3729-6852-0030",
        "4970-29095-0011", "4970-29095-0029", "4992-23283-0015", "6930-76324-0009", "6930-76324-0026",
        "7127-75946-0008",
    ),
    "for what, how, why": (
        "237-126133-0020", "2830-3980-0064", "3575-170457-0001", "3575-170457-0002", "4507-16021-0004",
        "4507-16021-0011", "4507-16021-0012", "4507-16021-0018", "6930-81414-0005",
    ),
}  # fmt: skip
STOPS = {"en": ".", "zh": "。"}
FINAL_S, LEAST_SEMITONES, FEWEST_FRAMES = 0.5, 1.0, 8


def final_change(clip: AudioClip) -> float:
    """How far F0 rises (or falls) at the end of a clip `(S,)`, semitones; NaN where too little of it is voiced."""
    pitch = track_pitch(trim_silence(clip, keep_s=0.0))
    last = round(FINAL_S / pitch.hop_s)
    voiced, f0_hz = pitch.voiced[-last:], pitch.f0_hz[-last:]
    if np.count_nonzero(voiced) < FEWEST_FRAMES:
        return float("nan")
    places = np.flatnonzero(voiced)
    slope = np.polyfit(places, 12.0 * np.log2(f0_hz[voiced]), 1)[0]
    return float(slope * (places[-1] - places[0]))


def spoken(engine: Engine, voice: Voice, text: str, *, language: str, seed: int) -> AudioClip:
    parts = list(engine.stream(SpeakRequest(text, language=language, seed=seed), voice))
    return AudioClip(np.concatenate([part.samples for part in parts]), parts[0].sample_rate_hz)


def agreement(theirs: Sequence[float], ours: Sequence[float]) -> tuple[int, int]:
    """Of the readings whose end moves, how many of ours go the same way, and how many there are."""
    moving = [(a, b) for a, b in zip(theirs, ours, strict=True) if abs(a) >= LEAST_SEMITONES and not np.isnan(b)]
    return sum(a * b > 0 for a, b in moving), len(moving)


def measure(
    engine: Engine, name: str, voice: Voice, questions: Sequence[str], theirs: Sequence[float], *,
    language: str, seeds: Sequence[int],
) -> str:  # fmt: skip
    """The row of one voice: the readings of a reader against ours."""
    right, moving = 0, 0
    rises: list[float] = []
    higher: list[float] = []
    for seed in seeds:
        asked, stated = (
            [final_change(spoken(engine, voice, text[:-1] + mark, language=language, seed=seed)) for text in questions]
            for mark in (questions[0][-1], STOPS[language])
        )
        found = agreement(theirs, asked)
        right, moving = right + found[0], moving + found[1]
        rises += asked
        higher += list(np.subtract(asked, stated))
    share = [np.mean(np.array(ends)[~np.isnan(ends)] > 0) for ends in (theirs, rises)]
    return (
        f"{name} | {right} of {moving} ({right / moving:.0%}) | {share[0]:.0%} / {share[1]:.0%} | "
        f"{np.nanmedian(theirs):+.1f} / {np.nanmedian(rises):+.1f} | {np.nanmedian(higher):+.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=Path, nargs=2, metavar=("KIT", "HOME"))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--voice", nargs="*", help="else all built-in ones")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    chosen = parser.parse_args()
    if not (chosen.peer or chosen.data):
        parser.error("give --peer, --data or both")
    engine, store = load_engine(), VoiceStore()
    names = chosen.voice or [entry.card.name for entry in store.entries() if entry.is_builtin]
    print(
        "| reader | voice | goes the same way | rises, reader / ours | change of F0, semitones | question - statement |"
    )
    print("|---|---|---|---|---|---|")

    def rows(reader: str, questions: Sequence[str], theirs: Sequence[float], language: str) -> None:
        for name in names:
            voice = store.get(name)
            row = measure(engine, name, voice, questions, theirs, language=language, seeds=chosen.seeds)
            print(f"| {reader} | {row}", flush=True)

    if chosen.peer:
        with Kokoro(KokoroConfig(*chosen.peer)) as kokoro:
            for language, questions in QUESTIONS.items():
                theirs = [final_change(kokoro.speak(text, language=language)[0]) for text in questions]
                rows(f"Kokoro, {language}", questions, theirs, language)
    if chosen.data:
        people = {
            one.path.stem: one
            for development in (True, False)
            for one in speech(chosen.data, development=development, packs=("en_librispeech",))
        }
        for kind, read in READ_BY_PEOPLE.items():
            theirs = [final_change(load_speech(people[name].path, engine.sample_rate_hz)) for name in read]
            rows(f"people, {kind}", [people[name].text.lower() + "?" for name in read], theirs, "en")


if __name__ == "__main__":
    main()
