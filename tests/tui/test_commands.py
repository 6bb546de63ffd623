"""Keys, refusals, confirmations and kubectl text, as tables."""

import ast
import json
import re
import shlex
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import pytest

from kubealive.v1.state_pb2 import Workload
from kubealive_agent.actions._rollouts import _patch as agents_patch
from kubealive_tui.commands import (
    Confirmations,
    Do,
    Global,
    Keymap,
    Place,
    _kubectl,
    kubectl,
    kubectl_watch,
    question,
    refusal,
)
from kubealive_tui.experiments import Command, Experiment, Settings, balance, discover
from kubealive_tui.feed._convert import act_request
from kubealive_tui.model import (
    Act,
    Call,
    DeletePod,
    Fault,
    FaultKind,
    Info,
    LabelPod,
    LoadMode,
    Pause,
    ProbeFails,
    Request,
    Restart,
    Rollout,
    Scale,
    SetLoad,
    Size,
    StopAll,
    StopLoad,
    Target,
    TrafficPolicy,
    Undo,
    Verb,
    line,
    plain,
)
from kubealive_tui.store import Store
from kubealive_tui.ui.dialogs import Text, kubectl_lines
from kubealive_tui.ui.dialogs._dialog import LINES_KEPT_ABOVE
from tests.tui.ui.scripts import LIVE, Script

POD = "getip-5f6b8cd8c-4ldf9"
BASE = ["kubectl", "--context", "dev's cluster", "-n", "kubealive"]
TARGET = Target(service="getip", path="/it's")


def _store() -> Store:
    store = Store()
    store.apply(LIVE)
    store.apply(Script().snapshot())
    return store


def _text(request: Request) -> str:
    text = kubectl(request, _store(), context="dev's cluster", namespace="kubealive")
    assert text is not None
    return text


def _act(verb: Verb, uid: str = "uid-0", name: str = POD) -> Act:
    return Act("balance", uid, name, verb)


def _deploy(verb: Verb) -> Act:
    return _act(verb, "deploy-1", "getip")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (_act(DeletePod()), ["delete", "pod", POD, "--wait=false"]),
        (_act(DeletePod(0)), ["delete", "pod", POD, "--wait=false", "--grace-period=0", "--force"]),
        (_act(DeletePod(5)), ["delete", "pod", POD, "--wait=false", "--grace-period=5"]),
        (_act(Scale(3), "deploy-1", "getip"), ["scale", "deployment/getip", "--replicas=3"]),
        (_deploy(Rollout("x/workload:v2")), ["set", "image", "deployment/getip", "app=x/workload:v2"]),
        (_deploy(Pause(paused=True)), ["rollout", "pause", "deployment/getip"]),
        (_deploy(Pause(paused=False)), ["rollout", "resume", "deployment/getip"]),
        (_deploy(Undo()), ["rollout", "undo", "deployment/getip"]),
        (_deploy(Undo(3)), ["rollout", "undo", "deployment/getip", "--to-revision=3"]),
        (_deploy(Restart()), ["rollout", "restart", "deployment/getip"]),
        (_act(LabelPod("mood", "calm")), ["label", "pod", POD, "mood=calm", "--overwrite"]),
        (_act(LabelPod("mood", None)), ["label", "pod", POD, "mood-", "--overwrite"]),
        (
            _act(TrafficPolicy("Local"), "service-1", "backend"),
            [
                "patch",
                "service",
                "backend",
                "--type=merge",
                "--patch",
                '{"spec": {"externalTrafficPolicy": "Local"}}',
            ],
        ),
    ],
    ids=[
        "delete",
        "force",
        "grace",
        "scale",
        "image",
        "pause",
        "resume",
        "undo",
        "undo to a revision",
        "restart",
        "label",
        "label off",
        "policy",
    ],
)
def test_kubectl_words(request_: Request, words: list[str]) -> None:
    """The text splits into the words that kubectl is to get, whatever the context is called."""
    assert shlex.split(_text(request_)) == [*BASE, *words]


