"""Loads: what the engine is told, what clients are shown, and every way in which a load ends."""

from __future__ import annotations

import pytest

from kubealive.v1.agent_pb2 import Observe, Refusal, SetLoadRequest
from kubealive.v1.facts_pb2 import OUTCOME_HTTP_5XX, LoadTransition, OutageEdge
from kubealive.v1.state_pb2 import KIND_LOAD, LOAD_MODE_KEPT, LOAD_MODE_NEW, LoadTarget
from kubealive_agent._errors import RefusalError
from kubealive_agent._ids import Ids
from kubealive_agent.app import SWEEP_SECONDS
from kubealive_agent.load import (
    Bin,
    ChildDied,
    Edge,
    LoadEngineError,
    LoadRefusedError,
    Refused,
    Row,
    Stopped,
    Totals,
)
from kubealive_agent.loads import Loads
from tests.agent.fakes import FakeEngine, Lab, watch

GETIP = LoadTarget(service="getip")


class Bench(Lab):
    """A lab with loads over a fake engine, watched by session `s`."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = FakeEngine()
        self.local_errors = 0
        self.stream = self.sessions.connect(watch("s"))
        self.loads = Loads(
            self.engine,
            world=self.world,
            journal=self.journal,
            sessions=self.sessions,
            clock=self.clock,
            ids=Ids(7),
            namespace="lab",
            domain="cluster.local",
            on_local_errors=self.count,
        )

    def count(self, errors: int) -> None:
        self.local_errors += errors

    async def run(self, **size: object) -> str:
        mode = size.pop("mode", LOAD_MODE_NEW)
        request = SetLoadRequest.Run(target=GETIP, mode=mode, **size)  # type: ignore[arg-type]
        return await self.loads.run(request, experiment="balance", actor="s@host")

    def history(self) -> list[tuple[str, str]]:
        return [
            (LoadTransition.State.Name(fact.load.state)[6:].lower(), fact.load.reason)
            for fact in self.facts("load")
        ]

    def shown(self) -> list[str]:
        return [uid for kind, uid in self.journal.objects() if kind == KIND_LOAD]


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ({"rate": 100.0}, {"rate": 100.0, "count": None, "connections": 512, "mode": "new"}),
        ({"rate": 5.0, "mode": LOAD_MODE_KEPT}, {"rate": 5.0, "connections": 1, "mode": "kept"}),
        ({"burst": 50}, {"rate": None, "count": 50, "connections": 10}),
        ({"burst": 50, "connections": 3}, {"connections": 3}),
        ({"cpu": 0.5}, {"rate": 25.0, "path": "/burn?milliseconds=20", "mode": "new"}),
    ],
    ids=["steady", "kept", "burst", "connections", "cpu"],
)
async def test_what_the_engine_is_told(bench: Bench, size: dict[str, object], expected: dict[str, object]) -> None:
    """Each size becomes a rate or a count, against the Service's absolute name, with a last moment."""
    await bench.run(**size)

    start = bench.engine.started[0]
    assert expected.items() <= {name: getattr(start, name) for name in expected}.items()
    assert (start.host, start.port) == ("getip.lab.svc.cluster.local.", 80)
    assert start.host_header == "getip.lab.svc.cluster.local"
    assert start.stop_at_us == bench.clock.us + 3_600_000_000


async def test_a_running_load_is_shown_with_its_actor(bench: Bench) -> None:
    """State and a fact say who sends how much since when."""
    load_id = await bench.run(rate=100.0, duration_seconds=5)

    assert bench.shown() == [load_id]
    load = bench.facts("load")[0].load.load
    assert (load.actor, load.rate, load.since_us) == ("s@host", 100.0, bench.clock.us)
    assert load.until_us == bench.clock.us + 5_000_000


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ({"rate": 5.0}, 0),
        ({"rate": 5.0, "mode": LOAD_MODE_KEPT}, 1),
        ({"rate": 5.0, "mode": LOAD_MODE_KEPT, "connections": 3}, 3),
        ({"burst": 50, "connections": 3}, 0),
    ],
    ids=["new", "kept", "three kept", "burst"],
)
async def test_kept_connections_are_counted(bench: Bench, size: dict[str, object], shown: int) -> None:
    """Clients are told how many connections a load keeps, where it keeps any."""
    await bench.run(**size)

    assert bench.facts("load")[0].load.load.connections == shown


