"""Credential plugins of a kubeconfig (`exec:`), run so that they can neither hang nor paint over the screen.

The official client logs a plugin's failure and goes on without credentials, which ends in a 403 that names
nobody; it lets a plugin read the terminal at any time, and waits for it for ever.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubealive_tui.link._errors import DeniedError

__all__ = ["run_plugin"]

# A person may have to open a browser and log in.
INTERACTIVE_S = 300.0
# Nobody can be asked: the plugin has to answer from its cache or the network.
SILENT_S = 30.0


async def run_plugin(spec: Mapping[str, Any], *, folder: Path, interactive: bool) -> dict[str, Any]:
    """Run the plugin and return the `status` of its ExecCredential.

    `folder` is the kubeconfig's, to which a command with a path is relative. When `interactive`, the plugin has
    the terminal; otherwise it gets no input, and what it complains of goes into the error. Raises DeniedError.
    """
    command = str(spec.get("command", ""))
    deadline = INTERACTIVE_S if interactive else SILENT_S
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            folder / command if os.sep in command else command,
            *map(str, spec.get("args") or ()),
            env=_environment(spec, interactive=interactive),
            stdin=None if interactive else asyncio.subprocess.DEVNULL,
            stdout=pipe,
            stderr=None if interactive else pipe,
        )
    except OSError as exc:
        hint = " ".join(str(spec.get("installHint") or "install it, or choose another --context").split())
        raise DeniedError(
            f"the kubeconfig's credential plugin {command!r} cannot run: {exc.strerror}; {hint}"
        ) from exc
    out = await _output(process, command, deadline)
    return _status(out, command, str(spec.get("apiVersion", "")))


async def _output(process: asyncio.subprocess.Process, command: str, deadline: float) -> bytes:
    try:
        async with asyncio.timeout(deadline):
            out, err = await process.communicate()
    except TimeoutError as exc:
        raise DeniedError(
            f"credential plugin {command!r} did not answer in {deadline:.0f} s; log in with it by hand, then retry"
        ) from exc
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        said = _last_line(err or b"")
        raise DeniedError(
            f"credential plugin {command!r} ended with code {process.returncode}{said}; log in with it, then retry"
        )
    return out


def _environment(spec: Mapping[str, Any], *, interactive: bool) -> dict[str, str]:
    asked = {"apiVersion": spec.get("apiVersion"), "kind": "ExecCredential", "spec": {"interactive": interactive}}
    added = {str(one["name"]): str(one["value"]) for one in spec.get("env") or ()}
    return {**os.environ, **added, "KUBERNETES_EXEC_INFO": json.dumps(asked)}


def _last_line(err: bytes) -> str:
    lines = err.decode(errors="replace").strip().splitlines()
    return f": {lines[-1].strip()[:300]}" if lines else ""


def _status(out: bytes, command: str, api_version: str) -> dict[str, Any]:
    try:
        answer = json.loads(out)
        status: dict[str, Any] = answer["status"]
        spoken = answer["apiVersion"]
    except (ValueError, KeyError, TypeError) as exc:
        raise DeniedError(
            f"credential plugin {command!r} printed no ExecCredential; run it by hand and see what it says"
        ) from exc
    if spoken != api_version:
        raise DeniedError(
            f"credential plugin {command!r} speaks {spoken} and the kubeconfig asks for {api_version}; "
            "update the kubeconfig or the plugin"
        )
    if "token" not in status and not {"clientCertificateData", "clientKeyData"} <= status.keys():
        raise DeniedError(f"credential plugin {command!r} gave neither a token nor a certificate with its key")
    return status
