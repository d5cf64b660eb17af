"""Preparing a corpus: the cache, processes that break, lists, and what a second run does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from fakes import FakeEngine, humming
from made_voice import RATE_HZ, noisy, voice
from yinse.audio.decode import decode
from yinse.audio.options import PREPARATION
from yinse.audio.quality import assess_quality
from yinse.audio.write import write_audio
from yinse.core.errors import BadAudio, BadText, ConfigError, ResourceError
from yinse.core.events import Finished, Progress, Warned
from yinse.core.types import AudioClip
from yinse.corpus.manifest import (
    Source,
    UtteranceRecord,
    read_list,
    read_manifest,
    write_list,
    write_ljspeech,
    write_manifest,
)
from yinse.workflows.batch import Crashed, run_all
from yinse.workflows.cache import RESULT, ResultCache
from yinse.workflows.prep import PrepRequest, PrepResult, prepare_corpus
from yinse.workflows.second_speaker import find_second_speaker, warned

OPTIONS = replace(PREPARATION, denoise="gate")


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Two good takes (one in a folder of its own), a noisy one, silence, and rubbish."""
    folder = tmp_path / "takes"
    clip = noisy(voice(3.0), 20.0)
    write_audio(folder / "a.wav", clip)
    write_audio(folder / "deeper" / "a.wav", noisy(voice(3.2), 30.0))
    write_audio(folder / "loud.wav", noisy(voice(3.0), -10.0))
    write_audio(folder / "none.wav", AudioClip(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ))
    (folder / "rubbish.wav").write_bytes(b"RIFF1234")
    return folder


def run(recordings: Path, output: Path, **changes: Any) -> tuple[PrepResult, list[Any]]:
    request = PrepRequest(audio=(recordings,), output=output, options=OPTIONS, cache=output.parent / "cache", **changes)
    events = list(prepare_corpus(request))
    assert isinstance(events[-1], Finished)
    return events[-1].result, events


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ------------------------------------------------------------------------- a corpus


def test_good_takes_become_a_corpus_and_bad_ones_stop_nothing(recordings: Path, tmp_path: Path) -> None:
    (recordings / "a.txt").write_text("Hello | there.")
    result, events = run(recordings, tmp_path / "corpus", exports=("list", "ljspeech"), speaker="me", language="en")
    assert dict(result.counts) == {"repaired": 1, "accepted": 1, "refused": 2, "unreadable": 1}
    assert result.utterances == 2
    warned = [f"{event.where} {event.message}" for event in events if isinstance(event, Warned)]
    assert len(warned) == 3
    assert all("refused" in line or "unreadable" in line for line in warned)
    records = read_manifest(tmp_path / "corpus")
    assert len({record.id for record in records}) == 2
    for record in records:
        samples, rate_hz = soundfile.read(tmp_path / "corpus" / record.audio)
        assert (rate_hz, record.sample_rate_hz, record.speaker) == (32_000, 32_000, "me")
        assert len(samples) / rate_hz == pytest.approx(record.duration_s, abs=1e-3)
        assert record.quality["loudness_lufs"] == pytest.approx(-17.0, abs=1.0)
        assert [step["step"] for step in record.journal][-1] == "loudness"
        assert record.source.end_s > record.source.start_s
    listed = read_list(tmp_path / "corpus" / "corpus.list")
    assert [path.is_file() for path, *_ in listed] == [True, True]
    assert sorted(text for *_, text in listed) == ["", "Hello there."]
    assert "|Hello there.|Hello there.\n" in (tmp_path / "corpus" / "metadata.csv").read_text()
    progress = [event for event in events if isinstance(event, Progress)]
    assert (progress[-1].done, progress[-1].total) == (5, 5)
    assert "left" in progress[-1].note


def test_the_second_run_knows_everything_and_gives_the_same_bytes(recordings: Path, tmp_path: Path) -> None:
    first, _ = run(recordings, tmp_path / "one")
    second, _ = run(recordings, tmp_path / "two")
    assert not any(outcome.was_known for outcome in first.outcomes)
    assert all(outcome.was_known for outcome in second.outcomes)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    again = PrepRequest(audio=(recordings,), output=tmp_path / "three", options=OPTIONS, cache=tmp_path / "fresh")
    list(prepare_corpus(again))
    assert contents(tmp_path / "one") == contents(tmp_path / "three")


