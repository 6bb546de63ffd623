"""What a program costs the node it runs on."""

from __future__ import annotations

import re
import sys
from compileall import compile_dir
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from tests.workloads.harness import SOURCES, Process, connected, get, process, read_reply

MAX_RSS_KIB = 12 * 1024
PACKAGE = "kubealive_workloads"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    """Give the package compiled, as the image has it: compiling at the start would count as the program's."""
    copytree(SOURCES / PACKAGE, tmp_path / PACKAGE, ignore=ignore_patterns("__pycache__"))
    assert compile_dir(tmp_path, quiet=2)
    return tmp_path


def rss_kib(program: Process) -> int:
    """Give the resident memory of a process."""
    status = Path(f"/proc/{program.pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize(("name", "path"), [("getip", "/"), ("cpuhog", "/burn?milliseconds=1")])
def test_stays_within_twelve_mebibytes(compiled: Path, name: str, path: str) -> None:
    """A program that serves, fails and recovers keeps below the bound."""
    with process(name, PYTHONPATH=str(compiled)) as program, connected(program.port) as sock:
        program.fault("errors", percent=50)
        for _ in range(2000):
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            read_reply(sock)
        program.fault("cure")
        for other in ("/livez", "/readyz", "/probes", "/nothing"):
            get(program.port, other)
        assert rss_kib(program) <= MAX_RSS_KIB


def test_lookups_leave_nothing_behind(compiled: Path) -> None:
    """Each is a thread of its own, and the program that made a hundred of them keeps below the bound."""
    with process("knowingnode", PYTHONPATH=str(compiled), SERVICE_NAME="nobody.invalid.") as program:
        for _ in range(100):
            get(program.port, "/hostz")
            get(program.port, "/downward")
        assert rss_kib(program) <= MAX_RSS_KIB


def test_eats_until_it_is_cured_and_answers_probes_meanwhile() -> None:
    """`eat` really takes the pages, and the probes stay green while it does."""
    with process() as program:
        before = rss_kib(program)
        program.fault("eat", mib_per_second=256)
        while rss_kib(program) < before + 32 * 1024:
            assert get(program.port, "/livez").status == 200
        program.fault("cure")
        assert rss_kib(program) < before + 16 * 1024
