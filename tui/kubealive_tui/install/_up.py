"""`up` and `reset`: the manifests made true in the cluster, step by step."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from enum import StrEnum

from kubealive_tui.hints import up_command

from ._api import Api, Clock, SystemClock, find
from ._apply import apply, apply_cluster_wide, apply_namespace, ensure_fault_token, restart
from ._errors import NotReadyError, PreflightError
from ._host_ports import admitting, asked, openings
from ._kinds import AGENT, KINDS, WORKLOADS
from ._manifests import Manifest, Wanted, experiments, render, workload_kinds
from ._origin import from_origin, with_origin
from ._preflight import Preflight, preflight
from ._steps import Step, StepKind
from ._survey import survey
from ._volumes import with_volumes
from ._wait import READY_SECONDS, wait_ready


class Pods(StrEnum):
    """What `reset` does about the pods that run already."""

    KEEP = "keep"
    REPLACE = "replace"


async def up(
    api: Api, wanted: Wanted, *, clock: Clock | None = None, seconds: float = READY_SECONDS
) -> AsyncIterator[Step]:
    """Install or update the agent and the experiments wanted, and wait at most `seconds` until all is ready.

    It can be repeated: what is as wanted already is left alone. Raises UsageError for a name that is none,
    PreflightError before anything was changed, InstallError with the object that was refused, NotReadyError.
    """
    clock = clock or SystemClock()
    manifests = render(wanted)
    found = await preflight(api, manifests, namespace=wanted.namespace)
    yield Step(kind=StepKind.CHECKED, subject="cluster", text=f"Kubernetes {found.version}, rights suffice")
    async for step in _install(api, manifests, found, wanted, clock=clock, seconds=seconds):
        yield step


async def reset(
    api: Api,
    wanted: Wanted,
    *,
    pods: Pods = Pods.KEEP,
    clock: Clock | None = None,
    seconds: float = READY_SECONDS,
) -> AsyncIterator[Step]:
    """Put the objects of the experiments back as `up` made them: replica counts, images, probes, everything.

    With None named these are all that are installed; the agent is put back in any case, with the registry and tag
    that `up` gave it. Running pods stay, and with them a fault that lives in a program's memory, since replacing
    pods would cut the measured traffic of whoever is looking. Pods.REPLACE replaces them by a rolling restart,
    which cures all.
    """
    clock = clock or SystemClock()
    wanted = await _as_installed(api, wanted)
    manifests = render(wanted)
    found = await preflight(api, manifests, namespace=wanted.namespace)
    async for step in _install(api, manifests, found, wanted, clock=clock, seconds=seconds, pods=pods):
        yield step


async def _install(
    api: Api,
    manifests: Sequence[Manifest],
    found: Preflight,
    wanted: Wanted,
    *,
    clock: Clock,
    seconds: float,
    pods: Pods = Pods.KEEP,
) -> AsyncIterator[Step]:
    """Fit the manifests to the cluster, apply them, wait; what must not be made is left out, and fails the end."""
    manifests, told = await with_volumes(api, manifests, found.existing)
    manifests, opened = openings(manifests, found.existing, wanted=wanted.host_port)
    manifests = [with_origin(m) for m in await admitting(api, manifests, found.namespace)]
    for step in told:
        yield step
    new = [each.manifest for each in opened]
    async for step in _apply_all(api, [m for m in manifests if m not in new], found, clock):
        yield step
    left: list[Step] = []
    for each in opened:
        step = await asked(api, each, clock)
        yield step
        if step.kind is StepKind.TROUBLE:
            left.append(step)
        else:
            yield await apply(api, each.manifest, found.existing.get(each.manifest.path))
    made = [m for m in manifests if m.ref not in {step.subject for step in left}]
    if pods is Pods.REPLACE:
        for manifest in made:
            if manifest.kind in WORKLOADS and manifest.experiment:
                yield await restart(api, manifest, why="its pods are replaced, one by one", now=clock.now())
    async for step in wait_ready(api, made, clock=clock, seconds=seconds):
        yield step
    if left:
        raise NotReadyError("; ".join(f"{step.subject} is {step.text}" for step in left))


async def _apply_all(
    api: Api, manifests: Sequence[Manifest], found: Preflight, clock: Clock
) -> AsyncIterator[Step]:
    token = StepKind.UNCHANGED
    for manifest in manifests:
        existing = found.existing.get(manifest.path)
        if manifest.kind.name == "Namespace":
            yield await apply_namespace(api, manifest, found.namespace)
            step = await ensure_fault_token(api, manifest.namespace)
            token = step.kind
            yield step
        elif not manifest.kind.namespaced:
            yield await apply_cluster_wide(api, manifest)
        else:
            yield await apply(api, manifest, existing)
    if token is StepKind.CREATED:
        for manifest in manifests:
            if manifest.kind in WORKLOADS and manifest.path in found.existing:
                why = "its pods are replaced, since they started without the fault token"
                yield await restart(api, manifest, why=why, now=clock.now())


async def _as_installed(api: Api, wanted: Wanted) -> Wanted:
    agent = await find(api, KINDS["Deployment"].path(wanted.namespace, AGENT))
    if agent is None:
        raise PreflightError(
            f"kubealive is not installed in namespace {wanted.namespace}: "
            f"install it with `{up_command(namespace=wanted.namespace)}`"
        )
    wanted = from_origin(wanted, agent)
    if wanted.experiments is not None:
        return wanted
    seen = await survey(api, wanted.namespace, kinds=workload_kinds(render(wanted)))
    installed = {workload.experiment for workload in seen.workloads}
    return replace(wanted, experiments=tuple(name for name in experiments() if name in installed))
