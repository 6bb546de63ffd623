"""A call by name, hop by hop, as the frontend pod itself tells it: what DNS answered, where it led, who answered.

The page is the pod's own: its resolver, its connection. What it says is held against the objects in the API.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kubealive_tui.experiments._dns import Judgement, Question, judged
from kubealive_tui.model import DnsAnswer, Endpoint
from kubealive_tui.store import Latest, Store

__all__ = ["PATH", "Hop", "Lookup", "hop_in", "judge_a", "judge_srv", "wrong_backend"]

PATH = "/hostz"
# The port that the frontend looks up, as its program spells it.
PORT_NAME = "http"
# Pages remembered as read: each is drawn some times before the next one comes.
_PAGES = 16


@dataclass(frozen=True, slots=True)
class Lookup:
    """One question and what came of it; records of SRV are (priority, weight, port, target)."""

    name: str
    rcode: str
    records: tuple[Any, ...] = ()
    ttl: int | None = None
    ms: float | None = None


@dataclass(frozen=True, slots=True)
class Hop:
    """One call: both lookups, the address that was called, who answered there; `error` where it ended early."""

    service: str
    srv: Lookup
    a: Lookup | None = None
    address: str = ""
    port: int = 0
    status: int = 0
    pod: str = ""
    node: str = ""
    ms: float | None = None
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether the call was answered well."""
        return self.status == 200 and not self.error


@lru_cache(maxsize=_PAGES)
def hop_in(page: str) -> Hop | None:
    """The call in a page of /hostz, the first where the name leads to several; None where it is no such page."""
    try:
        said = json.loads(page)
        srv = _lookup(said["srv"]) if "srv" in said else Lookup(said["service"], "")
        hosts: Sequence[Mapping[str, Any]] = said.get("hosts", ())
        if not hosts:
            return Hop(said["service"], srv, error=str(said.get("error", "")))
        host = hosts[0]
        body = host["body"] if isinstance(host.get("body"), dict) else {}
        return Hop(
            said["service"],
            srv,
            _lookup(host["a"]),
            address=host.get("address", ""),
            port=int(host["port"]),
            status=int(host.get("statusCode", 0)),
            pod=body.get("pod") or "",
            node=body.get("node") or "",
            ms=host.get("ms"),
            error=str(host.get("error", "")),
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _lookup(said: Mapping[str, Any]) -> Lookup:
    records = tuple(tuple(one) if isinstance(one, list) else one for one in said["records"])
    return Lookup(said["name"], said["rcode"], records, said.get("ttl"), said.get("ms"))


def judge_srv(store: Store, hop: Hop) -> Judgement:
    """The SRV answer, held against the Service and its named port."""
    records = tuple(" ".join(map(str, record)) + "." for record in hop.srv.records)
    return _judged(store, Question(f"_{PORT_NAME}._tcp.{hop.service}", "SRV"), hop.srv, records)


def judge_a(store: Store, hop: Hop) -> Judgement | None:
    """The A answer, held against the Service's address; None where no SRV record led to the question."""
    if hop.a is None:
        return None
    return _judged(store, Question(hop.service, "A"), hop.a, tuple(map(str, hop.a.records)))


def _judged(store: Store, question: Question, lookup: Lookup, records: tuple[str, ...]) -> Judgement:
    answer = DnsAnswer(lookup.name, question.type, lookup.rcode, records, lookup.ttl)
    # A page is new each time: that it says the same for long is not known from it, nor needed for a fixed address.
    return judged(store, question, Latest(answer, store.now_us, 0))


def wrong_backend(hop: Hop, endpoints: Sequence[Endpoint], store: Store) -> str:
    """How whoever answered is not one of the Service's pods, or nothing."""
    if not hop.ok:
        return hop.error or (f"status {hop.status}" if hop.status else "the name led nowhere")
    found = next((one for one in endpoints if one.pod_name == hop.pod), None)
    if found is None:
        return "none of its pods"
    pod = store.pod(found.pod_uid)
    return f"node {hop.node}" if pod is not None and pod.node != hop.node else ""