async def test_a_new_rate_changes_the_running_load(bench: Bench) -> None:
    """The same target and mode at another rate keep the load and its id."""
    first = await bench.run(rate=100.0)
    second = await bench.run(rate=200.0)

    assert first == second
    assert bench.engine.rates == [(1, 200.0)]
    assert bench.history() == [("started", ""), ("changed", "")]


async def test_another_mode_is_another_load(bench: Bench) -> None:
    """A load that cannot become the wanted one is replaced by it."""
    await bench.run(rate=100.0)
    await bench.run(rate=100.0, mode=LOAD_MODE_KEPT)

    assert bench.engine.stopped == [1]
    assert bench.history() == [("started", ""), ("stopped", "replaced"), ("started", "")]
    assert len(bench.shown()) == 1


async def test_a_load_that_cannot_be_had_replaces_nothing(bench: Bench) -> None:
    """A wish beyond the caps is refused while the load that runs goes on."""
    first = await bench.run(rate=100.0)
    with pytest.raises(RefusalError, match="cap of 5000"):
        await bench.run(rate=6000.0, mode=LOAD_MODE_KEPT)

    assert bench.shown() == [first]
    assert not bench.engine.stopped


async def test_a_burst_runs_beside_a_steady_load(bench: Bench) -> None:
    """A burst does not end the steady traffic; stopping the experiment ends both."""
    await bench.run(rate=100.0)
    await bench.run(burst=50)

    assert len(bench.shown()) == 2
    assert await bench.loads.stop("balance", reason="asked") == 2
    assert not bench.shown()


@pytest.mark.parametrize(
    ("reason", "fact"), [("count", "count"), ("time", "time"), ("asked", "asked")], ids=["count", "time", "asked"]
)
async def test_the_engine_ends_a_load(bench: Bench, reason: str, fact: str) -> None:
    """A load that ended by itself is gone and says why."""
    await bench.run(burst=50)
    bench.loads.on_report(Stopped(load_id=1, reason=reason, totals=Totals(1, 1, {})))  # type: ignore[arg-type]

    assert bench.history()[-1] == ("stopped", fact)
    assert not bench.shown()


async def test_late_outcomes_of_a_stopped_load_still_count(bench: Bench) -> None:
    """After a stop, requests in flight come to their outcome; the stop itself is told once."""
    await bench.run(rate=100.0)
    await bench.loads.stop("balance", reason="asked")
    bench.loads.on_report(Bin(load_id=1, start_us=1, width_us=100_000, planned=0, sent=0))
    bench.loads.on_report(Stopped(load_id=1, reason="asked", totals=Totals(1, 1, {})))
    bench.loads.on_report(Bin(load_id=1, start_us=2, width_us=100_000, planned=0, sent=0))

    assert len(bench.facts("traffic")) == 1
    assert bench.history() == [("started", ""), ("stopped", "asked")]


async def test_a_dead_engine_ends_all_loads(bench: Bench) -> None:
    """Every load is told as stopped, a note says so, and the next load starts."""
    await bench.run(rate=100.0)
    await bench.run(burst=5)
    bench.loads.on_report(ChildDied(exit_code=-9, load_ids=(1, 2)))

    assert bench.history()[-2:] == [("stopped", "engine-died")] * 2
    assert "code -9" in bench.facts("note")[0].note.message
    assert await bench.run(rate=1.0)


