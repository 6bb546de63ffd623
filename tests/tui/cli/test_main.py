"""From arguments to exit codes: sentences, signals, pipes, and what is loaded on the way."""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kubealive import __version__
from kubealive_tui.cli import _main, main, main_tui
from kubealive_tui.cli._running import run_command
from kubealive_tui.feed import Head, Recorder
from kubealive_tui.model import LinkEvent, LinkState

PROGRAM = "import sys; from kubealive_tui.cli import main; sys.exit(main())"


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home without a cluster, and without this session's settings."""
    for name in [n for n in os.environ if n.startswith(("KUBEALIVE_", "KUBECONFIG"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    # Logging is set up once a process; what a test did to it must not reach the next.
    monkeypatch.setattr("kubealive_tui.cli._running.start_log", lambda: None)
    monkeypatch.chdir(tmp_path)


def recording(path: Path, count: int = 1) -> Path:
    recorder = Recorder.create(path, Head("lab", "kubealive", 0), on_trouble=pytest.fail)
    for number in range(count):
        recorder.link(LinkEvent(LinkState.RECONNECTING, reason=f"try {number}"), None)
    recorder.close()
    return path


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        pytest.param([], "no command is given", id="no command"),
        pytest.param(["nope"], "there is no command 'nope'", id="unknown command"),
        pytest.param(
            ["check", "nope"], "there is no experiment 'nope'; there are balance", id="unknown experiment"
        ),
        pytest.param(["check"], "no kubeconfig found (looked for ", id="no kubeconfig"),
        pytest.param(["check", "--agent", "x"], "--agent 'x' is not HOST:PORT", id="bad agent"),
        pytest.param(
            ["status", "--kubeconfig", "k"], "no kubeconfig found (looked for k)", id="kubeconfig not there"
        ),
        pytest.param(["down"], "no kubeconfig found", id="nothing to take down"),
        pytest.param(["tui"], "is not a terminal", id="no terminal"),
        pytest.param(["tui", "--plain", "--experiment", "z"], "there is no experiment 'z'", id="unknown tab"),
        pytest.param(["replay", "absent"], "cannot read absent: No such file", id="no file"),
        pytest.param(["replay", "text", "--plain"], "text is not a kubealive recording", id="not a recording"),
        pytest.param(
            ["replay", "text", "--plain", "--at", "3"], "--speed and --at move the play head", id="plain at"
        ),
        pytest.param(
            ["replay", "good"], "`kubealive replay good --plain` prints lines", id="replay without terminal"
        ),
    ],
)
def test_failures_are_one_sentence(argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing on standard output, one sentence on standard error, exit code 2."""
    Path("text").write_text("hello")
    recording(Path("good"))

    assert main(argv) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("kubealive: ")
    assert sentence in said.err
    assert said.err.count("\n") == 1


def test_the_tui_names_what_works_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """`kubealive-tui` in a pipe points to --plain and check."""
    assert main_tui([]) == 2
    said = capsys.readouterr().err
    assert "`kubealive tui --plain`" in said
    assert "`kubealive check`" in said


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is the contract's."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"kubealive {__version__}\n"


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        pytest.param(KeyboardInterrupt(), 130, "", id="ctrl-c"),
        pytest.param(
            ModuleNotFoundError(name="textual.app"), 2, "pip install 'kubealive[tui]'", id="extra missing"
        ),
        pytest.param(KeyError("x"), 2, "unforeseen KeyError: 'x'; this is a defect of kubealive", id="defect"),
    ],
)
def test_other_ways_to_end(
    error: BaseException,
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An interruption is silent, a missing extra and a defect are sentences without a traceback."""

    def raises(argv: object) -> int:
        raise error

    monkeypatch.setattr(_main, "_run", raises)
    monkeypatch.setattr("kubealive_tui.cli._log.start_log", lambda: None)
    assert main([]) == code
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said


async def _sleeps(args: argparse.Namespace, env: object) -> int:
    os.kill(os.getpid(), args.number)
    await asyncio.sleep(20)
    return 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["TERM", "HUP"])
def test_a_signal_ends_a_command_in_order(number: int) -> None:
    """The command is cancelled, so that it can clean up, and the shell sees which signal it was."""
    assert run_command(argparse.Namespace(run=_sleeps, number=number)) == 128 + number


def test_ctrl_c_ends_a_command_in_order() -> None:
    """An interrupt cancels the command and passes on."""
    with pytest.raises(KeyboardInterrupt):
        run_command(argparse.Namespace(run=_sleeps, number=signal.SIGINT))


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """A pipe into `head` ends quietly, with nothing on standard error."""
    file = recording(tmp_path / "long", count=5_000)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "replay", str(file), "--plain"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert b"reconnecting: try 0" in process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=20) == 141


@pytest.mark.parametrize("words", ["--help", "--version", "tui --help", "check --help"])
def test_help_loads_nothing_heavy(words: str) -> None:
    """Neither screen, Kubernetes client, gRPC nor protobuf is loaded to say what there is."""
    code = (
        "import sys; from kubealive_tui.cli import main; main(sys.argv[1:]); "
        "heavy = {'textual', 'rich', 'kubernetes', 'aiohttp', 'grpc', 'google.protobuf'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words.split()], capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_workload_becomes_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is run by exec, never imported."""
    called: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda path, argv: called.append([path, *argv[1:]]))
    main(["workload", "getip"])
    assert called == [[sys.executable, "-P", "-m", "kubealive_workloads", "getip"]]


@pytest.mark.parametrize("command", [["check"], ["tui", "--plain"], ["doctor"]], ids=lambda words: words[0])
def test_a_namespace_that_cannot_be_is_refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What looks at the agent names a mistyped namespace as what it is, not as one without an agent."""
    assert main([*command, "-n", "Bad_Name"]) == 2
    assert "namespace 'Bad_Name' cannot exist" in "".join(capsys.readouterr())
