"""The pictured tabs 2, 3, 4 and 8; the first two screens are in `screens`."""

from dataclasses import replace

from kubealive_tui.model import (
    Align,
    Bar,
    Ending,
    Heading,
    Line,
    Lines,
    Matrix,
    MatrixCell,
    Rail,
    Role,
    Series,
    Stack,
    Table,
    line,
)
from kubealive_tui.ui.draw import ScreenModel
from tests.tui.ui.draw.screens import (
    after,
    at,
    column,
    entry,
    good,
    head,
    muted,
    outage,
    run,
    screen,
    sentence,
    table,
)

R = Role
RIGHT = Align.RIGHT


def heal() -> ScreenModel:
    """Tab 2 after an out-of-memory kill."""
    probes = line(("●●●●●●", R.GOOD), ("✕", R.BAD), ("··", R.MUTED), ("●●●●●●●●●", R.GOOD))
    pods = table(
        (column("POD", 10), column("NODE", 7), column("STATE", 13), column("READY", 5), column("RESTARTS", 13),
         column("AGE", 3, RIGHT), column("PROBES, 1 s each", 19)),
        [("p", (line("…f54-7kq2m"), muted("node-3"), good("● Running"), good("yes"),
                line("3 ", ("(12s ago)", R.MUTED)), line("9m"), probes))],
    )  # fmt: skip
    faults = (
        ("infect", "0.75", "0.66", "0.77", "1.4", "0.84", "–", "2"),
        ("crash exit 1", "0.01", "0.63", "0.37", "0.6", "1.7", "–", "17"),
        ("hang", "0.01", "1.7", "31.8", "31.8", "31.8", "–", "318"),
        ("oom", "0.02", "0.73", "0.18", "0.7", "1.8", "10 s", "18"),
        ("delete", "0.02", "0.02", "–", "1.0", "1.0", "–", "10"),
        ("delete, 3 pods", "–", "0.02", "–", "1.1", "–", "–", "0"),
    )
    titles = ("1ST FAIL", "DETECTED", "RESTARTED", "READY", "FIRST OK", "BACK-OFF", "LOST")
    results = table(
        (column("FAULT", 14), *(column(title, 8 if title != "RESTARTED" else 9, RIGHT) for title in titles)),
        [(f[0], (line(f[0]), *(line(x) for x in f[1:5]), line((f[5], R.STRONG)), muted(f[6]),
                 line((f[7], R.BAD if f[7] != "0" else R.GOOD)))) for f in faults],
        selectable=False,
        heading=head("FAULTS", ("last run of each, s from the key", R.DIM)),
    )  # fmt: skip
    oom = run(
        "RUN: oom",
        (
            after(0.02, "first failure", R.BAD, 1, R.BAD),
            after(0.18, "restarted", R.LEAVING, 2, R.BAD),
            after(0.73, "detected, ready", R.WAITING, 3, R.BAD),
            after(1.80, "first ok", R.GOOD, 4, R.GOOD),
        ),
        failed=18,
        planned=20,
        outages=(outage(0.02, 1.8, 18, 0.1),),
    )
    end = sentence(
        (" last end ", R.MUTED),
        "OOMKilled, exit 137",
        (" (SIGKILL)   next start not before ", R.MUTED),
        "10:42:31",
    )
    entries = (
        entry("10:42:11.310", "client", R.GOOD, "ok again, from …f54-7kq2m"),
        entry("10:42:10.240", "pod", R.WAITING, "…f54-7kq2m OOMKilled, restarted (3)"),
        entry("10:42:09.531", "client", R.BAD, "first failure: reset"),
        entry("10:42:09.510", "you", R.ACCENT, "eat memory in …f54-7kq2m, limit 64 MiB"),
    )
    hints = ("i infect", "c crash", "h hang", "o oom", "r readiness", "x delete", "F fresh", "e explain")
    lesson = "A container whose liveness probe fails is killed and started again."
    return replace(screen(2, lesson, (pods, end, Rail(oom), results), entries, hints), selected="p")


