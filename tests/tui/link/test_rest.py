"""Requests over the official client, against a server on loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from kubernetes.aio.client import ApiClient, Configuration

from kubealive_tui.install import APPLY_PATCH, ApiError
from kubealive_tui.link._rest import RestApi

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[RestApi]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    configuration = Configuration(host=f"http://127.0.0.1:{port}", api_key={"BearerToken": "Bearer secret"})
    try:
        async with ApiClient(configuration) as client:
            yield RestApi(client)
    finally:
        await runner.cleanup()


async def test_request_carries_everything() -> None:
    """Method, path, query, body, content type and credentials arrive as they were given."""

    async def echo(request: web.Request) -> web.Response:
        return web.json_response(
            {
                "method": request.method,
                "path": request.path,
                "query": dict(request.query),
                "type": request.headers["Content-Type"],
                "credentials": request.headers["Authorization"],
                "body": await request.json(),
            }
        )

    async with serving(echo) as api:
        answer = await api.request(
            "PATCH",
            "/apis/x/roles/kubealive-agent:a",
            query={"labelSelector": "a in (b,c)", "force": "true"},
            body={"spec": {"none": None}},
            content_type=APPLY_PATCH,
        )
    assert answer == {
        "method": "PATCH",
        "path": "/apis/x/roles/kubealive-agent:a",
        "query": {"labelSelector": "a in (b,c)", "force": "true"},
        "type": APPLY_PATCH,
        "credentials": "Bearer secret",
        "body": {"spec": {"none": None}},
    }


@pytest.mark.parametrize(
    ("status", "body", "reason", "words"),
    [
        (
            403,
            json.dumps({"reason": "Forbidden", "message": "pods is forbidden"}),
            "Forbidden",
            "pods is forbidden",
        ),
        (401, json.dumps({"reason": "Unauthorized", "message": "Unauthorized"}), "Unauthorized", "log in again"),
        (502, "<html>bad gateway</html>", "Bad Gateway", "GET /x was answered with 502 Bad Gateway"),
        (500, json.dumps(["odd"]), "Internal Server Error", "answered with 500"),
        (200, "<html>a login page</html>", "NotJSON", "not JSON: is it a Kubernetes API?"),
    ],
    ids=["forbidden", "expired", "proxy", "odd JSON", "login page"],
)
async def test_refusal(status: int, body: str, reason: str, words: str) -> None:
    """Whatever is answered instead of an object becomes one error with a sentence."""

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    async with serving(refuse) as api:
        with pytest.raises(ApiError) as caught:
            await api.request("GET", "/x")
    assert (caught.value.status, caught.value.reason) == (status, reason)
    assert words in str(caught.value)


async def test_silence_ends_at_the_deadline() -> None:
    """A server that takes the request and says nothing costs the deadline and no more."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()
        await writer.wait_closed()
        ended.set()

    ended = asyncio.Event()
    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, ApiClient(Configuration(host=f"http://127.0.0.1:{port}")) as client:
        with pytest.raises(ApiError, match=r"did not answer GET /x in 0\.05 s") as caught:
            await RestApi(client).request("GET", "/x", timeout=0.05)
    async with asyncio.timeout(5):
        await ended.wait()
    assert (caught.value.status, caught.value.reason, caught.value.exit_code) == (0, "Timeout", 2)


async def test_nobody_listens() -> None:
    """A refused connection names the server and asks about the context."""
    async with ApiClient(Configuration(host="http://127.0.0.1:1")) as client:
        with pytest.raises(ApiError, match=r":1 cannot be reached: Connection refused; .*--context") as caught:
            await RestApi(client).request("GET", "/x")
    assert caught.value.reason == "Unreachable"
