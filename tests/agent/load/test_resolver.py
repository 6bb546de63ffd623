"""Addresses of targets."""

import socket
import threading

import pytest

from kubealive_agent.load._resolver import Address, Resolver, literal

SOMEWHERE = Address(socket.AF_INET, ("127.0.0.1", 80))


@pytest.mark.parametrize(
    ("host", "family"),
    [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6), ("getip.", None), ("1.2.3", None)],
    ids=["v4", "v6", "name", "too-short"],
)
def test_literal(host: str, family: socket.AddressFamily | None) -> None:
    """An address is used as it is; everything else is a name."""
    found = literal(host, 80)
    assert (found.family if found else None) == family


def test_address_needs_no_thread() -> None:
    """A literal address is known at once and nobody is asked."""

    def never(_host: str, _port: int) -> Address | None:
        raise AssertionError

    resolver = Resolver("127.0.0.1", 80, wake=lambda: None, lookup=never)
    assert resolver.asked
    assert resolver.address == SOMEWHERE


@pytest.mark.parametrize("answer", [SOMEWHERE, None], ids=["found", "not-found"])
def test_first_answer_wakes(answer: Address | None) -> None:
    """The first answer, good or bad, is announced once."""
    woken = threading.Event()
    resolver = Resolver("getip.", 80, wake=woken.set, lookup=lambda _host, _port: answer)
    try:
        assert woken.wait(2)
        assert resolver.asked
        assert resolver.address == answer
    finally:
        resolver.close()