async def test_a_load_that_the_engine_refuses_later_is_stopped(bench: Bench) -> None:
    """The child's own refusal arrives as a report and becomes the reason."""
    await bench.run(rate=100.0)
    bench.loads.on_report(Refused(load_id=1, why="no port"))

    assert bench.history()[-1] == ("stopped", "refused: no port")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (LoadRefusedError("6000 requests/s is over the cap"), Refusal.REASON_INVALID),
        (LoadEngineError("cannot be started"), Refusal.REASON_UNANSWERED),
    ],
    ids=["beyond a cap", "no engine"],
)
async def test_what_the_engine_does_not_take(
    bench: Bench, error: LoadRefusedError | LoadEngineError, reason: Refusal.Reason.ValueType
) -> None:
    """A refused load leaves no trace, and its sentence reaches whoever asked."""
    bench.engine.error = error
    with pytest.raises(RefusalError, match=str(error)) as caught:
        await bench.run(rate=6000.0)

    assert caught.value.reason == reason
    assert not bench.shown()
    assert not bench.history()


@pytest.mark.parametrize("size", [{}, {"cpu": 2.5}, {"cpu": 0.0}], ids=["none", "much CPU", "no CPU"])
async def test_sizes_that_cannot_be_had(bench: Bench, size: dict[str, object]) -> None:
    """A load without a size or with too much CPU is refused before the engine hears of it."""
    with pytest.raises(RefusalError):
        await bench.run(**size)

    assert not bench.engine.started


async def test_a_load_of_cpu_has_a_path_of_its_own(bench: Bench) -> None:
    """Its rate follows from what one request burns, so no other path makes that much CPU."""
    target = LoadTarget(service="getip", path="/burn?milliseconds=500")
    with pytest.raises(RefusalError, match="leave the path out"):
        await bench.loads.run(SetLoadRequest.Run(target=target, cpu=0.5), experiment="balance", actor="s@host")
    target = LoadTarget(service="getip", path="/")
    await bench.loads.run(SetLoadRequest.Run(target=target, cpu=0.5), experiment="balance", actor="s@host")
    assert bench.engine.started[0].path == "/burn?milliseconds=20"
    assert bench.loads.loaded() == ["balance"]


async def test_a_load_ends_with_its_lease(bench: Bench) -> None:
    """It has stopped thirty seconds after the last interested session went, and not a second before."""
    await bench.run(rate=100.0)
    bench.clock.advance(100)
    await bench.loads.expire()
    bench.sessions.disconnect(bench.stream)
    bench.clock.advance(28.9)
    await bench.loads.expire()
    assert bench.shown()

    bench.clock.advance(1.1 - SWEEP_SECONDS)
    await bench.loads.expire()
    assert bench.history()[-1] == ("stopped", "lease")
    assert bench.engine.stopped == [1]


async def observe(bench: Bench, action_id: str) -> str | None:
    wish = Observe(target=GETIP, mode=LOAD_MODE_NEW, rate=50)
    begun = await bench.loads.begin_observation(wish, experiment="balance", actor="s@host", action_id=action_id)
    return begun.load_id if begun else None


async def test_an_observation_says_how_long_its_traffic_runs(bench: Bench) -> None:
    """New traffic has just begun, shared traffic as long ago as its first action."""
    wish = Observe(target=GETIP, mode=LOAD_MODE_NEW, rate=50)
    first = await bench.loads.begin_observation(wish, experiment="balance", actor="s@host", action_id="a1")
    bench.clock.advance(0.75)
    second = await bench.loads.begin_observation(wish, experiment="balance", actor="s@host", action_id="a2")

    assert first is not None
    assert second is not None
    assert (first.running_us, second.running_us) == (0, 750_000)


async def test_traffic_of_an_action_ends_after_its_tail(bench: Bench) -> None:
    """It carries the action's id and ends when its tail is over."""
    load_id = await observe(bench, "a1")
    assert load_id is not None
    await bench.loads.end_observation(load_id, after_ms=5000)
    bench.clock.advance(4.9)
    await bench.loads.expire()
    assert bench.shown()

    bench.clock.advance(0.2)
    await bench.loads.expire()
    assert bench.history() == [("started", ""), ("stopped", "observed")]
    assert {fact.action_id for fact in bench.facts("load")} == {"a1"}


