"""`yinse prep` and `yinse check --html` as people type them; kill -9 in the middle."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from made_voice import RATE_HZ, noisy, voice
from yinse.audio.write import write_audio
from yinse.core.types import AudioClip
from yinse.corpus.manifest import read_manifest

Yinse = Callable[..., Result]
PROGRAM = "from yinse.cli.main import main\nif __name__ == '__main__':\n    main()\n"


@pytest.fixture
def take(tmp_path: Path) -> Path:
    path = tmp_path / "take.wav"
    write_audio(path, noisy(voice(3.0), 20.0))
    return path


def test_prep_makes_a_corpus_and_tells_about_it(yinse: Yinse, take: Path, tmp_path: Path) -> None:
    result = yinse("prep", take, "-o", "corpus", "--denoise", "gate", "--export", "list", "--rate", "24000")
    assert result.exit_code == 0, result.stderr
    assert "1 recordings: 0 accepted, 1 repaired, 0 refused, 0 unreadable" in result.stdout
    assert "manifest: corpus/manifest.jsonl" in result.stderr
    assert read_manifest(tmp_path / "corpus")[0].sample_rate_hz == 24_000
    found = json.loads(yinse("prep", take, "-o", "corpus", "--denoise", "gate", "--rate", "24000", "--json").stdout)
    assert found["counts"] == {"repaired": 1}
    assert found["outcomes"][0]["was_known"] is True


def test_refusals_and_rubbish_have_their_exit_codes(yinse: Yinse, tmp_path: Path) -> None:
    write_audio(tmp_path / "none.wav", AudioClip(np.zeros(RATE_HZ, dtype=np.float32), RATE_HZ))
    (tmp_path / "rubbish.wav").write_bytes(b"RIFF")
    assert yinse("prep", "none.wav", "-o", "x", "--denoise", "gate").exit_code == 4
    assert yinse("prep", "rubbish.wav", "-o", "x", "--denoise", "gate").exit_code == 1
    assert not (tmp_path / "x").exists()
    assert yinse("prep").exit_code == 2
    assert yinse("prep", "none.wav", "--noise-from", "start").exit_code == 2
    assert yinse("prep", "none.wav", "--denoise", "magic").exit_code in (1, 2)
    (tmp_path / "o.json").write_text('{"volume": 11}')
    wrong = yinse("prep", "none.wav", "--config", "o.json")
    assert (wrong.exit_code, "'volume'" in wrong.stderr) == (2, True)
    assert "good_snr_db" in yinse("prep", "--schema").stdout


def test_a_killed_run_is_gone_on_with(tmp_path: Path) -> None:
    takes, count = tmp_path / "takes", 12
    for number in range(count):
        write_audio(takes / f"{number}.wav", noisy(voice(2.0 + 0.1 * number), 20.0))
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, str(tmp_path / "program.py"), "prep", str(takes), "-o", str(tmp_path / "corpus")]
    command += ["--denoise", "gate", "--jobs", "2", "--cache", str(tmp_path / "cache"), "--json"]
    source = Path(sys.modules["yinse"].__file__ or "").parents[1]
    environment = {**os.environ, "PYTHONPATH": str(source)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        while len(list((tmp_path / "cache").glob("??/*"))) < 2:
            assert process.poll() is None, process.stderr.read().decode()  # type: ignore[union-attr]
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    known = len(list((tmp_path / "cache").glob("??/*/result.json")))
    assert known < count
    assert not (tmp_path / "corpus" / "manifest.jsonl").exists()
    heard = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    result = json.loads(heard.stdout)
    # Processes of the killed run may still have finished what they had been given, so more can be known by then.
    assert sum(outcome["was_known"] for outcome in result["outcomes"]) >= known
    records = read_manifest(tmp_path / "corpus")
    assert len(records) == len({record.source.path for record in records}) == count
    left = [path for path in tmp_path.rglob("*") if "partial" in path.name]
    assert left == []


def test_the_page_shows_one_recording_and_trusts_no_name(yinse: Yinse, tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)>{{ADVICE}}.wav"
    write_audio(tmp_path / name, noisy(voice(3.0), 20.0))
    result = yinse("check", name, "--html", "page.html", "--denoise", "gate")
    assert result.exit_code == 0, result.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;{{ADVICE}}.wav" in page
    assert page.count("data-step=") == 6
    assert page.count("data:image/png") == 2
    assert "aria-label" in page
    assert 'type="range"' in page
    # Nothing is fetched from anywhere.
    assert not re.search(r'(?:src|href)=(?!"?data:)', page.replace("&lt;img src=x", ""))
