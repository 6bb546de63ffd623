"""Whether a client and an agent of two versions can work together: one minor apart is promised, no more."""

import re

from kubealive_tui.hints import up_command

__all__ = ["mismatch"]

_VERSION = re.compile(r"(\d+)\.(\d+)")


def mismatch(agent: str, client: str, *, namespace: str) -> str:
    """Return why these two cannot work together and what to do, or nothing if they can."""
    up = up_command(namespace=namespace)
    theirs, ours = _VERSION.match(agent), _VERSION.match(client)
    if theirs is None or ours is None:
        return f"the agent calls itself version {agent!r}, which is none; replace it with `{up}`"
    them, us = _numbers(theirs), _numbers(ours)
    if them[0] == us[0] and abs(them[1] - us[1]) <= 1:
        return ""
    known = f"agent {agent} and this kubealive {client} are more than one minor version apart"
    if them < us:
        return f"{known}; replace the agent with `{up}`"
    return f"{known}; install kubealive {them[0]}.{them[1]} here"


def _numbers(found: re.Match[str]) -> tuple[int, int]:
    return int(found[1]), int(found[2])
