"""What is refused before it is sent, and what is asked before it is done."""

from collections.abc import Sequence
from dataclasses import dataclass

from kubealive_tui.experiments import Command, Effect, Script, Settings
from kubealive_tui.hints import up_command
from kubealive_tui.model import Act, Info, SetLoad, StopAll, StopLoad

__all__ = ["FROZEN", "Confirmations", "Question", "question", "refusal"]

FROZEN = "the display is frozen: space lets it go on"
"""Why nothing is triggered there: what it does would not be seen."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a destructive act asks: `what` it is, and on which target, namespace and context."""

    what: str
    target: str
    namespace: str
    context: str


class Confirmations:
    """Which kinds of destructive act this session has confirmed; the first of each kind asks."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def wanted(self, danger: str) -> bool:
        """Whether this kind of act has yet to be confirmed; an empty kind is not dangerous."""
        return bool(danger) and danger not in self._given

    def give(self, danger: str) -> None:
        """Remember that the user said yes to this kind of act."""
        self._given.add(danger)


def question(what: str, effects: Sequence[Effect], *, namespace: str, context: str) -> Question:
    """The question for these effects; the target is the first object that they act on."""
    return Question(what, next((name for effect in effects if (name := _target(effect))), ""), namespace, context)


def _target(effect: Effect) -> str:
    match effect:
        case Act(name=name):
            return name
        case Script(target=target):
            return target
        case SetLoad(target=target):
            return target.service or target.node or target.pod_uid
        case StopLoad(experiment=experiment):
            return f"the load of {experiment}"
        case StopAll():
            return "all loads and faults"
        case _:
            return ""


def refusal(
    command: Command,
    effects: Sequence[Effect] | None,
    *,
    read_only: bool,
    info: Info | None,
    frozen: bool = False,
) -> str:
    """The sentence that refuses this command, or nothing; `effects` None before it is known what it will do.

    A read-only session, and one whose display is frozen, may change its own settings but send nothing; an agent
    that lacks the capability would refuse anyway, and here the sentence can name the next step. An agent that is
    not known yet is not judged.
    """
    if effects is None:
        sends = command.triggers
    else:
        sends = any(not isinstance(effect, Settings | str) for effect in effects)
    if sends and read_only:
        return (
            f"read-only: {command.name.replace('-', ' ')} changes the cluster; leave out --read-only to allow it"
        )
    if sends and frozen:
        return FROZEN
    if sends and command.needs and info is not None and command.needs not in info.capabilities:
        up = up_command(namespace=info.namespace)
        return f"this agent ({info.version}) cannot {command.help}: {up} installs a newer one"
    return ""
