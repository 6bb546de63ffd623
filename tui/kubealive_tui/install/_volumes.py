"""Where a StatefulSet keeps its data: on volumes of its own where the cluster makes them, else inside its pods.

Kubernetes lets nobody change that later, so it is decided before the set is created. A claim that no StorageClass
serves would wait for ever, and its pod with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kubealive_tui.hints import own_command, up_command

from ._api import Api, items
from ._errors import ApiError
from ._manifests import Manifest
from ._steps import Step, StepKind

_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_DEFAULT = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
# What a claim of the manifests asks for, so that a pod's own directory fills up as a volume would.
_SIZE = "16Mi"


async def with_volumes(
    api: Api, manifests: Sequence[Manifest], existing: Mapping[str, Mapping[str, Any]]
) -> tuple[tuple[Manifest, ...], tuple[Step, ...]]:
    """Return the manifests with the storage that this cluster has, and a step for each set that does without.

    A set that exists keeps what it was made with. Whoever may not list StorageClasses is taken to have a default
    one: nearly every cluster does, and a claim that waits says so.
    """
    sets = [each for each in manifests if _claims(each.body)]
    if not sets:
        return tuple(manifests), ()
    has_class = await _has_default_class(api)
    chosen: dict[str, Manifest] = {}
    steps: list[Step] = []
    for manifest in sets:
        there = existing.get(manifest.path)
        if has_class if there is None else _claims(there):
            continue
        chosen[manifest.path] = _in_its_pods(manifest)
        steps.append(_cost(manifest, has_class=has_class))
    return tuple(chosen.get(each.path, each) for each in manifests), tuple(steps)


def _claims(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    return body.get("spec", {}).get("volumeClaimTemplates") or []


async def _has_default_class(api: Api) -> bool:
    try:
        classes = await items(api, _CLASSES)
    except ApiError as error:
        if error.forbidden:
            return True
        raise
    annotations = (each["metadata"].get("annotations") or {} for each in classes)
    return any(given.get(name) == "true" for given in annotations for name in _DEFAULT)


def _in_its_pods(manifest: Manifest) -> Manifest:
    """The set with a directory of each pod in the place of each claim."""
    spec = dict(manifest.body["spec"])
    names = [claim["metadata"]["name"] for claim in spec.pop("volumeClaimTemplates")]
    pod = dict(spec["template"]["spec"])
    pod["volumes"] = [
        *pod.get("volumes", ()),
        *({"name": name, "emptyDir": {"sizeLimit": _SIZE}} for name in names),
    ]
    spec["template"] = {**spec["template"], "spec": pod}
    return replace(manifest, body={**manifest.body, "spec": spec})


def _cost(manifest: Manifest, *, has_class: bool) -> Step:
    again = (
        f"`{own_command('down', manifest.experiment, namespace=manifest.namespace)}` and "
        f"`{up_command(manifest.experiment, namespace=manifest.namespace)}` make it anew with volumes"
    )
    if has_class:
        why, advice = "was made with emptyDir and keeps it: what a pod stores goes with the pod", again
    else:
        why = "has no volumes, since this cluster has no default StorageClass: what a pod stores goes with the pod"
        advice = f"with a default StorageClass {again}"
    return Step(kind=StepKind.KEPT, subject=manifest.ref, text=why, advice=advice)
