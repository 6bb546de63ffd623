"""Pod Security: what the label of a namespace forbids its pods, as far as the laboratory can break it."""

from collections.abc import Callable, Iterable, Iterator

from kubealive_sandbox.api import Api, ApiError, Object, Resource

__all__ = ["enforce_pod_security"]

_LABEL = "pod-security.kubernetes.io/enforce"


def enforce_pod_security(api: Api) -> None:
    """Have pods refused that their namespace's label forbids."""

    def admit(resource: Resource, new: Object, before: Object | None) -> Iterable[tuple[str, str, str]]:
        if resource.kind != "Pod" or before is not None:
            return ()
        meta = new["metadata"]
        namespace = api.find("Namespace", "", meta["namespace"])
        level = ((namespace or {"metadata": {}})["metadata"].get("labels") or {}).get(_LABEL, "privileged")
        violations = [] if level == "privileged" else list(_baseline(new["spec"]))
        if level == "restricted":
            violations += _restricted(new["spec"])
        if violations:
            words = f'violates PodSecurity "{level}:latest": {", ".join(violations)}'
            raise ApiError(
                403,
                "Forbidden",
                f'pods "{meta["name"]}" is forbidden: {words}',
                {"name": meta["name"], "kind": "pods"},
            )
        return ()

    api.admit.append(admit)


def _baseline(spec: Object) -> Iterator[str]:
    for container in spec["containers"]:
        ports = [str(port["hostPort"]) for port in container.get("ports") or () if port.get("hostPort")]
        if ports:
            plural = "s" if len(ports) > 1 else ""
            yield f'hostPort (container "{container["name"]}" uses hostPort{plural} {", ".join(ports)})'
        if (container.get("securityContext") or {}).get("privileged"):
            yield f'privileged (container "{container["name"]}" must not set securityContext.privileged=true)'
    if spec.get("hostNetwork"):
        yield "host namespaces (hostNetwork=true)"
    paths = [each["name"] for each in spec.get("volumes") or () if each.get("hostPath")]
    if paths:
        yield f'hostPath volumes (volume "{paths[0]}")'


def _restricted(spec: Object) -> Iterator[str]:
    pod = spec.get("securityContext") or {}
    named = [(each["name"], each.get("securityContext") or {}) for each in spec["containers"]]
    for rule, where, wanted, holds in _RULES:
        broken = [f'"{name}"' for name, own in named if not holds(own, pod)]
        if broken:
            plural = "s" if len(broken) > 1 else ""
            yield f"{rule} ({where}{plural} {', '.join(broken)} must set {wanted})"


def _profile(own: Object, pod: Object) -> bool:
    found = own.get("seccompProfile") or pod.get("seccompProfile") or {}
    return found.get("type") in {"RuntimeDefault", "Localhost"}


_RULES: tuple[tuple[str, str, str, Callable[[Object, Object], bool]], ...] = (
    (
        "allowPrivilegeEscalation != false", "container", "securityContext.allowPrivilegeEscalation=false",
        lambda own, _: own.get("allowPrivilegeEscalation") is False,
    ),
    (
        "unrestricted capabilities", "container", 'securityContext.capabilities.drop=["ALL"]',
        lambda own, _: "ALL" in ((own.get("capabilities") or {}).get("drop") or ()),
    ),
    (
        "runAsNonRoot != true", "pod or container", "securityContext.runAsNonRoot=true",
        lambda own, pod: own.get("runAsNonRoot", pod.get("runAsNonRoot")) is True,
    ),
    (
        "seccompProfile", "pod or container",
        'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"', _profile,
    ),
)  # fmt: skip
