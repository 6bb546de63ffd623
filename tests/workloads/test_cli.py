"""The command line: what starts, and what is refused in one sentence."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from kubealive_workloads import main, programs
from tests.workloads.harness import command, environment, process


@pytest.mark.parametrize("arguments", [(), ("nothing",), ("getip", "getip"), ("--help",)], ids=" ".join)
def test_names_the_programs(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Without one known name the sentence lists the names."""
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert all(name in said for name in programs.NAMES)


def test_refuses_a_bad_environment() -> None:
    """A wrong value is one sentence and exit 2, without a trace."""
    done = subprocess.run(
        command("getip"), env=environment(PORT="abc"), capture_output=True, text=True, timeout=10, check=False
    )
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, "")
    assert "PORT is 'abc'" in done.stderr


def test_refuses_a_port_in_use() -> None:
    """A port that somebody has is named, with the variable that chooses another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            command("getip"),
            env=environment(PORT=str(port)),
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == f"port {port} cannot be opened (Address already in use): choose another one with PORT\n"


def test_says_by_hand_what_it_does_not_know() -> None:
    """Run outside a cluster a program works, and names the values that it lacks."""
    with process(POD_NAME="", POD_UID="") as program:
        assert program.popen.stderr is not None
        assert "POD_NAME, POD_UID, POD_NAMESPACE" in program.popen.stderr.readline()


def test_loads_nothing_that_is_large() -> None:
    """The modules that would eat the memory bound stay out."""
    heavy = {"asyncio", "dataclasses", "email", "hashlib", "inspect", "logging", "ssl", "threading", "typing"}
    code = "import sys, kubealive_workloads as k; k.main(['x']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-s", "-S", "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    assert not heavy & set(done.stdout.split())
