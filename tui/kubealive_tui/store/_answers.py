"""What was sampled: the newest answer to each question, and since when it has been that one.

A sample is asked each second or so; its answers are facts like all others, and stopwatches find them there. A tab
shows the newest one, how long it has stood, and what it was before.
"""

from collections import deque
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from kubealive_tui.model import CallResult, DnsAnswer, Fact, Reading

__all__ = ["Answers", "Latest"]

# The DNS matrix asks about a hundred questions, each of up to five steps; more than this is somebody's mistake.
MOST_QUESTIONS = 1_024
# Calls of one name that are remembered one by one: enough to see how they spread over a few pods.
KEPT_CALLS = 20
# Pods that have answered to one name: the one that does, and enough of those before it to compare with.
KEPT_SERVERS = 3
# What several servers say in turns comes back within some askings; what has changed and changed back takes longer.
IN_TURNS_US = 10_000_000

# Answers after which the C library goes on to the next domain of the search list.
_GOES_ON = frozenset({"NOERROR", "NXDOMAIN", "SERVFAIL", "UNASKED"})

AnswerT = TypeVar("AnswerT", DnsAnswer, CallResult, Reading)
KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class Latest(Generic[AnswerT]):
    """The newest answer to a question: when it came, since when it says the same, and what it said before.

    `until_us` is until when some DNS server may go on saying it, each of several keeping an answer of its own; 0
    where that was not told.
    """

    body: AnswerT
    at_us: int
    since_us: int
    before: AnswerT | None = None
    until_us: int = 0


