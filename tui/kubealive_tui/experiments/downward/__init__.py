"""Downward API: what a pod is told about itself, and when that follows a change.

The lesson is the contrast: the same program knows everything or nothing, by a few lines of its manifest; a
variable is made once, when the container starts, while a file of a volume follows; and a successor is another pod.
"""

from collections.abc import Sequence

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
from kubealive_tui.experiments._blocks import AGE, IP, NODE, POD, STATE, pod_table, rail
from kubealive_tui.experiments._blocks import READY as READY_COLUMN
from kubealive_tui.experiments._checks import READY, READY_WITHIN_S, ended_run, facts_of, whole
from kubealive_tui.experiments._commands import kill, scale, staying
from kubealive_tui.experiments._explanations import TRY
from kubealive_tui.experiments._words import short
from kubealive_tui.experiments.downward._explained import explain_pod, explain_run, explain_sources
from kubealive_tui.experiments.downward._runs import (
    FILE,
    FILE_WITHIN_S,
    RUN_PERIOD_MS,
    aftermath,
    figure,
    label_stopwatch,
    successor_stopwatch,
)
from kubealive_tui.experiments.downward._told import (
    EXPERIMENT,
    FIELDS,
    MOOD,
    PATH,
    Agreement,
    Field,
    Told,
    Value,
    agreement,
    told_by,
)
from kubealive_tui.model import (
    Act,
    Align,
    Cell,
    Column,
    Ending,
    LabelPod,
    Line,
    Pod,
    PodSample,
    Role,
    Row,
    Sample,
    Sentence,
    Table,
    View,
    line,
)
from kubealive_tui.store import Store

__all__ = ["lab"]

TOLD, BARE = "knowingnode", "knowingnode-bare"
PORT = 8080
MOODS = ("calm", "bright", "stormy")
PERIOD_MS = 1_000
SPEAK_WITHIN_S, BACK_WITHIN_S = 20.0, 20.0
# Cells from which field paths are shown whole, and from which most values are.
WIDE, WIDER = 90, 130

EQUAL = Limit("values that a pod is told", "all equal to the API's")
BARE_SAYS = Limit("values that the bare pod is told", "none")
FOLLOWS = Limit("the file follows a changed label", f"within {FILE_WITHIN_S:.0f} s")
STAYS = Limit("the variable made of that label", "stays")
WHOLE = facts_of("that run")
AGENT = Limit("values that the agent is told of itself", "all equal to the API's")

lab = Experiment(
    EXPERIMENT,
    order=5,
    title="Self",
    long_title="Downward API",
    lesson="A pod knows of itself what its manifest has the kubelet tell it, and no more.",
    subject=TOLD,
    limits=(READY, EQUAL, BARE_SAYS, AGENT, FOLLOWS, STAYS, WHOLE),
    # 60 until ready, 20 for the words, 120 until all are equal, 20 for the bare pod, 130 for the file, 20 for its
    # way back, and air.
    check_within_s=400.0,
)


def _pod_of(store: Store, key: str) -> Pod | None:
    """A row is a pod, or one of the fields of a pod: `UID/FIELD`."""
    return store.pod(key.partition("/")[0])


lab.rows(_pod_of)


@lab.sample
def samples(scene: Scene) -> Sequence[Sample]:
    """Each pod's own page; oftener while the stopwatch waits for a file or a successor."""
    run = scene.store.runs(lab.name).last
    waited = run is not None and run.ending is Ending.OPEN
    return [Sample(lab.name, PodSample(PATH, port=PORT), RUN_PERIOD_MS if waited else PERIOD_MS)]


# ---- what changes the cluster


def _label(scene: Scene) -> Sequence[Effect]:
    pod = staying(scene)
    told = told_by(scene.store, pod.uid)
    if told is not None and told.files.get("labels") is None:
        raise NotNow(f"{short(pod.name)} has no file that could follow: choose one that is told its labels")
    return (Act(lab.name, pod.uid, pod.name, LabelPod(MOOD, next_mood(pod))),)


def next_mood(pod: Pod) -> str:
    """The mood after the one that the pod's label has."""
    now = pod.labels.get(MOOD, "")
    return MOODS[(MOODS.index(now) + 1) % len(MOODS)] if now in MOODS else MOODS[0]


lab.use(
    Command(
        "n", "new-label", "new label", f"change the label {MOOD} of the selected pod", _label, needs="label_pod"
    ),
    *kill,
    *scale,
)


lab.stopwatches += [successor_stopwatch, label_stopwatch]


# ---- the tab


@lab.view
def view(scene: Scene) -> Sequence[View]:
    """The pods and how their words stand, the shown pod's fields one by one, and the last run."""
    pods = pod_table(scene, extra=_EXTRA, cells=lambda uid: _summary(scene.store, uid), base=_BASE)
    shown = _shown(scene)
    return [
        pods,
        *([field_table(scene, shown)] if shown else []),
        *(Sentence(words) for words in aftermath(scene)),
        rail(
            scene,
            hint="n changes the selected pod's label, x kills it: either starts the stopwatch",
            figure=figure,
        ),
    ]


