"""What the agent is made of, and which part is handed which."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kubealive import __version__
from kubealive_agent._errors import ConfigError
from kubealive_agent._ids import Ids
from kubealive_agent.actions import (
    Actions,
    Caller,
    FaultPort,
    Guard,
    Objects,
    Patches,
    Requests,
    Rollouts,
    steps,
)
from kubealive_agent.audit import Audit
from kubealive_agent.calls import Calls
from kubealive_agent.clock import AgentClock
from kubealive_agent.journal import Journal
from kubealive_agent.kube import ConfigurationError, KubeClient
from kubealive_agent.load import LoadSupervisor
from kubealive_agent.loads import Loads
from kubealive_agent.names import Names, read_resolv_conf
from kubealive_agent.sampling import DnsClient, Errands, Recorder, Sampler
from kubealive_agent.service import Service
from kubealive_agent.sessions import Sessions
from kubealive_agent.status import StatusBoard
from kubealive_agent.stream import Feed
from kubealive_agent.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kubealive_agent.config import Config
    from kubealive_agent.load import AnyReport
    from kubealive_agent.names import Resolution

__all__ = ["Agent", "build"]

_RESOLV_CONF = Path("/etc/resolv.conf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """The parts that something is done with after they have been put together."""

    clock: AgentClock
    kube: KubeClient
    journal: Journal
    world: World
    sessions: Sessions
    board: StatusBoard
    engine: LoadSupervisor
    loads: Loads
    actions: Actions
    calls: Calls
    sampler: Sampler
    service: Service


@dataclass(frozen=True, slots=True, kw_only=True)
class _Core:
    """What nearly every other part is handed."""

    clock: AgentClock
    kube: KubeClient
    journal: Journal
    world: World
    sessions: Sessions
    board: StatusBoard
    ids: Ids
    audit: Audit


def build(config: Config) -> Agent:
    """Put the agent together; nothing runs yet. Raises ConfigError when there is no API server to speak to."""
    core = _core(config)
    resolution = read_resolv_conf(_resolv_conf(), namespace=config.namespace)
    engine, loads = _traffic(core, config, domain=resolution.domain)
    actions = _actions(core, config, loads, names=Names(resolution))
    calls = Calls(
        config=config,
        resolution=resolution,
        kube=core.kube,
        clock=core.clock,
        world=core.world,
        journal=core.journal,
        sessions=core.sessions,
        loads=loads,
        actions=actions,
        audit=core.audit,
        ids=core.ids,
    )
    core.board.draw_from(viewers=core.sessions.viewers, kinds=core.world.accesses, pids=lambda: _pids(engine))
    core.world.on_access = core.board.changed
    return Agent(
        clock=core.clock,
        kube=core.kube,
        journal=core.journal,
        world=core.world,
        sessions=core.sessions,
        board=core.board,
        engine=engine,
        loads=loads,
        actions=actions,
        calls=calls,
        sampler=_sampler(core, resolution),
        service=Service(calls, core.sessions, Feed(core.journal, core.clock, core.board)),
    )


def _core(config: Config) -> _Core:
    clock, kube = AgentClock.start(), _kube(config)
    journal = Journal(clock=clock, epoch=clock.now_us())
    board = StatusBoard(journal, started_us=clock.now_us())
    return _Core(
        clock=clock,
        kube=kube,
        journal=journal,
        world=World(journal, clock),
        sessions=Sessions(clock, on_change=board.changed),
        board=board,
        ids=Ids(journal.epoch),
        audit=Audit(clock),
    )


def _traffic(core: _Core, config: Config, *, domain: str) -> tuple[LoadSupervisor, Loads]:
    """The engine and the loads, each of which speaks to the other."""

    def report(report: AnyReport) -> None:
        loads.on_report(report)

    engine = LoadSupervisor(clock_offset_us=core.clock.offset_us, on_report=report)
    loads = Loads(
        engine,
        world=core.world,
        journal=core.journal,
        sessions=core.sessions,
        clock=core.clock,
        ids=core.ids,
        namespace=config.namespace,
        domain=domain,
        on_local_errors=core.board.add_local_errors,
    )
    return engine, loads


def _actions(core: _Core, config: Config, loads: Loads, *, names: Names) -> Actions:
    requests = Requests(core.kube, namespace=config.namespace)
    objects = Objects(requests)
    faults = FaultPort(port=config.fault_port, token=_fault_token(config), namespace=config.namespace)
    return Actions(
        world=core.world,
        journal=core.journal,
        sessions=core.sessions,
        guard=Guard(core.world, own_pod=config.pod_name, version=__version__, namespace=config.namespace),
        steps=steps(
            caller=Caller(core.world, names),
            faults=faults,
            objects=objects,
            patches=Patches(objects, core.world),
            rollouts=Rollouts(objects, requests, world=core.world, clock=core.clock),
        ),
        faults=faults,
        traffic=loads,
        audit=core.audit,
        ids=core.ids,
    )


def _kube(config: Config) -> KubeClient:
    try:
        return KubeClient.at(config.api) if config.api else KubeClient.in_cluster()
    except ConfigurationError as exc:
        raise ConfigError(str(exc)) from exc


def _sampler(core: _Core, resolution: Resolution) -> Sampler:
    recorder = Recorder(core.journal, core.clock)
    errands = Errands(
        world=core.world, recorder=recorder, asker=DnsClient(resolution.servers), resolution=resolution
    )
    sampler = Sampler(errands, recorder, wanted=core.sessions.samples)
    core.sessions.on_samples = sampler.interest_changed
    return sampler


def _resolv_conf() -> str:
    """What the kubelet wrote for this pod, as for every other of its namespace; empty outside of one."""
    try:
        return _RESOLV_CONF.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _fault_token(config: Config) -> Callable[[], str]:
    """The token from the environment, or from a file that is read anew each time: `up` may make it later."""

    def token() -> str:
        if config.fault_token:
            return config.fault_token
        try:
            return config.fault_token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    return token


def _pids(engine: LoadSupervisor) -> Iterator[int]:
    yield os.getpid()
    if engine.pid is not None:
        yield engine.pid
