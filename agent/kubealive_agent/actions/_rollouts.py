"""Changes to what a Deployment rolls out: version, strategy and drain, pause, undo, restart.

Each is one patch. A rollout may change the tag of the image and never its repository, since the right to patch
Deployments would otherwise run any image. What was before is told with the action, because a run has to say what
the pods that left were made by.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import msgspec

from kubealive.v1.agent_pb2 import Refusal
from kubealive_agent._errors import RefusalError
from kubealive_agent.actions._drain import drain_of, drain_patch
from kubealive_agent.actions._requests import JSON_PATCH, STRATEGIC_PATCH
from kubealive_agent.actions._step import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubealive.v1.agent_pb2 import ActRequest, Rollout
    from kubealive.v1.state_pb2 import Workload
    from kubealive_agent.actions._objects import Objects
    from kubealive_agent.actions._requests import Requests
    from kubealive_agent.clock import Clock
    from kubealive_agent.world import Found, World

__all__ = ["Rollouts"]

_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""The annotation by which kubectl restarts, so that its history tells of ours too."""

_HASH_LABEL = "pod-template-hash"
"""Made by the Deployment controller for the ReplicaSet's own pods; it makes it anew."""


class Rollouts:
    """Makes the steps that change Deployments."""

    def __init__(self, objects: Objects, requests: Requests, *, world: World, clock: Clock) -> None:
        self._objects = objects
        self._requests = requests
        self._world = world
        self._clock = clock

    def rollout(self, target: Found, request: ActRequest) -> Step:
        """Change image, strategy and drain by one patch. Raises RefusalError where nothing would change."""
        asked, before = request.rollout, _workload(target)
        if asked.HasField("image"):
            _same_repository(target, asked.image)
        after = _after(before, asked)
        if after == _settings(before):
            raise _invalid(f"{target.name} is that already ({_words(after)}); choose another version or setting")
        return self._patch(target, _patch(before, asked), after | _before(before))

    def pause(self, target: Found, request: ActRequest) -> Step:
        """Hold the rollout, or let it go on. Raises RefusalError where it is so already."""
        paused, before = request.pause.paused, _workload(target)
        if paused == before.paused:
            raise _invalid(f"{target.name} is {'paused' if paused else 'not paused'} already")
        return self._patch(target, {"spec": {"paused": paused}}, {"paused": "true" if paused else "false"})

    def restart(self, target: Found, _request: ActRequest) -> Step:
        """Replace all pods by a template that differs in an annotation only."""
        before = _workload(target)
        _not_paused(target, "restarted")
        now = datetime.fromtimestamp(self._clock.now_us() / 1e6, UTC).isoformat()
        template = {"metadata": {"annotations": {_RESTARTED_AT: now}}}
        return self._patch(target, {"spec": {"template": template}}, _settings(before) | _before(before))

    def undo(self, target: Found, request: ActRequest) -> Step:
        """Roll out the template of an earlier revision again, whole, as it is when this is done.

        Raises RefusalError where there is no such revision, or it is the current one.
        """
        before = _workload(target)
        _not_paused(target, "undone")
        uid, chosen = self._revision(target, request.undo.revision)
        parameters = {
            "revision": str(chosen.revision),
            **_settings(before),
            "image": chosen.image,
            "drain": drain_of(chosen),
            **_before(before),
        }

        async def perform() -> None:
            found = await self._requests.get("replicasets", chosen.name)
            patch = [
                {"op": "replace", "path": "/metadata/uid", "value": target.uid},
                {"op": "replace", "path": "/spec/template", "value": _template(found, uid, chosen.name)},
            ]
            await self._requests.patch("deployments", target.name, patch, kind=JSON_PATCH)

        source = self._requests.path("replicasets", chosen.name)
        path = self._requests.path("deployments", target.name)
        words = f"GET {source}, then PATCH {path} with its template as /spec/template"
        return Step(words, perform, parameters)

    def _patch(self, target: Found, patch: Mapping[str, object], parameters: Mapping[str, str]) -> Step:
        return self._objects.patch(target, "deployments", patch, parameters, kind=STRATEGIC_PATCH)

    def _revision(self, target: Found, wanted: int) -> tuple[str, Workload]:
        """UID and ReplicaSet of the wanted revision; 0 is the newest one before the current."""
        there = {set_.revision: (uid, set_) for uid, set_ in self._world.replica_sets(target.uid).items()}
        # The Deployment's own number follows its newest ReplicaSet's by a moment.
        current = max([_workload(target).revision, *there])
        earlier = sorted(revision for revision in there if 0 < revision < current)
        if not earlier:
            raise _invalid(f"{target.name} has no earlier revision than {current}: change it first, then undo")
        if wanted and wanted not in earlier:
            is_current = " (that is the current one)" if wanted == current else ""
            listed = ", ".join(map(str, earlier))
            raise _invalid(f"{target.name} cannot go to revision {wanted}{is_current}; there are {listed}")
        return there[wanted or earlier[-1]]


