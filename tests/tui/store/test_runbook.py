"""The run book: one run open at a time, the last twenty kept."""

import pytest

from kubealive_tui.experiments.balance import lab
from kubealive_tui.model import Aspect, Ending, LoadState, LoadTransition, Outcome, Phase
from kubealive_tui.store import RunBook
from tests.tui.signals import at, deletion, entry, fact, moved, replies


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


def test_a_refused_trigger_interrupts_nothing(book: RunBook) -> None:
    """The run before goes on through it, with what came between the key and the refusal."""
    killed(book, 1, 0.0)
    book.add(fact(10, 1.0, deletion("p2", request_id="r10"), action_id="a10"))
    book.add(fact(11, 1.05, moved("p9", Aspect.CREATED)))
    book.advance(at(1.06))
    book.add(fact(12, 1.1, deletion("p2", request_id="r10", phase=Phase.REFUSED), action_id="a10"))
    book.add(fact(13, 1.7, moved("p9", Aspect.READY, ready=True)))
    book.advance(at(1.8))

    assert not book.ended
    assert book.current is not None
    assert (book.current.action_id, book.current.ending) == ("a1", Ending.OPEN)
    assert book.current.seconds("successor ready") == 1.7


def test_a_trigger_that_was_taken_interrupts_for_good(book: RunBook) -> None:
    """What refuses some other request later brings no run back."""
    killed(book, 1, 0.0)
    killed(book, 10, 1.0, uid="p2")
    book.add(fact(15, 1.4, deletion("p2", request_id="r10", phase=Phase.ACCEPTED), action_id="a10"))
    book.add(fact(16, 1.5, deletion("p3", request_id="r16", phase=Phase.REFUSED), action_id="a16"))
    book.advance(at(1.8))

    assert [(run.action_id, run.ending) for run in book.ended] == [("a1", Ending.INTERRUPTED)]
    assert book.current is not None
    assert book.current.action_id == "a10"


def test_facts_before_any_trigger_are_nobodys(book: RunBook) -> None:
    """Without a trigger there is no run."""
    book.add(fact(1, 0.0, moved("p1", Aspect.READY, ready=True)))
    book.advance(at(1))

    assert book.last is None


def test_a_late_failure_is_still_the_interrupted_runs(book: RunBook) -> None:
    """A request planned before the next kill and lost after it counts for the run that it was planned in."""
    killed(book, 1, 0.0)
    killed(book, 10, 1.0, uid="p2")
    book.add(fact(20, 1.9, replies(0.8, ("", Outcome.CONNECT_TIMEOUT, 3))))
    book.add(fact(21, 1.9, replies(1.3, ("", Outcome.REFUSED, 2))))
    book.advance(at(2.0))

    assert book.ended[-1].failed == 3
    assert book.current is not None
    assert book.current.failed == 2


def test_a_run_whose_load_stops_ends_and_says_so(book: RunBook) -> None:
    """Without load nobody can see the successor serve: the run does not wait for it, and is marked."""
    book.add(fact(1, 0.0, deletion(), action_id="a1"))
    book.add(fact(2, 0.02, moved("p1", Aspect.DELETING, deleting=True)))
    book.add(fact(3, 0.02, entry("p1")))
    book.add(fact(4, 0.1, replies(0.05, ("p2", Outcome.OK, 3))))
    book.add(fact(5, 0.3, entry("p1", removed=True)))
    book.add(fact(6, 0.4, LoadTransition("l1", LoadState.STOPPED, "asked")))
    book.add(fact(7, 0.5, moved("p9", Aspect.CREATED)))
    book.add(fact(8, 0.7, moved("p9", Aspect.READY, ready=True)))
    book.advance(at(6.0))

    assert book.last is not None
    assert (book.last.ending, book.last.seconds("serving")) == (Ending.COMPLETE, None)
    assert "load ended" in book.last.incomplete
