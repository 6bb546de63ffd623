"""DNS: what names lead to, held against what the Kubernetes DNS specification promises for the objects in the API.

The lesson is in the differences: a Service's address or its pods' addresses, records that follow a change only
when caches let go of the old ones, and a name whose spelling decides how many questions it costs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kubealive_tui.experiments._api import (
    Command,
    Drive,
    Effect,
    Experiment,
    Finding,
    Limit,
    Scene,
    Verdict,
)
from kubealive_tui.experiments._blocks import rail
from kubealive_tui.experiments._checks import READY, READY_WITHIN_S, ended_run, facts_of, whole
from kubealive_tui.experiments._commands import kill, scale
from kubealive_tui.experiments._dns import ASKED_NOW_US, Form, Judgement, Word, judge, resolver_of
from kubealive_tui.experiments._explanations import NOW, TRY
from kubealive_tui.experiments._names import silence_words
from kubealive_tui.experiments._stopwatches import kill_stopwatch
from kubealive_tui.experiments.dns._matrix import (
    FORMS,
    NAMES,
    SET,
    TYPES,
    Name,
    chosen,
    form_table,
    judgements,
    matrix_table,
    name_of,
    questions,
    tally,
)
from kubealive_tui.experiments.dns._walk import walk_lines
from kubealive_tui.model import (
    Act,
    DeletePod,
    DnsAnswer,
    DnsSample,
    Ending,
    Kind,
    Line,
    Milestone,
    Pod,
    Role,
    Run,
    RunFacts,
    Sample,
    Sentence,
    Source,
    View,
    line,
)
from kubealive_tui.store import Store

__all__ = ["lab"]

# Whole names tell when a record changes, and are asked each second; other spellings mostly repeat them.
WHOLE_MS = 1_000
SPELLED_MS = 5_000
# Lines of a screen that holds the tables of all three types, with the stopwatch and room for the timeline.
ALL_TYPES_FROM = 42
RAIL_FROM = 30

CELLS = len(NAMES) * len(TYPES) * len(FORMS)
# Where somebody looks already, an answer that stays the same is told anew only within a minute.
ASKED_WITHIN_S = ASKED_NOW_US / 1e6
# A cache of 30 s, behind another one of 30 s.
SETTLED_WITHIN_S = 75.0
FOLLOWS_WITHIN_S = 60.0

ASKED = Limit("cells asked", f"every one, within {ASKED_WITHIN_S:.0f} s")
SILENT = Limit("cells without an answer", "0")
STALE = Limit("stale cells", f"0, within {SETTLED_WITHIN_S:.0f} s")
WRONG = Limit("wrong cells", "0")
FOLLOWS = Limit("name of a killed pod leads to its successor", f"within {FOLLOWS_WITHIN_S:.0f} s")
WHOLE = facts_of("that run")

lab = Experiment(
    "dns",
    order=9,
    title="DNS",
    long_title="DNS",
    lesson="A name leads to a Service or to its pods; its spelling decides what is asked.",
    subject=SET,
    limits=(READY, ASKED, SILENT, STALE, WRONG, FOLLOWS, WHOLE),
    # 60 until ready, 30 until asked, 65 for the kill, 75 until settled, and air.
    check_within_s=330.0,
)


def _type(scene: Scene) -> Sequence[Effect]:
    after = TYPES[(TYPES.index(chosen(scene)) + 1) % len(TYPES)]
    return (scene.settings.choose("type", after),)


lab.use(
    Command("m", "mode", "type", "show A, AAAA or SRV records", _type, triggers=False),
    *kill,
    *scale,
)


@lab.rows
def pod_of(store: Store, key: str) -> Pod | None:
    """The pod that a name stands for; of a Service the first one."""
    name = name_of(key)
    if name is None or not name.app:
        return None
    pods = store.pods_of(lab.name, app=name.app)
    host = name.name.rpartition(".")[0]
    return next((pod for pod in pods if not host or pod.name == host), None)


@lab.sample
def sample(scene: Scene) -> Sequence[Sample]:
    """Every cell of the matrix."""
    return [
        Sample(
            lab.name,
            DnsSample(question.asked(scene.store), question.type),
            period_ms=WHOLE_MS if question.form is Form.DOT else SPELLED_MS,
        )
        for question in questions()
    ]


# ---- the stopwatch


def _followed(run: RunFacts) -> Iterator[Milestone]:
    """From the kill of a pod until its name, or its Service's, leads to the successor."""
    successor = run.successor() or ""
    terminating = run.pod(run.target, lambda p: p.deleting or p.deleted)
    yield Milestone("terminating", terminating, Source.WATCH, Role.LEAVING, Role.LEAVING, weight=3)
    left = run.endpoint(run.target, lambda e: not e.ready or e.removed)
    yield Milestone("left the slice", left, Source.WATCH, Role.LEAVING, Role.LEAVING, weight=4)
    ready = run.endpoint(successor, lambda e: e.ready)
    yield Milestone("successor in it", ready, Source.WATCH, Role.WAITING, Role.WAITING, weight=5)
    old, new = run.address(run.target), run.address(successor)
    stale = [at for at, answer in run.of(DnsAnswer) if at >= run.trigger.time_us and old and old in answer.answers]
    follows = run.first(DnsAnswer, lambda answer: new != "" and new in answer.answers)
    # While nothing else was answered, the last old answer is yet to come.
    last = None if follows is None else max(stale, default=None)
    yield Milestone("last old answer", last, Source.DNS, Role.LEAVING, weight=2, optional=True)
    yield Milestone("DNS follows", follows, Source.DNS, Role.GOOD, Role.GOOD, weight=6)


