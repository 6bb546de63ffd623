"""One reflector against scripts: what it asks, what it reports, how it waits."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest

from kubealive_agent.kube import (
    ForbiddenError,
    GoneError,
    KubeError,
    MalformedError,
    NotFoundError,
    StatusError,
    UnauthorizedError,
    UnreachableError,
    reflect_all,
)
from tests.agent.kube.fakes import (
    EVENTS,
    NODES,
    FakeSink,
    FakeTime,
    Line,
    ScriptedApi,
    bookmark,
    error,
    event,
    page,
    pod,
    reflect,
)

CUT = UnreachableError("cut")
GONE = GoneError(410, reason="Expired", message="too old")
FORBIDDEN = ForbiddenError(403, reason="Forbidden", message="no")
ABSENT = NotFoundError(404, reason="NotFound", message="no")


async def test_list_then_watch() -> None:
    """What is listed is found, what the watch brings is news."""
    api = ScriptedApi(
        lists=[page(pod("a", 1), version=5)],
        watches=[[event("ADDED", pod("b", 6)), event("DELETED", pod("a", 7))]],
    )
    sink = await reflect(api)
    assert sink.applied == [("a", "Running"), ("b", "Running"), ("a", "Running"), ("a", "gone")]
    assert sink.found == [True, False, False, False]
    assert api.watch_queries[0]["resourceVersion"] == "5"


async def test_empty_list_is_a_state() -> None:
    """Nothing listed is nothing reported, and the watch goes on from there."""
    api = ScriptedApi(lists=[page(version=5)])
    sink = await reflect(api)
    assert sink.applied == []
    assert sink.state_names == ["LISTING", "WATCHING"]


async def test_items_may_be_null() -> None:
    """Go writes an empty list as null."""
    api = ScriptedApi(lists=[json.dumps({"metadata": {"resourceVersion": "5"}, "items": None}).encode()])
    assert (await reflect(api)).state_names == ["LISTING", "WATCHING"]


async def test_pages_follow_the_token() -> None:
    """A list comes in pages of a hundred, and the last page's version starts the watch."""
    api = ScriptedApi(lists=[page(pod("a", 1), version=5, token="next"), page(pod("b", 2), version=5)])
    await reflect(api)
    assert api.list_queries == [{"limit": 100}, {"limit": 100, "continue": "next"}]


async def test_expired_token_starts_the_list_again() -> None:
    """A list that took too long begins anew, without reporting twice what it has reported."""
    api = ScriptedApi(
        lists=[page(pod("a", 1), version=5, token="old"), GONE, page(pod("a", 1), pod("b", 6), version=6)]
    )
    sink = await reflect(api)
    assert sink.applied == [("a", "Running"), ("b", "Running")]
    assert sink.found == [True, True]


async def test_watch_asks_for_bookmarks_and_an_end() -> None:
    """The server is asked to end the watch by itself; silence beyond that is a dead connection."""
    api = ScriptedApi(lists=[page(version=5)])
    await reflect(api)
    (query,) = api.watch_queries
    assert query == {
        "watch": "1",
        "allowWatchBookmarks": "true",
        "resourceVersion": "5",
        "timeoutSeconds": 480,
    }
    assert api.idle_deadlines == [510.0]


@pytest.mark.parametrize(
    ("script", "resumed"),
    [
        ([event("ADDED", pod("a", 6))], "6"),
        ([event("ADDED", pod("a", 6)), bookmark(9)], "9"),
        ([bookmark(9), CUT], "9"),
        ([event("ADDED", pod("a", 6)), CUT], "6"),
        ([CUT], "5"),
        ([], "5"),
    ],
    ids=["end", "bookmark", "bookmark-cut", "cut", "cut-at-once", "end-at-once"],
)
async def test_watch_is_resumed(script: list[Line], resumed: str) -> None:
    """After an end or a cut the watch goes on from the last version that was seen, without a list."""
    api = ScriptedApi(lists=[page(version=5)], watches=[script])
    await reflect(api)
    assert [query["resourceVersion"] for query in api.watch_queries] == ["5", resumed]
    assert len(api.list_queries) == 1


