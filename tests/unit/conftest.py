"""The shipped models and a built-in voice, loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from yinse.synth.native import NativeSynthesizer
from yinse.voices.store import VoiceStore
from yinse.voices.voice import Voice
from yinse.weights.native import load_native, shipped_folder


@pytest.fixture(scope="session")
def synthesizer() -> NativeSynthesizer:
    if not (shipped_folder() / "model.safetensors").is_file():
        pytest.skip("no base model is shipped yet")
    return NativeSynthesizer(load_native())


@pytest.fixture(scope="session")
def voice() -> Voice:
    """The first built-in voice."""
    return VoiceStore(Path("none")).entries()[0].read()
