"""The recogniser for recordings without a transcript, with a stand-in for faster-whisper."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from yinse.core.errors import MissingExtra, Offline
from yinse.core.types import AudioClip
from yinse.corpus.transcriber import FasterWhisper

CLIP = AudioClip(np.zeros(48_000, dtype=np.float32), 48_000)


class WhisperModel:
    """Hears the language it is told, or Portuguese, Chinese and English, in this order."""

    def __init__(self, name: str, **options: Any) -> None:
        assert options["local_files_only"]
        if name == "none":
            raise RuntimeError("Unable to open file 'model.bin'")

    def detect_language(self, samples: np.ndarray) -> tuple[str, float, list[tuple[str, float]]]:
        assert len(samples) == 16_000
        return "pt", 0.6, [("pt", 0.6), ("zh", 0.3), ("en", 0.1)]

    def transcribe(self, samples: np.ndarray, *, language: str, **options: Any) -> tuple[Any, None]:
        prompt = options["initial_prompt"] or ""
        return iter([SimpleNamespace(text=f" {language} "), SimpleNamespace(text=prompt[:3])]), None


@pytest.fixture
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("faster_whisper")
    module.WhisperModel = WhisperModel  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "faster_whisper", module)


@pytest.mark.usefixtures("_stand_in")
def test_it_listens_for_our_languages_only() -> None:
    assert FasterWhisper().transcribe(CLIP) == "zh 以下是"
    assert FasterWhisper().transcribe(CLIP, language="en") == "en"


@pytest.mark.usefixtures("_stand_in")
def test_a_model_that_is_not_here_is_not_fetched() -> None:
    with pytest.raises(Offline, match="not on this machine"):
        FasterWhisper("none")


def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(MissingExtra, match=r"yinse\[asr\]"):
        FasterWhisper()


def test_the_real_package_finds_no_model_in_an_empty_folder(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    with pytest.raises(Offline):
        FasterWhisper(tmp_path)