@pytest.mark.parametrize(
    "broken",
    [
        GONE,
        [GONE],
        [error(410, "Expired")],
        [b'{"type":"MODIFIED","object":{"met'],
        [b"<html>502 Bad Gateway</html>"],
        [b""],
        [b"\xff\xfe"],
        [event("SURPRISE", pod("a", 6))],
        [event("MODIFIED", {"metadata": {"name": 5}})],
    ],
    ids=[
        "410-http",
        "410-raised",
        "410-event",
        "half-a-line",
        "html",
        "too-long",
        "not-utf8",
        "unknown-type",
        "wrong-types",
    ],
)
async def test_what_cannot_be_resumed_is_listed_anew(broken: list[Line] | Exception) -> None:
    """The new list is compared with what was known: gone, changed, new, and silence on what is the same."""
    api = ScriptedApi(
        lists=[
            page(pod("same", 1), pod("gone", 2), pod("changed", 3), version=5),
            page(pod("same", 1), pod("changed", 8), pod("new", 9), version=9),
        ],
        watches=[broken],
    )
    sink = await reflect(api)
    assert sink.applied[3:] == [("changed", "Running"), ("new", "Running"), ("gone", "gone")]
    assert sink.found[3:] == [False, False, False]
    assert api.watch_queries[-1]["resourceVersion"] == "9"


@pytest.mark.parametrize(
    ("cuts", "versions", "lists"),
    [(4, ["5"] * 5, 1), (5, ["5"] * 5 + ["3"], 2), (9, ["5"] * 5 + ["3"] * 5, 6)],
    ids=["7.5 s", "15.5 s", "39.5 s"],
)
async def test_a_long_outage_ends_with_a_list(cuts: int, versions: list[str], lists: int) -> None:
    """What was restored meanwhile may be older than what was seen; a watch from the future stays silent."""
    api = ScriptedApi(
        lists=[page(pod("a", 4), pod("b", 5), version=5), *[page(pod("a", 3), version=3)] * 5],
        watches=[[CUT], *[CUT] * (cuts - 1)],
    )
    sink = await reflect(api)
    assert [query["resourceVersion"] for query in api.watch_queries] == versions
    assert len(api.list_queries) == lists
    assert sink.applied[2:] == ([("a", "Running"), ("b", "gone")] if lists > 1 else [])


async def test_replayed_events_are_not_news() -> None:
    """An event whose version is known already changes nothing."""
    api = ScriptedApi(lists=[page(pod("a", 5), version=5)], watches=[[event("ADDED", pod("a", 5))]])
    assert len((await reflect(api)).applied) == 1


async def test_ten_megabytes_are_an_object_like_any_other() -> None:
    """A pod with a huge annotation is projected and nothing of the annotation is kept."""
    huge = pod("a", 6)
    huge["metadata"]["annotations"] = {"blob": "x" * 10_000_000}
    api = ScriptedApi(lists=[page(version=5)], watches=[[event("ADDED", huge)]])
    sink = await reflect(api)
    assert sink.values["a"].ByteSize() < 200


async def test_one_odd_object_hides_no_other() -> None:
    """Of a list with objects that cannot be read the rest is reported, and a note counts them."""
    shape = pod("shape", 1)
    shape["spec"] = "a string"
    value = pod("value", 2)
    value["spec"]["containers"][0]["resources"] = {"limits": {"memory": "lots"}}
    api = ScriptedApi(lists=[page(shape, value, pod("fine", 3), version=5)])
    sink = await reflect(api)
    assert list(sink.values) == ["fine"]
    assert sink.notes == ["2 of the pods in namespace lab cannot be read and are left out"]


async def test_backoff_grows_to_its_bound() -> None:
    """Failures in a row wait twice as long each time, up to 8 s."""
    time = FakeTime()
    await reflect(ScriptedApi(lists=[CUT] * 7), time=time)
    assert time.slept == [0.5, 1, 2, 4, 8, 8, 8]


async def test_backoff_begins_again_after_a_steady_watch() -> None:
    """A watch that lasted makes the next failure wait briefly; one that broke at once does not."""
    time = FakeTime()

    def an_hour() -> None:
        time.now += 3600

    api = ScriptedApi(lists=[CUT, CUT, page(version=5)], watches=[[CUT], [an_hour, CUT]])
    await reflect(api, time=time)
    assert time.slept == [0.5, 1, 2, 0.5]


async def test_watch_that_ends_at_once_is_not_a_tight_loop() -> None:
    """A server that ends each watch as it begins is asked ever more slowly."""
    time = FakeTime()
    await reflect(ScriptedApi(lists=[page(version=5)], watches=[[], [], []]), time=time)
    assert time.slept == [0.5, 1, 2]


