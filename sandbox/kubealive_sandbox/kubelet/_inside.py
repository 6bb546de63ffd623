"""What a process of a pod is told, so that it finds itself in its pod and not on this machine."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kubealive_sandbox.api import Object

__all__ = ["Inside"]

_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """The variables of every process of a pod. `api` is HOST:PORT of the API server."""

    network: str
    places: str
    dns: str
    zone: str
    api: str

    def resolv_conf(self, pod: Object) -> str:
        """The pod's /etc/resolv.conf."""
        return f"search {self._search(pod)}\nnameserver {self.dns}\noptions ndots:5\n"

    def variables(
        self, pod: Object, *, address: str, home: Path, mounts: Sequence[tuple[str, str]]
    ) -> dict[str, str]:
        """A fresh environment: of this machine's own, only where programs are."""
        host, _, port = self.api.partition(":")
        code = [str(_PACKAGE / "inside" / "site"), *filter(None, sys.path)]
        return {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "HOME": str(home),
            "HOSTNAME": pod["spec"].get("hostname") or pod["metadata"]["name"],
            "LANG": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join(dict.fromkeys(code)),
            "PYTHONUNBUFFERED": "1",
            "KUBERNETES_SERVICE_HOST": host,
            "KUBERNETES_SERVICE_PORT": port,
            "SANDBOX_POD_IP": address,
            "SANDBOX_NETWORK": self.network,
            "SANDBOX_PLACES": self.places,
            "SANDBOX_DNS": self.dns,
            "SANDBOX_SEARCH": self._search(pod),
            "SANDBOX_MOUNTS": "\n".join(f"{inside}={outside}" for inside, outside in mounts),
        }

    def _search(self, pod: Object) -> str:
        return f"{pod['metadata']['namespace']}.svc.{self.zone} svc.{self.zone} {self.zone}"
