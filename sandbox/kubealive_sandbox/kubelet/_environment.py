"""The environment of a container: literals, Secrets and ConfigMaps, the Downward API, and `$(VAR)`."""

import base64
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubealive_sandbox.api import Api, Object, amount
from kubealive_sandbox.errors import SandboxError

__all__ = ["ConfigError", "environment", "expand", "field_value", "resource_value"]

_REFERENCE = re.compile(r"\$\$|\$\(([^)]+)\)")
_KEYED = re.compile(r"(metadata\.(?:labels|annotations))\['([^']+)'\]")


class ConfigError(SandboxError):
    """A container that cannot be configured, in the kubelet's words."""


def expand(text: str, known: Mapping[str, str]) -> str:
    """Replace `$(VAR)` by known variables; unknown ones stay as they are, `$$` is a dollar."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else known.get(match[1], match[0])

    return _REFERENCE.sub(value, text)


def environment(api: Api, pod: Object, container: Object, known: Mapping[str, str]) -> dict[str, str]:
    """The variables that a container declares, over those known already. Raises ConfigError."""
    found = dict(known)
    for source in container.get("envFrom") or ():
        found.update(_from_source(api, pod, source))
    for each in container.get("env") or ():
        if "valueFrom" in each:
            value = _from_reference(api, pod, container, each["valueFrom"])
            if value is not None:
                found[each["name"]] = value
        else:
            found[each["name"]] = expand(each.get("value", ""), found)
    return found


def _from_source(api: Api, pod: Object, source: Object) -> Iterator[tuple[str, str]]:
    prefix = source.get("prefix", "")
    for kind, name in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        if reference := source.get(kind):
            obj = _object(api, pod, name, reference)
            for key, value in contents(obj or {}).items():
                yield prefix + key, value.decode(errors="replace")


def _from_reference(api: Api, pod: Object, container: Object, source: Object) -> str | None:
    if reference := source.get("fieldRef"):
        return field_value(pod, reference["fieldPath"])
    if reference := source.get("resourceFieldRef"):
        return resource_value(container, reference)
    for kind, name in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        if reference := source.get(kind):
            obj = _object(api, pod, name, reference)
            value = contents(obj or {}).get(reference["key"])
            if value is None and not reference.get("optional"):
                home = f"{pod['metadata']['namespace']}/{reference['name']}"
                raise ConfigError(f"couldn't find key {reference['key']} in {name} {home}")
            return None if value is None else value.decode(errors="replace")
    return None


def _object(api: Api, pod: Object, kind: str, reference: Object) -> Object | None:
    name = reference.get("name", "")
    found = api.find(kind, pod["metadata"]["namespace"], name)
    if found is None and not reference.get("optional"):
        raise ConfigError(f'{kind.lower()} "{name}" not found')
    return found


def contents(obj: Object) -> dict[str, bytes]:
    """The data of a Secret or ConfigMap as bytes."""
    data: dict[str, Any] = obj.get("data") or {}
    if obj.get("kind") == "Secret":
        return {key: base64.b64decode(value) for key, value in data.items()}
    binary = {key: base64.b64decode(value) for key, value in (obj.get("binaryData") or {}).items()}
    return {key: value.encode() for key, value in data.items()} | binary


def field_value(pod: Object, path: str) -> str:
    """A field of a pod as the Downward API writes it; whole maps are lines of key="value"."""
    if match := _KEYED.fullmatch(path):
        home = "labels" if match[1].endswith("labels") else "annotations"
        return str((pod["metadata"].get(home) or {}).get(match[2], ""))
    if path in {"metadata.labels", "metadata.annotations"}:
        found = pod["metadata"].get(path.partition(".")[2]) or {}
        return "\n".join(f"{key}={_quoted(value)}" for key, value in sorted(found.items()))
    if path in {"status.podIPs", "status.hostIPs"}:
        return ",".join(each["ip"] for each in pod["status"].get(path.partition(".")[2]) or ())
    value: Any = pod
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return "" if value is None else str(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def resource_value(container: Object, reference: Object) -> str:
    """A request or limit, in units of the divisor, rounded up."""
    group, _, name = reference["resource"].partition(".")
    given = ((container.get("resources") or {}).get(group) or {}).get(name)
    divisor = amount(str(reference.get("divisor") or "1")) or 1.0
    if given is None:
        given = "0"
    return str(math.ceil(round(amount(given) / divisor, 6)))
