"""How a rollout is timed, and what of it can be said from its action alone: strategy, drain, versions.

The action tells what was before it, since facts before the trigger are not the run's: from which revision, and by
which image and drain the pods that leave were made.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kubealive_tui.experiments._words import strategy_words
from kubealive_tui.model import (
    Action,
    Aspect,
    ConditionTransition,
    Kind,
    Milestone,
    PodTransition,
    Role,
    RunFacts,
    Source,
    Stopwatch,
    TrafficRow,
    Workload,
    WorkloadTransition,
    version_of,
)

__all__ = [
    "COMPLETE",
    "GRACEFUL",
    "STUCK",
    "drain_of",
    "drain_step",
    "is_complete",
    "rollout_stopwatch",
    "strategy_now",
    "strategy_of",
]

# The Deployment controller's own words: reasons of the condition Progressing.
COMPLETE = "NewReplicaSetAvailable"
STUCK = "ProgressDeadlineExceeded"
# What the agent writes of drain: readiness probe, preStop and graceful stop are all there.
GRACEFUL = "on"
# Replies among which half have to be new: enough that chance does not reach half when a quarter is new.
_HALF_OF = 50


class _Set(NamedTuple):
    """The ReplicaSet that the run rolls out; its pods' names begin with its own."""

    uid: str
    name: str
    revision: int
    at_us: int

    def made(self, pod_name: str) -> bool:
        return pod_name.startswith(f"{self.name}-")


def rolled(run: RunFacts) -> Iterator[Milestone]:
    """From the trigger to the end of the last old pod. Replies count for the set that made their pod."""
    new = _new_set(run)
    done = _complete(run, new)
    gone = _old_gone(run, new, done)
    half = _half(run, new)
    unmeasured = not run.measured() or run.unloaded() or done is not None

    def state(at_us: int | None) -> Role:
        """Which version most clients met from then on."""
        met_new = half is not None and at_us is not None and at_us >= half
        return Role.VERSION_NEW if met_new else Role.VERSION_OLD

    made = new.at_us if new else None
    yield Milestone("new set", made, Source.WATCH, Role.VERSION_NEW, state(made), weight=4)
    ready = _first_ready(run, new)
    yield Milestone(
        "first ready", ready, Source.WATCH, Role.GOOD, state(ready), weight=5, optional=done is not None
    )
    reply = _first_reply(run, new)
    yield Milestone("first reply", reply, Source.CLIENT, Role.VERSION_NEW, state(reply), 3, optional=unmeasured)
    yield Milestone("half", half, Source.CLIENT, Role.VERSION_NEW, Role.VERSION_NEW, weight=2, optional=unmeasured)
    stuck = run.first(ConditionTransition, lambda c: c.uid == run.target and c.condition.reason == STUCK)
    if stuck is not None:
        yield Milestone("deadline passed", stuck, Source.WATCH, Role.BAD, state(stuck), weight=6, optional=True)
    last = _last_old_reply(run, new) if gone is not None else None
    over = gone is not None or not run.measured()
    yield Milestone("last old reply", last, Source.CLIENT, Role.LEAVING, state(last), weight=4, optional=over)
    yield Milestone("complete", done, Source.WATCH, Role.GOOD, state(done), weight=7)
    yield Milestone("old pods gone", gone, Source.WATCH, Role.LEAVING, Role.VERSION_NEW, weight=6)


def _given(run: RunFacts, name: str) -> int:
    text = run.action.parameters.get(name, "")
    return int(text) if text.isdigit() else 0


def _sets(run: RunFacts) -> Iterator[tuple[int, WorkloadTransition]]:
    """ReplicaSets of the target as they changed, but for those that an agent found when it began to look."""
    for at, body in run.of(WorkloadTransition):
        if body.kind is Kind.REPLICA_SET and body.owner_uid == run.target and not (body.found or body.deleted):
            yield at, body


def _new_set(run: RunFacts) -> _Set | None:
    """The set with a revision after the one before; a set that was there before gets a new one when it returns.

    Where the controller was still at an earlier change, that one's set comes first, with another image.
    """
    before, image = _given(run, "from_revision"), run.action.parameters.get("image", "")
    fresh = ((at, s) for at, s in _sets(run) if s.revision > before and s.image == image)
    return next((_Set(s.uid, s.name, s.revision, at) for at, s in fresh), None)


def _first_ready(run: RunFacts, new: _Set | None) -> int | None:
    if new is None:
        return None
    return run.first(PodTransition, lambda p: p.owner_uid == new.uid and p.ready and Aspect.READY in p.changed)


def _replies(run: RunFacts) -> list[TrafficRow]:
    return [row for row in run.rows() if row.pod_uid and not row.outcome.failed]


def _first_reply(run: RunFacts, new: _Set | None) -> int | None:
    if new is None:
        return None
    times = [row.first_end_us for row in _replies(run) if new.made(row.pod_name)]
    return min((at for at in times if at >= run.trigger.time_us), default=None)


