"""Fetching models: whole files, from a server that breaks off, lies, or is not there."""

from __future__ import annotations

import hashlib
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from yinse.core.errors import ConfigError, DamagedFile, Offline, ResourceError, UnknownName
from yinse.core.events import Progress, Warned
from yinse.core.home import mirrors
from yinse.weights.pull import BERT, HUBERT, MODELS, REPOSITORY, SPEAKER, PullOptions, RemoteFile, pull, remote_model

CONTENT = bytes(range(256)) * 20_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `files`, and does to each answer what `faults` says, one after the other."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {"a/one.bin": CONTENT}
        self.faults: list[str] = []
        self.tag = '"v1"'
        self.requests: list[tuple[str, str | None]] = []

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is nothing to report."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = urllib.parse.unquote(self.path).removeprefix(f"/{REPOSITORY}/resolve/main/")
        asked = self.headers.get("Range")
        self.server.requests.append((path, asked))
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if path not in self.server.files or fault.isdigit():
            self.send_error(int(fault or 404))
            return
        content, start = self.server.files[path], 0
        if asked and fault != "whole" and self.headers.get("If-Range", self.server.tag) == self.server.tag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
        else:
            self.send_response(200)
        body = content[start:]
        self.send_header("ETag", self.server.tag)
        if fault != "no length":
            self.send_header("Content-Length", str(len(body) + (5 if fault == "longer" else 0)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 3] if fault == "break" else body)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def fetch(server: Server, folder: Path, *files: RemoteFile, more: tuple[str, ...] = ()) -> list[object]:
    options = PullOptions(mirrors=(server.address, *more), pauses_s=(0.0, 0.0))
    return list(pull(files or (RemoteFile("a/one.bin", len(CONTENT), SHA256),), folder, options=options))


def test_files_come_whole_and_are_not_fetched_twice(server: Server, tmp_path: Path) -> None:
    events = fetch(server, tmp_path)
    assert (tmp_path / "a" / "one.bin").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["one.bin"]
    assert isinstance(events[-1], Progress) and events[-1].done == events[-1].total == len(CONTENT)
    assert fetch(server, tmp_path) == []
    assert len(server.requests) == 1


def test_a_broken_connection_is_taken_up_where_it_was(server: Server, tmp_path: Path) -> None:
    server.faults = ["break", "break"]
    fetch(server, tmp_path)
    assert (tmp_path / "a" / "one.bin").read_bytes() == CONTENT
    third = len(CONTENT) // 3
    assert [asked for _, asked in server.requests][:2] == [None, f"bytes={third}-"]
    assert len(server.requests) == 3


def test_a_later_run_goes_on_too(server: Server, tmp_path: Path) -> None:
    server.faults = ["break"] * 3
    with pytest.raises(Offline, match="broke after"):
        fetch(server, tmp_path)
    assert not (tmp_path / "a" / "one.bin").exists()
    fetch(server, tmp_path)
    assert server.requests[-1][1] is not None
    assert (tmp_path / "a" / "one.bin").read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_begun_again(server: Server, tmp_path: Path) -> None:
    unknown = RemoteFile("a/one.bin")
    server.faults = ["break"] * 3
    with pytest.raises(Offline):
        fetch(server, tmp_path, unknown)
    server.files["a/one.bin"], server.tag = CONTENT[::-1], '"v2"'
    fetch(server, tmp_path, unknown)
    assert (tmp_path / "a" / "one.bin").read_bytes() == CONTENT[::-1]


def test_a_server_that_knows_no_ranges_sends_everything(server: Server, tmp_path: Path) -> None:
    server.faults = ["break", "whole"]
    fetch(server, tmp_path)
    assert (tmp_path / "a" / "one.bin").read_bytes() == CONTENT


def test_passing_faults_are_tried_again_and_others_are_not(server: Server, tmp_path: Path) -> None:
    server.faults = ["503", "429"]
    fetch(server, tmp_path)
    assert len(server.requests) == 3
    server.requests.clear()
    with pytest.raises(Offline, match="404"):
        fetch(server, tmp_path, RemoteFile("none.bin"))
    assert len(server.requests) == 1


