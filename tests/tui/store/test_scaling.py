"""An autoscaler's past, as a chart asks for it."""

from dataclasses import replace

from kubealive_tui.model import Fact, Kind, ScalingSample, WorkloadTransition
from kubealive_tui.store import ScalingLedger, Store
from kubealive_tui.store._scaling import KEPT_US, MOST_POINTS, STALE_US
from tests.tui.signals import at, fact, frame, snapshot

SAMPLE = ScalingSample("h", "cpuhog", 20.0, 1, 0, at(0), 50, 1, 5, desired_replicas=1, current_replicas=1)


def told(*samples: tuple[float, ScalingSample]) -> ScalingLedger:
    ledger = ScalingLedger()
    for seconds, sample in samples:
        ledger.add(sample, at(seconds))
    return ledger


def test_a_column_has_what_held_at_its_end() -> None:
    """Values stand until the next one; what came before the first is not known."""
    more = replace(SAMPLE, utilization=120.0, measured_us=at(15), desired_replicas=3, current_replicas=1)
    columns = told((11, SAMPLE), (26, more)).columns(at(29), span_us=30_000_000, count=6)

    assert columns.utilization == (None, None, 20.0, 20.0, 20.0, 120.0)
    assert columns.desired == (None, None, 1.0, 1.0, 1.0, 3.0)


def test_replicas_are_counted_when_they_change() -> None:
    """The Deployment's own count comes between what the autoscaler tells."""
    ledger = told((0, SAMPLE))
    ledger.count(3, at(11))
    assert ledger.columns(at(19), span_us=20_000_000, count=4).current == (1.0, 1.0, 3.0, 3.0)


def test_a_metric_that_is_not_renewed_is_none() -> None:
    """A decision tells the old measurement again, and does not make it new."""
    ledger = told((0, SAMPLE), (STALE_US / 1e6 - 1, replace(SAMPLE, desired_replicas=2)))
    late = ledger.columns(at(0) + STALE_US + 2_000_000, span_us=2_000_000, count=2)
    assert late.utilization == (None, None)
    assert late.desired == (2.0, 2.0)


def test_where_metrics_are_rare_they_stand_longer() -> None:
    """With a resolution of a minute the chart has no hole before each new metric; with three missing it has."""
    ledger = told(*((60.0 * n, replace(SAMPLE, measured_us=at(60.0 * n))) for n in range(4)))
    assert ledger.every_us == 60_000_000
    assert ledger.columns(at(239), span_us=2_000_000, count=1).utilization == (20.0,)
    assert ledger.columns(at(362), span_us=2_000_000, count=1).utilization == (None,)


def test_one_late_metric_does_not_make_them_rare() -> None:
    """How often they come is the middle of the last intervals."""
    times = (0, 15, 30, 115, 130)
    assert told(*((n, replace(SAMPLE, measured_us=at(n))) for n in times)).every_us == 15_000_000
    assert told((0, SAMPLE), (15, replace(SAMPLE, measured_us=at(15)))).every_us is None


def test_the_past_is_bounded() -> None:
    """Ten minutes are kept, with the one before them that says what held at their begin, and so many at most."""
    ledger = told(*((n, replace(SAMPLE, measured_us=n)) for n in range(0, 2 * KEPT_US // 1_000_000, 10)))
    times = [moment for moment, _ in ledger.backwards()]
    assert times[0] - times[-1] <= KEPT_US + 10_000_000
    crowd = told(*((n / 100, replace(SAMPLE, measured_us=n)) for n in range(2 * MOST_POINTS)))
    assert len(list(crowd.backwards())) == MOST_POINTS


def scaling(sequence: int, seconds: float, sample: ScalingSample) -> Fact:
    return fact(sequence, seconds, sample, experiment="scale")


def test_who_comes_later_sees_the_same_past() -> None:
    """The chart is a function of the facts: watched as they came, or from one snapshot."""
    deployment = WorkloadTransition(Kind.DEPLOYMENT, "d", "cpuhog", desired=3, current=3)
    facts = (
        scaling(1, 1, SAMPLE),
        scaling(2, 16, replace(SAMPLE, desired_replicas=3, previous_desired_replicas=1)),
        fact(3, 16.1, deployment, experiment="scale"),
        scaling(4, 31, replace(SAMPLE, measured_us=at(30), utilization=45.0)),
    )
    watched, late = Store(), Store()
    watched.apply(snapshot())
    for one in facts:
        watched.apply(frame(one.sequence, (one.time_us - at(0)) / 1e6, one))
    late.apply(snapshot(facts=facts, seconds=31))

    seen, later = (s.scaling("scale").columns(at(31), span_us=40_000_000, count=40) for s in (watched, late))
    assert seen == later
    assert set(seen.current) == {None, 1.0, 3.0}


def test_only_decisions_are_in_the_timeline() -> None:
    """A measurement each 15 s would drive all else out."""
    store = Store()
    store.apply(snapshot())
    store.apply(
        frame(
            2,
            20,
            scaling(1, 1, SAMPLE),
            scaling(2, 16, replace(SAMPLE, desired_replicas=3, previous_desired_replicas=1)),
        )
    )
    assert [one.sequence for one in store.ledger("scale").timeline] == [2]
