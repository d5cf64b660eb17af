"""The harness with fakes: what is planned, kept, made anew, summed up and shown."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fakes import FakeEngine, humming, reading
from yinse.audio.write import write_audio
from yinse.core.errors import BadText, ConfigError, UnknownName
from yinse.core.events import Event, Finished, Warned
from yinse.core.types import AudioClip, FloatArray
from yinse.evaluate.harness import LEDGER, Item, Judges, read_items, run_tasks
from yinse.evaluate.kokoro import Kokoro, KokoroConfig
from yinse.evaluate.misheard import ErrorCount
from yinse.evaluate.naturalness import Naturalness
from yinse.evaluate.page import markdown, spectrogram_png
from yinse.evaluate.plan import CROSS, PlanConfig, Task, make_tasks, read_people
from yinse.evaluate.requirements import Requirement, check_requirements
from yinse.evaluate.speaker_judge import SimilarityFigures
from yinse.evaluate.stress import compose_sentences, lost_and_added, stress_sentences, stress_tasks
from yinse.evaluate.summary import Row
from yinse.workflows.evaluate import EvaluationRequest, evaluate

TEXTS = {
    "en": ["the first sentence of a small book", "a second one comes after the first", "here is the third of them all"],
    "zh": ["今天天气很好我们出去走走", "他明天早上要坐火车去北京", "这本书的最后一页没有了"],
}
SPEAKERS = {"en-low": ("en", 100.0), "en-high": ("en", 200.0), "zh-low": ("zh", 120.0), "zh-high": ("zh", 230.0)}


class Ear:
    """Hears every sentence of `texts` by its length alone; counts how often it is asked."""

    def __init__(self, heard: str = "the first sentence of a small book") -> None:
        self.heard, self.asked = heard, 0

    def hear(self, clip: AudioClip, *, language: str) -> str:
        self.asked += 1
        return self.heard


class PitchJudge:
    """Tells people by their strongest partial."""

    def embed(self, clip: AudioClip) -> FloatArray:
        hz = np.argmax(np.abs(np.fft.rfft(clip.samples))) * clip.sample_rate_hz / len(clip.samples)
        angle = np.log2(max(hz, 50.0) / 50.0)
        return np.array([np.cos(angle), np.sin(angle)], dtype=np.float32)


class Flatterer:
    """Finds everything good."""

    def score(self, clip: AudioClip) -> Naturalness:
        return Naturalness(3.0, 3.5, 4.0, 3.2)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of four people who hum, with its splits."""
    folder = tmp_path_factory.mktemp("data")
    rows = []
    for speaker, (language, f0_hz) in SPEAKERS.items():
        for number in range(4):
            text = TEXTS[language][number % 3]
            clip = reading([text], f0_hz=f0_hz)
            path = folder / "pack" / "audio" / f"{speaker}-{number}.wav"
            write_audio(path, clip)
            rows.append((f"audio/{path.name}", speaker, language, text, f"{clip.duration_s:.3f}"))
    with (folder / "pack" / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "speaker", "language", "text", "duration_s"), *rows])
    (folder / "splits.json").write_text(json.dumps({"development": {"pack": list(SPEAKERS)}}))
    return folder


@pytest.fixture
def plan() -> PlanConfig:
    return PlanConfig(
        packs=("pack",), sentences={"en": 2, "zh": 2}, cross_sentences={"en": 1, "zh": 1}, reference_s=1.0
    )


def finish(events: object) -> tuple[object, list[Event]]:
    """The result of a use case, and its other events."""
    seen: list[Event] = []
    for event in events:  # type: ignore[attr-defined]
        if isinstance(event, Finished):
            return event.result, seen
        seen.append(event)
    raise AssertionError("no result")


def say_by(made: list[str], *, seconds: float = 1.0) -> Callable[[Task], AudioClip]:
    """Hums, and notes what was made."""

    def speak(task: Task) -> AudioClip:
        made.append(task.key)
        if task.text == "unspeakable":
            raise BadText("no word of it is known")
        return humming([(seconds, True)], f0_hz=100.0 + len(task.text))

    return speak