def test_other_options_are_other_results(recordings: Path, tmp_path: Path) -> None:
    run(recordings, tmp_path / "one")
    other = PrepRequest(
        audio=(recordings / "a.wav",),
        output=tmp_path / "two",
        options=replace(OPTIONS, rate_hz=24_000),
        cache=tmp_path / "cache",
    )
    *_, last = prepare_corpus(other)
    assert isinstance(last, Finished)
    assert [outcome.was_known for outcome in last.result.outcomes] == [False]
    assert read_manifest(tmp_path / "two")[0].sample_rate_hz == 24_000


def test_refused_recordings_leave_no_file(recordings: Path, tmp_path: Path) -> None:
    result, _ = run(recordings / "loud.wav", tmp_path / "corpus")
    assert dict(result.counts) == {"refused": 1}
    assert "above the noise" in result.outcomes[0].reasons[0]
    assert result.outcomes[0].advice
    assert not (tmp_path / "corpus").exists()


def test_a_bug_costs_the_recording_that_met_it_only(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path) -> AudioClip:
        if path.name == "none.wav":
            raise ZeroDivisionError("of all things")
        return decode(path)

    monkeypatch.setattr("yinse.workflows.prepared.decode", broken)
    result, events = run(recordings, tmp_path / "corpus")
    assert (result.utterances, result.counts["unreadable"]) == (2, 2)
    assert any("ZeroDivisionError: of all things" in e.message for e in events if isinstance(e, Warned))
    assert not list((tmp_path / "cache").glob(".*"))


def test_the_best_are_chosen_and_nothing_is_kept_if_not_wanted(recordings: Path, tmp_path: Path) -> None:
    result, _ = run(recordings, tmp_path / "corpus", best_s=1.0, keep=False)
    assert (result.utterances, result.unchosen) == (1, 1)
    (record,) = read_manifest(tmp_path / "corpus")
    assert "deeper" in record.source.path  # 30 dB rather than 20
    assert sorted(path.name for path in (tmp_path / "corpus").iterdir()) == ["manifest.jsonl", "wavs"]
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("changes", [{"jobs": 0}, {"best_s": -1.0}, {"exports": ("xml",)}])
def test_requests_that_make_no_sense(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        PrepRequest(audio=(tmp_path,), output=tmp_path, **changes)
    with pytest.raises(BadAudio):
        list(prepare_corpus(PrepRequest(audio=(tmp_path / "missing",), output=tmp_path)))


# ------------------------------------------------------------------------- cache


def put(cache: ResultCache, key: str, size: int = 10) -> Path:
    return cache.put(key, lambda folder: (folder / RESULT).write_bytes(b"x" * size) and None)


def test_results_are_there_whole_or_not_at_all(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path / "cache")
    assert cache.find("ab12") is None

    def fail(folder: Path) -> None:
        (folder / RESULT).write_bytes(b"half")
        raise BadAudio("broken")

    with pytest.raises(BadAudio):
        cache.put("ab12", fail)
    assert contents(tmp_path / "cache") == {}
    assert put(cache, "ab12") == cache.find("ab12") == put(cache, "ab12", 99)
    assert contents(tmp_path / "cache") == {f"ab/ab12/{RESULT}": b"x" * 10}


def test_leavings_of_the_dead_are_swept_and_those_of_the_living_are_not(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    for number in (process.pid, os.getpid()):
        (tmp_path / f".key.{number}.partial").mkdir()
    ResultCache(tmp_path).sweep()
    assert [path.name for path in tmp_path.iterdir()] == [f".key.{os.getpid()}.partial"]


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path)
    for age, key in enumerate(("aa1", "bb2", "cc3")):
        os.utime(put(cache, key, 100) / RESULT, (1e9 - age, 1e9 - age))
    cache.find("cc3")
    cache.prune(250)
    assert [cache.find(key) is not None for key in ("aa1", "bb2", "cc3")] == [True, False, True]


def test_a_cache_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ResourceError, match="--cache"):
        put(ResultCache(tmp_path / "file"), "ab12")


