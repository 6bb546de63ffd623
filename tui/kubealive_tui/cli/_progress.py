"""How the steps of an install look on a terminal line: append-only, so that a log holds the same as a screen."""

from collections.abc import AsyncIterator

from kubealive_tui.errors import KubealiveError
from kubealive_tui.install import ApiError, Step

from ._environment import Environment

_KIND_WIDTH = 10  # the longest word of StepKind


async def tell(steps: AsyncIterator[Step], env: Environment) -> int:
    """Say each step as it comes and return how many there were; an error passes through."""
    count = 0
    async for step in steps:
        count += 1
        for line in lines(step):
            env.say(line)
    return count


def lines(step: Step) -> list[str]:
    """Return a step as a line of kind, subject and text, and its advice as a second one."""
    words = f"{step.kind.value:<{_KIND_WIDTH}} {step.subject}" + (f": {step.text}" if step.text else "")
    return [words, *([" " * (_KIND_WIDTH + 1) + step.advice] if step.advice else [])]


def failed(error: KubealiveError, env: Environment) -> int:
    """Say an error's sentence and return its exit code."""
    # Kubernetes says what is forbidden to whom, and not what to do about it.
    advice = "; whoever administers the cluster can grant it" if _forbidden(error) else ""
    env.complain(f"kubealive: {error}{advice}")
    return error.exit_code


def _forbidden(error: KubealiveError) -> bool:
    return isinstance(error, ApiError) and error.forbidden
