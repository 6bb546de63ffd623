"""May this request happen at all? Decided from the request and the world alone, before anything is asked.

Nothing outside the experiments is ever touched: the object has to exist under the UID that the client saw,
in the agent's own namespace (the world holds no other), carry the experiment's label, be of a kind that the
verb is for, and not be the agent itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kubealive.v1.agent_pb2 import ActRequest, ProbeFault, Refusal
from kubealive.v1.state_pb2 import (
    KIND_DAEMON_SET,
    KIND_DEPLOYMENT,
    KIND_POD,
    KIND_SERVICE,
    KIND_STATEFUL_SET,
    Kind,
)
from kubealive_agent._errors import RefusalError
from kubealive_agent._hints import own_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubealive_agent.world import Found, World

__all__ = ["LABEL", "MAX_REPLICAS", "RULES", "Guard", "Rule"]

LABEL = "kubealive.dev/experiment"

MAX_REPLICAS = 20
"""Most replicas of a scaled object: enough for any lesson, and a laptop's cluster survives it."""

MAX_GRACE_SECONDS = 3600
"""Longest grace of a deletion: an hour is more than anybody watches."""

MAX_DELAY_MS = 10_000
MAX_EAT_MIB = 1024
MAX_PROBES = 1000
"""The bounds of the workloads' fault port, so that what is offered here is taken there."""

MAX_EXIT_CODE = 255

STRATEGIES = ("RollingUpdate", "Recreate")
"""What a Deployment knows."""

