"""When the Service proxy follows what changes."""

import asyncio
from typing import Any
from unittest.mock import Mock

import pytest

from kubealive_sandbox.api import Api
from kubealive_sandbox.network import proxy
from tests.sandbox.objects import NAMESPACE, new_api, service

PORT = {"name": "http", "port": 8080, "protocol": "TCP"}


def endpoints(api: Api, *addresses: str) -> None:
    """Have the Service led to these."""
    ready = {"ready": True, "serving": True, "terminating": False}
    slices = api.select("EndpointSlice", NAMESPACE)
    body: Any = (
        slices[0]
        if slices
        else {
            "metadata": {"name": "web-1", "namespace": NAMESPACE, "labels": {"kubernetes.io/service-name": "web"}},
            "addressType": "IPv4",
        }
    )
    body = {**body, "ports": [PORT], "endpoints": [{"addresses": [a], "conditions": ready} for a in addresses]}
    (api.update if slices else api.create)("EndpointSlice", body)


async def test_rules_are_written_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first change is followed at once; the next one soon after it waits for the rest of its second."""
    doors: dict[tuple[str, int], Any] = {}

    async def listen(places: object, place: tuple[str, int], *, choose: Any) -> Mock:
        doors[place] = choose
        return Mock()

    monkeypatch.setattr(proxy, "listen", listen)
    api = new_api()
    api.create("Service", service())
    endpoints(api, "127.77.1.1")
    kept = proxy.ServiceProxy(api, nodes={}, places=Mock())

    kept.reconcile(NAMESPACE, "web")
    for _ in range(3):
        await asyncio.sleep(0)
    (choose,) = doors.values()
    assert choose() == ("127.77.1.1", 8080)
    endpoints(api, "127.77.1.2")
    kept.reconcile(NAMESPACE, "web")
    await asyncio.sleep(0)
    assert choose() == ("127.77.1.1", 8080)
    assert kept._writing is not None
    left = kept._writing.when() - asyncio.get_running_loop().time()
    kept._writing.cancel()
    kept._write()

    assert left == pytest.approx(proxy.WRITE_S, abs=0.2)
    assert choose() == ("127.77.1.2", 8080)
    kept.close()


async def test_one_service_does_not_keep_the_others_from_being_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An EndpointSlice need have no ports, and whatever it means for its Service, it means nothing for another."""
    doors: list[tuple[str, int]] = []

    async def listen(places: object, place: tuple[str, int], *, choose: object) -> Mock:
        doors.append(place)
        return Mock()

    monkeypatch.setattr(proxy, "listen", listen)
    api = new_api()
    api.create("Service", service("odd", clusterIP="127.77.96.3"))
    api.create("Service", service())
    endpoints(api, "127.77.1.1")
    labels = {"kubernetes.io/service-name": "odd"}
    meta = {"name": "odd-1", "namespace": NAMESPACE, "labels": labels}
    api.create("EndpointSlice", {"metadata": meta, "addressType": "IPv4", "endpoints": []})
    kept = proxy.ServiceProxy(api, nodes={}, places=Mock())
    for name in ("odd", "web"):
        kept.reconcile(NAMESPACE, name)
    for _ in range(3):
        await asyncio.sleep(0)
    kept.close()

    assert doors == [("127.77.96.2", 80)]
