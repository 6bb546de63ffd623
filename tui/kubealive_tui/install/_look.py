"""A short-lived pod that asks every node whether anything answers at a port.

Only the cluster's inside reaches its nodes, and at this moment no agent may be there yet. The pod runs the image
that is installed anyway, needs no right to the API, and is deleted whatever comes of it. It ends with 0 where
nothing answers, and with 9 where something does: then its last words are the names of those nodes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._api import Api, Clock, find, items
from ._errors import ApiError
from ._kinds import KINDS, PART_OF_LABEL, PODS, PRODUCT
from ._manifests import Manifest
from ._troubles import Cause, pod_troubles

POD_NAME = "kubealive-look-"
# A cold node pulls the image in this time; with the image at hand the pod takes two seconds.
LOOK_SECONDS = 60.0
_POLL_SECONDS = 0.5
_ANSWERS = 9
# A node that drops packets instead of refusing them is asked for this long; all are asked at once.
_SCRIPT = """\
import socket, sys
from concurrent.futures import ThreadPoolExecutor
def answers(place):
    name, host, port = place.split("=")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except OSError:
        return ""
    return name
with ThreadPoolExecutor(16) as pool:
    found = [name for name in pool.map(answers, sys.argv[1:]) if name]
print(*found)
sys.exit(9 if found else 0)
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What came of it: how many nodes were `asked`, on which something answers; or why that is not known."""

    asked: int = 0
    taken: tuple[str, ...] = ()
    unknown: str = ""

    @property
    def free(self) -> bool:
        """Whether it is known that nothing answers anywhere."""
        return not self.taken and not self.unknown


async def look(api: Api, manifest: Manifest, port: int, *, clock: Clock) -> Look:
    """Ask every node at `port`, with the image of `manifest`, for at most a minute."""
    try:
        nodes = _addresses(await items(api, KINDS["Node"].path("")))
        if not nodes:
            return Look(unknown="the cluster tells no node's address")
        collection = PODS.path(manifest.namespace)
        made = await api.request("POST", collection, body=_pod(manifest, nodes, port))
        path = f"{collection}/{made['metadata']['name']}"
        try:
            return await _outcome(api, path, asked=len(nodes), clock=clock)
        finally:
            await _delete(api, path)
    except ApiError as error:
        if error.status == 0:
            raise
        return Look(unknown=error.message)


def _addresses(nodes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {
        node["metadata"]["name"]: address["address"]
        for node in nodes
        for address in node.get("status", {}).get("addresses") or ()
        if address["type"] == "InternalIP"
    }


def _pod(manifest: Manifest, nodes: Mapping[str, str], port: int) -> dict[str, Any]:
    template = manifest.body["spec"]["template"]["spec"]
    (container, *_) = template["containers"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": POD_NAME, "labels": {PART_OF_LABEL: PRODUCT}},
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": int(LOOK_SECONDS),
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": template["securityContext"],
            "containers": [
                {
                    "name": "look",
                    "image": container["image"],
                    "imagePullPolicy": container["imagePullPolicy"],
                    "command": ["python3", "-S", "-s", "-P", "-c", _SCRIPT],
                    "args": [f"{name}={host}={port}" for name, host in sorted(nodes.items())],
                    # Its last words are its log's end: nothing has to be written anywhere.
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
                    "securityContext": container["securityContext"],
                }
            ],
        },
    }


async def _outcome(api: Api, path: str, *, asked: int, clock: Clock) -> Look:
    deadline = clock.monotonic() + LOOK_SECONDS
    while True:
        pod = await find(api, path)
        if pod is None:
            return Look(unknown="the pod that asks them was deleted by somebody")
        if (ended := _ended(pod)) is not None:
            return _read(ended, asked)
        troubles = [each for each in pod_troubles(pod) if each.cause is not Cause.NOT_READY]
        if clock.monotonic() >= deadline or any(each.lasting for each in troubles):
            why = troubles[0].text if troubles else f"it did not end within {LOOK_SECONDS:.0f} s"
            return Look(unknown=f"the pod that asks them does not run: {why}")
        await clock.sleep(_POLL_SECONDS)


def _ended(pod: Mapping[str, Any]) -> dict[str, Any] | None:
    for status in pod.get("status", {}).get("containerStatuses") or ():
        ended: dict[str, Any] | None = status.get("state", {}).get("terminated")
        return ended
    return None


def _read(ended: Mapping[str, Any], asked: int) -> Look:
    code, words = ended.get("exitCode"), str(ended.get("message", "")).split()
    if code == 0:
        return Look(asked)
    if code == _ANSWERS:
        return Look(asked, tuple(words) or ("some node",))
    said = f": {' '.join(words[-20:])}" if words else ""
    return Look(unknown=f"the pod that asks them ended with exit code {code}{said}")


async def _delete(api: Api, path: str) -> None:
    try:
        await api.request("DELETE", path, body={"gracePeriodSeconds": 0})
    except ApiError as error:
        if not error.missing:
            raise