# No Service leads to these pods, and none of them is restarted by a key.
_BASE = (POD, NODE, STATE, READY_COLUMN, AGE, IP)
_EXTRA = (Column("MOOD", 6), Column("SAYS", 21, grows=True))


def _shown(scene: Scene) -> Pod | None:
    """The pod whose fields are shown: the selected row's, else the first that is told anything."""
    chosen = _pod_of(scene.store, scene.selected or "")
    if chosen is not None and chosen.experiment == lab.name:
        return chosen
    pods = scene.store.pods_of(lab.name)
    return next((pod for pod in pods if not pod.name.startswith(BARE)), next(iter(pods), None))


def _summary(store: Store, uid: str) -> tuple[Cell, ...]:
    pod = store.pod(uid)
    if pod is None:
        return ((), ())
    return (line((pod.labels.get(MOOD) or "–", Role.MUTED)), says(store, pod))


def says(store: Store, pod: Pod) -> Line:
    """How much of what the pod says is the API's word, in a few words."""
    latest = store.answers(lab.name).reading(pod.uid, PATH)
    if latest is None:
        return line(("not asked yet", Role.MUTED))
    if latest.body.error:
        return line((latest.body.error, Role.WAITING))
    told = told_by(store, pod.uid)
    if told is None:
        return line(("no page of its own", Role.BAD))
    counts = dict.fromkeys(Agreement, 0)
    for field in FIELDS:
        counts[agreement(field, told, pod, store)] += 1
    if counts[Agreement.UNTOLD] == len(FIELDS):
        return line(("told nothing", Role.MUTED))
    words = [line((f"{counts[Agreement.EQUAL]} of {len(FIELDS)} equal", Role.GOOD))]
    if counts[Agreement.DIFFERS]:
        words = [line((f"{counts[Agreement.DIFFERS]} of {len(FIELDS)} differ", Role.BAD))]
    if counts[Agreement.OLD]:
        words.append(line((", 1 old", Role.WAITING)))
    return line(*words)


# Margin, gaps, and the columns of one width: FIELD and the sign.
_FIXED = 3 + 5 + 15 + 3


def field_table(scene: Scene, pod: Pod) -> Table:
    """The shown pod's fields: its word, the API's, whether they are equal, and the agent's word of itself."""
    path, own = (17, 9) if scene.size.width < WIDE else (23, 11) if scene.size.width < WIDER else (23, 23)
    value = (scene.size.width - _FIXED - path - own) // 2
    told = told_by(scene.store, pod.uid)
    named = {f"{pod.uid}/{field.name}": field for field in FIELDS}

    def row(key: str) -> Row:
        return Row(key, _field_cells(scene.store, pod, told, named[key]))

    return Table(
        columns=(
            Column("FIELD", 15),
            Column("FIELD PATH", path),
            Column(f"…{pod.name[-5:]} SAYS", value),
            Column("API SAYS", value, grows=True),
            Column("", 3, Align.RIGHT),
            Column("AGENT", own),
        ),
        keys=tuple(named),
        row=row,
    )


def _field_cells(store: Store, pod: Pod, told: Told | None, field: Field) -> tuple[Cell, ...]:
    stands = agreement(field, told, pod, store)
    said = field.said(told) if told else None
    own = store.info.downward.get(field.name) if store.info else None
    return (
        line(field.name),
        line((field.path, Role.MUTED)),
        _value(field, said, stands.role if stands in {Agreement.OLD, Agreement.DIFFERS} else Role.TEXT),
        _value(field, field.api(pod, store), Role.TEXT),
        line((stands.value, stands.role)),
        _value(field, own, Role.MUTED),
    )


def _value(field: Field, value: Value, role: Role) -> Line:
    match value:
        case None:
            return line(("–", Role.MUTED))
        case str():
            return line((short(value) if field.name == "POD_NAME" else value, role))
        case _:
            mood = f", {MOOD}={value[MOOD]}" if MOOD in value else ""
            return line((f"{len(value)}{mood}", role))


# ---- the check


@lab.check
async def check(drive: Drive) -> Verdict:
    """Every value is the API's, the bare pod says none, and a file follows a label while the variable stays."""
    pods = await drive.until("the pods to be ready", lambda: _all_ready(drive.store), within=READY_WITHIN_S)
    if not pods:
        return Verdict.of([READY.found("no", kept=False)])
    told = [pod for pod in pods if not pod.name.startswith(BARE)]
    await _as_started(drive, told)
    return Verdict.of(
        [
            READY.found(str(len(pods)), kept=True),
            await _equal(drive, told),
            await _bare(drive, [pod for pod in pods if pod not in told]),
            _agent(drive.store),
            *await _follows(drive, told[0].uid),
        ]
    )


def _all_ready(store: Store) -> list[Pod] | None:
    pods = store.pods_of(lab.name)
    wanted = [store.workload(lab.name, name) for name in (TOLD, BARE)]
    whole = all(wanted) and len(pods) == sum(each.desired for each in wanted if each)
    names = {pod.name.startswith(BARE) for pod in pods}
    return pods if whole and len(names) == 2 and all(pod.ready and not pod.deleting for pod in pods) else None