# A cache that still has the old answer speaks up within the settling time, since each name is asked each second.
lab.stopwatches += [replace(kill_stopwatch, milestones=_followed, limit_s=90.0, settle_s=3.0)]


# ---- the tab


@lab.view
def view(scene: Scene) -> Sequence[View]:
    """The matrix of one type, or of all where there is room; the selected name in its spellings; the last run."""
    counts = tally(judgements(scene.store, lab.name), scene.store.now_us)
    kind = chosen(scene)
    if scene.size.height >= ALL_TYPES_FROM:
        name, kind = _selected(scene, keyed=True)
        tables = [
            matrix_table(scene, each, keyed=True, figures=counts if each == TYPES[0] else ()) for each in TYPES
        ]
    else:
        name, _ = _selected(scene, keyed=False)
        tables = [matrix_table(scene, kind, keyed=False, figures=counts)]
    run = rail(scene, hint="x kills the pod behind the selected name, s and S scale the StatefulSet", figure=_late)
    return [
        *tables,
        form_table(scene, name, kind),
        Sentence(_spelling_words(scene)),
        *([run] if scene.size.height >= RAIL_FROM else []),
    ]


def _late(run: Run) -> Line:
    """How long DNS led to a pod that was gone, while its successor was there."""
    ready, follows = run.seconds("successor in it"), run.seconds("DNS follows")
    if ready is None or follows is None:
        return line(("DNS late ", Role.MUTED), "–")
    return line(("DNS late ", Role.MUTED), f"{max(follows - ready, 0.0):.1f} s")


def _selected(scene: Scene, *, keyed: bool) -> tuple[Name, str]:
    name, kind = name_of(scene.selected) or NAMES[0], (scene.selected or "").partition(" ")[2]
    return name, kind if keyed and kind in TYPES else TYPES[0]


def _spelling_words(scene: Scene) -> Line:
    resolver = resolver_of(scene.store)
    return line(
        ("fewer dots than ndots:", Role.MUTED), str(resolver.ndots),
        (": first in ", Role.MUTED), str(len(resolver.search) or "all"),
        (" search domains; enter shows the walk", Role.MUTED),
    )  # fmt: skip


@lab.detail
def detail(scene: Scene) -> Sequence[Line]:
    """The walk of the selected name, query by query."""
    name = name_of(scene.selected)
    if name is None:
        return ()
    kind = (scene.selected or "").partition(" ")[2] or chosen(scene)
    return list(walk_lines(scene.store, lab.name, name, kind))


# ---- the check


@lab.check
async def check(drive: Drive) -> Verdict:
    """Every cell agrees with the specification, and the name of a killed pod soon leads to its successor."""
    store = drive.store
    if not await drive.until("the pods to be ready", lambda: _all_ready(store) or None, within=READY_WITHIN_S):
        return Verdict.of([READY.found("no", kept=False)])
    findings = [READY.found(str(len(store.pods(lab.name))), kept=True)]
    began = store.now_us
    await drive.until(
        "every cell to be asked", lambda: _asked(store, began) == CELLS or None, within=ASKED_WITHIN_S
    )
    asked = _asked(store, began)
    findings.append(ASKED.found(f"{asked} of {CELLS}", kept=asked == CELLS))
    findings += await _follows(drive)
    await drive.until("every cell to settle", lambda: _settled(store) or None, within=SETTLED_WITHIN_S)
    return Verdict.of([*findings, *_judged(store)])


def _all_ready(store: Store) -> bool:
    workloads = store.workloads(lab.name)
    pods = store.pods_of(lab.name)
    return (
        {w.kind for w in workloads} >= {Kind.DAEMON_SET, Kind.STATEFUL_SET}
        and all(0 < w.desired == w.ready for w in workloads)
        and all(pod.ready and not pod.deleting for pod in pods)
    )


def _asked(store: Store, since_us: int) -> int:
    """Cells that have been answered, be it with silence, from then on."""
    latest = (judgement.latest for judgement in judgements(store, lab.name))
    return sum(found is not None and found.at_us >= since_us for found in latest)


def _settled(store: Store) -> bool:
    """Nothing stale, and nothing that may yet turn out well."""
    good = {Word.AGREES, Word.OPEN}
    return all(judgement.word in good for judgement in judgements(store, lab.name))