class _Meta(msgspec.Struct):
    uid: str = ""


class _Spec(msgspec.Struct):
    template: dict[str, object] = {}


class _ReplicaSet(msgspec.Struct):
    """What is read of a ReplicaSet: who it is, and its template, whole."""

    metadata: _Meta
    spec: _Spec


def _template(body: bytes, uid: str, name: str) -> dict[str, object]:
    """The template of the ReplicaSet, without the hash that the controller gave it."""
    found = msgspec.json.decode(body, type=_ReplicaSet)
    if found.metadata.uid != uid:
        raise RefusalError(
            Refusal.REASON_GONE, f"ReplicaSet {name} was replaced meanwhile; choose a revision that is listed now"
        )
    template = found.spec.template
    metadata = template.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    if isinstance(labels, dict):
        labels.pop(_HASH_LABEL, None)
    return template


def _workload(target: Found) -> Workload:
    return cast("Workload", target.value)


def _same_repository(target: Found, image: str) -> None:
    """Refuse an image of another repository than the one that the Deployment runs."""
    ours, theirs = _repository(_workload(target).image), _repository(image)
    if ours != theirs:
        raise _invalid(f"image {image} is not of {target.name}'s repository {ours}: choose another tag of that")


def _repository(image: str) -> str:
    """The image's name without tag and digest; a port of the registry is no tag."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def _not_paused(target: Found, done: str) -> None:
    if _workload(target).paused:
        raise _invalid(f"{target.name} is paused and cannot be {done}: resume it first")


def _patch(before: Workload, asked: Rollout) -> dict[str, object]:
    """The spec's part of the patch: the strategy, and the template where it changes."""
    spec: dict[str, object] = {}
    if _has_strategy(asked):
        spec["strategy"] = _strategy(_after(before, asked))
    container: dict[str, object] = {"image": asked.image} if asked.HasField("image") else {}
    if asked.HasField("drain"):
        container |= drain_patch(on=asked.drain)
    if container:
        spec["template"] = {"spec": {"containers": [{"name": before.container, **container}]}}
    return {"spec": spec}


def _has_strategy(asked: Rollout) -> bool:
    return any(asked.HasField(name) for name in ("strategy", "max_surge", "max_unavailable"))


def _strategy(after: Mapping[str, str]) -> dict[str, object]:
    """The whole strategy, since Recreate stands alone and a rolling one has both numbers."""
    if after["strategy"] == "Recreate":
        return {"type": "Recreate", "rollingUpdate": None}
    numbers = {"maxSurge": _number(after["max_surge"]), "maxUnavailable": _number(after["max_unavailable"])}
    return {"type": "RollingUpdate", "rollingUpdate": numbers}


def _number(text: str) -> int | str:
    return int(text) if text.isdigit() else text


def _settings(workload: Workload) -> dict[str, str]:
    """What a Deployment rolls out, and how, in words."""
    return {
        "image": workload.image,
        "strategy": workload.strategy,
        "max_surge": workload.max_surge,
        "max_unavailable": workload.max_unavailable,
        "drain": drain_of(workload),
    }


# What the API makes of numbers that a rolling strategy leaves out.
_DEFAULT_SHARE = "25%"


def _after(before: Workload, asked: Rollout) -> dict[str, str]:
    """The settings once the patch is in."""
    settings = _settings(before)
    for name in ("image", "strategy", "max_surge", "max_unavailable"):
        if asked.HasField(name):
            settings[name] = getattr(asked, name)
    if asked.HasField("drain"):
        settings["drain"] = "on" if asked.drain else "off"
    numbers = ("max_surge", "max_unavailable")
    if settings["strategy"] == "Recreate":
        return settings | dict.fromkeys(numbers, "")
    return settings | {name: settings[name] or _DEFAULT_SHARE for name in numbers}


def _before(workload: Workload) -> dict[str, str]:
    """What the pods that leave were made by."""
    return {
        "from_image": workload.image,
        "from_drain": drain_of(workload),
        "from_revision": str(workload.revision),
        "replicas": str(workload.desired),
    }


def _words(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in settings.items() if value)


def _invalid(message: str) -> RefusalError:
    return RefusalError(Refusal.REASON_INVALID, message)