# ------------------------------------------------------------------------- processes


def test_an_item_that_kills_its_process_costs_itself_only(tmp_path: Path) -> None:
    # In a module of its own, which the other processes can import.
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from breaker import double_or_die\nfrom yinse.workflows.batch import run_all\n"
        "if __name__ == '__main__':\n"
        "    print(sorted((place, str(result)) for place, result in run_all(double_or_die, range(6), jobs=2)))\n"
    )
    (tmp_path / "breaker.py").write_text(
        "import os\ndef double_or_die(number):\n    if number == 3:\n        os._exit(1)\n    return 2 * number\n"
    )
    (tmp_path / "run.py").write_text(code)
    source = Path(sys.modules["yinse"].__file__ or "").parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(source), str(tmp_path)])}
    heard = subprocess.run(
        [sys.executable, tmp_path / "run.py", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert heard.stdout.strip() == str([(n, "its process died" if n == 3 else str(2 * n)) for n in range(6)])


def test_one_process_is_this_one() -> None:
    seen: list[int] = []
    work: Callable[[int], int] = lambda number: seen.append(number) or number  # noqa: E731
    assert list(run_all(work, [4, 5], jobs=1)) == [(0, 4), (1, 5)]
    assert seen == [4, 5]
    assert issubclass(Crashed, Exception)


# ------------------------------------------------------------------------- lists


def record(**changes: Any) -> UtteranceRecord:
    fields: dict[str, Any] = {
        "id": "a_000",
        "audio": "wavs/a_000.wav",
        "duration_s": 2.5,
        "sample_rate_hz": 32_000,
        "speaker": "我",
        "language": "zh",
        "text": "你好|\n世界。",
        "source": Source(path="a.wav", sha256="0" * 64, start_s=0.0, end_s=2.5),
        "quality": {"snr_db": 30.0},
        "journal": [{"step": "highpass", "cutoff_hz": 50.0}],
    }
    return UtteranceRecord(**{**fields, **changes})


def test_lists_are_read_as_written(tmp_path: Path) -> None:
    records = [record(), record(id="a_001")]
    write_manifest(tmp_path, records)
    assert read_manifest(tmp_path) == records
    assert read_list(write_list(tmp_path / "x.list", records))[0] == (
        tmp_path / "wavs" / "a_000.wav",
        "我",
        "zh",
        "你好 世界。",
    )
    assert (
        write_ljspeech(tmp_path, records).read_text(encoding="utf-8").splitlines()[1] == "a_001|你好 世界。|你好 世界。"
    )


def test_damaged_lists_name_the_line(tmp_path: Path) -> None:
    write_manifest(tmp_path, [record()])
    with (tmp_path / "manifest.jsonl").open("a") as file:
        file.write('{"id": 3}\n')
    with pytest.raises(ConfigError, match=r"manifest\.jsonl, line 2"):
        read_manifest(tmp_path)
    (tmp_path / "x.list").write_text("a|b|c|d\na|b\n")
    with pytest.raises(BadText, match=r"x\.list, line 2"):
        read_list(tmp_path / "x.list")
    with pytest.raises(ConfigError):
        read_manifest(tmp_path / "nowhere")
    with pytest.raises(BadText):
        read_list(tmp_path / "nowhere.list")


# ------------------------------------------------------------------------- two people


def test_a_second_person_is_noticed_in_a_longer_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yinse.workflows.native.load_engine", FakeEngine)
    one = [humming([(2.0, True)], f0_hz=110.0) for _ in range(6)]
    other = [humming([(2.0, True)], f0_hz=220.0) for _ in range(2)]
    assert find_second_speaker(one) == ()
    assert find_second_speaker([*one[:5], *other]) == (5, 6)
    assert find_second_speaker([one[0], *other]) == ()
    report = assess_quality(noisy(voice(3.0), 30.0))
    assert warned(report, []) is report
    assert "at 12 s, 15 s" in warned(report, [12.0, 15.0]).reasons[-1]
    assert warned(report, [12.0]).verdict == "warned"
