"""Arguments and environment: what wins, what is named in the help, what is refused."""

import argparse

import pytest

from kubealive_tui.cli import settings
from kubealive_tui.cli._parser import COMMANDS, parse
from kubealive_tui.cli._replay import position
from kubealive_tui.errors import UsageError

# What is done, said each time: a variable for these would do it unasked.
SAID_EACH_TIME = {
    "check": {"--json", "--junit", "--or-sandbox", "--sandbox"},
    "down": {"--yes"},
    "replay": {"--at", "--experiment", "--speed"},
    "reset": {"--pods"},
    "tui": {"--experiment", "--or-sandbox", "--sandbox"},
    "up": {"--timeout"},
}


def helped(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as leaving:
        parse([command, "--help"], {})
    assert leaving.value.code == 0
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("argv", "environ", "wanted"),
    [
        pytest.param(["status"], {}, "kubealive", id="default"),
        pytest.param(["status"], {"KUBEALIVE_NAMESPACE": "env"}, "env", id="environment over default"),
        pytest.param(["status", "-n", "flag"], {"KUBEALIVE_NAMESPACE": "env"}, "flag", id="flag over environment"),
        pytest.param(["status"], {"KUBEALIVE_NAMESPACE": ""}, "kubealive", id="empty counts as unset"),
    ],
)
def test_what_wins(argv: list[str], environ: dict[str, str], wanted: str) -> None:
    """A flag wins over its variable, which wins over the default."""
    assert parse(argv, environ).namespace == wanted


@pytest.mark.parametrize(
    ("value", "on"), [("1", True), ("yes", True), ("True", True), ("0", False), ("off", False)]
)
def test_switches_take_words(value: str, on: bool) -> None:  # noqa: FBT001 - a column of the table
    """A variable can turn a switch on, and leave it off."""
    assert parse(["tui"], {"KUBEALIVE_READ_ONLY": value}).read_only is on


@pytest.mark.parametrize(
    ("argv", "environ", "sentence"),
    [
        pytest.param([], {}, "no command is given; there are tui, up", id="nothing"),
        pytest.param(["upp"], {}, "there is no command 'upp'; there are tui, up", id="unknown command"),
        pytest.param(["tui", "--bogus"], {}, "unrecognized arguments: --bogus; see", id="unknown flag"),
        pytest.param(["tui", "--them", "dark"], {}, "unrecognized arguments", id="no guessing"),
        pytest.param(
            ["tui"], {"KUBEALIVE_THEME": "pink"}, "KUBEALIVE_THEME is 'pink'; use one of auto, dark", id="choice"
        ),
        pytest.param(["tui"], {"KUBEALIVE_PLAIN": "maybe"}, "KUBEALIVE_PLAIN is 'maybe'; use 1 or 0", id="switch"),
        pytest.param(["replay", "f", "--at", "x:3"], {}, "'x:3' is no position", id="position"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(argv: list[str], environ: dict[str, str], sentence: str) -> None:
    """The word that is wrong is named, with what there is instead."""
    with pytest.raises(UsageError, match=sentence.replace("(", r"\(")):
        parse(argv, environ)


@pytest.mark.parametrize(("text", "seconds"), [("95", 95.0), ("1:35", 95.0), ("0:07.5", 7.5)])
def test_positions(text: str, seconds: float) -> None:
    """A place in a recording is given in seconds, or minutes and seconds."""
    assert position(text) == seconds


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_every_variable(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each setting's environment variable stands beside its flag."""
    text = helped(command, capsys)
    for setting in settings():
        assert (f"{setting.flag} " in text or f"{setting.flag}]" in text) is (command in setting.commands)
        assert (f"${setting.variable}]" in text) is (command in setting.commands)


def test_every_flag_is_a_setting_or_said_each_time() -> None:
    """No flag is without a variable by accident."""
    known = {setting.flag: setting for setting in settings()}
    for command in COMMANDS:
        parser = argparse.ArgumentParser()
        subparsers = parser.add_subparsers()
        __import__(f"kubealive_tui.cli.{COMMANDS[command]}", fromlist=["register"]).register(subparsers)
        flags = {o for a in subparsers.choices[command]._actions for o in a.option_strings if o.startswith("--")}
        with_variable = {flag for flag in flags if flag in known and command in known[flag].commands}
        assert flags - with_variable - {"--help"} == SAID_EACH_TIME.get(command, set())


def test_variables_are_named_after_their_flags() -> None:
    """Whoever knows one knows the other."""
    assert all(s.variable == f"KUBEALIVE_{s.flag[2:].replace('-', '_').upper()}" and s.help for s in settings())
