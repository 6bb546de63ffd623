"""What several checks do on their way: pods that serve, load that has become steady, a run that is waited for."""

from collections.abc import Sequence

from kubealive_tui.experiments._api import Drive, Experiment
from kubealive_tui.model import Act, Pod, Run, SetLoad, Target
from kubealive_tui.store import Store

__all__ = ["all_serving", "ended_run", "fresh", "serving", "steady_load"]

# After so long at the usual rate, connections, proxies and the agent's own start are behind it.
STEADY_S = 2.0
STEADY_WITHIN_S = 15.0


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
