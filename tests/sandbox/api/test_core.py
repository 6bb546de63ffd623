"""What the API does with objects, and what it refuses, in the words of the real one."""

from collections.abc import Callable
from typing import Any

import pytest

from kubealive_sandbox.api import ApiError, Event, Writing
from tests.sandbox.objects import NAMESPACE, Clock, deployment, new_api, pod, service


def test_a_new_object_is_filled_in() -> None:
    """It gets a UID, a version, a generation and the defaults of its kind."""
    made = new_api().create("Deployment", deployment())

    assert made["metadata"]["generation"] == 1
    assert made["metadata"]["uid"]
    assert made["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": "25%"}
    assert made["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert "status" not in made


def test_only_the_spec_makes_a_generation() -> None:
    """A status and a label leave the generation as it is, a spec does not."""
    api = new_api()
    api.create("Deployment", deployment())
    api.patch("Deployment", NAMESPACE, "web", {"status": {"replicas": 3}}, sub="status")
    labelled = api.patch("Deployment", NAMESPACE, "web", {"metadata": {"labels": {"a": "b"}}})
    scaled = api.patch("Deployment", NAMESPACE, "web", {"spec": {"replicas": 2}})

    assert labelled["metadata"]["generation"] == 1
    assert scaled["metadata"]["generation"] == 2
    assert scaled["status"] == {"replicas": 3}


def test_spec_and_status_are_written_apart() -> None:
    """A status in a write of the object is ignored, and a spec in a write of the status."""
    api = new_api()
    api.create("Deployment", deployment())
    api.patch("Deployment", NAMESPACE, "web", {"status": {"replicas": 9}})
    found = api.patch("Deployment", NAMESPACE, "web", {"spec": {"replicas": 9}}, sub="status")

    assert (found["spec"]["replicas"], found.get("status", {})) == (4, {})


def test_a_write_that_changes_nothing_is_no_event() -> None:
    """The version stays, so that whoever watches hears nothing."""
    api = new_api()
    made = api.create("Deployment", deployment())
    again = api.patch("Deployment", NAMESPACE, "web", {"spec": {"replicas": 4}})

    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_a_dry_run_stores_nothing() -> None:
    """It answers as the write would, and leaves the store alone."""
    api = new_api()
    made = api.create("Deployment", deployment(), Writing(dry_run=True))

    assert made["spec"]["replicas"] == 4
    assert api.find("Deployment", NAMESPACE, "web") is None


def _unknown_namespace(api: Any) -> None:
    api.create("Pod", {**pod(), "metadata": {"name": "a", "namespace": "nowhere"}})


def _twice(api: Any) -> None:
    api.create("Deployment", deployment())
    api.create("Deployment", deployment())


def _old_version(api: Any) -> None:
    made = api.create("Deployment", deployment())
    api.patch("Deployment", NAMESPACE, "web", {"spec": {"replicas": 1}})
    api.update("Deployment", made)


def _other_uid(api: Any) -> None:
    api.create("Pod", pod())
    api.delete("Pod", NAMESPACE, "web-1", {"preconditions": {"uid": "other"}})


def _unknown_field(api: Any) -> None:
    api.create("Deployment", deployment(replcas=4), Writing(strict=True))


def _unknown_field_patched(api: Any) -> None:
    api.create("Deployment", deployment())
    api.patch("Deployment", NAMESPACE, "web", {"spec": {"replcas": 4}}, writing=Writing(strict=True))


def _wrong_type(api: Any) -> None:
    api.create("Deployment", deployment(replicas="four"))


def _wrong_kind(api: Any) -> None:
    api.create("Deployment", {**deployment(), "kind": "Pod"})


def _selector_of_others(api: Any) -> None:
    api.create("Deployment", deployment(selector={"matchLabels": {"app": "other"}}))


def _selector_changed(api: Any) -> None:
    api.create("Deployment", deployment())
    changed = {
        "spec": {"selector": {"matchLabels": {"tier": "x"}}, "template": {"metadata": {"labels": {"tier": "x"}}}}
    }
    api.patch("Deployment", NAMESPACE, "web", changed)


def _bad_name(api: Any) -> None:
    api.create("ConfigMap", {"metadata": {"name": "Not_a_name", "namespace": NAMESPACE}})


def _no_port(api: Any) -> None:
    api.create("Service", service(ports=[]))


def _asks(**resources: Any) -> Callable[[Any], None]:
    """Make a pod that asks for that."""
    wanted = pod()
    wanted["spec"]["containers"][0]["resources"] = resources
    return lambda api: api.create("Pod", wanted)


def _memory_patched(api: Any) -> None:
    api.create("ResourceQuota", {"metadata": {"name": "q", "namespace": NAMESPACE}, "spec": {}})
    api.patch("ResourceQuota", NAMESPACE, "q", {"spec": {"hard": {"memory": "1KK"}}})


@pytest.mark.parametrize(
    ("act", "code", "reason", "words"),
    [
        pytest.param(_unknown_namespace, 404, "NotFound", 'namespaces "nowhere" not found', id="no namespace"),
        pytest.param(_twice, 409, "AlreadyExists", 'deployments.apps "web" already exists', id="exists"),
        pytest.param(
            _old_version, 409, "Conflict", "the object has been modified; please apply", id="old version"
        ),
        pytest.param(
            _other_uid, 409, "Conflict", "UID in precondition: other, UID in object meta", id="other UID"
        ),
        pytest.param(
            _unknown_field, 400, "BadRequest", 'strict decoding error: unknown field "spec.replcas"', id="field"
        ),
        pytest.param(_unknown_field_patched, 422, "Invalid", 'unknown field "spec.replcas"', id="patched field"),
        pytest.param(
            _wrong_type, 400, "BadRequest", "json: cannot unmarshal string into Go struct field", id="wrong type"
        ),
        pytest.param(_wrong_kind, 400, "BadRequest", "does not match", id="wrong kind"),
        pytest.param(
            _selector_of_others, 422, "Invalid", "`selector` does not match template `labels`", id="selector"
        ),
        pytest.param(_selector_changed, 422, "Invalid", "field is immutable", id="immutable"),
        pytest.param(_bad_name, 422, "Invalid", "a lowercase RFC 1123 subdomain", id="name"),
        pytest.param(_no_port, 422, "Invalid", "spec.ports: Required value", id="required"),
        pytest.param(
            _asks(limits={"memory": "lots"}), 400, "BadRequest",
            'Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression',
            id="no quantity",
        ),
        pytest.param(_memory_patched, 422, "Invalid", "unable to parse quantity's suffix", id="patched quantity"),
        pytest.param(
            _asks(limits={"memory": "-1"}), 422, "Invalid",
            'spec.containers[0].resources.limits[memory]: Invalid value: "-1": must be greater than or equal to 0',
            id="less than nothing",
        ),
        pytest.param(
            _asks(limits={"cpu": "1"}, requests={"cpu": "2"}), 422, "Invalid",
            'resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
            id="more asked for than allowed",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(act: Any, code: int, reason: str, words: str) -> None:
    """Code, reason and words are those of the real API server."""
    with pytest.raises(ApiError) as refused:
        act(new_api())

    assert (refused.value.code, refused.value.reason) == (code, reason)
    assert words in refused.value.message


_TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
_HALF = {"type": "Utilization", "averageUtilization": 50}


def _by(**target: Any) -> dict[str, Any]:
    """An autoscaler's metrics with that target."""
    return {"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]}


def _up(**rules: Any) -> dict[str, Any]:
    return {"behavior": {"scaleUp": rules}}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        pytest.param({"scaleTargetRef": {}}, "spec.scaleTargetRef.kind: Required value", id="no kind"),
        pytest.param(
            {"scaleTargetRef": {**_TARGET, "apiVersion": "v1"}},
            'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group',
            id="no group",
        ),
        pytest.param(
            {"minReplicas": 0}, "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
            id="fewest",
        ),
        pytest.param(
            {"metrics": [{"type": "Bar"}]}, 'spec.metrics[0].type: Unsupported value: "Bar": supported values: '
            '"ContainerResource", "External", "Object", "Pods", "Resource"', id="kind of metric",
        ),
        pytest.param(
            {"metrics": [{"type": "Resource"}]},
            "spec.metrics[0].resource: Required value: must populate information for the given metric source",
            id="no source",
        ),
        pytest.param(
            {"metrics": [{"type": "Resource", "resource": {"target": _HALF}}]},
            "spec.metrics[0].resource.name: Required value: must specify a resource name", id="no resource",
        ),
        pytest.param(
            _by(type="Utilization", averageUtilization=0),
            "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0",
            id="target of nothing",
        ),
        pytest.param(
            _by(type="Utilization"), "spec.metrics[0].resource.target.averageUtilization: Required value: "
            "must set either a target raw value or a target utilization", id="no target",
        ),
        pytest.param(
            _by(type="Foo", averageUtilization=5), 'spec.metrics[0].resource.target.type: Invalid value: "Foo": '
            "must be either Utilization, Value, or AverageValue", id="kind of target",
        ),
        pytest.param(
            _by(type="AverageValue", averageValue="0"),
            'spec.metrics[0].resource.target.averageValue: Invalid value: "0": must be positive',
            id="value of nothing",
        ),
        pytest.param(
            _up(policies=[{"type": "Pods", "value": 4}]), "spec.behavior.scaleUp.policies[0].periodSeconds: "
            "Invalid value: 0: must be greater than zero", id="a rule without a time",
        ),
        pytest.param(
            _up(policies=[]), "spec.behavior.scaleUp.policies: Required value: must specify at least one Policy",
            id="no rule",
        ),
    ],
)  # fmt: skip
def test_an_autoscaler_that_cannot_work_is_refused(spec: dict[str, Any], words: str) -> None:
    """In the words of the real API server."""
    wanted = {"scaleTargetRef": _TARGET, "maxReplicas": 3, **_by(**_HALF), **spec}
    meta = {"name": "a", "namespace": NAMESPACE}
    with pytest.raises(ApiError) as refused:
        new_api().create("HorizontalPodAutoscaler", {"metadata": meta, "spec": wanted})

    assert refused.value.code == 422
    assert words in refused.value.message


def test_who_hears_of_changes_may_fail_alone() -> None:
    """The write goes through, and whoever else listens hears of it."""
    api = new_api()
    heard: list[str] = []

    def deaf(_: Event) -> None:
        raise KeyError

    api.store.subscribe(deaf)
    api.store.subscribe(lambda event: heard.append(event.object["metadata"]["name"]))
    api.create("Pod", pod())

    assert heard == ["web-1"]


def test_an_unknown_field_is_dropped_where_nobody_asks_for_strictness() -> None:
    """As with a real server without field validation, the write goes through."""
    assert new_api().create("Deployment", deployment(replcas=1))["spec"]["replicas"] == 4


@pytest.mark.parametrize(
    ("node", "options", "left"),
    [
        pytest.param("", {}, None, id="unscheduled: at once"),
        pytest.param("node-1", {}, 30, id="its own grace"),
        pytest.param("node-1", {"gracePeriodSeconds": 5}, 5, id="the grace asked for"),
        pytest.param("node-1", {"gracePeriodSeconds": 0}, None, id="by force: at once"),
    ],
)
def test_a_pod_leaves_with_grace(node: str, options: dict[str, Any], left: int | None) -> None:
    """One that a node runs is marked and stays until the node lets go; any other is gone."""
    api = new_api()
    api.create("Pod", pod(node=node))
    api.delete("Pod", NAMESPACE, "web-1", options)
    found = api.find("Pod", NAMESPACE, "web-1")

    assert (found and found["metadata"]["deletionGracePeriodSeconds"]) == left


def test_a_second_delete_only_shortens_the_grace() -> None:
    """A longer one changes nothing."""
    api = new_api()
    api.create("Pod", pod(node="node-1"))
    for grace in (5, 60, 2):
        api.delete("Pod", NAMESPACE, "web-1", {"gracePeriodSeconds": grace})
    found = api.find("Pod", NAMESPACE, "web-1")

    assert found is not None
    assert found["metadata"]["deletionGracePeriodSeconds"] == 2
    assert found["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:02Z"


def test_a_finalizer_keeps_an_object_until_it_is_taken_off() -> None:
    """The object is marked, and gone with its last finalizer."""
    api = new_api(Clock())
    api.create("ConfigMap", {"metadata": {"name": "c", "namespace": NAMESPACE, "finalizers": ["x/y"]}})
    api.delete("ConfigMap", NAMESPACE, "c")
    marked = api.find("ConfigMap", NAMESPACE, "c")
    api.patch("ConfigMap", NAMESPACE, "c", {"metadata": {"finalizers": None}})

    assert marked is not None
    assert marked["metadata"]["deletionTimestamp"]
    assert api.find("ConfigMap", NAMESPACE, "c") is None


def test_nothing_is_made_in_a_namespace_that_goes() -> None:
    """A 403 says why."""
    api = new_api()
    api.delete("Namespace", "", NAMESPACE)
    with pytest.raises(ApiError, match="because it is being terminated") as refused:
        api.create("Pod", pod())

    assert refused.value.code == 403
