"""Which rights a user needs for what, asked of the API server itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from kubealive_tui.install import Api, Wanted, render

__all__ = ["INSTALL", "USE", "Right", "allowed", "listed", "missing", "needed"]

USE, INSTALL = "look and act", "install"
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, slots=True)
class Right:
    """A verb on a resource, and what it is needed for; `namespace` is empty for the whole cluster."""

    purpose: str
    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""

    @property
    def name(self) -> str:
        """The resource as kubectl names it."""
        group = f".{self.group}" if self.group else ""
        return f"{self.resource}{group}" + (f"/{self.subresource}" if self.subresource else "")


def needed(namespace: str) -> list[Right]:
    """All rights that kubealive can make use of, those for using it first, each once.

    What an action does to the cluster, the agent does with its own rights; a user only has to reach it.
    """
    rights = [
        Right(USE, "list", "", "pods", namespace=namespace),
        Right(USE, "get", "", "pods", "portforward", namespace),
        Right(USE, "create", "", "pods", "portforward", namespace),
    ]
    for manifest in render(Wanted(namespace=namespace)):
        home = namespace if manifest.kind.namespaced else ""
        rights += [
            Right(INSTALL, verb, manifest.kind.group, manifest.kind.plural, namespace=home)
            for verb in ("create", "patch")
        ]
    return list(dict.fromkeys(rights))


async def allowed(api: Api, right: Right) -> bool:
    """Whether this user has the right; raises ApiError where that cannot be asked."""
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
    answer = await api.request("POST", _REVIEWS, body=review)
    return bool(answer.get("status", {}).get("allowed"))


async def missing(api: Api, rights: Sequence[Right]) -> list[Right]:
    """Those of the rights that the user lacks, asked one after another: there are a few dozen at most."""
    return [right for right in rights if not await allowed(api, right)]


def listed(rights: Sequence[Right]) -> str:
    """The rights as a sentence holds them: verbs together where they are the same, one place after another."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in rights:
        verbs.setdefault((right.namespace, right.name), []).append(right.verb)
    names: dict[tuple[str, str], list[str]] = {}
    for (namespace, name), asked in verbs.items():
        names.setdefault((namespace, " and ".join(asked)), []).append(name)
    return "; ".join(
        f"{asked} {', '.join(found)} in {f'namespace {namespace}' if namespace else 'the whole cluster'}"
        for (namespace, asked), found in names.items()
    )
