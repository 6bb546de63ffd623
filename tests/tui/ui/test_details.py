"""Everything about a row: what a table has no room for."""

from datetime import UTC
from typing import Any

import pytest

from kubealive_tui.model import (
    Change,
    Condition,
    Container,
    ContainerState,
    Ending,
    Kind,
    Outcome,
    Run,
    Termination,
    Workload,
    plain,
)
from kubealive_tui.store import Store
from kubealive_tui.ui.dialogs._details import _history, details
from tests.tui.signals import START, connected, fact, load_started, replies, running_load, snapshot
from tests.tui.signals import pod as getip_pod
from tests.tui.signals import pod_change as changed_pod


def replica_set(**changes: Any) -> Workload:
    given = {
        "experiment": "balance", "revision": 7, "image": "x/workload:v2", "desired": 4, "current": 3, "ready": 2,
        "available": 1, "created_us": START, "pre_stop_seconds": 5, "readiness_probe": True,
        "environment": {"DRAIN": "on"}, "conditions": (Condition("ReplicaFailure", "True", message="no quota"),),
        **changes,
    }  # fmt: skip
    return Workload("rs7", Kind.REPLICA_SET, "getip-7", **given)


def told(workload: Workload, key: str) -> list[str]:
    store = Store()
    store.apply(connected())
    store.apply(snapshot(changed_pod(getip_pod("p1")), Change(Kind.REPLICA_SET, workload.uid, workload)))
    return [" ".join(plain(words).split()) for words in details(store, "balance", key, zone=UTC)]


def test_a_row_of_a_workload() -> None:
    """Its revision and image, its numbers, what its template says of coming and going, and its conditions."""
    assert told(replica_set(), "rs7")[:9] == [
        "getip-7 replicaset",
        "revision 7",
        "image x/workload:v2",
        "pods 3 of 4, 2 ready, 1 available",
        "template a readiness probe, preStop 5 s",
        "DRAIN=on",
        "created 08:00:00.000, 0s ago",
        "ReplicaFailure true, no quota",
        "uid rs7",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pre_stop_seconds": None, "readiness_probe": False}, "template no readiness probe, no preStop sleep"),
        ({"conditions": (Condition("Available", "False", "TooFew"),)}, "Available false, TooFew"),
    ],
    ids=["nothing graceful", "a reason without words"],
)
def test_what_a_workload_lacks_is_said(changes: dict[str, Any], words: str) -> None:
    """What is not there is named, and a reason stands where there are no words."""
    assert words in told(replica_set(**changes), "rs7")


def test_a_row_of_a_pod() -> None:
    """A pod's own details come for a pod's row."""
    assert told(replica_set(), "p1")[0].endswith("● Running")


def test_numbers_of_a_pod_say_what_they_are() -> None:
    """One restart is one, and replies are those of a load: the one that runs, or the one before."""
    container = Container("getip", ContainerState.RUNNING, restarts=1, last_termination=Termination("Error", 1))
    pod, began = changed_pod(getip_pod("p1", containers=(container,))), fact(1, 1.0, load_started())
    served = fact(2, 2.0, replies(1.5, ("p1", Outcome.OK, 9)))
    store = Store()
    for changes, words in (((pod, running_load()), "since the load began"), ((pod,), "in the last load")):
        store.apply(snapshot(*changes, facts=(began, served), epoch=len(changes)))
        told = [" ".join(plain(text).split()) for text in details(store, "balance", "p1", zone=UTC)]
        assert f"replies 9 ok, 0 failed {words}" in told
        assert any(text.endswith(", 1 restart") for text in told)


def test_a_row_that_went() -> None:
    """The set that was selected is gone from the API: nothing is made up."""
    assert told(replica_set(), "rs6") == ["There is nothing to tell yet: no row is selected and nothing was run."]


KINDS = {
    "READINESS OFF …d8c-p1": "readiness off", "READINESS ON …d8c-p1": "readiness on", "CRASH exit 7 …p1": "crash",
    "FORCE KILL …d8c-p1": "force kill", "LOAD 0.5 CPU": "load", "LOAD OFF": "load off", "UPDATE v1 → v2": "update",
}  # fmt: skip


def test_runs_of_one_kind_are_summed_and_of_no_other() -> None:
    """What goes on and what goes off are told apart; an exit code, a size or a version is no kind of its own."""
    ended = [
        Run("a", title, "verb", "me", "getip", "p1", START, START + 2_000_000, Ending.COMPLETE, ())
        for title in KINDS
    ]
    told = [" ".join(plain(words).split()) for words in _history(ended)]

    assert [words for words in told if " of 1" in words] == [
        f"{kind} p50 2.00 s, worst 2.00 s of 1" for kind in KINDS.values()
    ]
    assert "2.00 s LOAD OFF not measured complete" in told
