"""What several checks do on their way: load that has become steady, and a run that is waited for."""

from kubealive_tui.experiments._api import Drive, Experiment
from kubealive_tui.model import Run, SetLoad, Target

__all__ = ["ended_run", "steady_load"]

# Two seconds of the usual rate: connections, proxies and the agent's own start are behind it.
STEADY = 200
STEADY_WITHIN_S = 15.0


async def steady_load(drive: Drive, lab: Experiment) -> bool:
    """Start the experiment's load; whether it has been answered for a while within 15 s."""
    if lab.traffic is None:
        return False
    target = Target(service=lab.traffic.service, path=lab.traffic.path)
    load_id = await drive.ask(SetLoad(lab.name, target, rate=lab.traffic.rate))

    def steady() -> bool | None:
        # The answer to the request is faster than the first bin: until then the sums are of the load before.
        traffic = drive.store.traffic(lab.name)
        return (traffic.load_id == load_id and traffic.ok >= STEADY) or None

    return bool(await drive.until("steady load", steady, within=STEADY_WITHIN_S))


async def ended_run(drive: Drive, lab: Experiment, action_id: str, *, within: float) -> Run | None:
    """The run that this action began, once it has ended; None where it has not within so many seconds."""
    runs = drive.store.ledger(lab.name).runs

    def ended() -> Run | None:
        return next((run for run in runs.ended if run.action_id == action_id), None)

    return await drive.until("the run to end", ended, within=within)
