"""One look at what an install's workloads and pods are doing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ._api import Api, each, items
from ._errors import ApiError
from ._kinds import KINDS, OURS, PODS, Kind
from ._nodes import lost_nodes
from ._troubles import (
    Trouble,
    Workload,
    event_troubles,
    is_ready,
    pod_troubles,
    refuses_in_events,
    workload,
    workload_troubles,
)


@dataclass(frozen=True, slots=True)
class Survey:
    """All workloads of an install, and everything that keeps one of them from being ready."""

    workloads: tuple[Workload, ...]
    troubles: tuple[Trouble, ...]


async def survey(api: Api, namespace: str, *, kinds: Sequence[Kind]) -> Survey:
    """Look at the workloads of these kinds and at the pods of an install, one list request a kind."""

    async def ask(kind: Kind) -> list[dict[str, Any]]:
        # Lists omit the kind of their items, by which the reading functions tell them apart.
        found = await items(api, kind.path(namespace), selector=OURS)
        return [{**body, "kind": kind.name, "apiVersion": kind.api_version} for body in found]

    *lists, pods = await each(ask, [*kinds, PODS])
    bodies = [body for found in lists for body in found]
    troubles = [trouble for body in bodies for trouble in workload_troubles(body)]
    troubles += await _refused(api, namespace, [body for body in bodies if refuses_in_events(body)])
    lost = await lost_nodes(api, [pod["spec"].get("nodeName", "") for pod in pods if not is_ready(pod)])
    troubles += [trouble for pod in pods for trouble in pod_troubles(pod, lost=lost)]
    return Survey(tuple(workload(body) for body in bodies), tuple(troubles))


async def _refused(api: Api, namespace: str, short: Sequence[dict[str, Any]]) -> list[Trouble]:
    """Why workloads that lack pods get none, where only an Event says so; nothing where one may not look."""
    if not short:
        return []
    try:
        events = await items(api, KINDS["Event"].path(namespace), fields="reason=FailedCreate")
    except ApiError as error:
        if error.forbidden:
            return []
        raise
    return [trouble for body in short for trouble in event_troubles(body, events)]
