"""Load balancing on a real cluster: the stopwatch beside outside observers."""

import asyncio

import pytest

from kubealive_tui.model import Act, DeletePod, Ending, StopLoad
from tests.e2e.harness import OBSERVER, kubectl_watch, observer, viewer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("installed")]

# The observers' own grain: 20 ms between requests, a line of kubectl, a busy machine.
OBSERVER_RATE = 50.0
CLOSE_S = 0.3


async def test_a_kill_is_timed_as_an_outside_observer_sees_it() -> None:
    """Terminating and ready agree with kubectl; what the run says clients lost agrees with a second client."""
    columns = "N:.metadata.name,D:.metadata.deletionTimestamp,R:.status.conditions[?(@.type=='Ready')].status"
    async with viewer() as seen, observer(rate=OBSERVER_RATE, seconds=14) as requests:
        victim = (await seen.whole())[0]
        await seen.loaded()
        async with kubectl_watch("pods", columns) as lines:
            await asyncio.sleep(1)
            known = {words[0] for _, words in lines}
            action = await seen.ask(Act("balance", victim.uid, victim.name, DeletePod()))
            run = await seen.run_of(action)
        await seen.ask(StopLoad("balance"))

    began = run.began_us / 1e6
    assert run.ending is Ending.COMPLETE
    terminating = min(at for at, words in lines if words[0] == victim.name and words[1] != "<none>")
    ready = min(at for at, words in lines if words[0] not in known and words[2] == "True")
    assert run.seconds("terminating") == pytest.approx(terminating - began, abs=CLOSE_S)
    assert run.seconds("successor ready") == pytest.approx(ready - began, abs=CLOSE_S)
    failures = [r for r in requests if r.error and r.planned >= began]
    ours = [o.end_us for o in run.outages if o.end_us]
    if failures:
        assert max(r.ended for r in failures) <= max([*ours, run.began_us]) / 1e6 + 2.0
    replied = [r.ended for r in requests if r.pod == victim.name]
    # The pod leaves within hundredths: where none of one's own reached it after the key, its last was before that.
    assert (run.seconds("last reply") or 0.0) == pytest.approx(max(0.0, max(replied) - began), abs=CLOSE_S)


async def test_a_second_viewer_sees_the_same_run() -> None:
    """Two viewers with the same facts hold the same milestones, and one that comes later as well."""
    async with viewer(actor="one@e2e") as one, viewer(actor="two@e2e") as two:
        victim = (await one.whole())[0]
        await one.loaded(rate=50.0)
        action = await one.ask(Act("balance", victim.uid, victim.name, DeletePod()))
        first, second = await asyncio.gather(one.run_of(action), two.run_of(action))
        await one.ask(StopLoad("balance"))
        async with viewer(actor="late@e2e") as late:
            third = await late.run_of(action)
        actors = {v.actor for v in one.store.status.viewers} if one.store.status else set()

    assert first.milestones == second.milestones == third.milestones
    assert (first.failed, first.planned) == (second.failed, second.planned) == (third.failed, third.planned)
    assert {"one@e2e", "two@e2e"} <= actors


def test_the_observer_is_a_program_of_its_own() -> None:
    """The second client shares no code with the load engine that it checks."""
    assert "kubealive" not in OBSERVER
