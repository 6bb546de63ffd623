"""What DNS should say, by the objects in the API, and what its answers are worth."""

from dataclasses import replace

import pytest

from kubealive_tui.experiments._dns import (
    ASKED_NOW_US,
    SETTLES_US,
    STALE_AT_MOST_US,
    Form,
    Question,
    Word,
    expected,
    judge,
)
from kubealive_tui.model import (
    Batch,
    Change,
    DnsAnswer,
    Endpoint,
    Fact,
    Frame,
    Info,
    Kind,
    LinkEvent,
    LinkState,
    Port,
    Resolver,
    Service,
    Slice,
)
from kubealive_tui.store import Store
from tests.tui.signals import EPOCH, at, snapshot

ZONE = "lab.svc.example.org."
HTTP = (Port("http", 80, target="http"),)


def service(name: str, **more: object) -> Change:
    given = {"experiment": "dns", "cluster_ip": "10.96.0.7", "selector": {"a": "b"}, "ports": HTTP, **more}
    return Change(Kind.SERVICE, f"uid-{name}", Service(f"uid-{name}", name, **given))  # type: ignore[arg-type]


def endpoint(address: str, *, hostname: str = "", ready: bool = True) -> Endpoint:
    return Endpoint(f"uid-{address}", f"pod-{address}", (address,), hostname=hostname, ready=ready, serving=ready)


def entries(service: str, *endpoints: Endpoint, port: int = 8080) -> Change:
    ports = (Port("http", port),)
    return Change(
        Kind.ENDPOINT_SLICE, f"slice-{service}", Slice(f"slice-{service}", "s", "dns", service, endpoints, ports)
    )


OBJECTS = (
    service("web"),
    service("twin", cluster_ip="10.96.0.9", cluster_ips=("10.96.0.9", "fd00::9"), ports=(Port("", 80),)),
    service("each", cluster_ip="None"),
    entries("each", endpoint("10.0.0.1"), endpoint("10.0.0.2"), endpoint("10.0.0.3", ready=False)),
    service("set", cluster_ip="None"),
    entries("set", endpoint("10.0.1.1", hostname="set-0"), endpoint("10.0.1.2", hostname="set-1", ready=False)),
    service("empty", cluster_ip="None"),
    service("alias", type="ExternalName", cluster_ip="", external_name="www.example.com", ports=()),
)


def store_of(*changes: Change) -> Store:
    store = Store()
    info = Info("0.1.0", EPOCH, namespace="lab", resolver=Resolver("example.org", ndots=5))
    store.apply(LinkEvent(LinkState.CONNECTED, info=info))
    store.apply(snapshot(*(changes or OBJECTS)))
    return store


