"""`--plain`: what happens as lines that are only ever appended, for screen readers, pipes and logs.

The lines are the timeline's, from the same store as the screen: time, experiment, source, words. To these come
the link's states and the end of each run.
"""

import argparse
import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from pathlib import Path

from kubealive_tui.cli._environment import Environment
from kubealive_tui.cli._opening import chosen, local_zone, new_store, open_feed
from kubealive_tui.errors import LinkError
from kubealive_tui.experiments import Experiment, entry_of
from kubealive_tui.feed import Feed, Recording
from kubealive_tui.hints import own_command
from kubealive_tui.model import EpochMark, Interest, LinkState, LossMark, Run, Signal, plain
from kubealive_tui.reports import printable, run_line
from kubealive_tui.store import CLUSTER, Store

__all__ = ["Teller", "follow", "follow_live", "print_recording"]

_HOPELESS = frozenset({LinkState.FAILED, LinkState.NOT_INSTALLED})


class Teller:
    """Turns signals into lines; `only` limits them to one experiment and the cluster, empty means all."""

    def __init__(
        self,
        store: Store,
        *,
        write: Callable[[str], None],
        me: str = "",
        only: str = "",
        zone: tzinfo | None = None,
    ) -> None:
        self.store = store
        self._write = write
        self._me = me
        self._only = only
        self._zone = zone
        self._told: dict[str, int] = {}
        self._ended: dict[str, Run] = {}
        self._link: tuple[LinkState, str] | None = None

    def take(self, signal: Signal) -> None:
        """Apply the signal to the store and write a line for all that is new, in order of time."""
        self.store.apply(signal)
        self._tell_link()
        new = [
            line
            for experiment in sorted(self.store.drain())
            if not self._only or experiment in {self._only, CLUSTER}
            for line in (*self._facts(experiment), *self._runs(experiment))
        ]
        for at_us, experiment, source, words in sorted(new, key=lambda line: line[0]):
            self._line(at_us, experiment, source, words)

    def _tell_link(self) -> None:
        link = self.store.link
        if (link.state, link.reason) == self._link:
            return
        self._link = (link.state, link.reason)
        words = link.state.value + (f": {link.reason}" if link.reason else "")
        if link.info is not None:
            words += f", agent {link.info.version}"
            words += f", Kubernetes {link.info.kubernetes_version}" if link.info.kubernetes_version else ""
        self._line(self.store.now_us, CLUSTER, "link", words)

    def _facts(self, experiment: str) -> Iterator[tuple[int, str, str, str]]:
        ledger = self.store.ledger(experiment)
        count = ledger.timeline_dropped + len(ledger.timeline)
        new = count - self._told.get(experiment, 0)
        self._told[experiment] = count
        facts = list(ledger.timeline)[-new:] if new else []
        if new > len(facts):
            yield facts[0].time_us, experiment, "agent", f"{new - len(facts):,} earlier facts are not kept"
        for fact in facts:
            # Marks stand in every experiment's timeline; the cluster's would say the same once more.
            if experiment == CLUSTER and isinstance(fact.body, LossMark | EpochMark):
                continue
            entry = entry_of(fact, me=self._me)
            if entry is not None:
                yield entry.at_us, experiment, entry.source, plain(entry.text)

    def _runs(self, experiment: str) -> Iterator[tuple[int, str, str, str]]:
        known, new = self._ended.get(experiment), []
        for run in reversed(self.store.runs(experiment).ended):
            if run is known:
                break
            new.append(run)
        for run in reversed(new):
            self._ended[experiment] = run
            # It is known to be over only now, whenever its last milestone was.
            yield self.store.now_us, experiment, "run", run_line(run)

    def _line(self, at_us: int, experiment: str, source: str, words: str) -> None:
        moment = datetime.fromtimestamp(at_us / 1e6, self._zone)
        clock = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}" if at_us else f"{'–':<12}"
        self._write(f"{clock}  {experiment or '–':<10}  {printable(source):<8}  {printable(words)}")


async def follow_live(args: argparse.Namespace, env: Environment) -> int:
    """Tell what happens until interrupted; an agent that cannot be reached at all raises LinkError."""
    watched = _watched(args)
    only = watched.name if watched else ""
    async with open_feed(args, trouble=env.complain, read_only=True) as opened:
        teller = Teller(new_store(), write=env.say, me=opened.actor, only=only, zone=local_zone())
        await follow(opened.feed, teller, watched=watched, namespace=args.namespace)
    return 0


async def follow(feed: Feed, teller: Teller, *, watched: Experiment | None = None, namespace: str = "") -> None:
    """Have the teller take what the feed delivers, until cancelled, or until a recording ends.

    For the experiment that is `watched` the agent samples what its tab would have; `namespace` is the one that
    advice is for. Raises LinkError where the link fails for good before anything was seen, and what writing
    raises.
    """
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def deliver(signal: Signal) -> None:
        if ended.done():
            return
        try:
            teller.take(signal)
        except OSError as error:  # the reader of a pipe has gone
            ended.set_exception(error)
            return
        if watched is not None:
            feed.interest(Interest(frozenset({watched.name}), watched.untouched_samples(teller.store)))
        link, synced = teller.store.link, teller.store.synced
        if link.state is LinkState.ENDED:
            ended.set_result(None)
        elif link.state in _HOPELESS and not synced:
            doctor = own_command("doctor", namespace=namespace)
            ended.set_exception(LinkError(link.reason or f"link {link.state.value}; see `{doctor}`"))

    feeding = asyncio.ensure_future(feed.run(deliver))
    try:
        await asyncio.wait({feeding, ended}, return_when=asyncio.FIRST_COMPLETED)
        (ended if ended.done() else feeding).result()
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)


def print_recording(args: argparse.Namespace, env: Environment) -> int:
    """Print a whole recording at once; what is cut off at its end is said on standard error."""
    watched, recording = _watched(args), Recording.open(Path(args.file))
    try:
        teller = Teller(new_store(), write=env.say, only=watched.name if watched else "", zone=local_zone())
        for _, signal in recording:
            teller.take(signal)
        if recording.cut:
            seconds = recording.duration_us / 1e6
            env.complain(f"kubealive: {args.file} was cut after {seconds:.1f} s; what came then is missing")
    finally:
        recording.close()
    return 0


def _watched(args: argparse.Namespace) -> Experiment | None:
    return chosen([args.experiment])[0] if args.experiment else None
