"""The kubectl command that does what a key did, so that a user can take it away and repeat it by hand.

Every text works when pasted into a POSIX shell: all that could be special there is quoted, and context and
namespace are named, so that it acts where the key acted.
"""

import json
import shlex

from kubealive_tui.model import (
    Act,
    Call,
    DeletePod,
    Fault,
    FaultKind,
    Kind,
    LabelPod,
    LoadMode,
    Pause,
    Request,
    Restart,
    Rollout,
    Scale,
    SetLoad,
    StopAll,
    Target,
    TrafficPolicy,
    Undo,
    Workload,
)
from kubealive_tui.store import Store

__all__ = ["kubectl", "kubectl_watch"]

# A load pasted into a shell ends by itself: nobody leases it there.
PASTED_LOAD_SECONDS = 10
# An autoscaler takes half a minute to notice.
PASTED_CPU_SECONDS = 60
# CPU that each pasted request burns, as the agent's do.
BURN_MS = 20
_AGENT = "deployment/kubealive-agent"
# Of a long text, so many characters stand on a line: quoted for Python and for a shell they still fit.
_PIECE = 32

# The programs begin with a block: what is copied off a screen has its margin before each line, which a block does
# not mind. No line is so long that a screen of 80 columns would break it.
_FAULT = """\
if 1:
    import os, urllib.request
    print(urllib.request.urlopen(urllib.request.Request(
        "http://127.0.0.1:8081/faults/{path}",
        data={body},
        headers={{"Authorization": "Bearer " + os.environ["FAULT_TOKEN"]}},
    )).read().decode())"""

_CALL = """\
if 1:
    import urllib.request
    print(urllib.request.urlopen(urllib.request.Request(
        {url},
        data={body},
        method="{method}",
    ), timeout=2).read().decode())"""

# A connection that was closed is opened anew by the next request on it.
_GET = """\
        try:
            connection.request("GET", path)
            reply = connection.getresponse()
            reply.read()
            served[reply.getheader("X-Pod-Name")] += 1
        except (OSError, http.client.HTTPException) as error:
            served[type(error).__name__] += 1
            connection.close()
"""

_LOAD = f"""\
if 1:
    import collections, http.client, time
    host, path = {{where}}
    served = collections.Counter()
    connection = http.client.HTTPConnection(host, {{port}}, timeout=2)
    for _ in range({{count}}):
{_GET}{{after}}        time.sleep({{pause}})
    print(served)"""
_AFTER = {LoadMode.NEW: "        connection.close()\n", LoadMode.KEPT: ""}

_BURN = f"""\
if 1:
    import collections, concurrent.futures, http.client, time
    host, path = {{where}}
    served, began = collections.Counter(), time.monotonic()
    def burn(n):
        time.sleep(max(0, began + n * {{pause}} - time.monotonic()))
        connection = http.client.HTTPConnection(host, {{port}}, timeout=2)
{_GET}        connection.close()
    with concurrent.futures.ThreadPoolExecutor(50) as clients:
        list(clients.map(burn, range({{count}})))
    print(served)"""


def kubectl(request: Request, store: Store, *, context: str, namespace: str, kubeconfig: str = "") -> str | None:
    """The command that does the same as `request`, or None where kubectl has no equal (stopping one load).

    `kubeconfig` is the file of the context, where kubectl would not find it by itself.
    """
    base = _base(context, namespace, kubeconfig)
    match request:
        case Act() as act:
            return shlex.join([*base, *_act(act, store)])
        case SetLoad() as load:
            return shlex.join([*base, "exec", _AGENT, "--", "python3", "-c", _load_script(load, store)])
        case StopAll():
            return _cure_all(base)
        case _:
            return None


def kubectl_watch(experiment: str, *, context: str, namespace: str, kubeconfig: str = "") -> str:
    """The command that shows the pods of an experiment as they change; of all experiments when it is empty."""
    selector = f"kubealive.dev/experiment={experiment}" if experiment else "app.kubernetes.io/part-of=kubealive"
    return shlex.join(
        [*_base(context, namespace, kubeconfig), "get", "pods", "-l", selector, "-o", "wide", "--watch"]
    )


def _base(context: str, namespace: str, kubeconfig: str) -> list[str]:
    where = (("--kubeconfig", kubeconfig), ("--context", context), ("-n", namespace))
    return ["kubectl", *(word for flag, value in where if value for word in (flag, value))]


def _act(act: Act, store: Store) -> list[str]:
    """What follows the namespace."""
    name = act.name
    match act.verb:
        case DeletePod(grace_seconds=grace):
            return ["delete", "pod", name, "--wait=false", *_grace(grace)]
        case Scale(replicas=replicas):
            return ["scale", f"{_kind(store, act)}/{name}", f"--replicas={replicas}"]
        case Pause() | Undo() | Restart():
            return ["rollout", *_rolling(act)]
        case Rollout() as rollout:
            return _rollout(rollout, name, _workload(store, act))
        case Fault() as fault:
            return ["exec", name, "--", "python3", "-c", _fault_script(fault)]
        case LabelPod(key=key, value=value):
            return ["label", "pod", name, f"{key}-" if value is None else f"{key}={value}", "--overwrite"]
        case TrafficPolicy(external_traffic_policy=policy):
            patch = json.dumps({"spec": {"externalTrafficPolicy": policy}})
            return ["patch", "service", name, "--type=merge", "--patch", patch]
        case Call() as call:
            return ["exec", _AGENT, "--", "python3", "-c", _call_script(call)]


def _grace(seconds: int | None) -> list[str]:
    if seconds is None:
        return []
    return ["--grace-period=0", "--force"] if seconds == 0 else [f"--grace-period={seconds}"]


