"""Self-healing in plain words: how a container ended, what it waits for, and why each fault heals as it does.

Every paragraph is chosen by what is on screen: the selected pod as it stands, and the last run.
"""

from collections.abc import Iterator, Mapping, Sequence

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._commands import subject
from kubealive_tui.experiments._explanations import NOW, TRY, away_words, ended_words, lost_words
from kubealive_tui.experiments._timeline import ending_of
from kubealive_tui.experiments._words import age, away_node, back_off, short
from kubealive_tui.experiments.heal._faults import fault_of, replies_fail
from kubealive_tui.experiments.heal._results import backed_off
from kubealive_tui.model import Container, ContainerState, Ending, Line, Pod, Role, Run, Termination, line

__all__ = ["POD_GRACE_S", "PROBE_GRACE_S", "ending_words", "explanation"]

# The manifest gives the one to the liveness probe, Kubernetes the other to a pod; a test holds them to the file.
PROBE_GRACE_S = 2
POD_GRACE_S = 30
# An exit code above this is this plus the signal that ended the container.
SIGNALLED = 128
SIGKILL, SIGTERM = 9, 15


def _selected(scene: Scene) -> Pod | None:
    """The pod under the pointer, else the first one."""
    chosen = scene.store.pod(scene.selected) if scene.selected else None
    return chosen or next(iter(scene.store.pods_of(scene.name)), None)


# ---- one line


def ending_words(scene: Scene) -> Line:
    """How the selected pod ended last, how long it still waits, and a fault that nothing else shows."""
    pod = _selected(scene)
    container = pod.containers[0] if pod and pod.containers else None
    end = _end(container) if container else None
    if pod is None or container is None:
        return line(("last end –", Role.MUTED))
    words = line(("last end ", Role.MUTED), ending_of(end) if end else ("none in this pod", Role.MUTED))
    if replies_fail(scene.store, scene.name, pod.uid):
        return line(words, ("  its replies fail", Role.BAD), (": f or I ends that", Role.MUTED))
    if _back_off(container) is not None:
        return line(words, _next_start(scene, container))
    if end is not None and end.finished_us is not None:
        return line(words, (f", {age(scene.store.now_us - end.finished_us)} ago", Role.MUTED))
    return words


def _end(container: Container) -> Termination | None:
    return container.termination or container.last_termination


def _back_off(container: Container) -> int | None:
    """Seconds that the kubelet waits before it starts this container again, in its own words, or None."""
    return back_off(container.message) if container.state is ContainerState.WAITING else None


def _next_start(scene: Scene, container: Container) -> Line:
    """The earliest next start: the kubelet's seconds after the end, which is a whole second of its clock."""
    end, waits = _end(container), _back_off(container) or 0
    if end is None or end.finished_us is None:
        return line((f"  back-off {waits} s", Role.WAITING), (", since when is not known", Role.MUTED))
    left = waits - (scene.store.now_us - end.finished_us) // 1_000_000
    if left <= 0:
        return line(("  next start due", Role.WAITING), (", and not there yet", Role.MUTED))
    return line(("  next start not before ", Role.MUTED), (f"{left} s", Role.WAITING), (" from now", Role.MUTED))


# ---- paragraphs


def explanation(scene: Scene) -> Sequence[Line]:
    """Who acts and by which rule, the selected pod, the last run, and what to try next."""
    run = scene.store.runs(scene.name).last
    return [*_rule(), *_pod(scene), *(_run(run) if run else ()), *_next(scene, run)]


def _rule() -> Iterator[Line]:
    yield line(
        "The kubelet of the pod's node asks both probes each second, and here acts on the first failure. A "
        "failing livenessProbe has it stop the container and start it anew in the same pod, which keeps name, "
        "address and node: RESTARTS counts that. A failing readinessProbe only takes the pod out of the "
        "Service."
    )


def _pod(scene: Scene) -> Iterator[Line]:
    pod = _selected(scene)
    container = pod.containers[0] if pod and pod.containers else None
    if pod is None or container is None:
        yield line(NOW, "there is no pod: s asks the Deployment for one.")
        return
    end, waits = _end(container), _back_off(container)
    if end is not None:
        yield line((f"{short(pod.name)} ended {ending_of(end)}: ", Role.STRONG), _cause(end))
    if away := away_node(pod, scene.store.nodes()):
        yield line(NOW, away_words(away))
    elif waits is not None:
        yield line(
            NOW,
            f"CrashLoopBackOff. The container has ended before, so the kubelet waits {waits} s until it starts it "
            "again: 10 s at first, then twice as long each time, at most 5 minutes. Ten minutes without an end "
            "forgive that. It usually starts a few seconds later than it says, and never earlier.",
        )
    elif replies_fail(scene.store, scene.name, pod.uid):
        yield line(
            NOW,
            "every reply of the pod is an error, and both of its probes are green. No controller looks at "
            "replies, so nothing will happen until f or I ends it. Probes have to ask for what clients need.",
        )
    elif not pod.ready and not pod.deleting and container.state is ContainerState.RUNNING:
        yield line(
            NOW,
            "the container runs and is not ready, so its endpoint is not either, and the Service sends it "
            "nothing. Nobody restarts it for that; r or I gives it back.",
        )


