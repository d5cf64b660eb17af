"""`yinse prompts`, and `yinse check` on folders, texts and voices, as people type them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import Result

from fakes import make_voice, reading
from yinse.audio.write import write_audio
from yinse.corpus.losses import HeldOutLosses
from yinse.corpus.spoken_units import take_apart
from yinse.corpus.voice_units import figures_of_units
from yinse.voices.store import VoiceStore

Yinse = Callable[..., Result]

SAID = ("We went home early today.", "Where did you go?", "Nobody knows the old road.", "It rained all night.")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Four recordings with their texts, one of which is malicious."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number, text in enumerate(SAID):
        write_audio(folder / f"{number}.wav", reading([text], f0_hz=120.0 + 10 * number))
        (folder / f"{number}.txt").write_text(text)
    write_audio(folder / "4.wav", reading(["Click here now."]))
    (folder / "4.txt").write_text("Click here <script>alert(1)</script> now.")
    return folder


def test_prompts_in_words_and_json(yinse: Yinse) -> None:
    result = yinse("prompts", "--language", "zh", "-n", 5)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("adds") == 5
    chosen = json.loads(yinse("prompts", "--language", "en", "--seconds", 20, "--json").stdout)
    assert all(one["id"].startswith("en") and one["text"] and one["cue"] for one in chosen)
    assert 17 < sum(take_apart(one["text"]).speech_s for one in chosen) <= 20


def test_prompts_for_what_is_missing(yinse: Yinse, corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("\n".join([*SAID, "She usually measures treasure."]))
    result = yinse("prompts", "--language", "en", "-n", 1, "--corpus", corpus, "-f", tmp_path / "mine.txt", "--json")
    (one,) = json.loads(result.stdout)
    assert one["text"] == "She usually measures treasure."


def test_prompts_for_a_voice(yinse: Yinse) -> None:
    said = [take_apart(text) for text in SAID]
    figures = {**figures_of_units(said), **HeldOutLosses(phonemes={"ZH": 2.0, "AH": 0.5}).as_figures()}
    VoiceStore().save(make_voice("Ann", languages=("en",), figures=figures))
    assert yinse("prompts", "--voice", "Ann", "-n", 3).exit_code == 0
    report = json.loads(yinse("check", "Ann", "--json").stdout)["coverage"]
    assert report["text"]["texts"] == 4
    assert report["prosody"] is None
    assert any("does not hold its recordings" in what for what in report["unseen"])
    assert "said/" not in yinse("voices", "show", "Ann").stdout
    nothing = yinse("check", "Bell")
    assert nothing.exit_code == 1
    assert "does not know what was said" in nothing.stderr


def test_prompts_need_a_language(yinse: Yinse) -> None:
    assert yinse("prompts").exit_code == 2
    assert yinse("prompts", "--language", "fr").exit_code == 2


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_check_reports_a_corpus(yinse: Yinse, corpus: Path, tmp_path: Path) -> None:
    result = yinse("check", corpus, "--json", "--html", tmp_path / "page.html")
    told = json.loads(result.stdout)
    assert len(told["recordings"]) == 5
    report = told["coverage"]
    assert report["language"] == "en"
    assert report["recordings"] == 5
    assert report["text"]["shares"]["type"]["wh question"] == 0.2
    assert report["prosody"]["utterances"] == 5
    assert 110 < report["prosody"]["f0_median_hz"] < 160
    assert report["speakers"]["segments"] == 5
    assert len(report["next_prompts"]) == 10
    assert report["speakers"]["second"] == []
    codes = {finding["code"]: finding for finding in report["findings"]}
    assert codes["little_speech"]["severity"] == "important"
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    parser = _Tags()
    parser.feed(page)
    assert parser.open == []
    assert "script" not in parser.seen
    assert "Phoneme chart" in page
    assert "http" not in page
    words = yinse("check", corpus / "0.txt").stdout
    assert "diphone" in words
    assert "record next" in words


def test_check_reads_texts_lists_and_tables(yinse: Yinse, corpus: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    script.write_text("今天天气很好。\n你吃饭了吗？\n")
    report = json.loads(yinse("check", script, "--json", "--html", tmp_path / "zh.html").stdout)["coverage"]
    assert report["language"] == "zh"
    assert report["recordings"] == 0
    assert report["unseen"] == ["how it is spoken: there is no audio"]
    assert "Pinyin chart" in (tmp_path / "zh.html").read_text(encoding="utf-8")
    listed = corpus / "all.list"
    listed.write_text("".join(f"{n}.wav|ann|EN|{text}\n" for n, text in enumerate(SAID)))
    assert json.loads(yinse("check", listed, "--json").stdout)["coverage"]["text"]["texts"] == 4
    with open(corpus / "metadata.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("file", "text"), ("0.wav", SAID[0]), ("1.wav", "")])
    report = json.loads(yinse("check", corpus, "--json").stdout)["coverage"]
    assert report["recordings"] == 2
    assert any("1 of 2 recordings: they have no text" in what for what in report["unseen"])


def test_recordings_without_any_text(yinse: Yinse, tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    folder.mkdir()
    write_audio(folder / "a.wav", reading(SAID * 3))
    report = json.loads(yinse("check", folder, "--json").stdout)["coverage"]
    assert report["text"] is None
    assert report["prosody"]["utterances"] >= 2
    assert any("texts of the recordings are not known" in what for what in report["unseen"])
    assert any("--language" in what for what in report["unseen"])
    assert any("recogniser is not on this machine" in what for what in report["unseen"])


def test_recordings_without_text_are_heard(yinse: Yinse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hears:
        def __init__(self, model: str) -> None:
            assert model == "base"

        def transcribe(self, clip: object, *, language: str | None = None) -> str:
            return "We went home early today."

    monkeypatch.setattr("yinse.corpus.transcriber.FasterWhisper", Hears)
    (tmp_path / "bare").mkdir()
    write_audio(tmp_path / "bare" / "a.wav", reading(SAID))
    report = json.loads(yinse("check", tmp_path / "bare", "--json").stdout)["coverage"]
    assert report["language"] == "en"
    assert report["text"]["words"] >= 5
    assert report["unseen"] == []
