"""Commands that mean the same on every tab: load, rate, kill, scale.

An experiment takes those that it has a use for; each is pure, and raises NotNow with a sentence where it means
nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from kubealive_tui.experiments._api import Command, Effect, Http, NotNow, Scene
from kubealive_tui.experiments._words import steady_size
from kubealive_tui.model import (
    Act,
    Caps,
    DeletePod,
    Fault,
    FaultKind,
    Kind,
    Load,
    LoadMode,
    Observe,
    Pod,
    ProbeFails,
    Scale,
    SetLoad,
    StopLoad,
    Target,
    Workload,
)

__all__ = [
    "burst",
    "cpu_load",
    "kill",
    "load",
    "measured",
    "mode",
    "observe",
    "planned_size",
    "readiness_fault",
    "scale",
    "staying",
    "subject",
]

# Steps of + and -: a finger finds any of them in a few presses, and each is a rate people name.
RATES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0)
# The same of CPU-seconds a second; the agent takes no more than the last.
CPUS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0)
BURSTS = (10, 50, 100, 400, 1000)
MOST_REPLICAS = 10
# A kill without running load is measured by traffic of its own: long enough for a successor to serve.
OBSERVED_MS = 15_000


def _traffic(scene: Scene) -> Http:
    if scene.experiment.traffic is None:
        raise NotNow(f"{scene.experiment.long_title} has no load of its own")
    return scene.experiment.traffic


def _target(scene: Scene) -> Target:
    traffic = _traffic(scene)
    return Target(service=traffic.service, path=traffic.path)


def _amount(scene: Scene, running: Load) -> float | None:
    """The size of a running load in the unit of the tab's traffic; None for a burst, or a load of another unit."""
    return running.rate if _traffic(scene).cpu is None else running.cpu or None


def _steady(scene: Scene, amount: float, *, target: Target, mode: LoadMode) -> SetLoad:
    if _traffic(scene).cpu is None:
        return SetLoad(scene.name, target, mode=mode, rate=amount)
    return SetLoad(scene.name, target, mode=mode, cpu=amount)


def planned_size(scene: Scene) -> str:
    """The size of the load that `l` starts, in words."""
    return steady_size(scene.settings.rate, cpu=_traffic(scene).cpu is not None)


def _next(steps: Sequence[float], value: float, direction: int) -> float:
    """The neighbour of `value` among the steps, the ends kept."""
    if direction > 0:
        return next((step for step in steps if step > value), steps[-1])
    return next((step for step in reversed(steps) if step < value), steps[0])


def observe(scene: Scene, *, tail_ms: int = OBSERVED_MS) -> Observe | None:
    """Measured traffic for an action on this tab, until `tail_ms` after it, where none runs that outlives it.

    Traffic of an action before ends with that action's tail; asking for it anew lets it go on.
    """
    running, traffic = scene.store.load(scene.name), scene.experiment.traffic
    if traffic is None or traffic.cpu is not None or (running is not None and not running.action_id):
        return None
    return Observe(_target(scene), scene.settings.rate, scene.settings.mode, tail_ms=tail_ms)


def measured(scene: Scene, act: Act, *, tail_ms: int = OBSERVED_MS) -> Sequence[Effect]:
    """The act with traffic that measures it; a word where it interrupts a run, or where nothing was running."""
    seen = observe(scene, tail_ms=tail_ms)
    request = replace(act, observe=seen)
    if (run := scene.store.runs(scene.name).current) is not None:
        return (request, f"this interrupts {run.title}, which had not ended")
    if seen is None or scene.store.load(scene.name):
        return (request,)
    return (request, f"no load was running: {seen.rate:g}/s measures this, and ends by itself")


def _toggle_load(scene: Scene) -> Sequence[Effect]:
    if scene.store.load(scene.name):
        return (StopLoad(scene.name),)
    return (_steady(scene, scene.settings.rate, target=_target(scene), mode=scene.settings.mode),)


def _change_size(direction: int) -> Callable[[Scene], Sequence[Effect]]:
    def run(scene: Scene) -> Sequence[Effect]:
        running = scene.store.load(scene.name)
        amount = _amount(scene, running) if running else None
        before = amount or scene.settings.rate
        after = _neighbour(scene, before, direction)
        changed = replace(scene, settings=replace(scene.settings, rate=after))
        if after == before:
            end = "most that this agent sends" if direction > 0 else "least that - chooses"
            raise NotNow(f"{planned_size(changed)} is the {end}")
        if running is None or amount is None:
            return (changed.settings, f"{planned_size(changed)}: l starts it")
        return (changed.settings, _steady(scene, after, target=_target(scene), mode=running.mode))

    return run


def _neighbour(scene: Scene, before: float, direction: int) -> float:
    """The next size up or down, within what the agent takes on."""
    by_cpu, caps = _traffic(scene).cpu is not None, scene.store.info.caps if scene.store.info else Caps()
    after = _next(CPUS if by_cpu else RATES, before, direction)
    return min(after, caps.cpu if by_cpu else caps.rate)


