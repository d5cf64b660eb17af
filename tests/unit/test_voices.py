"""What a voice must hold, and the store that finds, saves and forgets voices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from yinse.core.errors import FingerprintMismatch, UnknownName, VoiceError
from yinse.voices.bundle import write_voice
from yinse.voices.store import VoiceStore
from yinse.voices.voice import Voice


def make_voice(name: str = "Ada", *, tensors: dict[str, Any] | None = None, **changes: Any) -> Voice:
    fields: dict[str, Any] = {
        "id": name.lower(),
        "name": name,
        "languages": ("en",),
        "bandwidth_hz": 8000.0,
        "model_fingerprint": "f" * 64,
        "licence": "private",
        "created": "2026-01-01T00:00:00+00:00",
        "synthetic": False,
    }
    own = {
        "speaker_vector": np.eye(1, 256, dtype=np.float32)[0],
        "mean_spectrum": np.zeros(100, dtype=np.float32),
        "floor_depth": np.zeros(8, dtype=np.float32),
        "numbers": np.ones(4, dtype=np.float32),
        **(tensors or {}),
    }
    return Voice(**{**fields, "tensors": {k: v for k, v in own.items() if v is not None}, **changes})


@pytest.fixture
def store(tmp_path: Path) -> VoiceStore:
    write_voice(tmp_path / "builtin" / "bell.voice", make_voice("Bell", synthetic=True))
    return VoiceStore(tmp_path / "mine", builtin=tmp_path / "builtin")


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"numbers": None}, "'numbers' is missing"),
        ({"speaker_vector": np.zeros(255, np.float32)}, "shape"),
        ({"told_vector": np.zeros(255, np.float32)}, "'told_vector' has shape"),
        ({"mean_spectrum": np.full(100, np.nan, np.float32)}, "not finite"),
        ({"foreign.zh.told_vector": np.zeros(255, np.float32)}, "'told_vector' has shape"),
        ({"foreign.zh.speaker_vector": np.zeros(256, np.float32)}, "'foreign.zh.speaker_vector' is unknown"),
        ({"virus": np.zeros(3, np.float32)}, "'virus' is unknown"),
        ({"readouts": np.zeros(3, np.float32)}, "'readouts' is unknown"),
        ({"style_symbols": np.zeros(3, np.int32)}, "incomplete"),
        ({"style_symbols": np.zeros(3, np.int32), "style_tokens": np.zeros((4, 3), np.int32)}, "incomplete"),
        ({"style_symbols": np.zeros(3, np.float32), "style_tokens": np.zeros((3, 3), np.int32)}, "integers"),
    ],
)
def test_voices_with_wrong_tensors_are_refused(tensors: dict[str, Any], message: str) -> None:
    with pytest.raises(VoiceError, match=message):
        make_voice(tensors=tensors)


@pytest.mark.parametrize("name", ["", " Ada", "Ada\n", "a" * 65, "\x1b[31mred"])
def test_names_that_do_not_fit_a_line_are_refused(name: str) -> None:
    with pytest.raises(VoiceError, match="name of a voice"):
        make_voice(name, id="x")


def test_an_adapter_makes_a_voice_tuned() -> None:
    assert not make_voice().is_tuned
    assert make_voice(tensors={"adapter.x": np.zeros(2, np.float16)}).is_tuned


def test_saved_voices_are_listed_after_the_built_in_ones(store: VoiceStore) -> None:
    store.save(make_voice("Zoe"))
    store.save(make_voice("阿达", id="a3"))
    assert [(entry.card.name, entry.is_builtin) for entry in store.entries()] == [
        ("Bell", True),
        ("Zoe", False),
        ("阿达", False),
    ]
    assert store.get("阿达").id == "a3"
    assert store.get("zoe").name == "Zoe"  # by its id
    assert store.get("Bell").synthetic


def test_an_unknown_name_gets_a_proposal(store: VoiceStore) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'Bell'"):
        store.get("Bel")
    with pytest.raises(UnknownName, match="Known: Bell"):
        store.get("Xerxes")


def test_a_name_is_given_once(store: VoiceStore) -> None:
    first = store.save(make_voice(id="one"))
    with pytest.raises(VoiceError, match="already a voice"):
        store.save(make_voice(id="two"))
    second = store.save(make_voice(id="two"), replace=True)
    assert (first.exists(), second.exists()) == (False, True)
    with pytest.raises(VoiceError, match="built-in"):
        store.save(make_voice("Bell"), replace=True)


def test_forgetting_deletes_the_file(store: VoiceStore) -> None:
    path = store.save(make_voice())
    assert store.forget("Ada") == path
    assert not path.exists()
    with pytest.raises(UnknownName):
        store.get("Ada")
    with pytest.raises(VoiceError, match="built-in"):
        store.forget("Bell")


def test_a_damaged_bundle_hides_no_other(store: VoiceStore) -> None:
    path = store.save(make_voice())
    (store.folder / "noise.voice").write_bytes(b"noise")
    (store.folder / ".ada.voice.1.partial").write_bytes(b"")
    assert [entry.card.name for entry in store.entries()] == ["Bell", "Ada"]
    assert [error.where for error in store.damaged()] == ["noise.voice"]
    path.write_bytes(path.read_bytes().replace(b"speaker_vector", b"speaker_hector"))
    with pytest.raises(FingerprintMismatch):
        store.get("Ada")


def test_a_store_without_folders_is_empty(tmp_path: Path) -> None:
    empty = VoiceStore(tmp_path / "none", builtin=tmp_path / "none")
    assert empty.entries() == ()
    with pytest.raises(UnknownName, match="Known: none"):
        empty.get("Ada")


def test_without_folders_given_it_looks_where_the_user_and_the_package_keep_them() -> None:
    store = VoiceStore()
    assert store.folder.name == "voices"
    assert all(entry.is_builtin for entry in store.entries())
