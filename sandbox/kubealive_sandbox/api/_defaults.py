"""What the API server fills in where an object says nothing; the schema does not know it, so it stands here."""

import base64
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["default"]

Object = dict[str, Any]
_MODE = 0o644
_SECONDS_UNREACHABLE = 300


def default(kind: str, obj: Object) -> None:
    """Fill in an object of that kind, in place."""
    fill = _KINDS.get(kind)
    if fill is not None:
        fill(obj)


def _fill(obj: Object, **values: Any) -> None:
    for name, value in values.items():
        if obj.get(name) is None:
            obj[name] = value


def _inner(obj: Object, name: str) -> Object:
    if obj.get(name) is None:
        obj[name] = {}
    found: Object = obj[name]
    return found


def _each(obj: Object, *names: str) -> Iterable[Object]:
    for name in names:
        yield from obj.get(name) or ()


def _pod_spec(spec: Object) -> None:
    _fill(
        spec, restartPolicy="Always", terminationGracePeriodSeconds=30, dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
    )  # fmt: skip
    if spec.get("serviceAccountName"):
        _fill(spec, serviceAccount=spec["serviceAccountName"])
    for container in _each(spec, "containers", "initContainers"):
        _container(container)
    for volume in _each(spec, "volumes"):
        _volume(volume)


