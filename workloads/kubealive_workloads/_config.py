"""What a program is told by its environment, read and checked once at the start.

PORT (8080), FAULT_PORT (8081)           0 takes any free port, and the greeting on stderr names it
FAULT_TOKEN                              without it the fault port stays closed
DRAIN (on)                               off: a signal ends the process at once and resets its clients
PROBE_RECORD                             a file that keeps the probe record over restarts of the container
VERSION                                  wins over the one that the image was built with
POD_NAME, POD_UID, POD_NAMESPACE,
POD_IP, NODE_NAME                        the Downward API's; what is absent is answered as unknown
"""

from __future__ import annotations

import os
import socket

from kubealive_workloads._errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN = "unknown"
BROKEN_VERSION = "v-broken"
VERSION_FILE = f"{os.fspath(__file__).rpartition('/')[0]}/VERSION"

# A route towards it gives the address of the interface that leads out; no packet is ever sent (RFC 5737).
_ANYWHERE = ("192.0.2.1", 9)


class Identity:
    """Who answers: the Downward API's values, None for each that is not known."""

    __slots__ = ("ip", "namespace", "node", "pod", "uid", "version")

    def __init__(
        self,
        *,
        pod: str | None = None,
        uid: str | None = None,
        namespace: str | None = None,
        node: str | None = None,
        ip: str | None = None,
        version: str | None = None,
    ) -> None:
        self.pod = pod
        self.uid = uid
        self.namespace = namespace
        self.node = node
        self.ip = ip
        self.version = version

    def as_json(self) -> dict[str, str | None]:
        """Give the values as they go into a JSON body."""
        return {name: getattr(self, name) for name in ("pod", "uid", "namespace", "node", "ip", "version")}

    def headers(self) -> bytes:
        """Give the header lines that every reply carries."""
        pairs = (
            ("X-Pod-Name", self.pod),
            ("X-Pod-Uid", self.uid),
            ("X-Node-Name", self.node),
            ("X-Version", self.version),
        )
        return "".join(f"{name}: {value or UNKNOWN}\r\n" for name, value in pairs).encode("ascii")


class Settings:
    """Everything a program needs to know to start."""

    __slots__ = ("drain", "fault_port", "fault_token", "identity", "missing", "port", "probe_record")

    def __init__(
        self,
        *,
        port: int,
        fault_port: int,
        fault_token: str | None,
        drain: bool,
        identity: Identity,
        missing: tuple[str, ...],
        probe_record: str | None = None,
    ) -> None:
        self.port = port
        self.fault_port = fault_port
        self.fault_token = fault_token
        self.drain = drain
        self.identity = identity
        self.missing = missing
        self.probe_record = probe_record


def read_settings(environ: Mapping[str, str], *, version_file: str = VERSION_FILE) -> Settings:
    """Read the environment.

    An empty variable counts as absent. `missing` names the variables whose value is not known and could not
    be found otherwise.

    Raises:
        ConfigError: a variable has a value that is not allowed.
    """
    identity = Identity(
        pod=_header_value(environ, "POD_NAME"),
        uid=_header_value(environ, "POD_UID"),
        namespace=_header_value(environ, "POD_NAMESPACE"),
        node=_header_value(environ, "NODE_NAME"),
        ip=_header_value(environ, "POD_IP") or _own_address(),
        version=_header_value(environ, "VERSION") or _baked_version(version_file),
    )
    named = {
        "POD_NAME": identity.pod,
        "POD_UID": identity.uid,
        "POD_NAMESPACE": identity.namespace,
        "NODE_NAME": identity.node,
        "POD_IP": identity.ip,
        "VERSION": identity.version,
    }
    port, fault_port = _port(environ, "PORT", default=8080), _port(environ, "FAULT_PORT", default=8081)
    token = _token(environ)
    if token and port and port == fault_port:
        raise ConfigError(f"PORT and FAULT_PORT are both {port}: give one of them another number")
    return Settings(
        port=port,
        fault_port=fault_port,
        fault_token=token,
        drain=_switch(environ, "DRAIN"),
        identity=identity,
        missing=tuple(name for name, value in named.items() if value is None),
        probe_record=environ.get("PROBE_RECORD") or None,
    )


def _port(environ: Mapping[str, str], name: str, *, default: int) -> int:
    text = environ.get(name) or str(default)
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535:
        return int(text)
    raise ConfigError(f"{name} is {text!r}: use a number from 1 to 65535, or 0 for any free port")


def _switch(environ: Mapping[str, str], name: str) -> bool:
    text = environ.get(name) or "on"
    if text in {"on", "off"}:
        return text == "on"
    raise ConfigError(f"{name} is {text!r}: use on or off")


def _header_value(environ: Mapping[str, str], name: str) -> str | None:
    text = environ.get(name) or None
    if text is None or (text.isascii() and text.isprintable() and text == text.strip()):
        return text
    raise ConfigError(
        f"{name} is {text!r}: use printable ASCII with no space at its ends, since it travels in a header"
    )


def _token(environ: Mapping[str, str]) -> str | None:
    token = environ.get("FAULT_TOKEN") or None
    if token is None or (token.isascii() and token.isprintable() and " " not in token):
        return token
    raise ConfigError(
        f"FAULT_TOKEN, {len(token)} characters (not shown), holds a space, a line end or a character"
        " beyond ASCII: use printable ASCII, since it travels in a header"
    )


def _baked_version(path: str) -> str | None:
    try:
        with open(path, encoding="ascii") as file:  # noqa: PTH123 - pathlib would cost 1 MB for one file
            return _header_value({"VERSION": file.read().strip()}, "VERSION")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} cannot be read ({exc}): set VERSION, or build the image again") from exc


def _own_address() -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ANYWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return None