def update() -> ScreenModel:
    """Tab 3 in the middle of a rollout."""
    sets = table(
        (column("REV", 3, RIGHT), column("IMAGE", 14), column("DESIRED", 7, RIGHT), column("CURRENT", 8, RIGHT),
         column("READY", 6, RIGHT), column("", 1), column("PODS", 24)),
        [
            ("7", (line("7"), line(("workload:v2", R.VERSION_OLD)), line("1"), line("1"), line("1"), (),
                   good("●"))),
            ("8", (line("8"), line(("workload:v3", R.VERSION_NEW)), line("4"), line("4"), line("3"), (),
                   line(("●●●", R.GOOD), ("○", R.WAITING), ("  3 of 4 ready", R.MUTED)))),
        ],
        selectable=False,
        heading=head("REVISIONS", ("surge ", R.MUTED), "1", (" unavailable ", R.MUTED), "0", ("  drain ", R.MUTED),
                     ("on", R.GOOD), ("  deadline ", R.MUTED), "0:21"),
    )  # fmt: skip
    new = tuple(min(max((bin_ - 24) / 12, 0.0), 1.0) for bin_ in range(60))
    old = tuple(1.0 - share for share in new)
    shares = Stack(
        ("v3", "v2"), (new, old), heading=head("SHARE OF REPLIES", ("v3", R.VERSION_NEW), " 76 %  ",
        ("v2", R.VERSION_OLD), " 24 %", ("   failed ", R.MUTED), ("0", R.GOOD), (" of 2,412", R.MUTED)),
        span="−60 s",
    )  # fmt: skip
    rollout = run(
        "UPDATE v2 → v3",
        (
            after(0.04, "new set", R.VERSION_NEW, 2),
            after(1.00, "ready", R.VERSION_NEW, 3),
            after(1.10, "first v3 reply", R.VERSION_NEW, 4),
            after(2.60, "half", R.VERSION_NEW, 2),
            after(None, "last v2", R.VERSION_NEW),
            after(None, "complete", R.GOOD),
            after(None, "gone", R.GOOD),
        ),
        ending=Ending.OPEN,
        ended_us=None,
        planned=410,
    )

    def cells(*texts: str) -> tuple[MatrixCell, ...]:
        roles = {"0": R.GOOD, "–": R.DIM}
        return tuple(MatrixCell(line((text, roles.get(text, R.BAD)))) for text in texts)

    results = Matrix(
        ("SURGE 1, UNAV. 0", "SURGE 0, UNAV. 1", "ALL AT ONCE", "RECREATE"),
        (("drain on", cells("0", "0", "0", "214")), ("drain off", cells("38", "22", "61", "–"))),
        head("RESULTS", ("strategy × drain, clients lost of 100/s", R.DIM)),
        label_width=9,
    )
    entries = (
        entry("10:42:09.412", "pod", R.GOOD, "…6b7-kk2xp ready on node-2"),
        entry("10:42:08.377", "pod", R.LEAVING, "…d8c-j9c5c terminating, 5 s preStop"),
        entry("10:42:06.361", "client", R.VERSION_NEW, "first reply of v3, from …6b7-84wcn"),
        entry("10:42:05.310", "you", R.ACCENT, "set image workload:v3"),
    )
    hints = ("u update", "v version", "m mode", "d drain", "p pause", "z undo", "e explain", "y kubectl")
    rail = Rail(rollout, now_us=at("10:42:09.410"))
    lesson = "Pods of the new version replace the old ones, as fast as readiness allows."
    return screen(3, lesson, (sets, shares, rail, results), entries, hints)


def scale() -> ScreenModel:
    """Tab 4 at its target."""
    pods = table(
        (column("POD", 10), column("NODE", 7), column("STATE", 13), column("READY", 5), column("CPU", 8, RIGHT),
         column("OF REQUEST", 10, RIGHT), column("", 7), column("METRIC", 9, RIGHT)),
        [
            (name, (line(name), muted(node), good("● Running"), good("yes"), line(cpu), line(f"{share} %"),
                    Bar(share / 60), line("8 s ", ("old", R.MUTED))))
            for name, node, cpu, share in (
                ("…f54-7kq2m", "node-1", "131m", 52), ("…f54-x9d4t", "node-2", "122m", 49),
                ("…f54-bb7wc", "node-3", "128m", 51), ("…f54-m2v5k", "node-1", "118m", 47),
            )
        ],
    )  # fmt: skip
    cpu = (
        *([2.0] * 14), 5.0, 40.0, *([92.0] * 2), *([100.0] * 6), 92.0, 72.0, 60.0, *([51.0] * 6), *([53.0] * 4),
        *([50.0] * 8), *([52.0] * 3), 30.0, 12.0, 8.0, 3.0, *([2.0] * 9),
    )  # fmt: skip
    pods_over_time = (*([0.0] * 20), *([2.0] * 5), *([4.0] * 25), *([3.0] * 5), *([2.0] * 5))
    chart = Lines(
        Series("cpu", cpu),
        top=100.0,
        unit="%",
        target=50.0,
        steps=(Series("pods", pods_over_time, R.VERSION_NEW),),
        heading=head("CPU OF REQUEST", ("load ", R.MUTED), ("▶ 0.5 CPU", R.GOOD), ("   desired ", R.MUTED), "4",
                     (" of 1–5   −4 min", R.MUTED)),
    )  # fmt: skip
    formula = sentence(("ceil(", R.MUTED), "4 pods × 50 % ÷ 50 %", (") ", R.MUTED), ("= 4", R.STRONG),
                       ("   within tolerance: nothing to do", R.MUTED))  # fmt: skip
    conditions = sentence(("✓", R.GOOD), (" able to scale  ", R.MUTED), ("✓", R.GOOD),
                          (" scaling active  ", R.MUTED),
                          ("–  not limited   ", R.DIM), ("down ≈ 60 s after load", R.MUTED))  # fmt: skip
    load = run(
        "LOAD 0.5",
        (
            after(17.2, "seen", R.ACCENT, 2),
            after(19.1, "2 → 4", R.ACCENT, 2),
            after(19.7, "first new pod ready", R.ACCENT, 3),
            after(48.0, "at the target", R.GOOD, 4),
        ),
        measured=False,
    )
    target = Heading(line(("LOAD 0.5", R.STRONG)), line(("from the key to the target: ", R.MUTED), "48 s"))
    model = screen(
        4,
        "Every 15 s the autoscaler compares CPU use with its target and sets the pods.",
        (pods, chart, formula, conditions, Rail(load, target)),
        (entry("10:41:40.102", "hpa", R.ACCENT, "desired 2 → 4: cpu 92 % of request, target 50 %"),),
        ("l load", "+_- size", "! stop all", "e explain", "y kubectl", "space freeze"),
    )
    return replace(model, selected="…f54-7kq2m")


