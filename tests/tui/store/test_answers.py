"""The newest answers to what is sampled: since when they stand, and how the walk of a name ends."""

import pytest

from kubealive_tui.model import CallResult, DnsAnswer, FactBody, Kind, Outcome, Reading
from kubealive_tui.store import Answers
from kubealive_tui.store._answers import KEPT_CALLS, MOST_QUESTIONS
from kubealive_tui.store._ledger import ExperimentLedger
from tests.tui.signals import at, fact


def dns(*answers: str, name: str = "db.lab.", rcode: str = "NOERROR", walk: str = "", step: int = 0) -> DnsAnswer:
    return DnsAnswer(name, "A", rcode, answers, walk=walk, step=step)


def call(pod: str = "p1", outcome: Outcome = Outcome.OK, took_us: int = 900, body: str = "") -> CallResult:
    return CallResult("db", "10.0.0.1", 80, outcome, pod_uid=pod, took_us=took_us, body=body)


def reading(value: str) -> Reading:
    return Reading(Kind.POD, "p1", "db-0", "/probes", value)


def filled(*bodies: FactBody) -> tuple[Answers, list[bool]]:
    """Answers that came a second apart, and which of them were known already."""
    answers = Answers()
    return answers, [answers.add(fact(n, n, body)) for n, body in enumerate(bodies, 1)]


@pytest.mark.parametrize(
    ("first", "same", "other"),
    [
        (dns("10.0.0.1", "10.0.0.2"), dns("10.0.0.2", "10.0.0.1"), dns("10.0.0.3")),
        (dns(rcode="NXDOMAIN"), dns(rcode="NXDOMAIN"), dns("10.0.0.3")),
        (call(), call(took_us=5_000), call(outcome=Outcome.REFUSED)),
        (reading("a"), reading("a"), reading("b")),
    ],
    ids=["records in any order", "no such name", "call", "reading"],
)
def test_an_answer_stands_since_it_first_came(first: FactBody, same: FactBody, other: FactBody) -> None:
    """The same again moves the age alone; another one is news and remembers what it replaced."""
    answers, known = filled(first, same)
    assert known == [False, True]
    assert answers.add(fact(3, 3, other)) is False

    newest = answers.dns("db.lab.", "A") or answers.call("db") or answers.reading("p1", "/probes")
    assert newest is not None
    assert (newest.body, newest.at_us, newest.since_us) == (other, at(3), at(3))
    assert newest.before == same


def test_a_walk_ends_with_its_first_answer() -> None:
    """Steps of an earlier, longer walk are forgotten once a shorter one has found something."""
    long = [dns(name=f"db.{n}.", rcode="NXDOMAIN", walk="db", step=n) for n in (1, 2, 3)]
    answers, _ = filled(*long)
    assert [step.body.name for step in answers.walk("db", "A")] == ["db.1.", "db.2.", "db.3."]

    answers.add(fact(4, 4, dns("10.0.0.1", name="db.1.", walk="db", step=1)))
    assert [step.body.name for step in answers.walk("db", "A")] == ["db.1."]
    found = answers.dns("db", "A")
    assert found is not None
    assert found.body.answers == ("10.0.0.1",)


def test_what_was_never_asked_is_unknown() -> None:
    """No answer is not an empty answer."""
    answers = Answers()
    assert answers.dns("db", "A") is None
    assert answers.call("db") is None
    assert answers.reading("p1", "/probes") is None


def test_the_last_answers_of_a_names_pods_are_kept() -> None:
    """What the pod before said under the same name is there to compare with, whatever failed in between."""
    answers = Answers()
    calls = (call("p1", body="a"), call("p1", body="b"), call("", outcome=Outcome.DNS), call("p2"))
    for n, body in enumerate(calls):
        answers.add(fact(n, float(n), body))
    assert [(seen.body.pod_uid, seen.body.body) for seen in answers.served("db")] == [("p1", "b"), ("p2", "")]


def test_the_last_value_is_known_however_long_nobody_answers() -> None:
    """Refused, then silent: the newest reading says so, and what was read before both is still there."""
    refused = Reading(Kind.POD, "p1", "db-0", "/probes", error="refused")
    silent = Reading(Kind.POD, "p1", "db-0", "/probes", error="no answer")
    answers, _ = filled(reading("a"), refused, silent)

    newest, value = answers.reading("p1", "/probes"), answers.value("p1", "/probes")
    assert newest is not None
    assert (newest.body, newest.at_us) == (silent, at(3))
    assert value is not None
    assert (value.body.value, value.at_us) == ("a", at(1))
    assert answers.value("p2", "/probes") is None