async def test_two_actions_share_traffic_until_the_later_tail(bench: Bench) -> None:
    """A second action during the first's tail prolongs it."""
    first = await observe(bench, "a1")
    assert first is not None
    await bench.loads.end_observation(first, after_ms=5000)
    bench.clock.advance(4)
    assert await observe(bench, "a2") == first
    await bench.loads.end_observation(first, after_ms=5000)
    bench.clock.advance(2)
    await bench.loads.expire()

    assert bench.shown()


async def test_shared_traffic_outlives_a_tail_that_ends_during_an_action(bench: Bench) -> None:
    """Between an action's begin and end its traffic goes on, whatever the tail of the action before."""
    first = await observe(bench, "a1")
    assert first is not None
    await bench.loads.end_observation(first, after_ms=5000)
    bench.clock.advance(4.9)
    await observe(bench, "a2")
    bench.clock.advance(1)
    await bench.loads.expire()
    assert bench.shown() == [first]

    await bench.loads.end_observation(first, after_ms=5000)
    bench.clock.advance(4.9)
    await bench.loads.expire()
    assert bench.shown() == [first]
    bench.clock.advance(0.2)
    await bench.loads.expire()
    assert not bench.shown()


async def test_a_refused_action_does_not_cut_the_tail_of_another(bench: Bench) -> None:
    """An action that came to nothing needs no traffic; the one before it still does."""
    first = await observe(bench, "a1")
    assert first is not None
    await bench.loads.end_observation(first, after_ms=5000)
    await observe(bench, "a2")
    await bench.loads.end_observation(first, after_ms=0)
    await bench.loads.expire()

    assert bench.shown() == [first]


async def test_a_users_own_load_is_not_an_actions_to_end(bench: Bench) -> None:
    """Where traffic runs already, an action starts none and ends none; a user's rate takes an action's over."""
    await bench.run(rate=100.0)
    assert await observe(bench, "a1") is None
    await bench.loads.stop("balance", reason="asked")

    load_id = await observe(bench, "a2")
    assert load_id is not None
    await bench.loads.end_observation(load_id, after_ms=1)
    assert await bench.run(rate=70.0) == load_id
    bench.clock.advance(100)
    await bench.loads.expire()
    assert bench.shown() == [load_id]


async def test_reports_become_facts(bench: Bench) -> None:
    """Bins and edges carry over whole, under the load's public id, and local errors are counted."""
    load_id = await bench.run(rate=100.0)
    ok = Row("u", "getip-a", "node-1", "v1", "ok", 9, 1, 2, 3, 4, retransmitted=1, retried=2)
    bad = Row("", "", "", "", "http-5xx", 1, 5, 5, 6, 6)
    local = Row("", "", "", "", "local", 2, 5, 5, 6, 6)
    bench.loads.on_report(
        Bin(1, 100, 100_000, 12, 10, rows=(ok, bad, local), latency=((130, 9),), lag_max_us=7, ports_quarantined=3)
    )
    bench.loads.on_report(Edge(1, 4, "begin", 555, 1, {"http-5xx": 1}, 10_000))

    traffic = bench.facts("traffic")[0]
    assert (traffic.experiment, traffic.traffic.load_id, traffic.traffic.sent) == ("balance", load_id, 10)
    row = traffic.traffic.rows[0]
    assert (row.pod_name, row.count, row.last_end_us) == ("getip-a", 9, 4)
    assert (row.retransmitted, row.retried) == (1, 2)
    assert traffic.traffic.rows[1].outcome == OUTCOME_HTTP_5XX
    assert (traffic.traffic.latency[0].bucket, traffic.traffic.latency[0].count) == (130, 9)
    edge = bench.facts("outage")[0].outage
    assert (edge.edge, edge.at_us, edge.interval_us) == (OutageEdge.EDGE_BEGIN, 555, 10_000)
    assert bench.local_errors == 2
