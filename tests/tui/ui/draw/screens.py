"""The six pictured screens, built by hand from the view vocabulary, to prove that it carries every tab."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from kubealive_tui.model import (
    Align,
    Bar,
    Bins,
    Cell,
    Column,
    Ending,
    Entry,
    Heading,
    Lane,
    Line,
    LinkState,
    Milestone,
    Outage,
    Rail,
    Role,
    Row,
    Run,
    Sentence,
    Source,
    Table,
    View,
    line,
)
from kubealive_tui.ui.draw import Header, KeyHint, ScreenModel, Tab

NOW = int(datetime(2026, 11, 20, 10, 42, 7, tzinfo=UTC).timestamp()) * 1_000_000
TITLES = ("All", "Balance", "Heal", "Update", "Scale", "Self", "Svc", "Daemon", "State", "DNS")
TABS = tuple(Tab(str(index), title) for index, title in enumerate(TITLES))
HEADER = Header(
    context="dev",
    namespace="kubealive",
    link=LinkState.CONNECTED,
    round_trip_ms=3.2,
    nodes=3,
    viewers=2,
    now_us=NOW,
)
KEYS = ("l load", "+_- rate", "b burst", "m mode", "x kill", "r readiness", "e explain", "y kubectl")
R = Role


def at(clock: str) -> int:
    """Agent time of a clock text on the pictures' day."""
    return int(datetime.fromisoformat(f"2026-11-20T{clock}+00:00").timestamp() * 1_000) * 1_000


def keys(*texts: str) -> tuple[KeyHint, ...]:
    """Key hints from `key label` texts; `_` stands for a space inside the key."""
    return tuple(KeyHint(text.split(" ")[0].replace("_", " "), text.partition(" ")[2]) for text in texts)


def column(title: str, width: int, align: Align = Align.LEFT, *, least: int = 80) -> Column:
    return Column(title, width, align, least=least)


def table(columns: tuple[Column, ...], rows: Sequence[tuple[str, tuple[Cell, ...]]], **options: object) -> Table:
    """A table from (key, cells); keys that begin with `-` are past."""
    built = {key: Row(key, cells, past=key.startswith("-")) for key, cells in rows}
    return replace(Table(columns, tuple(built), built.__getitem__), **options)  # type: ignore[arg-type]


def head(title: str, *figures: str | tuple[str, Role]) -> Heading:
    return Heading(line((title, R.STRONG)), line(*figures))


def sentence(*parts: str | tuple[str, Role]) -> Sentence:
    return Sentence(line(*parts))


def entry(clock: str, source: str, role: Role, text: str) -> Entry:
    return Entry(at(clock), source, role, line(text))


def good(text: str) -> Line:
    return line((text, R.GOOD))


def muted(text: str) -> Line:
    return line((text, R.MUTED))


def screen(
    active: int, lesson: str, views: tuple[View, ...], entries: Sequence[Entry], hints: Sequence[str]
) -> ScreenModel:
    return ScreenModel(
        header=HEADER,
        tabs=TABS,
        active=active,
        lesson=line(lesson),
        views=views,
        timeline=entries,
        keys=keys(*hints),
    )


def run(title: str, milestones: tuple[Milestone, ...], **options: object) -> Run:
    """A finished, measured run that began at 10:42:05.310."""
    began = at("10:42:05.310")
    whole = Run(
        action_id="a1",
        title=title,
        verb="delete_pod",
        actor="you",
        target_name="getip-d8c-88bbp",
        target_uid="u1",
        began_us=began,
        ended_us=max((m.at_us for m in milestones if m.at_us is not None), default=began),
        ending=Ending.COMPLETE,
        milestones=milestones,
        measured=True,
    )
    return replace(whole, **options)  # type: ignore[arg-type]


def after(seconds: float | None, label: str, role: Role, weight: int = 1, state: Role | None = None) -> Milestone:
    """A milestone this many seconds after `run` began; None while it has not come."""
    at_us = None if seconds is None else at("10:42:05.310") + round(seconds * 1e6)
    return Milestone(label, at_us, Source.WATCH, role, state, weight)


def outage(begin: float, end: float | None, failed: int, interval: float = 0.01) -> Outage:
    began = at("10:42:05.310")
    ended = None if end is None else began + round(end * 1e6)
    return Outage(began + round(begin * 1e6), ended, failed, round(interval * 1e6))


def kill() -> Run:
    return run(
        "KILL …d8c-88bbp",
        (
            after(0.02, "terminating", R.LEAVING, 2, R.LEAVING),
            after(0.21, "left the Service", R.LEAVING, 3, R.WAITING),
            after(1.05, "successor ready, serving", R.GOOD, 4, R.GOOD),
        ),
        failed=2,
        planned=190,
        outages=(outage(0.02, 0.21, 2),),
    )


