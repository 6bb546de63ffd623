"""One container of a pod: started, probed, restarted with back-off, and stopped with grace."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from kubealive_sandbox.api import Api, Object, stamp
from kubealive_sandbox.controllers import Recorder
from kubealive_sandbox.kubelet._command import Command
from kubealive_sandbox.kubelet._environment import ConfigError, environment, expand
from kubealive_sandbox.kubelet._images import Image, Images, Lent, entry_point
from kubealive_sandbox.kubelet._ports import port_of
from kubealive_sandbox.kubelet._probes import Prober, http_get
from kubealive_sandbox.kubelet._process import Log, Process
from kubealive_sandbox.kubelet._programs import unstartable
from kubealive_sandbox.kubelet._reaping import Reaper

__all__ = ["Container", "Surroundings"]

BACKOFF_S, MOST_BACKOFF_S = 10.0, 300.0
# A program that ran so long starts over without a wait when it ends.
STEADY_S = 600.0
HOOK_GRACE_S = 2.0
RETRY_PULL_S, RETRY_CONFIG_S = 10.0, 5.0
# The exit code of what could not be started, and the time at which it was.
UNSTARTED, _NEVER = 128, "1970-01-01T00:00:00Z"
_NOT_BEGUN = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed"
)
_PROBES = ("startup", "liveness", "readiness")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a container needs of its pod and node. `pod` gives the pod as it is now."""

    api: Api
    events: Recorder
    images: Images
    reaper: Reaper
    pod: Callable[[], Object]
    address: str
    folder: Path
    dial: Callable[[int], Awaitable[socket.socket]]
    lent: Lent
    variables: Callable[[Object], dict[str, str]]
    api_url: str
    changed: Callable[[], None]


