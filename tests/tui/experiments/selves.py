"""Short ways to write the Downward API's pods and the pages that they answer with."""

import json
from dataclasses import replace
from typing import Any

from kubealive_tui.experiments import Scene
from kubealive_tui.experiments.downward import lab
from kubealive_tui.experiments.downward._told import PATH
from kubealive_tui.model import Change, Fact, Info, Kind, LinkEvent, LinkState, Node, Pod, Reading, Size, Workload
from kubealive_tui.store import Store
from tests.tui import signals
from tests.tui.signals import EPOCH, START, frame, snapshot

AGENT = Pod("agent", "kubealive-agent-1", node="node-1", ip="10.244.1.9", service_account="kubealive-agent")
OWN = {"NODE_NAME": "node-1", "POD_IP": "10.244.1.9", "SERVICE_ACCOUNT": "kubealive-agent", "CPU_LIMIT": "2000"}


def pod(uid: str = "p1", **more: Any) -> Pod:
    """A knowingnode pod as the API has it."""
    given: dict[str, Any] = {
        "node": "node-1", "ip": "10.244.1.2", "status": "Running", "ready": True, "created_us": START,
        "labels": {"mood": "calm", "app": "knowingnode"}, "annotations": {"motto": "know thyself"},
        "service_account": "default", "cpu_request_millis": 10, "cpu_limit_millis": 250,
        "memory_request_bytes": 1 << 24, "memory_limit_bytes": 1 << 26,
    }  # fmt: skip
    owner = "knowingnode-5f6b8cd8c"
    return Pod(uid, f"{owner}-{uid:a>5}", "downward", "rs-1", owner, Kind.REPLICA_SET, **(given | more))


def bare() -> Pod:
    """The pod that is told nothing."""
    found = pod("b1", labels={"app": "knowingnode-bare"}, annotations={})
    return replace(found, name="knowingnode-bare-7c9aaaaaaa-aaab1", owner_uid="rs-2")


def page(of: Pod, **env: str | None) -> str:
    """What a pod says of itself; `env` changes variables, None for untold ones."""
    told = {
        "NODE_NAME": of.node, "NODE_IP": "10.0.0.1", "POD_NAME": of.name, "POD_IP": of.ip, "POD_UID": of.uid,
        "POD_NAMESPACE": "kubealive", "SERVICE_ACCOUNT": "default", "CPU_REQUEST": "10", "CPU_LIMIT": "250",
        "MEMORY_REQUEST": str(1 << 24), "MEMORY_LIMIT": str(1 << 26), "POD_MOOD": "calm",
    }  # fmt: skip
    kubelets = {"kubernetes.io/config.seen": "now", "kubernetes.io/config.source": "api"}
    files = {"labels": dict(of.labels), "annotations": {**of.annotations, **kubelets}}
    return json.dumps({"env": {**told, **env}, "files": files})


def nothing() -> str:
    """What the bare pod says."""
    names = list(json.loads(page(pod()))["env"])
    return json.dumps({"env": dict.fromkeys(names), "files": {"labels": None, "annotations": None}})


def reading(uid: str, text: str | None = None, error: str = "") -> Reading:
    """An answer of a pod to the question for its page."""
    return Reading(Kind.POD, uid, uid, PATH, text, error=error)


def fact(sequence: int, seconds: float, body: Any, action_id: str = "") -> Fact:
    return signals.fact(sequence, seconds, body, action_id=action_id, experiment="downward")


def connected(**downward: str) -> LinkEvent:
    """A live link to an agent that was told this about itself."""
    info = Info("0.1.0", EPOCH, "kubealive", "kubealive-agent-1", "node-1", downward=downward or OWN)
    return LinkEvent(LinkState.CONNECTED, info=info, round_trip_ms=3.0)


def state(*pods: Pod) -> list[Change]:
    """Both Deployments, the node, and these pods."""
    workloads = [
        Workload(
            "d1", Kind.DEPLOYMENT, "knowingnode", "downward", desired=sum("bare" not in p.name for p in pods)
        ),
        Workload(
            "d2", Kind.DEPLOYMENT, "knowingnode-bare", "downward", desired=sum("bare" in p.name for p in pods)
        ),
    ]
    return [
        *(Change(Kind.DEPLOYMENT, each.uid, each) for each in workloads),
        Change(Kind.NODE, "n1", Node("n1", "node-1", "Ready", internal_ip="10.0.0.1")),
        *(Change(Kind.POD, each.uid, each) for each in (*pods, AGENT)),
    ]


def store_of(*pods: Pod, said: dict[str, str] | None = None) -> Store:
    """A store with these pods, each of which has said its page, or what `said` has for it."""
    store = Store({lab.name: lab.stopwatches})
    store.apply(connected())
    store.apply(snapshot(*state(*pods)))
    pages = {each.uid: nothing() if "bare" in each.name else page(each) for each in pods} | (said or {})
    facts = [fact(n, 1.0, reading(uid, text)) for n, (uid, text) in enumerate(pages.items(), 1)]
    store.apply(frame(len(facts), 1.0, *facts))
    return store


def scene(store: Store, selected: str | None = "p1", width: int = 80) -> Scene:
    return Scene(store, lab, lab.settings(), selected, Size(width, 24), me="me@here")
