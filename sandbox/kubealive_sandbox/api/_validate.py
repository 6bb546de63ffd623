"""What an object must be, beyond its types: the rules that a user of the laboratory can break.

Causes are (field, reason, message) in the words of the real API server, so that a client shows the same sentence.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kubealive_sandbox.api._quantity import amount
from kubealive_sandbox.api._selectors import matches
from kubealive_sandbox.api._store import Object

__all__ = ["Cause", "validate", "validate_update"]

Cause = tuple[str, str, str]

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_ANY_NAME = frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_METRICS = {
    "ContainerResource": "containerResource", "External": "external", "Object": "object", "Pods": "pods",
    "Resource": "resource",
}  # fmt: skip
_SELECT, _STEPS, _LONGEST_PERIOD_S = ("Disabled", "Max", "Min"), ("Percent", "Pods"), 1800
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")


def _required(field: str, detail: str = "") -> Cause:
    return field, "FieldValueRequired", f"Required value{f': {detail}' if detail else ''}"


def _invalid(field: str, value: Any, detail: str) -> Cause:
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return field, "FieldValueInvalid", f"Invalid value: {shown}: {detail}"


def _unsupported(field: str, value: str, known: tuple[str, ...]) -> Cause:
    listed = ", ".join(f'"{each}"' for each in known)
    return field, "FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {listed}'


def validate(kind: str, obj: Object) -> list[Cause]:
    """What is wrong with a new object."""
    causes = list(_name(kind, obj["metadata"]))
    rule = _KINDS.get(kind)
    if rule is not None:
        causes += rule(obj)
    return causes


def validate_update(kind: str, obj: Object, before: Object) -> list[Cause]:
    """What is wrong with a new version of an object."""
    causes = validate(kind, obj)
    for path in _IMMUTABLE.get(kind, ()):
        was, now = _at(before, path), _at(obj, path)
        if was is not None and was != now:
            causes.append((path, "FieldValueInvalid", f"Invalid value: {_go(now)}: field is immutable"))
    if kind == "Pod" and _frozen(before["spec"]) != _frozen(obj["spec"]):
        words = "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
        words += (
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
        )
        causes.append(
            ("spec", "FieldValueForbidden", words + "existing tolerations),`spec.terminationGracePeriodSeconds`")
        )
    if kind == "StatefulSet" and _fixed_set(before["spec"]) != _fixed_set(obj["spec"]):
        words = "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
        words += "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
        causes.append(("spec", "FieldValueForbidden", words + "'minReadySeconds' are forbidden"))
    return causes


def _at(obj: Object, path: str) -> Any:
    found: Any = obj
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _go(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _frozen(spec: Object) -> Object:
    """What of a pod's spec no update may change; the node is given by binding."""
    rest = {k: v for k, v in spec.items() if k not in {"tolerations", "activeDeadlineSeconds", "nodeName"}}
    return rest | {
        name: [{k: v for k, v in each.items() if k != "image"} for each in spec.get(name) or ()]
        for name in ("containers", "initContainers")
    }


