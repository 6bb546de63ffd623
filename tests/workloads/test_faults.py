"""Faults, as they are set at the fault port and felt at the main port."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.workloads.harness import TOKEN, InThread, ask, connected, get, read_reply, serving, status_of

if TYPE_CHECKING:
    from collections.abc import Iterator

AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
HEALTHY = {
    "liveness": {"fail": "never"},
    "readiness": {"fail": "never"},
    "hang": False,
    "eat": {"mib_per_second": 0, "eaten_mib": 0},
    "delay": {"milliseconds": 0},
    "errors": {"percent": 0},
}


@pytest.fixture
def server() -> Iterator[InThread]:
    """Give a healthy program."""
    with serving() as running:
        yield running


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer open-sesamE"},
        {"Authorization": "Bearer open-sesame2"},
        {"Authorization": "Basic open-sesame"},
        {"Authorization": "Bearer \xff"},
    ],
    ids=["none", "empty", "wrong", "longer", "other scheme", "beyond ASCII"],
)
@pytest.mark.parametrize("path", ["/faults", "/nothing"], ids=["faults", "unknown path"])
def test_nothing_is_told_without_the_token(server: InThread, path: str, headers: dict[str, str]) -> None:
    """Whoever lacks the token learns nothing, not even which paths there are."""
    reply = ask(server.fault_port, "GET", path, headers=headers)
    assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    ("uid", "status"), [("uid-1", 200), ("uid-2", 409)], ids=["meant", "another pod of this address"]
)
def test_a_fault_can_be_meant_for_one_pod_only(uid: str, status: int) -> None:
    """Addresses are used again: who names a UID does no harm to the pod that has the address now."""
    with serving(POD_UID="uid-1") as server:
        reply = ask(server.fault_port, "GET", "/faults", headers={**AUTHORIZED, "X-Pod-Uid": uid})
    assert reply.status == status


def test_a_healthy_program_says_so(server: InThread) -> None:
    """`GET /faults` gives all settings."""
    assert ask(server.fault_port, "GET", "/faults", headers=AUTHORIZED).json == HEALTHY


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("liveness", {}, "always, never, or next"),
        ("liveness", {"fail": "sometimes"}, "sometimes"),
        ("liveness", {"fail": "next"}, "count is missing"),
        ("readiness", {"fail": "next", "count": 0}, "1 to 1000"),
        ("readiness", {"fail": "next", "count": True}, "true"),
        ("readiness", {"fail": "always", "count": 3}, "count"),
        ("exit", {"code": 256}, "0 to 255"),
        ("exit", {}, "code is missing"),
        ("hang", {"for": 3}, "for"),
        ("eat", {"mib_per_second": 0}, "1 to 1024"),
        ("eat", {"mib_per_second": 1.5}, "1.5"),
        ("delay", {"milliseconds": "10"}, "0 to 10000"),
        ("errors", {"percent": 101}, "0 to 100"),
        ("errors", [], "object"),
        ("cure", {"all": 1}, "all"),
    ],
)
def test_refuses_bad_values(server: InThread, name: str, body: object, words: str) -> None:
    """422 says which value is wrong and what is allowed, and changes nothing."""
    reply = ask(server.fault_port, "POST", f"/faults/{name}", body=body, headers=AUTHORIZED)
    assert reply.status == 422
    assert words in reply.json["error"]
    assert ask(server.fault_port, "GET", "/faults", headers=AUTHORIZED).json == HEALTHY


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 20_000, b"9" * 9_000], ids=repr)
def test_refuses_what_is_no_json(server: InThread, body: bytes) -> None:
    """Any bytes for a body are refused in words."""
    with connected(server.fault_port) as sock:
        head = f"POST /faults/hang HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        sock.sendall(f"{head}Authorization: Bearer {TOKEN}\r\n\r\n".encode() + body)
        assert status_of(sock) == 422


@pytest.mark.parametrize(
    ("values", "statuses"),
    [
        ({"fail": "always"}, [503, 503, 503]),
        ({"fail": "next", "count": 2}, [503, 503, 200]),
        ({"fail": "never"}, [200, 200, 200]),
    ],
    ids=["always", "next two", "never"],
)
@pytest.mark.parametrize(("name", "path"), [("liveness", "/livez"), ("readiness", "/readyz")])
def test_a_probe_fails_as_told(
    server: InThread, name: str, path: str, values: dict[str, object], statuses: list[int]
) -> None:
    """One probe fails for as long as told; the other one and the program's own replies stay good."""
    assert server.fault(name, **values).json[name] == values
    assert [get(server.port, path).status for _ in range(3)] == statuses
    other = "/readyz" if path == "/livez" else "/livez"
    assert [get(server.port, good).status for good in (other, "/")] == [200, 200]


@pytest.mark.parametrize("percent", [0, 1, 37, 100])
def test_errors_are_a_percentage_of_the_programs_replies(server: InThread, percent: int) -> None:
    """Of 100 requests exactly so many fail, and probes stay green."""
    server.fault("errors", percent=percent)
    with connected(server.port) as sock:
        statuses = []
        for _ in range(100):
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            statuses.append(read_reply(sock).status)
    assert statuses.count(500) == percent
    assert [get(server.port, probe).status for probe in ("/livez", "/readyz")] == [200, 200]


def test_a_delay_holds_the_programs_replies_only(server: InThread) -> None:
    """A delayed reply comes after the replies to probes that were asked later."""
    server.fault("delay", milliseconds=200)
    with connected(server.port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert get(server.port, "/livez").status == 200
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.recv(1)
        sock.settimeout(10)
        assert read_reply(sock).body == b"10.1.2.3\n"


def test_a_client_that_leaves_a_delayed_reply_leaves_nothing_behind(server: InThread) -> None:
    """A connection closed by its client is let go of at once, the delay notwithstanding."""
    server.fault("delay", milliseconds=10_000)
    with connected(server.port) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_until(lambda: server.server.main.owed() == 1)
    server.wait_until(lambda: server.server.main.open_connections == 0)


def test_a_hanging_program_answers_nothing_until_cured(server: InThread) -> None:
    """While it hangs nothing is answered, the fault port is; after the cure what waited is answered."""
    server.fault("hang")
    with connected(server.port) as sock, connected(server.port) as probe:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        probe.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        server.wait_until(lambda: server.server.main.owed() == 2)
        assert ask(server.fault_port, "GET", "/faults", headers=AUTHORIZED).json["hang"] is True
        assert server.fault("cure").json == HEALTHY
        assert [status_of(sock), status_of(probe)] == [200, 200]


def test_cure_ends_every_fault(server: InThread) -> None:
    """One call brings a program back to health, and gives the eaten memory back."""
    server.fault("liveness", fail="always")
    server.fault("readiness", fail="next", count=9)
    server.fault("errors", percent=100)
    server.fault("delay", milliseconds=9_999)
    server.fault("eat", mib_per_second=1)
    assert server.fault("cure").json == HEALTHY
    assert [get(server.port, path).status for path in ("/livez", "/readyz", "/")] == [200, 200, 200]


def test_without_a_token_the_fault_port_is_closed() -> None:
    """Nothing listens where nobody could be let in."""
    with serving() as server:
        port = server.fault_port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)
