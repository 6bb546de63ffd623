"""Deployment → StatefulSet: numbered pods that keep their name and their volume, while their address changes.

The lesson is what a name is worth: it leads to the old pod for as long as somebody keeps the old answer, and what
a pod stored is there for its successor because the claim is of the number and not of the pod. A Deployment beside
it runs the same program and loses both.
"""

from collections.abc import Sequence
from itertools import islice

from kubealive_tui.experiments._api import (
    Command,
    Drive,
    Effect,
    Experiment,
    Finding,
    Limit,
    NotNow,
    Scene,
    Verdict,
)
from kubealive_tui.experiments._checks import (
    READY,
    READY_WITHIN_S,
    answered_by_its_own,
    ended_run,
    facts_of,
    whole,
)
from kubealive_tui.experiments._commands import kill, scale
from kubealive_tui.experiments._names import is_asked, led_to
from kubealive_tui.experiments._words import said
from kubealive_tui.experiments.state._explained import explanation
from kubealive_tui.experiments.state._runs import BY_NAME, rebirth_stopwatch, scale_stopwatch
from kubealive_tui.experiments.state._seats import (
    ALWAYS,
    ASKING,
    NAME,
    NEST,
    ONCE_BACK,
    PATH,
    PORT,
    SET,
    Fate,
    Seat,
    asks_always,
    nest,
    seat,
    seats,
    value_of,
)
from kubealive_tui.experiments.state._view import shown
from kubealive_tui.model import (
    Act,
    Call,
    CallResult,
    CallSample,
    DeletePod,
    DnsSample,
    Ending,
    Pod,
    Run,
    Sample,
    View,
)
from kubealive_tui.store import Store

__all__ = ["lab"]

# How often a name is called: each second, and four times that while it leads elsewhere, or has just changed, since
# several servers keep an answer each, and the one that is behind may be the next to be asked.
PERIOD_MS = 1_000
RESTLESS_MS = 250
RESTLESS_US = 10_000_000
# What the workload takes.
MOST_BYTES = 256
# Creation times have whole seconds.
_SECOND_US = 1_000_000
# A value that was written is read back within this time, and looked for among so many facts.
_WRITTEN_US = 3_000_000
_LOOKED_AT = 30


# A denial that was kept from before the pods were there lasts half a minute.
NAMES_WITHIN_S = 40.0
STORED_WITHIN_S = 10.0
BACK_WITHIN_S = 90.0
AIR_S = 5.0
VICTIM = f"{SET}-1"

NAMES = Limit("names complete, A and SRV", f"each pod's, within {NAMES_WITHIN_S:.0f} s")
CALLED = Limit("pods called by their names", f"each answered by its own pod, within {NAMES_WITHIN_S:.0f} s")
STORED = Limit("value stored by name", f"on disk, within {STORED_WITHIN_S:.0f} s")
REBORN = Limit("killed pod's name answers again", f"by its successor, within {BACK_WITHIN_S:.0f} s")
SURVIVED = Limit("value after the kill", "the same")
LOST = Limit("value of the Deployment after a kill", "lost")
WHOLE = facts_of("these runs")

lab = Experiment(
    NAME,
    order=8,
    title="State",
    long_title="Deployment → StatefulSet",
    lesson="Each pod keeps its number, its name in DNS and its volume; the address changes.",
    subject=SET,
    limits=(READY, NAMES, CALLED, STORED, REBORN, SURVIVED, LOST, WHOLE),
    # 60 until ready, 40 until DNS is complete, 90 for the kill of each of the two, and air.
    check_within_s=320.0,
)
lab.stopwatches += [rebirth_stopwatch, scale_stopwatch]
lab.explain(explanation)


@lab.rows
def pod_of(store: Store, key: str) -> Pod | None:
    """The pod that a seat has now."""
    place = seat(store, key)
    return place.pod if place else None


# ---- keys


def _write(scene: Scene) -> Sequence[Effect]:
    pod = scene.pod()
    size = len(scene.given.encode())
    if not 0 < size <= MOST_BYTES:
        raise NotNow(f"a value has 1 to {MOST_BYTES} bytes, and this one has {size}: type another")
    place = seat(scene.store, scene.selected or "")
    host = place.called if place else pod.name
    return (Act(scene.name, pod.uid, pod.name, Call(host, PORT, "/store", "POST", scene.given)),)


