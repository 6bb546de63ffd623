"""Words and numbers that every tab shares."""

import pytest

from kubealive_tui.experiments import outage_length, seconds
from kubealive_tui.experiments._words import back_off, load_mode, load_size
from kubealive_tui.model import Load, LoadMode, Outage, Target
from tests.tui.signals import at

HERE = Target(service="getip")


@pytest.mark.parametrize(
    ("message", "waits"),
    [
        ("back-off 10s restarting failed container=a pod=a-1_ns(uid)", 10),
        ("back-off 1m20s restarting failed container=a", 80),
        ("back-off 5m0s restarting failed container=a", 300),
        ('Back-off pulling image "x:v-missing"', None),
        ("", None),
    ],
    ids=["seconds", "minutes and seconds", "the longest", "an image", "nothing"],
)
def test_the_kubelets_back_off(message: str, waits: int | None) -> None:
    """Its seconds stand in the waiting message alone, in the form that Go gives to durations."""
    assert back_off(message) == waits


@pytest.mark.parametrize(("value", "words"), [(0.004, "0.00"), (1.856, "1.86"), (9.996, "10.0"), (31.82, "31.8")])
def test_seconds(value: float, words: str) -> None:
    """Hundredths under ten, tenths from there on."""
    assert seconds(value) == words


@pytest.mark.parametrize(
    ("outages", "words"),
    [
        ([], ""),
        ([Outage(at(0), at(1.7), 13, 100_000)], "1.70 s ±0.10"),
        ([Outage(at(0), at(1), 1, 1_000), Outage(at(5), at(7), 1, 2_000)], "3.00 s ±0.01"),
        ([Outage(at(0), at(1), 1, 1_000), Outage(at(5), None, 1, 2_000)], ""),
    ],
    ids=["none", "one", "two", "open"],
)
def test_the_length_of_an_outage_has_its_error_bar(outages: list[Outage], words: str) -> None:
    """Several add up; the bar is never finer than the clock is shown; an open one has no length yet."""
    assert outage_length(outages) == words


@pytest.mark.parametrize(
    ("load", "size", "mode"),
    [
        (Load("l", "balance", HERE, rate=100.0), "100/s", "new connections"),
        (Load("l", "balance", HERE, rate=25.0, cpu=0.5), "0.5 CPU", "new connections"),
        (Load("l", "balance", HERE, count=400), "burst of 400", "new connections"),
        (Load("l", "balance", HERE), "burst of –", "new connections"),
        (Load("l", "balance", HERE, LoadMode.KEPT, 5.0, connections=1), "5/s", "1 kept connection"),
        (Load("l", "balance", HERE, LoadMode.KEPT, 5.0, connections=3), "5/s", "3 kept connections"),
        (Load("l", "balance", HERE, LoadMode.KEPT, 5.0), "5/s", "kept connections"),
    ],
    ids=["rate", "cpu", "burst", "of no size", "one kept", "three kept", "older agent"],
)
def test_a_load_in_words(load: Load, size: str, mode: str) -> None:
    """Its size in its own unit, and over which connections it goes."""
    assert (load_size(load), load_mode(load)) == (size, mode)
