"""The program `getip` and what every program answers."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

import pytest

from tests.workloads.harness import InThread, ask, connected, get, read_reply, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[InThread]:
    """Give one program for all tests that only read."""
    with serving() as running:
        yield running


def test_says_its_address_as_text(server: InThread) -> None:
    """Without a wish for JSON the reply is the address alone."""
    reply = get(server.port, "/")
    assert (reply.status, reply.body) == (200, b"10.1.2.3\n")
    assert reply.headers["content-type"].startswith("text/plain")


def test_says_who_it_is_as_json(server: InThread) -> None:
    """With `Accept: application/json` the reply is the whole identity, null for what is not known."""
    assert get(server.port, "/", Accept="text/html, application/json;q=0.9").json == {
        "pod": "getip-1",
        "uid": "u-1",
        "namespace": None,
        "node": "node-1",
        "ip": "10.1.2.3",
        "version": "v1",
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/livez", 200),
        ("GET", "/readyz", 200),
        ("GET", "/probes", 200),
        ("GET", "/nothing", 404),
        ("POST", "/", 405),
        ("DELETE", "/livez", 405),
    ],
)
def test_names_itself_in_every_reply(server: InThread, method: str, path: str, status: int) -> None:
    """A refusal, too, says which pod gave it."""
    reply = ask(server.port, method, path)
    assert reply.status == status
    names = ("x-pod-name", "x-pod-uid", "x-node-name", "x-version")
    assert [reply.headers[name] for name in names] == ["getip-1", "u-1", "node-1", "v1"]


def test_says_what_a_path_takes(server: InThread) -> None:
    """405 names the methods that work, 404 the paths."""
    assert ask(server.port, "POST", "/").headers["allow"] == "GET, HEAD"
    assert "/livez" in get(server.port, "/nothing").json["error"]


def test_answers_head_without_a_body(server: InThread) -> None:
    """HEAD is GET without the body, and the connection goes on after it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("HEAD", "/")
    response = connection.getresponse()
    assert (response.status, response.headers["Content-Length"], response.read()) == (200, "9", b"")
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"10.1.2.3\n"
    connection.close()


def test_serves_many_requests_on_one_connection(server: InThread) -> None:
    """A kept connection is answered in order, pipelined or not."""
    with connected(server.port) as sock:
        for _ in range(3):
            sock.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            assert read_reply(sock).json == {"status": "ok"}
        sock.sendall(
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        received = b""
        while data := sock.recv(65536):
            received += data
    assert received.index(b"200 OK") < received.index(b"404 Not Found")


def test_closes_first(server: InThread) -> None:
    """With `Connection: close` the server ends the connection, so that TIME_WAIT is not the client's."""
    with connected(server.port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert read_reply(sock).headers["connection"] == "close"
        assert sock.recv(1) == b""


def test_remembers_the_last_twenty_probes() -> None:
    """`/probes` tells the last 20 calls of each probe, oldest first."""
    with serving() as server:
        server.fault("readiness", fail="next", count=1)
        get(server.port, "/readyz")
        for _ in range(25):
            get(server.port, "/livez")
        get(server.port, "/readyz")
        calls = get(server.port, "/probes").json["probes"]
    assert [call["status"] for call in calls if call["probe"] == "readyz"] == [503, 200]
    assert [call["status"] for call in calls if call["probe"] == "livez"] == [200] * 20
    times = [call["time"] for call in calls]
    assert times == sorted(times)


def test_a_broken_version_lives_and_is_never_ready() -> None:
    """`v-broken` starts, answers and never becomes ready."""
    with serving(VERSION="v-broken") as server:
        assert [get(server.port, path).status for path in ("/livez", "/readyz", "/")] == [200, 503, 200]