@pytest.mark.parametrize(
    "rollout",
    [
        Rollout("x/workload:v2", drain=False),
        Rollout("x/workload:v2", drain=True),
        Rollout(strategy="RollingUpdate", max_surge="100%", max_unavailable="0"),
        Rollout("x/workload:v2", strategy="Recreate", drain=False),
    ],
    ids=["drain off", "drain on", "strategy", "all of it"],
)
def test_kubectl_patches_as_the_agent_does(rollout: Rollout) -> None:
    """A paste changes what the key changed, to the last field; only the UID is not asked for."""
    wire = act_request(_deploy(rollout), request_id="r", session_id="s").rollout
    before = Workload(container="app", image="x/workload:v1", strategy="RollingUpdate", max_surge="1")

    words = shlex.split(_text(_deploy(rollout)))
    assert words[:-1] == [*BASE, "patch", "deployment", "getip", "--patch"]
    assert json.loads(words[-1]) == agents_patch(before, wire)


@pytest.mark.parametrize(
    ("fault", "path", "body"),
    [
        (Fault(FaultKind.LIVENESS, ProbeFails.ALWAYS), "liveness", {"fail": "always"}),
        (Fault(FaultKind.READINESS, ProbeFails.NEVER), "readiness", {"fail": "never"}),
        (Fault(FaultKind.READINESS, ProbeFails.NEXT, 3), "readiness", {"fail": "next", "count": 3}),
        (Fault(FaultKind.EXIT, amount=3), "exit", {"code": 3}),
        (Fault(FaultKind.HANG), "hang", {}),
        (Fault(FaultKind.EAT, amount=64), "eat", {"mib_per_second": 64}),
        (Fault(FaultKind.DELAY, amount=250), "delay", {"milliseconds": 250}),
        (Fault(FaultKind.ERRORS, amount=20), "errors", {"percent": 20}),
        (Fault(FaultKind.CURE), "cure", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_kubectl_fault(fault: Fault, path: str, body: dict[str, object]) -> None:
    """A fault is posted to the pod's own fault port, with the token that only the pod knows."""
    words = shlex.split(_text(_act(fault)))
    script = words[-1]
    assert words[:-1] == [*BASE, "exec", POD, "--", "python3", "-c"]
    literals = [node.value for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Constant)]
    assert f"http://127.0.0.1:8081/faults/{path}" in literals
    assert "FAULT_TOKEN" in literals
    assert body in [json.loads(value) for value in literals if isinstance(value, bytes)]


@pytest.mark.parametrize(
    ("load", "count"),
    [
        (SetLoad("balance", TARGET, rate=100.0), 1000),
        (SetLoad("balance", TARGET, burst=50), 50),
        (SetLoad("balance", TARGET, LoadMode.KEPT, rate=2.0), 20),
    ],
    ids=["new", "burst", "kept"],
)
def test_kubectl_load(load: SetLoad, count: int) -> None:
    """A load is a Python program of that many requests, and every name in it is quoted."""
    words = shlex.split(_text(load))
    assert words[:8] == [*BASE, "exec", "deployment/kubealive-agent", "--"]
    literals = [node.value for node in ast.walk(ast.parse(words[-1])) if isinstance(node, ast.Constant)]
    assert {"getip", "/it's", count} <= set(literals)


class _Server(ThreadingHTTPServer):
    """Answers as a pod does, and counts its connections."""

    connections = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)


class _Pod(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("X-Pod-Name", "getip-1")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's own word
        """Say nothing."""


@pytest.mark.parametrize(
    ("load", "connections"),
    [
        (SetLoad("balance", Target(pod_uid="p"), LoadMode.NEW, burst=5), 5),
        (SetLoad("balance", Target(pod_uid="p"), LoadMode.KEPT, burst=5), 1),
        (SetLoad("balance", Target(pod_uid="p"), cpu=1.0), 5),
    ],
    ids=["new", "kept", "cpu"],
)
def test_a_pasted_load_asks_as_the_agent_does(
    load: SetLoad, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program runs, counts who answered, and opens a connection for each of five requests or one for all."""
    monkeypatch.setattr(_kubectl, "PASTED_CPU_SECONDS", 0.1)
    with _Server(("127.0.0.1", 0), _Pod) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        target = replace(load.target, port=server.server_port)
        script = shlex.split(_text(replace(load, target=target)))[-1]
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        server.shutdown()

    assert done.stdout.strip() == "Counter({'getip-1': 5})"
    assert server.connections == connections


def test_kubectl_call() -> None:
    """A call is made where the agent makes it, by a Python program in which every name is quoted."""
    words = shlex.split(_text(_act(Call("phoenix-1.phoenix", 8080, "/store", "POST", "it's"))))
    literals = [node.value for node in ast.walk(ast.parse(words[-1])) if isinstance(node, ast.Constant)]

    assert words[:8] == [*BASE, "exec", "deployment/kubealive-agent", "--"]
    assert {"http://phoenix-1.phoenix:8080/store", "POST", b"it's"} <= set(literals)


def test_kubectl_load_of_cpu() -> None:
    """A load of CPU asks for as many burns as make it, for as long as an autoscaler takes to notice."""
    words = shlex.split(_text(SetLoad("balance", TARGET, cpu=0.5)))
    literals = [node.value for node in ast.walk(ast.parse(words[-1])) if isinstance(node, ast.Constant)]
    assert {"getip", "/burn?milliseconds=20", 0.04, 1500} <= set(literals)


LONG = Target(service="getip", path="/store?" + "it's a long way, " * 6)


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(_act(Fault(FaultKind.READINESS, ProbeFails.NEXT, 3)), id="fault"),
        pytest.param(_act(Call("phoenix-1.phoenix", 8080, "/store", "POST", "many words " * 9)), id="call"),
        pytest.param(_act(Call("phoenix-1.phoenix", 8080, "/value")), id="call without a body"),
        pytest.param(SetLoad("balance", TARGET, rate=100.0), id="new"),
        pytest.param(SetLoad("balance", TARGET, LoadMode.KEPT, rate=2.0), id="kept"),
        pytest.param(SetLoad("balance", TARGET, cpu=0.5), id="cpu"),
        pytest.param(SetLoad("balance", LONG, rate=100.0), id="long path"),
        pytest.param(StopAll(), id="stop all"),
    ],
)
@pytest.mark.parametrize("width", [80, 160])
def test_a_program_copied_off_the_screen_is_the_same(request_: Request, width: int) -> None:
    """With the margin and the breaks of a screen it is the program that the key copies."""
    text = _text(request_)
    page = Text(line("KUBECTL"), lambda: kubectl_lines(text, "", width=width)).page(Size(width, 99))
    rows = [f"  {plain(row)}" for row in page.lines]
    copied = "\n".join(rows[1 : rows.index("  ")])

    def programs(command: str) -> list[str]:
        words = shlex.split(re.sub(r" \\\n *", " ", command))
        scripts = [after.rstrip(";") for before, after in pairwise(words) if before == "-c"]
        return [ast.dump(ast.parse(script)) for script in scripts]

    assert len(programs(text)) == 1
    assert programs(copied) == programs(text)


def test_a_load_and_its_kubectl_fit_on_a_small_screen() -> None:
    """The whole program can be seen, and so be copied, at 80x24."""
    for mode in LoadMode:
        text = _text(SetLoad("balance", TARGET, mode, rate=100.0))
        assert len(kubectl_lines(text, "kubectl get pods", width=80)) - 3 <= 24 - LINES_KEPT_ABOVE - 2


def test_kubectl_stop_all() -> None:
    """Curing everything is a loop over the experiments' pods."""
    words = shlex.split(_text(StopAll()))
    assert words[:3] == ["for", "pod", "in"]
    assert "do" in words
    assert words[-1] == "done"


def test_kubectl_has_no_equal_for_stopping_a_load() -> None:
    """What kubectl cannot do is not made up."""
    assert kubectl(StopLoad("balance"), _store(), context="dev", namespace="kubealive") is None


def test_kubectl_watch_names_the_experiment() -> None:
    """The watch command selects by the experiment's label."""
    text = kubectl_watch("balance", context="", namespace="lab")
    expected = "kubectl -n lab get pods -l kubealive.dev/experiment=balance -o wide --watch"
    assert text == expected


def test_a_kubeconfig_of_its_own_is_named() -> None:
    """A sandbox's cluster, or one that a flag chose, is in no file that kubectl would read by itself."""
    act = _act(DeletePod())
    done = kubectl(act, _store(), context="sandbox", namespace="lab", kubeconfig="/my box/kubeconfig")
    watch = kubectl_watch("balance", context="sandbox", namespace="lab", kubeconfig="/my box/kubeconfig")
    for text in (done, watch):
        assert text is not None
        assert shlex.split(text)[:5] == [
            "kubectl",
            "--kubeconfig",
            "/my box/kubeconfig",
            "--context",
            "sandbox",
        ]


# ---- keymap


@pytest.mark.parametrize("place", list(Place), ids=lambda place: place.name.lower())
@pytest.mark.parametrize("experiment", [None, *discover()], ids=lambda e: e.name if e else "none")
def test_keys_have_one_meaning(place: Place, experiment: Experiment | None) -> None:
    """No global key is bound twice in a place, and no experiment takes one."""
    keymap = Keymap(place, experiment)
    bound = [key for entry in keymap.globals for key in entry.keys]
    assert len(bound) == len(set(bound))


def test_key_of_the_registry_cannot_be_taken() -> None:
    """An experiment that takes a global key is refused with both meanings."""
    greedy = Experiment("greedy", order=1, title="", long_title="", lesson="")
    greedy.use(Command("q", "query", "", "ask", lambda _: ()))
    with pytest.raises(ValueError, match=r"query takes the key 'q', which means .*leave"):
        Keymap(Place.TAB, greedy)


@pytest.mark.parametrize("key", ["k", "d", "ctrl+d"])
@pytest.mark.parametrize("experiment", discover(), ids=lambda e: e.name)
def test_old_reflexes_never_destroy(key: str, experiment: Experiment) -> None:
    """Keys that delete in other programs do not here."""
    found = Keymap(Place.TAB, experiment).find(key)
    assert not (isinstance(found, Command) and found.danger)


def test_key_line_pairs_keys_and_ends_with_help() -> None:
    """Two keys of one meaning share an entry, and ? is the last."""
    hints = Keymap(Place.TAB, balance.lab).line(read_only=False)
    assert ("+ -", "rate") in [(hint.keys, hint.label) for hint in hints]
    assert hints[-1].keys == "?"


@pytest.mark.parametrize("where", ["line", "palette"])
def test_read_only_offers_no_trigger(where: str) -> None:
    """What would be refused is advertised neither by its key nor by its name."""
    for place in (Place.TAB, Place.OVERVIEW):
        for hint in getattr(Keymap(place, balance.lab), where)(read_only=True):
            assert not (isinstance(hint.target, Command) and hint.target.triggers)
            assert not (isinstance(hint.target, Global) and hint.target.do in {Do.STOP_ALL, Do.CHECK})


# ---- guard

COMMAND = Command("x", "kill", "kill", "delete the pod", lambda _: (), danger="delete a pod", needs="delete_pod")
OLD = Info(version="0.0.1", epoch=1, namespace="class", capabilities=frozenset({"load"}))


@pytest.mark.parametrize(
    ("effects", "read_only", "info", "words"),
    [
        ([_act(DeletePod())], False, None, ""),
        ([_act(DeletePod())], True, None, "read-only: kill changes the cluster"),
        ([Settings(), "mode: kept"], True, None, ""),
        (
            [_act(DeletePod())],
            False,
            OLD,
            "this agent (0.0.1) cannot delete the pod: kubealive up -n class",
        ),
    ],
    ids=["allowed", "read-only", "settings-only", "old-agent"],
)
def test_refusal(effects: list[object], read_only: bool, info: Info | None, words: str) -> None:  # noqa: FBT001 - a table's column
    """What is refused says what and why; what sends nothing is not refused."""
    found = refusal(COMMAND, effects, read_only=read_only, info=info)  # type: ignore[arg-type]  # a table's column
    assert found.startswith(words)
    assert bool(found) == bool(words)


def test_each_kind_of_danger_asks_once() -> None:
    """The first act of each kind asks, the next of that kind does not, another kind does."""
    confirmations = Confirmations()
    assert confirmations.wanted("delete a pod")
    confirmations.give("delete a pod")
    assert not confirmations.wanted("delete a pod")
    assert confirmations.wanted("scale down")
    assert not confirmations.wanted("")


def test_question_names_target_and_place() -> None:
    """The question says what, which object, and where."""
    asked = question("delete a pod", [_act(DeletePod())], namespace="kubealive", context="dev")
    assert (asked.what, asked.target, asked.namespace, asked.context) == ("delete a pod", POD, "kubealive", "dev")
