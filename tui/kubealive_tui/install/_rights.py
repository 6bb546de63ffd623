"""Which rights a user has, asked of the API server itself: whoever needs one asks here before it hurts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from ._api import AT_ONCE, Api, each
from ._kinds import PODS, Kind

__all__ = ["Right", "listed_rights", "missing_rights", "rights_refusal", "rights_to_reach"]

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """A verb on a resource; `namespace` is empty for the whole cluster."""

    verb: str
    group: str = ""
    resource: str
    subresource: str = ""
    namespace: str = ""

    @classmethod
    def on(cls, kind: Kind, verb: str, namespace: str) -> Self:
        """The right on objects of that kind there; cluster-wide kinds ignore the namespace."""
        home = namespace if kind.namespaced else ""
        return cls(verb=verb, group=kind.group, resource=kind.plural, namespace=home)

    @property
    def what(self) -> str:
        """The resource as kubectl takes it."""
        group = f".{self.group}" if self.group else ""
        return f"{self.resource}{group}" + (f"/{self.subresource}" if self.subresource else "")

    @property
    def where(self) -> str:
        """Where it holds, as a sentence says it."""
        return f"namespace {self.namespace}" if self.namespace else "the whole cluster"


_EVERYTHING = Right(verb="*", group="*", resource="*")


def rights_to_reach(namespace: str) -> tuple[Right, ...]:
    """What a user needs to reach the agent, whose own rights then do to the cluster what is asked of it."""
    forward = Right(verb="get", resource=PODS.plural, subresource="portforward", namespace=namespace)
    return Right.on(PODS, "list", namespace), forward, replace(forward, verb="create")


async def missing_rights(api: Api, rights: Iterable[Right], *, within: float = 10.0) -> tuple[Right, ...]:
    """Return those of the rights that the user lacks, in their order, each once.

    Each answer is waited for `within` seconds. Raises ApiError where it cannot be asked.
    """
    wanted = tuple(dict.fromkeys(rights))

    async def allowed(right: Right) -> bool:
        return await _allowed(api, right, within=within)

    # Whoever installs is mostly an administrator, and then one question is enough.
    if len(wanted) > AT_ONCE and await allowed(_EVERYTHING):
        return ()
    answers = await each(allowed, wanted)
    return tuple(right for right, yes in zip(wanted, answers, strict=True) if not yes)


def listed_rights(rights: Sequence[Right]) -> str:
    """The rights as a sentence holds them: verbs together where they are the same, one place after another."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in rights:
        verbs.setdefault((right.where, right.what), []).append(right.verb)
    things: dict[tuple[str, str], list[str]] = {}
    for (where, what), asked in verbs.items():
        things.setdefault((where, _and(asked)), []).append(what)
    return "; ".join(f"{asked} {', '.join(found)} in {where}" for (where, asked), found in things.items())


def rights_refusal(missing: Sequence[Right]) -> str:
    """Say which rights are missing, and how whoever can grant them would see the same."""
    first = missing[0]
    question = f"kubectl auth can-i {first.verb} {first.what}"
    question += f" -n {first.namespace}" if first.namespace else ""
    return (
        f"you may not {listed_rights(missing)}; whoever administers the cluster can grant it, "
        f"and `{question}` then says yes"
    )


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


async def _allowed(api: Api, right: Right, *, within: float) -> bool:
    asked = {
        "verb": right.verb,
        "group": right.group,
        "resource": right.resource,
        "subresource": right.subresource,
        "namespace": right.namespace,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    answer = await api.request("POST", _REVIEWS, body=review, timeout=within)
    return bool(answer.get("status", {}).get("allowed"))
