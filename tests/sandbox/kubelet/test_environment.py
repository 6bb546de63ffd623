"""What a container finds in its environment."""

from typing import Any

import pytest

from kubealive_sandbox.kubelet._environment import ConfigError, environment, expand, field_value, resource_value
from tests.sandbox.objects import NAMESPACE, new_api

POD: dict[str, Any] = {
    "metadata": {"name": "web-1", "namespace": NAMESPACE, "uid": "u", "labels": {"b": "2", "a": 'say "x"'}},
    "spec": {"nodeName": "node-1", "serviceAccountName": "default"},
    "status": {"podIP": "127.77.129.2", "podIPs": [{"ip": "127.77.129.2"}], "hostIP": "127.77.1.1"},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("metadata.name", "web-1", id="name"),
        pytest.param("spec.nodeName", "node-1", id="node"),
        pytest.param("status.podIP", "127.77.129.2", id="address"),
        pytest.param("status.podIPs", "127.77.129.2", id="addresses"),
        pytest.param("metadata.labels['b']", "2", id="one label"),
        pytest.param("metadata.labels['none']", "", id="no such label"),
        pytest.param("metadata.labels", 'a="say \\"x\\""\nb="2"', id="all labels"),
    ],
)
def test_a_field_as_the_downward_api_writes_it(path: str, value: str) -> None:
    """Maps are sorted lines, with their quotes escaped."""
    assert field_value(POD, path) == value


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [
        pytest.param("requests.cpu", "1m", "250", id="millicores"),
        pytest.param("requests.cpu", "0", "1", id="whole cores, rounded up"),
        pytest.param("limits.memory", "1Mi", "64", id="mebibytes"),
        pytest.param("limits.memory", "1", str(64 << 20), id="bytes"),
    ],
)
def test_a_resource_in_units_of_its_divisor(resource: str, divisor: str, value: str) -> None:
    """As the kubelet rounds."""
    container = {"resources": {"requests": {"cpu": "250m"}, "limits": {"memory": "64Mi"}}}

    assert resource_value(container, {"resource": resource, "divisor": divisor}) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("$(A)-$(B)", "1-$(B)", id="unknown ones stay"),
        pytest.param("$$(A)", "$(A)", id="escaped"),
        pytest.param("$A", "$A", id="a shell's way is not taken"),
    ],
)
def test_references_are_expanded(text: str, value: str) -> None:
    """`$(VAR)`, and nothing else."""
    assert expand(text, {"A": "1"}) == value


def test_a_secret_that_is_optional_may_be_missing() -> None:
    """The variable is absent then; one that is not optional keeps the container from starting."""
    api = new_api()
    reference: dict[str, Any] = {"name": "none", "key": "token", "optional": True}
    container = {"env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": reference}}]}

    assert environment(api, POD, container, {}) == {}
    reference["optional"] = False
    with pytest.raises(ConfigError, match='secret "none" not found'):
        environment(api, POD, container, {})


def test_sources_in_order() -> None:
    """Later variables see earlier ones, and win over whole sources."""
    api = new_api()
    api.create("ConfigMap", {"metadata": {"name": "c", "namespace": NAMESPACE}, "data": {"A": "map", "B": "map"}})
    api.create("Secret", {"metadata": {"name": "s", "namespace": NAMESPACE}, "stringData": {"key": "hidden"}})
    secret = {"secretKeyRef": {"name": "s", "key": "key"}}
    container = {
        "envFrom": [{"configMapRef": {"name": "c"}}],
        "env": [
            {"name": "B", "value": "own"},
            {"name": "C", "valueFrom": secret},
            {"name": "D", "value": "$(B)$(C)"},
        ],
    }

    assert environment(api, POD, container, {}) == {"A": "map", "B": "own", "C": "hidden", "D": "ownhidden"}