def _mode(scene: Scene) -> Sequence[Effect]:
    if asks_always(scene):
        return (
            scene.settings.choose(ASKING, ONCE_BACK),
            "asked only once a killed pod is back; kept answers are forgotten meanwhile",
        )
    return scene.settings.choose(ASKING, ALWAYS), "every name is asked all the time, so that its answer stays kept"


lab.use(
    Command(
        "v", "value", "write a value", "store a value through the selected row's own name", _write,
        needs="call", ask=f"value to store, up to {MOST_BYTES} bytes",
    ),
    *kill,
    *scale,
    Command(
        "m", "mode", "asking", "ask for the names always, or only once a killed pod is back", _mode, triggers=False
    ),
)  # fmt: skip


# ---- what is asked, and what is shown


@lab.sample
def sample(scene: Scene) -> Sequence[Sample]:
    """Each seat's name is resolved and called; of the selected one, all that DNS says."""
    places = [place for place in seats(scene.store) if place.wanted or place.pod]
    if (beside := nest(scene.store)) is not None:
        places.append(beside)
    if not asks_always(scene):
        places = [place for place in places if _is_back(scene, place)]
    wanted = [Sample(lab.name, CallSample(place.called, PORT, PATH), _period(scene, place)) for place in places]
    chosen = [place for place in places if place.name == scene.selected]
    names = [*((place.called, kind) for place in chosen for kind in ("A", "AAAA")), (SET, "A"), *_SERVICES]
    return [*wanted, *(Sample(lab.name, DnsSample(name, kind)) for name, kind in names)]


_SERVICES = tuple((f"_http._tcp.{service}", "SRV") for service in (SET, NEST))


def _is_back(scene: Scene, place: Seat) -> bool:
    """Whether the seat's pod is back in the open run, or was just written to: asking spoils nothing then."""
    ledger = scene.store.ledger(lab.name)
    run, pod = ledger.runs.current, place.pod
    if run is not None and pod is not None and place.address and pod.created_us + _SECOND_US > run.began_us:
        return True
    newest = islice(reversed(ledger.timeline), _LOOKED_AT)
    written = (f for f in newest if isinstance(f.body, CallResult) and f.action_id and f.body.name == place.called)
    return any(scene.store.now_us - fact.time_us < _WRITTEN_US for fact in written)


def _period(scene: Scene, place: Seat) -> int:
    answers, now = scene.store.answers(lab.name), scene.store.now_us
    found, record = answers.call(place.called), answers.dns(place.called, "A")
    changed = record is not None and record.before is not None and now - record.since_us < RESTLESS_US
    right = bool(place.address) and found is not None and found.body.pod_uid == place.uid
    return PERIOD_MS if right and not changed else RESTLESS_MS


@lab.view
def view(scene: Scene) -> Sequence[View]:
    """Seats, the Deployment beside them, the last run, and what DNS says of the selected one."""
    return shown(scene)


# ---- the verdict


@lab.check
async def check(drive: Drive) -> Verdict:
    """Write through a pod's own name, kill the pod, and read the value back; the Deployment loses its own."""
    store = drive.store
    ready = await drive.until("the pods to be ready", lambda: _all_ready(store), within=READY_WITHIN_S)
    if not ready:
        return Verdict.of([READY.found(_who_is_not(store), kept=False)])
    if not all(place.claim for place in ready if place.name != NEST):
        return Verdict.skipped(
            "the set has no volumes, since the cluster had no default StorageClass when it was made: no value "
            "can survive"
        )
    findings = [
        READY.found(str(len(ready)), kept=True),
        await _complete(drive),
        await answered_by_its_own(drive, lab, CALLED, lambda: _wanted(store), within=NAMES_WITHIN_S),
    ]
    if all(finding.kept for finding in findings):
        findings += await _kept(drive)
        findings += await _lost(drive)
    return Verdict.of(findings)


def _all_ready(store: Store) -> list[Seat] | None:
    there = nest(store)
    places = [*(place for place in seats(store) if place.wanted or place.pod), *([there] if there else [])]
    ready = [place for place in places if place.address and place.pod and not place.pod.deleting]
    return ready if there and len(ready) == len(places) > 1 else None


