"""What is staged for a Deployment before it is sent: version, strategy and drain, chosen by keys of the tab.

It lives in the tab's settings and touches nothing until it is sent, as one patch. What equals the cluster's own
setting is not staged, whoever set it there.
"""

from collections.abc import Sequence

from kubealive_tui.experiments._api import Command, Effect, NotNow, Option, Scene
from kubealive_tui.experiments.update._ladder import replica_sets
from kubealive_tui.experiments.update._rollout import GRACEFUL, drain_of, strategy_now
from kubealive_tui.model import Line, Role, Rollout, Workload, line
from kubealive_tui.store import Store

__all__ = [
    "BROKEN",
    "MISSING",
    "STRATEGIES",
    "VERSIONS",
    "deployment_of",
    "rollout",
    "stage",
    "staged",
    "staged_words",
]

# As `make images` builds them; there is none of the last.
VERSIONS = ("v1", "v2", "v3", "v4", "v5")
BROKEN, MISSING = "v-broken", "v-missing"
# In the order of the key, with what a patch has to say for each.
STRATEGIES = {
    "surge 1, unavailable 0": ("RollingUpdate", "1", "0"),
    "surge 0, unavailable 1": ("RollingUpdate", "0", "1"),
    "all at once": ("RollingUpdate", "100%", "0"),
    "Recreate": ("Recreate", "", ""),
}


def deployment_of(scene: Scene) -> Workload:
    """The Deployment that the experiment is about; raises NotNow where it is not there."""
    name = scene.experiment.subject
    found = scene.store.workload(scene.name, name)
    if found is None:
        raise NotNow(f"there is no Deployment {name}: {scene.reset_command} makes it again")
    return found


def next_version(store: Store, deployment: Workload) -> str:
    """The version after the current one, v5 → v1; after one that serves nobody, that of the last that did."""
    known = [s.version for s in replica_sets(store, deployment) if s.version in VERSIONS]
    last = deployment.version if deployment.version in VERSIONS else (known[-1] if known else VERSIONS[-1])
    return VERSIONS[(VERSIONS.index(last) + 1) % len(VERSIONS)]


def staged(scene: Scene, deployment: Workload) -> dict[str, str]:
    """What would be changed beside what the cluster has now, by the name of the setting."""
    now = {"version": deployment.version, "strategy": strategy_now(deployment), "drain": drain_of(deployment)}
    return {name: value for name, value in scene.settings.choices.items() if value and value != now.get(name)}


def staged_words(scene: Scene, deployment: Workload) -> Line:
    """What waits to be sent, or nothing."""
    changes = staged(scene, deployment)
    if not changes:
        return ()
    words = [
        changes.get("version") or next_version(scene.store, deployment),
        changes.get("strategy", ""),
        f"drain {changes['drain']}" if "drain" in changes else "",
    ]
    shown = ", ".join(word for word in words if word)
    return line(("staged ", Role.MUTED), (shown, Role.ACCENT), (": u sends it as one patch", Role.MUTED))


def rollout(store: Store, deployment: Workload, changes: dict[str, str]) -> Rollout:
    """The one patch that makes these changes; without a version it goes to the next."""
    version = changes.get("version") or next_version(store, deployment)
    image = f"{deployment.image.removesuffix(f':{deployment.version}')}:{version}"
    strategy = surge = unavailable = None
    if "strategy" in changes:
        strategy, surge, unavailable = (value or None for value in STRATEGIES[changes["strategy"]])
    drain = {"on": True, "off": False}.get(changes.get("drain", ""))
    return Rollout(image, strategy, surge, unavailable, drain)


def _choose(scene: Scene, name: str, value: str, words: str) -> Sequence[Effect]:
    return (scene.settings.choose(name, value), f"staged: {words}; u sends it")


def _versions(scene: Scene) -> Sequence[Option]:
    deployment = deployment_of(scene)
    told = {BROKEN: "starts, and never gets ready", MISSING: "there is no such image", deployment.version: "now"}
    upcoming = next_version(scene.store, deployment)
    return [
        Option("", "next", f"the version after the last good one: {upcoming}"),
        *(Option(version, version, told.get(version, "")) for version in (*VERSIONS, BROKEN, MISSING)),
    ]


def _version(scene: Scene) -> Sequence[Effect]:
    if scene.given and scene.given not in {*VERSIONS, BROKEN, MISSING}:
        raise NotNow(f"there is no version {scene.given}: choose one that is listed")
    words = scene.given or f"next, {next_version(scene.store, deployment_of(scene))}"
    return _choose(scene, "version", scene.given, words)


def _mode(scene: Scene) -> Sequence[Effect]:
    names = list(STRATEGIES)
    shown = scene.settings.choices.get("strategy") or strategy_now(deployment_of(scene))
    upcoming = names[(names.index(shown) + 1) % len(names)] if shown in names else names[0]
    return _choose(scene, "strategy", upcoming, upcoming)


def _drain(scene: Scene) -> Sequence[Effect]:
    shown = scene.settings.choices.get("drain") or drain_of(deployment_of(scene))
    upcoming = "off" if shown == GRACEFUL else GRACEFUL
    return _choose(scene, "drain", upcoming, f"drain {upcoming}")


stage = (
    Command(
        "v", "version", "version", "stage a version, also a broken and a missing one", _version,
        triggers=False, choose=_versions,
    ),
    Command("m", "mode", "mode", "stage the next strategy", _mode, triggers=False),
    Command("d", "drain", "drain", "stage drain on or off", _drain, triggers=False),
)  # fmt: skip