def _container(container: Object) -> None:
    image = container.get("image", "").rpartition("/")[2]
    latest = ":" not in image or image.endswith(":latest")
    _fill(
        container, terminationMessagePath="/dev/termination-log", terminationMessagePolicy="File", resources={},
        imagePullPolicy="Always" if latest else "IfNotPresent",
    )  # fmt: skip
    for port in _each(container, "ports"):
        _fill(port, protocol="TCP")
    for variable in _each(container, "env"):
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference:
            _fill(reference, apiVersion="v1")
    resources = container["resources"]
    for name, amount in (resources.get("limits") or {}).items():
        _fill(_inner(resources, "requests"), **{name: amount})
    handlers = [container.get(f"{name}Probe") for name in ("liveness", "readiness", "startup")]
    for probe in filter(None, handlers):
        _fill(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    lifecycle = container.get("lifecycle") or {}
    for handler in filter(None, (*handlers, lifecycle.get("preStop"), lifecycle.get("postStart"))):
        if handler.get("httpGet"):
            _fill(handler["httpGet"], path="/", scheme="HTTP")


def _volume(volume: Object) -> None:
    sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
    for source in sources:
        for item in _each(source.get("downwardAPI") or {}, "items"):
            if item.get("fieldRef"):
                _fill(item["fieldRef"], apiVersion="v1")
    for name in ("secret", "configMap", "downwardAPI", "projected"):
        if volume.get(name):
            _fill(volume[name], defaultMode=_MODE)
    if set(volume) == {"name"}:
        volume["emptyDir"] = {}


def _pod(pod: Object) -> None:
    spec = pod["spec"]
    _pod_spec(spec)
    _fill(
        spec,
        enableServiceLinks=True,
        serviceAccountName="default",
        preemptionPolicy="PreemptLowerPriority",
        priority=0,
    )
    _fill(spec, serviceAccount=spec["serviceAccountName"])
    tolerations = spec.setdefault("tolerations", [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(
            each.get("key") in {key, None} and each.get("effect") in {"NoExecute", None} for each in tolerations
        ):
            tolerations.append(
                {
                    "key": key,
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": _SECONDS_UNREACHABLE,
                }
            )
    _fill(_inner(pod, "status"), phase="Pending", qosClass=_quality(spec))


def _quality(spec: Object) -> str:
    """The quality of service class, from what all containers ask for and are limited to."""
    resources = [each.get("resources") or {} for each in _each(spec, "containers", "initContainers")]
    if not any(each.get("requests") or each.get("limits") for each in resources):
        return "BestEffort"
    guaranteed = all(
        {"cpu", "memory"} <= set(each.get("limits") or {}) and each.get("requests") == each.get("limits")
        for each in resources
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _template(spec: Object) -> None:
    _pod_spec(_inner(_inner(spec, "template"), "spec"))


def _deployment(obj: Object) -> None:
    spec = obj["spec"]
    _fill(spec, replicas=1, strategy={}, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    _fill(spec["strategy"], type="RollingUpdate")
    if spec["strategy"]["type"] == "RollingUpdate":
        _fill(_inner(spec["strategy"], "rollingUpdate"), maxSurge="25%", maxUnavailable="25%")
    _template(spec)


def _replica_set(obj: Object) -> None:
    _fill(obj["spec"], replicas=1)
    _template(obj["spec"])
    _fill(_inner(obj, "status"), replicas=0)


def _stateful_set(obj: Object) -> None:
    spec = obj["spec"]
    _fill(spec, replicas=1, podManagementPolicy="OrderedReady", updateStrategy={}, revisionHistoryLimit=10)
    _fill(spec["updateStrategy"], type="RollingUpdate")
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        _fill(_inner(spec["updateStrategy"], "rollingUpdate"), partition=0)
    _fill(_inner(spec, "persistentVolumeClaimRetentionPolicy"), whenDeleted="Retain", whenScaled="Retain")
    for claim in _each(spec, "volumeClaimTemplates"):
        _fill(claim, apiVersion="v1", kind="PersistentVolumeClaim")
        _claim(claim)
    _template(spec)
    _fill(_inner(obj, "status"), replicas=0, availableReplicas=0)


def _daemon_set(obj: Object) -> None:
    spec = obj["spec"]
    _fill(spec, updateStrategy={}, revisionHistoryLimit=10)
    _fill(spec["updateStrategy"], type="RollingUpdate")
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        _fill(_inner(spec["updateStrategy"], "rollingUpdate"), maxSurge=0, maxUnavailable=1)
    _template(spec)
    counts = ("currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady")
    _fill(_inner(obj, "status"), **dict.fromkeys(counts, 0))


def _claim(obj: Object) -> None:
    _fill(_inner(obj, "spec"), volumeMode="Filesystem")
    _fill(_inner(obj, "status"), phase="Pending")


def _service(obj: Object) -> None:
    spec = obj["spec"]
    _fill(spec, type="ClusterIP", sessionAffinity="None")
    for port in _each(spec, "ports"):
        _fill(port, protocol="TCP")
        _fill(port, targetPort=port.get("port"))
    if spec["type"] != "ExternalName":
        _fill(spec, ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack", internalTrafficPolicy="Cluster")
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        _fill(spec, externalTrafficPolicy="Cluster")
    else:
        spec.pop("externalTrafficPolicy", None)
    if spec["sessionAffinity"] == "ClientIP":
        _fill(_inner(_inner(spec, "sessionAffinityConfig"), "clientIP"), timeoutSeconds=10800)
    _fill(_inner(obj, "status"), loadBalancer={})


def _autoscaler(obj: Object) -> None:
    spec = obj["spec"]
    _fill(spec, minReplicas=1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if behavior is not None:
        share = {"type": "Percent", "value": 100, "periodSeconds": 15}
        _fill(
            _inner(behavior, "scaleUp"), stabilizationWindowSeconds=0, selectPolicy="Max",
            policies=[{"type": "Pods", "value": 4, "periodSeconds": 15}, share],
        )  # fmt: skip
        _fill(_inner(behavior, "scaleDown"), selectPolicy="Max", policies=[dict(share)])
    _fill(_inner(obj, "status"), desiredReplicas=0, currentMetrics=None)


def _secret(obj: Object) -> None:
    _fill(obj, type="Opaque")
    for name, text in (obj.pop("stringData", None) or {}).items():
        _inner(obj, "data")[name] = base64.b64encode(text.encode()).decode()


def _namespace(obj: Object) -> None:
    _fill(_inner(obj, "spec"), finalizers=["kubernetes"])
    _fill(_inner(obj, "status"), phase="Active")
    _inner(obj["metadata"], "labels")["kubernetes.io/metadata.name"] = obj["metadata"]["name"]


def _binding(obj: Object) -> None:
    _fill(obj["roleRef"], apiGroup="rbac.authorization.k8s.io")
    for subject in _each(obj, "subjects"):
        if subject.get("kind") in {"User", "Group"}:
            _fill(subject, apiGroup="rbac.authorization.k8s.io")


def _policy(obj: Object) -> None:
    _fill(_inner(obj, "spec"), policyTypes=["Ingress"])
    for rule in (*_each(obj["spec"], "ingress"), *_each(obj["spec"], "egress")):
        for port in _each(rule, "ports"):
            _fill(port, protocol="TCP")


_KINDS: dict[str, Callable[[Object], None]] = {
    "Pod": _pod,
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "PersistentVolumeClaim": _claim,
    "Service": _service,
    "HorizontalPodAutoscaler": _autoscaler,
    "Secret": _secret,
    "Namespace": _namespace,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "NetworkPolicy": _policy,
}
