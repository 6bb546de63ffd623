"""The run book: one run open at a time, the last twenty kept."""

import pytest

from kubealive_tui.experiments.balance import lab
from kubealive_tui.model import Aspect, Ending, Phase
from kubealive_tui.store import RunBook
from tests.tui.signals import at, deletion, entry, fact, moved


def killed(book: RunBook, sequence: int, seconds: float, *, uid: str = "p1") -> None:
    book.add(fact(sequence, seconds, deletion(uid, request_id=f"r{sequence}"), action_id=f"a{sequence}"))
    book.add(fact(sequence + 1, seconds + 0.02, moved(uid, Aspect.DELETING, deleting=True)))
    book.add(fact(sequence + 2, seconds + 0.02, entry(uid)))
    book.add(fact(sequence + 3, seconds + 0.3, entry(uid, removed=True)))


@pytest.fixture
def book() -> RunBook:
    return RunBook(lab.stopwatches)


def test_the_next_trigger_interrupts(book: RunBook) -> None:
    """A second kill during a run ends the first as interrupted, at the second's time."""
    killed(book, 1, 0.0)
    killed(book, 10, 1.0, uid="p2")
    book.advance(at(1.5))

    (first,) = book.ended
    assert (first.ending, first.ended_us) == (Ending.INTERRUPTED, at(1.0))
    assert book.current is not None
    assert book.current.action_id == "a10"


def test_twenty_runs_are_kept(book: RunBook) -> None:
    """The oldest run gives way to the twenty-first."""
    for n in range(25):
        killed(book, 1 + 10 * n, float(n))
    book.advance(at(25))

    assert [run.action_id for run in book.ended] == [f"a{1 + 10 * n}" for n in range(4, 24)]


def test_a_refused_action_is_no_run(book: RunBook) -> None:
    """What the API refused changed nothing and leaves no measurement behind."""
    book.add(fact(1, 0.0, deletion(), action_id="a1"))
    book.add(fact(2, 0.1, deletion(phase=Phase.REFUSED), action_id="a1"))
    book.advance(at(1))

    assert book.last is None


def test_facts_before_any_trigger_are_nobodys(book: RunBook) -> None:
    """Without a trigger there is no run."""
    book.add(fact(1, 0.0, moved("p1", Aspect.READY, ready=True)))
    book.advance(at(1))

    assert book.last is None