_TAGGED = re.compile(r"[^@\s]+:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_SHARE = re.compile(r"\d{1,2}|(\d{1,2}|100)%")

MAX_ID = 128
"""Longest request id: a UUID has 36 characters."""

MAX_PORT = 65_535

MAX_PATH = 1024
"""Longest path and query of a call: the experiments' own have a dozen characters."""

MAX_BODY_BYTES = 256 * 1024
"""Largest body of a call: beyond what the workloads take, so that their refusal of a large value is seen."""

MAX_LABEL_PREFIX = 253

_PATH = re.compile(rf"/[!-~]{{0,{MAX_PATH - 1}}}")
_LABEL_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_LABEL_PREFIX = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")

_RESERVED_PREFIXES = ("kubernetes.io", "k8s.io", "kubealive.dev")
"""Prefixes that are Kubernetes' (it reserves both domains) and kubealive's, with all domains under them."""

_OWNERS_LABELS = frozenset({"pod-template-hash", "controller-revision-hash", "pod-template-generation"})
"""Labels without a prefix by which controllers know their pods."""

_WORDS = {
    KIND_POD: "pods",
    KIND_DEPLOYMENT: "Deployments",
    KIND_STATEFUL_SET: "StatefulSets",
    KIND_DAEMON_SET: "DaemonSets",
    KIND_SERVICE: "Services",
}


class Rule(NamedTuple):
    """Which kinds a verb is for, and whether its values can be had (raises RefusalError)."""

    subjects: tuple[Kind.ValueType, ...]
    check: Callable[[ActRequest], None]


class Guard:
    """Decides about requests. `own_pod` is the name of the agent's pod, `version` and `namespace` the agent's."""

    def __init__(self, world: World, *, own_pod: str, version: str, namespace: str) -> None:
        self._world = world
        self._namespace = namespace
        self._own_pod = own_pod
        self._version = version

    def check(self, request: ActRequest) -> Found:
        """The object that the request may act on. Raises RefusalError with one sentence otherwise."""
        verb = request.WhichOneof("verb")
        if verb is None:
            raise _invalid("the request names no verb; this agent can " + ", ".join(RULES))
        if not 0 < len(request.request_id) <= MAX_ID:
            raise _invalid(f"a request id has 1 to {MAX_ID} characters, not {len(request.request_id)}")
        if verb not in RULES:
            raise RefusalError(
                Refusal.REASON_UNSUPPORTED,
                f"this agent (version {self._version}) cannot {verb.replace('_', ' ')}; "
                f"install a newer one with `{own_command('up', namespace=self._namespace)}`",
            )
        found = self._subject(request, verb)
        RULES[verb].check(request)
        return found

    def _subject(self, request: ActRequest, verb: str) -> Found:
        if not request.experiment:
            raise _invalid("the request names no experiment; send the one whose tab the key was pressed on")
        found = self._world.find(request.uid)
        if found is None:
            raise RefusalError(
                Refusal.REASON_GONE,
                f"there is no object with UID {request.uid[:MAX_ID]!r} any more; choose one that is listed now",
            )
        if found.kind == KIND_POD and found.name == self._own_pod:
            raise RefusalError(
                Refusal.REASON_NOT_OURS, f"pod {found.name} is the agent itself, which it never touches"
            )
        if found.experiment != request.experiment:
            belongs = f"has {found.experiment}" if found.experiment else "does not have it"
            raise RefusalError(
                Refusal.REASON_NOT_OURS,
                f"{found.name} {belongs}: only objects labelled {LABEL}={request.experiment} are touched "
                f"for experiment {request.experiment}",
            )
        subjects = RULES[verb].subjects
        if found.kind not in subjects:
            allowed = " and ".join(_WORDS[kind] for kind in subjects)
            raise _invalid(f"{verb} is for {allowed}; {found.name} is a {Kind.Name(found.kind)[5:].lower()}")
        return found


def _check_delete(request: ActRequest) -> None:
    _within(request.delete_pod.grace_seconds, 0, MAX_GRACE_SECONDS, "grace of {} s")


def _check_scale(request: ActRequest) -> None:
    _within(request.scale.replicas, 0, MAX_REPLICAS, "{} replicas")


def _check_rollout(request: ActRequest) -> None:
    asked = request.rollout
    if not asked.ListFields():
        raise _invalid("the rollout changes nothing; choose an image, a strategy or drain")
    if asked.HasField("image") and not _TAGGED.fullmatch(asked.image):
        raise _invalid(f"image {asked.image!r} has no tag that can exist; write REPOSITORY:TAG")
    if asked.HasField("strategy") and asked.strategy not in STRATEGIES:
        raise _invalid(f"strategy {asked.strategy!r} is unknown; choose {' or '.join(STRATEGIES)}")
    numbers = [getattr(asked, name) for name in ("max_surge", "max_unavailable") if asked.HasField(name)]
    if numbers and asked.strategy == "Recreate":
        raise _invalid("Recreate has no surge and no unavailable; leave them out, or choose RollingUpdate")
    for number in numbers:
        if not _SHARE.fullmatch(number):
            raise _invalid(f"{number!r} is no number of pods; choose 0 to 99, or 0% to 100%")
    if len(numbers) == 2 and {number.rstrip("%").strip("0") for number in numbers} == {""}:
        raise _invalid("surge and unavailable are both 0, so that no pod could be replaced; let one be 1 or more")


def _anything(_request: ActRequest) -> None:
    """Whatever it says can be had, or only the object itself can tell."""


def _check_fault(request: ActRequest) -> None:
    fault = request.fault
    match fault.WhichOneof("kind"):
        case None:
            raise _invalid(
                "the fault says no kind; choose liveness, readiness, exit, hang, eat, delay, errors or cure"
            )
        case "liveness":
            _check_probe(fault.liveness, "liveness")
        case "readiness":
            _check_probe(fault.readiness, "readiness")
        case "exit_code":
            _within(fault.exit_code, 0, MAX_EXIT_CODE, "exit code {}")
        case "eat_mib_per_second":
            _within(fault.eat_mib_per_second, 1, MAX_EAT_MIB, "{} MiB a second")
        case "delay_milliseconds":
            _within(fault.delay_milliseconds, 0, MAX_DELAY_MS, "delay of {} ms")
        case "error_percent":
            _within(fault.error_percent, 0, 100, "{} % of errors")
        case "hang" | "cure":
            pass


def _check_probe(probe: ProbeFault, name: str) -> None:
    if probe.fails == ProbeFault.FAILS_NEXT:
        _within(probe.count, 1, MAX_PROBES, f"{{}} failing {name} probes")
    elif probe.fails not in {ProbeFault.FAILS_ALWAYS, ProbeFault.FAILS_NEVER}:
        raise _invalid(f"the {name} fault does not say how long; choose always, never or the next N probes")


def _check_label(request: ActRequest) -> None:
    key, value = request.label_pod.key, request.label_pod.value
    prefix, slash, name = key.rpartition("/")
    named = _LABEL_NAME.fullmatch(name) and (_LABEL_PREFIX.fullmatch(prefix) or not slash)
    if not named or len(prefix) > MAX_LABEL_PREFIX:
        raise _invalid(f"{key[:MAX_ID]!r} is no key of a label; an example is mood, or example.com/mood")
    if key in _OWNERS_LABELS or any(prefix == one or prefix.endswith(f".{one}") for one in _RESERVED_PREFIXES):
        raise RefusalError(
            Refusal.REASON_NOT_OURS,
            f"the label {key} tells Kubernetes or kubealive whose the pod is, and is not changed; choose another",
        )
    if value and not _LABEL_NAME.fullmatch(value):
        raise _invalid(f"{value[:MAX_ID]!r} is no value of a label; use up to 63 letters, digits, - . and _")


def _check_policy(request: ActRequest) -> None:
    policy = request.traffic_policy.external_traffic_policy
    if policy not in {"Cluster", "Local"}:
        raise _invalid(f"{policy[:MAX_ID]!r} is no externalTrafficPolicy; choose Cluster or Local")


def _check_call(request: ActRequest) -> None:
    call = request.call
    _within(call.port, 1, MAX_PORT, "port {}")
    if call.method not in {"", "GET", "POST"}:
        raise _invalid(f"the method {call.method[:MAX_ID]!r} is not called; choose GET or POST")
    if call.path and not _PATH.fullmatch(call.path):
        raise _invalid(
            f"{call.path[:MAX_ID]!r} is no path; it begins with /, and has up to {MAX_PATH} printable characters "
            "without spaces"
        )
    if call.body and call.method != "POST":
        raise _invalid("only a POST has a body; say POST, or leave the body out")
    _within(len(call.body.encode()), 0, MAX_BODY_BYTES, "a body of {} bytes")


def _within(value: int, low: int, high: int, words: str) -> None:
    if not low <= value <= high:
        raise _invalid(f"{words.format(value)} cannot be had; choose {low} to {high}")


def _invalid(message: str) -> RefusalError:
    return RefusalError(Refusal.REASON_INVALID, message)


RULES: dict[str, Rule] = {
    "call": Rule((KIND_POD, KIND_SERVICE, KIND_DEPLOYMENT, KIND_STATEFUL_SET, KIND_DAEMON_SET), _check_call),
    "delete_pod": Rule((KIND_POD,), _check_delete),
    "fault": Rule((KIND_POD,), _check_fault),
    "label_pod": Rule((KIND_POD,), _check_label),
    "pause": Rule((KIND_DEPLOYMENT,), _anything),
    "restart": Rule((KIND_DEPLOYMENT,), _anything),
    "rollout": Rule((KIND_DEPLOYMENT,), _check_rollout),
    "scale": Rule((KIND_DEPLOYMENT, KIND_STATEFUL_SET), _check_scale),
    "traffic_policy": Rule((KIND_SERVICE,), _check_policy),
    "undo": Rule((KIND_DEPLOYMENT,), _anything),
}
"""What this agent can carry out, by the verb's field in ActRequest. Who performs it is put together in wiring."""
