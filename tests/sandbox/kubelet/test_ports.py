"""Ports by number and by name."""

from typing import Any

import pytest

from kubealive_sandbox.kubelet._ports import PortError, port_of

CONTAINER = {"ports": [{"containerPort": 9}, {"name": "http", "containerPort": 8080}]}


@pytest.mark.parametrize(
    ("port", "wanted"),
    [
        pytest.param(80, 80, id="a number"),
        pytest.param("http", 8080, id="a name"),
        pytest.param("80", 80, id="a number as text"),
    ],
)
def test_a_port_is_found(port: Any, wanted: int) -> None:
    """One that the container does not declare is taken at its word, as a number."""
    assert port_of(CONTAINER, port) == wanted


@pytest.mark.parametrize(
    ("port", "words"),
    [
        pytest.param("nope", 'strconv.Atoi: parsing "nope": invalid syntax', id="no such name"),
        pytest.param(70000, "invalid port number: 70000", id="too high"),
        pytest.param(0, "invalid port number: 0", id="none"),
    ],
)
def test_a_port_that_is_none_is_refused(port: Any, words: str) -> None:
    """In the kubelet's words."""
    with pytest.raises(PortError) as refused:
        port_of(CONTAINER, port)

    assert str(refused.value) == words