def _cause(end: Termination) -> str:
    """What lastState.terminated proves of how a container ended; Events are no witness of it."""
    if end.reason == "OOMKilled":
        return "the kernel killed it at resources.limits.memory; the kubelet only found it dead."
    if end.exit_code == SIGNALLED + SIGKILL:
        return "137 is 128 + 9, as SIGKILL gives it to what has not stopped by itself when its grace is over."
    if end.exit_code == SIGNALLED + SIGTERM:
        return "143 is 128 + 15, as SIGTERM gives it to a program that does not handle it."
    if end.exit_code == 0:
        return (
            "a program ends so when SIGTERM asks it to, and when it is done. Which of the two it was, the "
            "reason does not say."
        )
    return "the exit code is the program's own choice."


_RUNS: Mapping[str, str] = {
    "liveness": "The program went on serving clients while its liveness probe failed; the kubelet stopped it "
    "all the same, and clients lost what was still sent to it and, where no other pod was ready, all that came "
    "until its new run was and each kube-proxy had heard of it.",
    "exit": "No probe had a part in it: the program ended, the kubelet saw that its container was gone, and "
    "restartPolicy Always starts it whatever the exit code was.",
    "hang": "It took connections and answered nobody, so the probe timed out after its 1 s. SIGTERM was "
    f"ignored, and SIGKILL followed when the grace of {PROBE_GRACE_S} s was over, which "
    f"livenessProbe.terminationGracePeriodSeconds sets here. Without that field the pod's own {POD_GRACE_S} s "
    "count, and clients wait for half a minute.",
    "eat": "The kernel ends what crosses its memory limit at once and without a signal that could be caught, so "
    "no probe had a part in it and there was no grace: the kubelet found the container ended and restarted it.",
    "readiness": "Only the readiness probe failed. The kubelet set Ready to false, the EndpointSlice followed, "
    "and the Service sent the pod nothing new; a Service with no other pod refuses connections or leaves them "
    "without an answer. It lasts until somebody ends the fault: READY and FIRST OK tell how soon after the cure "
    "all was well.",
    "errors": "Every reply is an error while both probes succeed. Nothing is detected, since no controller reads "
    "replies, and it lasts until somebody ends it.",
    "": "The ReplicaSet controller counted one pod too few for spec.replicas and made another at once: a new "
    "pod, with a new name and address, and without the back-off of the old one.",
}


def _run(run: Run) -> Iterator[Line]:
    yield line(ended_words(run), " ", _reason(run))
    if waited := backed_off(run):
        yield line(
            f"It met a back-off of {waited}, which an earlier end of the same pod had earned; F stages a fresh "
            "pod for the next fault, and then there is none."
        )
    if not run.measured or run.ending is Ending.OPEN:
        return
    pods = run.given.get("ready_pods", "")
    if run.failed:
        others = (
            "There was no other pod to answer." if pods == "1" else f"{pods or 'Several'} pods shared the work."
        )
        yield line(f"{lost_words(run)}. {others}")
    else:
        yield line(f"{lost_words(run)}.")


def _reason(run: Run) -> str:
    """Why it was healed as it was, how far that is, or that it was not."""
    fault, labels = fault_of(run.verb, run.given), {milestone.label for milestone in run.milestones}
    if run.ending is Ending.OPEN and "detected" in labels and run.seconds("detected") is None:
        return "Nobody has noticed it yet."
    if "restarted" not in labels or run.seconds("restarted") is not None:
        return _RUNS[fault]
    if run.ending is Ending.OPEN:
        return "It was noticed; the container was not started again yet."
    if run.seconds("cured") is not None and run.seconds("detected") is None:
        return "It was cured before a probe had asked, so the kubelet saw nothing and the container runs on."
    return "It was not seen to start again while the run lasted; the timeline and the pod's state tell more."


def _next(scene: Scene, run: Run | None) -> Iterator[Line]:
    deployment = subject(scene)
    if deployment is None:
        yield line(TRY, f"{scene.reset_command}: there is nothing to break without the Deployment.")
    elif run is None:
        yield line(TRY, "i, then c, h and o: one table row each, and no two of them alike.")
    elif fault_of(run.verb, run.given) == "errors" and deployment.desired == 1:
        yield line(TRY, "s twice for three pods, and f again: a third of the replies still fail.")
    elif deployment.desired == 1 and run.failed:
        yield line(TRY, "s twice for three pods, and the same key again: the outage is gone, or nearly.")
    elif deployment.desired > 1:
        yield line(TRY, "S until one pod is left, and the same key again: nobody stands in for it.")
    else:
        yield line(TRY, "another fault: h shows what a grace is for, f what no probe sees.")
