"""Whatever people give it: a clear message, the right exit code, nothing half-written, nothing lost."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import Result

from fakes import RATE_HZ, FakeEngine, humming, make_voice, reading
from yinse.audio.write import write_audio
from yinse.core.errors import ResourceError
from yinse.core.types import AudioClip, SpeakRequest
from yinse.voices.bundle import write_voice
from yinse.voices.store import VoiceStore
from yinse.workflows.say import SpeakOutputs, speak

Yinse = Callable[..., Result]
SCRIPT = [
    "The morning train was late again, so we walked along the river.",
    "Please put the blue cups back on the kitchen table.",
    "She counted seven lanterns in the garden before the rain began.",
    "Nobody knew why the old clock had stopped at noon.",
    "He sold the boat and bought a small house on the hill.",
]


def partials(folder: Path) -> list[str]:
    """Files that should have been removed."""
    return [path.name for path in folder.rglob("*") if "partial" in path.name]


def refused(result: Result, code: int, *words: str) -> None:
    """A failure with an exit code and a message of one or a few lines that says these words."""
    assert result.exit_code == code, result.stderr + result.stdout
    assert result.stderr.count("error: ") == 1
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


def save(path: Path, samples: Any, *, subtype: str = "PCM_16") -> Path:
    soundfile.write(path, samples, RATE_HZ, subtype=subtype)
    return path


# ------------------------------------------------------------------------- audio


def empty_file(folder: Path) -> Path:
    (folder / "bad.wav").write_bytes(b"")
    return folder / "bad.wav"


def no_samples(folder: Path) -> Path:
    return save(folder / "bad.wav", np.zeros(0))


def silence(folder: Path) -> Path:
    return save(folder / "bad.wav", np.zeros(10 * RATE_HZ))


def short_audio(folder: Path) -> Path:
    return save(folder / "bad.wav", humming([(0.3, True)]).samples)


def text_named_wav(folder: Path) -> Path:
    (folder / "bad.wav").write_text("Dear Sir or Madam, " * 100)
    return folder / "bad.wav"


def early_cut_mp3(folder: Path) -> Path:
    path = folder / "bad.mp3"
    write_audio(path, humming([(5.0, True)]))
    path.write_bytes(path.read_bytes()[:1500])
    return path


def three_hours(folder: Path) -> Path:
    """Three hours by its header; the samples are a hole in the file."""
    path = save(folder / "bad.wav", np.zeros(RATE_HZ))
    length = 3 * 3600 * RATE_HZ * 2
    header = bytearray(path.read_bytes()[:44])
    header[4:8] = (length + 36).to_bytes(4, "little")
    header[40:44] = length.to_bytes(4, "little")
    path.write_bytes(header)
    with path.open("r+b") as file:
        file.truncate(44 + length)
    return path


def nan_samples(folder: Path) -> Path:
    samples = humming([(5.0, True)]).samples.copy()
    samples[1000] = np.nan
    return save(folder / "bad.wav", samples, subtype="FLOAT")


def missing_file(folder: Path) -> Path:
    return folder / "bad.wav"


def a_folder_without_audio(folder: Path) -> Path:
    (folder / "bad").mkdir()
    return folder / "bad"


BAD_AUDIO = {
    empty_file: (1, "bad.wav", "no audio"),
    no_samples: (1, "bad.wav"),
    silence: (4, "bad.wav", "no speech"),
    short_audio: (4, "bad.wav", "speech"),
    text_named_wav: (1, "bad.wav", "no audio"),
    early_cut_mp3: (4, "bad.mp3", "speech"),
    three_hours: (1, "bad.wav", "180 minutes"),
    nan_samples: (1, "bad.wav", "not numbers"),
    missing_file: (1, "bad.wav", "no such file"),
    a_folder_without_audio: (1, "bad", "no recordings"),
}


@pytest.mark.parametrize("make", BAD_AUDIO, ids=lambda make: make.__name__)
def test_bad_audio_makes_no_voice(yinse: Yinse, home: Path, tmp_path: Path, make: Callable[[Path], Path]) -> None:
    code, *words = BAD_AUDIO[make]
    refused(yinse("clone", make(tmp_path), "--name", "V"), code, *words)
    assert not list(home.rglob("*"))


@pytest.mark.parametrize("make", BAD_AUDIO, ids=lambda make: make.__name__)
def test_bad_audio_is_reported_by_check(yinse: Yinse, tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path)
    result = yinse("check", path, "--json")
    assert result.exit_code == BAD_AUDIO[make][0]
    if make not in (missing_file, a_folder_without_audio):
        (entry,) = json.loads(result.stdout)
        assert entry["problem"] or entry["report"]["verdict"] == "refused"


def test_a_truncated_mp3_gives_what_it_holds(yinse: Yinse, tmp_path: Path) -> None:
    path = tmp_path / "cut.mp3"
    write_audio(path, reading(SCRIPT))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    result = yinse("clone", path, "--name", "V", "--no-tune", "--json")
    assert result.exit_code == 0, result.stderr
    assert 5 < json.loads(result.stdout)["speech_s"] < 20


def test_a_bad_recording_among_good_ones_is_left_out(yinse: Yinse, tmp_path: Path) -> None:
    write_audio(tmp_path / "good.wav", reading(SCRIPT))
    result = yinse("clone", tmp_path / "good.wav", silence(tmp_path), "--name", "V", "--no-tune")
    assert result.exit_code == 0, result.stderr
    assert "warning: bad.wav: " in result.stderr
    assert "left out" in result.stderr


def test_two_people_in_a_file_are_warned_about(yinse: Yinse, tmp_path: Path) -> None:
    parts = [reading([line], f0_hz=f0) for line, f0 in zip(SCRIPT, (110, 260, 110, 260, 110), strict=True)]
    both = AudioClip(np.concatenate([part.samples for part in parts]), RATE_HZ)
    write_audio(tmp_path / "two.wav", both)
    result = yinse("clone", tmp_path / "two.wav", "--name", "V", "--no-tune")
    assert result.exit_code == 0, result.stderr
    assert "two people" in result.stderr
    write_audio(tmp_path / "one.wav", reading(SCRIPT))
    assert "two people" not in yinse("clone", tmp_path / "one.wav", "--name", "W", "--no-tune").stderr


# ------------------------------------------------------------------------- transcripts


@pytest.fixture
def takes(tmp_path: Path) -> list[Path]:
    """A recording of each sentence of the script."""
    folder = tmp_path / "takes"
    for number, line in enumerate(SCRIPT, 1):
        write_audio(folder / f"take{number}.wav", reading([line]))
    return sorted(folder.iterdir())


def test_a_line_that_does_not_match_is_named_and_left_out(
    yinse: Yinse, engine: FakeEngine, takes: list[Path], tmp_path: Path
) -> None:
    lines = [*SCRIPT[:2], "No.", *SCRIPT[3:]]
    (tmp_path / "script.txt").write_text("\n".join(lines))
    result = yinse("clone", *takes, "--name", "V", "--text", tmp_path / "script.txt")
    assert result.exit_code == 0, result.stderr
    assert "warning: script.txt, line 3: 'No.' is not what is said there" in result.stderr
    assert engine.tuned_texts == [*SCRIPT[:2], *SCRIPT[3:]]


def test_transcripts_that_do_not_match_at_all_are_refused(
    yinse: Yinse, home: Path, takes: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "script.txt").write_text("No.\n" * len(takes))
    result = yinse("clone", *takes, "--name", "V", "--text", tmp_path / "script.txt")
    refused(result, 1, "script.txt, line 1", "script.txt, line 5", "not what is said")
    assert not list(home.rglob("*.voice"))


def test_a_text_far_too_long_for_its_recording_is_refused(yinse: Yinse, takes: list[Path], tmp_path: Path) -> None:
    (tmp_path / "script.txt").write_text("\n".join([*SCRIPT[:4], " ".join(SCRIPT * 8)]))
    refused(yinse("clone", *takes, "--name", "V", "--text", tmp_path / "script.txt"), 1, "line 5", "too long")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("One line.\nTwo lines.", ("2 lines for 5 recordings",)),
        ("", ("holds no text",)),
        ("take1.wav\tHello.\ntake9.wav\tHello.", ("script.txt, line 2", "'take9.wav' is no recording")),
        ("Hello.\nHello.\n☃☃☃\nHello.\nHello.", ("script.txt, line 3", "nothing to speak")),
    ],
)
def test_a_listing_that_makes_no_sense_is_refused(
    yinse: Yinse, takes: list[Path], tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    (tmp_path / "script.txt").write_text(text)
    refused(yinse("clone", *takes, "--name", "V", "--text", tmp_path / "script.txt"), 1, *words)


def test_a_listing_that_is_no_text_is_refused(yinse: Yinse, takes: list[Path]) -> None:
    refused(yinse("clone", *takes, "--name", "V", "--text", takes[0]), 1, "take1.wav", "not a UTF-8 text")
    refused(yinse("clone", *takes, "--name", "V", "--text", "none.txt"), 1, "none.txt", "cannot be read")


def test_without_text_and_recogniser_the_voice_is_made_at_once_or_tuned_by_its_sound(
    yinse: Yinse, takes: list[Path]
) -> None:
    result = yinse("clone", *takes, "--name", "V")
    assert result.exit_code == 0, result.stderr
    assert "--text" in result.stderr
    assert not VoiceStore().get("V").is_tuned
    result = yinse("clone", *takes, "--name", "W", "--tune")  # by what the content encoder hears
    assert result.exit_code == 0, result.stderr
    assert "recogniser" in result.stderr
    assert VoiceStore().get("W").is_tuned


# ------------------------------------------------------------------------- text


@pytest.mark.parametrize("text", ["", "   \n", "🎉🎉🎉", "…!?", "\x00\x07"])
def test_text_without_words_is_refused(yinse: Yinse, tmp_path: Path, text: str) -> None:
    for command in (("say", text, "-o", "bad.wav", "--captions", "bad.srt"), ("phonemes", text)):
        refused(yinse(*command), 1, "text")
    assert not list(tmp_path.glob("bad*"))


def test_a_megabyte_without_a_space_is_spoken(
    yinse: Yinse, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A cheap hum: what is tested is that pieces come and are written, not the sound.
    monkeypatch.setattr("fakes.humming", lambda pattern, f0_hz: AudioClip(np.zeros(100, np.float32), RATE_HZ))
    monkeypatch.setattr("fakes.phonemize", lambda text, language=None: type("P", (), {"symbols": ("a",)}))
    result = yinse("say", "-f", "-", "-o", "long.wav", "--json", input="x" * 1_000_000)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["sentences"] == 5000
    assert soundfile.info("long.wav").frames == 500_000


def test_text_that_is_no_text_is_refused(yinse: Yinse, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_bytes("你好".encode("gb18030"))
    refused(yinse("say", "-f", tmp_path / "text.txt"), 1, "text.txt", "UTF-8")
    refused(yinse("say", "-f", "-", input=b"\xff\xfe\x00"), 1, "standard input", "UTF-8")
    refused(yinse("say", "-f", "none.txt"), 1, "none.txt")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--speed", "0"), ("speed",)),
        (("--pitch", "99"), ("pitch",)),
        (("--language", "fr"), ("fr",)),
        (("-o", "x.docx"), (".docx",)),
        (("--captions", "x.txt"), (".srt",)),
        (("-f", "text.txt"), ("either",)),
    ],
)
def test_options_out_of_range_are_refused(
    yinse: Yinse, tmp_path: Path, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    refused(yinse("say", "Hello.", *options), 2, *words)
    assert not list(tmp_path.glob("*.wav"))


# ------------------------------------------------------------------------- voices


def test_an_unknown_voice_gets_a_proposal(yinse: Yinse, tmp_path: Path) -> None:
    for command in (("say", "Hello.", "--voice", "Bel"), ("voices", "show", "Bel"), ("voices", "forget", "Bel", "-y")):
        refused(yinse(*command), 1, "no voice called 'Bel'", "Did you mean 'Bell'?")
    assert not (tmp_path / "out.wav").exists()


def test_a_voice_of_other_models_is_refused(yinse: Yinse, home: Path) -> None:
    write_voice(home / "voices" / "old.voice", make_voice("Old", fingerprint="other"))
    refused(yinse("say", "Hello.", "--voice", "Old"), 1, "Old", "other models", "clone it again")
    result = yinse("voices", "verify", "Old")
    assert result.exit_code == 0  # which models are shipped is not known here


def test_a_damaged_voice_is_refused(yinse: Yinse, home: Path) -> None:
    path = home / "voices" / "ada.voice"
    write_voice(path, make_voice("Ada"))
    path.write_bytes(path.read_bytes().replace(b"speaker_vector", b"speaker_hector"))
    refused(yinse("say", "Hello.", "--voice", "Ada"), 1, "ada.voice", "changed")
    result = yinse("voices", "verify", "--json")
    assert result.exit_code == 1
    assert {entry["name"]: bool(entry["problem"]) for entry in json.loads(result.stdout)} == {
        "Ada": True,
        "Bell": False,
    }


def test_a_name_is_not_taken_twice(yinse: Yinse, takes: list[Path]) -> None:
    assert yinse("clone", *takes, "--name", "V", "--no-tune").exit_code == 0
    first = VoiceStore().get("V").id
    refused(yinse("clone", *takes, "--name", "V", "--no-tune"), 1, "already", "--replace")
    refused(yinse("clone", *takes, "--name", "Bell", "--no-tune"), 1, "built-in")
    refused(yinse("clone", *takes, "--name", "a\nb", "--no-tune"), 1, "name of a voice")
    assert VoiceStore().get("V").id == first
    assert yinse("clone", *takes, "--name", "V", "--no-tune", "--replace").exit_code == 0
    assert VoiceStore().get("V").id != first
    refused(yinse("voices", "forget", "Bell", "-y"), 1, "built-in")


# ------------------------------------------------------------------------- the machine


@pytest.fixture
def full_disk(yinse: Yinse, takes: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes nothing more, once everything else is prepared."""

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_nothing_half_written(yinse: Yinse, takes: list[Path], tmp_path: Path, home: Path) -> None:
    (tmp_path / "out.wav").write_bytes(b"older")
    refused(yinse("say", "Hello.", "-o", "out.wav", "--report", "out.json"), 1, "out.", "No space left")
    assert (tmp_path / "out.wav").read_bytes() == b"older"
    assert not (tmp_path / "out.json").exists()
    refused(yinse("clone", *takes, "--name", "V", "--no-tune"), 1, ".voice", "No space left")
    assert not list(home.rglob("*.voice"))
    assert not partials(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_pipe_is_a_clear_error() -> None:
    with Path("/dev/full").open("wb", buffering=0) as pipe, pytest.raises(ResourceError, match="No space left"):
        list(speak(SpeakRequest("Hello."), make_voice(), engine=FakeEngine(), outputs=SpeakOutputs(audio=pipe)))


def test_ctrl_c_while_tuning_loses_nothing(
    yinse: Yinse, engine: FakeEngine, home: Path, takes: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "script.txt").write_text("\n".join(SCRIPT))
    command = ("clone", *takes, "--name", "V", "--text", tmp_path / "script.txt", "--json")
    engine.interrupt_at = 3
    result = yinse(*command)
    assert result.exit_code == 130
    assert "the same command goes on" in result.stderr
    assert result.stderr.splitlines()[-1] == "interrupted"
    assert not list(home.rglob("*.voice"))
    result = yinse(*command)
    assert result.exit_code == 0, result.stderr
    assert engine.steps_run == [0, 1, 2, 3, 4]  # none twice
    assert json.loads(result.stdout)["tuned"]
    assert not list((home / "work").iterdir())


def test_ctrl_c_while_speaking_leaves_no_file(
    yinse: Yinse, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = FakeEngine.stream

    def interrupted(self: FakeEngine, *args: Any, **options: Any) -> Any:
        yield next(whole(self, *args, **options))
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeEngine, "stream", interrupted)
    result = yinse("say", "One. Two.", "-o", "out.wav", "--captions", "out.vtt")
    assert result.exit_code == 130
    assert not list(Path().glob("*out*"))


def test_a_real_ctrl_c_ends_quietly(tmp_path: Path) -> None:
    """The signal itself, on a command that waits for its text."""
    # a process started in the background of a shell ignores the signal; here it must not
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from yinse.cli.main import main; sys.argv = ['yinse', 'phonemes', '-f', '-']; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for _ in range(100):  # until the command waits for its text, it would die of the signal in an import
        time.sleep(0.1)
        state = Path(f"/proc/{process.pid}/wchan")
        if not state.exists() or "pipe" in state.read_text():
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1] == "interrupted"
    assert "Traceback" not in errors


def test_a_bug_is_called_one(yinse: Yinse, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(FakeEngine, "stream", broken)
    refused(yinse("say", "Hello."), 5, "ZeroDivisionError", "report it")
