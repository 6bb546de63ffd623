"""Cluster DNS: the records of the Kubernetes specification (1.1.0), from the objects.

It looks up what the API says at once, while a real CoreDNS learns of it some milliseconds later, and keeps what it
has answered as that one does. Names outside the cluster do not exist here.
"""

import asyncio
import contextlib
import ipaddress
import logging
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

from kubealive_sandbox.apart import Apart
from kubealive_sandbox.api import Api, Object
from kubealive_sandbox.network import _wire as wire
from kubealive_sandbox.network._cache import Answer, Cache
from kubealive_sandbox.network._relay import Place, listening
from kubealive_sandbox.places import Places

__all__ = ["ZONE", "Dns"]

_log = logging.getLogger(__name__)

ZONE = "cluster.local"
# CoreDNS's own default, for what there is and for what there is not, where kubeadm writes 30: long enough for a
# change to be seen late, and short enough to wait for.
TTL = 5
# Names that lead to names, as far as they are followed; some lead in a circle.
MOST_HOPS = 8
_SERVICE = "kubernetes.io/service-name"
MOST_TCP = 64  # simultaneous TCP clients: they ask once and go

Found = tuple[int, list[wire.Record], list[wire.Record]]


class Dns:
    """Answers over UDP and TCP at one address. `now` is the clock by which answers grow old, in seconds."""

    def __init__(self, api: Api, *, now: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._cache = Cache(now)
        self._apart = Apart(_log)
        self._transport: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None

    async def start(self, places: Places, at: Place) -> None:
        """Begin to listen. Raises OSError."""
        loop = asyncio.get_running_loop()
        datagrams, connections = listening(places, at, socket.SOCK_DGRAM), listening(places, at)
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), sock=datagrams)
        self._server = await asyncio.start_server(self._tcp, sock=connections, limit=4096, backlog=MOST_TCP)

    def close(self) -> None:
        """Stop listening."""
        if self._transport:
            self._transport.close()
        if self._server:
            self._server.close()

    def respond(self, message: bytes, *, room: int = 0) -> bytes | None:
        """The answer to a query; None where there is nothing to answer to. `room` overrides the client's."""
        question = wire.parse(message)
        if question is None:
            return None
        if room:
            question = wire.Question(question.id, question.name, question.type, question.raw, room)
        reply = b""
        with self._apart.keep(f"the name {question.name}"):
            given = self._cache.get(question.name, question.type)
            if given is None:
                given = self._answer(question.name, question.type)
                self._cache.put(question.name, question.type, given)
            reply = wire.answer(question, given.code, _shuffled(given.records), given.authority, given.extra)
        return reply or wire.answer(question, wire.SERVFAIL, [], [], [])

    def _answer(self, name: str, kind: int) -> Answer:
        """What the objects say now."""
        code, records, extra = self._look_up(name, kind)
        while len(records) < MOST_HOPS and (target := _alias_of(records, kind)).endswith(f".{ZONE}"):
            _, more, _ = self._look_up(target, kind)
            # As CoreDNS has it: a name of this cluster that leads to nothing of the type has nothing itself.
            records = [*records, *more] if more else []
        return Answer(code, records, [] if records else [_soa(self._api)], extra)

    async def _tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(5):
                while True:
                    (length,) = struct.unpack(">H", await reader.readexactly(2))
                    reply = self.respond(await reader.readexactly(length), room=65535)
                    if reply is None:
                        break
                    writer.write(struct.pack(">H", len(reply)) + reply)
                    await writer.drain()
        writer.close()

    # ---------------------------------------------------------------- names

    def _look_up(self, name: str, kind: int) -> Found:
        if name.endswith(".in-addr.arpa"):
            return self._reverse(name, kind)
        if name == f"dns-version.{ZONE}":
            return _typed(name, kind, [wire.Record(name, wire.TXT, TTL, "1.1.0")])
        if not name.endswith(f".{ZONE}"):
            return wire.NXDOMAIN, [], []
        labels = name.removesuffix(f".{ZONE}").split(".")
        match labels[::-1]:
            case ["svc"]:
                return wire.OK, [], []
            case ["svc", namespace]:
                return (wire.OK if self._api.find("Namespace", "", namespace) else wire.NXDOMAIN), [], []
            case ["svc", namespace, service, *rest]:
                return self._service(name, kind, namespace, service, rest[::-1])
            case ["pod", namespace, dashed] if self._api.find("Namespace", "", namespace):
                address = dashed.replace("-", ".")
                if _is_address(address):
                    return _typed(name, kind, [wire.Record(name, wire.A, TTL, address)])
        return wire.NXDOMAIN, [], []

    def _service(self, name: str, kind: int, namespace: str, own: str, rest: list[str]) -> Found:
        service = self._api.find("Service", namespace, own)
        if service is None:
            return wire.NXDOMAIN, [], []
        spec, base = service["spec"], f"{own}.{namespace}.svc.{ZONE}"
        if spec["type"] == "ExternalName":
            if rest:
                return wire.NXDOMAIN, [], []
            alias = wire.Record(name, wire.CNAME, TTL, spec["externalName"])
            return wire.OK, [alias] if kind in {wire.A, wire.AAAA, wire.CNAME, wire.ANY} else [], []
        if len(rest) == 2 and rest[0].startswith("_"):
            return self._srv(name, kind, service, base, rest)
        if spec["clusterIP"] != "None":
            return _typed(name, kind, [wire.Record(name, wire.A, TTL, spec["clusterIP"])]) if not rest else _NONE
        found = [(host, address) for host, address, _ in self._endpoints(service) if not rest or [host] == rest]
        records = [wire.Record(name, wire.A, TTL, address) for _, address in found]
        if not records:
            return _NONE
        if kind == wire.SRV and not rest:
            return self._all_srv(name, service, base)
        return _typed(name, kind, records)

    def _srv(self, name: str, kind: int, service: Object, base: str, rest: list[str]) -> Found:
        wanted, protocol = rest[0][1:], rest[1][1:].upper()
        records, extra = [], []
        for host, address, port in self._targets(service, base):
            if port.get("name") == wanted and port.get("protocol", "TCP") == protocol:
                records.append(wire.Record(name, wire.SRV, TTL, (0, 100, port["port"], host)))
                extra.append(wire.Record(host, wire.A, TTL, address))
        if not records:
            return _NONE
        return (wire.OK, records, extra) if kind in {wire.SRV, wire.ANY} else (wire.OK, [], [])

    def _all_srv(self, name: str, service: Object, base: str) -> Found:
        found = list(self._targets(service, base))
        records = [wire.Record(name, wire.SRV, TTL, (0, 100, port["port"], host)) for host, _, port in found]
        return wire.OK, records, [wire.Record(host, wire.A, TTL, address) for host, address, _ in found]

    def _targets(self, service: Object, base: str) -> Iterator[tuple[str, str, Any]]:
        if service["spec"]["clusterIP"] != "None":
            for port in service["spec"].get("ports") or ():
                yield base, service["spec"]["clusterIP"], port
            return
        for host, address, ports in self._endpoints(service):
            for port in ports:
                yield f"{host}.{base}", address, port

    def _endpoints(self, service: Object) -> Iterator[tuple[str, str, list[Any]]]:
        meta = service["metadata"]
        for each in self._api.select("EndpointSlice", meta["namespace"], labels=f"{_SERVICE}={meta['name']}"):
            for endpoint in each["endpoints"]:
                if endpoint["conditions"].get("ready"):
                    address = endpoint["addresses"][0]
                    yield endpoint.get("hostname") or address.replace(".", "-"), address, each["ports"]

    def _reverse(self, name: str, kind: int) -> Found:
        address = ".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))
        for service in self._api.select("Service"):
            base = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.{ZONE}"
            if service["spec"].get("clusterIP") == address:
                return _typed(name, kind, [wire.Record(name, wire.PTR, TTL, base)])
            if service["spec"].get("clusterIP") == "None":
                for host, own, _ in self._endpoints(service):
                    if own == address:
                        return _typed(name, kind, [wire.Record(name, wire.PTR, TTL, f"{host}.{base}")])
        return _NONE


_NONE: Found = (wire.NXDOMAIN, [], [])


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _shuffled(records: list[wire.Record]) -> list[wire.Record]:
    """Addresses at random, each time that they are told, as CoreDNS's loadbalance has them."""
    addresses = [each for each in records if each.type == wire.A]
    random.shuffle(addresses)
    return [*(each for each in records if each.type != wire.A), *addresses]


def _alias_of(records: list[wire.Record], kind: int) -> str:
    """The name that the last record leads to, where it leads to another instead of answering; else empty."""
    if not records or records[-1].type != wire.CNAME or kind == wire.CNAME:
        return ""
    return str(records[-1].data).rstrip(".").lower()


def _typed(name: str, kind: int, records: list[wire.Record]) -> Found:
    """The records of the type asked for; the name exists even if there is none."""
    return wire.OK, [each for each in records if kind in {each.type, wire.ANY} and each.name == name], []


def _soa(api: Api) -> wire.Record:
    serial = api.store.version
    words = f"ns.dns.{ZONE} hostmaster.{ZONE} {serial} 7200 1800 86400 {TTL}"
    return wire.Record(ZONE, wire.SOA, TTL, words)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, dns: Dns) -> None:
        self._dns = dns
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        reply = self._dns.respond(data)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)
