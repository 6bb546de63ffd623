"""What is done for one sample at each of its times: whom to ask, and the fact that an answer becomes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from kubealive.v1.facts_pb2 import (
    OUTCOME_DNS,
    OUTCOME_OK,
    OUTCOME_UNASKED,
    CallResult,
    DnsAnswer,
    Fact,
    Outcome,
    Reading,
)
from kubealive.v1.state_pb2 import KIND_POD
from kubealive_agent.asking import Question, ask
from kubealive_agent.names import why_not_asked, why_not_inside
from kubealive_agent.sampling import _reach
from kubealive_agent.sampling._reach import Place
from kubealive_agent.sampling._recorder import Answer
from kubealive_agent.sampling._walk import Asked, walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubealive.v1.agent_pb2 import CallSample, DnsSample, NodeSample, PodSample, Sample
    from kubealive_agent.names import Resolution
    from kubealive_agent.sampling._recorder import Recorder
    from kubealive_agent.sampling._walk import Asker
    from kubealive_agent.world import World

__all__ = ["Errand", "Errands"]

Errand: TypeAlias = Callable[[], Awaitable[None]]
"""Asks once, and records what came of it."""

MAX_PODS = 64
"""Pods that one sample asks: the experiments have up to 20."""

MAX_READING = 4 * 1024
"""Bytes of a body that are a reading: the experiments answer with hundreds, a record of 20 probes with 2,000."""

_MAX_PATH = 512
"""Characters of a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errands:
    """Turns a sample into errands."""

    world: World
    recorder: Recorder
    asker: Asker
    resolution: Resolution

    def of(self, sample: Sample) -> Mapping[str, Errand]:
        """What is to be asked now, each by a key of its own; what may not be is left out, and a note says why."""
        match sample.WhichOneof("what"):
            case "dns":
                return self._dns(sample.experiment, sample.dns)
            case "pod":
                return self._pods(sample.experiment, sample.pod)
            case "node":
                return self._nodes(sample.experiment, sample.node)
            case "call":
                return self._call(sample.experiment, sample.call)
            case _:
                return self._left_out(sample.experiment, "a sample says nothing of what to ask; it is left out")

    def _left_out(self, experiment: str, sentence: str) -> Mapping[str, Errand]:
        self.recorder.left_out(experiment, sentence)
        return {}

    # DNS

    def _dns(self, experiment: str, sample: DnsSample) -> Mapping[str, Errand]:
        if why := why_not_asked(sample.name, sample.type) or why_not_inside(sample.name, self.resolution):
            return self._left_out(experiment, why)

        async def resolve() -> None:
            await self._resolve(experiment, sample.name, sample.type)

        return {"": resolve}

    async def _resolve(self, experiment: str, name: str, kind: str) -> Asked:
        asked = await walk(self.asker, name, kind, self.resolution)
        self.recorder.answers(
            [
                Answer(
                    question=(experiment, name, kind, each.step.place),
                    fact=Fact(experiment=experiment, dns=_answer(each, name, kind)),
                    said=(each.reply.rcode, each.reply.answers),
                )
                for each in asked
            ]
        )
        return _outcome(asked)

    # Pods

    def _pods(self, experiment: str, sample: PodSample) -> Mapping[str, Errand]:
        if why := _why_not_path(sample.path):
            return self._left_out(experiment, why)
        places = _reach.pods(self.world, experiment, sample)
        if len(places) > MAX_PODS:
            self.recorder.left_out(
                experiment, f"{sample.path} is asked of {MAX_PODS} pods, not of all {len(places)}"
            )
        return {place.key: self._pod(experiment, sample.path, place) for place in places[:MAX_PODS]}

    def _pod(self, experiment: str, path: str, place: Place) -> Errand:
        async def read() -> None:
            answered = await ask(place.host, place.port, Question(path=path, keep=MAX_READING))
            reading = Reading(kind=KIND_POD, uid=place.key, subject=place.name, name=path)
            if error := _why_no_value(answered, place):
                reading.error = error
            else:
                reading.text = answered.body
            fact = Fact(experiment=experiment, reading=reading)
            self.recorder.answers([Answer((place.key, path), fact, (reading.text, reading.error))])

        return read

    # Nodes and names

    def _nodes(self, experiment: str, sample: NodeSample) -> Mapping[str, Errand]:
        path = sample.path or "/"
        places, why = _reach.nodes(self.world, experiment, sample.port)
        if why := why or _why_not_path(path):
            return self._left_out(experiment, why)
        return {place.key: self._node(experiment, path, place) for place in places}

    def _node(self, experiment: str, path: str, place: Place) -> Errand:
        async def call() -> None:
            await self._call_at(experiment, place, Question(path=path))

        return call

    def _call(self, experiment: str, sample: CallSample) -> Mapping[str, Errand]:
        path = sample.path or "/"
        why = why_not_asked(sample.host, "A") or why_not_inside(sample.host, self.resolution)
        if why := why or _why_not_path(path) or ("" if 0 < sample.port < 65536 else f"{sample.port} is no port"):
            return self._left_out(experiment, why)

        async def call() -> None:
            found = await self._resolve(experiment, sample.host, "A")
            if not found.reply.addresses:
                found = await self._resolve(experiment, sample.host, "AAAA")
            if not found.reply.addresses:
                result = CallResult(
                    name=sample.host, port=sample.port, outcome=OUTCOME_DNS, error=_no_address(found)
                )
                self.recorder.call(Fact(experiment=experiment, call=result))
                return
            address = found.reply.addresses[0]
            refused = _reach.why_not_called(self.world, experiment, address, sample.port)
            place = Place(sample.host, sample.host, address, sample.port, refused)
            await self._call_at(experiment, place, Question(path=path, host=sample.host))

        return {"": call}

    async def _call_at(self, experiment: str, place: Place, question: Question) -> None:
        if place.refused:
            result = CallResult(
                name=place.name,
                address=place.host,
                port=place.port,
                outcome=OUTCOME_UNASKED,
                error=place.refused,
            )
        else:
            result = await ask(place.host, place.port, question, name=place.name)
        self.recorder.call(Fact(experiment=experiment, call=result))