def _fixed_set(spec: Object) -> Object:
    open_ = {"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "minReadySeconds"}
    return {k: v for k, v in spec.items() if k not in {*open_, "persistentVolumeClaimRetentionPolicy"}}


_IMMUTABLE = {
    "Deployment": ("spec.selector",),
    "ReplicaSet": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "Secret": ("type",),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
}


def _name(kind: str, meta: Object) -> Iterator[Cause]:
    name = meta.get("name", "")
    if not name:
        yield _required("metadata.name", "name or generateName is required")
    elif kind not in _ANY_NAME and (len(name) > 253 or not _SUBDOMAIN.fullmatch(name)):
        yield _invalid("metadata.name", name, _SUBDOMAIN_WORDS)
    elif kind in {"Service", "Namespace"} and (len(name) > 63 or not _LABEL.fullmatch(name)):
        yield _invalid("metadata.name", name, "must be no more than 63 characters, a lowercase RFC 1123 label")


def _pod_spec(spec: Object, path: str, *, claims: Iterable[str] = ()) -> Iterator[Cause]:
    if not spec.get("containers"):
        yield _required(f"{path}.containers")
    volumes = {*claims, *(each.get("name") for each in spec.get("volumes") or ())}
    for at, container in enumerate(spec.get("containers") or ()):
        place = f"{path}.containers[{at}]"
        if not container.get("name"):
            yield _required(f"{place}.name")
        if not container.get("image"):
            yield _required(f"{place}.image")
        if container.get("imagePullPolicy") not in _PULL_POLICIES:
            yield _unsupported(f"{place}.imagePullPolicy", str(container.get("imagePullPolicy")), _PULL_POLICIES)
        yield from _resources(container.get("resources") or {}, f"{place}.resources")
        for number, mount in enumerate(container.get("volumeMounts") or ()):
            if mount.get("name") not in volumes:
                field = f"{place}.volumeMounts[{number}].name"
                yield field, "FieldValueNotFound", f'Not found: "{mount.get("name")}"'


def _resources(resources: Object, path: str) -> Iterator[Cause]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for group, given in (("limits", limits), ("requests", requests)):
        for name, quantity in given.items():
            if amount(quantity) < 0:
                yield _invalid(f"{path}.{group}[{name}]", str(quantity), "must be greater than or equal to 0")
    for name, quantity in requests.items():
        if name in limits and amount(quantity) > amount(limits[name]):
            words = f"must be less than or equal to {name} limit of {limits[name]}"
            yield _invalid(f"{path}.requests", str(quantity), words)


def _pod(obj: Object) -> Iterator[Cause]:
    yield from _pod_spec(obj.get("spec") or {}, "spec")


def _workload(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    template, selector = spec.get("template") or {}, spec.get("selector")
    if selector is None or not (selector.get("matchLabels") or selector.get("matchExpressions")):
        yield _required("spec.selector")
    elif not matches(selector, template.get("metadata", {}).get("labels")):
        have = template.get("metadata", {}).get("labels") or {}
        shown = "{" + ",".join(f'"{key}":"{value}"' for key, value in sorted(have.items())) + "}"
        words = "`selector` does not match template `labels`"
        yield "spec.template.metadata.labels", "FieldValueInvalid", f"Invalid value: {shown}: {words}"
    if isinstance(spec.get("replicas"), int) and spec["replicas"] < 0:
        yield _invalid("spec.replicas", spec["replicas"], "must be greater than or equal to 0")
    claims = [each["metadata"]["name"] for each in spec.get("volumeClaimTemplates") or ()]
    yield from _pod_spec(template.get("spec") or {}, "spec.template.spec", claims=claims)
    policy = (template.get("spec") or {}).get("restartPolicy", "Always")
    if policy != "Always":
        yield _unsupported("spec.template.spec.restartPolicy", policy, ("Always",))
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    if (
        rolling
        and str(rolling.get("maxSurge")) in {"0", "0%"}
        and str(rolling.get("maxUnavailable")) in {"0", "0%"}
    ):
        words = "may not be 0 when `maxSurge` is 0"
        yield _invalid("spec.strategy.rollingUpdate.maxUnavailable", rolling["maxUnavailable"], words)


def _service(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    if spec.get("type") == "ExternalName":
        if not spec.get("externalName"):
            yield _required("spec.externalName")
    elif not spec.get("ports") and spec.get("clusterIP") != "None":
        yield _required("spec.ports")
    ports = spec.get("ports") or ()
    for at, port in enumerate(ports):
        if not isinstance(port.get("port"), int) or not 1 <= port["port"] <= 65535:
            yield _invalid(f"spec.ports[{at}].port", port.get("port", 0), "must be between 1 and 65535, inclusive")
        if len(ports) > 1 and not port.get("name"):
            yield _required(f"spec.ports[{at}].name")


def _autoscaler(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    reference = spec.get("scaleTargetRef") or {}
    for field in ("kind", "name"):
        if not reference.get(field):
            yield _required(f"spec.scaleTargetRef.{field}")
    if "/" not in reference.get("apiVersion", ""):
        words = "apiVersion must specify API group"
        yield _invalid("spec.scaleTargetRef.apiVersion", reference.get("apiVersion", ""), words)
    most, fewest = spec.get("maxReplicas") or 0, spec.get("minReplicas", 1)
    if fewest < 1:
        yield _invalid("spec.minReplicas", fewest, "must be greater than or equal to 1")
    if most < 1:
        yield _invalid("spec.maxReplicas", most, "must be greater than 0")
    elif most < fewest:
        yield _invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    for at, metric in enumerate(spec.get("metrics") or ()):
        yield from _metric(metric, f"spec.metrics[{at}]")
    for way, rules in (spec.get("behavior") or {}).items():
        yield from _scaling_rules(rules, f"spec.behavior.{way}")


def _metric(metric: Object, path: str) -> Iterator[Cause]:
    kind = metric.get("type", "")
    if kind not in _METRICS:
        if not kind:
            yield _required(f"{path}.type", "must specify a metric source type")
        yield _unsupported(f"{path}.type", kind, tuple(_METRICS))
    elif not metric.get(_METRICS[kind]):
        yield _required(f"{path}.{_METRICS[kind]}", "must populate information for the given metric source")
    elif kind == "Resource":
        yield from _resource_metric(metric["resource"], f"{path}.resource")


def _resource_metric(resource: Object, path: str) -> Iterator[Cause]:
    if not resource.get("name"):
        yield _required(f"{path}.name", "must specify a resource name")
    target, path = resource.get("target") or {}, f"{path}.target"
    share, average = target.get("averageUtilization"), target.get("averageValue")
    if not target.get("type"):
        yield _required(f"{path}.type", "must specify a metric target type")
    if target.get("type", "") not in {"Utilization", "Value", "AverageValue"}:
        words = "must be either Utilization, Value, or AverageValue"
        yield _invalid(f"{path}.type", target.get("type", ""), words)
    if share is not None and share < 1:
        yield _invalid(f"{path}.averageUtilization", share, "must be greater than 0")
    if average is not None and amount(average) <= 0:
        yield _invalid(f"{path}.averageValue", str(average), "must be positive")
    if share is None and average is None:
        words = "must set either a target raw value or a target utilization"
        yield _required(f"{path}.averageUtilization", words)
    elif share is not None and average is not None:
        words = "Forbidden: may not set both a target raw value and a target utilization"
        yield f"{path}.averageValue", "FieldValueForbidden", words


def _scaling_rules(rules: Object, path: str) -> Iterator[Cause]:
    window = rules.get("stabilizationWindowSeconds", 0)
    if window < 0:
        words = "must be greater than or equal to zero"
        yield _invalid(f"{path}.stabilizationWindowSeconds", window, words)
    if rules.get("selectPolicy", "Max") not in _SELECT:
        yield _unsupported(f"{path}.selectPolicy", rules["selectPolicy"], _SELECT)
    if not rules.get("policies"):
        yield _required(f"{path}.policies", "must specify at least one Policy")
    for at, policy in enumerate(rules.get("policies") or ()):
        own = f"{path}.policies[{at}]"
        if policy.get("type") not in _STEPS:
            yield _unsupported(f"{own}.type", policy.get("type", ""), _STEPS)
        for field in ("value", "periodSeconds"):
            if policy.get(field, 0) < 1:
                yield _invalid(f"{own}.{field}", policy.get(field, 0), "must be greater than zero")
        if policy.get("periodSeconds", 0) > _LONGEST_PERIOD_S:
            words = f"must be less than or equal to {_LONGEST_PERIOD_S}"
            yield _invalid(f"{own}.periodSeconds", policy["periodSeconds"], words)


def _claim(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    if not spec.get("accessModes"):
        yield _required("spec.accessModes", "at least 1 access mode is required")
    if not ((spec.get("resources") or {}).get("requests") or {}).get("storage"):
        yield _required("spec.resources[storage]")


_KINDS: dict[str, Callable[[Object], Iterator[Cause]]] = {
    "Pod": _pod,
    "Deployment": _workload,
    "ReplicaSet": _workload,
    "StatefulSet": _workload,
    "DaemonSet": _workload,
    "Service": _service,
    "HorizontalPodAutoscaler": _autoscaler,
    "PersistentVolumeClaim": _claim,
}
