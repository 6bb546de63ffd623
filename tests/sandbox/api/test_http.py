"""The API as clients meet it: paths, watches, tables, and who is let in."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from kubealive_sandbox.api import Api, Streams, build_app
from tests.sandbox.objects import NAMESPACE, NoMetrics, NoPrograms, deployment, new_api, pod

SECRET = "s3cret"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
AS_TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}


class Echo(NoPrograms):
    """A node whose pods say one line, and answer what they are told."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    async def logs(self, pod: Any, container: str, query: Any) -> AsyncIterator[bytes]:
        yield b"hello\n"

    async def dial(self, pod: Any, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if port != 8080:
            raise ConnectionRefusedError
        near, far = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=far)
        self._tasks.append(asyncio.create_task(self._serve(reader, writer)))
        return await asyncio.open_connection(sock=near)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read(100)).upper())
        writer.close()


@pytest.fixture
def api() -> Api:
    return new_api()


@pytest.fixture
async def client(api: Api) -> AsyncIterator[aiohttp.ClientSession]:
    app = build_app(api, secret=SECRET, streams=Streams(Echo()), metrics=NoMetrics())
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession(f"http://{host}:{port}") as session:
        yield session
    await runner.cleanup()


async def get(client: aiohttp.ClientSession, path: str, **query: str) -> tuple[int, Any]:
    async with client.get(f"/{SECRET}{path}", params=query) as answer:
        return answer.status, await answer.json()


async def test_without_the_secret_there_is_nothing(client: aiohttp.ClientSession) -> None:
    """Whoever does not know the address learns nothing, not even that this is an API."""
    async with client.get("/version") as answer:
        assert (answer.status, await answer.text()) == (404, "there is nothing here\n")


@pytest.mark.parametrize(
    ("path", "code", "reason"),
    [
        pytest.param(f"{PODS}/none", 404, "NotFound", id="no such object"),
        pytest.param("/apis/example.com/v1/things", 404, "NotFound", id="no such resource"),
        pytest.param(f"{PODS}?watch=1&resourceVersion=1", 410, "Expired", id="a watch from long ago"),
        pytest.param(f"{PODS}?watch=1&resourceVersion=x", 400, "BadRequest", id="a version that is none"),
    ],
)
async def test_refusals_are_status_objects(
    api: Api, client: aiohttp.ClientSession, path: str, code: int, reason: str
) -> None:
    """Each carries code and reason."""
    api.store.version = 9
    api.store.compact()
    status, body = await get(client, path)

    assert (status, body["kind"], body["code"], body["reason"]) == (code, "Status", code, reason)


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        pytest.param(b"{", "application/json", 400, id="malformed JSON"),
        pytest.param(b"[1]", "application/json", 400, id="no object"),
        pytest.param(b"\x00\x01", "application/vnd.kubernetes.protobuf", 400, id="malformed protobuf"),
    ],
)
async def test_bodies_that_cannot_be_read(
    client: aiohttp.ClientSession, body: bytes, content_type: str, code: int
) -> None:
    """They are refused as bad requests."""
    headers = {"Content-Type": content_type}
    async with client.post(f"/{SECRET}{DEPLOYMENTS}", data=body, headers=headers) as answer:
        assert answer.status == code


async def test_protobuf_is_read(api: Api, client: aiohttp.ClientSession) -> None:
    """`kubectl create namespace` sends nothing else."""
    meta = b"\x0a\x02v1\x12\x09Namespace"
    named = b"\x0a\x06\x0a\x04labs"  # metadata { name: "labs" }
    body = b"k8s\x00\x0a" + bytes((len(meta),)) + meta + b"\x12" + bytes((len(named),)) + named
    headers = {"Content-Type": "application/vnd.kubernetes.protobuf"}
    async with client.post(f"/{SECRET}/api/v1/namespaces", data=body, headers=headers) as answer:
        assert answer.status == 201

    assert api.find("Namespace", "", "labs")


async def test_a_list_can_be_a_table(api: Api, client: aiohttp.ClientSession) -> None:
    """The columns are the server's, as kubectl shows them."""
    api.create("Deployment", deployment())
    async with client.get(f"/{SECRET}{DEPLOYMENTS}", headers=AS_TABLE) as answer:
        table = await answer.json()

    assert [column["name"] for column in table["columnDefinitions"]][:4] == [
        "Name",
        "Ready",
        "Up-to-date",
        "Available",
    ]
    assert table["rows"][0]["cells"][:4] == ["web", "0/4", 0, 0]