def balance() -> ScreenModel:
    """Tab 1 after a kill under load."""
    columns = (
        column("POD", 10),
        column("NODE", 7),
        column("STATE", 13),
        column("READY", 5),
        column("ENDPOINT", 9),
        column("RST", 4, Align.RIGHT),
        column("AGE", 6, Align.RIGHT),
        column("SHARE", 7, Align.RIGHT),
        column("", 7),
        column("IP", 12, least=100),
    )

    def pod(name: str, node: str, age: str, share: float) -> tuple[str, tuple[Cell, ...]]:
        cells: tuple[Cell, ...] = (
            line(name),
            muted(node),
            good("● Running"),
            good("yes"),
            good("serving"),
            muted("0"),
            muted(age),
            line(f"{share:.1f} %"),
            Bar(share / 27),
            muted("10.244.1.7"),
        )
        return name, cells

    gone: tuple[Cell, ...] = (
        line("…d8c-88bbp"), line("node-2"), line("✕ gone"), line("–"), line("–"), line("0"), line("3m"),
        line("23.7 %"), Bar(23.7 / 27), line("10.244.2.8"),
    )  # fmt: skip
    rows = [
        pod("…d8c-4ldf9", "node-1", "3m", 26.1),
        pod("…d8c-47vpv", "node-2", "3m", 24.8),
        pod("…d8c-j9c5c", "node-3", "3m", 25.0),
        pod("…d8c-x8962", "node-1", "1s", 0.4),
        ("-gone", gone),
    ]
    load = head(
        "LOAD", ("▶ 100/s", R.GOOD), (" new connections  ok ", R.MUTED), "12,401", ("  failed ", R.MUTED),
        ("2", R.BAD), ("  p50 ", R.MUTED), "1.2", ("  p99 ", R.MUTED), "8", (" ms", R.MUTED),
    )  # fmt: skip
    lost = tuple(2.0 if index == 44 else 0.0 for index in range(60))
    lanes = (Lane("ok", (100.0,) * 60, R.GOOD, 100.0, "100/s"), Lane("lost", lost, R.BAD, 100.0))
    views: tuple[View, ...] = (
        table(columns, rows),
        Bins(lanes, load, "−60 s"),
        sentence(
            ("spread ", R.MUTED), "expected 25.0 %, largest deviation 1.1: ", ("as even as chance", R.GOOD),
            (" (p = 0.41)", R.MUTED),
        ),
        Rail(kill()),
    )  # fmt: skip
    entries = (
        entry("10:42:06.360", "pod", R.GOOD, "…d8c-x8962 ready on node-1"),
        entry("10:42:05.520", "client", R.BAD, "first failure: connection refused"),
        entry("10:42:05.333", "endpoint", R.LEAVING, "…d8c-88bbp not ready, still serving, terminating"),
        entry("10:42:05.310", "you", R.ACCENT, "delete pod …d8c-88bbp, grace 30 s"),
    )
    lesson = "One Service, four pods: every new connection may go to any of them."
    return replace(screen(1, lesson, views, entries, KEYS), selected="…d8c-4ldf9")


def overview() -> ScreenModel:
    """Tab 0: nodes, agent, and a line an experiment."""
    nodes = table(
        (column("NODE", 7), column("STATE", 11), column("PODS", 26), column("CPU", 14, Align.RIGHT),
         column("MEMORY", 12, Align.RIGHT)),
        [
            (name, (line(name), state, pods, line(cpu), line(memory)))
            for name, state, pods, cpu, memory in (
                ("node-1", good("● Ready"), line(("●●●●●●●", R.GOOD), ("○", R.WAITING)), "0.31", "1.3 GiB"),
                ("node-2", good("● Ready"), good("●●●●●●●●"), "0.32", "1.3 GiB"),
                ("node-3", line(("✕ NotReady", R.BAD)), line(("●●●●●●●", R.DIM), ("  no word for 24 s", R.MUTED)),
                 "–", "–"),
            )
        ],
        selectable=False,
        heading=head("CLUSTER", ("Kubernetes ", R.MUTED), "1.34.4", ("  rights: ", R.MUTED), ("all", R.GOOD)),
    )  # fmt: skip
    passed, idle, failed = good("● passed"), line(("– not run", R.DIM)), line(("✕ failed", R.BAD))
    results: tuple[tuple[str, str, Line, str, str], ...] = (
        ("Load balancing", "4/4", passed, "kill: 2 lost, back in 1.05 s", "▶ 100/s"),
        ("Self-healing", "1/1", passed, "oom: 18 lost in 1.8 s", ""),
        ("Rolling update", "4/4", passed, "v2 → v3: 0 lost in 9.6 s", ""),
        ("Autoscaling", "4/4", line(("○ running", R.WAITING)), "at the target after 48 s", "▶ 0.5"),
        ("Downward API", "3/3", idle, "", ""),
        ("Deployment → Service", "6/6", idle, "", ""),
        ("Deployment → DaemonSet", "2/3", failed, "node-3: hostPort silent", ""),
        ("Deployment → State", "3/3", passed, "by name again after 4.2 s", ""),
        ("DNS", "", passed, "42 cells agree", ""),
    )
    experiments = table(
        (column("", 1), column("", 22), column("READY", 5, Align.RIGHT), column("VERDICT", 10),
         column("LAST RUN", 28), column("LOAD", 7)),
        [
            (name, (line((str(number), R.ACCENT)), line(name), muted(ready), verdict, line(last), good(load)))
            for number, (name, ready, verdict, last, load) in enumerate(results, start=1)
        ],
        heading=head("EXPERIMENTS", ("verdict of the last check", R.DIM)),
    )  # fmt: skip
    agent = Sentence(
        line(
            (" here now: ", R.MUTED),
            "you",
            (" (5 min)  ", R.MUTED),
            "anna@classroom-7",
            (" (2 min, read-only)", R.MUTED),
        ),
        head("AGENT", ("0.4.0 on node-1, up 3 h, 44 MB   link 3 ms", R.MUTED)),
    )
    model = screen(
        0,
        "Poke a cluster, watch it heal. 1 a tab, l load, x kill a pod, e explain.",
        (nodes, agent, experiments),
        (entry("10:41:43.112", "node", R.BAD, "node-3 NotReady: kubelet stopped posting status"),),
        ("enter open", "! stop all load", "C check all", "/ filter", ": commands", "q quit"),
    )
    return replace(model, selected="Load balancing")
