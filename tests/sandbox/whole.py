"""A whole sandbox for tests: its images, and how to wait for what it does."""

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

from kubealive_sandbox.api import Object
from kubealive_sandbox.kubelet import Image
from kubealive_sandbox.sandbox import Sandbox
from tests.sandbox.objects import NAMESPACE

# Answers with its pod's name, the version and where the client seems to be; `/exit` ends it, `/eat` eats memory.
PROGRAM = """
import http.server, os, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/exit": os._exit(7)
        if self.path == "/eat": self.server.eaten = bytearray(200 << 20)
        self.send_response(503 if os.path.exists("/data/unready") else 200)
        self.end_headers()
        self.wfile.write(f"{os.environ['HOSTNAME']} {os.environ['VERSION']} {self.client_address[0]}".encode())
    def log_message(self, *args): pass
class Server(http.server.HTTPServer): allow_reuse_address = True
print("listening", flush=True)
Server(("", 8080), Handler).serve_forever()
"""
IMAGES = {
    "workload": Image((sys.executable, "-c", PROGRAM), {"VERSION": "{tag}"}, frozenset({"v1", "v2"})),
    "python": Image((sys.executable,)),
}
WITHIN_S = 15.0


async def until(look: Callable[[], Any]) -> Any:
    """Poll until it is true."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := look()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    return found


def first_container(sandbox: Sandbox, name: str) -> Object:
    found = sandbox.api.find("Pod", NAMESPACE, name)
    return found["status"].get("containerStatuses", [{}])[0] if found else {}
