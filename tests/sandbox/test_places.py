"""Both schemes of addresses keep one promise: who listens at a place is found there, and who calls is known."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from kubealive_sandbox.places import HOME, SLOTS, ManyAddresses, OneAddress, Places, places

POD, OTHER = "127.77.129.2", "127.77.130.2"

Listener = Callable[..., socket.socket]


@pytest.fixture(params=("many", "one"))
def scheme(request: pytest.FixtureRequest, tmp_path: Path) -> Places:
    return ManyAddresses() if request.param == "many" else OneAddress.create(str(tmp_path / "places"))


@pytest.fixture
def one(tmp_path: Path) -> OneAddress:
    return OneAddress.create(str(tmp_path / "places"))


@pytest.fixture
def listen() -> Iterator[Listener]:
    """Listens at a place of a scheme until the test ends."""
    with ExitStack() as stack:

        def make(
            scheme: Places, ip: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM
        ) -> socket.socket:
            sock = stack.enter_context(socket.socket(socket.AF_INET, kind))
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            scheme.bind(sock, ip, port)
            if kind == socket.SOCK_STREAM:
                sock.listen()
            return sock

        yield make


@contextmanager
def call(scheme: Places, source: str, ip: str, port: int) -> Iterator[None]:
    """A connection from one pod to another."""
    with socket.socket() as sock:
        scheme.bind(sock, source, 0)
        sock.settimeout(5)
        sock.connect(scheme.real(ip, port))
        yield


def test_a_listener_is_found_and_sees_who_calls(scheme: Places, listen: Listener) -> None:
    """By the address of the pod that called."""
    listener = listen(scheme, POD, 80)
    with call(scheme, OTHER, POD, 80):
        accepted, peer = listener.accept()
        accepted.close()

    assert scheme.seen(peer)[0] == OTHER


def test_pods_may_listen_on_equal_ports(scheme: Places, listen: Listener) -> None:
    """Each address has its own."""
    mine, other = listen(scheme, POD, 8080), listen(scheme, OTHER, 8080)

    assert scheme.real(POD, 8080) == mine.getsockname()
    assert scheme.real(OTHER, 8080) == other.getsockname()


def test_datagrams_and_connections_have_ports_of_their_own(scheme: Places, listen: Listener) -> None:
    """As DNS has 53 twice."""
    datagrams, connections = listen(scheme, POD, 53, socket.SOCK_DGRAM), listen(scheme, POD, 53)

    assert scheme.real(POD, 53, socket.SOCK_DGRAM) == datagrams.getsockname()
    assert scheme.real(POD, 53) == connections.getsockname()


def test_a_place_is_taken_once(scheme: Places, listen: Listener) -> None:
    """The second to bind it is told so."""
    listen(scheme, POD, 8080)

    with pytest.raises(OSError, match="in use"):
        listen(scheme, POD, 8080)


def test_nobody_answers_where_nobody_listens(scheme: Places) -> None:
    """It is refused, not lost."""
    with pytest.raises(ConnectionRefusedError), call(scheme, OTHER, POD, 8080):
        pass


def test_a_place_can_be_taken_again_at_once(scheme: Places) -> None:
    """Connections that are not quite over keep nobody away: a restarted container listens where it did."""
    for _ in range(3):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            scheme.bind(listener, POD, 8080)
            listener.listen()
            with call(scheme, OTHER, POD, 8080):
                listener.accept()[0].close()  # whoever closes first keeps the port


def test_a_wildcard_of_both_families_is_found(scheme: Places) -> None:
    """As a program that listens dual-stack does."""
    with socket.socket(socket.AF_INET6) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        scheme.bind(listener, POD, 8080)
        listener.listen()
        with call(scheme, OTHER, POD, 8080):
            accepted, peer = listener.accept()
            accepted.close()

    assert scheme.seen(peer)[0] == f"::ffff:{OTHER}"


def test_another_process_is_found_by_the_word(scheme: Places, listen: Listener) -> None:
    """What one process binds, every other one of the sandbox finds."""
    listener = listen(scheme, POD, 8080)

    assert places(scheme.word).real(POD, 8080) == listener.getsockname()


def test_a_place_is_lent_to_who_cannot_be_led(scheme: Places) -> None:
    """Whoever listens where he is told to is found at the pod's port."""
    host, _, port = scheme.lend(POD, 50_051).partition(":")
    with socket.create_server((host, int(port))), call(scheme, OTHER, POD, 50_051):
        pass


# ---------------------------------------------------------------- one address


def test_a_taken_port_is_worked_around(one: OneAddress, tmp_path: Path, listen: Listener) -> None:
    """What another program, or another sandbox, listens on already stays its own."""
    beside = OneAddress.create(str(tmp_path / "beside"))
    theirs, ours = listen(beside, POD, 8080), listen(one, POD, 8080)

    assert theirs.getsockname() != ours.getsockname()
    assert one.real(POD, 8080) == ours.getsockname()
    assert beside.real(POD, 8080) == theirs.getsockname()


LISTENS = """
import socket, sys
from kubealive_sandbox.places import places
with socket.socket() as sock:
    places(sys.argv[1]).bind(sock, sys.argv[2], 8080)
    print(sock.getsockname()[1])
"""


def test_what_a_dead_process_left_leads_nowhere(one: OneAddress, listen: Listener) -> None:
    """Its port may be a stranger's by now, and whoever takes its place takes another one."""
    words = [sys.executable, "-c", LISTENS, one.word, POD]
    left = int(subprocess.run(words, check=True, capture_output=True, timeout=20).stdout)
    with socket.create_server((HOME, left)):
        with pytest.raises(ConnectionRefusedError):
            one.real(POD, 8080)
        heir = listen(one, POD, 8080)

        assert one.real(POD, 8080) == heir.getsockname()
        assert heir.getsockname()[1] != left


def test_ports_are_taken_where_no_other_program_is_hindered(one: OneAddress, listen: Listener) -> None:
    """Neither low ones, nor those that the system gives to who connects."""
    assert all(listen(one, POD, port).getsockname()[1] in SLOTS for port in (53, 80, 8080, 31_000))


def test_a_stranger_is_seen_as_he_is(one: OneAddress, listen: Listener) -> None:
    """A program of this machine has no address in the cluster."""
    listener = listen(one, POD, 8080)
    with socket.create_connection(one.real(POD, 8080)) as stranger:
        accepted, peer = listener.accept()
        accepted.close()

        assert one.seen(peer) == stranger.getsockname()


def test_the_table_is_small(one: OneAddress) -> None:
    """A file of holes: pages exist where ports are in use."""
    assert Path(one.word).stat().st_blocks * 512 <= 64 * 1024
