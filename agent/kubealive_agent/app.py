"""The agent's life: what starts first, what runs, and how it ends.

It ends as its pod does: on SIGTERM it stops being ready, says goodbye on every stream, stops its load and
exits 0 within the grace; a second signal ends it at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from kubealive import __version__
from kubealive_agent._errors import ConfigError
from kubealive_agent.health import Health
from kubealive_agent.kube import reflect_all
from kubealive_agent.sampling import poll_usage
from kubealive_agent.service import HEALTH_SERVICES, NOT_SERVING, SERVING, build_server
from kubealive_agent.wiring import build

if TYPE_CHECKING:
    import grpc
    from grpc_health.v1.health import aio as grpc_health

    from kubealive_agent.config import Config, Listen
    from kubealive_agent.wiring import Agent

__all__ = ["run"]

_LOG = logging.getLogger(__name__)

DRAIN_SECONDS = 2.0
"""For streams and calls to end after SIGTERM; the pod is given ten seconds in all."""

SWEEP_SECONDS = 1.0
"""How often leases and sessions are looked at: their times are 30 s."""

SAMPLE_SWEEPS = 10
"""Sweeps from one measurement of memory to the next."""


async def run(config: Config) -> None:
    """Run the agent until a signal has ended it. Raises ConfigError for what cannot be used."""
    stop = asyncio.Event()
    _on_signals(stop)
    agent = build(config)
    health = Health(agent.clock)
    server, service_health = build_server(agent.service)
    async with AsyncExitStack() as stack:
        stack.callback(agent.kube.close)
        stack.push_async_callback(agent.engine.close)
        stack.push_async_callback(agent.actions.close)
        stack.push_async_callback(agent.calls.close)
        health_port = await _listen(stack, health, config.health)
        grpc_port = await _start(server, config.grpc)
        where = f"{config.grpc.host}:{grpc_port}"
        _LOG.info(
            "agent %s: namespace %s, grpc %s, health port %d", __version__, config.namespace, where, health_port
        )
        try:
            await _work(agent, config, health, service_health, stop)
        finally:
            health.ready = False
            await _report(service_health, NOT_SERVING)
            agent.sessions.drain("shutdown")
            await server.stop(DRAIN_SECONDS)
    _LOG.info("agent ended")


async def _work(
    agent: Agent,
    config: Config,
    health: Health,
    service_health: grpc_health.HealthServicer,
    stop: asyncio.Event,
) -> None:
    """Everything that runs all the time, until `stop` is set. What fails here ends the agent."""
    listed = asyncio.Event()

    async def become_ready() -> None:
        await listed.wait()
        health.ready = True
        await _report(service_health, SERVING)
        _LOG.info("all kinds are listed: ready")

    world = agent.world
    watching = reflect_all(agent.kube, namespace=config.namespace, sink=world, listed=listed)
    polling = poll_usage(
        agent.kube,
        namespace=config.namespace,
        sink=world,
        uid_of=world.pod_uid,
        watched=lambda: any(map(agent.sessions.interested, world.autoscaled())),
    )
    async with asyncio.TaskGroup() as group:
        running = [
            group.create_task(health.beat(), name="heartbeat"),
            group.create_task(watching, name="reflectors"),
            group.create_task(polling, name="metrics"),
            group.create_task(agent.sampler.run(), name="sampling"),
            group.create_task(_sweep(agent), name="sweep"),
            group.create_task(become_ready(), name="readiness"),
        ]
        await stop.wait()
        for task in running:
            task.cancel()


async def _sweep(agent: Agent) -> None:
    """Let sessions and leases run out, and measure memory now and then."""
    sweeps = 0
    while True:
        if sweeps % SAMPLE_SWEEPS == 0:
            agent.board.sample()
        sweeps += 1
        agent.sessions.sweep()
        await agent.loads.expire()
        await asyncio.sleep(SWEEP_SECONDS)


async def _listen(stack: AsyncExitStack, health: Health, listen: Listen) -> int:
    try:
        return await stack.enter_async_context(health.serving(listen.host, listen.port))
    except OSError as exc:
        raise ConfigError(f"--health {listen.host}:{listen.port} cannot be listened on: {exc.strerror}") from exc


async def _start(server: grpc.aio.Server, listen: Listen) -> int:
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    try:
        port = server.add_insecure_port(f"{host}:{listen.port}")
    except RuntimeError as exc:
        raise ConfigError(
            f"--grpc {host}:{listen.port} cannot be listened on; choose a port that is free"
        ) from exc
    await server.start()
    return port


async def _report(service_health: grpc_health.HealthServicer, status: int) -> None:
    for name in HEALTH_SERVICES:
        await service_health.set(name, status)


def _on_signals(stop: asyncio.Event) -> None:
    """The first SIGTERM or SIGINT asks for the end, the second is the end."""
    loop = asyncio.get_running_loop()

    def caught(signum: int) -> None:
        if stop.is_set():
            os._exit(128 + signum)
        _LOG.info("signal %d: ending", signum)
        stop.set()

    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, caught, signum)