def _change_mode(scene: Scene) -> Sequence[Effect]:
    after = LoadMode.KEPT if scene.settings.mode is LoadMode.NEW else LoadMode.NEW
    effects: list[Effect] = [replace(scene.settings, mode=after)]
    running = scene.store.load(scene.name)
    if running and (amount := _amount(scene, running)):
        effects.append(_steady(scene, amount, target=_target(scene), mode=after))
    else:
        effects.append(f"mode: {after.value}; l or b starts it")
    return effects


def _burst(scene: Scene) -> Sequence[Effect]:
    if scene.store.load(scene.name):
        raise NotNow("a load is running, and a burst is counted alone: stop it with l first")
    return (SetLoad(scene.name, _target(scene), mode=scene.settings.mode, burst=scene.settings.burst),)


def staying(scene: Scene) -> Pod:
    """The selected pod; raises NotNow where there is none, or it is on its way out."""
    pod = scene.pod()
    if pod.deleting:
        raise NotNow(f"{pod.name} is terminating: choose a pod that stays")
    return pod


def readiness_fault(pod: Pod) -> Fault:
    """What makes a ready pod unready, and an unready one ready again."""
    return Fault(FaultKind.READINESS, ProbeFails.ALWAYS if pod.ready else ProbeFails.NEVER)


def _delete(grace_seconds: int | None) -> Callable[[Scene], Sequence[Effect]]:
    def run(scene: Scene) -> Sequence[Effect]:
        pod = scene.pod()
        if pod.deleting and grace_seconds is None:
            raise NotNow(f"{pod.name} is terminating already: X ends it at once")
        return measured(scene, Act(scene.name, pod.uid, pod.name, DeletePod(grace_seconds)))

    return run


def subject(scene: Scene) -> Workload | None:
    """The workload that s and S scale: the experiment's subject, else its first StatefulSet or Deployment."""
    name = scene.experiment.subject
    for kind in (Kind.STATEFUL_SET, Kind.DEPLOYMENT):
        found = [w for w in scene.store.workloads(scene.name, kind) if not name or w.name == name]
        if found:
            return found[0]
    return None


def _scaled(scene: Scene) -> Workload:
    """The same for a key; raises NotNow where it is gone."""
    if (found := subject(scene)) is not None:
        return found
    raise NotNow(f"{scene.experiment.long_title} has nothing to scale: {scene.reset_command} makes it again")


def _scale_to(wanted: int) -> Callable[[Scene], Sequence[Effect]]:
    def run(scene: Scene) -> Sequence[Effect]:
        workload = _scaled(scene)
        return (Act(scene.name, workload.uid, workload.name, Scale(wanted)),)

    return run


def _burst_of(size: int) -> Callable[[Scene], Sequence[Effect]]:
    return lambda scene: _burst(replace(scene, settings=replace(scene.settings, burst=size)))


def _scale(step: int) -> Callable[[Scene], Sequence[Effect]]:
    def run(scene: Scene) -> Sequence[Effect]:
        workload = _scaled(scene)
        wanted = workload.desired + step
        if not 0 <= wanted <= MOST_REPLICAS:
            raise NotNow(
                f"{workload.name} has {workload.desired} replicas: kubealive scales from 0 to {MOST_REPLICAS}"
            )
        return (Act(scene.name, workload.uid, workload.name, Scale(wanted)),)

    return run


def _load_keys(*, needs: str, word: str, up: str, down: str) -> tuple[Command, ...]:
    return (
        Command("l", "load", "load", "start or stop the measured traffic", _toggle_load, needs=needs),
        Command("+", "faster", "", f"a {up} {word}", _change_size(+1), needs=needs),
        Command("-", "slower", word, f"a {down} {word}", _change_size(-1), needs=needs),
    )


load = _load_keys(needs="load_new", word="rate", up="higher", down="lower")
cpu_load = _load_keys(needs="load_cpu", word="size", up="larger", down="smaller")
burst = (
    Command("b", "burst", "burst", "send a burst of requests and count who answers", _burst, needs="load_new"),
    *(
        Command("", f"burst-of-{size}", "", f"send a burst of {size} requests", _burst_of(size), needs="load_new")
        for size in BURSTS
    ),
)
mode = (Command("m", "mode", "mode", "a connection for each request, or connections that are kept", _change_mode),)
kill = (
    Command(
        "x",
        "kill",
        "kill",
        "delete the selected pod, with its own grace",
        _delete(None),
        danger="delete pod",
        needs="delete_pod",
    ),
    Command(
        "X",
        "kill-force",
        "",
        "delete the selected pod with no grace",
        _delete(0),
        danger="force-delete pod",
        needs="delete_pod",
    ),
)
scale = (
    Command("s", "scale-up", "", "one replica more", _scale(+1), needs="scale"),
    Command("S", "scale-down", "", "one replica fewer", _scale(-1), danger="scale down", needs="scale"),
    *(
        Command(
            "", f"scale-to-{n}", "", f"set the replicas to {n}", _scale_to(n), danger="scale down", needs="scale"
        )
        for n in range(MOST_REPLICAS + 1)
    ),
)