async def _as_started(drive: Drive, pods: Sequence[Pod]) -> None:
    """Give each pod back the label that it started with, where somebody has changed it."""
    store = drive.store

    def spoken() -> bool | None:
        return all(told_by(store, pod.uid) for pod in pods) or None

    await drive.until("the pods to say what they were told", spoken, within=SPEAK_WITHIN_S)
    for pod in pods:
        told = told_by(store, pod.uid)
        mood = told.env.get("POD_MOOD") if told else None
        if mood is not None and mood != pod.labels.get(MOOD):
            await drive.ask(Act(lab.name, pod.uid, pod.name, LabelPod(MOOD, mood)))


async def _equal(drive: Drive, pods: Sequence[Pod]) -> Finding:
    """Each field of each pod; the first that is not the API's word is named."""
    store = drive.store

    def off() -> list[str]:
        return [words for pod in pods for field in FIELDS if (words := unequal(store, pod.uid, field))]

    await drive.until("every value to be equal", lambda: not off() or None, within=FILE_WITHIN_S)
    found = off()
    total = len(FIELDS) * len(pods)
    return EQUAL.found(f"{total - len(found)} of {total}" + (f"; {found[0]}" if found else ""), kept=not found)


def unequal(store: Store, uid: str, field: Field) -> str:
    """How a pod's word for a field is not the API's, or nothing."""
    pod, told = store.pod(uid), told_by(store, uid)
    stands = agreement(field, told, pod, store)
    if stands is Agreement.EQUAL:
        return ""
    if pod is None or told is None:
        return f"{short(pod.name) if pod else uid} has not said its {field.name}"
    return f"{short(pod.name)} says {field.name} {field.said(told) or '–'}, the API {field.api(pod, store) or '–'}"


async def _bare(drive: Drive, pods: Sequence[Pod]) -> Finding:
    def spoken() -> list[Told] | None:
        told = [page for pod in pods if (page := told_by(drive.store, pod.uid))]
        return told if len(told) == len(pods) else None

    pages = await drive.until("the bare pod to answer", spoken, within=SPEAK_WITHIN_S)
    if pages is None:
        return BARE_SAYS.found("it does not answer", kept=False)
    said = [field.name for page in pages for field in FIELDS if field.said(page) is not None]
    return BARE_SAYS.found(", ".join(said) or "none", kept=not said)


def _agent(store: Store) -> Finding:
    """The agent's own words against the API's of its pod; what the API does not say is not compared."""
    info = store.info
    pod = next((pod for pod in store.all_pods() if info and pod.name == info.pod_name), None)
    if info is None or pod is None:
        return AGENT.found("its pod is not known", kept=False)
    pairs = [(field.name, info.downward.get(field.name), field.api(pod, store)) for field in FIELDS]
    known = [(name, said, wanted) for name, said, wanted in pairs if said is not None and wanted is not None]
    off = [f"{name} {said}, the API {wanted}" for name, said, wanted in known if said != wanted]
    equal = f"{len(known) - len(off)} of {len(known)}"
    return AGENT.found(equal + (f"; {off[0]}" if off else ""), kept=bool(known) and not off)


async def _follows(drive: Drive, uid: str) -> list[Finding]:
    """Change the label, wait for the file, look at the variable, and change it back."""
    pod = drive.store.pod(uid)
    if pod is None:
        return [FOLLOWS.found("the pod is gone", kept=False)]
    before = pod.labels.get(MOOD)
    action = await drive.ask(Act(lab.name, pod.uid, pod.name, LabelPod(MOOD, next_mood(pod))))
    run = await ended_run(drive, lab, action, within=FILE_WITHIN_S + 10)
    took, told = (run.seconds(FILE) if run else None), told_by(drive.store, pod.uid)
    mood = told.env.get("POD_MOOD") if told else None
    back = await drive.ask(Act(lab.name, pod.uid, pod.name, LabelPod(MOOD, before)))
    await ended_run(drive, lab, back, within=BACK_WITHIN_S)
    return [
        FOLLOWS.found(
            "never" if took is None else f"{took:.2f} s", kept=took is not None and took <= FILE_WITHIN_S
        ),
        STAYS.found(f"{MOOD} {mood or '–'}", kept=mood is not None and mood == before),
        whole(WHOLE, run),
    ]


@lab.explain
def explain(scene: Scene) -> Sequence[Line]:
    """Paragraphs on where these values come from, what the shown pod's differ by, the last run, what to try."""
    pod = _shown(scene)
    return [
        *explain_sources(),
        *(explain_pod(scene.store, pod) if pod else ()),
        *explain_run(scene),
        line(TRY, "n on a pod that is told its labels, and watch POD_MOOD beside labels; then x."),
        line(
            ("Outside: ", Role.ACCENT),
            "kubealive workload knowingnode runs the same program here, where nobody tells it anything.",
        ),
    ]
