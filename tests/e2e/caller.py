"""A second client with a pod's own resolver: what a stopwatch of the tabs about names is held against."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tests.e2e.harness import NAMESPACE, program

# Asks again and again who answers at a host, which a pod's own resolver looks up each time; until its input ends.
CALLER = """
import json, socket, sys, threading, time
host, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
while not over.wait(0.1):
    sent, address, who, body = time.time(), "", "", ""
    try:
        address = socket.gethostbyname(host)
        with socket.create_connection((address, port), 0.5) as s:
            s.sendall(f"GET {path} HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n".encode())
            reply = b""
            while part := s.recv(65536):
                reply += part
        head, _, body = reply.decode().partition("\\r\\n\\r\\n")
        who = head.partition("X-Pod-Uid: ")[2].partition("\\r")[0]
    except OSError:
        pass
    print(json.dumps([sent, time.time(), address, who, body]), flush=True)
"""


@dataclass(frozen=True)
class Called:
    """One call of the outside caller: when it was sent and ended, the address it met, the pod's UID, the body."""

    sent: float
    ended: float
    address: str
    uid: str
    body: str


@contextlib.asynccontextmanager
async def caller(pod: str, host: str, port: int, path: str) -> AsyncIterator[list[Called]]:
    """A second client, in this pod, with the pod's own resolver, that calls a host ten times a second."""
    words = ("-n", NAMESPACE, "exec", "-i", pod, "--", "python3", "-u", "-c", CALLER, host, str(port), path)
    async with program("the caller's first call", *words, take=lambda found: Called(*found)) as calls:
        yield calls
