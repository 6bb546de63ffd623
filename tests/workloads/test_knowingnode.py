"""The program `knowingnode`: what it was told, and who its Service leads to."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from kubealive_workloads import _dns
from kubealive_workloads._fetch import fetch
from kubealive_workloads.programs import knowingnode
from tests.workloads.harness import get, serving
from tests.workloads.nameserver import a, by_zone, nameserver, resolv_conf, srv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kubealive_workloads.programs import Program

TOLD = {"NODE_NAME": "node-1", "POD_IP": "10.1.2.3", "CPU_REQUEST": "10", "POD_MOOD": "calm", "HOME": "/secret"}
SRV_NAME = "_http._tcp.backend.lab.svc"
TARGET = "backend.lab.svc"


def program(resolver: str = "/nonexistent", **environ: str) -> Program:
    return partial(knowingnode.routes, environ=environ, resolv_conf=resolver)


def test_says_what_it_was_told_and_null_for_the_rest() -> None:
    """Only the Downward API's variables, never the whole environment."""
    with serving(program(**TOLD)) as server:
        said = get(server.port, "/downward").json

    assert said["env"] == dict.fromkeys(knowingnode.FIELDS) | {k: v for k, v in TOLD.items() if k != "HOME"}
    assert said["files"] == {"labels": None, "annotations": None}


def test_the_page_says_what_is_unknown() -> None:
    """Each field has a line: its value, or that nobody told it."""
    with serving(program(NODE_NAME="node-1")) as server:
        page = get(server.port, "/").body.decode()
        as_json = get(server.port, "/", Accept="application/json").json

    lines = {line.split()[0]: line for line in page.splitlines() if line}
    assert lines["NODE_NAME"].endswith("spec.nodeName                            node-1")
    assert lines["POD_IP"].endswith("unknown: nobody told it")
    assert lines["labels"].endswith("unknown: nobody told it")
    assert as_json["env"]["NODE_NAME"] == "node-1"


def test_files_are_read_anew_at_each_request(tmp_path: Path) -> None:
    """What the kubelet writes is followed, while a variable stays; quotes and escapes are undone."""
    labels = tmp_path / "labels"
    labels.write_text('app="knowingnode"\nmood="calm"\n')
    (tmp_path / "annotations").write_text('motto="say \\"no\\"\\nand go"\nodd="\\x00"\nnothing\n')
    with serving(program(DOWNWARD_DIR=str(tmp_path), POD_MOOD="calm")) as server:
        before = get(server.port, "/downward").json
        labels.write_text('app="knowingnode"\nmood="bright"\n')
        after = get(server.port, "/downward").json
        page = get(server.port, "/").body.decode()

    assert before["files"]["labels"] == {"app": "knowingnode", "mood": "calm"}
    assert after["files"]["labels"]["mood"] == "bright"
    assert after["env"]["POD_MOOD"] == "calm"
    assert after["files"]["annotations"] == {"motto": 'say "no"\nand go', "odd": '"\\x00"'}
    assert "mood=bright" in page


def test_backend_names_pod_and_node() -> None:
    """What /hostz of another pod is answered with."""
    with serving(program()) as server:
        assert get(server.port, "/backend").json == {"pod": "getip-1", "node": "node-1"}