def test_another_file_than_expected_is_refused_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    for wrong in (RemoteFile("a/one.bin", len(CONTENT), "0" * 64), RemoteFile("a/one.bin", 7, SHA256)):
        with pytest.raises(DamagedFile, match="expected"):
            fetch(server, tmp_path, wrong)
        assert not (tmp_path / "a" / "one.bin").exists()
    assert not list((tmp_path / "a").glob("*.part"))
    server.tag = f'"{"1" * 64}"'  # the hash that the server itself names
    with pytest.raises(DamagedFile, match="1111"):
        fetch(server, tmp_path, RemoteFile("a/one.bin"))


def test_the_next_mirror_is_asked(server: Server, tmp_path: Path) -> None:
    with Server() as other:
        other.files = {"a/one.bin": b"something else"}
        thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        options = PullOptions(mirrors=(other.address, server.address), pauses_s=())
        events = list(pull([RemoteFile("a/one.bin", sha256=SHA256)], tmp_path, options=options))
        other.shutdown()
        thread.join()
    assert any(isinstance(event, Warned) for event in events)
    assert (tmp_path / "a" / "one.bin").read_bytes() == CONTENT


def test_without_a_network_it_is_said_what_to_place_where(server: Server, tmp_path: Path) -> None:
    files = (RemoteFile("a/one.bin", len(CONTENT), SHA256), RemoteFile("b=2/two.bin"), RemoteFile("c.bin"))
    options = PullOptions(mirrors=("http://127.0.0.1:9",), pauses_s=())
    (tmp_path / "c.bin").write_bytes(b"placed by hand")
    with pytest.raises(Offline) as caught:
        list(pull(files, tmp_path, options=options))
    for file in files[:2]:
        assert str(tmp_path / file.path) in str(caught.value)
    assert f"http://127.0.0.1:9/{REPOSITORY}/resolve/main/b%3D2/two.bin" in str(caught.value)
    assert str(tmp_path / "c.bin") not in str(caught.value)
    (tmp_path / "a").mkdir(exist_ok=True)
    (tmp_path / "a" / "one.bin").write_bytes(CONTENT[:-1])
    with pytest.raises(DamagedFile, match="bytes"):
        list(pull(files, tmp_path, options=options))
    (tmp_path / "a" / "one.bin").write_bytes(CONTENT)
    fetch(server, tmp_path, files[0], files[2])
    assert not server.requests


def test_a_folder_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a file where a folder is needed")
    with pytest.raises(ResourceError):
        fetch(server, tmp_path)


def test_a_server_that_sends_too_much_or_no_length(server: Server, tmp_path: Path) -> None:
    server.faults = ["no length"]
    fetch(server, tmp_path)
    assert (tmp_path / "a" / "one.bin").read_bytes() == CONTENT
    with pytest.raises(DamagedFile, match="bytes"):
        fetch(server, tmp_path / "again", RemoteFile("a/one.bin", 100))


def test_names_and_mirrors(monkeypatch: pytest.MonkeyPatch) -> None:
    assert remote_model("gpt-sovits-v2pro").reads_speaker
    with pytest.raises(UnknownName, match="Did you mean 'gpt-sovits-v2'"):
        remote_model("gpt-sovits-v22")
    with pytest.raises(ConfigError, match="no address"):
        PullOptions(mirrors=("file:///etc",))
    monkeypatch.delenv("YINSE_MIRRORS", raising=False)
    assert mirrors() == ("https://huggingface.co",)
    monkeypatch.setenv("YINSE_MIRRORS", "https://a.example, https://b.example")
    assert mirrors() == ("https://a.example", "https://b.example")


def test_the_catalogue_names_each_file_once() -> None:
    files = [file for model in MODELS.values() for file in (model.semantic, model.sovits)] + [SPEAKER, *HUBERT, *BERT]
    for file in files:
        assert file.sha256 is None or len(file.sha256) == 64
    assert len({file.path for file in files}) == len(files) - 1  # two models share their first part
