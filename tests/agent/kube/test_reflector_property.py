"""Any interleaving of changes, cuts and expiries ends in the state that a plain list would show."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from kubealive_agent.kube import GoneError, Lines, Query, UnreachableError
from tests.agent.kube.fakes import FakeSink, bookmark, error, event, page, pod, reflect

GONE = GoneError(410, reason="Expired", message="too old")

NAMES = st.sampled_from("abcdefg")
CHANGES = st.tuples(st.sampled_from(["put", "delete"]), NAMES)
FAULTS = st.sampled_from(
    [("cut", ""), ("half", ""), ("garbage", ""), ("compact", ""), ("error", ""), ("end", ""), ("bookmark", "")]
)
# Unseen changes happen while nobody watches, or between two pages of a list.
UNSEEN = st.tuples(st.just("unseen"), NAMES)


class Cluster:
    """Pods in versions, a log of events that can be compacted, and a script of what happens next."""

    def __init__(self, script: list[tuple[str, str]]) -> None:
        self._script = script
        self._log: list[tuple[int, str, str, int]] = []
        self._version = 1
        self._oldest = 0
        self._snapshots: dict[str, tuple[list[tuple[str, int]], int]] = {}
        self.pods: dict[str, int] = {}
        self.exhausted = asyncio.Event()

    def change(self, verb: str, name: str) -> None:
        if verb == "delete" and name not in self.pods:
            return
        self._version += 1
        kind = "DELETED" if verb == "delete" else "MODIFIED" if name in self.pods else "ADDED"
        if verb == "delete":
            del self.pods[name]
        else:
            self.pods[name] = self._version
        self._log.append((self._version, kind, name, self._version))

    async def request(self, method: str, path: str, *, query: Query | None = None) -> bytes:
        """List two pods a page, of the state as it was at the first page."""
        token = str((query or {}).get("continue", ""))
        rest, version = self._snapshots.pop(token) if token else (sorted(self.pods.items()), self._version)
        if token and version < self._oldest:
            raise GONE
        if self._script and self._script[0][0] == "unseen":
            self.change("put", self._script.pop(0)[1])
        following = f"{version}/{len(rest)}" if rest[2:] else ""
        if following:
            self._snapshots[following] = (rest[2:], version)
        return page(*(pod(name, at, phase=f"v{at}") for name, at in rest[:2]), version=version, token=following)

    @asynccontextmanager
    async def watch(self, path: str, *, query: Query, idle_deadline: float) -> AsyncIterator[Lines]:
        version = int(query["resourceVersion"])
        if version < self._oldest:
            raise GONE
        yield partial(self._lines, version)

    async def _lines(self, sent: int, take: Callable[[bytes], None]) -> None:
        while True:
            for version, kind, name, at in [entry for entry in self._log if entry[0] > sent]:
                sent = version
                take(event(kind, pod(name, at, phase=f"v{at}")))
            if not self._script:
                self.exhausted.set()
                await asyncio.Event().wait()
            what, name = self._script.pop(0)
            if what in {"put", "delete"}:
                self.change(what, name)
            elif what == "bookmark":
                take(bookmark(self._version))
            elif what == "end":
                return
            else:
                for line in self._fault(what, name):
                    take(line)
                raise UnreachableError("cut")

    def _fault(self, what: str, name: str) -> list[bytes]:
        if what == "unseen":
            self.change("put" if name < "d" else "delete", name)
        if what == "compact":
            self.change("put", "z")
            self._oldest = self._version
        lines = {"half": event("ADDED", pod("h", 1))[:20], "garbage": b"\x00?", "error": error(410, "Expired")}
        return [lines[what]] if what in lines else []


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(CHANGES, UNSEEN, FAULTS), max_size=25))
def test_any_interleaving_ends_in_the_state_of_a_list(script: list[tuple[str, str]]) -> None:
    """The sink holds exactly what the cluster holds, and it was told nothing twice."""

    async def run() -> tuple[FakeSink, Cluster]:
        cluster = Cluster(script)
        for name in "abc":
            cluster.change("put", name)
        return await reflect(cluster), cluster

    sink, cluster = asyncio.run(run())
    assert {uid: getattr(value, "status", "") for uid, value in sink.values.items()} == {
        name: f"v{version}" for name, version in cluster.pods.items()
    }
    told = [change for change in sink.applied if change[1] != "gone"]
    assert len(told) == len(set(told))
