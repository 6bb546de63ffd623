"""Places that outlive their pods: the numbers of a StatefulSet, and the one place of the Deployment beside it.

A seat is called by its name; whoever answers there is its pod of the moment, or a stranger. What the pods before
have answered tells whether a value outlived them.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._names import answered
from kubealive_tui.experiments._words import away_node
from kubealive_tui.model import CallResult, Claim, Pod
from kubealive_tui.store import Store

__all__ = [
    "ALWAYS",
    "ASKING",
    "NAME",
    "NEST",
    "ONCE_BACK",
    "PATH",
    "PORT",
    "SET",
    "Fate",
    "Seat",
    "Value",
    "asks_always",
    "host_of",
    "lost_node",
    "nest",
    "number_of",
    "refused_write",
    "seat",
    "seats",
    "value_in",
    "value_of",
]

NAME = "state"
SET = "phoenix"
NEST = "nest"
PORT = 8080
PATH = "/retrieve"
# How names are asked, as the tab's main mode has it.
ASKING, ALWAYS, ONCE_BACK = "asking", "always", "once back"

# A write that was refused is spoken of for so long, and looked for among so many facts.
_REFUSED_US = 30_000_000
_LOOKED_AT = 200

_NUMBERED = re.compile(rf"(?:.+-)?{SET}-(?P<number>\d+)")


@dataclass(frozen=True, slots=True)
class Seat:
    """A place: its name, the name it is called by, its pod of the moment, and its claim on a volume.

    `address` is where its name should lead while the pod is ready; empty where it should lead nowhere.
    """

    name: str
    called: str
    pod: Pod | None
    claim: Claim | None
    wanted: bool
    address: str

    @property
    def uid(self) -> str:
        """UID of its pod; empty where it has none."""
        return self.pod.uid if self.pod else ""


class Fate(Enum):
    """What is known of a value."""

    UNKNOWN = auto()
    NONE = auto()
    HELD = auto()
    LOST = auto()


@dataclass(frozen=True, slots=True)
class Value:
    """A value and what became of it: LOST where the pod before had it, UNKNOWN where this one was not read yet."""

    fate: Fate
    text: str = ""


def asks_always(scene: Scene) -> bool:
    """Whether every name is asked all the time, so that its answer stays kept; else only once a pod is back."""
    return scene.settings.choices.get(ASKING, ALWAYS) == ALWAYS


def host_of(name: str) -> str:
    """The name by which a pod is called: a numbered one's own under the governing Service, else its Service's."""
    return f"{name}.{SET}" if number_of(name) is not None else NEST


def number_of(name: str) -> int | None:
    """The number in the name of a pod of the set, or of its claim; None for any other name."""
    found = _NUMBERED.fullmatch(name)
    return int(found["number"]) if found else None


def seats(store: Store) -> list[Seat]:
    """The numbers of the set, up to the highest that is wanted, has a pod, or has a claim that waits for one."""
    workload = store.workload(NAME, SET)
    wanted = workload.desired if workload else 0
    pods = {number_of(pod.name): pod for pod in store.pods_of(NAME, app=SET)}
    claims = {number_of(claim.name): claim for claim in store.claims(NAME)}
    taken = [number for number in (*pods, *claims) if number is not None]
    count = max([wanted, *(number + 1 for number in taken)])
    return [
        _numbered(number, pods.get(number), claims.get(number), wanted=number < wanted) for number in range(count)
    ]


def _numbered(number: int, pod: Pod | None, claim: Claim | None, *, wanted: bool) -> Seat:
    name = f"{SET}-{number}"
    return Seat(name, host_of(name), pod, claim, wanted, pod.ip if pod and pod.ready else "")


def nest(store: Store) -> Seat | None:
    """The Deployment's place: its newest pod that stays, else its newest; None where it is not installed."""
    if store.workload(NAME, NEST) is None:
        return None
    pods = store.pods_of(NAME, app=NEST)
    newest = max(pods, key=lambda pod: (not pod.deleting, pod.created_us), default=None)
    address = next((service.cluster_ip for service in store.services(NAME) if service.name == NEST), "")
    ready = newest is not None and newest.ready
    return Seat(NEST, NEST, newest, None, wanted=True, address=address if ready else "")


def seat(store: Store, name: str) -> Seat | None:
    """The seat of this name, or None."""
    there = nest(store)
    found = [*seats(store), *([there] if there else [])]
    return next((each for each in found if each.name == name), None)


def lost_node(store: Store, place: Seat) -> str:
    """The node of the seat's pod where that is not ready; empty where it is, and of the Deployment's place."""
    if place.pod is None or place.name == NEST:
        return ""
    return away_node(place.pod, store.nodes())


def refused_write(store: Store, place: Seat) -> CallResult | None:
    """What the seat's newest write by a key came to, where that was a refusal of late."""
    for fact in islice(reversed(store.ledger(NAME).timeline), _LOOKED_AT):
        if store.now_us - fact.time_us > _REFUSED_US:
            return None
        if isinstance(fact.body, CallResult) and fact.action_id and fact.body.name == place.called:
            return fact.body if fact.body.http_status >= 400 else None
    return None


def value_in(call: CallResult) -> Value:
    """What a reply to PATH says of the value."""
    if call.http_status == 200:
        return Value(Fate.HELD, call.body.removesuffix("\n"))
    return Value(Fate.NONE if call.http_status == 404 else Fate.UNKNOWN)


def value_of(store: Store, place: Seat) -> Value:
    """The value that the seat's pod holds, as read by name; and what the pods before it held."""
    served = [found.body for found in store.answers(NAME).served(place.called) if answered(found.body)]
    mine = next((value_in(call) for call in reversed(served) if call.pod_uid == place.uid), Value(Fate.UNKNOWN))
    if mine.fate is Fate.HELD:
        return mine
    before = [value_in(call) for call in served if call.pod_uid != place.uid]
    held = next((value.text for value in reversed(before) if value.fate is Fate.HELD), "")
    if mine.fate is Fate.NONE:
        return Value(Fate.LOST, held) if held else mine
    return Value(Fate.UNKNOWN, held)