def test_hostz_follows_the_name_to_the_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SRV by the search list, A of its target, and the body and status of the call."""
    with serving(program()) as backend:
        zone = {
            (SRV_NAME, _dns.SRV): [srv(TARGET, backend.port, ttl=12)],
            (TARGET, _dns.A): [a("127.0.0.1", ttl=9)],
        }
        with nameserver(by_zone(zone)) as dns:
            monkeypatch.setattr(_dns, "PORT", dns.port)
            resolver = resolv_conf(tmp_path, "lab.svc", "svc")
            with serving(program(resolver, SERVICE_NAME="backend")) as frontend:
                said = get(frontend.port, "/hostz").json

    (host,) = said["hosts"]
    assert (said["service"], said["server"]) == ("backend", "127.0.0.1")
    assert (said["srv"]["name"], said["srv"]["rcode"], said["srv"]["ttl"]) == (f"{SRV_NAME}.", "NOERROR", 12)
    assert said["srv"]["records"] == [[0, 100, backend.port, TARGET]]
    assert (host["name"], host["address"], host["a"]["ttl"]) == (TARGET, "127.0.0.1", 9)
    assert host["url"] == f"http://{TARGET}:{backend.port}/backend"
    assert (host["statusCode"], host["body"]) == (200, {"pod": "getip-1", "node": "node-1"})


@pytest.mark.parametrize(
    ("zone", "rcode", "error"),
    [
        ({}, "NXDOMAIN", None),
        ({(SRV_NAME, _dns.A): []}, "NOERROR", None),
        ({(SRV_NAME, _dns.SRV): [srv(TARGET, 80)]}, "NOERROR", "no address: NXDOMAIN"),
        ({(SRV_NAME, _dns.SRV): [srv(TARGET, 1)], (TARGET, _dns.A): [a("127.0.0.1")]}, "NOERROR",
         "connection refused"),
    ],
    ids=["no such name", "no named port", "a target without address", "nobody listens"],
)  # fmt: skip
def test_hostz_tells_what_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: dict[tuple[str, int], list[bytes]], rcode: str,
    error: str | None,
) -> None:  # fmt: skip
    """A lookup or a call that fails is an answer like any other, and says where."""
    with nameserver(by_zone(zone)) as dns:
        monkeypatch.setattr(_dns, "PORT", dns.port)
        with serving(program(resolv_conf(tmp_path, "lab.svc"), SERVICE_NAME="backend")) as frontend:
            reply = get(frontend.port, "/hostz")

    assert (reply.status, reply.json["srv"]["rcode"]) == (200, rcode)
    assert [host.get("error") for host in reply.json["hosts"]] == ([error] if error else [])


def test_hostz_without_a_service_says_what_is_missing() -> None:
    """Run by hand there is no SERVICE_NAME, and in a place without DNS no server to ask."""
    with serving(program()) as server:
        reply = get(server.port, "/hostz")
    with serving(program(SERVICE_NAME="backend")) as server:
        said = get(server.port, "/hostz").json

    assert (reply.status, "SERVICE_NAME is not set" in reply.json["error"]) == (503, True)
    assert said["error"] == "/nonexistent names no DNS server"


def test_lookups_at_once_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond them the reply says so at once, and the place is given back."""
    monkeypatch.setattr(knowingnode, "MAX_LOOKUPS", 0)
    with serving(program(resolv_conf(tmp_path), SERVICE_NAME="backend")) as server:
        full = get(server.port, "/hostz")
        monkeypatch.setattr(knowingnode, "MAX_LOOKUPS", 1)
        monkeypatch.setattr(_dns, "read_resolver", lambda _: None)
        twice = [get(server.port, "/hostz").status for _ in range(2)]

    assert full.status == 503
    assert twice == [200, 200]


@contextmanager
def answering(*pieces: bytes, close: bool = True) -> Iterator[int]:
    """A server of one connection that sends these pieces."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.recv(4096)
                for piece in pieces:
                    sock.sendall(piece)
                if not close:
                    done.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            done.set()
            thread.join(10)


@pytest.mark.parametrize(
    ("pieces", "close", "status", "error"),
    [
        ((b"HTTP/1.1 503 No\r\n\r\n", b"busy"), True, 503, ""),
        ((b"HTTP/1.1 200 OK\r\nX: ",), True, 0, "closed before a whole HTTP reply"),
        ((b"SSH-2.0\r\n\r\n",), True, 0, "closed before a whole HTTP reply"),
        ((b"HTTP/1.1 200 OK\r\n",), False, 0, "read timeout"),
    ],
    ids=["an error", "cut", "another protocol", "silence"],
)
def test_how_a_fetch_ends(pieces: tuple[bytes, ...], *, close: bool, status: int, error: str) -> None:
    """By status, or by a word that says where it failed."""
    with answering(*pieces, close=close) as port:
        got = fetch("127.0.0.1", port, "/", host="x", seconds=0.3)

    assert (got.status, got.error) == (status, error)


def test_a_fetch_of_an_address_that_is_none() -> None:
    """What the system refuses to connect to is told in its words."""
    assert fetch("255.255.255.255", 1, "/", host="x", seconds=0.3).error.startswith("unreachable")