def _who_is_not(store: Store) -> str:
    late = [place.name for place in seats(store) if place.wanted and not place.address]
    return f"not {', '.join(late)}" if late else "no set or no Deployment"


async def _complete(drive: Drive) -> Finding:
    """Each numbered pod has its address under its name, and its SRV record under the Service's, asked just now."""

    def missing() -> list[str]:
        answers, now = drive.store.answers(lab.name), drive.store.now_us
        srv = answers.dns(f"_http._tcp.{SET}", "SRV")
        records = srv.body.answers if srv and is_asked(srv, now) else ()
        short = []
        for place in _wanted(drive.store):
            record = answers.dns(place.called, "A")
            if record is None or not is_asked(record, now) or led_to(record.body) != (place.address,):
                short.append(f"A of {place.name}")
            if not any(f" {place.called}." in each for each in records):
                short.append(f"SRV of {place.name}")
        return short

    done = await drive.until("every name in DNS", lambda: not missing() or None, within=NAMES_WITHIN_S)
    return NAMES.found("complete" if done else f"missing: {', '.join(missing())}", kept=bool(done))


def _wanted(store: Store) -> list[Seat]:
    return [place for place in seats(store) if place.wanted]


async def _kept(drive: Drive) -> list[Finding]:
    """A value written by name is there again under the same name after the pod that took it was killed."""
    value = f"check {drive.store.now_us}"
    if wrong := await _stored(drive, VICTIM, value):
        return [STORED.found(wrong, kept=False)]
    findings = [STORED.found("yes", kept=True)]
    run = await _killed(drive, VICTIM)
    back = seat(drive.store, VICTIM)
    if run is None or run.ending is not Ending.COMPLETE or back is None:
        return [*findings, REBORN.found(run.ending.value if run else "no", kept=False)]
    after = value_of(drive.store, back)
    same = after.fate is Fate.HELD and after.text == value
    words = "the same" if same else f"{after.fate.name.lower()} {after.text}".rstrip()
    return [
        *findings,
        REBORN.found(f"{run.seconds(BY_NAME) or 0.0:.1f} s", kept=True),
        SURVIVED.found(words, kept=same),
        whole(WHOLE, run),
    ]


async def _lost(drive: Drive) -> list[Finding]:
    """The same on the Deployment: its successor has nothing."""
    if wrong := await _stored(drive, NEST, f"check {drive.store.now_us}"):
        return [LOST.found(f"not stored: {wrong}", kept=False)]
    run = await _killed(drive, NEST)
    place = nest(drive.store)
    if run is None or run.ending is not Ending.COMPLETE or place is None:
        return [LOST.found("no pod answered in its place", kept=False)]
    fate = value_of(drive.store, place).fate
    return [LOST.found(fate.name.lower(), kept=fate is Fate.LOST)]


async def _stored(drive: Drive, name: str, value: str) -> str:
    """Store a value by the seat's name and read it back; empty where that went well, else what came instead."""
    place = seat(drive.store, name)
    if place is None or place.pod is None:
        return f"{name} is gone"
    store_it = Call(place.called, PORT, "/store", "POST", value)
    action = await drive.ask(Act(lab.name, place.pod.uid, place.pod.name, store_it))

    def came() -> CallResult | None:
        facts = reversed(drive.store.ledger(lab.name).timeline)
        results = (f.body for f in facts if f.action_id == action and isinstance(f.body, CallResult))
        return next(results, None)

    result = await drive.until(f"{name} to store it", came, within=STORED_WITHIN_S)
    if result is None:
        return "no answer"
    if result.http_status != 200:
        return f"{result.outcome.value} {said(result.body)}"

    def read() -> bool | None:
        now = seat(drive.store, name)
        return (now is not None and value_of(drive.store, now).text == value) or None

    return "" if await drive.until(f"{name} to say it", read, within=STORED_WITHIN_S) else "stored, not read back"


async def _killed(drive: Drive, name: str) -> Run | None:
    """Kill the seat's pod; the run once it has ended."""
    place = seat(drive.store, name)
    if place is None or place.pod is None:
        return None
    action = await drive.ask(Act(lab.name, place.pod.uid, place.pod.name, DeletePod()))
    return await ended_run(drive, lab, action, within=BACK_WITHIN_S + AIR_S)