def _answer(asked: Asked, name: str, kind: str) -> DnsAnswer:
    reply, step = asked.reply, asked.step
    return DnsAnswer(
        name=step.name,
        type=kind,
        rcode=reply.rcode,
        answers=reply.answers,
        ttl_seconds=reply.ttl_seconds,
        soa_minimum_seconds=reply.soa_minimum_seconds,
        took_us=reply.took_us,
        server=reply.server,
        walk=name if step.place else "",
        step=step.place,
    )


def _outcome(asked: list[Asked]) -> Asked:
    """The step whose answer the C library gives its caller.

    What was found, else a name that exists without such records, else a server's failure, else the last silence
    or denial.
    """
    real = [each for each in asked if each.step.asked] or asked
    for wanted in ("NOERROR", "SERVFAIL"):
        for each in real:
            if each.reply.rcode == wanted and (
                wanted != "NOERROR" or each.reply.found or not real[-1].reply.found
            ):
                return each
    return real[-1]


def _no_address(asked: Asked) -> str:
    reply = asked.reply
    return f"{asked.step.name} has no address" if reply.rcode == "NOERROR" else f"{asked.step.name}: {reply.rcode}"


def _why_no_value(answered: CallResult, place: Place) -> str:
    """Why a pod's answer is no reading of it; empty where it is one."""
    if answered.pod_uid and answered.pod_uid != place.key:
        return f"{place.host} answers as pod {answered.pod_name or answered.pod_uid}, which is another"
    if answered.http_status >= 300:
        return f"status {answered.http_status}"
    if answered.outcome == OUTCOME_OK:
        return ""
    return Outcome.Name(answered.outcome).removeprefix("OUTCOME_").replace("_", " ").lower()


def _why_not_path(path: str) -> str:
    if (
        path.startswith("/")
        and path.isascii()
        and path.isprintable()
        and " " not in path
        and len(path) <= _MAX_PATH
    ):
        return ""
    return (
        f"{path[:80]!r} is no path that can be asked for; it begins with / and has at most {_MAX_PATH} characters"
    )
