"""The program `phoenix`: a value is stored when it is on disk, and never before."""

from __future__ import annotations

import errno
import http.client
import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kubealive_workloads.programs import load, phoenix
from tests.workloads.harness import InThread, Reply, get, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InThread]:
    """Give the program on an empty volume."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    with serving(load("phoenix")) as running:
        yield running


def store(server: InThread, value: bytes) -> Reply:
    """Store a value as a client does."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", "/store", body=value, headers={"Connection": "close"})
    response = connection.getresponse()
    reply = Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    connection.close()
    return reply


class Disk:
    """The module `os` as the program sees it, with some calls replaced; the server's loop keeps the real ones."""

    def __init__(self, **calls: Callable[..., object]) -> None:
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        return self._calls.get(name, getattr(os, name))


def failing(code: int) -> Callable[..., int]:
    """Give a system call that fails in this way."""

    def call(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    return call


@pytest.mark.parametrize(
    "value", ["ember", "a b c", "Ω – 火", "x" * 256], ids=["word", "spaces", "unicode", "longest"]
)
def test_a_stored_value_is_retrieved(server: InThread, value: str) -> None:
    """What was stored comes back as text, unchanged."""
    assert store(server, value.encode()).status == 200
    reply = get(server.port, "/retrieve")
    assert (reply.status, reply.body.decode()) == (200, f"{value}\n")
    assert reply.headers["content-type"].startswith("text/plain")


def test_the_newest_value_wins(server: InThread, tmp_path: Path) -> None:
    """A second value takes the place of the first, and nothing else is left in the volume."""
    store(server, b"ash")
    store(server, b"ember")
    assert get(server.port, "/retrieve").body == b"ember\n"
    assert [path.name for path in tmp_path.iterdir()] == ["value"]


def test_a_value_outlives_its_process(server: InThread, tmp_path: Path) -> None:
    """Another process on the same volume retrieves what the first one stored."""
    store(server, b"ember")
    with serving(load("phoenix")) as successor:
        assert get(successor.port, "/retrieve").body == b"ember\n"


def test_nothing_stored_is_said(server: InThread) -> None:
    """Before the first value the answer is 404 and how to store one."""
    reply = get(server.port, "/retrieve")
    assert (reply.status, "POST one to /store" in reply.json["error"]) == (404, True)


@pytest.mark.parametrize(
    ("value", "status", "words"),
    [
        pytest.param(b"", 422, "1 to 256 bytes, not 0", id="nothing"),
        pytest.param(b"x" * 257, 413, "1 to 256 bytes, not 257", id="too long"),
        pytest.param(b"\xff\xfe", 422, "not UTF-8", id="no text"),
        pytest.param(b"two\nlines", 422, "one line of printable text", id="two lines"),
        pytest.param(b"\x1b[2J", 422, "one line of printable text", id="an escape sequence"),
    ],
)
def test_what_is_no_value_is_refused(server: InThread, value: bytes, status: int, words: str) -> None:
    """A value that cannot be kept is refused in words, and the one before it stays."""
    store(server, b"ember")
    reply = store(server, value)
    assert (reply.status, words in reply.json["error"]) == (status, True)
    assert get(server.port, "/retrieve").body == b"ember\n"


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        pytest.param(errno.ENOSPC, 507, "is full", id="full"),
        pytest.param(errno.EDQUOT, 507, "is full", id="over quota"),
        pytest.param(errno.EROFS, 500, "cannot be written (Read-only file system)", id="read-only"),
        pytest.param(errno.EACCES, 500, "cannot be written (Permission denied)", id="not ours"),
        pytest.param(errno.EIO, 500, "failed (Input/output error)", id="broken"),
    ],
)
@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_volume_that_fails_is_said_to(
    server: InThread, monkeypatch: pytest.MonkeyPatch, call: str, code: int, status: int, words: str
) -> None:
    """Whichever step fails, nothing is reported stored and the value before it is still there."""
    store(server, b"ember")
    monkeypatch.setattr(phoenix, "os", Disk(**{call: failing(code)}))
    reply = store(server, b"ash")
    assert (reply.status, words in reply.json["error"]) == (status, True)
    assert get(server.port, "/retrieve").body == b"ember\n"


def test_a_volume_that_takes_half_a_value_is_full(server: InThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short write is no success."""
    monkeypatch.setattr(phoenix, "os", Disk(write=lambda file, data: os.write(file, data[: len(data) // 2])))
    assert store(server, b"ember").status == 507


def test_a_directory_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand with a wrong DATA_DIR the answer names it."""
    monkeypatch.setenv("DATA_DIR", "/nonexistent")
    with serving(load("phoenix")) as server:
        assert "/nonexistent failed (No such file or directory)" in store(server, b"ember").json["error"]


def test_a_foreign_file_is_not_passed_for_a_value(server: InThread, tmp_path: Path) -> None:
    """What is on the volume but never came through /store is not shown as stored."""
    (tmp_path / "value").write_bytes(b"\0" * 300)
    assert get(server.port, "/retrieve").status == 500


def test_the_answer_waits_for_the_disk(server: InThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File, name, directory, then the answer; and the probes are answered while the disk is slow."""
    steps: list[str] = []
    slow, let_go = threading.Event(), threading.Event()

    def synced(file: int) -> None:
        steps.append("sync directory" if stat.S_ISDIR(os.fstat(file).st_mode) else "sync file")
        slow.set()
        assert let_go.wait(10)
        os.fsync(file)

    def renamed(old: str, new: str) -> None:
        steps.append("rename")
        Path(old).replace(new)

    monkeypatch.setattr(phoenix, "os", Disk(fsync=synced, replace=renamed))
    client = threading.Thread(target=lambda: steps.append(f"answer {store(server, b'ember').status}"))
    client.start()
    assert slow.wait(10)
    assert get(server.port, "/livez").status == 200
    assert steps == ["sync file"]
    let_go.set()
    client.join(10)
    assert steps == ["sync file", "rename", "sync directory", "answer 200"]


def test_a_directory_that_cannot_be_synced_leaves_it_open(
    server: InThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new name that may not be on disk is never reported stored."""
    monkeypatch.setattr(phoenix, "_sync", failing(errno.EIO))
    reply = store(server, b"ember")
    assert (reply.status, "not known" in reply.json["error"]) == (500, True)


def test_a_disk_that_is_too_slow_refuses(server: InThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """More values than may wait are refused at once instead of being hoarded."""
    monkeypatch.setattr(phoenix, "MAX_WAITING", 0)
    assert store(server, b"ember").status == 503
