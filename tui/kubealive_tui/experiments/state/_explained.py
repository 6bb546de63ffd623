"""Why the tab of the StatefulSet looks as it does: which controller did what, and who keeps an old answer."""

from collections.abc import Iterator, Sequence

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._dns import is_silent
from kubealive_tui.experiments._explanations import TRY, ended_words
from kubealive_tui.experiments._names import is_asked, is_now, led_to, lifetime, nameless, silence_words
from kubealive_tui.experiments._words import said
from kubealive_tui.experiments.state._runs import NEW_ADDRESS, OLD_ANSWER, VALUE_BACK
from kubealive_tui.experiments.state._seats import (
    NAME,
    NEST,
    SET,
    Fate,
    Seat,
    asks_always,
    lost_node,
    nest,
    refused_write,
    seats,
    value_of,
)
from kubealive_tui.hints import kubectl_command
from kubealive_tui.model import CallResult, Ending, Line, Role, Run, line
from kubealive_tui.store import Store

__all__ = ["explanation"]


def explanation(scene: Scene) -> Sequence[Line]:
    """Paragraphs: what a set keeps, what is amiss now, the last run, the Deployment, what to try."""
    return [
        *_keeps(scene.store),
        *(words for place in seats(scene.store) for words in _amiss(scene, place)),
        *_run(scene),
        *_beside(scene.store),
        *_next(scene),
    ]


def _keeps(store: Store) -> Iterator[Line]:
    yield line(
        f"The StatefulSet controller numbers its pods: {SET}-0, {SET}-1, … It makes the next only when the one "
        "before is ready, and takes away the highest first. A pod that goes is made anew under the same number."
    )
    yield line(
        f"The Service {SET} is headless (clusterIP None): DNS leads to the pods themselves. Since the set names "
        f"it as its serviceName, each pod also has a name of its own, {SET}-NUMBER.{SET}, with its address of "
        "the moment."
    )
    if all(place.claim is None for place in seats(store)):
        yield line(
            "This set has an emptyDir in each pod, since the cluster had no default StorageClass when it was "
            "made: what is stored goes with the pod. With volumes it would stay."
        )
    else:
        yield line(
            "volumeClaimTemplates made a claim for each number. A claim is bound to its volume and outlives its "
            "pod, and even the number: scaled down and up again, the same value is there."
        )


def _amiss(scene: Scene, place: Seat) -> Iterator[Line]:
    name, store = (f"{place.name}: ", Role.STRONG), scene.store
    answers = store.answers(NAME)
    record, call = answers.dns(place.called, "A"), answers.call(place.called)
    if call is not None and not is_now(call, store.now_us):
        call = None
    if record is not None and not is_asked(record, store.now_us):
        record = None
    if record is not None and is_silent(record.body):
        yield line(
            name,
            f"{silence_words(record.body.rcode)}. That is no word on the pod: an application would try again, or "
            "fail; see tab 9 for every name.",
        )
    elif record is not None and place.address and place.address not in led_to(record.body):
        yield from _outdated(store, place)
    if call is not None and (why := _stranger(place, call.body)):
        yield line(name, why)
    if away := lost_node(store, place):
        yield line(
            name,
            f"{away} is not ready, and whether the pod still runs there nobody can tell. A name must not be two "
            "pods at once, so the controller makes no other until this one is known to be gone.",
        )
    if (result := refused_write(store, place)) is not None:
        yield line(name, f"{said(result.body) or result.error}. It says stored only once a value is on disk.")
        if result.http_status == 507:
            ends = "A claim's size is fixed unless its StorageClass lets it grow."
            yield line(name, ends if place.claim is not None else "An emptyDir ends at its sizeLimit.")
    if place.claim is not None and place.claim.phase == "Pending":
        ask = kubectl_command("describe", "pvc", place.claim.name, namespace=scene.namespace)
        yield line(
            name,
            f"{place.claim.name} waits for a volume: no StorageClass serves it, or none has room on a node where "
            f"the pod may run. `{ask}` says which.",
        )


