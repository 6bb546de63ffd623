"""A screen that shows a change later than `kubectl get pods -w` would be the wrong window onto a cluster.

Both read one API server in one run, with few and with 5,000 pods: the time from the server's write to the printed
line, and to the bytes on a terminal of 80x24 that show it, through the agent and its stream. With KUBECONFIG the
same on that cluster, through the port-forward as well, from the call that changes the pod.
"""

import os
import random
import select
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import psutil

from bench._cluster import agent, api_server
from bench._figures import Figure, Finding, Skipped, percentile
from bench._installed import installed
from bench._objects import EXPERIMENT, NAMESPACE
from bench._options import Options
from bench._peers import Absent, peer
from bench._process import BenchError, environment, running
from bench._terminal import Terminal, kubealive, terminal

FEW, MANY = 4, 5_000
EVENTS, CLUSTER_EVENTS = 150, 60
VISIBLE = 4
"""Pods at the top of the table, one of which changes at each event."""

GAP_S = (0.1, 0.3)
"""Between two events, at random, so that no beat of either program is met again and again."""

PATIENCE_S = 20.0
SEED = 7

VIEW = ("--experiment", EXPERIMENT, "--no-clock")
WATCH = ("get", "pods", "--watch")


@dataclass(slots=True)
class Delays:
    """Seconds from the server's write to each reader's output, an entry an event."""

    screen: list[float] = field(default_factory=list)
    line: list[float] = field(default_factory=list)


def run(options: Options) -> Iterator[Finding]:
    """How much later than kubectl's line the screen shows the same event: median and 99th percentile."""
    try:
        peer("kubectl")
    except Absent as exc:
        yield Skipped("event to screen beside kubectl", str(exc))
        return
    for pods in (FEW, MANY):
        yield from _judge(_without_cluster(pods), f"{pods:,} pods")
    try:
        yield from _judge(_on_cluster(options), "cluster")
    except Absent as exc:
        yield Skipped("event to screen beside kubectl, on a cluster", str(exc))


def _judge(delays: Delays, where: str) -> Iterator[Figure]:
    later = [mine - his for mine, his in zip(delays.screen, delays.line, strict=True)]
    for share, most in ((0.5, 50), (0.99, 100)):
        mine, his = (percentile(each, share) * 1000 for each in (delays.screen, delays.line))
        beside = f"screen {mine:.1f} ms, kubectl {his:.1f} ms"
        what = f"event to screen, p{share * 100:.0f}, {where}"
        yield Figure(what=what, value=percentile(later, share) * 1000, unit="ms later", most=most, beside=beside)


def _without_cluster(pods: int) -> Delays:
    with api_server(pods=pods) as api, agent(api) as (_, port), tempfile.TemporaryDirectory() as cache:
        tui = kubealive("tui", "--agent", f"127.0.0.1:{port}", *VIEW)
        kubectl = [peer("kubectl"), "--cache-dir", cache, "--server", api.url, "-n", NAMESPACE, *WATCH]
        env = environment(KUBECONFIG=os.devnull)
        with running(kubectl, env=env) as watching, terminal(tui) as seen:
            printed = _await_list(seen, watching)
            return _compare(lambda turn, token: api.change(turn % VISIBLE, token), EVENTS, seen, printed)


def _on_cluster(options: Options) -> Delays:
    with installed(options) as install:
        listed = install.kubectl("get", "pods", "-l", f"kubealive.dev/experiment={EXPERIMENT}", "-o", "name")
        pods = listed.stdout.split()
        with (
            running(install.command(*WATCH)) as watching,
            terminal(install.kubealive("tui", *VIEW)) as seen,
            ThreadPoolExecutor(1) as aside,
        ):
            printed = _await_list(seen, watching)

            def change(turn: int, token: str) -> float:
                patch = f'{{"status":{{"reason":"{token}"}}}}'
                how = ("--subresource=status", "--type=merge", "-p", patch)
                # Aside, since both readers may have the event before this call has ended.
                aside.submit(install.kubectl, "patch", pods[turn % len(pods)], *how)
                return time.monotonic()

            return _compare(change, CLUSTER_EVENTS, seen, printed)


def _await_list(seen: Terminal, watching: psutil.Popen) -> int:
    """Wait until screen and kubectl show what is there; the descriptor on which kubectl goes on to print."""
    seen.await_text("Running", within=PATIENCE_S)
    seen.settle(quiet=0.5, within=PATIENCE_S)
    printed: int = watching.stdout.fileno()
    if not select.select([printed], [], [], PATIENCE_S)[0]:
        raise BenchError(f"kubectl printed nothing within {PATIENCE_S:g} s")
    while select.select([printed], [], [], 1.0)[0]:
        os.read(printed, 1 << 16)
    return printed


def _compare(change: Callable[[int, str], float], events: int, seen: Terminal, printed: int) -> Delays:
    delays = Delays()
    dice = random.Random(SEED)  # noqa: S311 - it spaces events
    for turn in range(events):
        token = f"S{turn:04d}"
        _await_both(token, change(turn, token), delays, seen, printed)
        seen.count(dice.uniform(*GAP_S))
    return delays


def _await_both(token: str, written: float, delays: Delays, seen: Terminal, printed: int) -> None:
    """Note when each of the two showed the token."""
    waiting, lines = {seen.fd, printed}, b""
    while waiting:
        ready, _, _ = select.select(waiting, [], [], PATIENCE_S)
        at = time.monotonic()
        if not ready:
            who = "the screen" if seen.fd in waiting else "kubectl"
            raise BenchError(f"{who} did not show event {token} within {PATIENCE_S:g} s")
        if printed in ready:
            lines += os.read(printed, 1 << 16)
            if token.encode() in lines:
                delays.line.append(at - written)
                waiting.discard(printed)
        if seen.fd in ready:
            seen.take()
            if token in seen.text:
                delays.screen.append(at - written)
                waiting.discard(seen.fd)
