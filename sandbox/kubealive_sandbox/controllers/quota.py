"""Resource quotas: how many pods a namespace may hold, which is the one that a laboratory meets."""

from collections.abc import Iterable

from kubealive_sandbox.api import Api, ApiError, Event, Object, Resource, amount, clone
from kubealive_sandbox.controllers._loop import Key, Loop, self_key

__all__ = ["enforce_quotas", "quotas"]

_PODS = ("pods", "count/pods")


def _used(api: Api, namespace: str) -> int:
    over = {"Succeeded", "Failed"}
    return sum(pod["status"].get("phase") not in over for pod in api.select("Pod", namespace))


def enforce_quotas(api: Api) -> None:
    """Have a pod refused that is one more than its namespace may hold."""

    def admit(resource: Resource, new: Object, before: Object | None) -> Iterable[tuple[str, str, str]]:
        if resource.kind != "Pod" or before is not None:
            return ()
        meta = new["metadata"]
        for quota in api.select("ResourceQuota", meta["namespace"]):
            for name, limit in (quota["spec"].get("hard") or {}).items():
                used = _used(api, meta["namespace"])
                if name in _PODS and used >= amount(limit):
                    counts = f"requested: {name}=1, used: {name}={used}, limited: {name}={limit}"
                    which = quota["metadata"]["name"]
                    words = f'pods "{meta["name"]}" is forbidden: exceeded quota: {which}, {counts}'
                    raise ApiError(403, "Forbidden", words, {"name": meta["name"], "kind": "pods"})
        return ()

    api.admit.append(admit)


def quotas(api: Api) -> Loop:
    """The controller that says how much of each quota is used."""

    def every_quota(_: Event) -> Iterable[Key]:
        for quota in api.select("ResourceQuota"):
            yield quota["metadata"]["namespace"], quota["metadata"]["name"]

    def reconcile(namespace: str, name: str) -> None:
        quota = api.find("ResourceQuota", namespace, name)
        if quota is not None:
            hard = quota["spec"].get("hard") or {}
            used = {each: str(_used(api, namespace)) for each in hard if each in _PODS}
            status = {"hard": hard, "used": used}
            if quota.get("status") != status:
                api.update("ResourceQuota", {**clone(quota), "status": status}, sub="status")

    return Loop(api, "quota", reconcile, {"ResourceQuota": self_key, "Pod": every_quota})
