"""The commands as people type them, with a fake engine."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
from typer.testing import Result

from fakes import FakeEngine, make_voice, reading
from yinse.audio.write import write_audio
from yinse.voices.bundle import write_voice

Yinse = Callable[..., Result]
LINES = ["The morning train was late again, so we walked along the river.", "Please put the cups back on the table."]
COMMANDS = "say phonemes clone check voices models train eval demo doctor".split()


def program(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    code = "from yinse.cli.main import main; main()"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]


def test_help_names_every_command(yinse: Yinse) -> None:
    result = yinse("--help")
    assert result.exit_code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in result.stdout] == []
    for name in COMMANDS:
        assert yinse(name, "--help").exit_code == 0
        assert yinse(name, "-h").exit_code == 0


def test_commands_of_the_readme_exist(yinse: Yinse, repository: Path) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    commands = [re.split(r" #|\||&&", line)[0] for line in re.findall(r"^(?:\$ )?(yinse .*)$", text, re.MULTILINE)]
    assert commands
    for command in commands:
        _, name, *arguments = shlex.split(command)
        subcommand = [argument for argument in arguments[:1] if name in ("voices", "models", "train")]
        help_text = yinse(name, *subcommand, "--help")
        assert help_text.exit_code == 0, command
        for option in (argument for argument in arguments if argument.startswith("-") and argument != "-"):
            assert re.search(rf"(?<!\w){re.escape(option)}\b", help_text.stdout), f"{command}: {option}"


def test_version(yinse: Yinse) -> None:
    import yinse as package

    assert yinse("--version").stdout == f"yinse {package.__version__}\n"


def test_wrong_usage_is_exit_code_2(yinse: Yinse) -> None:
    for command in (("sing",), ("say", "--loud"), ("clone",), ("say", "a", "b"), ("voices", "show")):
        result = yinse(*command)
        assert result.exit_code == 2, command
        assert "Traceback" not in result.output


# ------------------------------------------------------------------------- say


def test_say_writes_a_file_and_tells_about_it(yinse: Yinse, tmp_path: Path) -> None:
    result = yinse(
        "say", "Hello. 你好。", "--voice", "Bell", "-o", "a.flac", "--captions", "a.vtt", "--report", "a.json"
    )
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert "audio: a.flac" in result.stderr
    assert (tmp_path / "a.vtt").read_text().startswith("WEBVTT")
    assert len(json.loads((tmp_path / "a.json").read_text())["sentences"]) == 2
    result = yinse("say", "Hello.", "--json")
    assert json.loads(result.stdout)["audio"] == "out.wav"
    assert json.loads(result.stdout)["voice"] == "Bell"


def test_say_pipes_a_wav(yinse: Yinse) -> None:
    result = yinse("say", "Hello.", "-o", "-", "--json")
    samples, rate_hz = soundfile.read(io.BytesIO(result.stdout_bytes))
    assert rate_hz == 24_000
    assert len(samples) > 4_800


def test_say_reads_files_and_pipes(yinse: Yinse, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_bytes("\ufeffOne. 二。\r\n".encode())
    for options in (("-f", tmp_path / "text.txt"), ("-f", "-")):
        result = yinse("say", *options, "--json", input="One. 二。")
        assert json.loads(result.stdout)["sentences"] == 2, result.stderr


def test_say_obeys_speed_and_seed(yinse: Yinse) -> None:
    def spoken(*options: str) -> bytes:
        return bytes(yinse("say", "Hello.", "-o", "-", *options).stdout_bytes)

    assert len(spoken("--speed", "2")) < 0.6 * len(spoken())
    assert spoken("--seed", "4") == spoken("--seed", "4") != spoken("--seed", "5")


def test_say_takes_on_a_manner(yinse: Yinse, tmp_path: Path) -> None:
    write_audio(tmp_path / "style.wav", reading(LINES[:1]))
    (tmp_path / "style.txt").write_text(LINES[0])
    assert yinse("say", "Hello.", "--style", tmp_path / "style.wav").exit_code == 0


# ------------------------------------------------------------------------- phonemes


def test_phonemes_show_how_a_text_is_read(yinse: Yinse) -> None:
    text = "I have 2 cats. 你好！☃\n\n{行|hang2}"
    result = yinse("phonemes", text, "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["text"] for line in lines] == text.split("\n")
    words = lines[0]["words"]
    assert [(lines[0]["text"][w["start"] : w["end"]], w["text"], w["language"]) for w in words] == [
        ("I", "I", "en"),
        ("have", "have", "en"),
        ("2", "two", "en"),
        ("cats", "cats", "en"),
        ("你好", "你好", "zh"),
    ]
    # the first of two low tones rises
    assert (words[4]["reading"], words[4]["spoken"]) == (["ni3", "hao3"], ["ni2", "hao3"])
    assert words[4]["phonemes"] == ["n", "i2", "h", "ao3"]
    assert words[3]["reading"] == words[3]["phonemes"] == ["K", "AE1", "T", "S"]
    assert lines[1] == {"text": "", "words": []}
    assert lines[2]["words"][0]["source"] == "override"
    plain = yinse("phonemes", "你好")
    assert "ni3 hao3 → ni2 hao3" in plain.stdout and "n i2 h ao3" in plain.stdout


def test_a_lexicon_goes_before_the_dictionary(yinse: Yinse, tmp_path: Path) -> None:
    lexicon = tmp_path / "words.tsv"
    lexicon.write_text("重庆\tzhong4 qing4\nyinse\tY IH1 N S EY2\n", encoding="utf-8")
    result = yinse("phonemes", "Yinse在重庆", "--lexicon", lexicon, "--json")
    words = json.loads(result.stdout)["words"]
    assert [(w["text"], w["source"]) for w in words if w["source"] == "lexicon"] == [
        ("Yinse", "lexicon"),
        ("重庆", "lexicon"),
    ]
    assert words[-1]["spoken"] == ["zhong4", "qing4"]
    assert yinse("say", "Yinse在重庆", "--lexicon", lexicon, "-o", "lexicon.wav").exit_code == 0
    lexicon.write_text("重庆\tzhong4 qing4\nyinse Y\n", encoding="utf-8")
    failed = yinse("say", "Yinse", "--lexicon", lexicon)
    assert failed.exit_code == 1 and "words.tsv, line 2" in failed.stderr


# ------------------------------------------------------------------------- clone, voices


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "me.wav"
    write_audio(path, reading(LINES * 3))
    path.with_suffix(".txt").write_text("\n".join(LINES * 3))
    return path


def test_clone_makes_a_voice_that_say_knows(yinse: Yinse, recording: Path) -> None:
    result = yinse("clone", recording, "--name", "me")
    assert result.exit_code == 0, result.stderr
    assert "similarity: 0.700 -> 0.850" in result.stdout
    assert yinse("say", "Hello.", "--voice", "me").exit_code == 0
    listed = json.loads(yinse("voices", "list", "--json").stdout)
    assert [(voice["name"], voice["builtin"]) for voice in listed] == [("Bell", True), ("me", False)]
    shown = json.loads(yinse("voices", "show", "me", "--json").stdout)
    assert shown["tuned"]
    assert shown["figures"]["similarity_after"] == 0.85
    assert "me: good" in yinse("voices", "verify").stdout
    assert yinse("voices", "forget", "me", input="n\n").exit_code == 1
    assert json.loads(yinse("voices", "forget", "me", "-y", "--json").stdout)["forgotten"] == "me"
    assert "me\t" not in yinse("voices", "list").stdout


def test_clone_tells_everything_as_json(yinse: Yinse, recording: Path) -> None:
    result = yinse("clone", recording, "--name", "me", "--no-tune", "--json")
    summary = json.loads(result.stdout)
    assert (summary["name"], summary["tuned"], summary["languages"]) == ("me", False, ["en"])
    (one,) = summary["recordings"]
    assert one["before"]["verdict"] in ("good", "warned")
    assert [step["name"] for step in one["steps"]][0] == "offset"
    assert Path(summary["path"]).is_file()


def test_progress_is_plain_where_there_is_no_terminal(yinse: Yinse, recording: Path) -> None:
    result = yinse("clone", recording, "--name", "me")
    assert "\x1b" not in result.stderr
    assert "tune 5/5" in result.stderr


def test_a_damaged_voice_is_mentioned(yinse: Yinse, home: Path) -> None:
    (home / "voices").mkdir(parents=True)
    (home / "voices" / "x.voice").write_bytes(b"x")
    result = yinse("voices", "list")
    assert "Bell" in result.stdout
    assert "warning: x.voice" in result.stderr


# ------------------------------------------------------------------------- check, models, doctor


def test_check_reports_in_words_and_numbers(yinse: Yinse, recording: Path) -> None:
    result = yinse("check", recording.parent, "--json")
    (entry,) = json.loads(result.stdout)["recordings"]
    assert entry["report"]["speech_s"] > 10
    assert "s of speech" in yinse("check", recording).stdout


@pytest.fixture
def model(home: Path) -> Path:
    folder = home / "models" / "mine"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"format": 1, "type": "native", "fingerprint": "fake"}')
    (folder / "provenance.json").write_text("{}")
    (folder / "MODEL_CARD.md").write_text("# Mine")
    return folder


def test_models_are_listed_verified_and_described(yinse: Yinse, model: Path) -> None:
    assert [m["name"] for m in json.loads(yinse("models", "list", "--json").stdout)] == ["mine"]
    assert yinse("models", "card", "mine").stdout == "# Mine\n"
    assert json.loads(yinse("models", "verify", str(model), "--json").stdout)["fingerprint"] == "fake"
    result = yinse("models", "card", "mien")
    assert result.exit_code == 1
    assert "Did you mean 'mine'?" in result.stderr
    (model / "config.json").write_text("{")
    assert yinse("models", "list").exit_code == 1


def test_doctor_says_what_is_there(yinse: Yinse, home: Path) -> None:
    result = yinse("doctor", "--json")
    assert result.exit_code == 0, result.stdout
    found = json.loads(result.stdout)
    assert (found["model"], found["voices"], found["problems"]) == ("fake", ["Bell"], [])
    assert found["home"] == str(home)
    (home / "voices").mkdir(parents=True)
    (home / "voices" / "x.voice").write_bytes(b"x")
    result = yinse("doctor")
    assert result.exit_code == 1
    assert "problem: x.voice" in result.stdout


# ------------------------------------------------------------------------- train, demo


def test_train_refuses_what_it_does_not_know(yinse: Yinse, tmp_path: Path) -> None:
    where = ("--data", str(tmp_path), "--work", str(tmp_path / "work"))
    result = yinse("train", "base", *where, "--stage", "acustic")
    assert (result.exit_code, "Did you mean 'acoustic'?" in result.stderr) == (1, True)
    assert yinse("train", "base", *where, "--steps", "acoustic").exit_code == 2
    assert yinse("train", "base", *where, "--device", "abacus").exit_code == 2


def test_demo_names_what_to_listen_to(yinse: Yinse, recording: Path, tmp_path: Path) -> None:
    result = yinse("demo", recording, "--no-tune", "--json")
    assert result.exit_code == 0, result.stderr
    files = json.loads(result.stdout)["files"]
    assert all(Path(path).exists() for path in files.values())
    assert (tmp_path / "demo-output" / "report.md").exists()


# ------------------------------------------------------------------------- as a program


def test_a_reader_that_leaves_early_is_no_bug() -> None:
    """`yinse phonemes … | head -1`."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    code = "from yinse.cli.main import main; main()"
    text = "One sentence. " * 3000
    result = subprocess.run(
        [sys.executable, "-c", code, "phonemes", "-f", "-"],
        input=text.encode(),
        stdout=write_end,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write_end)
    assert result.returncode == 1
    assert result.stderr == b""


def test_stdout_and_stderr_are_apart(tmp_path: Path) -> None:
    environment = {**os.environ, "YINSE_HOME": str(tmp_path)}
    write_voice(tmp_path / "voices" / "ada.voice", make_voice("Ada"))
    result = program("voices", "show", "Ada", "--json", env=environment)
    assert json.loads(result.stdout)["name"] == "Ada"
    assert result.stderr == ""
    result = program("voices", "show", "Adda", "--json", env=environment)
    assert (result.returncode, result.stdout) == (1, "")
    assert "Did you mean 'Ada'?" in result.stderr


def test_the_fake_is_an_engine() -> None:
    from yinse.workflows.engine import Engine

    engine: Engine = FakeEngine()
    assert engine.sample_rate_hz == 24_000
