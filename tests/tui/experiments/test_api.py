"""What holds for every experiment, whichever there are."""

import pytest

from kubealive_tui.experiments import Experiment, Limit, NotNow, Scene, Settings, discover
from kubealive_tui.model import Pod
from kubealive_tui.store import Store
from tests.tui.signals import pod, pod_change, snapshot


@pytest.mark.parametrize("lab", discover(), ids=lambda lab: lab.name)
def test_every_key_means_one_thing(lab: Experiment) -> None:
    """No two commands of a tab share a key, none takes k or a digit, and d triggers nothing."""
    keys = [c.key for c in lab.commands if c.key]
    assert len(keys) == len(set(keys))
    assert not set(keys) & set("kj0123456789/?:!eyqw ")
    assert not any(c.triggers for c in lab.commands if c.key == "d")


def test_tabs_have_places_of_their_own() -> None:
    """No two experiments share a name or a digit."""
    labs = discover()
    assert len({lab.name for lab in labs}) == len({lab.order for lab in labs}) == len(labs)


def test_a_choice_is_kept_beside_the_others() -> None:
    """Choosing returns new settings; the old ones stay as they were."""
    before = Settings().choose("version", "v2")
    after = before.choose("drain", "off").choose("version", "v3")
    assert dict(before.choices) == {"version": "v2"}
    assert dict(after.choices) == {"version": "v3", "drain": "off"}


def test_a_finding_carries_its_limit() -> None:
    """What is found stands beside what was wanted, in the words that the docs list."""
    found = Limit("lost", "0").found("3", kept=False)
    assert (found.name, found.value, found.limit, found.kept) == ("lost", "3", "0", False)


def test_a_row_that_is_no_pod_stands_for_one() -> None:
    """Keys of rows that outlive pods are turned into the pod of the moment by the experiment."""
    lab = Experiment("x", order=1, title="X", long_title="X", lesson="")
    store = Store()
    store.apply(snapshot(pod_change(pod("p1"))))
    assert Scene(store, lab, selected="p1").pod().uid == "p1"

    @lab.rows
    def pod_of(store: Store, key: str) -> Pod | None:
        return store.pod("p1") if key == "node-1" else None

    assert Scene(store, lab, selected="node-1").pod().uid == "p1"
    with pytest.raises(NotNow, match="no pod now"):
        Scene(store, lab, selected="node-2").pod()
