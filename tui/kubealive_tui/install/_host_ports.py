"""Ports of the nodes that an experiment takes, and what they ask of the namespace.

A hostPort wins over whatever process of the node listens there, without a word. So each node is asked first, from
inside the cluster, and a port where anything answers is not taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubealive_tui.hints import up_command

from ._api import Api, Clock, items
from ._errors import ApiError
from ._kinds import KINDS, OURS
from ._look import look
from ._manifests import POLICY_LABEL, Manifest, host_ports, with_host_port, with_policy
from ._steps import Step, StepKind


@dataclass(frozen=True, slots=True)
class Opening:
    """A workload that would take ports of the nodes which it does not have yet."""

    manifest: Manifest
    port: int


def openings(
    manifests: Sequence[Manifest], existing: Mapping[str, Mapping[str, Any]], *, wanted: int | None
) -> tuple[tuple[Manifest, ...], tuple[Opening, ...]]:
    """Return the manifests with the ports of the nodes that they are to take, and those whose ports are new.

    With `wanted` None a workload keeps the port that it has; one that is new takes its file's.
    """
    chosen: list[Manifest] = []
    new: list[Opening] = []
    for manifest in manifests:
        ports = list(host_ports(manifest.body))
        if not ports:
            chosen.append(manifest)
            continue
        had = list(host_ports(existing.get(manifest.path, {})))
        port = wanted or next(iter(had), ports[0])
        chosen.append(with_host_port(manifest, port))
        if port not in had:
            new.append(Opening(chosen[-1], port))
    return tuple(chosen), tuple(new)


async def admitting(
    api: Api, manifests: Sequence[Manifest], home: Mapping[str, Any] | None
) -> tuple[Manifest, ...]:
    """Return the manifests with a namespace that goes on admitting what is installed there and not among them."""
    namespace = next((each for each in manifests if each.kind.name == "Namespace"), None)
    if namespace is None or not home or any(True for each in manifests for _ in host_ports(each.body)):
        return tuple(manifests)
    if not await _has_ports(api, namespace.namespace):
        return tuple(manifests)
    kept = (home.get("metadata", {}).get("labels") or {}).get(POLICY_LABEL, "")
    return tuple(with_policy(each, kept) if each is namespace and kept else each for each in manifests)


async def _has_ports(api: Api, namespace: str) -> bool:
    """Whether an installed DaemonSet of ours has ports of the nodes; taken for granted where one may not look."""
    try:
        found = await items(api, KINDS["DaemonSet"].path(namespace), selector=OURS)
    except ApiError as error:
        if error.forbidden:
            return True
        raise
    return any(True for each in found for _ in host_ports(each))


async def asked(api: Api, opening: Opening, clock: Clock) -> Step:
    """Ask every node at the port; CHECKED says that nothing answers, TROUBLE that the port is not to be taken."""
    manifest, port = opening.manifest, opening.port
    found = await look(api, manifest, port, clock=clock)
    if found.free:
        text = f"port {port} is free: nothing answers there on {found.asked} nodes"
        return Step(kind=StepKind.CHECKED, subject=manifest.ref, text=text)
    if found.unknown:
        text = f"left out, since whether port {port} of the nodes is free is not known: {found.unknown}"
        return Step(kind=StepKind.TROUBLE, subject=manifest.ref, text=text)
    text = f"left out, since something answers already at port {port} of {', '.join(found.taken)}"
    other = up_command(manifest.experiment, "--host-port PORT", namespace=manifest.namespace)
    return Step(kind=StepKind.TROUBLE, subject=manifest.ref, text=text, advice=f"`{other}` takes another port")
