"""What a check found, in one piece, before it becomes a table, JSON or JUnit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kubealive_tui.experiments import Verdict, VerdictWord
from kubealive_tui.model import Run

__all__ = ["Report", "Result", "exit_code"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One experiment's verdict, the runs that its check started, and how long it took.

    `earlier` is the try before the one that decided, where facts were missing in it; `seconds` are of both then.
    """

    name: str
    verdict: Verdict
    runs: tuple[Run, ...] = ()
    seconds: float = 0.0
    earlier: "Result | None" = None

    @property
    def twice(self) -> str:
        """That it was measured twice, and why; nothing where it was not."""
        return f"measured twice: at first {self.earlier.verdict.blind}" if self.earlier else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole check. `started` and `ended` are this machine's time, with a zone; runs carry the agent's.

    `error` is the sentence that says why nothing could be run; there are no results then.
    """

    tool_version: str
    context: str
    namespace: str
    started: datetime
    ended: datetime
    kubernetes_version: str = ""
    agent_version: str = ""
    wanted: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()
    error: str = ""

    @property
    def seconds(self) -> float:
        """How long it took in all."""
        return (self.ended - self.started).total_seconds()


def exit_code(results: Sequence[Result]) -> int:
    """0 if all passed, 1 if any failed, else 2: what was skipped, or never ran, was not proved."""
    words = {result.verdict.word for result in results}
    if VerdictWord.FAILED in words:
        return 1
    return 0 if words == {VerdictWord.PASSED} else 2
