"""Which answers become facts."""

from kubealive.v1.facts_pb2 import DnsAnswer, Fact, Reading
from kubealive_agent.sampling._recorder import (
    BUDGET_BURST,
    FORGET_US,
    RESTATE_US,
    Answer,
    Recorder,
)
from tests.agent.fakes import Lab


class Bench:
    def __init__(self) -> None:
        self.lab = Lab()
        self.recorder = Recorder(self.lab.journal, self.lab.clock)

    def dns(self, *answers: str, name: str = "web.", rcode: str = "NOERROR") -> None:
        fact = Fact(experiment="dns", dns=DnsAnswer(name=name, rcode=rcode, answers=answers))
        self.recorder.answers([Answer(name, fact, (rcode, answers))])

    def written(self) -> list[tuple[float, tuple[str, ...], bool]]:
        """Seconds since the start, answers and `changed` of each DNS fact."""
        start = self.lab.clock.us
        return [
            ((fact.time_us - start) / 1e6, tuple(fact.dns.answers), fact.dns.changed)
            for fact in self.lab.facts("dns")
        ]

    def notes(self) -> list[str]:
        return [fact.note.message for fact in self.lab.facts("note")]


def test_an_answer_that_says_the_same_is_written_now_and_then() -> None:
    """Asked each second for eleven seconds: at first, after five, and after ten."""
    bench = Bench()
    for _ in range(11):
        bench.dns("10.0.0.1")
        bench.lab.clock.advance(1)

    assert [time for time, _, _ in bench.written()] == [-11, -6, -1]


def test_a_new_answer_is_written_at_once_behind_the_last_old_one() -> None:
    """How long the old answer held is then known to one period, and the new one is marked."""
    bench = Bench()
    for _ in range(3):
        bench.dns("10.0.0.1")
        bench.lab.clock.advance(1)
    bench.dns("10.0.0.2")

    assert bench.written() == [(-3, ("10.0.0.1",), False), (-1, ("10.0.0.1",), False), (0, ("10.0.0.2",), True)]


def test_the_steps_of_a_walk_are_written_together() -> None:
    """When one step says something new, a reader is told all the steps that it now has to show."""
    bench = Bench()
    for last in ("10.0.0.1", "10.0.0.1", "10.0.0.2"):
        steps = [("1", ()), ("2", (last,))]
        bench.recorder.answers(
            [Answer(step, Fact(dns=DnsAnswer(name=step, answers=said)), said) for step, said in steps]
        )
        bench.lab.clock.advance(1)

    assert [(fact.dns.name, fact.dns.changed) for fact in bench.lab.facts("dns")] == [
        ("1", False),
        ("2", False),
        ("2", False),
        ("1", False),
        ("2", True),
    ]


def test_who_begins_to_look_is_told() -> None:
    """An unchanged answer is written at once for somebody who has just come to its experiment, and to no other."""
    bench = Bench()
    bench.dns("10.0.0.1")
    for experiments in ((), ("heal",), ("dns",)):
        bench.lab.clock.advance(1)
        bench.recorder.restate(experiments)
        bench.dns("10.0.0.1")

    assert [time for time, _, _ in bench.written()] == [-3, 0]


def test_a_denial_is_another_answer() -> None:
    """The same emptiness with another rcode is news."""
    bench = Bench()
    bench.dns(rcode="NOERROR")
    bench.dns(rcode="NXDOMAIN")

    assert [changed for _, _, changed in bench.written()] == [False, True]


def test_many_questions_are_restated_less_often() -> None:
    """With 100 questions an unchanged answer waits for 15 s, so that the journal lasts."""
    bench = Bench()
    for second in range(16):
        for name in range(100):
            bench.dns("10.0.0.1", name=f"{name}.")
        bench.lab.clock.advance(1)
        assert len(bench.written()) == (100 if second < 15 else 200)


def test_an_answer_of_long_ago_is_no_before() -> None:
    """A tab that is opened again after minutes begins anew: nothing has just changed."""
    bench = Bench()
    bench.dns("10.0.0.1")
    bench.lab.clock.advance(FORGET_US / 1e6 + 1)
    bench.dns("10.0.0.1", name="other.")
    bench.dns("10.0.0.2")

    assert [changed for _, _, changed in bench.written()] == [False, False, False]


def test_what_is_beyond_the_budget_is_counted_and_said() -> None:
    """Large values that change each time fill the burst; the rest is left out with one note."""
    bench = Bench()
    for n in range(2 * BUDGET_BURST // 4096):
        text = f"{n}" + "x" * 4000
        reading = Reading(uid="uid-a", name="/probes", text=text)
        bench.recorder.answers([Answer("probes", Fact(experiment="heal", reading=reading), text)])

    readings = bench.lab.facts("reading")
    assert BUDGET_BURST // 4300 <= len(readings) <= BUDGET_BURST // 4000
    assert bench.notes() == [
        "1 answers of samples were not written: samples may fill 4 KiB a second, and these are more"
    ]
    bench.lab.clock.advance(60)
    bench.recorder.answers([Answer("probes", Fact(experiment="heal", reading=Reading(text="new")), "new")])
    assert len(bench.lab.facts("reading")) == len(readings) + 1


def test_an_unwritten_change_stays_a_change() -> None:
    """A new answer that could not be afforded is still new when it can be."""
    bench = Bench()
    bench.dns("10.0.0.1")
    while bench.recorder._afford(Fact(reading=Reading(text="x" * 8000))):
        pass
    bench.recorder._tokens = 0
    bench.dns("10.0.0.2")
    assert len(bench.written()) == 1
    bench.lab.clock.advance(RESTATE_US / 1e6)
    bench.dns("10.0.0.2")

    assert bench.written()[-1] == (0, ("10.0.0.2",), True)


def test_a_refusal_is_said_once() -> None:
    """A sample that may not be asked is refused each second, and said once."""
    bench = Bench()
    for _ in range(3):
        bench.recorder.left_out("dns", "no")

    assert bench.notes() == ["no"]