@pytest.mark.parametrize(
    ("name", "kind", "answers", "section"),
    [
        ("web", "A", {"10.96.0.7"}, "2.3.1"),
        ("web", "AAAA", {"NODATA"}, "2.3.1"),
        ("twin", "AAAA", {"fd00::9"}, "2.3.1"),
        ("_http._tcp.web", "SRV", {f"80 web.{ZONE}"}, "2.3.2"),
        ("_http._udp.web", "SRV", {"NXDOMAIN or NODATA", "NODATA or NXDOMAIN"}, "2.3.2"),
        ("_http._tcp.twin", "SRV", {"NODATA or NXDOMAIN"}, "2.3.2"),
        ("web", "SRV", {"nothing"}, "none"),
        ("x.web", "A", {"NXDOMAIN"}, "RFC 8020"),
        ("each", "A", {"10.0.0.1", "10.0.0.2"}, "2.4.1"),
        ("each", "AAAA", {"NODATA"}, "2.4.1"),
        ("10-0-0-1.each", "A", {"10.0.0.1"}, "2.4.1"),
        ("10-0-0-3.each", "A", {"NXDOMAIN"}, "2.4.1"),
        ("_http._tcp.each", "SRV", {f"2 × 8080 of a name under each.{ZONE}"}, "2.4.2"),
        ("set", "A", {"10.0.1.1"}, "2.4.1"),
        ("_http._tcp.set", "SRV", {f"8080 set-0.set.{ZONE}"}, "2.4.2"),
        ("set-0.set", "A", {"10.0.1.1"}, "2.4.1"),
        ("set-0.set", "AAAA", {"NODATA"}, "2.4.1"),
        ("set-1.set", "A", {"NXDOMAIN"}, "2.4.1"),
        ("set-0.set", "SRV", {"nothing"}, "none"),
        ("empty", "A", {"NODATA or NXDOMAIN"}, "2.4.1"),
        ("_http._tcp.empty", "SRV", {"NODATA or NXDOMAIN"}, "2.4.2"),
        ("alias", "A", {"CNAME www.example.com."}, "2.5"),
        ("alias", "SRV", {"CNAME www.example.com.", "or NODATA"}, "2.5"),
        ("x.alias", "A", {"NXDOMAIN"}, "RFC 8020"),
        ("nobody", "A", {"NXDOMAIN"}, "RFC 8020"),
        ("_http._tcp.nobody", "SRV", {"NXDOMAIN"}, "RFC 8020"),
    ],
)
def test_what_is_promised(name: str, kind: str, answers: set[str], section: str) -> None:
    """Each kind of Service by its section of the specification, from the objects alone."""
    wanted = expected(store_of(), Question(name, kind))

    assert set(wanted.words) <= answers
    assert wanted.section.startswith(section)


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        (Form.SHORT, "web"),
        (Form.NAMESPACE, "web.lab"),
        (Form.FULL, "web.lab.svc.example.org"),
        (Form.DOT, "web.lab.svc.example.org."),
    ],
)
def test_a_name_is_spelled_in_four_ways(form: Form, asked: str) -> None:
    """All of them mean the same full name in the namespace and the domain that the agent tells."""
    question = Question("web", form=form)

    assert (question.asked(store_of()), question.absolute(store_of())) == (asked, f"web.{ZONE}")


class Asked:
    """A store whose questions are answered second by second."""

    def __init__(self) -> None:
        self.store = store_of()
        self.facts = 0

    def answer(self, second: float, answer: DnsAnswer) -> None:
        self.facts += 1
        fact = Fact(self.facts, at(second), "dns", answer)
        self.store.apply(Frame(EPOCH, 1000 + self.facts, at(second), Batch((), (fact,))))

    def change(self, second: float, *changes: Change) -> None:
        self.facts += 1
        self.store.apply(Frame(EPOCH, 1000 + self.facts, at(second), Batch(changes, ())))


def said(name: str, kind: str, *answers: str, rcode: str = "NOERROR") -> DnsAnswer:
    return DnsAnswer(f"{name}.{ZONE}", kind, rcode, answers)


def late(name: str, kind: str, *answers: str, rcode: str = "NOERROR") -> Word:
    """The verdict on an answer that has stood for longer than anything settles."""
    asked = Asked()
    asked.answer(1, said(name, kind, *answers, rcode=rcode))
    asked.change(1 + SETTLES_US / 1e6)
    return judge(asked.store, "dns", Question(name, kind)).word


