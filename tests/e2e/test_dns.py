"""DNS on a real cluster: each cell beside the C library and another resolver, and a kill in time."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator

import pytest

from kubealive_tui.experiments._dns import Question, Word, judge
from kubealive_tui.experiments.dns._matrix import questions
from kubealive_tui.model import Act, DeletePod, DnsAnswer, Ending
from tests.e2e.harness import KUBECTL, NAMESPACE, Viewer, eventually, kubectl, pods, viewer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.usefixtures("installed")]

# What other resolvers than the agent's say, in the agent's pod, by that pod's own resolv.conf: dnspython's, which
# walks the search list by itself, and the C library's, which is what programs get.
OTHERS = """
import json, socket, sys
import dns.exception, dns.resolver
resolver = dns.resolver.Resolver()
resolver.lifetime = 6.0
for name, kind in json.loads(sys.argv[1]):
    try:
        answer = resolver.resolve(name, kind, search=True)
        found = sorted(data.to_text() for data in answer)
    except dns.resolver.NXDOMAIN:
        found = "NXDOMAIN"
    except dns.resolver.NoAnswer:
        found = "NODATA"
    except dns.exception.DNSException as e:
        found = type(e).__name__
    family = {"A": socket.AF_INET, "AAAA": socket.AF_INET6}.get(kind)
    libc = None
    if family:
        try:
            libc = sorted({each[4][0] for each in socket.getaddrinfo(name, 80, family, socket.SOCK_STREAM)})
        except socket.gaierror:
            libc = []
    print(json.dumps([found, libc]), flush=True)
"""

# The cluster's DNS keeps what it has answered, for each question apart, and of several servers each for itself.
KEPT_S = 60.0

# Asks one name again and again, and says when an address came first.
OBSERVER = """
import json, socket, sys, time
seen, end = set(), time.time() + float(sys.argv[2])
while time.time() < end:
    try:
        for address in {each[4][0] for each in socket.getaddrinfo(sys.argv[1], 80, type=socket.SOCK_STREAM)}:
            if address not in seen:
                seen.add(address)
                print(json.dumps([time.time(), address]), flush=True)
    except socket.gaierror:
        pass
    time.sleep(0.2)
"""


def in_agent(program: str, *words: str) -> list[str]:
    """kubectl's words that run a program in the agent's pod."""
    python = "/opt/kubealive/bin/python"
    return ["-n", NAMESPACE, "exec", "deploy/kubealive-agent", "--", python, "-u", "-c", program, *words]


async def settled(seen: Viewer) -> dict[Question, DnsAnswer]:
    """Every cell's answer, once each agrees with what is promised, or nothing is."""

    def look() -> dict[Question, DnsAnswer] | None:
        found = {question: judge(seen.store, "dns", question) for question in questions()}
        if not all(judgement.word in {Word.AGREES, Word.OPEN} for judgement in found.values()):
            return None
        return {question: judgement.latest.body for question, judgement in found.items() if judgement.latest}

    return await seen.until("every cell to agree", look, within=100)


async def test_each_cell_is_what_other_resolvers_say() -> None:
    """Records and denials of all spellings as dnspython walks them, and the addresses that programs get."""
    async with viewer("dns") as seen:
        deadline = time.monotonic() + KEPT_S
        while wrong := await differing(seen):
            assert time.monotonic() < deadline, wrong
            await asyncio.sleep(2)


async def differing(seen: Viewer) -> list[str]:
    """Cells of which the other resolvers say something else just now."""
    cells = await settled(seen)
    asked = [(question.asked(seen.store), question.type) for question in cells]
    said = await asyncio.to_thread(kubectl, *in_agent(OTHERS, json.dumps(asked)))
    return [
        f"{question}: {cell} and {answer}"
        for (question, cell), (name, _), answer in zip(cells.items(), asked, said.splitlines(), strict=True)
        if not same(
            cell, *json.loads(answer), inside=not question.name.endswith("dns-nobody") or name.endswith(".")
        )
    ]


def same(cell: DnsAnswer, found: list[str] | str, libc: list[str] | None, *, inside: bool) -> bool:
    """Whether another resolver and the C library found what the cell has.

    A name that is nowhere in the cluster they go on to ask outside of it, and what comes from there is not its.
    """
    records = sorted(text for text in cell.answers if not text.startswith("CNAME "))
    agree = found == (records or cell.standing) if inside else cell.rcode == "NXDOMAIN" and isinstance(found, str)
    return agree and (libc is None or libc == (records if cell.type != "SRV" else []))


async def test_headless_names_lead_to_the_pods_that_kubectl_lists() -> None:
    """One address a ready pod, and each ordinal's own."""
    async with viewer("dns") as seen:
        cells = {(q.name, q.type, q.form): answer for q, answer in (await settled(seen)).items()}
    addresses = {
        app: {
            pod["metadata"]["name"]: pod["status"]["podIP"]
            for pod in pods(selector=f"app.kubernetes.io/name={app}")
        }
        for app in ("dns-each", "dns-set")
    }

    for (name, kind, _), answer in cells.items():
        if kind == "A" and name in addresses:
            assert set(answer.answers) == set(addresses[name].values())
        if kind == "A" and name == "dns-set-0.dns-set":
            assert set(answer.answers) == {addresses["dns-set"]["dns-set-0"]}


@contextlib.asynccontextmanager
async def observed(name: str, *, seconds: float) -> AsyncIterator[list[tuple[float, str]]]:
    """When a second resolver in the cluster first had each address of a name."""
    process = await asyncio.create_subprocess_exec(
        KUBECTL, *in_agent(OBSERVER, name, str(seconds)), stdout=asyncio.subprocess.PIPE
    )
    lines: list[tuple[float, str]] = []

    async def read() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            at, address = json.loads(line)
            lines.append((at, address))

    reader = asyncio.create_task(read())
    try:
        await eventually("the observer's first answer", lambda: lines or None, within=20)
        yield lines
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.gather(reader, process.wait())


async def test_dns_follows_a_kill_when_a_second_resolver_says_so() -> None:
    """The first answer with the successor's address, within what two caches may differ."""
    async with viewer("dns") as seen:
        await seen.whole(pods=len(pods("dns")))
        await settled(seen)
        name = Question("dns-set-0.dns-set").absolute(seen.store)
        victim = next(pod for pod in seen.ready_pods() if pod.name == "dns-set-0")
        async with observed(name, seconds=90) as lines:
            action = await seen.ask(Act("dns", victim.uid, victim.name, DeletePod()))
            run = await seen.run_of(action, within=95)
            address = next(pod.ip for pod in seen.ready_pods() if pod.name == "dns-set-0")
            await eventually(
                "the observer to follow", lambda: address in [ip for _, ip in lines] or None, within=40
            )

    assert run.ending is Ending.COMPLETE, run
    follows = run.seconds("DNS follows")
    other = next(at for at, ip in lines if ip == address) - run.began_us / 1e6
    assert follows is not None
    # Each server's cache lets go at its own time, and chance decides which of them is asked.
    assert follows == pytest.approx(other, abs=15)
    assert time.time() - run.began_us / 1e6 < 240
