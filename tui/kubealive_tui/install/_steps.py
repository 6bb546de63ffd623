"""What an install tells while it runs: one immutable step after another, for a terminal line or a screen row."""

from dataclasses import dataclass
from enum import StrEnum


class StepKind(StrEnum):
    """What happened to the subject of a step."""

    CHECKED = "checked"
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    RESTARTED = "restarted"
    WAITING = "waiting"
    TROUBLE = "trouble"
    READY = "ready"
    REMOVED = "removed"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of progress: `subject` as kubectl names it, `text` a sentence, `advice` the next step or empty."""

    kind: StepKind
    subject: str
    text: str = ""
    advice: str = ""
