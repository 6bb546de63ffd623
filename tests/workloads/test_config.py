"""The environment of a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubealive_workloads._config import Identity, read_settings
from kubealive_workloads._errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def test_has_defaults_for_everything() -> None:
    """With an empty environment a program serves on 8080, without faults, and drains."""
    found = read_settings({}, version_file="/nonexistent")
    assert (found.port, found.fault_port, found.fault_token, found.drain) == (8080, 8081, None, True)
    assert set(found.missing) - {"POD_IP"} == {"POD_NAME", "POD_UID", "POD_NAMESPACE", "NODE_NAME", "VERSION"}


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        pytest.param({"PORT": "abc"}, ("PORT", "'abc'", "1 to 65535"), id="no number"),
        pytest.param({"PORT": "65536"}, ("PORT", "'65536'", "1 to 65535"), id="port too large"),
        pytest.param({"FAULT_PORT": "-1"}, ("FAULT_PORT", "'-1'", "1 to 65535"), id="negative port"),
        pytest.param({"PORT": "٣"}, ("PORT", "1 to 65535"), id="digits of another script"),
        pytest.param(
            {"FAULT_TOKEN": "t", "PORT": "9", "FAULT_PORT": "9"}, ("FAULT_PORT", "9"), id="one port twice"
        ),
        pytest.param({"DRAIN": "yes"}, ("DRAIN", "'yes'", "on or off"), id="no switch"),
        pytest.param({"POD_NAME": "a\r\nX-Evil: 1"}, ("POD_NAME", "printable"), id="header injection"),
        pytest.param({"FAULT_TOKEN": "top secret"}, ("FAULT_TOKEN", "printable"), id="token with a space"),
    ],
)
def test_refuses_a_bad_value(environ: dict[str, str], words: tuple[str, ...]) -> None:
    """The sentence names the variable, the value and what is allowed."""
    with pytest.raises(ConfigError) as caught:
        read_settings(environ, version_file="/nonexistent")
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_never_shows_a_token() -> None:
    """A token that cannot be used is not printed either."""
    with pytest.raises(ConfigError) as caught:
        read_settings({"FAULT_TOKEN": "top secret\n"})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "baked", "version"),
    [({}, "v3\n", "v3"), ({"VERSION": "v4"}, "v3\n", "v4"), ({}, "", None), ({"VERSION": ""}, None, None)],
    ids=["baked", "environment wins", "empty file", "neither"],
)
def test_finds_the_version(
    environ: dict[str, str], baked: str | None, version: str | None, tmp_path: Path
) -> None:
    """The version is the image's, unless the environment names another."""
    file = tmp_path / "VERSION"
    if baked is not None:
        file.write_text(baked, encoding="ascii")
    assert read_settings(environ, version_file=str(file)).identity.version == version


def test_names_what_is_unknown_in_headers() -> None:
    """A header is never left out: a value that is not known is said to be so."""
    assert Identity(pod="p").headers().decode().split("\r\n") == [
        "X-Pod-Name: p",
        "X-Pod-Uid: unknown",
        "X-Node-Name: unknown",
        "X-Version: unknown",
        "",
    ]
