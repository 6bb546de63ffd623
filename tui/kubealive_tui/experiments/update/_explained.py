"""What a Deployment is doing, in plain words: which controller acts, on which field, by which rule."""

import math
from collections.abc import Iterator

from kubealive_tui.experiments._explanations import NOW, away_words, ended_words, lost_words
from kubealive_tui.experiments._words import away_node, not_placed, short, without_image
from kubealive_tui.experiments.update._ladder import current_set, made_by
from kubealive_tui.experiments.update._rollout import COMPLETE, GRACEFUL, STUCK, drain_of, is_complete
from kubealive_tui.experiments.update._staged import BROKEN, MISSING
from kubealive_tui.model import Ending, Line, Pod, Role, Run, Workload, line
from kubealive_tui.store import Store

__all__ = ["explain_deployment", "explain_drain", "explain_pods", "explain_rollout", "next_to_try"]


def explain_deployment(store: Store, deployment: Workload) -> Iterator[Line]:
    """The rule by which it replaces pods, and where it stands."""
    yield line(
        "A Deployment has a ReplicaSet for each version of its template. When spec.template changes, the "
        "Deployment controller makes another one, gives it the next revision, and moves replicas over: ",
        _rule(deployment),
    )
    yield line(NOW, _standing(store, deployment))


def _rule(deployment: Workload) -> str:
    wanted = deployment.desired
    if deployment.strategy == "Recreate":
        return "with Recreate it ends all old pods first and makes new ones then. Nobody serves in between."
    surge = _share(deployment.max_surge, wanted, up=True)
    unavailable = _share(deployment.max_unavailable, wanted, up=False)
    return (
        f"with maxSurge {deployment.max_surge} and maxUnavailable {deployment.max_unavailable}, {wanted} replicas "
        f"are never more than {wanted + surge} pods, those that leave not counted, and never fewer than "
        f"{max(wanted - unavailable, 0)} available ones."
    )


def _share(text: str, wanted: int, *, up: bool) -> int:
    """A number of pods, or a percentage of the wanted ones: of surge rounded up, of unavailable down."""
    number = text.rstrip("%")
    if not number.isdigit():
        return 0
    if not text.endswith("%"):
        return int(number)
    part = wanted * int(number) / 100
    return math.ceil(part) if up else math.floor(part)


def _standing(store: Store, deployment: Workload) -> str:
    progressing, failure = deployment.condition("Progressing"), deployment.condition("ReplicaFailure")
    newest = current_set(store, deployment)
    if failure is not None and failure.status == "True":
        return (
            f"the ReplicaSet controller may not make the pods that are wanted: {failure.message}. It tries again, "
            "ever more rarely; S asks for fewer, and whoever set the quota can raise it."
        )
    if deployment.paused:
        return (
            "spec.paused is true, so a changed template makes no ReplicaSet and a rollout under way stands still; "
            "only scaling still works. p sets it to false."
        )
    if progressing is not None and progressing.reason == STUCK:
        return (
            f"no progress for spec.progressDeadlineSeconds ({deployment.progress_deadline_seconds} s), so "
            "Progressing is False. The controller only says so: it neither gives up nor goes back. z does."
        )
    if is_complete(deployment):
        return _complete(deployment)
    if progressing is not None and progressing.reason == COMPLETE:
        return (
            f"{deployment.updated} of {deployment.desired} pods of the newest template are made. Progressing "
            "still speaks of what was complete before."
        )
    if newest is None:
        return "the controller has made no ReplicaSet yet."
    ready = f"{newest.ready} of {newest.desired} pods of revision {newest.revision} are ready"
    return f"{ready}. Each further step waits until a new pod is Ready, or an old one has gone, by the rule above."


def _complete(deployment: Workload) -> str:
    told = "all replicas are of the newest revision, and Progressing says NewReplicaSetAvailable"
    if deployment.available >= deployment.desired:
        return f"{told}: all are available. Pods that are still terminating are not counted."
    return (
        f"{told}. {deployment.available} of {deployment.desired} are available now, which is no affair of the "
        "rollout: a pod that goes or turns unready after it does not take that word back."
    )


def explain_pods(store: Store, deployment: Workload) -> Iterator[Line]:
    """Why the pods of the newest revision do not count yet, one sentence a cause."""
    newest = current_set(store, deployment)
    pods = made_by(store, newest) if newest else []
    away = {pod.name: node for pod in pods if (node := away_node(pod, store.nodes()))}
    unready = [
        pod
        for pod in pods
        if pod.status == "Running" and not pod.ready and not pod.deleting and pod.name not in away
    ]
    if imageless := without_image(pods):
        yield imageless
    for node in sorted(set(away.values())):
        yield line(_names([pod for pod in pods if away.get(pod.name) == node]), away_words(node))
    if unready:
        yield line(
            _names(unready),
            "running and not Ready, since the readiness probe has not succeeded: no Service sends it anything, "
            "and the rollout does not go on. This is how a broken version is kept from its clients.",
        )
    if unplaced := not_placed(pods):
        yield unplaced


def _names(pods: list[Pod]) -> tuple[str, Role]:
    return f"{', '.join(short(pod.name) for pod in pods)}: ", Role.STRONG


def explain_drain(deployment: Workload) -> Iterator[Line]:
    """What the template's drain means for pods that come and go."""
    drain = drain_of(deployment)
    if drain == GRACEFUL:
        yield line(
            "Drain is on: a readiness probe keeps requests from a new pod until it listens. A pod that leaves "
            f"sleeps {deployment.pre_stop_seconds} s first (preStop) and serves meanwhile, until every kube-proxy "
            "has dropped it; then it gets SIGTERM and finishes what is open."
        )
    elif drain == "off":
        yield line(
            "Drain is off: without a readiness probe a pod gets requests as soon as its process runs, and without "
            "preStop it ends while kube-proxies still send to it. Both lose requests, whatever the strategy; and "
            "a broken version is let in."
        )
    else:
        yield line(
            "Drain is set in part: of readiness probe, preStop and graceful stop only some are in the template, "
            "so requests are lost at the others. d stages all of them."
        )


def explain_rollout(run: Run) -> Iterator[Line]:
    """What the last run came to."""
    yield ended_words(run)
    if run.ending is Ending.OVERTAKEN:
        yield line("Its Deployment was changed again, but not from here: what came after is not in its times.")
    before, after = run.given.get("from_drain", ""), run.given.get("drain", "")
    if before != after:
        yield line(
            f"The pods that left were made with drain {before}, those that came with drain {after}: how a pod "
            "leaves is in the template that it was made by. The next update has the new setting at both ends."
        )
    if not run.measured:
        return
    if not run.failed:
        yield line(f"{lost_words(run)}.")
    elif run.given.get("strategy") == "Recreate":
        yield line(f"{lost_words(run)}, most of them while no pod was there: such is Recreate.")
    else:
        yield line(
            f"{lost_words(run)}, to pods that did not listen yet, or did not any more "
            "while kube-proxies still sent to them."
        )


def next_to_try(deployment: Workload) -> str:
    """What a person might press next."""
    if deployment.paused:
        return "p to resume it."
    progressing = deployment.condition("Progressing")
    if progressing is not None and progressing.reason == STUCK:
        return "z to go back."
    if deployment.version in {BROKEN, MISSING}:
        return "wait for the deadline, then z to go back."
    if drain_of(deployment) == GRACEFUL:
        return "d, then u twice: without drain, at both ends of a pod. Or v for a version that is broken."
    return "d and u to drain again, and m for the other strategies: the table keeps what each has cost."
