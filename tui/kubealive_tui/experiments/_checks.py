"""What several checks demand and do on their way: pods that serve, a steady load, a run that is waited for."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from kubealive_tui.experiments._api import Drive, Experiment, Finding, Limit
from kubealive_tui.model import Act, Pod, Run, SetLoad, Target
from kubealive_tui.store import Store

__all__ = [
    "READY",
    "READY_WITHIN_S",
    "all_serving",
    "answered_by_its_own",
    "ended_run",
    "facts_of",
    "fresh",
    "serving",
    "steady_limit",
    "steady_load",
    "whole",
]

READY_WITHIN_S = 60.0
READY = Limit("pods ready", f"all, within {READY_WITHIN_S:.0f} s")


class Place(Protocol):
    """Something that outlives its pods and is called by a name: a node, a number of a set."""

    @property
    def name(self) -> str:
        """Its word in a finding."""

    @property
    def called(self) -> str:
        """The name under which its calls are told."""

    @property
    def uid(self) -> str:
        """UID of its pod of the moment; empty where it has none."""


# After so long at the usual rate, connections, proxies and the agent's own start are behind it.
STEADY_S = 2.0
STEADY_WITHIN_S = 15.0


def steady_limit(rate: float) -> Limit:
    """That a load of so many requests a second is answered for a while; see `steady_load`."""
    return Limit("steady load", f"{rate:g}/s within {STEADY_WITHIN_S:.0f} s")


def facts_of(runs: str) -> Limit:
    """That all facts of these runs came; `runs` names them in words."""
    return Limit(f"facts of {runs}", "none missing")


def whole(limit: Limit, *runs: Run | None) -> Finding:
    """What is missing of these runs, each reason once; a run that never was is another finding's affair."""
    missing = sorted({run.incomplete for run in runs if run} - {""})
    found = limit.found(", ".join(missing) or "complete", kept=not missing)
    return replace(found, blind=bool(missing))


def serving(store: Store, experiment: str) -> Sequence[Pod]:
    """Pods that are ready, are not on their way out, and that their Service sends requests to."""
    pods = store.pods_of(experiment)
    return [p for p in pods if p.ready and not p.deleting and (e := store.endpoint(p.uid)) and e.ready]


def all_serving(store: Store, experiment: str, name: str) -> Sequence[Pod] | None:
    """The pods of the workload of this name, once as many serve as are desired and there are no others."""
    workload, found = store.workload(experiment, name), serving(store, experiment)
    if workload is None or not found or not workload.desired == len(found) == len(store.pods(experiment)):
        return None
    return found


async def steady_load(drive: Drive, lab: Experiment) -> bool:
    """Start the experiment's load; whether it has been answered for a while within 15 s."""
    if lab.traffic is None:
        return False
    enough = STEADY_S * lab.traffic.rate
    target = Target(service=lab.traffic.service, path=lab.traffic.path)
    load_id = await drive.ask(SetLoad(lab.name, target, rate=lab.traffic.rate))

    def steady() -> bool | None:
        # The answer to the request is faster than the first bin: until then the sums are of the load before.
        traffic = drive.store.traffic(lab.name)
        return (traffic.load_id == load_id and traffic.ok >= enough) or None

    return bool(await drive.until("steady load", steady, within=STEADY_WITHIN_S))


async def ended_run(drive: Drive, lab: Experiment, action_id: str, *, within: float) -> Run | None:
    """The run that this action began, once it has ended; None where it has not within so many seconds."""
    runs = drive.store.runs(lab.name)

    def ended() -> Run | None:
        return next((run for run in runs.ended if run.action_id == action_id), None)

    return await drive.until("the run to end", ended, within=within)


async def fresh(drive: Drive, lab: Experiment, deletion: Act, *, within: float) -> Pod | None:
    """Delete a pod as `deletion` says and give the pod that serves in its place; None where none does in time.

    It waits until the deletion's own run has ended, so that what follows meets clients that have lost nothing for
    a while, and each of the two is measured for itself.
    """
    store = drive.store
    known = frozenset(store.pods(lab.name))
    action = await drive.ask(deletion)
    await ended_run(drive, lab, action, within=within)

    def look() -> Pod | None:
        return next((pod for pod in serving(store, lab.name) if pod.uid not in known), None)

    return await drive.until("a fresh pod that serves", look, within=within)


async def answered_by_its_own(
    drive: Drive, lab: Experiment, limit: Limit, places: Callable[[], Iterable[Place]], *, within: float
) -> Finding:
    """Whether whoever is called at each of these places is its pod; calls before this do not count."""
    began_us = drive.store.now_us

    def wrong() -> list[str]:
        calls = [(place, drive.store.answers(lab.name).call(place.called)) for place in places()]
        return [
            f"{place.name} by {(call and call.body.pod_name) or 'nobody'}"
            for place, call in calls
            if call is None or call.at_us < began_us or call.body.pod_uid != place.uid
        ]

    done = await drive.until("each to be answered by its own pod", lambda: not wrong() or None, within=within)
    return limit.found("each by its own" if done else ", ".join(wrong()), kept=bool(done))
