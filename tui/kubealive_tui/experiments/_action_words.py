"""An action in a few words, by its verb: what somebody did, as the timeline says it."""

from collections.abc import Callable, Mapping

from kubealive_tui.experiments._words import short, strategy_words
from kubealive_tui.model import Action, version_of

__all__ = ["action_words"]

_Given = Mapping[str, str]

# What the agent adds to tell how the cluster stood, which nobody asked for.
CIRCUMSTANCES = frozenset({"ready_pods"})


def action_words(action: Action) -> str:
    """The action in words; a verb of a newer agent is told with its parameters as they came."""
    words = _BY_VERB.get(action.verb)
    if words is not None:
        return words(action, action.parameters)
    extra = ", ".join(
        f"{key} {value}" for key, value in sorted(action.parameters.items()) if key not in CIRCUMSTANCES
    )
    return f"{action.verb.replace('_', ' ')} {short(action.target_name)}" + (f": {extra}" if extra else "")


def _call(_: Action, given: _Given) -> str:
    return f"{given.get('method', '?')} {given.get('host', '?')}{given.get('path', '')}"


def _delete_pod(action: Action, given: _Given) -> str:
    grace = given.get("grace_seconds", "")
    words = f"delete pod {short(action.target_name)}" + (f", grace {grace} s" if grace else "")
    return words + (", forced" if grace == "0" else "")


def _fault(action: Action, given: _Given) -> str:
    fault, name = given.get("fault", "fault"), short(action.target_name)
    match given.get("fail"):
        case "never":
            return f"{fault} of {name} succeeds again"
        case "always":
            return f"{fault} of {name} fails from now on"
        case "next":
            return f"{fault} of {name} fails {given.get('count', '?')} times"
        case _:
            words = _FAULTS.get(fault, "{fault} in {name}")
            return words.format_map({"fault": fault, "name": name, **dict.fromkeys(_VALUES, "?"), **given})


_VALUES = ("code", "mib_per_second", "milliseconds", "percent")
_FAULTS = {
    "cure": "cure {name}",
    "delay": "delay the replies of {name} by {milliseconds} ms",
    "eat": "eat memory in {name}, {mib_per_second} MiB/s",
    "errors": "fail {percent} % of the replies of {name}",
    "exit": "crash {name} with exit code {code}",
    "hang": "hang {name}: no answer, no ear for SIGTERM",
}


def _label_pod(action: Action, given: _Given) -> str:
    key, name = given.get("key", "?"), short(action.target_name)
    return f"label {key}={given['value']} on {name}" if "value" in given else f"label {key} taken off {name}"


def _pause(action: Action, given: _Given) -> str:
    return f"{'pause' if given.get('paused') == 'true' else 'resume'} {action.target_name}"


def _restart(action: Action, given: _Given) -> str:
    return f"restart {action.target_name}, {version_of(given.get('image', ''))}, {_strategy(given)}"


def _rollout(action: Action, given: _Given) -> str:
    drain = given.get("drain", "?")
    return f"update {action.target_name}, {_versions(given)}, {_strategy(given)}, drain {drain}"


def _strategy(given: _Given) -> str:
    return strategy_words(*(given.get(name, "") for name in ("strategy", "max_surge", "max_unavailable")))


def _versions(given: _Given) -> str:
    return f"{version_of(given.get('from_image', ''))} → {version_of(given.get('image', ''))}"


def _undo(action: Action, given: _Given) -> str:
    return f"undo {action.target_name}, {_versions(given)}, as in revision {given.get('revision', '?')}"


def _scale(action: Action, given: _Given) -> str:
    return f"scale {action.target_name} to {given.get('replicas', '?')}"


def _set_load(_: Action, given: _Given) -> str:
    if given.get("load") == "stop":
        return "stop the load"
    size = f"{given['rate']}/s" if "rate" in given else f"burst of {given.get('burst', '?')}"
    size = f"{given['cpu']} CPU" if "cpu" in given else size
    return f"load {size}, {given.get('mode', 'new')} connections"


def _stop_all(_: Action, __: _Given) -> str:
    return "stop all load and cure all faults"


def _traffic_policy(action: Action, given: _Given) -> str:
    return f"externalTrafficPolicy {given.get('external_traffic_policy', '?')} for {action.target_name}"


_BY_VERB: dict[str, Callable[[Action, _Given], str]] = {
    "call": _call,
    "delete_pod": _delete_pod,
    "fault": _fault,
    "label_pod": _label_pod,
    "pause": _pause,
    "restart": _restart,
    "rollout": _rollout,
    "scale": _scale,
    "set_load": _set_load,
    "stop_all": _stop_all,
    "traffic_policy": _traffic_policy,
    "undo": _undo,
}
