"""What a pod was told by the Downward API, field by field, beside what the API says of the pod.

The pod's word is its own page, as it answered it over HTTP; nothing here is taken from its manifest.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from kubealive_tui.model import Pod, Role
from kubealive_tui.store import Store

__all__ = [
    "EXPERIMENT",
    "FIELDS",
    "KUBELETS_OWN",
    "MOOD",
    "PATH",
    "Agreement",
    "Field",
    "Told",
    "Value",
    "agreement",
    "last_told_by",
    "told_by",
    "told_in",
]

EXPERIMENT = "downward"
# Where a pod is asked, and the label that `n` changes.
PATH = "/downward"
MOOD = "mood"
# The kubelet puts these into its own copy of a pod, where it has it from and since when; the API has them not.
KUBELETS_OWN = frozenset({"kubernetes.io/config.seen", "kubernetes.io/config.source"})
# Pages remembered as read: those of some pods, and of what they said before.
_PAGES = 32

Value = str | Mapping[str, str] | None


class Agreement(Enum):
    """How the pod's word stands to the API's; the value is the sign on the screen."""

    EQUAL = "="
    OLD = "old"
    DIFFERS = "≠"
    UNTOLD = "–"
    UNKNOWN = "?"

    @property
    def role(self) -> Role:
        """What it means."""
        return _ROLES[self]


_ROLES = {
    Agreement.EQUAL: Role.GOOD,
    Agreement.OLD: Role.WAITING,
    Agreement.DIFFERS: Role.BAD,
    Agreement.UNTOLD: Role.MUTED,
    Agreement.UNKNOWN: Role.MUTED,
}


@dataclass(frozen=True, slots=True)
class Told:
    """A pod's page: variables, None where nobody told them, and files, None where there are none."""

    env: Mapping[str, str | None]
    files: Mapping[str, Mapping[str, str] | None]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a pod can be told: its name in the pod, where it comes from, and the API's word for it.

    `word` is the name in a sentence. A variable of a label is `fixed`: it keeps what the container started with.
    """

    name: str
    path: str
    word: str
    api: Callable[[Pod, Store], Value]
    file: bool = False
    fixed: bool = False

    def said(self, told: Told) -> Value:
        """The pod's word, without the annotations that only the kubelet's copy of a pod has."""
        if not self.file:
            return told.env.get(self.name)
        pairs = told.files.get(self.name)
        return None if pairs is None else {key: value for key, value in pairs.items() if key not in KUBELETS_OWN}


def _node_ip(pod: Pod, store: Store) -> str | None:
    return next((node.internal_ip or None for node in store.nodes() if node.name == pod.node), None)


def _namespace(_: Pod, store: Store) -> str | None:
    return store.namespace or None


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


def _annotations(pod: Pod, _: Store) -> Value:
    return None if pod.annotations_left_out else pod.annotations


FIELDS = (
    Field("POD_MOOD", f"metadata.labels['{MOOD}']", "mood", lambda pod, _: pod.labels.get(MOOD), fixed=True),
    Field("labels", "metadata.labels", "labels", lambda pod, _: pod.labels, file=True),
    Field("annotations", "metadata.annotations", "annotations", _annotations, file=True),
    Field("POD_NAME", "metadata.name", "name", lambda pod, _: pod.name),
    Field("POD_IP", "status.podIP", "address", lambda pod, _: pod.ip or None),
    Field("POD_UID", "metadata.uid", "UID", lambda pod, _: pod.uid),
    Field("NODE_NAME", "spec.nodeName", "node", lambda pod, _: pod.node or None),
    Field("NODE_IP", "status.hostIP", "node", _node_ip),
    Field("POD_NAMESPACE", "metadata.namespace", "namespace", _namespace),
    Field("SERVICE_ACCOUNT", "spec.serviceAccountName", "account", lambda pod, _: pod.service_account or None),
    Field("CPU_REQUEST", "requests.cpu", "requests and limits", lambda pod, _: _number(pod.cpu_request_millis)),
    Field("CPU_LIMIT", "limits.cpu", "requests and limits", lambda pod, _: _number(pod.cpu_limit_millis)),
    Field(
        "MEMORY_REQUEST",
        "requests.memory",
        "requests and limits",
        lambda pod, _: _number(pod.memory_request_bytes),
    ),
    Field("MEMORY_LIMIT", "limits.memory", "requests and limits", lambda pod, _: _number(pod.memory_limit_bytes)),
)


@lru_cache(maxsize=_PAGES)
def told_in(page: str) -> Told | None:
    """The page as the pod wrote it; None for what is none, such as one that was cut."""
    try:
        read = json.loads(page)
        env, files = read["env"], read["files"]
        return Told(
            {str(name): None if value is None else str(value) for name, value in env.items()},
            {
                str(name): None if pairs is None else {str(key): str(value) for key, value in pairs.items()}
                for name, pairs in files.items()
            },
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def told_by(store: Store, uid: str) -> Told | None:
    """What the pod last said; None before it was asked, and where its answer is no page."""
    latest = store.answers(EXPERIMENT).reading(uid, PATH)
    return told_in(latest.body.value) if latest and isinstance(latest.body.value, str) else None


def last_told_by(store: Store, uid: str) -> Told | None:
    """What the pod last said before it fell silent: one that ends is still asked, and answers no more."""
    latest = store.answers(EXPERIMENT).reading(uid, PATH)
    if latest is None:
        return None
    pages = (body.value for body in (latest.body, latest.before) if body and isinstance(body.value, str))
    return next((told for page in pages if (told := told_in(page))), None)


def agreement(field: Field, told: Told | None, pod: Pod | None, store: Store) -> Agreement:
    """How the pod's word for this field stands to the API's."""
    if told is None:
        return Agreement.UNKNOWN
    said = field.said(told)
    wanted = field.api(pod, store) if pod is not None else None
    if said is None:
        return Agreement.UNTOLD
    if said == wanted:
        return Agreement.EQUAL
    if field.fixed:
        return Agreement.OLD
    return Agreement.UNKNOWN if wanted is None else Agreement.DIFFERS
