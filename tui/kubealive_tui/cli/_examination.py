"""What `kubealive doctor` looks at, from the program outwards to the agent; each look is one line.

A look that fails does not end the others, but for those that need what it has not found.
"""

import argparse
import asyncio
import os
import platform
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import Enum

from kubealive import __version__
from kubealive_tui.cli._environment import Environment
from kubealive_tui.cli._log import log_path
from kubealive_tui.cli._opening import actor, link_options, new_store
from kubealive_tui.errors import KubealiveError, LinkError
from kubealive_tui.feed import LiveFeed
from kubealive_tui.hints import own_command, up_command
from kubealive_tui.install import (
    Api,
    ApiError,
    Right,
    listed_rights,
    missing_rights,
    rights_to_install,
    rights_to_reach,
    status,
)
from kubealive_tui.link import Link, open_link
from kubealive_tui.model import Info, LinkState, Signal
from kubealive_tui.ui import Profile

__all__ = ["Look", "State", "examine", "examine_api", "line"]

# A port-forward over a slow line, its look-ups included; whoever waits longer knows already that it is broken.
AGENT_WITHIN_S = 15.0
_METRICS = "/apis/metrics.k8s.io/v1beta1"


class State(Enum):
    """What a look found; the value is the word in front of its line."""

    FINE = "ok"
    MISSING = "missing"
    UNASKED = "cannot ask"


@dataclass(frozen=True, slots=True)
class Look:
    """One line: what was looked at, what was found, and what to do about it."""

    state: State
    subject: str
    words: str
    advice: str = ""


def line(look: Look) -> str:
    """The look as a line."""
    glyph = {State.FINE: "●", State.MISSING: "✕", State.UNASKED: "–"}[look.state]
    return f"{glyph} {look.state.value:<10} {look.subject:<11} {look.words}" + (
        f"; {look.advice}" if look.advice else ""
    )


async def examine(args: argparse.Namespace, env: Environment) -> int:
    """Say each look as it is made; 0 all fine, 1 something is missing, 2 the cluster could not be asked."""
    states = set()
    async for look in _looks(args):
        env.say(line(look))
        states.add(look.state)
    if State.UNASKED in states:
        return 2
    return 1 if State.MISSING in states else 0


async def _looks(args: argparse.Namespace) -> AsyncIterator[Look]:
    yield Look(
        State.FINE, "program", f"kubealive {__version__}, Python {platform.python_version()}, log {log_path()}"
    )
    yield _terminal(args.namespace)
    try:
        async with open_link(link_options(args)) as link:
            where = link.where
            if not args.agent:
                found = f"{where.context}: cluster {where.cluster}, user {where.user or '–'}, {where.server}"
                yield Look(State.FINE, "context", found)
                async for look in examine_api(link.api, where.namespace):
                    yield look
                    if look.state is State.UNASKED:
                        return
            yield await _agent(link)
    except KubealiveError as error:
        yield Look(State.UNASKED, "context", str(error))


def _terminal(namespace: str) -> Look:
    size, profile = shutil.get_terminal_size(), Profile.detect(os.environ)
    words = f"{size.columns}x{size.lines}, {profile.colours.value} colours, {profile.theme.value} theme"
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        lines, check = (own_command(*words, namespace=namespace) for words in (("tui", "--plain"), ("check",)))
        return Look(State.FINE, "terminal", f"none here: `{lines}` and `{check}` need none")
    if size.columns < 80 or size.lines < 24:
        return Look(State.MISSING, "terminal", words, "make it at least 80x24")
    return Look(State.FINE, "terminal", words)


async def examine_api(api: Api, namespace: str) -> AsyncIterator[Look]:
    """Look at the API server, the user's rights, the metrics and the install; ends where it cannot be asked."""
    try:
        version = (await api.request("GET", "/version")).get("gitVersion", "of an unknown version")
        yield Look(State.FINE, "API server", f"Kubernetes {version}")
        for purpose, needed in (("look and act", rights_to_reach), ("install", rights_to_install)):
            yield _rights(purpose, await missing_rights(api, needed(namespace)))
        yield await _metrics(api)
        yield await _install(api, namespace)
    except ApiError as error:
        yield Look(State.UNASKED, "API server", str(error))


def _rights(purpose: str, lacking: Sequence[Right]) -> Look:
    if not lacking:
        return Look(State.FINE, "rights", f"to {purpose}: all")
    words = f"to {purpose}: you may not {listed_rights(lacking)}"
    return Look(State.MISSING, "rights", words, "an administrator can grant that")


async def _metrics(api: Api) -> Look:
    try:
        await api.request("GET", _METRICS)
    except ApiError as error:
        if error.status == 0:
            raise
        return Look(
            State.MISSING,
            "metrics API",
            "absent, so that CPU is unknown and nothing autoscales",
            "install metrics-server",
        )
    return Look(State.FINE, "metrics API", "answers")


async def _install(api: Api, namespace: str) -> Look:
    try:
        found = await status(api, namespace=namespace)
    except ApiError as error:
        if not error.forbidden:
            raise
        # Whoever may reach the agent and nothing else can still work; the agent is asked next.
        return Look(State.MISSING, "install", f"unknown: {error}")
    if not found.agent.installed:
        advice = f"`{up_command(namespace=namespace)}` installs it"
        return Look(State.MISSING, "install", f"no agent in namespace {namespace}", advice)
    there = [part.name for part in found.experiments if part.installed]
    words = f"agent {found.agent_version}, experiments {', '.join(there) or 'none'}, namespace {namespace}"
    if not found.ready:
        advice = f"`{own_command('status', namespace=namespace)}` says what keeps it"
        return Look(State.MISSING, "install", f"not ready: {words}", advice)
    return Look(State.FINE, "install", words)


async def _agent(link: Link) -> Look:
    """Dial the agent as the screen would."""
    try:
        info, round_trip_ms = await asyncio.wait_for(_dial(link), AGENT_WITHIN_S)
    except TimeoutError:
        advice = f"`{own_command('status', namespace=link.where.namespace)}` may say why"
        return Look(State.MISSING, "agent", f"not reached within {AGENT_WITHIN_S:g} s", advice)
    except LinkError as error:
        return Look(State.MISSING, "agent", str(error))
    lacking = [f"{access.kind.word} ({access.reason})" for access in info.kinds if access.reason]
    words = f"{info.version}, pod {info.pod_name or '–'}, node {info.node_name or '–'}, {round_trip_ms:.0f} ms"
    if lacking:
        return Look(State.MISSING, "agent", f"{words}; it cannot read {', '.join(lacking)}")
    return Look(State.FINE, "agent", words)


async def _dial(link: Link) -> tuple[Info, float]:
    store, arrived = new_store(), asyncio.Event()
    feed = LiveFeed(link, actor=actor(), read_only=True)

    def deliver(signal: Signal) -> None:
        store.apply(signal)
        arrived.set()

    feeding = asyncio.ensure_future(feed.run(deliver))
    try:
        while True:
            await arrived.wait()
            arrived.clear()
            event = store.link
            if event.state.live and event.info is not None:
                return event.info, event.round_trip_ms or 0.0
            # A reason is what a screen would show while it tries again; a doctor takes the first one.
            if event.state in {LinkState.FAILED, LinkState.NOT_INSTALLED, LinkState.RECONNECTING}:
                raise LinkError(event.reason or event.state.value)
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
