"""`status`: what of an install is there, and whether it is as it should be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ._api import Api
from ._kinds import AGENT, WORKLOADS
from ._manifests import (
    Manifest,
    Wanted,
    check_experiments,
    check_namespace,
    experiments,
    render,
    workload_kinds,
)
from ._survey import survey
from ._troubles import Trouble, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Altered:
    """How a workload is not as `up` made it, by somebody's own doing: no trouble, but good to know."""

    ref: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The agent (name empty) or one experiment, with its workloads; none means that it is not installed."""

    name: str
    workloads: tuple[Workload, ...]
    troubles: tuple[Trouble, ...]
    altered: tuple[Altered, ...] = ()

    @property
    def installed(self) -> bool:
        """Whether anything of it runs or should."""
        return bool(self.workloads)

    @property
    def ready(self) -> bool:
        """Whether it is installed and each workload has its desired pods, ready; an agent has to have one."""
        enough = self.name or all(workload.desired for workload in self.workloads)
        return self.installed and bool(enough) and all(workload.settled for workload in self.workloads)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """An install as it is now."""

    namespace: str
    agent: Part
    experiments: tuple[Part, ...]
    asked: frozenset[str]

    @property
    def installed(self) -> bool:
        """Whether anything at all of an install is in the namespace."""
        return self.agent.installed or any(part.installed for part in self.experiments)

    @property
    def agent_version(self) -> str:
        """The tag of the agent's image, or empty where no agent is."""
        image = self.agent.workloads[0].image if self.agent.workloads else ""
        return image.rpartition(":")[2]

    @property
    def ready(self) -> bool:
        """Whether the agent and every experiment that is installed, or was asked for, is ready."""
        wanted = [part for part in self.experiments if part.installed or part.name in self.asked]
        return self.agent.ready and all(part.ready for part in wanted)


async def status(api: Api, *, namespace: str, names: Sequence[str] | None = None) -> Status:
    """Return what is installed of the experiments named, or with None of all that there are.

    Raises UsageError for a namespace or an experiment that cannot be, ApiError where the cluster could not be
    asked.
    """
    check_namespace(namespace)
    manifests = render(Wanted(namespace=namespace))
    seen = await survey(api, namespace, kinds=workload_kinds(manifests))
    sizes = _sizes(manifests)

    def part(name: str) -> Part:
        mine = [w for w in seen.workloads if w.experiment == name and (name or w.ref.endswith(f"/{AGENT}"))]
        troubles = [trouble for trouble in seen.troubles if trouble.experiment == name]
        altered = [Altered(ref=w.ref, words=words) for w in mine for words in _altered(w, sizes)]
        return Part(name=name, workloads=tuple(mine), troubles=tuple(troubles), altered=tuple(altered))

    others = sorted({w.experiment for w in seen.workloads} - {*experiments(), ""})
    known = [*experiments(), *others]
    chosen = known if names is None else list(names)
    check_experiments(chosen, known)
    return Status(
        namespace=namespace,
        agent=part(""),
        experiments=tuple(part(name) for name in chosen),
        asked=frozenset(names or ()),
    )


def _altered(workload: Workload, sizes: Mapping[str, int]) -> Iterator[str]:
    size = sizes.get(workload.ref, workload.desired)
    if size != workload.desired:
        yield f"scaled to {workload.desired}, installed with {size}"
    if workload.installed_image not in {"", workload.image}:
        yield f"image {workload.image}, installed with {workload.installed_image}"


def _sizes(manifests: Sequence[Manifest]) -> dict[str, int]:
    """How many pods `up` gives each workload, where neither an autoscaler nor the nodes decide that."""
    targets = [m.body["spec"]["scaleTargetRef"] for m in manifests if m.kind.name == "HorizontalPodAutoscaler"]
    scaled = {f"{target['kind'].lower()}/{target['name']}" for target in targets}
    return {
        m.ref: m.body["spec"]["replicas"]
        for m in manifests
        if m.kind in WORKLOADS and m.ref not in scaled and "replicas" in m.body["spec"]
    }