class Answers:
    """The newest answers of one experiment.

    Questions beyond the most let the longest unasked one go, which is mostly about a pod that is gone. What is
    still asked is told again soon, and is "not asked yet" until then.
    """

    def __init__(self) -> None:
        self._dns: dict[tuple[str, str], dict[int, Latest[DnsAnswer]]] = {}
        self._heard: dict[tuple[str, str, int], dict[Hashable, int]] = {}
        self._calls: dict[str, Latest[CallResult]] = {}
        self._served: dict[str, dict[str, Latest[CallResult]]] = {}
        self._recent: dict[str, deque[tuple[int, CallResult]]] = {}
        self._readings: dict[tuple[str, str], Latest[Reading]] = {}
        self._values: dict[tuple[str, str], Latest[Reading]] = {}

    def add(self, fact: Fact) -> bool:
        """Take a fact; whether it is an answer that says the same as the one before, and so no news."""
        match fact.body:
            case DnsAnswer() as answer:
                return self._add_dns(answer, fact.time_us)
            case CallResult() as call:
                return self._add_call(call, fact.time_us)
            case Reading() as reading:
                key = (reading.uid or reading.subject, reading.name)
                known = self._readings.pop(key, None)
                self._readings[key] = _newer(known, reading, fact.time_us)
                self._bound(self._readings)
                if reading.value is not None:
                    self._values.pop(key, None)
                    self._values[key] = self._readings[key]
                    self._bound(self._values)
                return known is not None and _said(known.body) == _said(reading)
            case _:
                return False

    def _add_dns(self, answer: DnsAnswer, at_us: int) -> bool:
        key = (answer.walk or answer.name, answer.type)
        steps = self._dns.pop(key, {})
        old = steps.get(answer.step)
        steps[answer.step] = _newer(old, answer, at_us)
        if answer.found or answer.rcode not in _GOES_ON:
            # The walk ended here: steps behind it were of an earlier one.
            steps = {step: found for step, found in steps.items() if step <= answer.step}
        self._dns[key] = steps
        self._bound(self._dns)
        return self._hear((*key, answer.step), _said(answer), at_us) or (
            old is not None and _said(old.body) == _said(answer)
        )

    def _hear(self, question: tuple[str, str, int], said: Hashable, at_us: int) -> bool:
        """Whether the same was heard a moment ago: servers that keep an answer each contradict one another."""
        heard = self._heard.pop(question, {})
        last = heard.pop(said, None)
        heard[said] = at_us
        while len(heard) > KEPT_SERVERS:
            del heard[next(iter(heard))]
        self._heard[question] = heard
        while len(self._heard) > MOST_QUESTIONS:
            del self._heard[next(iter(self._heard))]
        return last is not None and at_us - last <= IN_TURNS_US

    def _add_call(self, call: CallResult, at_us: int) -> bool:
        """Take a call; it is no news if it ended as the one before, and some call of late was answered the same.

        A name that leads to several pods is answered by another one each time.
        """
        old = self._calls.pop(call.name, None)
        before = {_said(one) for one in self.recent(call.name)}
        self._calls[call.name] = _newer(old, call, at_us)
        self._bound(self._calls)
        self._add_served(call, at_us)
        self._add_recent(call, at_us)
        return old is not None and old.body.outcome is call.outcome and _said(call) in before

    def _add_served(self, call: CallResult, at_us: int) -> None:
        served = self._served.pop(call.name, {})
        if call.pod_uid:
            before = served.pop(call.pod_uid, None)
            served[call.pod_uid] = _newer(before, call, at_us)
            while len(served) > KEPT_SERVERS:
                del served[next(iter(served))]
        self._served[call.name] = served
        self._bound(self._served)

    def _add_recent(self, call: CallResult, at_us: int) -> None:
        recent = self._recent.pop(call.name, None) or deque(maxlen=KEPT_CALLS)
        recent.append((at_us, call))
        self._recent[call.name] = recent
        self._bound(self._recent)

    def _bound(self, kept: dict[KeyT, ValueT]) -> None:
        while len(kept) > MOST_QUESTIONS:
            del kept[next(iter(kept))]

    # ---- selectors

    def walk(self, name: str, kind: str) -> Sequence[Latest[DnsAnswer]]:
        """The newest answers to a name, step by step of its search list; one for a name that is asked as it is."""
        return tuple(found for _, found in sorted(self._dns.get((name, kind), {}).items()))

    def dns(self, name: str, kind: str) -> Latest[DnsAnswer] | None:
        """What a name came to in the end, or None before it was asked.

        Of a walk it is the step whose answer the C library gives its caller: what was found, else a name that
        exists without such a record, else a server's failure, else the last that was asked.
        """
        steps = [step for step in self.walk(name, kind) if step.body.rcode != "UNASKED"]
        for rcode in ("NOERROR", "SERVFAIL"):
            said = [step for step in steps if step.body.rcode == rcode]
            if said:
                return next((step for step in said if step.body.found), said[0])
        return steps[-1] if steps else None

    def call(self, name: str) -> Latest[CallResult] | None:
        """The newest call of a name (a host, or a node)."""
        return self._calls.get(name)

    def served(self, name: str) -> Sequence[Latest[CallResult]]:
        """The last answer of each of the last pods that answered to this name, newest last."""
        return tuple(self._served.get(name, {}).values())

    def recent(self, name: str, *, since_us: int = 0) -> Sequence[CallResult]:
        """The last calls of a name, the oldest first, as far as they are not older than this."""
        return tuple(call for at, call in self._recent.get(name, ()) if at >= since_us)

    def calls(self) -> Mapping[str, Latest[CallResult]]:
        """The newest call of every name."""
        return self._calls

    def reading(self, uid: str, name: str) -> Latest[Reading] | None:
        """The newest value of this name that was read of the object (its UID, else its subject)."""
        return self._readings.get((uid, name))

    def value(self, uid: str, name: str) -> Latest[Reading] | None:
        """The newest reading of this name that had a value, whatever came of the asking since."""
        return self._values.get((uid, name))

    def readings(self, uid: str) -> Iterator[Latest[Reading]]:
        """All that was read of the object, longest unread first."""
        return (found for (of, _), found in self._readings.items() if of == uid)


def _newer(old: Latest[AnswerT] | None, body: AnswerT, at_us: int) -> Latest[AnswerT]:
    until = _until(body, at_us)
    if old is None:
        return Latest(body, at_us, at_us, until_us=until)
    if _said(old.body) == _said(body):
        return Latest(body, at_us, old.since_us, old.before, max(old.until_us, until))
    # One error after another says nothing of what there was: the last value stays in mind.
    before = old.before if _is_error(old.body) and old.before is not None else old.body
    return Latest(body, at_us, at_us, before, until)


def _is_error(body: DnsAnswer | CallResult | Reading) -> bool:
    return isinstance(body, Reading) and bool(body.error)


def _until(body: DnsAnswer | CallResult | Reading, at_us: int) -> int:
    if isinstance(body, DnsAnswer) and body.ttl_seconds is not None:
        return at_us + body.ttl_seconds * 1_000_000
    return 0


def _said(body: DnsAnswer | CallResult | Reading) -> Hashable:
    """What an answer says, without how long it took and how long it may be kept."""
    match body:
        case DnsAnswer():
            return body.rcode, frozenset(body.answers)
        case CallResult():
            return body.outcome, body.pod_uid, body.node, body.body
        case Reading():
            return body.value, body.error