def _half(run: RunFacts, new: _Set | None) -> int | None:
    """When half of the last fifty replies came from the new set, to a bin's grain."""
    if new is None:
        return None
    last: deque[tuple[int, bool]] = deque()
    count = fresh = 0
    for row in sorted(_replies(run), key=lambda row: row.last_planned_us):
        made = new.made(row.pod_name)
        last.append((row.count, made))
        count, fresh = count + row.count, fresh + (row.count if made else 0)
        while last and count - last[0][0] >= _HALF_OF:
            gone, was_new = last.popleft()
            count, fresh = count - gone, fresh - (gone if was_new else 0)
        if count >= _HALF_OF and 2 * fresh >= count:
            return max(row.last_end_us, run.trigger.time_us)
    return None


def _last_old_reply(run: RunFacts, new: _Set | None) -> int | None:
    if new is None:
        return None
    times = [row.last_end_us for row in _replies(run) if not new.made(row.pod_name)]
    return max((at for at in times if at >= run.trigger.time_us), default=None)


def _complete(run: RunFacts, new: _Set | None) -> int | None:
    """The controller's word of the new set, since it came: the rollout before may end as late as that."""
    if new is None:
        return None

    def told(body: ConditionTransition) -> bool:
        condition = body.condition
        ours = body.uid == run.target and (condition.type, condition.reason) == ("Progressing", COMPLETE)
        return ours and new.name in condition.message

    return run.first(ConditionTransition, told, after=new.at_us)


def _old_gone(run: RunFacts, new: _Set | None, done: int | None) -> int | None:
    """When the last old pod left the API: by most strategies after a complete rollout, by Recreate before it.

    It is known once the rollout is complete, since until then another old pod may be there that nobody touched.
    """
    if new is None or done is None:
        return None
    left: dict[str, int | None] = {}
    for at, body in run.of(PodTransition):
        if body.owner_uid and not new.made(body.name):
            left[body.uid] = at if body.deleted else None
    times = [at for at in left.values() if at is not None]
    return None if len(times) < len(left) else max(times, default=done)


def _overtaken(run: RunFacts) -> int | None:
    """When somebody changed the Deployment past this run: another image, or a set beyond the run's own."""
    wanted, new = run.action.parameters.get("image", ""), _new_set(run)
    ours, changed = False, None
    for at, body in run.of(WorkloadTransition):
        if body.uid == run.target and not body.deleted:
            ours = ours or body.image == wanted
            if ours and body.image != wanted:
                changed = at
                break
    newer = next((at for at, s in _sets(run) if new and s.uid != new.uid and s.revision > new.revision), None)
    return min((at for at in (changed, newer) if at is not None), default=None)


def _is_rollout(action: Action) -> bool:
    """A change of the template; one of the strategy alone replaces no pod."""
    given = action.parameters
    if action.verb == "rollout":
        return (given.get("image"), given.get("drain")) != (given.get("from_image"), given.get("from_drain"))
    return action.verb in {"restart", "undo"}


def _title(action: Action) -> str:
    given = action.parameters
    old, new = version_of(given.get("from_image", "")), version_of(given.get("image", ""))
    match action.verb:
        case "restart":
            return f"RESTART {new}"
        case "undo":
            return f"UNDO {old} → {new}"
        case _:
            return f"UPDATE {old} → {new}"


rollout_stopwatch = Stopwatch(_is_rollout, _title, rolled, limit_s=60.0, overtaken=_overtaken)


def drain_of(workload: Workload) -> str:
    """`on`, `off`, or `partly` where only some of readiness probe, preStop and graceful stop are there."""
    stops_well = workload.environment.get("DRAIN", "on") != "off"
    settings = {stops_well, workload.readiness_probe, workload.pre_stop_seconds is not None}
    return "partly" if len(settings) > 1 else "on" if True in settings else "off"


def is_complete(deployment: Workload) -> bool:
    """Whether the controller has seen the last change and rolled it out.

    Its word alone stays while Recreate ends the old pods, and while more are asked for.
    """
    progressing = deployment.condition("Progressing")
    told = progressing is not None and progressing.reason == COMPLETE
    seen = deployment.observed_generation >= deployment.generation
    return told and seen and deployment.updated >= deployment.desired


def drain_step(given: Mapping[str, str]) -> str:
    """The drain of the pods that left and of those that came, in a word where it is the same."""
    before, after = given.get("from_drain", ""), given.get("drain", "")
    return after if before == after else f"{before} → {after}"


def strategy_now(deployment: Workload) -> str:
    """A Deployment's strategy in words."""
    return strategy_words(deployment.strategy, deployment.max_surge, deployment.max_unavailable)


def strategy_of(given: Mapping[str, str]) -> str:
    """An action's strategy in words."""
    return strategy_words(given.get("strategy", ""), given.get("max_surge", ""), given.get("max_unavailable", ""))
