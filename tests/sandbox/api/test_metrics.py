"""The metrics API: what is asked for by name and label, and what is not there."""

from typing import Any

import pytest

from kubealive_sandbox.api import ApiError
from kubealive_sandbox.api._metrics import measured


class Two:
    def pods(self, namespace: str) -> list[Any]:
        return [{"metadata": {"name": name, "labels": {"app": name}}} for name in ("one", "two")]

    def nodes(self) -> list[Any]:
        return [{"metadata": {"name": "node-1"}}]


@pytest.mark.parametrize(
    ("plural", "selector", "kind", "names"),
    [
        pytest.param("pods", "", "PodMetricsList", ["one", "two"], id="all"),
        pytest.param("pods", "app=two", "PodMetricsList", ["two"], id="by label"),
        pytest.param("nodes", "", "NodeMetricsList", ["node-1"], id="nodes"),
        pytest.param("nodes", "app=two", "NodeMetricsList", [], id="nodes without labels"),
    ],
)
def test_a_list(plural: str, selector: str, kind: str, names: list[str]) -> None:
    """A selector is heard as everywhere."""
    found = measured(Two(), plural, "", "", selector=selector)

    assert (found["kind"], [each["metadata"]["name"] for each in found["items"]]) == (kind, names)


def test_one_by_name() -> None:
    """The object itself."""
    assert measured(Two(), "pods", "lab", "one", selector="")["metadata"]["name"] == "one"


@pytest.mark.parametrize(
    ("plural", "name", "words"),
    [
        pytest.param("pods", "x", 'pods.metrics.k8s.io "x" not found', id="no such pod"),
        pytest.param("things", "", "the server could not find the requested resource", id="no such resource"),
    ],
)
def test_what_is_not_there(plural: str, name: str, words: str) -> None:
    """A 404, in the server's words."""
    with pytest.raises(ApiError, match=words) as refusal:
        measured(Two(), plural, "lab", name, selector="")

    assert refusal.value.code == 404