def test_reference_and_sentences_do_not_meet(data: Path, plan: PlanConfig) -> None:
    for person in read_people(data, plan):
        used = sum(one.duration_s for one in person.reference)
        assert used >= plan.reference_s > used - person.reference[-1].duration_s
        assert len(person.sentences) == 2
        assert not {one.id for one in person.reference} & {one.id for one in person.sentences}


def test_tasks_cross_languages(data: Path, plan: PlanConfig) -> None:
    people = read_people(data, plan)
    tasks = make_tasks(people, ["at-once"], plan)
    assert tasks == make_tasks(people, ["at-once"], plan)
    assert len({task.key for task in tasks}) == len(tasks) == 8 + 8 + 4
    own = {person.id: person.language for person in people}
    for task in tasks:
        assert (own[task.speaker] != task.language) == task.condition.endswith(CROSS)
        assert (task.recording is not None) == (task.condition == "real")


def test_data_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--data"):
        read_people(tmp_path, PlanConfig())


def test_killed_run_goes_on(tmp_path: Path) -> None:
    tasks = [Task("at-once", "a", str(n), "en", "word " * (n + 1)) for n in range(4)]
    made: list[str] = []
    ear = Ear()
    options = {"speak": say_by(made), "makers": {"at-once": "1"}, "judges": Judges(ear), "folder": tmp_path}
    events = run_tasks(tasks, **options)
    while len(made) < 3:
        next(events)
    next(events)
    events.close()
    with (tmp_path / LEDGER).open("a") as ledger:
        ledger.write('{"task": {"cond')  # killed while it wrote
    items, _ = finish(run_tasks(tasks, **options))
    assert [item.task for item in items] == tasks  # type: ignore[attr-defined]
    assert made == [task.key for task in tasks]
    assert ear.asked == 4
    assert {item.task.key for item in read_items(tmp_path)} == {task.key for task in tasks}


def test_another_maker_speaks_again_but_same_sound_is_judged_once(tmp_path: Path) -> None:
    tasks = [Task("at-once", "a", "1", "en", "good day")]
    made: list[str] = []
    ear = Ear("good day")
    for maker in ("1", "2"):
        finish(run_tasks(tasks, speak=say_by(made), makers={"at-once": maker}, judges=Judges(ear), folder=tmp_path))
    assert (len(made), ear.asked) == (2, 1)
    finish(
        run_tasks(
            tasks,
            speak=say_by(made),
            makers={"at-once": "3"},
            judges=Judges(ear),
            folder=tmp_path / "other",
            reuse=[tmp_path],
        )
    )
    assert ear.asked == 1


def test_new_judge_is_asked(tmp_path: Path) -> None:
    tasks = [Task("at-once", "a", "1", "en", "good day")]
    for judges in (Judges(Ear()), Judges(Ear(), PitchJudge(), Flatterer())):
        finish(run_tasks(tasks, speak=say_by([]), makers={"at-once": "1"}, judges=judges, folder=tmp_path))
    (item,) = read_items(tmp_path)
    assert len(item.judgement.vector) == 2
    assert item.judgement.naturalness == Naturalness(3.0, 3.5, 4.0, 3.2)


def test_refused_sentences_are_left_out_with_a_warning(tmp_path: Path) -> None:
    tasks = [Task("peer", "a", "1", "en", "unspeakable"), Task("peer", "a", "2", "en", "good day")]
    items, events = finish(
        run_tasks(tasks, speak=say_by([]), makers={"peer": "1"}, judges=Judges(Ear()), folder=tmp_path)
    )
    assert [item.task.sentence for item in items] == ["2"]  # type: ignore[attr-defined]
    assert [event.where for event in events if isinstance(event, Warned)] == ["peer/a/1"]


