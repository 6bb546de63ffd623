"""Waiting for what was applied, saying what is missing while it is missing.

It asks once a second instead of watching: two or three small lists for the minute an install takes, and the
interface stays one request.
"""

from collections.abc import AsyncIterator, Iterator, Sequence

from kubealive_tui.hints import own_command

from ._api import Api, Clock
from ._errors import ApiError, NotReadyError
from ._kinds import WORKLOADS
from ._manifests import Manifest, workload_kinds
from ._steps import Step, StepKind
from ._survey import Survey, survey
from ._troubles import Cause, Trouble, Workload

POLL_SECONDS = 1.0
READY_SECONDS = 120.0  # a cold node pulls both images in this time over a slow line
LASTING_SECONDS = 15.0  # long enough for an image that is being loaded at this moment to arrive
_PASSING_STATUSES = frozenset({0, 429, 500, 502, 503, 504})


async def wait_ready(
    api: Api, manifests: Sequence[Manifest], *, clock: Clock, seconds: float = READY_SECONDS
) -> AsyncIterator[Step]:
    """Yield each change of progress until every workload among the manifests is ready.

    Raises NotReadyError after `seconds`, and earlier for a trouble that has lasted and that waiting cannot heal.
    An API server that does not answer is a trouble like others: it is told, and asked again.
    """
    expected = [manifest for manifest in manifests if manifest.kind in WORKLOADS]
    waiting = _Waiting(expected)
    if not expected:
        return
    kinds = workload_kinds(expected)
    deadline = clock.monotonic() + seconds
    while True:
        try:
            seen = await survey(api, expected[0].namespace, kinds=kinds)
        except ApiError as error:
            if error.status not in _PASSING_STATUSES:
                raise
            for step in waiting.unanswered(error):
                yield step
        else:
            for step in waiting.saw(seen, clock.monotonic()):
                yield step
            if waiting.done:
                return
        if waiting.hopeless(clock.monotonic()) or clock.monotonic() >= deadline:
            raise NotReadyError(waiting.verdict(seconds))
        await clock.sleep(POLL_SECONDS)


class _Waiting:
    """What has been seen and told so far, so that each thing is told once and again only when it changes."""

    def __init__(self, expected: Sequence[Manifest]) -> None:
        self._expected = {manifest.ref: manifest.experiment for manifest in expected}
        self._experiments = set(self._expected.values())
        self._status = own_command("status", namespace=expected[0].namespace if expected else "")
        self._states: dict[str, Workload] = {}
        self._told: dict[str, Step] = {}
        # By subject and cause: the words alternate, as between ErrImagePull and ImagePullBackOff.
        self._since: dict[tuple[str, Cause], float] = {}
        self._troubles: list[Trouble] = []
        self._explained: set[tuple[str, Cause]] = set()
        self._advised: set[str] = set()

    @property
    def done(self) -> bool:
        return all(ref in self._states and self._states[ref].settled for ref in self._expected)

    def saw(self, seen: Survey, now: float) -> Iterator[Step]:
        self._states = {state.ref: state for state in seen.workloads if state.ref in self._expected}
        self._troubles = [t for t in seen.troubles if t.experiment in self._experiments]
        keys = [(trouble.subject, trouble.cause) for trouble in self._troubles]
        self._since = {key: self._since.get(key, now) for key in keys}
        for state in self._states.values():
            kind = StepKind.READY if state.settled else StepKind.WAITING
            text = f"{state.ready} of {state.desired} pods ready"
            if state.ready >= state.desired and not state.settled:
                text += ", not all of them new"
            yield from self._tell(Step(kind=kind, subject=state.ref, text=text))
        for trouble in self._troubles:
            if trouble.cause is not Cause.NOT_READY and (trouble.subject, trouble.cause) not in self._explained:
                self._explained.add((trouble.subject, trouble.cause))
                yield self._trouble(trouble)

    def unanswered(self, error: ApiError) -> Iterator[Step]:
        yield from self._tell(Step(kind=StepKind.TROUBLE, subject="API server", text=f"{error}; asking again"))

    def _trouble(self, trouble: Trouble) -> Step:
        """Four pods that lack the same image need one advice."""
        advice = "" if trouble.advice in self._advised else trouble.advice
        self._advised.add(advice)
        return Step(kind=StepKind.TROUBLE, subject=trouble.subject, text=trouble.text, advice=advice)

    def _tell(self, step: Step) -> Iterator[Step]:
        if self._told.get(step.subject) != step:
            self._told[step.subject] = step
            yield step

    def hopeless(self, now: float) -> bool:
        return any(
            trouble.lasting and now - self._since[trouble.subject, trouble.cause] >= LASTING_SECONDS
            for trouble in self._troubles
        )

    def verdict(self, seconds: float) -> str:
        """Say what is not ready, the worst reason known, and the next step."""
        late = [ref for ref in self._expected if ref not in self._states or not self._states[ref].settled]
        what = f"not ready: {', '.join(late)}"
        reasons = sorted(self._troubles, key=lambda trouble: not trouble.lasting)
        if not reasons:
            return f"{what} after {seconds:g} s: look with `{self._status}`"
        worst = reasons[0]
        alike = sum(trouble.cause is worst.cause for trouble in reasons) - 1
        more = f" (and {alike} more like it)" if alike else ""
        advice = worst.advice or f"`{self._status}` shows how it goes on"
        return f"{what}, since {worst.subject}: {worst.text}{more}; {advice}"
