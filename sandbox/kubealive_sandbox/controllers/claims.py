"""PersistentVolumeClaims: bound as soon as they are made, since all that stands behind one is a folder."""

from kubealive_sandbox.api import Api, clone
from kubealive_sandbox.controllers._loop import Loop, self_key

__all__ = ["STORAGE_CLASS", "claims"]

STORAGE_CLASS = "standard"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def claims(api: Api) -> Loop:
    """The controller that binds claims."""
    api.create(
        "StorageClass",
        {
            "metadata": {"name": STORAGE_CLASS, "annotations": {_DEFAULT_CLASS: "true"}},
            "provisioner": "sandbox",
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "Immediate",
        },
    )

    def reconcile(namespace: str, name: str) -> None:
        claim = api.find("PersistentVolumeClaim", namespace, name)
        if claim is None or claim["status"]["phase"] == "Bound" or claim["metadata"].get("deletionTimestamp"):
            return
        new = clone(claim)
        new["spec"] |= {"volumeName": f"pvc-{claim['metadata']['uid']}"}
        new["spec"].setdefault("storageClassName", STORAGE_CLASS)
        new = clone(api.update("PersistentVolumeClaim", new))
        requested = claim["spec"]["resources"]["requests"]
        new["status"] = {
            "phase": "Bound",
            "accessModes": claim["spec"]["accessModes"],
            "capacity": dict(requested),
        }
        api.update("PersistentVolumeClaim", new, sub="status")

    return Loop(api, "claims", reconcile, {"PersistentVolumeClaim": self_key})
