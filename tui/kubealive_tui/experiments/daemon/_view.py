"""What the tab of the DaemonSet shows: a map of the nodes, what the frontend is told, the last run, records."""

from collections.abc import Sequence

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._blocks import again_figure, rail
from kubealive_tui.experiments._dns import dashed
from kubealive_tui.experiments._names import answered, answerer_words, is_now, kept_words, nameless, record_table
from kubealive_tui.experiments._words import age, node_state, pod_state
from kubealive_tui.experiments.daemon._spots import (
    NAME,
    SET,
    SRV,
    Spot,
    daemon_set,
    foreign,
    hosts_told,
    node_port,
    records,
    refusal,
    silence,
    spot,
    spots,
)
from kubealive_tui.model import (
    GLYPH,
    Align,
    Cell,
    Column,
    Line,
    Role,
    Row,
    Run,
    Sentence,
    Table,
    View,
    line,
)
from kubealive_tui.store import Store

__all__ = ["ANSWERS_AGAIN", "IN_DNS", "shown"]

IN_DNS = "in DNS again"
ANSWERS_AGAIN = "port answers again"


def shown(scene: Scene) -> Sequence[View]:
    """The tab from top to bottom."""
    return [
        _map(scene),
        Sentence(_remark(scene)),
        Sentence(_frontend(scene.store)),
        rail(
            scene, hint="x kills the selected node's pod: out of DNS, replaced, in DNS, answering", figure=_figure
        ),
        record_table(scene, SET, srv=SRV),
    ]


# ---- the map


def _map(scene: Scene) -> Table:
    store = scene.store
    places = {each.name: each for each in spots(store)}
    port = node_port(store)
    columns = (
        Column("NODE", 7),
        Column("STATE", 10),
        Column("POD", 6),
        Column("STATE", 11),
        Column(f"NODE:{port}" if port else "NODE:PORT", 10),
        Column("A RECORD", 14),
        Column("SRV", 13, grows=True),
        Column("NODE IP", 13, least=98),
        Column("AGE", 4, Align.RIGHT, least=98),
    )

    def row(key: str) -> Row:
        return Row(key, _cells(store, places[key]))

    empty = line(("no nodes and no pods are told of", Role.WAITING))
    return Table(columns, tuple(places), row, empty=empty)


def _cells(store: Store, place: Spot) -> tuple[Cell, ...]:
    call = store.answers(NAME).call(place.name)
    unknown = line(("–", Role.MUTED))
    pod = place.pod
    return (
        line(place.name),
        node_state(place.node),
        line(f"…{pod.name[-5:]}") if pod else unknown,
        pod_state(pod) if pod else _without(store, place),
        answerer_words(call, wanted=place.uid, now_us=store.now_us) if pod else unknown,
        _record(store, place),
        _target(store, place),
        line((place.node.internal_ip if place.node else "–", Role.MUTED)),
        line((age(store.now_us - pod.created_us) if pod else "–", Role.MUTED)),
    )


def _without(store: Store, place: Spot) -> Line:
    awaited = place.takes_pods and daemon_set(store) is not None
    return line(("awaited", Role.WAITING) if awaited else ("–", Role.MUTED))


def _record(store: Store, place: Spot) -> Line:
    """The pod's address where DNS has it, `missing` where it should, an old one that it goes on giving."""
    found = records(store)
    if found is None:
        return line(("–", Role.MUTED))
    if place.pod is not None and place.pod.ip in found[0]:
        return line(
            (place.pod.ip, Role.TEXT if place.serving else Role.LEAVING),
            "" if place.serving else ("!", Role.LEAVING),
        )
    if old := _old(store, place, found[0]):
        return line((f"{GLYPH[Role.LEAVING]} {old}", Role.LEAVING))
    return line(("missing", Role.WAITING) if place.serving else ("–", Role.MUTED))


def _old(store: Store, place: Spot, addresses: frozenset[str]) -> str:
    """The address of a pod that is gone from this node, where DNS still gives it."""
    gone = [departed.pod for departed in store.departed(NAME).values() if departed.pod.node == place.name]
    return next((pod.ip for pod in reversed(gone) if pod.ip in addresses), "")


def _target(store: Store, place: Spot) -> Line:
    """The first label of the SRV record that leads to the pod."""
    found = records(store)
    if found is None or place.pod is None:
        return line(("–", Role.MUTED))
    mine = {dashed(place.pod.ip), place.pod.hostname or place.pod.name}
    label = next((target.partition(".")[0] for target in found[1] if target.partition(".")[0] in mine), "")
    if label:
        return line((label, Role.TEXT if place.serving else Role.LEAVING))
    return line(("missing", Role.WAITING) if place.serving else ("–", Role.MUTED))


# ---- words


