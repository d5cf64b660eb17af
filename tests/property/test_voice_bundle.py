"""A `.voice` bundle gives back what was put in, and nothing that is put at its place does harm."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yinse.core.errors import FingerprintMismatch, FormatTooNew, ResourceError, VoiceError, YinseError
from yinse.voices.bundle import bundle_bytes, read_card, read_voice, write_voice
from yinse.voices.voice import Voice

REFUSED = (VoiceError, FingerprintMismatch, FormatTooNew)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def make_voice(*, seed: int = 0, style_length: int = 0, adapter: bool = False, **changes: Any) -> Voice:
    random = np.random.default_rng(seed)
    vector = random.normal(size=256).astype(np.float32)
    tensors: dict[str, np.ndarray] = {
        "speaker_vector": vector / np.linalg.norm(vector),
        "mean_spectrum": random.normal(size=100).astype(np.float32),
        "floor_depth": random.normal(size=8).astype(np.float32),
        "numbers": np.array([5.0, 0.2, 0.6, 1.0], dtype=np.float32),
    }
    if style_length:
        tensors["style_symbols"] = random.integers(0, 700, style_length).astype(np.int32)
        tensors["style_tokens"] = random.integers(0, 60, (style_length, 3)).astype(np.int32)
    if adapter:
        tensors["adapter.decoder.0.down"] = random.normal(size=(4, 16)).astype(np.float16)
    fields: dict[str, Any] = {
        "id": "a1b2-c3",
        "name": "Ada",
        "languages": ("en",),
        "tensors": tensors,
        "bandwidth_hz": 8000.0,
        "model_fingerprint": "f" * 64,
        "licence": "private",
        "created": "2026-01-01T00:00:00+00:00",
        "synthetic": False,
    }
    return Voice(**{**fields, **changes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundles")


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    style_length=st.integers(0, 40),
    adapter=st.booleans(),
    consent=st.none() | st.dictionaries(st.text(max_size=10), json_values, max_size=4),
    figures=st.dictionaries(st.text(max_size=10), st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    languages=st.lists(st.sampled_from(["zh", "en"]), max_size=2, unique=True),
)
def test_what_is_written_is_read(folder: Path, **drawn: Any) -> None:
    drawn["languages"] = tuple(drawn["languages"])
    voice = make_voice(**drawn)
    path = folder / "voice.voice"
    write_voice(path, voice)
    back = read_voice(path)
    for field in set(Voice.__dataclass_fields__) - {"tensors"}:
        assert getattr(back, field) == getattr(voice, field)
    assert set(back.tensors) == set(voice.tensors)
    for name, values in voice.tensors.items():
        assert back.tensors[name].dtype == values.dtype
        np.testing.assert_array_equal(back.tensors[name], values)
    assert back.is_tuned == drawn["adapter"]
    assert bundle_bytes(back) == bundle_bytes(voice)
    assert read_card(path).name == voice.name
    assert [p.name for p in folder.iterdir()] == ["voice.voice"]


def parse(folder: Path, data: bytes) -> Voice:
    path = folder / "other.voice"
    path.write_bytes(data)
    try:
        return read_voice(path)
    finally:
        path.unlink()


@given(data=st.binary(max_size=300))
def test_any_bytes_are_refused(folder: Path, data: bytes) -> None:
    with pytest.raises(VoiceError):
        parse(folder, data)


@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_bundle_is_refused(folder: Path, share: float) -> None:
    whole = bundle_bytes(make_voice(style_length=5))
    with pytest.raises(VoiceError):
        parse(folder, whole[: int(share * len(whole))])


@given(place=st.integers(0, 10**9), mask=st.integers(1, 255))
def test_a_changed_byte_is_noticed_or_harmless(folder: Path, place: int, mask: int) -> None:
    voice = make_voice(style_length=5, adapter=True)
    data = bytearray(bundle_bytes(voice))
    data[place % len(data)] ^= mask
    try:
        back = parse(folder, bytes(data))
    except REFUSED:
        return
    # Bytes of the zip format that nobody reads (times, attributes).
    assert bundle_bytes(back) == bundle_bytes(voice)


def members_of(voice: Voice) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bundle_bytes(voice))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members: dict[str, bytes], *, compression: int = zipfile.ZIP_STORED, rehash: bool = True) -> bytes:
    if rehash:
        hashed = {name: members[name] for name in ("voice.json", "tensors.safetensors") if name in members}
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in hashed.items()}
        members = {**members, "hashes.json": json.dumps(hashes).encode()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def with_card(**changes: Any) -> bytes:
    members = members_of(make_voice())
    card = {**json.loads(members["voice.json"]), **changes}
    return zipped({**members, "voice.json": json.dumps(card).encode()})


def test_repacked_by_hand_it_is_still_the_same_voice(folder: Path) -> None:
    assert parse(folder, zipped(members_of(make_voice()))).name == "Ada"


@pytest.mark.parametrize("member", ["voice.json", "tensors.safetensors"])
def test_a_replaced_member_is_noticed(folder: Path, member: str) -> None:
    members = members_of(make_voice())
    members[member] = members_of(make_voice(seed=1, name="Eve"))[member]
    with pytest.raises(FingerprintMismatch, match=member):
        parse(folder, zipped(members, rehash=False))


def test_a_damaged_member_is_noticed(folder: Path) -> None:
    data = bundle_bytes(make_voice())
    with pytest.raises(FingerprintMismatch, match="damaged or was changed"):
        parse(folder, data.replace(b'"Ada"', b'"Eve"', 1))


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "C:\\evil", "a/../../evil", "voice.json/", "clip.wav"])
def test_foreign_members_are_refused(folder: Path, name: str) -> None:
    with pytest.raises(VoiceError, match="other things"):
        parse(folder, zipped({**members_of(make_voice()), name: b"x"}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_comes_twice_is_refused(folder: Path) -> None:
    buffer = io.BytesIO(zipped(members_of(make_voice())))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("voice.json", b"{}")
    with pytest.raises(VoiceError, match="other things"):
        parse(folder, buffer.getvalue())


def test_a_missing_member_is_refused(folder: Path) -> None:
    members = members_of(make_voice())
    del members["tensors.safetensors"]
    with pytest.raises(VoiceError, match="other things"):
        parse(folder, zipped(members))


def test_a_bomb_is_refused(folder: Path) -> None:
    members = {**members_of(make_voice()), "tensors.safetensors": bytes(50 << 20)}
    data = zipped(members, compression=zipfile.ZIP_DEFLATED)
    assert len(data) < 1 << 20
    with pytest.raises(VoiceError, match="compressed or too large"):
        parse(folder, data)


def test_a_card_that_is_too_large_is_refused(folder: Path) -> None:
    with pytest.raises(VoiceError, match="compressed or too large"):
        parse(folder, with_card(licence="x" * (1 << 20)))


def test_a_newer_format_is_refused(folder: Path) -> None:
    with pytest.raises(FormatTooNew, match="Upgrade"):
        parse(folder, with_card(format=2, mood="merry"))


@pytest.mark.parametrize(
    "changes",
    [
        {"mood": "merry"},
        {"name": 3},
        {"name": ""},
        {"name": "two\nlines"},
        {"id": "../../evil"},
        {"format": "1"},
        {"figures": {"similarity": "high"}},
        {"languages": None},
    ],
)
def test_a_card_that_makes_no_sense_is_refused(folder: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(VoiceError):
        parse(folder, with_card(**changes))


@given(data=st.binary(max_size=200))
def test_tensors_that_are_none_are_refused(folder: Path, data: bytes) -> None:
    with pytest.raises(VoiceError):
        parse(folder, zipped({**members_of(make_voice()), "tensors.safetensors": data}))


def test_deep_json_is_refused(folder: Path) -> None:
    with pytest.raises(YinseError):
        parse(folder, zipped({**members_of(make_voice()), "voice.json": b"[" * 200_000}))


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.voice"):
        with pytest.raises(VoiceError, match="cannot be read"):
            read_voice(path)


def test_a_full_disk_leaves_the_old_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ada.voice"
    write_voice(path, make_voice())
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ResourceError, match="No space left"):
        write_voice(path, make_voice(name="Eve"))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
