"""DNS messages, by dnspython. Imported at the first question: it costs 5 MB, and most sessions ask none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
from dns.rdtypes.ANY.SOA import SOA

from kubealive_agent.sampling._dns import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.rrset import RRset

__all__ = ["Question", "question"]

_PAYLOAD = 1232
"""Bytes of a UDP answer that are asked for: what crosses every network in one piece."""


class Question:
    """One question on its way: what goes out, and what an answer to it says."""

    def __init__(self, name: str, kind: str) -> None:
        self._message = dns.message.make_query(name, kind, use_edns=0, payload=_PAYLOAD)
        self._type = self._message.question[0].rdtype
        self.wire = self._message.to_wire()

    def read(self, wire: bytes) -> Reply | None:
        """What `wire` answers; None where it answers something else."""
        try:
            message = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            # Whether it was meant for us can be seen by its first two bytes.
            return Reply("MALFORMED") if wire[:2] == self.wire[:2] else None
        if not self._message.is_response(message):
            return None
        return Reply(
            rcode=dns.rcode.to_text(message.rcode()),
            answers=tuple(sorted(self._texts(message.answer))),
            addresses=tuple(self._addresses(message.answer)),
            ttl_seconds=_ttl(message.answer or message.authority),
            soa_minimum_seconds=_soa_minimum(message.authority),
            truncated=bool(message.flags & dns.flags.TC),
        )

    def _texts(self, records: Iterable[RRset]) -> Iterable[str]:
        for each in records:
            if each.rdtype == dns.rdatatype.CNAME:
                yield from (f"CNAME {data.to_text()}" for data in each)
            elif each.rdtype == self._type:
                yield from (data.to_text() for data in each)

    def _addresses(self, records: Iterable[RRset]) -> Iterable[str]:
        if self._type in {dns.rdatatype.A, dns.rdatatype.AAAA}:
            yield from (data.to_text() for each in records if each.rdtype == self._type for data in each)


def question(name: str, kind: str) -> Question:
    """A question for `name`, which ends with a dot; `kind` is A, AAAA or SRV."""
    return Question(name, kind)


def _ttl(records: Iterable[RRset]) -> int | None:
    return min((each.ttl for each in records), default=None)


def _soa_minimum(records: Iterable[RRset]) -> int | None:
    found = (data.minimum for each in records for data in each if isinstance(data, SOA))
    return next(found, None)