@dataclass(slots=True)
class Container:
    """The life of one container. `state` and `last` are as the API has them."""

    spec: Object
    around: Surroundings
    restarts: int = 0
    started: bool = False
    ready: bool = False
    state: Object = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last: Object = field(default_factory=dict)
    process: Process | None = None
    log: Log | None = None
    previous: Log | None = None
    out_of_memory: bool = False
    commands: set[Command] = field(default_factory=set)
    _environment: dict[str, str] = field(default_factory=dict)
    _failures: int = 0
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _begun: asyncio.Event = field(default_factory=asyncio.Event)
    _killing: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The container's name in its pod."""
        return str(self.spec["name"])

    @property
    def stopping(self) -> bool:
        """Whether it is not to be started any more."""
        return self._stop.is_set()

    @property
    def path(self) -> str:
        """Where Events say that it is."""
        return f"spec.containers{{{self.name}}}"

    async def run(self, *, policy: str) -> None:
        """Run it until it has ended for good, by the pod's restart policy or because the pod stops."""
        while not self.stopping:
            image = await self._pulled()
            try:
                process = await self._start(*image) if image else None
            except OSError as exc:
                code = self._not_begun(exc)
            else:
                if process is None:
                    continue
                code = await self._attend(process)
                self._end(code)
            if policy == "Never" or (policy == "OnFailure" and code == 0):
                return
            if not self._stop.is_set():
                await self._back_off()
            self.restarts += not self._stop.is_set()

    def wait_with(self, reason: str, message: str = "") -> None:
        """Say why it does not run."""
        self.state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
        self.around.changed()

    # ---------------------------------------------------------------- starting

    async def _pulled(self) -> tuple[Image, str] | None:
        around, reference = self.around, self.spec["image"]
        found = around.images.find(reference)
        if found is not None:
            words = f'Container image "{reference}" already present on machine'
            around.events.normal(around.pod(), "Pulled", words, path=self.path)
            return found
        pod = around.pod()
        if self.spec["imagePullPolicy"] == "Never":
            words = f'Container image "{reference}" is not present with pull policy of Never'
            around.events.warning(pod, "ErrImageNeverPull", words, path=self.path)
            self.wait_with("ErrImageNeverPull", words)
            await asyncio.sleep(RETRY_PULL_S)
            return None
        around.events.normal(pod, "Pulling", f'Pulling image "{reference}"', path=self.path)
        words = (
            f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}": not found'
        )
        around.events.warning(pod, "Failed", f'Failed to pull image "{reference}": {words}', path=self.path)
        around.events.warning(pod, "Failed", "Error: ErrImagePull", path=self.path)
        self.wait_with("ErrImagePull", words)
        await asyncio.sleep(1.0)
        around.events.normal(pod, "BackOff", f'Back-off pulling image "{reference}"', path=self.path)
        around.events.warning(pod, "Failed", "Error: ImagePullBackOff", path=self.path)
        self.wait_with("ImagePullBackOff", f'Back-off pulling image "{reference}": ErrImagePull: {words}')
        await asyncio.sleep(RETRY_PULL_S)
        return None

    async def _start(self, image: Image, tag: str) -> Process | None:
        around, pod = self.around, self.around.pod()
        try:
            known = around.variables(self.spec)
            words = {"tag": tag, "at": around.lent, "api": around.api_url}
            known |= {name: value.format(**words) for name, value in image.env.items()}
            env = environment(around.api, pod, self.spec, known)
            argv = [expand(part, env) for part in entry_point(image, self.spec)]
            stdin = bool(self.spec.get("stdin"))
            process = await Process.start(argv, env=env, folder=self._folder(), reaper=around.reaper, stdin=stdin)
        except ConfigError as exc:
            around.events.warning(pod, "Failed", f"Error: {exc}", path=self.path)
            self.wait_with("CreateContainerConfigError", str(exc))
            await asyncio.sleep(RETRY_CONFIG_S)
            return None
        self.process, self.previous, self.log, self._environment = process, self.log, process.log, env
        self.out_of_memory = False
        self.state = {"running": {"startedAt": stamp(around.api.now())}}
        self._begun.clear()
        self.started = not self.spec.get("startupProbe")
        if self.started:
            self._begun.set()
        self.ready = self.started and not self.spec.get("readinessProbe")
        around.events.normal(pod, "Created", f"Created container: {self.name}", path=self.path)
        around.events.normal(pod, "Started", f"Started container {self.name}", path=self.path)
        around.changed()
        return process

    # ---------------------------------------------------------------- running

    async def _attend(self, process: Process) -> int:
        """Probe it until it ends."""
        probes = [asyncio.create_task(self._probe(kind)) for kind in _PROBES if self.spec.get(f"{kind}Probe")]
        try:
            return await process.wait()
        finally:
            for task in probes:
                task.cancel()
            await asyncio.gather(*probes, return_exceptions=True)
            for each in self.commands:
                each.kill()

    async def _probe(self, kind: str) -> None:
        if kind != "startup":
            await self._begun.wait()
        await Prober(
            kind, self.spec[f"{kind}Probe"], address=self.around.address, dial=self.around.dial,
            port=partial(port_of, self.spec), run=self.execute, failed=self._probe_failed,
            changed=self._probe_changed,
        ).keep()  # fmt: skip

    def _probe_failed(self, kind: str, words: str) -> None:
        if kind == "readiness" or not self.stopping:  # which alone goes on while a pod ends
            about = self.around.pod()
            self.around.events.warning(about, "Unhealthy", f"{kind.capitalize()} probe {words}", path=self.path)

    def _probe_changed(self, kind: str, *, good: bool) -> None:
        if kind == "readiness":
            self.ready = good
        elif kind == "startup" and good:
            self.started = True
            self._begun.set()
            self.ready = self.ready or not self.spec.get("readinessProbe")
        elif not good and self._killing is None and not self.stopping:
            words = f"Container {self.name} failed {kind} probe, will be restarted"
            self.around.events.normal(self.around.pod(), "Killing", words, path=self.path)
            declared = self.around.pod()["spec"]["terminationGracePeriodSeconds"]
            grace = self.spec[f"{kind}Probe"].get("terminationGracePeriodSeconds", declared)
            self._killing = asyncio.create_task(self._kill(float(grace)))
            return
        self.around.changed()

    async def execute(self, command: list[str]) -> int:
        """Run a command of the pod's own beside the container's program; its exit code."""
        process = await Process.start(
            command, env=self._environment, folder=self._folder(), reaper=self.around.reaper
        )
        try:
            return await process.wait()
        finally:
            process.signal(signal.SIGKILL)

    @asynccontextmanager
    async def command(self, words: Sequence[str], *, stdin: bool) -> AsyncIterator[Command]:
        """A client's command beside the container's program, no longer than either. Raises OSError."""
        beside = self.process
        command = await Command.start(
            words, env=self._environment, folder=self._folder(), reaper=self.around.reaper, stdin=stdin
        )
        self.commands.add(command)
        if self.process is not beside:
            command.kill()
        try:
            yield command
        finally:
            self.commands.discard(command)
            command.kill()

    def _folder(self) -> Path:
        return Path(self.spec.get("workingDir") or self.around.folder)

    # ---------------------------------------------------------------- ending

    def _not_begun(self, why: OSError) -> int:
        """Say of a program that could not be started what a real node's runtime says; its exit code."""
        pod, events = self.around.pod(), self.around.events
        words = f"{_NOT_BEGUN}: {unstartable(str(why.filename or self.name), why)}: unknown"
        events.normal(pod, "Created", f"Created container: {self.name}", path=self.path)
        events.warning(pod, "Failed", f"Error: {words}", path=self.path)
        ended = {"exitCode": UNSTARTED, "reason": "StartError", "message": words, "startedAt": _NEVER}
        self.state = {"terminated": {**ended, "finishedAt": stamp(self.around.api.now())}}
        self.previous, self.log = self.log, None
        self.around.changed()
        return UNSTARTED

    def _end(self, code: int) -> None:
        started = self.state["running"]["startedAt"]
        now = self.around.api.now()
        ran = (now - datetime.fromisoformat(started)).total_seconds()
        self._failures = 0 if ran >= STEADY_S else self._failures
        reason = "OOMKilled" if self.out_of_memory else "Completed" if code == 0 else "Error"
        ended = {"exitCode": code, "reason": reason, "startedAt": started, "finishedAt": stamp(now)}
        self.state = {"terminated": ended}
        self.process, self._killing = None, None
        self.ready = self.started = False
        self.around.changed()

    async def _back_off(self) -> None:
        """Wait as the kubelet does before it starts a program again: not at first, then longer each time."""
        self.last, wait = self.state, 0.0 if not self._failures else self._delay()
        self._failures += 1
        if not wait:
            return
        pod = self.around.pod()
        meta = pod["metadata"]
        named = f"{meta['name']}_{meta['namespace']}({meta['uid']})"
        words = f"Back-off restarting failed container {self.name} in pod {named}"
        self.around.events.warning(pod, "BackOff", words, path=self.path)
        said = f"back-off {_go(wait)} restarting failed container={self.name} pod={named}"
        self.wait_with("CrashLoopBackOff", said)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), wait)

    def _delay(self) -> float:
        return float(min(MOST_BACKOFF_S, BACKOFF_S * 2 ** (self._failures - 1)))

    async def stop(self, grace: float) -> None:
        """Stop it for good, with the pod's grace."""
        self._stop.set()
        if self.process is not None:
            words = f"Stopping container {self.name}"
            self.around.events.normal(self.around.pod(), "Killing", words, path=self.path)
            await self._kill(grace)

    def give_up(self) -> None:
        """Say that it never ran, when its pod ends."""
        if "waiting" in self.state and not self.last:
            words = "The container could not be located when the pod was terminated"
            self.state = {"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown", "message": words}}

    def kill(self) -> None:
        """End it at once and for good."""
        self._stop.set()
        if self.process is not None:
            self.process.signal(signal.SIGKILL)

    async def _kill(self, grace: float) -> None:
        process, loop = self.process, asyncio.get_running_loop()
        if process is None:
            return
        deadline = loop.time() + grace
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await self._before_stop()
        process.signal(signal.SIGTERM)
        # A preStop hook that took all of the grace leaves the program two seconds, as the kubelet does.
        deadline = max(deadline, loop.time() + min(grace, HOOK_GRACE_S))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await process.gone.wait()
        if self.process is process:
            process.signal(signal.SIGKILL)

    async def _before_stop(self) -> None:
        """Run the preStop hook, where there is one; one that fails is said, and keeps nobody from going on."""
        hook: dict[str, Any] = (self.spec.get("lifecycle") or {}).get("preStop") or {}
        try:
            good = await self._hook(hook)
        except Exception:  # noqa: BLE001 - whatever it is, the program is to be told to end
            good = False
        if not good:
            about, words = self.around.pod(), "PreStopHook failed"
            self.around.events.warning(about, "FailedPreStopHook", words, path=self.path)

    async def _hook(self, hook: dict[str, Any]) -> bool:
        """Whether a hook did what it should; an answer over HTTP is enough, whatever it says."""
        if "sleep" in hook:
            await asyncio.sleep(hook["sleep"]["seconds"])
        elif "exec" in hook:
            return await self.execute(hook["exec"]["command"]) == 0
        elif "httpGet" in hook:
            port = port_of(self.spec, hook["httpGet"]["port"])
            host, headers = f"{self.around.address}:{port}", hook["httpGet"].get("httpHeaders") or ()
            await http_get(await self.around.dial(port), hook["httpGet"]["path"], host=host, headers=headers)
        return True

    def status(self) -> Object:
        """The container's entry in the pod's status."""
        meta = self.around.pod()["metadata"]
        return {
            "name": self.name,
            "image": self.spec["image"],
            "imageID": f"sandbox://{self.spec['image']}",
            "containerID": f"sandbox://{meta['uid']}/{self.name}/{self.restarts}",
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
            "state": self.state,
            "lastState": self.last,
        }


def _go(seconds: float) -> str:
    """A duration as Go writes it."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
