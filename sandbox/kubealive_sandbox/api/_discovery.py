"""What the API says about itself: groups, resources, version, and as much OpenAPI as kubectl asks for."""

from typing import Any

from kubealive_sandbox.api._resources import RESOURCES, Resource
from kubealive_sandbox.api._store import Object

__all__ = ["KUBERNETES_VERSION", "discover"]

KUBERNETES_VERSION = "v1.34.4"
_METRICS = ("metrics.k8s.io", "v1beta1")
_REVIEWS = ("authorization.k8s.io", "v1")


def discover(path: str, accept: str) -> Object | None:
    """The answer to a path of discovery; None for what is none."""
    match path.strip("/").split("/"):
        case ["version"]:
            return _version()
        case ["api"]:
            return _aggregated(accept, [""]) or {
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [],
            }
        case ["apis"]:
            groups = [group for group in _groups() if group]
            return _aggregated(accept, groups) or {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": _plain(groups),
            }
        case ["api", "v1"]:
            return _resource_list("", "v1")
        case ["apis", group, version] if version in _groups().get(group, ()):
            return _resource_list(group, version)
        case ["apis", group] if group in _groups():
            return {"kind": "APIGroup", "apiVersion": "v1", **_plain([group])[0]}
        case ["openapi", "v3"]:
            return {
                "paths": {_home(g, v): {"serverRelativeURL": f"/openapi/v3/{_home(g, v)}"} for g, v in _versions()}
            }
        case ["openapi", "v3", *rest]:
            return _open_api("/".join(rest))
    return None


def _version() -> Object:
    major, minor = KUBERNETES_VERSION.removeprefix("v").split(".")[:2]
    return {"major": major, "minor": minor, "gitVersion": KUBERNETES_VERSION, "platform": "sandbox"}


def _home(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _groups() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for group, version in _versions():
        found.setdefault(group, []).append(version)
    return found


def _versions() -> list[tuple[str, str]]:
    return [*dict.fromkeys((each.group, each.version) for each in RESOURCES), ("policy", "v1"), _METRICS, _REVIEWS]


def _plain(groups: list[str]) -> list[Object]:
    listed = []
    for group in groups:
        versions = [{"groupVersion": f"{group}/{version}", "version": version} for version in _groups()[group]]
        listed.append({"name": group, "versions": versions, "preferredVersion": versions[0]})
    return listed


def _rows(group: str, version: str) -> list[tuple[str, Object]]:
    """Each resource and subresource of a version, with its entry in a plain list."""
    rows: list[tuple[str, Object]] = []
    for each in RESOURCES:
        if (each.group, each.version) == (group, version):
            rows.append((each.plural, _entry(each)))
            rows += [(f"{each.plural}/{name}", entry) for name, entry in _subresources(each)]
    if (group, version) == _METRICS:
        rows.append(("nodes", {"kind": "NodeMetrics", "namespaced": False, "verbs": ["get", "list"]}))
        rows.append(("pods", {"kind": "PodMetrics", "namespaced": True, "verbs": ["get", "list"]}))
    if (group, version) == _REVIEWS:
        for kind in ("SelfSubjectAccessReview", "SelfSubjectRulesReview"):
            rows.append((f"{kind.lower()}s", {"kind": kind, "namespaced": False, "verbs": ["create"]}))
    return rows


def _entry(each: Resource) -> Object:
    entry: Object = {"kind": each.kind, "namespaced": each.namespaced, "verbs": list(each.verbs)}
    entry |= {"shortNames": list(each.short)} if each.short else {}
    return entry | ({"categories": list(each.categories)} if each.categories else {})


def _subresources(each: Resource) -> list[tuple[str, Object]]:
    own = {"namespaced": each.namespaced, "verbs": ["get", "patch", "update"]}
    found: list[tuple[str, Object]] = []
    if each.status:
        found.append(("status", {"kind": each.kind, **own}))
    if each.scale:
        found.append(("scale", {"kind": "Scale", "group": "autoscaling", "version": "v1", **own}))
    if each.kind == "Pod":
        found.append(("log", {"kind": "Pod", "namespaced": True, "verbs": ["get"]}))
        found += [
            (name, {"kind": kind, "namespaced": True, "verbs": ["create", "get"]})
            for name, kind in (
                ("attach", "PodAttachOptions"),
                ("exec", "PodExecOptions"),
                ("portforward", "PodPortForwardOptions"),
            )
        ]
        found.append(
            (
                "eviction",
                {"kind": "Eviction", "group": "policy", "version": "v1", "namespaced": True, "verbs": ["create"]},
            )
        )
    return found


def _resource_list(group: str, version: str) -> Object:
    listed = [
        {"name": name, "singularName": entry["kind"].lower() if "/" not in name else "", **entry}
        for name, entry in _rows(group, version)
    ]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": listed,
    }


def _aggregated(accept: str, groups: list[str]) -> Object | None:
    """All groups at once, in the version of the format that the client reads; None where it reads neither."""
    if "as=APIGroupDiscoveryList" not in accept:
        return None
    version = "v2" if "v=v2;" in accept else "v2beta1"
    items: list[Object] = []
    for group in groups:
        versions = [
            {"version": each, "resources": _discovered(group, each), "freshness": "Current"}
            for each in _groups()[group]
        ]
        items.append({"metadata": {"name": group} if group else {}, "versions": versions})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }


def _discovered(group: str, version: str) -> list[Object]:
    found: dict[str, Object] = {}
    for name, entry in _rows(group, version):
        own, _, sub = name.partition("/")
        where = {
            "group": entry.get("group", group),
            "version": entry.get("version", version),
            "kind": entry["kind"],
        }
        if sub:
            row = {"subresource": sub, "responseKind": where, "verbs": entry["verbs"]}
            found[own].setdefault("subresources", []).append(row)
            continue
        found[own] = {
            "resource": own,
            "responseKind": where,
            "scope": "Namespaced" if entry["namespaced"] else "Cluster",
            "singularResource": entry["kind"].lower(),
            "verbs": entry["verbs"],
            **{key: entry[key] for key in ("shortNames", "categories") if key in entry},
        }
    return list(found.values())


def _open_api(home: str) -> Object | None:
    """A stub: kubectl asks only whether a kind takes the parameter that has fields checked on the server."""
    paths: dict[str, Any] = {}
    for each in RESOURCES:
        if _home(each.group, each.version) == home:
            kind = {"group": each.group, "version": each.version, "kind": each.kind}
            operation = {
                "x-kubernetes-group-version-kind": kind,
                "parameters": [{"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}],
                "responses": {},
            }
            paths[f"/{home}/{each.plural}/{{name}}"] = {"patch": operation}
    if not paths:
        return None
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": KUBERNETES_VERSION}, "paths": paths}
