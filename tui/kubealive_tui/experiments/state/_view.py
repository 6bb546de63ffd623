"""What the tab of the StatefulSet shows: seats by name, the Deployment beside them, the last run, the records."""

from collections.abc import Sequence

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._blocks import again_figure, rail
from kubealive_tui.experiments._dns import is_silent
from kubealive_tui.experiments._names import (
    address_words,
    answerer_words,
    is_asked,
    is_now,
    kept_words,
    led_to,
    lifetime,
    lifetime_words,
    nameless,
    record_table,
)
from kubealive_tui.experiments._words import age, pod_state, said
from kubealive_tui.experiments.state._runs import BY_NAME, OLD_ANSWER, TTL_OVER
from kubealive_tui.experiments.state._seats import (
    NAME,
    NEST,
    SET,
    Fate,
    Seat,
    Value,
    asks_always,
    lost_node,
    nest,
    refused_write,
    seat,
    seats,
    value_of,
)
from kubealive_tui.model import (
    GLYPH,
    Align,
    Cell,
    Column,
    Heading,
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

__all__ = ["shown"]

_SEATS = (
    Column("POD", 10),
    Column("NODE", 7),
    Column("STATE", 11),
    Column("A RECORD", 14),
    Column("TTL", 3, Align.RIGHT),
    Column("BY NAME", 10),
    Column("VOLUME", 8),
    Column("UID", 8, least=98),
    Column("AGE", 4, Align.RIGHT, least=98),
    Column("VALUE", 7, grows=True),
)
_BESIDE = (Column("", 16), Column("", 7), Column("", 12), Column("", 18), Column("", 9), Column("", 9, grows=True))


def shown(scene: Scene) -> Sequence[View]:
    """The tab from top to bottom."""
    chosen = chosen_seat(scene)
    return [
        _seat_table(scene),
        Sentence(_remark(scene, chosen)),
        *_beside(scene),
        rail(
            scene,
            hint="x kills the selected pod: what comes back, and when its name leads there",
            figure=_figure,
        ),
        *([_records(scene, chosen)] if chosen else []),
    ]


def chosen_seat(scene: Scene) -> Seat | None:
    """The selected seat; the first one where none is."""
    found = seat(scene.store, scene.selected or "")
    return found or next(iter(seats(scene.store)), None)


# ---- the objects


def _seat_table(scene: Scene) -> Table:
    store = scene.store
    places = {place.name: place for place in seats(store)}

    def row(key: str) -> Row:
        place = places[key]
        return Row(key, _seat_cells(store, place), past=place.pod is None and not place.wanted)

    return Table(
        columns=_SEATS,
        keys=tuple(places),
        row=row,
        empty=line(("no pods", Role.WAITING), (": s asks for one", Role.MUTED)),
    )


def _seat_cells(store: Store, place: Seat) -> tuple[Cell, ...]:
    answers, now = store.answers(NAME), store.now_us
    record = answers.dns(place.called, "A")
    return (
        line(place.name),
        line((place.pod.node if place.pod else "–", Role.MUTED)),
        _state(place),
        address_words(record, place.address, now_us=now),
        lifetime_words(record, now),
        answerer_words(answers.call(place.called), wanted=place.uid, now_us=now),
        _volume(place),
        line((place.uid[:8] or "–", Role.MUTED)),
        line((age(now - place.pod.created_us) if place.pod else "–", Role.MUTED)),
        _value(value_of(store, place)),
    )


def _state(place: Seat) -> Line:
    if place.pod is not None:
        return pod_state(place.pod)
    return line(
        (f"{GLYPH[Role.WAITING]} awaited", Role.WAITING) if place.wanted else (f"{GLYPH[Role.BAD]} gone", Role.DIM)
    )


def _volume(place: Seat) -> Line:
    if place.claim is not None:
        bound = place.claim.phase == "Bound"
        return line((place.claim.phase.lower() or "–", Role.MUTED if bound else Role.WAITING))
    if place.pod is not None and not place.pod.claims:
        return line(("emptyDir", Role.WAITING))
    return line(("–", Role.MUTED))


def _value(value: Value) -> Line:
    match value.fate:
        case Fate.HELD:
            return line((f'"{value.text}"', Role.GOOD))
        case Fate.LOST:
            return line(("lost ", Role.BAD), (f'"{value.text}"', Role.BAD))
        case Fate.UNKNOWN:
            return line(("unread", Role.DIM))
        case _:
            return line(("–", Role.MUTED))


def _beside(scene: Scene) -> Sequence[View]:
    place = nest(scene.store)
    if place is None:
        return ()
    heading = Heading(
        line(("BESIDE IT: a Deployment", Role.STRONG)), line(("same program, no identity", Role.MUTED))
    )
    pod, store = place.pod, scene.store
    cells: tuple[Cell, ...] = (
        line(_brief(pod.name) if pod else NEST),
        line((pod.node if pod else "–", Role.MUTED)),
        _state(place),
        line(("no name of its own", Role.MUTED)),
        line(("emptyDir", Role.MUTED)),
        _value(value_of(store, place)),
    )
    return [Table(_BESIDE, (NEST,), lambda key: Row(key, cells), heading=heading)]


def _brief(name: str) -> str:
    """A generated name with its middle left out: `nest-6c5…q8mzt`."""
    return name if len(name) <= 16 else f"{name[:8]}…{name[-5:]}"


# ---- the measurement


def _figure(run: Run) -> Line:
    """How long the name led to nobody who answers as the pod that it stands for."""
    if run.verb == "scale":
        return line(("one after another", Role.MUTED))
    return again_figure(run, BY_NAME, done="name back", missing="name not back")


def _remark(scene: Scene, place: Seat | None) -> Line:
    """The one thing to know now: about the selected seat, else about another one that something is wrong with."""
    if place is None:
        return line(
            (f"no StatefulSet {SET}", Role.WAITING), (f": {scene.reset_command} makes it again", Role.MUTED)
        )
    store = scene.store
    others = (words for each in seats(store) if each.name != place.name and (words := _wrong(store, each)))
    told = asks_always(scene) or scene.store.runs(NAME).current is not None
    return (
        _wrong(store, place)
        or _waits(store, place)
        or next(others, ())
        or (_moved(scene, place) if told else ())
        or _how(scene, place)
    )


def _wrong(store: Store, place: Seat) -> Line:
    return _failed(store, place) or _stranger(store, place) or _stale(store, place)


def _stranger(store: Store, place: Seat) -> Line:
    found = store.answers(NAME).call(place.called)
    if found is None or not is_now(found, store.now_us) or place.pod is None:
        return ()
    if nameless(found.body):
        return line((f"{place.called} is answered, and the reply names no pod", Role.BAD))
    if not found.body.pod_name or found.body.pod_name == place.pod.name:
        return ()
    if place.name == NEST:
        return ()  # a Service may lead to the pod before for as long as that one serves
    call = found.body
    if call.address == place.address:
        words = f"{place.called} leads to its pod, which answers as {call.pod_name}"
        return line((words, Role.BAD), (": it says so itself", Role.MUTED))
    words = f"{place.called} leads to {call.address}, and there {call.pod_name} answers"
    return line((words, Role.BAD), (": another pod has that address now", Role.MUTED))


def _failed(store: Store, place: Seat) -> Line:
    if (result := refused_write(store, place)) is not None:
        why = said(result.body) or result.error
        return line((f"{place.name} answered {result.http_status}: ", Role.BAD), why)
    found = store.answers(NAME).call(place.called)
    if found is None or not is_now(found, store.now_us):
        return ()
    if found.body.http_status < 500 or found.body.pod_uid != place.uid:
        return ()
    return line((f"{place.name} answers {found.body.http_status}: {said(found.body.body)}", Role.BAD))


def _stale(store: Store, place: Seat) -> Line:
    """What DNS goes on saying although the pod is there: an old address, or that there is none."""
    record = store.answers(NAME).dns(place.called, "A")
    if record is None or not place.address or not is_asked(record, store.now_us):
        return ()
    if is_silent(record.body):
        words = (f"{place.called}: DNS gives no answer ({record.body.rcode})", Role.BAD)
        return line(words, (", which is no word on the pod", Role.MUTED))
    if place.address in led_to(record.body):
        return ()
    kept = kept_words(record, store.now_us)
    old = ", ".join(led_to(record.body)) or record.body.rcode
    now = line((f"{place.name} is ", Role.MUTED), place.address, (", DNS still answers ", Role.MUTED))
    return line(now, (old, Role.LEAVING), (kept, Role.MUTED))


def _moved(scene: Scene, place: Seat) -> Line:
    """After a change of address: what it was, and how long the old one went on being answered."""
    record = scene.store.answers(NAME).dns(place.called, "A")
    if record is None or record.before is None or not led_to(record.body):
        return ()
    was = line(("* ", Role.LEAVING), ("was ", Role.MUTED), ", ".join(led_to(record.before)) or record.before.rcode)
    run = scene.store.runs(NAME).last
    if run is None or run.target_name != place.name:
        return was
    old, over = run.seconds(OLD_ANSWER), run.seconds(TTL_OVER)
    if old is None and not led_to(record.before):
        silent = is_silent(record.before)
        return line(was, ("" if silent else ", asked while no pod had the name", Role.MUTED))
    if old is None:
        return line(was, ("; nobody asked before the pod was back, so the first answer was new", Role.MUTED))
    left = "" if over is None else f"; its TTL at the kill: {over:.0f} s"
    return line(was, (", still answered for ", Role.MUTED), f"{old:.1f} s", (left, Role.MUTED))


def _waits(store: Store, place: Seat) -> Line:
    if away := lost_node(store, place):
        words = f": {place.name} waits for it, and no other is made"
        return line((f"{away} is NotReady", Role.BAD), (words, Role.MUTED))
    if place.claim is not None and place.claim.phase == "Pending" and place.pod is not None:
        return line((f"{place.claim.name} waits for a volume; {place.name} waits for it", Role.WAITING))
    if place.pod is not None and place.pod.message and not place.pod.ready:
        return line((place.pod.message, Role.WAITING))
    if place.name != NEST and place.pod is not None and not place.pod.claims:
        words = "emptyDir, for want of a default StorageClass: a value goes with its pod"
        return line((words, Role.WAITING))
    return ()


def _how(scene: Scene, place: Seat) -> Line:
    if asks_always(scene):
        return line(("called as ", Role.MUTED), place.called, (", always (m); v writes a value there", Role.MUTED))
    left = lifetime(scene.store.answers(NAME).dns(place.called, "A"), scene.store.now_us)
    if left is not None:
        return line((f"{place.called} is not asked (m); the last answer is still kept for {left} s", Role.MUTED))
    return line((f"{place.called} is not asked (m), and no server keeps an answer: x now", Role.MUTED))


# ---- the records


def _records(scene: Scene, place: Seat) -> Table:
    service = NEST if place.name == NEST else SET
    return record_table(scene, place.called, srv=f"_http._tcp.{service}", mine=f" {place.called}.")
