"""How a changed label and a kill are timed on the Downward API's tab, and what each leaves behind."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._stopwatches import kill_stopwatch, unserved
from kubealive_tui.experiments._words import short
from kubealive_tui.experiments.downward._told import EXPERIMENT, FIELDS, MOOD, last_told_by, told_by, told_in
from kubealive_tui.model import (
    Action,
    Aspect,
    Ending,
    Line,
    Milestone,
    Pod,
    Reading,
    Role,
    Run,
    RunFacts,
    Source,
    Stopwatch,
    line,
)
from kubealive_tui.store import Store

__all__ = [
    "FILE",
    "FILE_WITHIN_S",
    "RUN_PERIOD_MS",
    "aftermath",
    "figure",
    "label_stopwatch",
    "successor_of",
    "successor_stopwatch",
]

# While a run waits for a file or a successor, pods are asked as often as the agent asks at most: the error bar.
RUN_PERIOD_MS = 200
# The kubelet writes the files when it next looks at the pod: a second on an idle node, up to 90 on a busy one.
FILE_WITHIN_S = 120.0
FILE, SPEAKS = "the file says so", "says who it is"


def _is_label(action: Action) -> bool:
    return action.verb == "label_pod" and action.parameters.get("key") == MOOD


def _says(run: RunFacts, uid: str, where: Sequence[tuple[str, str]]) -> int | None:
    """When the pod's page first had these pairs among its labels."""

    def fits(reading: Reading) -> bool:
        told = told_in(reading.value) if reading.uid == uid and isinstance(reading.value, str) else None
        labels = told.files.get("labels") if told else None
        return labels is not None and all(labels.get(key) == value for key, value in where)

    return run.first(Reading, fits)


def labelled(run: RunFacts) -> Iterator[Milestone]:
    """From the label's change to the file in the pod that says it."""
    wanted = [(MOOD, run.action.parameters.get("value", ""))]
    changed = run.pod(run.target, lambda pod: Aspect.LABELS in pod.changed)
    yield Milestone("label in the API", changed, Source.WATCH, Role.WAITING, Role.WAITING, weight=2)
    file = _says(run, run.target, wanted)
    yield Milestone(FILE, file, Source.CLIENT, Role.GOOD, Role.GOOD, weight=3)


label_stopwatch = Stopwatch(
    _is_label,
    lambda action: f"LABEL {MOOD}={action.parameters.get('value', '?')} ON {short(action.target_name)}",
    labelled,
    limit_s=FILE_WITHIN_S + 5,
    settle_s=0.5,
)
successor_stopwatch = replace(kill_stopwatch, milestones=partial(unserved, speaks=SPEAKS))


def figure(run: Run) -> Line:
    """What a run without traffic has measured."""
    file, own = run.seconds(FILE), run.seconds(SPEAKS)
    if file is not None:
        return line(("file after ", Role.MUTED), f"{file:.2f} s", f" ±{RUN_PERIOD_MS / 1000:g}")
    if run.verb == "label_pod":
        return line(("the file still says the old label", Role.WAITING))
    return line(("", Role.MUTED)) if own is None else line(("speaks after ", Role.MUTED), f"{own:.2f} s")


def aftermath(scene: Scene) -> Sequence[Line]:
    """What the last run has left: a variable that stays as it was, or a successor that is another pod."""
    run = scene.store.runs(EXPERIMENT).last
    if run is None or run.ending is Ending.REFUSED:
        return ()
    return _stays(scene.store, run) if run.verb == "label_pod" else _successor_words(scene.store, run)


def _stays(store: Store, run: Run) -> Sequence[Line]:
    told = told_by(store, run.target_uid)
    if told is None or store.pod(run.target_uid) is None:
        return ()
    file = (told.files.get("labels") or {}).get(MOOD, "–")
    words = line(
        ("the file says ", Role.MUTED), file,
        ("; the variable says ", Role.MUTED), (told.env.get("POD_MOOD") or "–", Role.WAITING),
        (", as when the container started", Role.MUTED),
    )  # fmt: skip
    return (words,)


def successor_of(store: Store, run: Run) -> Pod | None:
    """The first pod of the killed one's owner that was created after the kill, whole seconds being its grain."""
    departed = store.departed(EXPERIMENT).get(run.target_uid)
    pods = store.pods_of(EXPERIMENT)
    owner = departed.pod.owner_uid if departed else getattr(store.pod(run.target_uid), "owner_uid", "")
    after = run.began_us // 1_000_000 * 1_000_000
    later = (p for p in pods if p.owner_uid == owner != "" and p.created_us >= after and p.uid != run.target_uid)
    return min(later, key=lambda pod: pod.created_us, default=None)


def _successor_words(store: Store, run: Run) -> Sequence[Line]:
    successor = successor_of(store, run)
    before = last_told_by(store, run.target_uid)
    after = told_by(store, successor.uid) if successor else None
    if before is None or after is None:
        return ()
    if not any(field.said(after) for field in FIELDS):
        return (line(("neither it nor its successor is told who it is", Role.MUTED)),)
    known = [field for field in FIELDS if field.said(before) is not None and field.said(after) is not None]
    kept = dict.fromkeys(field.word for field in known if field.said(before) == field.said(after))
    new = dict.fromkeys(field.word for field in known if field.said(before) != field.said(after))
    return tuple(
        line((head, Role.MUTED), ", ".join(words) or "nothing")
        for head, words in (("kept ", kept), ("new  ", new))
    )