def _workload(store: Store, act: Act) -> Workload | None:
    """The workload that is acted on, unless it is gone."""
    return next((workload for workload in store.workloads(act.experiment) if workload.uid == act.uid), None)


def _kind(store: Store, act: Act) -> str:
    """The workload's kind as kubectl spells it; a Deployment where it is gone already."""
    workload = _workload(store, act)
    return (workload.kind if workload else Kind.DEPLOYMENT).word


def _rolling(act: Act) -> list[str]:
    """What follows `kubectl rollout`."""
    deployment = f"deployment/{act.name}"
    match act.verb:
        case Pause(paused=paused):
            return ["pause" if paused else "resume", deployment]
        case Undo(revision=revision):
            return ["undo", deployment, *([f"--to-revision={revision}"] if revision else [])]
        case _:
            return ["restart", deployment]


def _rollout(rollout: Rollout, name: str, workload: Workload | None) -> list[str]:
    """A new image alone has a command of its own; all else is a patch like the agent's, but for the UID."""
    container = workload.container if workload else name
    if rollout == Rollout(image=rollout.image):
        return ["set", "image", f"deployment/{name}", f"{container}={rollout.image}"]
    return ["patch", "deployment", name, "--patch", json.dumps({"spec": _spec(rollout, container)})]


def _spec(rollout: Rollout, container: str) -> dict[str, object]:
    spec: dict[str, object] = {}
    numbers = {"maxSurge": rollout.max_surge, "maxUnavailable": rollout.max_unavailable}
    if rollout.strategy == "Recreate":
        spec["strategy"] = {"type": "Recreate", "rollingUpdate": None}
    elif rollout.strategy:
        given = {key: int(n) if n.isdigit() else n for key, n in numbers.items() if n}
        spec["strategy"] = {"type": rollout.strategy, "rollingUpdate": given}
    changes: dict[str, object] = {"image": rollout.image} if rollout.image else {}
    if rollout.drain is not None:
        changes |= _DRAIN_ON if rollout.drain else _DRAIN_OFF
    if changes:
        spec["template"] = {"spec": {"containers": [{"name": container, **changes}]}}
    return spec


_DRAIN_OFF = {"readinessProbe": None, "lifecycle": None, "env": [{"name": "DRAIN", "value": "off"}]}
_DRAIN_ON = {
    "readinessProbe": {
        "httpGet": {"path": "/readyz", "port": "http"},
        "periodSeconds": 1,
        "timeoutSeconds": 1,
        "failureThreshold": 1,
    },
    "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
    "env": [{"name": "DRAIN", "value": "on"}],
}


def _call_script(call: Call) -> str:
    url, body = f"http://{call.host}:{call.port}{call.path}", call.body.encode() if call.body else None
    return _CALL.format(url=_literal(url), body=_literal(body), method=call.method)


_PATHS = {FaultKind.EXIT: "exit", FaultKind.EAT: "eat", FaultKind.DELAY: "delay", FaultKind.ERRORS: "errors"}
_AMOUNTS = {
    FaultKind.EXIT: "code",
    FaultKind.EAT: "mib_per_second",
    FaultKind.DELAY: "milliseconds",
    FaultKind.ERRORS: "percent",
}


def _fault_script(fault: Fault) -> str:
    body: dict[str, str | int] = {}
    if fault.fails is not None:
        body["fail"] = fault.fails.value
        if fault.fails.value == "next":
            body["count"] = fault.amount
    elif fault.kind in _AMOUNTS:
        body[_AMOUNTS[fault.kind]] = fault.amount
    path = _PATHS.get(fault.kind, fault.kind.value)
    return _FAULT.format(path=path, body=_literal(json.dumps(body).encode()))


def _load_script(load: SetLoad, store: Store) -> str:
    host, port = _address(load.experiment, load.target, store)
    if load.cpu:
        rate = load.cpu * 1000 / BURN_MS
        count, path = max(1, round(rate * PASTED_CPU_SECONDS)), f"/burn?milliseconds={BURN_MS}"
        return _BURN.format(count=count, where=_pair(host, path), port=port, pause=f"{1 / rate:g}")
    rate = load.rate or 0.0
    count = load.burst or max(1, round(rate * PASTED_LOAD_SECONDS))
    pause = f"{1 / rate:g}" if rate else "0"
    where = _pair(host, load.target.path)
    return _LOAD.format(count=count, where=where, port=port, after=_AFTER[load.mode], pause=pause)


def _pair(host: str, path: str) -> str:
    short = f"{host!r}, {path!r}"
    return short if len(short) <= _PIECE else f"(\n        {_literal(host)},\n        {_literal(path)},\n    )"


def _literal(value: str | bytes | None) -> str:
    """The value as Python writes it within parentheses, in pieces that fit on a line."""
    if not value:
        return repr(value)
    pieces = (value[at : at + _PIECE] for at in range(0, len(value), _PIECE))
    return "\n        ".join(map(repr, pieces))


def _address(experiment: str, target: Target, store: Store) -> tuple[str, int]:
    if target.service:
        ports = [s.ports[0].port for s in store.services(experiment) if s.name == target.service and s.ports]
        return target.service, target.port or (ports[0] if ports else 80)
    if target.node:
        addresses = [node.internal_ip for node in store.nodes() if node.name == target.node]
        return next(iter(addresses), target.node), target.port or 80
    pod = store.pod(target.pod_uid)
    return (pod.ip if pod else "127.0.0.1"), target.port or 8080


def _cure_all(base: list[str]) -> str:
    pods = shlex.join([*base, "get", "pods", "-l", "kubealive.dev/experiment", "-o", "name"])
    cure = shlex.join(["--", "python3", "-c", _fault_script(Fault(FaultKind.CURE))])
    return f'for pod in $({pods}); do {shlex.join([*base, "exec"])} "$pod" {cure}; done'