@pytest.mark.parametrize(
    ("refusal", "state", "reason"),
    [
        (
            FORBIDDEN,
            "FORBIDDEN",
            "the agent has no right to list pods in namespace lab; `kubealive reset -n lab` grants it",
        ),
        (ABSENT, "ABSENT", "this API server does not serve pods (/api/v1)"),
    ],
    ids=["forbidden", "absent"],
)
async def test_refusal_is_told_and_asked_again(refusal: Exception, state: str, reason: str) -> None:
    """A missing right or resource is told once in one sentence, looked for again, and found when it comes."""
    api = ScriptedApi(lists=[refusal, refusal, page(pod("a", 1), version=5)])
    sink = await reflect(api)
    assert sink.reasons == [reason]
    assert sink.state_names == ["LISTING", state, "WATCHING"]
    assert sink.found == [True]


async def test_refusal_is_asked_again_soon_at_first() -> None:
    """A server that has just started refuses what it will allow in a second; a missing right takes a person."""
    time = FakeTime()
    await reflect(ScriptedApi(lists=[FORBIDDEN] * 8), time=time)
    assert time.slept == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_refusal_after_a_watch_is_asked_again_soon() -> None:
    """What could be read once begins again with the shortest wait."""
    time = FakeTime()
    api = ScriptedApi(lists=[FORBIDDEN, FORBIDDEN, page(version=5), page(version=6)], watches=[[FORBIDDEN]])
    await reflect(api, time=time)
    assert time.slept == [1, 2, 1]


async def test_missing_right_to_watch_names_its_verb() -> None:
    """A right to list alone is not enough, and the sentence says which one is missing."""
    api = ScriptedApi(lists=[page(version=5)], watches=[FORBIDDEN])
    sink = await reflect(api, resource=NODES)
    assert sink.reasons == [
        "the agent has no right to watch nodes of the cluster; `kubealive reset -n lab` grants it"
    ]


@pytest.mark.parametrize(
    "failure",
    [
        CUT,
        UnauthorizedError(401, reason="Unauthorized", message="expired"),
        StatusError(503, reason="", message="down"),
        MalformedError("odd"),
        RuntimeError("a bug"),
    ],
    ids=["cut", "401", "503", "malformed", "bug"],
)
async def test_every_failure_is_survived(failure: Exception) -> None:
    """Whatever a list or a watch raises, the state says so and the watch comes back."""
    api = ScriptedApi(lists=[failure, page(version=5), page(version=5)], watches=[[failure]])
    sink = await reflect(api)
    assert "RETRYING" in sink.state_names
    assert sink.state_names[-1] == "WATCHING"


async def test_events_go_their_own_way() -> None:
    """Kubernetes Events are told as events, each change again, and their expiry not at all."""

    def kube_event(version: int, count: int) -> dict[str, Any]:
        return {"metadata": {"uid": "e", "resourceVersion": str(version)}, "reason": "BackOff", "count": count}

    api = ScriptedApi(
        lists=[page(kube_event(1, 1), version=5)],
        watches=[[event("MODIFIED", kube_event(6, 2)), event("DELETED", kube_event(7, 2))]],
    )
    sink = await reflect(api, resource=EVENTS)
    assert [(each.count, found) for each, found in zip(sink.events, sink.found, strict=True)][:2] == [
        (1, True),
        (2, False),
    ]
    assert sink.applied == []


async def test_all_kinds_are_listed_one_after_another() -> None:
    """No two lists are under way at once, and readiness comes when all have been answered."""

    class Api(ScriptedApi):
        busy = 0

        async def request(self, method: str, path: str, **_: Any) -> bytes:
            assert not self.busy
            self.busy += 1
            await asyncio.sleep(0)
            self.busy -= 1
            if path.endswith("/nodes"):
                raise FORBIDDEN
            return page(version=5)

    listed = asyncio.Event()
    sink = FakeSink()
    task = asyncio.create_task(reflect_all(Api(lists=[]), namespace="lab", sink=sink, listed=listed))
    async with asyncio.timeout(5):
        await listed.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert sink.state_names.count("FORBIDDEN") == 1


def test_errors_are_one_family() -> None:
    """Whatever the client raises on purpose can be caught by one class."""
    assert all(issubclass(each, KubeError) for each in (MalformedError, StatusError, UnreachableError))
