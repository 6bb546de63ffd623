"""Rolling update on a real cluster: what clients lose by strategy and drain, and a rollout in other hands."""

import pytest

from kubealive_tui.errors import RefusedError
from kubealive_tui.experiments.update._staged import BROKEN, MISSING, STRATEGIES, rollout
from kubealive_tui.model import Act, Ending, Pause, Restart, Rollout, Run, Scale, StopLoad, Undo, Verb, Workload
from tests.e2e.harness import (
    NAMESPACE,
    Specs,
    Viewer,
    checked,
    kubealive,
    kubectl,
    kubectl_watch,
    observer,
    specs,
    viewer,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

OBSERVER_RATE = 50.0
# A line of kubectl on a busy machine.
CLOSE_S = 0.3
# The observer's node may hear of an endpoint that much before or after the agent's.
PROXIES_S = 1.3
# The check is by the first strategy, and Recreate loses by its nature.
OTHERS = [strategy for strategy in list(STRATEGIES)[1:] if strategy != "Recreate"]
# The check: two rollouts, and a third that is held back for ten seconds.
CHECKED_S = 120
# Sets of earlier rollouts, by name.
UNUSED = "jsonpath={.items[?(@.spec.replicas==0)].metadata.name}"


@pytest.fixture(autouse=True)
def as_installed(installed: Specs) -> None:
    """Each test finds the Deployment as it is installed, whatever the one before has left."""
    if specs()["update"] == installed["update"]:
        return
    kubectl("-n", NAMESPACE, "rollout", "resume", "deployment/incver", check=False)
    done = kubealive("reset", "update", "-n", NAMESPACE)
    assert done.returncode == 0, done.stdout + done.stderr


def deployment(seen: Viewer) -> Workload:
    found = seen.store.workload("update", "incver")
    assert found is not None
    return found


async def ask(seen: Viewer, verb: Verb) -> str:
    found = deployment(seen)
    return await seen.ask(Act("update", found.uid, found.name, verb))


async def updated(seen: Viewer, **changes: str) -> Run:
    """The run of an update to the next version that changes this besides, to its end."""
    await seen.whole()
    action = await ask(seen, rollout(seen.store, deployment(seen), changes))
    run = await seen.run_of(action, within=70)
    assert run.ending is Ending.COMPLETE, run
    assert run.measured
    assert not run.incomplete
    return run


async def test_the_check_passes_and_its_update_is_timed_as_outside_observers_see_it() -> None:
    """Set, readiness and end agree with kubectl; first and last replies, and no loss, with a second client."""
    # So that kubectl can see the update's set come.
    sets = ("-n", NAMESPACE, "get", "replicasets", "-l", "kubealive.dev/experiment=update", "-o")
    if unused := kubectl(*sets, UNUSED).split():
        kubectl("-n", NAMESPACE, "delete", "replicasets", *unused)
    watched = kubectl_watch("replicasets", "N:.metadata.name,D:.spec.replicas")
    pods = kubectl_watch("pods", "N:.metadata.name,R:.status.conditions[?(@.type=='Ready')].status")
    async with viewer("update") as seen, observer("incver", rate=OBSERVER_RATE, seconds=CHECKED_S) as requests:
        await seen.whole()
        before = len(seen.store.ledger("update").runs.ended)
        async with watched as set_lines, pods as pod_lines:
            known = {words[0] for _, words in set_lines}
            verdict = await checked("update", within=CHECKED_S)
            run = seen.store.ledger("update").runs.ended[before]
    assert verdict["verdict"] == "passed", verdict

    began = run.began_us / 1e6
    assert (run.ending, run.failed) == (Ending.COMPLETE, 0)
    made, new = min((at, words[0]) for at, words in set_lines if words[0] not in known)
    ours = [(at, words) for at, words in pod_lines if words[0].startswith(f"{new}-")]
    ready = min(at for at, words in ours if words[-1] == "True")
    # Two watches: a pod of the new set may be told before its set is.
    told = {words[0] for at, words in pod_lines if words[0].startswith("incver-") and at < made}
    old = {name for name in told if not name.startswith(f"{new}-")}
    assert run.seconds("new set") == pytest.approx(made - began, abs=CLOSE_S)
    assert run.seconds("first ready") == pytest.approx(ready - began, abs=CLOSE_S)
    # kubectl's last line of a pod is that of its deletion.
    gone = max(at for at, words in pod_lines if words[0] in old)
    assert run.seconds("old pods gone") == pytest.approx(gone - began, abs=CLOSE_S)
    assert not [r for r in requests if r.error]
    first = min(r.ended for r in requests if r.pod.startswith(f"{new}-"))
    assert run.seconds("first reply") == pytest.approx(first - began, abs=PROXIES_S)
    last = max(r.ended for r in requests if r.pod in old)
    assert run.seconds("last old reply") == pytest.approx(last - began, abs=PROXIES_S)


async def test_a_graceful_update_loses_nothing() -> None:
    """With readiness, preStop and drain: four pods at 100 new connections a second, as well as in the check."""
    async with viewer("update") as seen:
        await seen.whole()
        await seen.loaded()
        lost = {name: (await updated(seen, strategy=name)).failed for name in OTHERS}
        await seen.ask(StopLoad("update"))

    assert lost == dict.fromkeys(OTHERS, 0)


async def test_without_drain_an_update_loses_requests() -> None:
    """Without readiness, preStop and drain no strategy saves what is sent to pods that are not there."""
    async with viewer("update") as seen:
        await seen.whole()
        await seen.loaded()
        await updated(seen, drain="off")
        lost = {name: (await updated(seen, strategy=name)).failed for name in STRATEGIES}
        await seen.ask(StopLoad("update"))

    assert all(lost.values()), lost


async def test_a_rollout_in_other_hands() -> None:
    """What somebody else changes, pauses or limits meanwhile is what is shown; no run claims it."""
    async with viewer("update") as seen:
        await seen.whole()
        action = await ask(seen, rollout(seen.store, deployment(seen), {"version": BROKEN}))
        await seen.until("the broken pod", lambda: len(seen.store.pods("update")) == 5 or None, within=20)
        image = deployment(seen).image.replace(BROKEN, "v4")
        kubectl("-n", NAMESPACE, "set", "image", "deployment/incver", f"incver={image}")
        run = await seen.run_of(action)
        assert (run.ending, run.seconds("complete")) == (Ending.OVERTAKEN, None)
        await seen.whole()
        assert deployment(seen).version == "v4"

        kubectl("-n", NAMESPACE, "rollout", "pause", "deployment/incver")
        await seen.until("the pause", lambda: deployment(seen).paused or None, within=10)
        for verb in (Undo(), Restart(), Pause(paused=True)):
            with pytest.raises(RefusedError, match="incver is paused"):
                await ask(seen, verb)
        await ask(seen, Pause(paused=False))
        await seen.until("the resumption", lambda: not deployment(seen).paused or None, within=10)

        def refused() -> str | None:
            failure = deployment(seen).condition("ReplicaFailure")
            return failure.message if failure else None

        kubectl("-n", NAMESPACE, "create", "quota", "none-more", "--hard=pods=0")
        try:
            await ask(seen, Scale(5))
            assert "exceeded quota: none-more" in await seen.until("the quota's word", refused, within=20)
        finally:
            kubectl("-n", NAMESPACE, "delete", "quota", "none-more")


async def test_what_is_refused_changes_nothing() -> None:
    """An image of another repository, a revision that is not there, no change at all: a sentence each."""
    async with viewer("update") as seen:
        await seen.whole()
        before = deployment(seen).generation
        for verb, words in (
            (Rollout("docker.io/library/nginx:1"), "is not of incver's repository"),
            (Rollout(deployment(seen).image), "is that already"),
            (Rollout(max_surge="0", max_unavailable="0"), "both 0"),
            (Undo(999), "cannot go to revision 999|has no earlier revision"),
        ):
            with pytest.raises(RefusedError, match=words):
                await ask(seen, verb)
        generation = kubectl(
            "-n", NAMESPACE, "get", "deployment", "incver", "-o", "jsonpath={.metadata.generation}"
        )

    assert int(generation) == before


async def test_a_missing_image_is_told_and_undone() -> None:
    """The pods say why they do not start, the old ones serve on, and undo leads back to their template."""
    async with viewer("update") as seen:
        await seen.whole()
        first = deployment(seen)
        await ask(seen, rollout(seen.store, first, {"version": MISSING}))

        def without_image() -> str | None:
            pods = [pod for uid in seen.store.pods("update") if (pod := seen.store.pod(uid))]
            return next((pod.message for pod in pods if pod.status in {"ErrImagePull", "ErrImageNeverPull"}), None)

        assert MISSING in await seen.until("the kubelet's word", without_image, within=30)
        assert len(seen.ready_pods()) == 4
        await ask(seen, Undo())
        await seen.whole()

    assert (deployment(seen).image, deployment(seen).revision) == (first.image, first.revision + 2)
