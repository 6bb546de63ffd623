"""The agent shares a small cluster with what it measures: its memory and its CPU are what it takes away.

The real agent reads an API server with few and with 5,000 pods and 500 events a second, a viewer on its stream;
then it carries load. With KUBECONFIG, an agent that idles in that cluster is asked for its own account too.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psutil

from bench._cluster import Api, agent, api_server
from bench._figures import Figure, Finding, Skipped, spread
from bench._installed import installed
from bench._objects import NAMESPACE, pod_uid
from bench._options import Options
from bench._peers import Absent, nginx, peer
from bench._process import cpu_seconds, environment, resident_mb, running
from bench._viewer import viewer
from kubealive.v1.agent_pb2 import SetLoadRequest
from kubealive.v1.state_pb2 import LOAD_MODE_NEW, LoadTarget

FEW, MANY = 4, 5_000
EVENTS = 500.0
WINDOWS, WINDOW_S = 5, 4.0
SETTLE_S = 2.0
SAMPLED_S = 12.0
"""The agent measures its own memory each ten seconds."""

LOAD_RATE = 100.0
LOAD_S, LONG_LOAD_S = 60.0, 600.0
WARM_SHARE = 1 / 6
"""Of a load's time: what a first use costs (a child process, imports, arenas) is no growth."""


def run(options: Options) -> Iterator[Finding]:
    """Memory idle, at 5,000 pods and over load; CPU at 500 events a second."""
    with api_server(pods=FEW) as api, agent(api) as (process, port), viewer(port):
        time.sleep(SETTLE_S)
        yield Figure(what="agent RSS, idle, 4 pods", value=resident_mb(process), unit="MB", most=60)
    try:
        yield from _in_cluster(options)
    except Absent as exc:
        yield Skipped("agent RSS, idle, in the cluster", str(exc))
    yield from _many()
    try:
        yield from _under_load(LONG_LOAD_S if options.long else LOAD_S)
    except Absent as exc:
        yield Skipped("agent RSS over load", str(exc))


def _in_cluster(options: Options) -> Iterator[Finding]:
    with installed(options) as install, install.agent_port() as port, viewer(port) as reader:
        time.sleep(SAMPLED_S)
        mine = reader.status.rss_bytes / (1 << 20)
    yield Figure(what="agent RSS, idle, in the cluster, by its own account", value=mine, unit="MB", most=60)


def _many() -> Iterator[Finding]:
    with api_server(pods=MANY) as api, agent(api) as (process, port), viewer(port) as reader:
        time.sleep(SETTLE_S)
        yield Figure(what="agent RSS, 5,000 pods", value=resident_mb(process), unit="MB", most=90)
        api.churn(EVENTS)
        time.sleep(SETTLE_S)
        told, began = len(reader.facts), time.monotonic()
        shares = [_cpu_share(process) for _ in range(WINDOWS)]
        rate = (len(reader.facts) - told) / (time.monotonic() - began)
        beside = f"{spread(shares)} %, {rate:.0f} facts/s at one viewer{_kubectl(api)}"
        yield Figure(
            what="agent CPU at 500 events/s", value=median(shares), unit="% of a core", most=10, beside=beside
        )
        yield Figure(what="agent RSS, 5,000 pods, after them", value=resident_mb(process), unit="MB", most=90)


def _kubectl(api: Api) -> str:
    """What `kubectl get pods -w` takes for the same events, in words; empty where it is absent."""
    try:
        program = peer("kubectl")
    except Absent:
        return ""
    with tempfile.TemporaryDirectory() as cache:
        command = [program, "--cache-dir", cache, "--server", api.url, "-n", NAMESPACE, "get", "pods", "-w"]
        with running(command, env=environment(KUBECONFIG=os.devnull), log=Path(os.devnull)) as process:
            time.sleep(2 * SETTLE_S)
            return f"; kubectl get -w {_cpu_share(process):.1f} %"


def _cpu_share(process: psutil.Popen) -> float:
    """Percent of a core that the process and its children take during one window."""
    began, before = time.monotonic(), cpu_seconds(process)
    time.sleep(WINDOW_S)
    return (cpu_seconds(process) - before) / (time.monotonic() - began) * 100


def _under_load(seconds: float) -> Iterator[Finding]:
    with (
        nginx() as (_, pod_port),
        api_server(pods=FEW, pod_port=pod_port) as api,
        agent(api) as (process, port),
        viewer(port) as reader,
    ):
        target = LoadTarget(pod_uid=pod_uid(0))
        reader.load(SetLoadRequest.Run(target=target, mode=LOAD_MODE_NEW, rate=LOAD_RATE))
        time.sleep(seconds * WARM_SHARE)
        warm = resident_mb(process)
        time.sleep(seconds * (1 - WARM_SHARE))
        end = resident_mb(process)
    what = f"agent RSS, growth over {seconds:.0f} s of {LOAD_RATE:.0f} connections/s"
    yield Figure(what=what, value=end - warm, unit="MB", most=3, beside=f"{warm:.1f} MB, then {end:.1f} MB")
    yield Figure(what="agent RSS under load, with its load process", value=end, unit="MB", most=90)