@pytest.mark.parametrize(
    ("name", "kind", "answers", "rcode", "word"),
    [
        ("web", "A", ("10.96.0.7",), "NOERROR", Word.AGREES),
        ("web", "A", ("10.96.0.8",), "NOERROR", Word.WRONG),
        ("web", "A", (), "NOERROR", Word.WRONG),
        ("web", "A", (), "NXDOMAIN", Word.WRONG),
        ("web", "A", (), "SERVFAIL", Word.SILENT),
        ("web", "A", (), "TIMEOUT", Word.SILENT),
        ("web", "A", (), "UNREACHABLE", Word.SILENT),
        ("web", "AAAA", (), "NOERROR", Word.AGREES),
        ("web", "AAAA", (), "NXDOMAIN", Word.WRONG),
        ("each", "A", ("10.0.0.2", "10.0.0.1"), "NOERROR", Word.AGREES),
        ("each", "A", ("10.0.0.1",), "NOERROR", Word.WRONG),
        ("each", "A", ("10.0.0.1", "10.0.0.2", "10.0.0.3"), "NOERROR", Word.WRONG),
        ("_http._tcp.web", "SRV", (f"0 100 80 WEB.{ZONE}",), "NOERROR", Word.AGREES),
        ("_http._tcp.web", "SRV", (f"0 100 81 web.{ZONE}",), "NOERROR", Word.WRONG),
        (
            "_http._tcp.each",
            "SRV",
            (f"0 50 8080 a.each.{ZONE}", f"0 50 8080 b.each.{ZONE}"),
            "NOERROR",
            Word.AGREES,
        ),
        ("_http._tcp.each", "SRV", (f"0 100 8080 a.each.{ZONE}",), "NOERROR", Word.WRONG),
        (
            "_http._tcp.each",
            "SRV",
            (f"0 50 8080 10-0-0-1.each.{ZONE}", f"0 50 8080 10-0-0-2.each.{ZONE}"),
            "NOERROR",
            Word.AGREES,
        ),
        (
            "_http._tcp.each",
            "SRV",
            (f"0 50 8080 10-0-0-1.each.{ZONE}", f"0 50 8080 10-0-0-9.each.{ZONE}"),
            "NOERROR",
            Word.WRONG,
        ),
        ("_http._tcp.set", "SRV", (f"0 100 8080 set-0.set.{ZONE}",), "NOERROR", Word.AGREES),
        ("_http._tcp.set", "SRV", (f"0 100 8080 set-1.set.{ZONE}",), "NOERROR", Word.WRONG),
        ("set-0.set", "SRV", (f"0 100 8080 set-0.set.{ZONE}",), "NOERROR", Word.OPEN),
        ("empty", "A", (), "NOERROR", Word.AGREES),
        ("empty", "A", (), "NXDOMAIN", Word.AGREES),
        ("alias", "A", ("CNAME www.example.com.", "1.2.3.4"), "NOERROR", Word.AGREES),
        ("alias", "A", ("CNAME www.example.com.",), "NXDOMAIN", Word.AGREES),
        ("alias", "A", ("CNAME www.example.net.",), "NOERROR", Word.WRONG),
        ("alias", "A", (), "NOERROR", Word.WRONG),
        ("alias", "AAAA", (), "NOERROR", Word.AGREES),
        ("nobody", "A", (), "NXDOMAIN", Word.AGREES),
        ("nobody", "A", ("10.0.0.1",), "NOERROR", Word.WRONG),
    ],
)
def test_what_an_answer_is_worth(name: str, kind: str, answers: tuple[str, ...], rcode: str, word: Word) -> None:
    """It agrees, it is wrong, nobody answered, or nothing is promised."""
    assert late(name, kind, *answers, rcode=rcode) is word


def test_a_question_that_was_not_asked_yet() -> None:
    """Without an answer there is what is expected, and no verdict."""
    assert judge(store_of(), "dns", Question("web")).word is Word.WAITING


def test_an_answer_of_another_time_is_none() -> None:
    """What nobody has asked for a while says nothing of now."""
    asked = Asked()
    asked.answer(1, said("web", "A", "10.96.0.7"))
    asked.change(2 + ASKED_NOW_US / 1e6)

    assert judge(asked.store, "dns", Question("web")).word is Word.WAITING