def test_whole_evaluation(data: Path, plan: PlanConfig, tmp_path: Path) -> None:
    request = EvaluationRequest(output=tmp_path, data=data, plan=plan, conditions=("at-once",))
    ear = Ear()
    judges = Judges(ear, PitchJudge(), Flatterer())
    report, _ = finish(evaluate(request, engine=FakeEngine(), judges=judges))
    keys = [(row.group, row.language, row.condition) for row in report.rows]  # type: ignore[attr-defined]
    assert ("en", "en", "real") in keys
    assert ("zh", "en", "at-once" + CROSS) in keys
    real = next(row for row in report.rows if (row.group, row.condition) == ("en", "real"))  # type: ignore[attr-defined]
    assert real.normalised == pytest.approx(1.0)
    assert real.similarity.nearest == 1.0
    assert real.f0_ratio == pytest.approx(1.0)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert page.count("<audio") == len(read_items(tmp_path))
    assert "data:image/png;base64," in page
    table = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    assert len(table["rows"]) == len(keys)
    assert "NaN" not in (tmp_path / "table.json").read_text(encoding="utf-8")
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == markdown(report)  # type: ignore[arg-type]
    asked = ear.asked
    finish(evaluate(request, engine=FakeEngine(), judges=judges))
    assert ear.asked == asked


def test_voice_that_was_not_tuned_is_not_shown_as_tuned(data: Path, plan: PlanConfig, tmp_path: Path) -> None:
    # One short sentence is too little to tune with.
    request = EvaluationRequest(output=tmp_path, data=data, plan=plan, conditions=("tuned",))
    report, events = finish(evaluate(request, engine=FakeEngine(), judges=Judges(Ear())))
    assert {row.condition for row in report.rows} == {"real"}  # type: ignore[attr-defined]
    assert any(isinstance(event, Warned) and "tuned" in event.message for event in events)


def test_missing_peer_is_left_out(data: Path, plan: PlanConfig, tmp_path: Path) -> None:
    peer = KokoroConfig(tmp_path / "kit", tmp_path / "home")
    with pytest.raises(ConfigError, match="setup.sh"):
        Kokoro(peer)
    request = EvaluationRequest(output=tmp_path, data=data, plan=plan, conditions=(), peer=peer)
    report, events = finish(evaluate(request, engine=FakeEngine(), judges=Judges(Ear())))
    assert any(isinstance(event, Warned) and "peer" in event.message for event in events)
    assert {row.condition for row in report.rows} == {"real"}  # type: ignore[attr-defined]


def test_bad_requests(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="tuned"):
        EvaluationRequest(output=tmp_path, data=tmp_path, conditions=("tunde",))
    with pytest.raises(ConfigError):
        EvaluationRequest(output=tmp_path)
    request = EvaluationRequest(output=tmp_path, data=tmp_path, conditions=("copy",))
    with pytest.raises(ConfigError, match="copy"):
        next(evaluate(request, engine=FakeEngine(), judges=Judges(Ear())))


def test_stress_sentences_are_two_hundred() -> None:
    assert all(len(set(stress_sentences(language))) == 100 for language in ("en", "zh"))
    assert all(line.strip() == line and line for language in ("en", "zh") for line in stress_sentences(language))
    assert len(stress_tasks(["x"], count=10)) == 20


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_thousand_stress_sentences(language: str) -> None:
    many = stress_sentences(language, 500)
    assert many[:100] == stress_sentences(language)
    assert len(set(many)) == 500
    assert many == stress_sentences(language, 500)
    assert not any(mark in sentence for mark in "{}" for sentence in many)
    others = set(itertools.islice(compose_sentences(language, seed=1), 400))
    assert len(others & set(many[100:])) < 150  # one word is one word: most of these, few of the long ones


def test_too_many_stress_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = {"templates": ["{a1} and {a2}."], "words": {"a": ["bread", "milk"]}}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "stress_en.json").write_text(json.dumps({"pairs": kind}))
    (tmp_path / "data" / "stress_en.txt").write_text("Bread and milk.\n")
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    assert stress_sentences("en", 2) == ["Bread and milk.", "Milk and bread."]
    with pytest.raises(ConfigError, match="only 2"):
        stress_sentences("en", 3)


