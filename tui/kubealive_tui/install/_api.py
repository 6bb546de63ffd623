"""The little that an install needs of a Kubernetes client, so that any link, or a fake, can carry it."""

import asyncio
import datetime as dt
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from ._errors import ApiError

PAGE = 500  # objects a list answer holds; kubectl's own figure, under a megabyte for the kinds asked here
AT_ONCE = 6  # requests in flight: enough to hide a slow line's round trips, too few to be throttled
APPLY_PATCH = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"

_In = TypeVar("_In")
_Out = TypeVar("_Out")


class Api(Protocol):
    """One request at a time to the Kubernetes API of one context."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object | None = None,
        content_type: str = "application/json",
        timeout: float = 10.0,  # noqa: ASYNC109 - a deadline a request is part of the interface
    ) -> Any:
        """Return the decoded JSON of the answer; raises ApiError on any failure, within `timeout` seconds."""
        ...


class Clock(Protocol):
    """Time as an install uses it, so that tests need not wait for it."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def now(self) -> dt.datetime:
        """The time of day, with a zone."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let others run for so long."""
        ...


class SystemClock:
    """The machine's own time."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def now(self) -> dt.datetime:
        """The time of day in UTC."""
        return dt.datetime.now(dt.UTC)

    async def sleep(self, seconds: float) -> None:
        """Let others run for so long."""
        await asyncio.sleep(seconds)


async def find(api: Api, path: str) -> dict[str, Any] | None:
    """Return the object at `path`, or None where there is none."""
    try:
        found: dict[str, Any] = await api.request("GET", path)
    except ApiError as error:
        if error.missing:
            return None
        raise
    return found


async def items(api: Api, path: str, *, selector: str = "", fields: str = "") -> list[dict[str, Any]]:
    """Return every object that `selector` (of labels) and `fields` admit, over as many pages as it takes."""
    query = {"limit": str(PAGE)}
    query |= {"labelSelector": selector} if selector else {}
    query |= {"fieldSelector": fields} if fields else {}
    found: list[dict[str, Any]] = []
    while True:
        page = await api.request("GET", path, query=query)
        found += page.get("items") or []
        following = page.get("metadata", {}).get("continue")
        if not following:
            return found
        query["continue"] = following


async def each(ask: Callable[[_In], Awaitable[_Out]], subjects: Iterable[_In]) -> list[_Out]:
    """Return `ask` of each subject, in order, a few at a time; the first failure ends them all."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(subject: _In) -> _Out:
        async with gate:
            return await ask(subject)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(subject)) for subject in subjects]
    except* ApiError as failures:
        raise _first(failures) from None
    return [task.result() for task in tasks]


def _first(group: BaseExceptionGroup[ApiError]) -> ApiError:
    failure = group.exceptions[0]
    return _first(failure) if isinstance(failure, BaseExceptionGroup) else failure