def test_an_answer_that_was_right_is_stale_since_the_objects_changed() -> None:
    """A cache that keeps the old pod's address: the seconds count from the change in the slice."""
    asked = Asked()
    asked.answer(1, said("set-0.set", "A", "10.0.1.1"))
    asked.change(5, entries("set"))
    asked.change(6, entries("set", endpoint("10.0.1.9", hostname="set-0")))
    asked.change(26)

    judgement = judge(asked.store, "dns", Question("set-0.set"))
    assert (judgement.word, judgement.stale_s(asked.store.now_us)) == (Word.STALE, 21)
    assert (set(judgement.missing), set(judgement.extra)) == ({"10.0.1.9"}, {"10.0.1.1"})


def test_a_name_of_an_address_that_went_is_stale() -> None:
    """As many SRV records as there are pods, one of them of the pod before: the A record says the same."""
    asked = Asked()
    records = (f"0 50 8080 10-0-0-1.each.{ZONE}", f"0 50 8080 10-0-0-2.each.{ZONE}")
    asked.answer(1, said("_http._tcp.each", "SRV", *records))
    asked.change(5, entries("each", endpoint("10.0.0.1"), endpoint("10.0.0.9")))
    asked.change(8)

    judgement = judge(asked.store, "dns", Question("_http._tcp.each", "SRV"))
    assert (judgement.word, judgement.stale_s(asked.store.now_us)) == (Word.STALE, 3)


def test_a_denial_that_was_right_is_stale() -> None:
    """NXDOMAIN cached from before the pod was there."""
    asked = Asked()
    asked.answer(1, said("set-1.set", "A", rcode="NXDOMAIN"))
    asked.change(2, entries("set", endpoint("10.0.1.2", hostname="set-1")))
    asked.change(27)

    judgement = judge(asked.store, "dns", Question("set-1.set"))
    assert (judgement.word, judgement.stale_s(asked.store.now_us)) == (Word.STALE, 25)


def test_a_service_that_has_just_come_can_be_denied_for_a_while() -> None:
    """The Service itself is among the objects that change."""
    asked = Asked()
    asked.answer(1, said("nobody", "A", rcode="NXDOMAIN"))
    asked.change(2, service("nobody"))
    asked.change(12)

    assert judge(asked.store, "dns", Question("nobody")).word is Word.STALE


def test_what_is_staler_than_any_cache_keeps_it_is_wrong() -> None:
    """Nobody who keeps to the TTL says this any more."""
    asked = Asked()
    asked.answer(1, said("web", "A", "10.96.0.7"))
    asked.change(5, service("web", cluster_ip="10.96.0.8"))
    asked.answer(60, said("web", "A", "10.96.0.7"))
    asked.change(5 + STALE_AT_MOST_US / 1e6)
    assert judge(asked.store, "dns", Question("web")).word is Word.STALE
    asked.change(6 + STALE_AT_MOST_US / 1e6)

    assert judge(asked.store, "dns", Question("web")).word is Word.WRONG


def test_dns_may_know_of_a_change_first() -> None:
    """An answer that nothing explains yet settles for a moment before it is called wrong."""
    asked = Asked()
    asked.answer(1, said("set-0.set", "A", "10.0.1.9"))
    assert judge(asked.store, "dns", Question("set-0.set")).word is Word.SETTLING
    asked.change(1.1, entries("set", endpoint("10.0.1.9", hostname="set-0")))

    assert judge(asked.store, "dns", Question("set-0.set")).word is Word.AGREES


def test_a_walk_is_judged_by_where_it_ended() -> None:
    """The short name of a Service without IPv6: the first step says so, and the denials behind it do not count."""
    asked = Asked()
    steps = [("NOERROR", f"web.{ZONE}"), ("NXDOMAIN", "web.svc.example.org."), ("UNASKED", "web.")]
    for step, (rcode, name) in enumerate(steps, 1):
        answer = replace(said("web", "AAAA", rcode=rcode), name=name, walk="web", step=step)
        asked.answer(1, answer)

    assert judge(asked.store, "dns", Question("web", "AAAA", Form.SHORT)).word is Word.AGREES
