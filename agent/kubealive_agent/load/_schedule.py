"""When the sends of an open loop are planned: evenly, whatever became of the ones before."""


class Schedule:
    """Planned sends at `start_us` and every 1/rate s after it, without drift.

    `next_us` is the earliest send that has not been taken.
    """

    def __init__(self, rate: float, *, start_us: int) -> None:
        self._step_us = 1e6 / rate
        self._base_us = self.next_us = start_us
        self._taken = 0

    def take(self) -> int:
        """The time of the next planned send, which is then planned no more."""
        planned_us = self.next_us
        self._taken += 1
        self.next_us = self._base_us + round(self._taken * self._step_us)
        return planned_us

    def change(self, rate: float, *, now_us: int) -> None:
        """Go on at another rate: a slow load that becomes fast does not sit out its long interval first."""
        self._step_us = 1e6 / rate
        self._base_us = self.next_us = min(self.next_us, now_us + round(self._step_us))
        self._taken = 0