async def _follows(drive: Drive) -> list[Finding]:
    pod = pod_of(drive.store, f"{SET}-0.{SET}")
    if pod is None:
        return [FOLLOWS.found("the pod is missing", kept=False)]
    action = await drive.ask(Act(lab.name, pod.uid, pod.name, DeletePod()))
    run = await ended_run(drive, lab, action, within=FOLLOWS_WITHIN_S + 5)
    took = run.seconds("DNS follows") if run is not None else None
    followed = took is not None and took <= FOLLOWS_WITHIN_S
    return [FOLLOWS.found("never" if took is None else f"{took:.1f} s", kept=followed), whole(WHOLE, run)]


def _judged(store: Store) -> Iterator[Finding]:
    found = {question: judge(store, lab.name, question) for question in questions()}
    for limit, words in (
        (SILENT, {Word.SILENT}),
        (STALE, {Word.STALE, Word.SETTLING}),
        (WRONG, {Word.WRONG}),
    ):
        bad = [f"{q.asked(store)} {q.type}" for q, judgement in found.items() if judgement.word in words]
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        yield limit.found(f"{len(bad)}: {bad[0]}{more}" if bad else "0", kept=not bad)


# ---- in words


@lab.explain
def explain(scene: Scene) -> Sequence[Line]:
    """Paragraphs on what stands behind the names, on what is late or wrong now, and on what to try."""
    return [*_explain_names(scene), *_explain_now(scene), *_explain_run(scene), *_explain_next(scene)]


def _explain_names(scene: Scene) -> Iterator[Line]:
    yield line(
        "The cluster's DNS server watches Services and EndpointSlices, and makes its records from them. A Service "
        "with a ClusterIP has one address, whatever its pods do; a NodePort changes nothing about its name."
    )
    yield line(
        "A headless Service has the addresses of its ready pods instead, and each pod of a StatefulSet has a name "
        "of its own. An ExternalName is only another name, a CNAME: whoever asks goes on there."
    )
    resolver = resolver_of(scene.store)
    yield line(
        f"ndots:{resolver.ndots} in the pods' resolv.conf: a name with fewer dots is first asked with each domain "
        "of the search list behind it, so a full name with fewer costs the most questions. One with as many is "
        "asked as it stands first, and a last dot allows nothing else."
    )


def _explain_now(scene: Scene) -> Iterator[Line]:
    found = {question: judge(scene.store, lab.name, question) for question in questions()}
    for word, say in _SAYINGS.items():
        cells = [(q.name, q.type, j) for q, j in found.items() if j.word is word]
        if cells:
            name, kind, judgement = cells[0]
            more = f" (and {len(cells) - 1} more)" if len(cells) > 1 else ""
            yield line((f"{name} {kind}{more}: ", Role.STRONG), say(judgement, scene.store.now_us))


def _say_stale(judgement: Judgement, now_us: int) -> str:
    latest = judgement.latest
    ends = ""
    if latest is not None and latest.body.ttl_seconds is not None:
        left = latest.body.ttl_seconds - (now_us - latest.at_us) / 1e6
        ends = f"; this one may be kept for {max(left, 0.0):.0f} s more"
    return (
        f"the answer was right until {judgement.stale_s(now_us):.0f} s ago. A cache between us and the API keeps "
        f"answers for their TTL, and denials for the SOA's minimum{ends}."
    )


def _say_wrong(judgement: Judgement, _now_us: int) -> str:
    wanted = ", ".join(judgement.expected.words)
    return f"promised is {wanted} (section {judgement.expected.section}), and no state of the objects explains it."


def _say_silent(judgement: Judgement, _now_us: int) -> str:
    return f"{silence_words(judgement.latest.body.rcode if judgement.latest else '')}."


_SAYINGS = {Word.STALE: _say_stale, Word.WRONG: _say_wrong, Word.SILENT: _say_silent}


def _explain_run(scene: Scene) -> Iterator[Line]:
    run: Run | None = scene.store.runs(lab.name).last
    if run is None or run.ending is not Ending.COMPLETE:
        return
    ready, follows = run.seconds("successor in it"), run.seconds("DNS follows")
    if ready is None or follows is None:
        return
    old = run.seconds("last old answer")
    astray = (
        f"Until {old:.1f} s an answer still had the old address: whoever took that was sent to where nobody is."
        if old is not None and old > ready
        else "After that nobody was given the old address any more."
    )
    yield line(
        (f"{run.title}: ", Role.STRONG),
        f"the new pod stood in the EndpointSlice after {ready:.1f} s, and in DNS after {follows:.1f} s. {astray}",
    )


def _explain_next(scene: Scene) -> Iterator[Line]:
    workload = scene.store.workload(lab.name, SET)
    if workload is not None and workload.desired == 0:
        yield line(NOW, f"{SET} has no pods, so its name has no addresses: a client gets NXDOMAIN or nothing.")
        yield line(TRY, "s: the pod's name is denied for a while after it is there, since the denial was kept.")
        return
    yield line(TRY, f"x on {SET}-0.{SET}: the name never goes, but for a while it leads to the old address.")
    yield line(
        TRY, "S until no pod is left, then s: names that were denied a moment ago are denied a while longer."
    )
