"""Why the Downward API's tab looks as it does, in plain words for the state that is on screen."""

from collections.abc import Iterator

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._explanations import ended_words
from kubealive_tui.experiments._words import short
from kubealive_tui.experiments.downward._runs import FILE, successor_of
from kubealive_tui.experiments.downward._told import (
    EXPERIMENT,
    FIELDS,
    KUBELETS_OWN,
    PATH,
    Agreement,
    agreement,
    told_by,
)
from kubealive_tui.model import Ending, Line, Pod, Role, line
from kubealive_tui.store import Store

__all__ = ["explain_pod", "explain_run", "explain_sources"]


def explain_sources() -> Iterator[Line]:
    """Who tells a pod, and by which part of its manifest."""
    yield line(
        "The program asks nobody. Its manifest lists fields of its own pod (fieldRef) and of its container's "
        "resources (resourceFieldRef); the kubelet puts their values into variables before the container starts, "
        "and into the files of a downwardAPI volume."
    )
    yield line(
        "CPU is asked for in thousandths (divisor: 1m): without a divisor it is rounded up to whole cores. Where "
        "a pod has no limit it is told what its node can give: the agent's CPU limit is such a value."
    )


def explain_pod(store: Store, pod: Pod) -> Iterator[Line]:
    """What the shown pod's words differ by, and why."""
    name = (f"{short(pod.name)}: ", Role.STRONG)
    latest = store.answers(EXPERIMENT).reading(pod.uid, PATH)
    if latest is None:
        yield line(
            name, "has not been asked yet: the agent asks pods that run, each second while this tab is open."
        )
        return
    if latest.body.error:
        yield line(name, f"gave no page: {latest.body.error}. What stands here is not known, and not what it was.")
        return
    told = told_by(store, pod.uid)
    if told and set(told.files.get("annotations") or ()) & KUBELETS_OWN:
        yield line(
            name,
            "its file of annotations has two more than the API: the kubelet puts into its own copy of a pod where "
            "it has it from, and since when. They are not counted here.",
        )
    stands = {field.name: agreement(field, told, pod, store) for field in FIELDS}
    if set(stands.values()) == {Agreement.UNTOLD}:
        yield line(
            name,
            "knows nothing: the same image and program, but its manifest asks for no field. Nothing in a "
            "container says by itself which pod or node it is in.",
        )
    if Agreement.OLD in stands.values():
        yield line(
            name,
            "its label was changed after its container had started. POD_MOOD was made at that start and stays "
            "until the next one; the kubelet writes the file anew when it next looks at the pod.",
        )
    differing = [field for field, stand in stands.items() if stand is Agreement.DIFFERS]
    if differing:
        yield line(
            name,
            f"says of {', '.join(differing)} something else than the API. A file follows within a minute or so; a "
            "variable that differs means that another pod answers, or that the API's view is behind.",
        )


def explain_run(scene: Scene) -> Iterator[Line]:
    """What happened after the last key."""
    run = scene.store.runs(EXPERIMENT).last
    if run is None:
        return
    yield ended_words(run)
    took = run.seconds(FILE)
    if run.verb == "label_pod" and took is not None:
        yield line(
            f"The file said so after {took:.2f} s: the kubelet got the pod's change by its watch, and exchanged "
            "the volume's files all at once. Nothing restarted, and no variable of the container changed."
        )
    elif run.verb == "label_pod" and run.ending is Ending.LIMIT:
        yield line("The file has not followed: is the pod's kubelet alive? Its node's state is on the overview.")
    elif run.verb == "delete_pod" and successor_of(scene.store, run) is not None:
        yield line(
            "The ReplicaSet made another pod from the same template: what the template says (namespace, account, "
            "requests, limits, labels) is as it was at first, whatever was changed by hand since; name, address "
            "and UID are its own, and the scheduler chose its node anew."
        )
