"""`knowingnode`: says what the Downward API told it, and who its Service leads to.

`GET /`          every value on a page, or as JSON where JSON is asked for; what nobody told is said to be unknown
`GET /downward`  the same as JSON
`GET /backend`   the pod and the node that answer
`GET /hostz`     looks SERVICE_NAME up (SRV, then A), calls `/backend` at each host that it names

Variables are fixed when the container starts; files of a downwardAPI volume (in DOWNWARD_DIR, /etc/podinfo) are
written anew by the kubelet, so they are read at each request.
"""

from __future__ import annotations

import _thread
import json
import os
import time

from kubealive_workloads import _dns
from kubealive_workloads._fetch import fetch
from kubealive_workloads._http import json_reply, refusal, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubealive_workloads._deferred import Deferred, Outcome
    from kubealive_workloads._http import Request, Response
    from kubealive_workloads._router import Routes
    from kubealive_workloads.programs import Context

FIELDS = {
    "NODE_NAME": "spec.nodeName",
    "NODE_IP": "status.hostIP",
    "POD_NAME": "metadata.name",
    "POD_IP": "status.podIP",
    "POD_NAMESPACE": "metadata.namespace",
    "POD_UID": "metadata.uid",
    "SERVICE_ACCOUNT": "spec.serviceAccountName",
    "CPU_REQUEST": "requests.cpu, in thousandths of a core",
    "CPU_LIMIT": "limits.cpu, in thousandths of a core",
    "MEMORY_REQUEST": "requests.memory, in bytes",
    "MEMORY_LIMIT": "limits.memory, in bytes",
    "POD_MOOD": "metadata.labels['mood']",
}
FILES = {"labels": "metadata.labels", "annotations": "metadata.annotations"}

DIRECTORY = "/etc/podinfo"
MAX_FILE_BYTES = 256 * 1024  # Kubernetes allows no more annotations than that
MAX_HOSTS = 20
MAX_LOOKUPS = 8  # threads at once; each ends within LOOKUP_SECONDS

# The answer has to be there before a client that waits 2 s gives up: DNS gets one part, the calls the rest.
DNS_SECONDS = 0.7
LOOKUP_SECONDS = 1.7


def routes(
    context: Context, environ: Mapping[str, str] = os.environ, *, resolv_conf: str = _dns.RESOLV_CONF
) -> Routes:
    """Answer with what `environ` and the files hold, each value None where nobody told it."""
    identity = context.identity
    backend = json_reply({"pod": identity.pod, "node": identity.node})
    hosts = _Hosts(context, environ.get("SERVICE_NAME", ""), resolv_conf)

    def root(request: Request) -> Response:
        values = _values(environ)
        return (
            json_reply(values) if "application/json" in request.headers.get("accept", "") else text(_page(values))
        )

    return {
        ("GET", "/"): root,
        ("GET", "/downward"): lambda _: json_reply(_values(environ)),
        ("GET", "/backend"): lambda _: backend,
        ("GET", "/hostz"): hosts.answer,
    }


def _values(environ: Mapping[str, str]) -> dict[str, object]:
    directory = environ.get("DOWNWARD_DIR") or DIRECTORY
    return {
        "env": {name: environ.get(name) or None for name in FIELDS},
        "files": {name: _read(f"{directory}/{name}") for name in FILES},
    }


def _read(path: str) -> dict[str, str] | None:
    """The pairs of a volume file, one `key="value"` a line; None without the file."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib would cost 1 MB
            lines = file.read(MAX_FILE_BYTES).splitlines()
    except OSError:
        return None
    return {key: _unquoted(value) for key, equals, value in (line.partition("=") for line in lines) if equals}


def _unquoted(value: str) -> str:
    """The kubelet quotes as Go does, which for all but rare characters is as JSON does; those stay as written."""
    try:
        return str(json.loads(value))
    except ValueError:
        return value


def _page(values: dict[str, object]) -> str:
    lines = ["what the Downward API told this program", ""]
    for part, fields in (("env", FIELDS), ("files", FILES)):
        given = values[part]
        assert isinstance(given, dict)  # noqa: S101 - made above
        lines += [f"{name:<16} {path:<40} {_words(given[name])}" for name, path in fields.items()]
    lines += ["", "/downward  the same as JSON", "/backend   pod and node", "/hostz     who SERVICE_NAME leads to"]
    return "\n".join(lines)


def _words(value: object) -> str:
    if value is None:
        return "unknown: nobody told it"
    return " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else str(value)


class _Hosts:
    """Looks SERVICE_NAME up in a thread of its own, since the loop waits for nobody."""

    __slots__ = ("_context", "_lock", "_resolv_conf", "_service", "_underway")

    def __init__(self, context: Context, service: str, resolv_conf: str) -> None:
        self._context = context
        self._service = service
        self._resolv_conf = resolv_conf
        self._lock = _thread.allocate_lock()
        self._underway = 0

    def answer(self, _: Request) -> Outcome:
        """Answer later with everything that was found; at once where nothing can be."""
        if not self._service:
            return refusal(503, "SERVICE_NAME is not set: name the Service that /hostz is to look up")
        with self._lock:
            if self._underway >= MAX_LOOKUPS:
                return refusal(503, f"{MAX_LOOKUPS} lookups are under way: ask again in a moment")
            self._underway += 1
        late = self._context.defer()
        _thread.start_new_thread(self._run, (late,))
        return late

    def _run(self, late: Deferred) -> None:
        outcome = refusal(500, "the lookup broke; the program's log says how")
        try:
            outcome = json_reply(self._find())
        finally:
            with self._lock:
                self._underway -= 1
            late.complete(outcome)

    def _find(self) -> dict[str, object]:
        until = time.monotonic() + LOOKUP_SECONDS
        name = self._service if self._service.startswith("_") else f"_http._tcp.{self._service}"
        resolver = _dns.read_resolver(self._resolv_conf)
        if resolver is None:
            return {"service": self._service, "error": f"{self._resolv_conf} names no DNS server"}
        named = _dns.look_up(resolver, name, _dns.SRV, seconds=DNS_SECONDS)
        hosts = [_call(resolver, record, until) for record in named.records[:MAX_HOSTS]]
        return {"service": self._service, "server": resolver.server, "srv": _told(named), "hosts": hosts}


def _call(resolver: _dns.Resolver, record: _dns.Record, until: float) -> dict[str, object]:
    """Look up where one SRV record leads, and call it."""
    assert isinstance(record, tuple)  # noqa: S101 - as the lookup gives SRV records
    *_, port, target = record
    found = _dns.look_up(resolver, f"{target}.", _dns.A, seconds=min(DNS_SECONDS, until - time.monotonic()))
    host: dict[str, object] = {"name": target, "port": port, "a": _told(found)}
    if not found.records:
        return host | {"error": f"no address: {found.rcode}"}
    address = str(found.records[0])
    got = fetch(address, port, "/backend", host=target, seconds=until - time.monotonic())
    host |= {"url": f"http://{target}:{port}/backend", "address": address, "ms": got.took_ms}
    return host | ({"error": got.error} if got.error else {"statusCode": got.status, "body": _body(got.body)})


def _told(answer: _dns.Answer) -> dict[str, object]:
    return {
        "name": answer.name,
        "rcode": answer.rcode,
        "records": answer.records,
        "ttl": answer.ttl,
        "ms": answer.took_ms,
    }


def _body(body: str) -> object:
    """The other program's JSON as it is, and anything else as text."""
    try:
        return json.loads(body)
    except ValueError:
        return body[:200]