def _stranger(place: Seat, call: CallResult) -> str:
    """Why another name answers, or nothing: a pod that has the old address, or this one, told a wrong name."""
    if nameless(call):
        return "its name leads to a reply that names no pod: it may be another's, and nobody can tell."
    if not call.pod_name or place.pod is None or call.pod_name == place.pod.name:
        return ""
    if call.address == place.address:
        return (
            f"it has the address that its name leads to, and answers as {call.pod_name}. What a pod is told of "
            "itself stands in its manifest (tab 5); callers that trust a reply's own word are misled by it."
        )
    return (
        f"{call.pod_name} answers to its name: the old address was given to another pod before the old answer had "
        "run out. Only the reply itself tells; check who answers where that matters."
    )


def _outdated(store: Store, place: Seat) -> Iterator[Line]:
    answers = store.answers(NAME)
    record, call = answers.dns(place.called, "A"), answers.call(place.called)
    left = lifetime(record, store.now_us)
    name = (f"{place.name}: ", Role.STRONG)
    if record is not None and record.body.rcode == "NXDOMAIN":
        yield line(
            name,
            "it is ready, yet DNS says that there is no such name: somebody asked before it was there, and the "
            f"denial is kept as long as an answer would be (SOA minimum {record.body.soa_minimum_seconds or '?'} "
            "s). Asked only once it is back (m), the first answer is the right one.",
        )
    else:
        kept = f" It may be kept for {left} s more." if left is not None else ""
        yield line(
            name,
            "DNS still answers with the address of the pod before: the cluster's DNS server keeps an answer for "
            f"its TTL, and asking again does not refresh it.{kept}",
        )
    if call is not None and is_now(call, store.now_us) and call.body.pod_uid == place.uid:
        yield line(
            name, "it was called by its name all the same: of several DNS servers another has the new answer."
        )


def _run(scene: Scene) -> Iterator[Line]:
    run = scene.store.runs(NAME).last
    if run is None:
        return
    yield ended_words(run)
    if run.verb == "scale":
        yield line(
            "podManagementPolicy is OrderedReady: upwards each pod waits for the one before to be ready; "
            "downwards each waits for the one above to be gone. A name that was asked for too early stays "
            "denied for up to 30 s."
        )
    elif run.verb == "delete_pod" and run.target_name.startswith(f"{SET}-"):
        yield from _rebirth(scene, run)


def _rebirth(scene: Scene, run: Run) -> Iterator[Line]:
    old = run.seconds(OLD_ANSWER)
    if run.seconds(NEW_ADDRESS) is None:
        yield line("Its name has not led to the new address yet: see what DNS says meanwhile, and for how long.")
    elif old is None and asks_always(scene):
        yield line(
            "The old address was answered no more after the kill: until the name led to the new one it was "
            "denied, or not asked for."
        )
    elif old is None:
        yield line("The name was not asked for here while the pod was away, and the first answer was right.")
    else:
        yield line(
            f"The old address was answered until {old:.1f} s after the kill, though nobody had it any more: the "
            "pod was back before the answer had run out. The new pod has the same name and another UID and "
            "address."
        )
    if run.seconds(VALUE_BACK) is not None:
        yield line("The new pod mounted the same claim, so what was stored was read back.")
    elif run.ending is Ending.COMPLETE:
        yield line("Nothing was stored, or it went with the pod: the new pod has no value.")


def _beside(store: Store) -> Iterator[Line]:
    place = nest(store)
    if place is not None and value_of(store, place).fate is Fate.LOST:
        yield line(
            (f"{NEST}: ", Role.STRONG),
            "the ReplicaSet controller made another pod with another name and an emptyDir of its own: the value "
            "went with the pod that had it. Nothing in a Deployment ties data to a place.",
        )


def _next(scene: Scene) -> Iterator[Line]:
    values = {place.name: value_of(scene.store, place).fate for place in seats(scene.store)}
    if Fate.HELD not in values.values():
        yield line(TRY, "v to write a value through the selected pod's name, then x, and read it back.")
    elif scene.store.runs(NAME).last is None:
        yield line(TRY, f"x on a pod with a value; then the same on {NEST}, which loses it.")
    elif asks_always(scene):
        yield line(
            TRY,
            "m, and x once no server keeps an answer: the new address is there at once. s and S: the order.",
        )
    else:
        yield line(
            TRY,
            "wait until no server keeps an answer, as the tab says, then x: nobody asked too early, so the first "
            "answer is the new address. m asks always again.",
        )
