"""What the commands of images are on this machine."""

import sys

import pytest

from kubealive_sandbox.kubelet._programs import program

INSIDE = "inside/__main__.py"


@pytest.mark.parametrize(
    ("given", "run"),
    [
        pytest.param("python3 -c CODE a", "PYTHON -c CODE a", id="as it is"),
        pytest.param("/opt/kubealive/bin/python -u -m m", "PYTHON -u -m m", id="the agent's"),
        pytest.param("/usr/local/bin/python3.13 f.py -S", "PYTHON f.py -S", id="the file's own option"),
        pytest.param("python3 -S -s -P -m m -x", "PYTHON -S -s -P INSIDE -m m -x", id="without site"),
        pytest.param("python3 -I -c CODE", "PYTHON -I INSIDE -c CODE", id="isolated"),
        pytest.param("python3 -ESc CODE -c", "PYTHON -ES INSIDE -c CODE -c", id="in one word"),
        pytest.param("python3 -ScCODE", "PYTHON -S INSIDE -c CODE", id="in one word with its code"),
        pytest.param("python3 -S", "PYTHON -S INSIDE", id="standard input"),
        pytest.param("python3 -X dev -W error -S f.py", "PYTHON -X dev -W error -S INSIDE f.py", id="values"),
        pytest.param("python3 -WError -Xdev f.py", "PYTHON -WError -Xdev f.py", id="values in one word"),
        pytest.param("python3 --version", "PYTHON --version", id="a long option"),
        pytest.param("python3 - a", "PYTHON - a", id="standard input by name"),
        pytest.param("sleep 5", "sleep 5", id="another program"),
        pytest.param("/elsewhere/python3 -S", "/elsewhere/python3 -S", id="another Python"),
    ],
)  # fmt: skip
def test_a_command_is_led(given: str, run: str) -> None:
    """Python is this machine's, and enters its pod first where it would not by itself."""
    said = [word.replace(sys.executable, "PYTHON") for word in program(given.split())]

    assert [("INSIDE" if word.endswith(INSIDE) else word) for word in said] == run.split()