def test_stress_compares_what_both_spoke(tmp_path: Path) -> None:
    tasks = [Task(maker, "stress", str(n), "en", "no, no, no") for maker in ("yinse", "kokoro") for n in range(2)]
    items, _ = finish(
        run_tasks(
            tasks,
            speak=say_by([]),
            makers={"yinse": "1", "kokoro": "1"},
            judges=Judges(Ear("no, no")),
            folder=tmp_path,
        )
    )
    counts = lost_and_added(items[:3])  # type: ignore[index]
    assert counts["yinse"]["en"] == counts["kokoro"]["en"] == ErrorCount(0, 1, 0, 3)
    (requirement,) = check_requirements([], counts)
    assert requirement.is_met


def row(condition: str, errors: int, similarity: float, *, group: str = "en", language: str = "en") -> Row:
    """100 words, of which the recordings have 5 misheard; every other figure is as good as can be."""
    return Row(
        group=group,
        language=language,
        condition=condition,
        clips=10,
        errors=ErrorCount(errors, 0, 0, 100),
        errors_without_tones=ErrorCount(errors, 0, 0, 100),
        real_errors=ErrorCount(5, 0, 0, 100),
        similarity=SimilarityFigures(0.9, 0.6, 1.0, 10),
        normalised=similarity,
        normalised_among_all=similarity,
        detail_ratio=0.5,
        naturalness=(3.0, 3.0, 3.0, 3.0),
        naturalness_quartiles=(3.0, 3.0),
        naturalness_gap=0.0,
        f0_ratio=1.0,
        f0_spread_ratio=1.0,
        rate_ratio=1.0,
        upper_band_db=0.0,
        real_time_factor=0.05,
    )


@pytest.mark.parametrize(
    ("rows", "missed"),
    [
        ([row("tuned", 6, 0.9), row("tuned cross", 9, 0.75, language="zh")], []),
        ([row("tuned", 8, 0.9)], ["words misheard"]),
        ([row("tuned", 8, 0.9, group="zh", language="zh")], []),
        ([row("tuned", 6, 0.8)], ["normalised similarity"]),
        ([row("at-once", 6, 0.7)], []),
        ([row("at-once", 6, 0.6)], ["normalised similarity"]),
        ([row("copy", 6, 0.8)], ["normalised similarity"]),
        (
            [row("tuned", 6, 0.9), row("tuned cross", 10, 0.6, language="zh")],
            ["syllables misheard, with tones", "loss of normalised similarity"],
        ),
        ([row("tuned cross", 50, 0.1, language="zh"), row("real", 5, 1.0), row("kokoro", 50, 0.0, group="kokoro")], []),
        ([replace(row("tuned", 6, 0.9), naturalness_gap=-0.3, f0_spread_ratio=1.4)], ["DNSMOS", "spread of F0"]),
        ([replace(row("tuned", 6, 0.9), f0_spread_ratio=0.6, real_time_factor=0.2)], ["spread of F0", "real-time"]),
    ],
)
def test_what_must_be_reached(rows: list[Row], missed: list[str]) -> None:
    found = [one.name for one in check_requirements(rows) if not one.is_met]
    assert len(found) == len(missed)
    assert all(part in name for part, name in zip(missed, found, strict=True))


def test_less_is_asked_of_voices_heard_for_seconds() -> None:
    rows = [row("at-once", 6, 0.6)]
    assert not all(one.is_met for one in check_requirements(rows))
    assert all(one.is_met for one in check_requirements(rows, reference_s=8.0))


def test_requirement_directions() -> None:
    assert Requirement("", 1.0, 2.0, is_most=True).is_met
    assert not Requirement("", 1.0, 2.0, is_most=False).is_met
    assert not Requirement("", float("nan"), 2.0, is_most=True).is_met


def test_empty_ledger(tmp_path: Path) -> None:
    items: list[Item] = read_items(tmp_path)
    assert items == []


def test_picture_of_a_clip_shorter_than_a_window() -> None:
    assert spectrogram_png(AudioClip(np.zeros(100, dtype=np.float32), 24_000)).startswith(b"\x89PNG")
