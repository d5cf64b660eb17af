"""Voices for GPT-SoVITS models: what they must hold, and that bundles give it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fakes import make_voice
from yinse.core.errors import VoiceError
from yinse.voices.bundle import read_voice, write_voice

WHOLE: dict[str, Any] = {
    "reference_condition": np.ones(32, np.float32),
    "reference_codes": np.arange(5, dtype=np.int32),
    "reference_phonemes": np.arange(3, dtype=np.int32),
    "reference_context": np.zeros((3, 8), np.float16),
}


def test_a_bundle_gives_back_the_reference(tmp_path: Path) -> None:
    for names in (
        list(WHOLE),
        ["reference_condition"],
        ["reference_condition", "reference_codes", "reference_phonemes"],
    ):
        voice = make_voice(tensors={name: WHOLE[name] for name in names})
        write_voice(tmp_path / "a.voice", voice)
        found = read_voice(tmp_path / "a.voice")
        assert sorted(found.tensors) == sorted(names)
        assert all(np.array_equal(found.tensors[name], WHOLE[name]) for name in names)
        assert not found.is_tuned


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reference_codes": None}, "incomplete"),
        ({"reference_phonemes": None}, "incomplete"),
        ({"reference_codes": np.zeros(5, np.float32)}, "wrong kind"),
        ({"reference_codes": np.array([-1])}, "wrong kind"),
        ({"reference_codes": np.array([], np.int32)}, "wrong kind"),
        ({"reference_condition": np.ones((1, 32), np.float32)}, "shape"),
        ({"reference_condition": np.ones(32, np.int32)}, "wrong kind"),
        ({"reference_condition": np.full(32, np.nan, np.float32)}, "not finite"),
        ({"reference_context": np.zeros((2, 8), np.float16)}, "does not fit"),
        ({"speaker_vector": np.ones(256, np.float32)}, "unknown"),
    ],
)
def test_wrong_references_are_refused(changes: dict[str, Any], said: str) -> None:
    tensors = {name: value for name, value in (WHOLE | changes).items() if value is not None}
    with pytest.raises(VoiceError, match=said):
        make_voice(tensors=tensors)
