"""The agent's way to the Kubernetes API: bytes in, bytes out, and every wait has an end.

Reading and acting share it. One connection is kept for reads; each watch has its own; each change goes over
a fresh one, because a kept connection may die under a request and then nobody could say whether a change
was carried out.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Self
from urllib.parse import urlencode, urlsplit

import h11

from kubealive_agent.kube._errors import (
    ConfigurationError,
    MalformedError,
    UnreachableError,
    status_error,
)
from kubealive_agent.kube._http import Call, Connection, Endpoint
from kubealive_agent.kube._lines import LineSplitter

# Far above what a healthy API server needs for a page of a list, far below a person's patience.
REQUEST_DEADLINE_S = 15.0

# A page of a list with two objects of 10 MB still passes. While its pieces are joined it is held twice, which
# beside the agent's own 45 MB has to stay under the 128 MiB at which its pod is killed.
MAX_ANSWER_BYTES = 24 * 1024 * 1024

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

Query = Mapping[str, str | int]

# Hands each line to the function that it is given.
Lines = Callable[[Callable[[bytes], None]], Awaitable[None]]


class KubeClient:
    """Asks one API server, as one identity.

    Made by `in_cluster` or `at`; `close` ends the kept connection. Not bound to an event loop until used.
    """

    def __init__(self, endpoint: Endpoint, *, token: Callable[[], str | None]) -> None:
        self._endpoint = endpoint
        self._token = token
        self._kept: Connection | None = None

    @classmethod
    def in_cluster(cls, *, folder: Path = _SERVICE_ACCOUNT, environ: Mapping[str, str] = os.environ) -> Self:
        """Use the pod's service account. Raises ConfigurationError outside a pod.

        The token is read anew for each request: the kubelet replaces it about hourly, and the file lies in
        memory.
        """
        host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            raise ConfigurationError(
                "KUBERNETES_SERVICE_HOST is not set: this is no pod; name the API server with --api"
            )
        try:
            context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        except OSError as exc:
            raise ConfigurationError(
                f"{folder / 'ca.crt'} cannot be used ({exc}); the pod needs automountServiceAccountToken: true"
            ) from exc
        # Python 3.13 asks more of a certificate than many clusters' own authorities fulfil; the chain and the
        # host name are checked as before.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        token = folder / "token"
        return cls(Endpoint(host, int(port), ssl_context=context), token=lambda: _read_token(token))

    @classmethod
    def at(cls, base_url: str, *, token: str | None = None, ssl_context: ssl.SSLContext | None = None) -> Self:
        """Use `http://host:port` or `https://host:port`; client certificates come with the ssl context."""
        url = urlsplit(base_url)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise ConfigurationError(f"{base_url!r} is no address of an API server; expected http://HOST:PORT")
        secure = url.scheme == "https"
        context = (ssl_context or ssl.create_default_context()) if secure else None
        port = url.port or (443 if secure else 80)
        return cls(Endpoint(url.hostname, port, url.path.rstrip("/"), context), token=lambda: token)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: bytes = b"",
        content_type: str = "application/json",
        deadline: float = REQUEST_DEADLINE_S,
    ) -> bytes:
        """Return the body of a successful answer, within `deadline` seconds.

        Raises StatusError (by its code) when the server refuses, UnreachableError when no whole answer came in
        time, MalformedError when the answer exceeds MAX_ANSWER_BYTES.
        """
        call = self._call(method, path, query=query, body=body, content_type=content_type)
        with _translated(call, deadline=deadline):
            async with asyncio.timeout(deadline):
                if method == "GET":
                    return await self._read(call)
                return await self._change(call)

    @asynccontextmanager
    async def watch(self, path: str, *, query: Query, idle_deadline: float) -> AsyncIterator[Lines]:
        """Open a watch and give a function that hands on its lines, each as soon as it has come.

        That function returns when the server has ended the answer, and raises what was raised by whoever took a
        line. Empty lines are left out, a line that is too long is `TOO_LONG`. Both raise as `request` does, the
        function also when nothing at all came for `idle_deadline` seconds.
        """
        call = self._call("GET", path, query=query)
        connection: Connection | None = None
        try:
            with _translated(call, deadline=REQUEST_DEADLINE_S):
                async with asyncio.timeout(REQUEST_DEADLINE_S):
                    connection = await Connection.open(self._endpoint)
                    await self._head(connection, call)
            yield partial(_lines, connection, call, idle_deadline)
        finally:
            if connection is not None:
                connection.close()

    def close(self) -> None:
        """Drop the kept connection; open streams belong to their own context managers."""
        if self._kept:
            self._kept.close()
            self._kept = None

    def _call(
        self, method: str, path: str, *, query: Query | None, body: bytes = b"", content_type: str = ""
    ) -> Call:
        headers = [
            ("Host", self._endpoint.authority),
            ("User-Agent", "kubealive-agent"),
            ("Accept", "application/json"),
        ]
        if token := self._token():
            headers.append(("Authorization", f"Bearer {token}"))
        if body:
            headers += [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        elif method != "GET":
            headers.append(("Content-Length", "0"))
        target = self._endpoint.prefix + path + (f"?{urlencode(query)}" if query else "")
        return Call(method, target, tuple(headers), body)

    async def _read(self, call: Call) -> bytes:
        """Ask over the kept connection; one that the server closed meanwhile is replaced, once."""
        connection, self._kept = self._kept, None
        if connection and not connection.stale:
            try:
                return await self._exchange(connection, call)
            except (OSError, h11.ProtocolError):
                if connection.answered:
                    raise
        return await self._exchange(await Connection.open(self._endpoint), call)

    async def _change(self, call: Call) -> bytes:
        return await self._exchange(await Connection.open(self._endpoint), call)

    async def _exchange(self, connection: Connection, call: Call) -> bytes:
        """Carry out one request; the connection is kept afterwards if it can serve again."""
        try:
            await self._head(connection, call)
            body = await _whole_body(connection, call)
            if self._kept is None and connection.renew():
                self._kept = connection
            return body
        finally:
            if self._kept is not connection:
                connection.close()

    @staticmethod
    async def _head(connection: Connection, call: Call) -> None:
        head = await connection.send(call)
        if not 200 <= head.status_code < 300:
            raise status_error(head.status_code, await _whole_body(connection, call))


async def _whole_body(connection: Connection, call: Call) -> bytes:
    pieces = []
    size = 0
    async for piece in connection.chunks():
        size += len(piece)
        if size > MAX_ANSWER_BYTES:
            raise MalformedError(f"{_name(call)}: the answer exceeds {MAX_ANSWER_BYTES} bytes")
        pieces.append(piece)
    return b"".join(pieces)


async def _lines(connection: Connection, call: Call, idle_deadline: float, take: Callable[[bytes], None]) -> None:
    splitter = LineSplitter(take)
    connection.end_when_silent(idle_deadline)
    with _translated(call, deadline=idle_deadline):
        await connection.watch(splitter.feed)


@contextmanager
def _translated(call: Call, *, deadline: float) -> Iterator[None]:
    """Turn what asyncio, ssl and h11 raise into this package's errors."""
    try:
        yield
    except TimeoutError as exc:
        if exc.errno is not None:  # the system's own: what was sent, a keep-alive at least, found no answer
            raise UnreachableError(f"{_name(call)}: the API server has stopped answering") from exc
        raise UnreachableError(f"{_name(call)}: nothing came within {deadline:g} s") from exc
    except (OSError, EOFError, h11.ProtocolError) as exc:
        raise UnreachableError(f"{_name(call)}: {str(exc) or type(exc).__name__}") from exc


def _name(call: Call) -> str:
    """The call for an error sentence, without its query."""
    return f"{call.method} {call.target.partition('?')[0]}"


def _read_token(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(
            f"{path} cannot be read ({exc}); the pod needs automountServiceAccountToken: true"
        ) from exc
