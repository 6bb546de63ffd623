"""Probes: when they come, and when an answer is complete."""

import asyncio
import socket

import pytest

from kubealive_sandbox.kubelet._probes import http_get, tick

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-length: 3\r\n\r\nok\n"


@pytest.mark.parametrize(
    ("now", "period", "due"),
    [
        (10.0, 1, 11.0),
        (10.004, 1, 11.0),
        (9.99, 1, 11.0),
        (10.15, 1, 11.0),
        (10.49, 1, 11.5),
        (10.6, 1, 11.5),
        (10.2, 5, 15.0),
    ],
    ids=["on a tick", "a probe later", "a timer earlier", "behind", "just before", "between", "longer"],
)
def test_a_probe_comes_at_the_last_tick_of_its_period(now: float, period: int, due: float) -> None:
    """No probe comes later than by its period, nor more than a tick earlier; from then on ticks are its period."""
    assert (tick(now, period), tick(due, period)) == (due, due + period)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (OK, 200),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", 503),
    ],
    ids=["with a body", "without"],
)
def test_an_answer_of_known_length_ends_by_itself(reply: bytes, code: int) -> None:
    """Who has told how long his answer is need not close the connection as well."""
    near, far = socket.socketpair()
    near.setblocking(False)
    with far:
        far.sendall(reply)

        assert asyncio.run(asyncio.wait_for(http_get(near, "/", host="h"), 10)) == code


@pytest.mark.parametrize(
    "reply", [b"HTTP/1.0 404 Not Found\r\n\r\nnothing", OK[:-1].replace(b"200", b"404")], ids=["no length", "cut"]
)
def test_any_other_answer_ends_with_its_connection(reply: bytes) -> None:
    """As for a client of any server: the status counts, whatever became of the rest."""
    near, far = socket.socketpair()
    near.setblocking(False)
    with far:
        far.sendall(reply)
        far.shutdown(socket.SHUT_WR)

        assert asyncio.run(asyncio.wait_for(http_get(near, "/", host="h"), 10)) == 404


def test_no_answer_is_an_error() -> None:
    """A program that closes without a word has failed the probe."""
    near, far = socket.socketpair()
    near.setblocking(False)
    with far:
        far.shutdown(socket.SHUT_WR)

        with pytest.raises(ConnectionResetError, match="EOF"):
            asyncio.run(asyncio.wait_for(http_get(near, "/", host="h"), 10))
