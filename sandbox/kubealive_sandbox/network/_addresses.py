"""Who has which address: one 127.R.0.0/16 a sandbox, cut into nodes, Services and pods.

What an address is on this machine, `kubealive_sandbox.places` knows. Where it is a real one, the range is taken by
listening in it, so that two sandboxes never share one; where it is a name, each sandbox has a table of its own.
"""

import contextlib
import errno
import random
import socket
from collections import deque
from pathlib import Path

from kubealive_sandbox.errors import SandboxError
from kubealive_sandbox.places import HOME, ManyAddresses, OneAddress, Places

__all__ = ["DNS_PORT", "MANY", "ONE", "Addresses"]

API_PORT = 16_443
DNS_PORT = 53
BACKLOG = 128
# Neither 127.0 (the machine's own, and its resolver's 127.0.0.53) nor the ends.
SECOND_BYTES = range(16, 251)
# The two schemes, as the command line names them.
MANY, ONE = "many", "one"


class Addresses:
    """The address plan of one sandbox. `claim` finds a range that no other sandbox has.

    `listener` is where its API server listens, on a real address, since nobody leads kubectl.
    """

    def __init__(self, second: int, *, listener: socket.socket, places: Places) -> None:
        self.network = f"127.{second}."
        self.listener = listener
        self.places = places
        self.dns = f"{self.network}0.10"
        self._services = self._deal(96, 127)
        self._pods_of: dict[int, deque[str]] = {}

    @classmethod
    def claim(cls, folder: Path, *, scheme: str = "") -> "Addresses":
        """Take a free range; without a scheme, that of many addresses where this machine has them.

        `folder` keeps what the scheme needs to. Raises SandboxError where there is none.
        """
        if scheme != ONE:
            for second in random.sample(SECOND_BYTES, len(SECOND_BYTES)):
                try:
                    return cls(second, listener=_listener(f"127.{second}.0.1", API_PORT), places=ManyAddresses())
                except OSError as exc:
                    if exc.errno == errno.EADDRINUSE:
                        continue
                    if scheme == MANY:
                        raise SandboxError(
                            f"this machine has no address but {HOME} (127.{second}.0.1: {exc.strerror}): "
                            "leave --addresses out, and one is enough"
                        ) from exc
                    break
            else:
                raise SandboxError(
                    f"port {API_PORT} is taken in every range of 127.0.0.0/8; end what listens there"
                )
        places = OneAddress.create(str(folder / "places"))
        return cls(SECOND_BYTES.start, listener=_listener(HOME, 0), places=places)

    @property
    def api(self) -> str:
        """Host and port of the API server."""
        host, port = self.listener.getsockname()
        return f"{host}:{port}"

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


def _listener(host: str, port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
