"""Strategic merge, JSON patch, and server-side apply."""

from typing import Any

import pytest

from kubealive_sandbox.api import ApiError, Writing
from kubealive_sandbox.api._patch import json_patch, merge_patch, strategic_patch
from tests.sandbox.objects import NAMESPACE, deployment, new_api

TWO = {"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]}}


@pytest.mark.parametrize(
    ("patch", "wanted"),
    [
        pytest.param(
            {"spec": {"containers": [{"name": "b", "image": "2"}]}},
            [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}],
            id="merges by key",
        ),
        pytest.param(
            {"spec": {"containers": [{"name": "a", "$patch": "delete"}]}},
            [{"name": "b", "image": "1"}],
            id="deletes by directive",
        ),
        pytest.param(
            {"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}},
            [{"name": "b", "image": "1"}, {"name": "a", "image": "1"}],
            id="orders",
        ),
        pytest.param(
            {"spec": {"containers": [{"$patch": "replace"}, {"name": "c"}]}}, [{"name": "c"}], id="replaces"
        ),
    ],
)
def test_a_strategic_merge_knows_its_lists(patch: dict[str, Any], wanted: list[Any]) -> None:
    """Containers are told apart by name, as the type says."""
    assert strategic_patch("Pod", TWO, patch)["spec"]["containers"] == wanted


def test_retained_keys_drop_the_others() -> None:
    """A strategy of another type leaves nothing of the old one."""
    target = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}

    assert strategic_patch("Deployment", target, patch)["spec"]["strategy"] == {"type": "Recreate"}


def test_a_merge_patch_deletes_by_null() -> None:
    """RFC 7386."""
    assert merge_patch({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}}) == {"b": {"c": 2, "d": 3}}


@pytest.mark.parametrize(
    ("operations", "wanted"),
    [
        pytest.param([{"op": "add", "path": "/a/-", "value": 3}], {"a": [1, 2, 3]}, id="append"),
        pytest.param([{"op": "remove", "path": "/a/0"}], {"a": [2]}, id="remove"),
        pytest.param([{"op": "replace", "path": "/a", "value": 0}], {"a": 0}, id="replace"),
        pytest.param([{"op": "move", "from": "/a", "path": "/b~1c"}], {"b/c": [1, 2]}, id="move, escaped"),
    ],
)
def test_a_json_patch(operations: list[Any], wanted: dict[str, Any]) -> None:
    """RFC 6902."""
    assert json_patch({"a": [1, 2]}, operations) == wanted


def test_a_json_patch_that_does_not_fit_is_refused() -> None:
    """A test that fails, or a path that is not there, is a 422."""
    with pytest.raises(ApiError) as refused:
        json_patch({"a": 1}, [{"op": "test", "path": "/a", "value": 2}])

    assert refused.value.code == 422


def applied(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", **deployment(**spec)}


def apply(api: Any, body: dict[str, Any], *, manager: str = "me", force: bool = False) -> dict[str, Any]:
    writing = Writing(manager=manager, force=force)
    found: dict[str, Any] = api.patch("Deployment", NAMESPACE, "web", body, how="apply", writing=writing)
    return found


def test_the_same_apply_twice_changes_nothing() -> None:
    """The version stays, so that an install can say that it changed nothing."""
    api = new_api()

    assert apply(api, applied()) is apply(api, applied())


def test_apply_takes_out_what_it_no_longer_says() -> None:
    """A field that only this manager owned goes, with the default in its place where there is one."""
    api = new_api()
    apply(api, applied(replicas=2, minReadySeconds=3))
    found = apply(api, applied(replicas=2))

    assert "minReadySeconds" not in found["spec"]


def test_apply_keeps_what_others_own() -> None:
    """What was set by somebody else stays where the configuration is silent."""
    api = new_api()
    body = applied()
    del body["spec"]["replicas"]
    apply(api, body)
    api.patch("Deployment", NAMESPACE, "web", {"spec": {"replicas": 7}}, writing=Writing(manager="kubectl"))

    assert apply(api, body)["spec"]["replicas"] == 7


def test_a_conflict_names_manager_and_field() -> None:
    """Without force nobody takes a field from somebody else; with it the field changes hands."""
    api = new_api()
    apply(api, applied())
    api.patch("Deployment", NAMESPACE, "web", {"spec": {"replicas": 7}}, writing=Writing(manager="kubectl"))
    with pytest.raises(ApiError, match=r'conflict with "kubectl".*: \.spec\.replicas') as refused:
        apply(api, applied())

    assert refused.value.code == 409
    assert apply(api, applied(), force=True)["spec"]["replicas"] == 4


def test_a_port_without_a_protocol_is_the_same_port() -> None:
    """The key of a list is completed by its default before it is compared."""
    api = new_api()
    apply(api, applied())
    ports = apply(api, applied(paused=True))["spec"]["template"]["spec"]["containers"][0]["ports"]

    assert ports == [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]
