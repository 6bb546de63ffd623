"""What the agent is told at its start: flags, each with an environment variable that gives its default."""

from __future__ import annotations

import argparse
import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from kubealive import __version__
from kubealive_agent._errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DOWNWARD", "Config", "Listen", "parse"]

SERVICE_ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

DOWNWARD = (
    "NODE_NAME", "NODE_IP", "POD_NAME", "POD_IP", "POD_NAMESPACE", "POD_UID", "SERVICE_ACCOUNT",
    "CPU_REQUEST", "CPU_LIMIT", "MEMORY_REQUEST", "MEMORY_LIMIT",
)  # fmt: skip
"""What the Downward API may tell a pod of ours, the same variables as in the experiment `downward`."""

_LEVELS = ("debug", "info", "warning", "error")


class Listen(NamedTuple):
    """An address to listen on."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration; every value in it can be used."""

    namespace: str
    grpc: Listen
    health: Listen
    fault_port: int
    fault_token: str
    fault_token_file: Path
    api: str
    log_level: str
    pod_name: str
    node_name: str
    downward: Mapping[str, str] = field(default_factory=dict)
    """What the Downward API told this pod, by variable; those that it did not are not in it."""


def parse(
    argv: Sequence[str],
    environ: Mapping[str, str] = os.environ,
    *,
    namespace_file: Path = SERVICE_ACCOUNT_NAMESPACE,
) -> Config:
    """The configuration that flags and environment give. Raises ConfigError with one sentence."""
    flags = _parser(environ).parse_args(argv)
    grpc = _listen("--grpc", flags.grpc)
    if not _is_loopback(grpc.host):
        raise ConfigError(
            f"--grpc {flags.grpc} is refused: whoever reaches the agent commands it, so it listens on loopback "
            "only and is reached by port-forward; choose 127.0.0.1:PORT or [::1]:PORT"
        )
    if flags.log_level not in _LEVELS:
        raise ConfigError(f"--log-level {flags.log_level!r} is not a level; choose one of {', '.join(_LEVELS)}")
    return Config(
        namespace=flags.namespace or _own_namespace(namespace_file),
        grpc=grpc,
        health=_listen("--health", flags.health),
        fault_port=_port("--fault-port", flags.fault_port),
        fault_token=environ.get("FAULT_TOKEN", "").strip(),
        fault_token_file=Path(flags.fault_token_file),
        api=flags.api,
        log_level=flags.log_level,
        pod_name=environ.get("POD_NAME", ""),
        node_name=environ.get("NODE_NAME", ""),
        downward={name: value for name in DOWNWARD if (value := environ.get(name))},
    )


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are this program's own errors."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see --help")


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="kubealive-agent",
        description="Sensors and actuators of kubealive inside the cluster. Each flag has an environment "
        "variable; FAULT_TOKEN, POD_NAME and NODE_NAME have no flag.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"kubealive-agent {__version__}")

    def flag(name: str, default: str, words: str) -> None:
        variable = "KUBEALIVE_" + name.removeprefix("--").replace("-", "_").upper()
        given = environ.get(variable) or default
        parser.add_argument(name, default=given, help=f"{words} [{variable}; default: {default or 'none'}]")

    flag("--namespace", "", "namespace that is watched and acted in; without it the pod's own")
    flag("--grpc", "127.0.0.1:50051", "loopback address of the service")
    flag("--health", "0.0.0.0:8080", "address that answers /livez and /readyz")
    flag("--fault-port", "8081", "port on which the workloads take faults")
    flag(
        "--fault-token-file",
        "/var/run/secrets/kubealive/faults/token",
        "file with the token for that port, read at each use; FAULT_TOKEN wins",
    )
    flag("--api", "", "URL of the API server; without it the one of the pod's service account")
    flag("--log-level", "info", f"one of {', '.join(_LEVELS)}")
    return parser


def _own_namespace(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError as exc:
        raise ConfigError(
            f"no namespace is given and {path} cannot be read ({exc.strerror}); name one with --namespace"
        ) from exc


def _listen(flag: str, value: str) -> Listen:
    host, _, port = value.rpartition(":")
    if not host:
        raise ConfigError(f"{flag} {value!r} is not HOST:PORT; an example is 127.0.0.1:8080")
    return Listen(host.removeprefix("[").removesuffix("]"), _port(flag, port))


def _port(flag: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or not int(value) <= 65535:
        raise ConfigError(f"{flag}: {value!r} is not a port; choose 0 to 65535, 0 for any that is free")
    return int(value)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
