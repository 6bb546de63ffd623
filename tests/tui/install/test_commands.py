"""The four commands as a terminal sees them: lines, questions and exit codes."""

import argparse
import contextlib
from collections.abc import AsyncIterator, Callable
from types import ModuleType

import pytest

from kubealive_tui.cli import _down, _reset, _status, _up
from kubealive_tui.install import Api, ApiError, SystemClock

from .fakes import FakeCluster
from .samples import waiting

COMMANDS: tuple[ModuleType, ...] = (_up, _down, _reset, _status)
UNREACHABLE = ApiError(0, "Unreachable", "https://host:6443 cannot be reached")


class FakeEnvironment:
    """Keeps what is said; `answer` is what the person at the terminal says, None where nobody is there."""

    def __init__(self, cluster: FakeCluster, *, answer: bool | None = None) -> None:
        self.cluster = cluster
        self.answer = answer
        self.said: list[str] = []
        self.complaints: list[str] = []
        self.questions: list[str] = []

    @contextlib.asynccontextmanager
    async def api(self, args: argparse.Namespace) -> AsyncIterator[Api]:
        yield self.cluster

    def context(self, args: argparse.Namespace) -> str:
        return "lab"

    def say(self, text: str) -> None:
        self.said.append(text)

    def complain(self, text: str) -> None:
        self.complaints.append(text)

    async def confirm(self, question: str) -> bool | None:
        self.questions.append(question)
        return self.answer


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(self: SystemClock, seconds: float) -> None:
        pass

    monkeypatch.setattr(SystemClock, "sleep", sleep)


async def command(env: FakeEnvironment, *words: str) -> int:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    for module in COMMANDS:
        module.register(subparsers)
    args = parser.parse_args(words)
    code: int = await args.run(args, env)
    return code


class Alive(FakeCluster):
    """A cluster whose controllers run whenever it is asked."""

    def _get(self, path: str, query: object, body: object) -> object:
        self.run_controllers()
        return super()._get(path, query, body)  # type: ignore[arg-type] # passed on as it came


async def test_life_of_an_install() -> None:
    """Up, status, reset and down all end with 0, and say where the install is."""
    env = FakeEnvironment(Alive())
    for words in (("up",), ("status",), ("reset", "--pods"), ("down", "--yes"), ("down", "--yes")):
        assert await command(env, *words) == 0, (words, env.complaints)
    assert "ready in namespace kubealive of context lab: open it with `kubealive tui`" in env.said
    assert env.said[-1] == "nothing of kubealive is in namespace kubealive of context lab"
    assert not env.complaints


@pytest.mark.parametrize(
    ("answer", "code", "left"),
    [(True, 0, False), (False, 1, True), (None, 2, True)],
    ids=["yes", "no", "nobody"],
)
async def test_down_asks(answer: bool | None, code: int, left: bool) -> None:  # noqa: FBT001 - columns of the table
    """Without --yes nothing is removed unless somebody agrees to the named target."""
    env = FakeEnvironment(Alive(), answer=answer)
    await command(env, "up", "-n", "class-7")
    assert await command(env, "down", "-n", "class-7") == code
    assert env.questions == ["Remove kubealive and all its experiments from namespace class-7 of context lab?"]
    assert bool(env.cluster.objects) is left
    if answer is None:
        assert "`kubealive down --yes -n class-7`" in env.complaints[0]


@pytest.mark.parametrize("words", [("up",), ("down", "-y"), ("reset",), ("status",)], ids=lambda words: words[0])
async def test_unreachable_cluster(words: tuple[str, ...]) -> None:
    """Each command says so in one line, and ends with 2."""
    cluster = FakeCluster()
    paths = (
        "/version",
        "/api/v1/namespaces/kubealive",
        "/apis/apps/v1/namespaces/kubealive/deployments",
        "/apis/apps/v1/namespaces/kubealive/deployments/kubealive-agent",
    )
    cluster.failing = {("GET", path): UNREACHABLE for path in paths}
    env = FakeEnvironment(cluster)
    assert await command(env, *words) == 2
    assert env.complaints == ["kubealive: https://host:6443 cannot be reached"]


@pytest.mark.parametrize("name", ["up", "down", "reset", "status"])
@pytest.mark.parametrize("words", [("-n", "kube-system"), ("nothing",)], ids=["namespace", "experiment"])
async def test_wrong_name(name: str, words: tuple[str, ...]) -> None:
    """A namespace or an experiment that cannot be ends with 2 and names what can."""
    env = FakeEnvironment(Alive())
    await command(env, "up")
    yes = ["--yes"] if name == "down" else []
    assert await command(env, name, *yes, *words) == 2
    assert len(env.complaints) == 1


async def test_status_of_trouble() -> None:
    """The status is 1, with the reason under the experiment and each advice once."""
    env = FakeEnvironment(Alive())
    await command(env, "up")
    env.said.clear()
    for name in ("getip-a", "getip-b"):
        env.cluster.add(f"/api/v1/namespaces/kubealive/pods/{name}", waiting("ErrImagePull"), name=name)
    freeze(env.cluster, lambda status: status.update(availableReplicas=2))
    assert await command(env, "status") == 1
    text = "\n".join(env.said)
    assert "balance          not ready     deployment/getip 2/4" in text
    assert "pod/getip-b: ErrImagePull: image localhost/kubealive/workload:v1 is not on node-1" in text
    assert text.count("make images load") == 1


def freeze(cluster: FakeCluster, change: Callable[[dict[str, int]], None]) -> None:
    """Change the status of `getip` and stop the controllers."""
    change(cluster.objects["/apis/apps/v1/namespaces/kubealive/deployments/getip"]["status"])
    cluster.run_controllers = lambda: None  # type: ignore[method-assign] # nothing heals from here on
