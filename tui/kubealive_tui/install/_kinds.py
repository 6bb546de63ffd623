"""Where each kind of object lives in the Kubernetes API, and in which order kinds are applied.

A table instead of discovery: the manifests are ours, so their kinds are known, and each look-up saved is a
round trip on a slow line.
"""

from dataclasses import dataclass
from typing import Any

from ._errors import ManifestError

NAME_LABEL = "app.kubernetes.io/name"
PART_OF_LABEL = "app.kubernetes.io/part-of"
EXPERIMENT_LABEL = "kubealive.dev/experiment"
INSTALLED_IMAGE = "kubealive.dev/installed-image"
PRODUCT = "kubealive"
AGENT = "kubealive-agent"
OURS = f"{PART_OF_LABEL}={PRODUCT}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind as the API serves it; the order of KINDS is the order of applying."""

    name: str
    api_version: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group, empty for the core one."""
        return self.api_version.rpartition("/")[0]

    def path(self, namespace: str, name: str = "") -> str:
        """Return the path of one object, or of the collection where no name is given."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        scope = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{root}{scope}/{self.plural}" + (f"/{name}" if name else "")


_TABLE = (
    Kind("Namespace", "v1", "namespaces", namespaced=False),
    Kind("ServiceAccount", "v1", "serviceaccounts"),
    Kind("Role", "rbac.authorization.k8s.io/v1", "roles"),
    Kind("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings"),
    Kind("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", namespaced=False),
    Kind("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", namespaced=False),
    Kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies"),
    Kind("Secret", "v1", "secrets"),
    Kind("ConfigMap", "v1", "configmaps"),
    Kind("Service", "v1", "services"),
    Kind("Deployment", "apps/v1", "deployments"),
    Kind("StatefulSet", "apps/v1", "statefulsets"),
    Kind("DaemonSet", "apps/v1", "daemonsets"),
    Kind("HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers"),
    Kind("Pod", "v1", "pods"),
    Kind("Event", "v1", "events"),
    Kind("Node", "v1", "nodes", namespaced=False),
)
KINDS = {kind.name: kind for kind in _TABLE}
_PLACES = {kind.name: place for place, kind in enumerate(_TABLE)}
WORKLOADS = (KINDS["Deployment"], KINDS["StatefulSet"], KINDS["DaemonSet"])
PODS = KINDS["Pod"]


def kind_of(body: dict[str, Any]) -> Kind:
    """Return the kind of an object; a kind or version outside the table raises ManifestError."""
    name, version = body.get("kind"), body.get("apiVersion")
    kind = KINDS.get(str(name))
    if kind is None or kind.api_version != version:
        known = ", ".join(f"{k.name} ({k.api_version})" for k in _TABLE)
        raise ManifestError(f"a manifest holds a {name} of {version}; known are {known}")
    return kind


def place(kind: Kind) -> int:
    """Return the place of a kind in the order of applying; a kind of others comes last."""
    return _PLACES.get(kind.name, len(_PLACES))


def labels_of(body: dict[str, Any]) -> dict[str, str]:
    """Return an object's labels; none is an empty dict."""
    return body.get("metadata", {}).get("labels") or {}


def is_ours(body: dict[str, Any]) -> bool:
    """Whether the object carries the label of this product."""
    return labels_of(body).get(PART_OF_LABEL) == PRODUCT
