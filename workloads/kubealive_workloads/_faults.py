"""The state of the faults that a program is told to show.

All of it is data that the application looks at, but for `Eater`, which takes memory on its own.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubealive_workloads._loop import Loop, Timer

EAT_STEP_SECONDS = 0.05  # short enough that a probe waits a few milliseconds only for the pages of one step
MAX_EATEN_MIB = 4096  # where no limit kills the program, it stops here rather than take the machine down

_MIB = 1024 * 1024


class ProbeFault:
    """Makes a probe fail always, never, or for a number of calls."""

    __slots__ = ("_always", "_left")

    def __init__(self) -> None:
        self._always = False
        self._left = 0

    def always(self) -> None:
        """Let each call fail from now on."""
        self._always = True

    def never(self) -> None:
        """Let each call be answered truthfully."""
        self._always, self._left = False, 0

    def next(self, count: int) -> None:
        """Let the next `count` calls fail."""
        self._always, self._left = False, count

    def take(self) -> bool:
        """Count one call, and say whether it is to fail."""
        if self._left > 0:
            self._left -= 1
            return True
        return self._always

    @property
    def failing(self) -> bool:
        """Whether the next call will fail."""
        return self._always or self._left > 0

    def as_json(self) -> dict[str, object]:
        """Give the setting in the form in which it is set."""
        if self._left:
            return {"fail": "next", "count": self._left}
        return {"fail": "always" if self._always else "never"}


class Eater:
    """Takes memory at a steady rate until the kernel ends the process."""

    __slots__ = ("_loop", "_meals", "_rate", "_timer")

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._meals: list[bytearray] = []
        self._rate = 0
        self._timer: Timer | None = None

    def start(self, mib_per_second: int) -> None:
        """Eat at this rate from now on, on top of what was eaten."""
        self._rate = mib_per_second
        if self._timer is None:
            self._timer = self._loop.after(EAT_STEP_SECONDS, self._eat)

    def stop(self) -> None:
        """Stop, and give the memory back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._rate = 0
        self._meals.clear()

    def as_json(self) -> dict[str, int]:
        """Give the rate, and what has been eaten."""
        return {"mib_per_second": self._rate, "eaten_mib": sum(map(len, self._meals)) // _MIB}

    def _eat(self) -> None:
        size = int(self._rate * _MIB * EAT_STEP_SECONDS)
        if sum(map(len, self._meals)) + size > MAX_EATEN_MIB * _MIB:
            self._timer = None
            return
        self._meals.append(bytearray(b"\1") * size)  # written to, so that the pages are really taken
        self._timer = self._loop.after(EAT_STEP_SECONDS, self._eat)


class Faults:
    """All faults of one process."""

    __slots__ = ("_error_debt", "delay_ms", "eater", "error_percent", "hanging", "liveness", "readiness")

    def __init__(self, loop: Loop) -> None:
        self.liveness = ProbeFault()
        self.readiness = ProbeFault()
        self.eater = Eater(loop)
        self.hanging = False
        self.delay_ms = 0
        self.error_percent = 0
        self._error_debt = 0

    def take_error(self) -> bool:
        """Count one request of the program, and say whether it is to fail.

        The failures are spread evenly: of any 100 requests in a row, `error_percent` fail.
        """
        self._error_debt += self.error_percent
        if self._error_debt < 100:
            return False
        self._error_debt -= 100
        return True

    def cure(self) -> None:
        """End every fault."""
        self.liveness.never()
        self.readiness.never()
        self.eater.stop()
        self.hanging = False
        self.delay_ms = self.error_percent = self._error_debt = 0

    def as_json(self) -> dict[str, object]:
        """Give all settings, each under its name in the form in which it is set."""
        return {
            "liveness": self.liveness.as_json(),
            "readiness": self.readiness.as_json(),
            "hang": self.hanging,
            "eat": self.eater.as_json(),
            "delay": {"milliseconds": self.delay_ms},
            "errors": {"percent": self.error_percent},
        }