def state() -> ScreenModel:
    """Tab 8 after a kill."""

    def pod(name: str, address: Line, ttl: str, took: str, value: Line) -> tuple[str, tuple[Line, ...]]:
        named = line(("ok ", R.GOOD), f"{took} ms")
        return name, (line(name), muted(f"node-{name[-1]}"), good("● Running"), address, muted(ttl), named,
                      muted("bound"), value)  # fmt: skip

    pods = table(
        (column("POD", 10), column("NODE", 7), column("STATE", 10), column("A RECORD", 13),
         column("TTL", 3, RIGHT),
         column("BY NAME", 10), column("VOLUME", 7), column("VALUE", 9)),
        [
            pod("phoenix-0", line("10.244.1.4"), "12", "1.1", good('"ash"')),
            pod("phoenix-1", line("10.244.2.9 ", ("*", R.LEAVING)), "3", "0.9", good('"ember"')),
            pod("phoenix-2", line("10.244.3.4"), "28", "1.3", muted("–")),
        ],
    )  # fmt: skip
    note = sentence((" *", R.LEAVING), (" was ", R.MUTED), "10.244.2.5",
                    ("; the old address was answered for ", R.MUTED), "4.1 s", (", its TTL", R.MUTED))  # fmt: skip
    beside = table(
        (column("", 14), column("", 7), column("", 11), column("", 18), column("", 21)),
        [("n", (line("nest-6c5-…q8"), muted("node-2"), good("● Running"), muted("no name of its own"),
                line(("emptyDir ", R.MUTED), ('"ember" lost', R.BAD))))],
        selectable=False,
        heading=head("BESIDE IT: a Deployment", ("same program, no identity", R.DIM)),
    )  # fmt: skip
    kill = run(
        "KILL phoenix-1",
        (
            after(0.05, "", R.LEAVING, 0, R.LEAVING),
            after(1.60, "pod back", R.GOOD, 3, R.WAITING),
            after(4.10, "last old answer", R.LEAVING, 2, R.WAITING),
            after(4.20, "by name", R.GOOD, 2, R.GOOD),
            after(4.30, "value back", R.GOOD, 1, R.GOOD),
        ),
        measured=False,
    )
    back = Heading(line(("KILL phoenix-1", R.STRONG)), line(("name back after ", R.MUTED), "4.2 s"))
    answers: Table = table(
        (column("TYPE", 5), column("ANSWER", 44), column("TTL", 4, RIGHT), column("TIME", 8, RIGHT),
         column("", 10)),
        [
            (kind, (line(kind), line(answer), muted(ttl), line(took, (" ms", R.MUTED)), good("agrees")))
            for kind, answer, ttl, took in (
                ("A", "10.244.2.9", "3", "0.4"), ("AAAA", "none (NOERROR, SOA minimum 30)", "30", "0.3"),
                ("SRV", "0 33 8080 phoenix-1.phoenix…", "30", "0.5"),
            )
        ],
        selectable=False,
        heading=head("DNS", ("phoenix-1.phoenix.kubealive.svc.cluster.local", R.MUTED)),
    )  # fmt: skip
    entries = (
        entry("10:42:07.610", "client", R.GOOD, 'phoenix-1 read "ember" back'),
        entry("10:42:07.512", "dns", R.LEAVING, "phoenix-1 10.244.2.5 → 10.244.2.9"),
        entry("10:42:03.310", "you", R.ACCENT, "delete pod phoenix-1"),
    )
    hints = ("v write a value", "x kill", "s_S scale", "m ask always", "e explain", "y kubectl")
    lesson = "Each pod keeps its number, its name in DNS and its volume; the address changes."
    views = (pods, note, beside, Rail(kill, back), answers)
    return replace(screen(8, lesson, views, entries, hints), selected="phoenix-1")
