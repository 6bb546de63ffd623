"""`kubectl top` on a real cluster: each pod's and each node's use, in numbers."""

import re

import pytest

from tests.e2e.harness import NAMESPACE, eventually, kubectl, pods

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("installed")]

# A new pod is measured half a minute after its start; those that are looked at here nobody kills.
MEASURED_S = 90
CPU, MEMORY = re.compile(r"\d+m"), re.compile(r"(\d+)Mi")


def top(*words: str) -> dict[str, list[str]]:
    """What kubectl prints of each, by name; nothing where it has no numbers yet."""
    lines = kubectl("top", *words, "--no-headers", check=False).splitlines()
    return {name: rest for name, *rest in map(str.split, lines)}


async def test_top_tells_what_pods_and_nodes_use() -> None:
    """Every pod has thousandths of a core and some memory; its node has as much at least, and a share of all."""
    nodes = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in pods("downward")}
    selector = ("-l", "kubealive.dev/experiment=downward")

    def all_measured() -> dict[str, list[str]] | None:
        found = top("pods", "-n", NAMESPACE, *selector)
        return found if found.keys() >= nodes.keys() else None

    used = await eventually("numbers of every pod", all_measured, within=MEASURED_S, each=1)
    of_nodes = top("nodes")

    for name, (cpu, memory) in used.items():
        node_cpu, share, node_memory, node_share = of_nodes[nodes[name]]
        assert CPU.fullmatch(cpu)
        assert CPU.fullmatch(node_cpu)
        assert 0 < _mebibytes(memory) <= _mebibytes(node_memory)
        assert re.fullmatch(r"\d+%", share)
        assert re.fullmatch(r"\d+%", node_share)


def _mebibytes(quantity: str) -> int:
    found = MEMORY.fullmatch(quantity)
    assert found, quantity
    return int(found[1])
