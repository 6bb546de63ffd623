"""Who has which address: one 127.R.0.0/16 a sandbox, cut into nodes, Services and pods.

Linux lets any user listen on all of 127.0.0.0/8, so that pods have real addresses and every client can reach
them; where only 127.0.0.1 exists (macOS), that is said. Low ports belong to the administrator, and 8080 to
whatever listens on all addresses of this machine: ports below 10,000 are moved up, for listeners and clients
alike, unseen from inside.
"""

import contextlib
import errno
import random
import socket
from collections import deque

from kubealive_sandbox.errors import SandboxError

__all__ = ["DNS_PORT", "Addresses", "real_port"]

API_PORT = 16_443
DNS_PORT = 53
LAST_MOVED = 9_999
MOVED_BY = 50_000
# Neither 127.0 (the machine's own, and its resolver's 127.0.0.53) nor the ends.
SECOND_BYTES = range(16, 251)


def real_port(port: int) -> int:
    """The port that is really used for a port of the cluster."""
    return port + MOVED_BY if 0 < port <= LAST_MOVED else port


class Addresses:
    """The address plan of one sandbox. `claim` finds a range that no other sandbox has."""

    def __init__(self, second: int, listener: socket.socket) -> None:
        self.network = f"127.{second}."
        self.listener = listener
        self.dns = f"{self.network}0.10"
        self._services = self._deal(96, 127)
        self._pods_of: dict[int, deque[str]] = {}

    @classmethod
    def claim(cls) -> "Addresses":
        """Take a free range, by listening where its API server will. Raises SandboxError where there is none."""
        for second in random.sample(SECOND_BYTES, len(SECOND_BYTES)):
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((f"127.{second}.0.1", API_PORT))
                listener.listen(128)
            except OSError as exc:
                listener.close()
                if exc.errno == errno.EADDRINUSE:
                    continue
                raise SandboxError(
                    f"this machine gives pods no addresses of their own (127.{second}.0.1: {exc.strerror}): "
                    "use Linux, or a cluster"
                ) from exc
            return cls(second, listener)
        raise SandboxError(f"port {API_PORT} is taken in every range of 127.0.0.0/8; end what listens there")

    @property
    def api(self) -> str:
        """Host and port of the API server."""
        return f"{self.network}0.1:{API_PORT}"

    def node(self, number: int) -> str:
        """The address of a node, counted from 1."""
        return f"{self.network}1.{number}"

    def take_service(self) -> str:
        """An address for a Service."""
        return self._services.popleft()

    def give_service(self, address: str) -> None:
        """Take a Service's address back."""
        self._services.append(address)

    def take_pod(self, node: int) -> str:
        """An address for a pod of a node: the one that has been unused for the longest time."""
        if node not in self._pods_of:
            self._pods_of[node] = self._deal(128 + node, 128 + node)
        return self._pods_of[node].popleft()

    def give_pod(self, node: int, address: str) -> None:
        """Take a pod's address back."""
        with contextlib.suppress(KeyError):
            self._pods_of[node].append(address)

    def _deal(self, first: int, last: int) -> deque[str]:
        return deque(
            f"{self.network}{third}.{fourth}" for third in range(first, last + 1) for fourth in range(2, 255)
        )