def test_questions_are_bounded() -> None:
    """The one that was asked longest ago gives way, and is as if it had not been asked."""
    answers = Answers()
    for n in range(MOST_QUESTIONS + 2):
        answers.add(fact(n, n, dns(name=f"{n}.")))
    assert [answers.dns(f"{n}.", "A") for n in (0, 1)] == [None, None]
    assert answers.dns("2.", "A") is not None
    assert answers.dns(f"{MOST_QUESTIONS + 1}.", "A") is not None


def test_what_a_key_asked_for_is_no_answer_to_what_is_sampled() -> None:
    """A call of an action bears the name of the sampled one; it is a line of the timeline, each time it comes."""
    ledger = ExperimentLedger(())
    ledger.add(fact(1, 1.0, call()))
    ledger.add(fact(2, 2.0, call("p2"), action_id="a1"))
    ledger.add(fact(3, 3.0, call("p2"), action_id="a2"))

    latest = ledger.answers.call("db")
    assert latest is not None
    assert latest.body.pod_uid == "p1"
    assert len(ledger.timeline) == 3


def test_the_last_calls_of_a_name_are_remembered_one_by_one() -> None:
    """As many as show a spread, the oldest first, and only those since a time if one is asked for."""
    answers = Answers()
    for n in range(KEPT_CALLS + 5):
        answers.add(fact(n, n, call(f"p{n}")))

    assert [one.pod_uid for one in answers.recent("db")] == [f"p{n}" for n in range(5, KEPT_CALLS + 5)]
    assert [one.pod_uid for one in answers.recent("db", since_us=at(KEPT_CALLS + 3))] == ["p23", "p24"]
    assert answers.recent("nobody") == ()


def test_a_name_that_several_pods_answer_is_news_when_its_outcome_turns() -> None:
    """A pod that has answered of late is none; a failure is, and so is the end of it."""
    answers = Answers()
    told = [call("p1"), call("p2"), call("p1"), call("", Outcome.REFUSED), call("p1"), call("p2")]

    assert [answers.add(fact(n, n, body)) for n, body in enumerate(told)] == [
        False,
        False,
        True,
        False,
        False,
        True,
    ]


def test_what_servers_say_in_turns_is_news_once() -> None:
    """Two servers, one of which keeps the old answer: the first change is news, their quarrel is not."""
    old, new = dns("10.0.0.1"), dns("10.0.0.2")
    _, known = filled(old, new, old, new, old)

    assert known == [False, False, True, True, True]


def test_what_changes_back_later_is_news_again() -> None:
    """Heard last longer ago than servers take turns: something has happened."""
    answers, _ = filled(dns("10.0.0.1"), dns(rcode="NXDOMAIN"))

    assert answers.add(fact(3, 20, dns("10.0.0.1"))) is False


def test_a_walk_comes_to_what_the_c_library_gives() -> None:
    """Not the last denial, where a step before it knows the name; and never a step that was not asked."""
    steps = [("NXDOMAIN", 1), ("NOERROR", 2), ("NXDOMAIN", 3), ("UNASKED", 4)]
    answers, _ = filled(*(dns(name=f"db.{n}.", rcode=rcode, walk="db", step=n) for rcode, n in steps))

    found = answers.dns("db", "A")
    assert found is not None
    assert (found.body.rcode, found.body.step) == ("NOERROR", 2)


@pytest.mark.parametrize(
    ("rcodes", "outcome"),
    [
        (["NXDOMAIN", "NXDOMAIN", "UNASKED"], "NXDOMAIN"),
        (["SERVFAIL", "NXDOMAIN"], "SERVFAIL"),
        (["TIMEOUT"], "TIMEOUT"),
    ],
    ids=["denied", "a server fails", "silence"],
)
def test_a_walk_without_an_answer(rcodes: list[str], outcome: str) -> None:
    """A server's failure outweighs a denial by another domain, since it may hide the name."""
    answers, _ = filled(
        *(dns(name=f"db.{n}.", rcode=rcode, walk="db", step=n) for n, rcode in enumerate(rcodes, 1))
    )

    found = answers.dns("db", "A")
    assert found is not None
    assert found.body.rcode == outcome
