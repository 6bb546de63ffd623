"""One object's fault is not the others': what goes wrong over one of many is said, and the rest goes on.

Any object that the API takes may meet a rule that nobody thought of. A task that looks at many must outlive it,
since the sandbox ends with each of its tasks.
"""

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Apart"]

# Faults that are not said again: more than a laboratory has objects. A task that looks four times a second would
# fill the log with one.
MOST_SAID = 200


class Apart:
    """Keeps faults apart for one task, each said once in that task's log."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._said: deque[str] = deque(maxlen=MOST_SAID)

    @contextmanager
    def keep(self, what: str) -> Iterator[None]:
        """Go on after the block whatever failed in it; `what` names the object."""
        try:
            yield
        except Exception as exc:  # noqa: BLE001 - what nobody foresaw, which is all that comes here
            words = f"{what}: {exc!r}"
            if words not in self._said:
                self._said.append(words)
                self._log.exception("%s met something unforeseen", what)
