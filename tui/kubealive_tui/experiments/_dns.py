"""What DNS should say, by its Kubernetes specification and the objects in the API, and what its answers are worth.

Sections are those of https://github.com/kubernetes/dns/blob/master/docs/specification.md. What it promises has to
be there; more may be (section 3), so a record is called wrong only where the specification says what stands there.
An answer that was right a while ago is stale and not wrong: caches keep it, and the DNS server hears of a change a
little later than the agent does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from kubealive_tui.hints import DEFAULT_NAMESPACE
from kubealive_tui.model import DnsAnswer, Endpoint, Resolver, Service
from kubealive_tui.store import Backing, Latest, Store

__all__ = [
    "ASKED_NOW_US",
    "Expected",
    "Form",
    "Judgement",
    "Question",
    "Word",
    "dashed",
    "expected",
    "is_silent",
    "judge",
    "judged",
    "resolver_of",
]

# An answer may be older than what the objects say by a cache of 30 s, behind another one, and the delay of the
# server's own watch. What is older than this is kept by nobody who keeps to the TTL.
STALE_AT_MOST_US = 90_000_000
# The watch may bring a change after DNS has answered with it: so long an unexplained answer is not called wrong.
SETTLES_US = 3_000_000

# An answer that is asked for is told anew within a minute, whatever it says; an older one is of another time.
ASKED_NOW_US = 75_000_000

# An address whose dots or colons are dashes, as CoreDNS makes a pod's name of it.
_DASHED = re.compile(r"\d+(?:-\d+){3}|[0-9a-f]*(?:-[0-9a-f]*){2,7}")

_SILENT = frozenset({"TIMEOUT", "UNREACHABLE", "MALFORMED", "SERVFAIL", "REFUSED", "NOTIMP", "FORMERR"})
# The name exists, but no record of this type: NOERROR without answers.
NODATA = "NODATA"


class Form(Enum):
    """How much of a name is spelled out; the value is the word on the screen."""

    SHORT = "short"
    NAMESPACE = "with namespace"
    FULL = "full"
    DOT = "full with dot"


@dataclass(frozen=True, slots=True)
class Question:
    """A name within the namespace (`web`, `set-0.set`, `_http._tcp.web`), a type, and how the name is spelled."""

    name: str
    type: str = "A"
    form: Form = Form.DOT

    def asked(self, store: Store) -> str:
        """The name as it is asked for."""
        namespace, domain = _where(store)
        match self.form:
            case Form.SHORT:
                return self.name
            case Form.NAMESPACE:
                return f"{self.name}.{namespace}"
            case Form.FULL:
                return f"{self.name}.{namespace}.svc.{domain}"
            case Form.DOT:
                return self.absolute(store)

    def absolute(self, store: Store) -> str:
        """The full name that is meant, with its trailing dot."""
        namespace, domain = _where(store)
        return f"{self.name}.{namespace}.svc.{domain}."


class Word(Enum):
    """What an answer is worth; the value is the word on the screen."""

    AGREES = "agrees"
    STALE = "stale"
    WRONG = "wrong"
    SILENT = "no answer"
    SETTLING = "settling"
    OPEN = "not specified"
    WAITING = "not asked yet"


@dataclass(frozen=True, slots=True)
class Expected:
    """What is promised: records (`10.0.0.1`, `CNAME x.`, `8080 target.`), or a denial.

    `nameless` are pods without a hostname, each by its address with dashes: an SRV record of port `port` leads to
    each, under `zone`, by a name that the server chooses. A name that looks like such an address is one of them.
    `denials` are the ways in which to say that there is nothing, NXDOMAIN or NODATA; empty where there must be
    something. `section` is the specification's, or the standard's that it stands on.
    """

    section: str
    answers: frozenset[str] = frozenset()
    denials: frozenset[str] = frozenset()
    nameless: frozenset[str] = frozenset()
    port: int = 0
    zone: str = ""
    specified: bool = True

    @property
    def words(self) -> tuple[str, ...]:
        """What is expected, for people."""
        if not self.specified:
            return ("nothing",)
        unnamed = (f"{len(self.nameless)} × {self.port} of a name under {self.zone}",) if self.nameless else ()
        denial = " or ".join(sorted(self.denials))
        return (*sorted(self.answers), *unnamed, *((f"or {denial}",) if denial and self.answers else ())) or (
            denial,
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """An answer held against what the objects say.

    `since_us` is when the objects ceased to say what a stale answer says. `missing` are promised records that are
    not there, `extra` those that are there and were not promised.
    """

    word: Word
    expected: Expected
    latest: Latest[DnsAnswer] | None = None
    since_us: int | None = None
    missing: frozenset[str] = field(default_factory=frozenset)
    extra: frozenset[str] = field(default_factory=frozenset)

    def stale_s(self, now_us: int) -> float:
        """Seconds for which the answer has been stale; 0 where it is not."""
        return 0.0 if self.since_us is None else (now_us - self.since_us) / 1e6


def is_silent(answer: DnsAnswer) -> bool:
    """Whether this says nothing of the name: no server answered, or none that could."""
    return answer.rcode in _SILENT


def resolver_of(store: Store) -> Resolver:
    """How pods of the namespace resolve names, as the agent says."""
    return store.info.resolver if store.info else Resolver()


def _where(store: Store) -> tuple[str, str]:
    return store.namespace or DEFAULT_NAMESPACE, resolver_of(store).domain


def judge(store: Store, experiment: str, question: Question) -> Judgement:
    """The newest answer to `question` that was sampled for the experiment, judged by the objects as they stand."""
    return judged(store, question, store.answers(experiment).dns(question.asked(store), question.type))


def judged(store: Store, question: Question, latest: Latest[DnsAnswer] | None) -> Judgement:
    """An answer to `question`, judged by the objects as they stand and as they stood."""
    now = expected(store, question)
    if latest is None or store.now_us - latest.at_us > ASKED_NOW_US:
        return Judgement(Word.WAITING, now)
    if is_silent(latest.body):
        return Judgement(Word.SILENT, now, latest)
    if not now.specified:
        return Judgement(Word.OPEN, now, latest)
    missing, extra = _difference(now, latest.body)
    if _agrees(now, latest.body):
        return Judgement(Word.AGREES, now, latest, extra=extra)
    word, since_us = _late(store, question, latest)
    return Judgement(word, now, latest, since_us, missing, extra)


def _late(store: Store, question: Question, latest: Latest[DnsAnswer]) -> tuple[Word, int | None]:
    """Whether an answer that does not agree is an old truth, and since when that one no longer held."""
    for past in store.past_backings(_service(question)):
        if _agrees(_expected(store, question, past), latest.body) and past.until_us is not None:
            stale = store.now_us - past.until_us <= STALE_AT_MOST_US
            return (Word.STALE if stale else Word.WRONG), past.until_us
    if store.now_us - latest.since_us < SETTLES_US:
        return Word.SETTLING, None
    return Word.WRONG, None


def _agrees(wanted: Expected, answer: DnsAnswer) -> bool:
    if not wanted.specified:
        return False
    said = _records(answer)
    if not said and wanted.denials:
        return answer.standing in wanted.denials
    missing, extra = _difference(wanted, answer)
    return not missing and not extra and bool(said)


def _difference(wanted: Expected, answer: DnsAnswer) -> tuple[frozenset[str], frozenset[str]]:
    """Records that are missing, and records that are there beyond what is promised."""
    said = _records(answer)
    missing, extra = wanted.answers - said, said - wanted.answers
    if any(text.startswith("CNAME ") for text in wanted.answers):
        # Where the other name leads is that name's affair.
        return missing, frozenset()
    unnamed = frozenset(text for text in extra if _leads_to_one(wanted, text))
    lacking = len(wanted.nameless) - len(unnamed)
    if wanted.nameless and not lacking:
        return missing, extra - unnamed
    if lacking > 0:
        missing |= {f"{lacking} × {wanted.port} under {wanted.zone}"}
    return missing, extra


def _leads_to_one(wanted: Expected, text: str) -> bool:
    """Whether an SRV record may lead to one of the nameless pods."""
    if not text.startswith(f"{wanted.port} ") or not text.endswith(f".{wanted.zone}"):
        return False
    label = text.partition(" ")[2].partition(".")[0]
    return label in wanted.nameless or not _DASHED.fullmatch(label)


def dashed(address: str) -> str:
    """How CoreDNS names a pod without a hostname: `10-244-1-9`."""
    return address.replace(".", "-").replace(":", "-").lower()


def _records(answer: DnsAnswer) -> frozenset[str]:
    """The answers without what the specification leaves open: priority and weight of SRV, and letter case."""
    texts = (text.lower().replace("cname ", "CNAME ") for text in answer.answers)
    if answer.type != "SRV":
        return frozenset(texts)
    return frozenset(text if text.startswith("CNAME ") else " ".join(text.split()[2:]) for text in texts)


# ---- what is promised


def _service(question: Question) -> str:
    return question.name.rpartition(".")[2]


def expected(store: Store, question: Question) -> Expected:
    """What the specification and the objects in the API promise for this question now."""
    return _expected(store, question, store.backing(_service(question)))


def _expected(store: Store, question: Question, backing: Backing) -> Expected:
    service, host = backing.service, question.name.rpartition(".")[0]
    namespace, domain = _where(store)
    zone = f"{_service(question)}.{namespace}.svc.{domain}.".lower()
    if service is None:
        return _denied("RFC 8020: no Service has this name", "NXDOMAIN")
    if service.type == "ExternalName":
        return _external(service, host=host, kind=question.type)
    if host.startswith("_"):
        return _srv(backing, service, host=host, kind=question.type, zone=zone)
    if question.type == "SRV":
        return Expected("none: SRV records stand under _PORT._PROTOCOL", specified=False)
    if host:
        return _host(backing, service, host=host, kind=question.type)
    if service.headless:
        # A name with the other family's addresses exists; one without any may be denied altogether.
        denials = (NODATA,) if any(_ready(backing)) else ("NXDOMAIN", NODATA)
        return _addresses("2.4.1", _ready_addresses(backing, question.type), *denials)
    own = service.cluster_ips or (service.cluster_ip,)
    return _addresses("2.3.1", {ip for ip in own if _is(ip, question.type)}, NODATA)


def _denied(section: str, *denials: str) -> Expected:
    return Expected(section, denials=frozenset(denials))


def _addresses(section: str, addresses: set[str], *denials: str) -> Expected:
    """Records of one family; without any, the denials."""
    if addresses:
        return Expected(section, frozenset(addresses))
    return _denied(section, *denials)


def _external(service: Service, *, host: str, kind: str) -> Expected:
    """Section 2.5: a CNAME, whatever type is asked for.

    A server that looks the target up itself may say, of a type that the target does not have, that there is none.
    """
    if host:
        return _denied("RFC 8020: nothing stands below an ExternalName", "NXDOMAIN")
    target = frozenset({f"CNAME {service.external_name.rstrip('.').lower()}."})
    return Expected("2.5", target, denials=frozenset() if kind == "A" else frozenset({NODATA}))


def _srv(backing: Backing, service: Service, *, host: str, kind: str, zone: str) -> Expected:
    """Sections 2.3.2 and 2.4.2: one record a named port, and for a headless Service one a ready endpoint."""
    port_name, _, protocol = host.lower().partition(".")
    section = "2.4.2" if service.headless else "2.3.2"
    named = [
        port
        for port in service.ports
        if port.name and (f"_{port.name}", f"_{port.protocol.lower()}") == (port_name, protocol)
    ]
    if not named:
        return _denied(f"{section}: no port has this name", "NXDOMAIN", NODATA)
    if kind != "SRV":
        return Expected("none: only SRV records stand under _PORT._PROTOCOL", specified=False)
    if not service.headless:
        return Expected(section, frozenset(f"{port.port} {zone}" for port in named))
    return _srv_headless(backing, named[0].name, section=section, zone=zone)


def _srv_headless(backing: Backing, port_name: str, *, section: str, zone: str) -> Expected:
    """The pods' own ports stand in the slices; one without a hostname has a name of the server's choice."""
    answers: set[str] = set()
    unnamed: set[str] = set()
    number = 0
    for found in backing.slices:
        ports = [port.port for port in found.ports if port.name == port_name]
        for endpoint in found.endpoints:
            if not endpoint.ready or not ports:
                continue
            number = ports[0]
            if endpoint.hostname:
                answers.add(f"{number} {endpoint.hostname.lower()}.{zone}")
            else:
                unnamed.add(dashed(endpoint.addresses[0]) if endpoint.addresses else endpoint.pod_uid)
    if not answers and not unnamed:
        return _denied(section, "NXDOMAIN", NODATA)
    return Expected(section, frozenset(answers), nameless=frozenset(unnamed), port=number, zone=zone)


def _host(backing: Backing, service: Service, *, host: str, kind: str) -> Expected:
    """Section 2.4.1: a ready endpoint of a headless Service stands under its hostname.

    One without a hostname stands under a name of the server's choice; CoreDNS writes its address with dashes.
    """
    if not service.headless:
        return _denied("RFC 8020: only a headless Service has names below its own", "NXDOMAIN")
    mine = [endpoint for endpoint in _ready(backing) if host.lower() in _hostnames(endpoint)]
    if not mine:
        return _denied("2.4.1: no ready endpoint has this hostname", "NXDOMAIN")
    return _addresses("2.4.1", {ip for e in mine for ip in e.addresses if _is(ip, kind)}, NODATA)


def _hostnames(endpoint: Endpoint) -> set[str]:
    if endpoint.hostname:
        return {endpoint.hostname.lower()}
    return {dashed(address) for address in endpoint.addresses}


def _ready(backing: Backing) -> Iterator[Endpoint]:
    return (endpoint for found in backing.slices for endpoint in found.endpoints if endpoint.ready)


def _ready_addresses(backing: Backing, kind: str) -> set[str]:
    return {ip for endpoint in _ready(backing) for ip in endpoint.addresses if _is(ip, kind)}


def _is(address: str, kind: str) -> bool:
    """Whether an address is of the family that the type names."""
    return bool(address) and address != "None" and (":" in address) == (kind == "AAAA")
