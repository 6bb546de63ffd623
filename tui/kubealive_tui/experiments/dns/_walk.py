"""How a name is resolved, query by query, in words: search list, `ndots`, and how long a denial is remembered."""

from collections.abc import Iterator

from kubealive_tui.experiments._dns import Form, Judgement, Question, judge, resolver_of
from kubealive_tui.experiments._names import verdict_words
from kubealive_tui.experiments._words import milliseconds
from kubealive_tui.experiments.dns._matrix import FORMS, Name, standing
from kubealive_tui.model import DnsAnswer, Line, Role, line
from kubealive_tui.store import Store

__all__ = ["walk_lines"]


def walk_lines(store: Store, experiment: str, name: Name, kind: str) -> Iterator[Line]:
    """All spellings of one name and type, each with the queries that it took."""
    wanted = judge(store, experiment, name.question(kind, Form.DOT)).expected
    yield line((f"{name.name} {kind}", Role.STRONG), (f"  {name.kind}", Role.MUTED))
    yield line(("promised ", Role.MUTED), ", ".join(wanted.words))
    yield line(("by       ", Role.MUTED), _section(wanted.section))
    resolver = resolver_of(store)
    server = ", ".join(resolver.servers) or "not known yet"
    yield line(("resolver ", Role.MUTED), server, (f", ndots:{resolver.ndots}, search ", Role.MUTED))
    yield line(("         ", Role.MUTED), (" ".join(resolver.search) or "not known yet", Role.MUTED))
    for form in FORMS:
        yield ()
        question = name.question(kind, form)
        yield from _one(store, experiment, question, judge(store, experiment, question))


def _section(section: str) -> str:
    return f"Kubernetes DNS specification, {section}" if section[:1].isdigit() else section


def _one(store: Store, experiment: str, question: Question, judgement: Judgement) -> Iterator[Line]:
    asked = question.asked(store)
    yield line((f"{question.form.value}: ", Role.ACCENT), asked, "  ", verdict_words(judgement, store.now_us))
    yield line((_why(asked, resolver_of(store).ndots), Role.MUTED))
    steps = store.answers(experiment).walk(asked, question.type)
    if not steps:
        yield line(("  not asked yet", Role.WAITING))
        return
    for place, step in enumerate(steps, 1):
        yield from _step(place, step.body)
    real = [step.body for step in steps if step.body.rcode != "UNASKED"]
    if len(real) > 1:
        took = milliseconds(sum(answer.took_us for answer in real))
        yield line((f"  {len(real)} queries in {took} ms; with a dot at its end it would be one", Role.MUTED))
    if judgement.extra:
        yield line(("  not promised: ", Role.MUTED), (", ".join(sorted(judgement.extra)), Role.WAITING))
    if judgement.missing:
        yield line(("  missing: ", Role.MUTED), (", ".join(sorted(judgement.missing)), Role.BAD))


def _why(asked: str, ndots: int) -> str:
    """Why the name is looked for as it is."""
    dots = asked.count(".")
    counted = "1 dot" if dots == 1 else f"{dots} dots"
    if asked.endswith("."):
        return "  a dot at its end: asked as it is, and nothing else"
    if dots < ndots:
        return f"  {counted}, fewer than ndots:{ndots}: first with each domain of the search list, then as it is"
    return f"  {counted}, not fewer than ndots:{ndots}: first as it is, then with each domain of the search list"


def _step(place: int, answer: DnsAnswer) -> Iterator[Line]:
    role = Role.GOOD if answer.found else Role.TEXT if answer.rcode in {"NOERROR", "NXDOMAIN"} else Role.BAD
    yield line((f"  {place} ", Role.MUTED), answer.name)
    if answer.rcode == "UNASKED":
        yield line(("    not asked: it is outside of the cluster's domain, and the agent keeps to it", Role.MUTED))
        return
    words = line(("    ", Role.MUTED), (standing(answer), role))
    if answer.server:
        words = line(words, (f" from {answer.server} in {milliseconds(answer.took_us)} ms", Role.MUTED))
    yield line(words, (_kept(answer), Role.MUTED))
    for record in answer.answers:
        yield line(f"      {record}")


def _kept(answer: DnsAnswer) -> str:
    """How long a cache may keep the answer."""
    if answer.soa_minimum_seconds is not None and not answer.found:
        left = "" if answer.ttl_seconds is None else f", {answer.ttl_seconds} s left"
        return f"; kept {answer.soa_minimum_seconds} s (SOA minimum){left}"
    return "" if answer.ttl_seconds is None else f"; TTL {answer.ttl_seconds} s left"
