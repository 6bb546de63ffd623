"""A load generator that is slower than the cluster measures itself; one that attributes nothing explains nothing.

The engine beside wrk (C) and hey (Go), each with a new connection a request, against one nginx that answers
under four pods' names.
"""

from collections.abc import Callable, Iterator
from statistics import median

from bench._engine import Driven, drive
from bench._figures import Figure, Finding, Skipped, spread
from bench._options import Options
from bench._peers import NGINX_PODS, Absent, Rate, hey, nginx, peer, wrk

SECONDS = 2
PEERS: tuple[tuple[str, float], ...] = (("wrk", 0.7), ("hey", 1.3))
"""What the engine does at least, as a multiple of each peer's requests a second."""


def run(options: Options) -> Iterator[Finding]:
    """Requests a second and CPU a request, engine and peers in turn; the share of replies with their pod."""
    try:
        with nginx() as (_, port):
            for connections in (10, 100):
                yield from _compare(options, port, connections)
    except Absent as exc:
        yield Skipped("load engine beside wrk and hey", str(exc))


def _compare(options: Options, port: int, connections: int) -> Iterator[Finding]:
    driven: list[Driven] = []
    rates: dict[str, list[Rate]] = {name: [] for name, _ in PEERS}
    present: dict[str, Callable[[], Rate]] = {}
    for name, start in (("wrk", _wrk(port, connections)), ("hey", _hey(port, connections))):
        try:
            peer(name)
        except Absent as exc:
            yield Skipped(f"new connections, c={connections}, beside {name}", str(exc))
        else:
            present[name] = start
    for _ in range(options.rounds):
        driven.append(drive(port, connections=connections, seconds=SECONDS))
        for name, start in present.items():
            rates[name].append(start())
    for name, least in PEERS:
        if rates[name]:
            yield _ratio([one.rate for one in driven], rates[name], name, least, connections)
    yield Figure(
        what=f"replies attributed to their pod, c={connections}",
        value=100 * min(one.attributed for one in driven),
        unit="%",
        least=100,
        beside=f"{min(len(one.pods) for one in driven)} of {NGINX_PODS} pods seen",
    )


def _wrk(port: int, connections: int) -> Callable[[], Rate]:
    return lambda: wrk(port, connections=connections, seconds=SECONDS, kept=False)


def _hey(port: int, connections: int) -> Callable[[], Rate]:
    return lambda: hey(port, connections=connections, seconds=SECONDS)


def _ratio(ours: list[Rate], theirs: list[Rate], name: str, least: float, connections: int) -> Figure:
    mine, his = [one.per_second for one in ours], [one.per_second for one in theirs]
    cost = median(one.cpu_us for one in ours), median(one.cpu_us for one in theirs)
    return Figure(
        what=f"new connections a second, c={connections}",
        value=median(a / b for a, b in zip(mine, his, strict=True)),
        unit=f"× {name}",
        least=least,
        beside=f"engine {spread(mine)}/s at {cost[0]:.0f} µs, {name} {spread(his)}/s at {cost[1]:.0f} µs",
    )