async def test_a_watch_tells_what_its_selector_sees(api: Api, client: aiohttp.ClientSession) -> None:
    """An object that no longer fits is deleted for this watch, one that begins to fit is added."""
    version = str(api.store.version)
    query = {"watch": "1", "resourceVersion": version, "labelSelector": "app=web"}
    async with client.get(f"/{SECRET}{PODS}", params=query) as answer:
        api.create("Pod", pod("one"))
        api.create("Pod", pod("two", labels={"app": "other"}))
        api.patch("Pod", NAMESPACE, "one", {"metadata": {"labels": {"app": "other"}}})
        api.patch("Pod", NAMESPACE, "two", {"metadata": {"labels": {"app": "web"}}})
        lines = [json.loads(await answer.content.readline()) for _ in range(3)]

    told = [(line["type"], line["object"]["metadata"]["name"]) for line in lines]
    assert told == [("ADDED", "one"), ("DELETED", "one"), ("ADDED", "two")]


async def test_a_watch_resumes_where_it_was(api: Api, client: aiohttp.ClientSession) -> None:
    """What happened since the version is told first."""
    made = api.create("Pod", pod("one"))
    api.create("Pod", pod("two"))
    query = {"watch": "1", "resourceVersion": made["metadata"]["resourceVersion"]}
    async with client.get(f"/{SECRET}{PODS}", params=query) as answer:
        line = json.loads(await answer.content.readline())

    assert line["object"]["metadata"]["name"] == "two"


async def test_initial_events_end_with_a_bookmark(api: Api, client: aiohttp.ClientSession) -> None:
    """A streaming list says when it is complete."""
    api.create("Pod", pod("one"))
    query = {"watch": "1", "sendInitialEvents": "true", "allowWatchBookmarks": "true"}
    async with client.get(f"/{SECRET}{PODS}", params=query) as answer:
        lines = [json.loads(await answer.content.readline()) for _ in range(2)]

    assert [line["type"] for line in lines] == ["ADDED", "BOOKMARK"]
    assert lines[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_scale_is_patched_apart(api: Api, client: aiohttp.ClientSession) -> None:
    """Its answer is a Scale, and the Deployment has the new count."""
    api.create("Deployment", deployment())
    headers = {"Content-Type": "application/merge-patch+json"}
    path = f"/{SECRET}{DEPLOYMENTS}/web/scale"
    async with client.patch(path, data=b'{"spec":{"replicas":2}}', headers=headers) as answer:
        scale = await answer.json()

    assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == ("Scale", {"replicas": 2}, "app=web")
    assert api.select("Deployment")[0]["spec"]["replicas"] == 2


async def test_a_scale_of_another_object_is_refused(api: Api, client: aiohttp.ClientSession) -> None:
    """A UID that is not this one's is a 409."""
    api.create("Deployment", deployment())
    headers = {"Content-Type": "application/merge-patch+json"}
    body = b'{"metadata":{"uid":"other"},"spec":{"replicas":2}}'
    async with client.patch(f"/{SECRET}{DEPLOYMENTS}/web/scale", data=body, headers=headers) as answer:
        assert answer.status == 409


async def test_logs_are_text(api: Api, client: aiohttp.ClientSession) -> None:
    """They come as the container wrote them."""
    api.create("Pod", pod())
    async with client.get(f"/{SECRET}{PODS}/web-1/log") as answer:
        assert await answer.text() == "hello\n"


@pytest.mark.parametrize(
    ("port", "frames"),
    [
        pytest.param(
            8080, [b"\x00" + struct.pack("<H", 8080), b"\x01" + struct.pack("<H", 8080), b"\x00HI"], id="open"
        ),
        pytest.param(9, [b"\x00\x09\x00", b"\x01\x09\x00"], id="refused"),
    ],
)
async def test_a_port_forward(api: Api, client: aiohttp.ClientSession, port: int, frames: list[bytes]) -> None:
    """Both channels of a port are opened by its number, then bytes or a complaint follow, then the end."""
    api.create("Pod", pod())
    path = f"/{SECRET}{PODS}/web-1/portforward?ports={port}"
    async with client.ws_connect(path, protocols=("v4.channel.k8s.io",)) as forward:
        await forward.send_bytes(b"\x00hi")
        received = [message.data async for message in forward if message.type is aiohttp.WSMsgType.BINARY]

    assert received[: len(frames)] == frames
    assert port == 8080 or b"connection refused" in received[-1]


async def test_what_is_not_served_says_so(api: Api, client: aiohttp.ClientSession) -> None:
    """A sentence instead of a riddle."""
    api.create("Pod", pod())
    status, body = await get(client, f"{PODS}/web-1/proxy")

    assert (status, body["message"]) == (501, "the sandbox does not serve pods/proxy; a real cluster does")
