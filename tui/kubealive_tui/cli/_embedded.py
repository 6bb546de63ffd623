"""A sandbox for one command: started beside it, installed into, and gone with it.

It is a program of its own, not imported: nothing of the user's side may depend on it, and it has to end with
everything that it started even if this program is killed. So it watches the pipe that this program holds.
"""

import argparse
import asyncio
import importlib
import importlib.util
import json
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

from kubealive import __version__
from kubealive_tui.cli._environment import Environment
from kubealive_tui.cli._log import log_path
from kubealive_tui.cli._progress import lines
from kubealive_tui.errors import KubealiveError, LinkError, UsageError
from kubealive_tui.install import Wanted, up

__all__ = ["cluster", "sandbox"]

# What the images of the manifests run here; the versions are those that the experiments know.
IMAGES = {
    "agent": {
        "argv": ["/opt/kubealive/bin/python", "-P", "-m", "kubealive_agent"],
        "env": {"KUBEALIVE_API": "{api}", "KUBEALIVE_GRPC": "{at[50051]}"},
        "tags": [__version__],
    },
    "workload": {
        "argv": ["python3", "-S", "-s", "-P", "-m", "kubealive_workloads"],
        "env": {"VERSION": "{tag}"},
        "tags": ["v1", "v2", "v3", "v4", "v5", "v-broken"],
    },
}
START_S, END_S, ANSWER_S = 15.0, 15.0, 4.0
# Of what a sandbox complains of: the end of a traceback.
MOST_WORDS = 4096
_NEEDED = ("kubealive_sandbox", "aiohttp", "psutil", "kubealive_agent", "grpc_health", "h11", "msgspec")

_log = logging.getLogger(__name__)


@asynccontextmanager
async def cluster(args: argparse.Namespace, env: Environment) -> AsyncIterator[None]:
    """Have the arguments name a cluster while the context lasts: a sandbox with all in it, if they ask for one.

    Raises UsageError, LinkError or what an install raises.
    """
    wanted = args.sandbox
    if args.or_sandbox:
        found = await _found(args, env)
        wanted = not found
        words = f"using {found}; --sandbox uses none" if found else "no cluster answers: starting a sandbox"
        env.complain(f"{words} (--kubeconfig and --context choose another)")
    if not wanted:
        yield
        return
    async with _loading("kubealive_tui.link") as loaded, sandbox() as kubeconfig:
        await loaded
        args.kubeconfig, args.context, args.as_user = kubeconfig, "", ""
        # The session's own folders go with the sandbox's, even if this program is killed and never started again.
        args.folder = str(Path(kubeconfig).parent)
        async with env.api(args) as api:
            async for step in up(api, Wanted(namespace=args.namespace)):
                for line in lines(step):
                    env.complain(line)
        yield


async def _found(args: argparse.Namespace, env: Environment) -> str:
    """The context whose cluster answers; empty if none does."""
    try:
        async with asyncio.timeout(ANSWER_S), env.api(args) as api:
            await api.request("GET", "/version")
            return f"context {env.context(args)}"
    except (KubealiveError, TimeoutError):
        return ""


@asynccontextmanager
async def _loading(module: str) -> AsyncIterator[asyncio.Task[ModuleType]]:
    """Load a module meanwhile: the link takes a third of a second, and the sandbox starts on another core."""
    task = asyncio.create_task(asyncio.to_thread(importlib.import_module, module))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def sandbox() -> AsyncIterator[str]:
    """A running sandbox; gives the path of its kubeconfig. Raises UsageError where one cannot run, LinkError."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if sys.platform == "win32":
        raise UsageError(
            "the sandbox needs signals and process groups, which Windows has not; run kubealive in WSL"
        )
    if missing:
        raise UsageError(f"the sandbox needs {missing[0]}: `pip install 'kubealive[sandbox]'` brings it")
    process = await asyncio.create_subprocess_exec(
        *_command(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C is this program's to pass on, in order
        env={name: value for name, value in os.environ.items() if not name.startswith("KUBEALIVE_")},
    )
    said = bytearray()
    listening = asyncio.create_task(_listen(process, said))
    try:
        yield await _kubeconfig(process, listening, said)
    finally:
        await _end(process, listening)


def _command() -> list[str]:
    return [sys.executable, "-P", "-m", "kubealive_sandbox", "--until-eof", "--images", json.dumps(IMAGES)]


async def _listen(process: asyncio.subprocess.Process, said: bytearray) -> None:
    """Write what it complains of into the log, all the time: whoever cannot write stands still.

    The end of it is kept in `said`.
    """
    errors = process.stderr or asyncio.StreamReader()
    while piece := await errors.read(MOST_WORDS):
        said += piece
        del said[:-MOST_WORDS]
        _log.warning("the sandbox says: %s", piece.decode(errors="replace").rstrip())


async def _kubeconfig(process: asyncio.subprocess.Process, listening: asyncio.Task[None], said: bytearray) -> str:
    output = process.stdout or asyncio.StreamReader()
    try:
        line = await asyncio.wait_for(output.readline(), START_S)
    except TimeoutError as exc:
        raise LinkError(f"the sandbox did not start in {START_S:g} s; {log_path()} has its words") from exc
    if not line:
        await asyncio.wait({listening}, timeout=ANSWER_S)
        words = said.decode(errors="replace").strip()
        raise LinkError(f"the sandbox did not start: {words or 'it said nothing'}")
    return line.decode().strip()


async def _end(process: asyncio.subprocess.Process, listening: asyncio.Task[None]) -> None:
    """Let go of it, and wait until it has ended with all that it started."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), END_S)
    except TimeoutError:
        process.kill()
        await process.wait()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