def _remark(scene: Scene) -> Line:
    """The one thing to know now."""
    store = scene.store
    chosen = spot(store, scene.selected or "") or next(iter(spots(store)), None)
    return (
        _absent(store)
        or _refused(store)
        or next((words for each in spots(store) if (words := _wrong(store, each))), ())
        or _silent(store)
        or _late(store)
        or _how(store, chosen)
    )


def _absent(store: Store) -> Line:
    if daemon_set(store) is not None:
        return ()
    words = "no DaemonSet: left out where its port is taken; up --host-port takes another"
    return line((words, Role.WAITING))


def _refused(store: Store) -> Line:
    """The API server's words, without the pod's name before them."""
    why = refusal(store)
    return (
        line(("its pods are refused: ", Role.BAD), (why.partition(" is forbidden: ")[2] or why, Role.WAITING))
        if why
        else ()
    )


def _wrong(store: Store, place: Spot) -> Line:
    """What is wrong on a node: it is away, its pod waits, or somebody else answers at its port."""
    if place.node is not None and place.node.state != "Ready":
        return _away(store, place)
    if place.pod is not None and not place.pod.ready and place.pod.message:
        return line((f"{place.name}: ", Role.STRONG), (place.pod.message, Role.WAITING))
    found = store.answers(NAME).call(place.name)
    if found is None or not is_now(found, store.now_us) or not place.serving:
        return ()
    if nameless(found.body):
        return line((f"{place.name}:{found.body.port} is answered", Role.BAD), ", and the reply names no pod")
    if not found.body.pod_uid or found.body.pod_uid == place.uid or _had_gone(store, found.body.pod_uid):
        return ()
    return line(
        (f"{place.name}:{found.body.port} is answered by {found.body.pod_name}", Role.BAD),
        ", which is not its pod",
    )


def _had_gone(store: Store, uid: str) -> bool:
    """Whether the pod is known to be gone: it answered before its successor did, and not beside it."""
    return uid in store.departed(NAME)


def _away(store: Store, place: Spot) -> Line:
    assert place.node is not None  # noqa: S101 - the caller looked
    ready = place.node.condition("Ready")
    since = f" for {age(store.now_us - ready.changed_us)}" if ready and ready.changed_us else ""
    words = (f"{place.name} is NotReady{since}", Role.BAD)
    if place.pod is None:
        return line(words, (": it gets no pod until it is back", Role.MUTED))
    call = store.answers(NAME).call(place.name)
    if call is not None and is_now(call, store.now_us) and answered(call.body):
        return line(words, (": yet its pod answers at the node's port", Role.MUTED))
    return line(words, (": nobody can ask its pod, which waits for it", Role.MUTED))


def _silent(store: Store) -> Line:
    rcode = silence(store)
    if not rcode:
        return ()
    return line((f"DNS gives no answer ({rcode})", Role.BAD), (": its records are not known now", Role.MUTED))


def _late(store: Store) -> Line:
    """What DNS has too much or too little, and for how long that may last."""
    strange = foreign(store)
    kept = kept_words(store.answers(NAME).dns(SET, "A"), store.now_us)
    if strange:
        more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
        return line(
            ("DNS still answers ", Role.MUTED),
            (f"{strange[0]}{more}", Role.LEAVING),
            (f", no ready pod's{kept}", Role.MUTED),
        )
    found = records(store)
    missing = [
        each for each in spots(store) if found and each.serving and each.pod and each.pod.ip not in found[0]
    ]
    if missing and missing[0].pod:
        who = f"{missing[0].pod.ip} of {missing[0].name}"
        return line(("DNS does not say ", Role.MUTED), (who, Role.WAITING), (f" yet{kept}", Role.MUTED))
    return ()


def _how(store: Store, place: Spot | None) -> Line:
    port = node_port(store)
    if place is None or place.node is None or port is None:
        return line(
            (f"{SET} names one address a node; which port of the node leads there is not known", Role.MUTED)
        )
    where = f"{place.node.internal_ip}:{port}"
    words = f" leads to {place.name}'s own pod and no other"
    return line(("from outside, ", Role.MUTED), where, (words, Role.MUTED))


def _frontend(store: Store) -> Line:
    """What a program is told that asks for the Service and calls all that it names."""
    told = hosts_told(store)
    if told is None:
        return line(("the frontend's /hostz has not been read", Role.MUTED))
    head = line(("the frontend's /hostz names ", Role.MUTED), str(len(told)), (" pods, answering: ", Role.MUTED))
    nodes = {each.name for each in spots(store)}
    good = [who for _, who in told if who in nodes]
    bad = [f"{name.partition('.')[0]} {who}" for name, who in told if who not in nodes]
    return line(
        head,
        (", ".join(sorted(good)) or "none", Role.GOOD if good else Role.WAITING),
        (f"; {bad[0]}" if bad else "", Role.BAD),
    )


def _figure(run: Run) -> Line:
    """How long the node had no pod that answers at its port."""
    return again_figure(run, ANSWERS_AGAIN, done="node answers again", missing="node does not answer")
