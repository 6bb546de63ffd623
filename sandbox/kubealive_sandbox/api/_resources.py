"""The table of what is served: a kind is one row here, and its fields are in the schema."""

from dataclasses import dataclass

__all__ = ["BY_KIND", "RESOURCES", "Resource", "find"]

_ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as the API serves it. `status` says that status is written through an endpoint of its own."""

    kind: str
    plural: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    status: bool = False
    scale: bool = False
    verbs: tuple[str, ...] = _ALL

    @property
    def api_version(self) -> str:
        """Group and version as objects carry them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def key(self) -> tuple[str, str]:
        """What the store files it under."""
        return self.group, self.plural


_ALLS = ("all",)
_RBAC = "rbac.authorization.k8s.io"
RESOURCES = (
    Resource("Namespace", "namespaces", namespaced=False, short=("ns",), status=True),
    Resource("Node", "nodes", namespaced=False, short=("no",), status=True),
    Resource("Pod", "pods", short=("po",), categories=_ALLS, status=True),
    Resource("Service", "services", short=("svc",), categories=_ALLS, status=True),
    Resource("ConfigMap", "configmaps", short=("cm",)),
    Resource("Secret", "secrets"),
    Resource("ServiceAccount", "serviceaccounts", short=("sa",)),
    Resource("Event", "events", short=("ev",)),
    Resource("PersistentVolumeClaim", "persistentvolumeclaims", short=("pvc",), status=True),
    Resource("ResourceQuota", "resourcequotas", short=("quota",), status=True),
    Resource("PersistentVolume", "persistentvolumes", namespaced=False, short=("pv",), status=True),
    Resource("Deployment", "deployments", "apps", short=("deploy",), categories=_ALLS, status=True, scale=True),
    Resource("ReplicaSet", "replicasets", "apps", short=("rs",), categories=_ALLS, status=True, scale=True),
    Resource("StatefulSet", "statefulsets", "apps", short=("sts",), categories=_ALLS, status=True, scale=True),
    Resource("DaemonSet", "daemonsets", "apps", short=("ds",), categories=_ALLS, status=True),
    Resource("ControllerRevision", "controllerrevisions", "apps"),
    Resource(
        "HorizontalPodAutoscaler", "horizontalpodautoscalers", "autoscaling", "v2",
        short=("hpa",), categories=_ALLS, status=True,
    ),
    Resource("EndpointSlice", "endpointslices", "discovery.k8s.io"),
    Resource("Lease", "leases", "coordination.k8s.io"),
    Resource("NetworkPolicy", "networkpolicies", "networking.k8s.io", short=("netpol",)),
    Resource("Role", "roles", _RBAC),
    Resource("RoleBinding", "rolebindings", _RBAC),
    Resource("ClusterRole", "clusterroles", _RBAC, namespaced=False),
    Resource("ClusterRoleBinding", "clusterrolebindings", _RBAC, namespaced=False),
    # Written by the sandbox alone, which is why it needs no fields: `kubectl wait` asks whether all are served.
    Resource(
        "APIService", "apiservices", "apiregistration.k8s.io", namespaced=False, verbs=("get", "list", "watch"),
    ),
    Resource("StorageClass", "storageclasses", "storage.k8s.io", namespaced=False, short=("sc",)),
)  # fmt: skip
BY_KIND = {resource.kind: resource for resource in RESOURCES}
_BY_PATH = {(each.group, each.version, each.plural): each for each in RESOURCES}


def find(group: str, version: str, plural: str) -> Resource | None:
    """The resource at that place of the API."""
    return _BY_PATH.get((group, version, plural))
