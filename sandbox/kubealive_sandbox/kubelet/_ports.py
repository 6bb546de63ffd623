"""Which port of a container a probe or a hook means, by its number or by its name."""

from typing import Any

from kubealive_sandbox.api import Object
from kubealive_sandbox.errors import SandboxError

__all__ = ["PortError", "port_of"]

_LAST = 65535


class PortError(SandboxError):
    """A port that is none of the container's, in the kubelet's words."""


def port_of(container: Object, port: Any) -> int:
    """The number of a port. Raises PortError; a name that the container has not may still be a number."""
    named = {each["name"]: each["containerPort"] for each in container.get("ports") or () if each.get("name")}
    found = named.get(port, port)
    try:
        number = int(found)
    except ValueError as exc:
        raise PortError(f'strconv.Atoi: parsing "{port}": invalid syntax') from exc
    if not 0 < number <= _LAST:
        raise PortError(f"invalid port number: {number}")
    return number
