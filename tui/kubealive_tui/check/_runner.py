"""Runs checks one after another, and makes a verdict of whatever comes of each."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from kubealive_tui.check._drive import CheckDrive
from kubealive_tui.errors import KubealiveError, LinkError
from kubealive_tui.experiments import Experiment, Verdict, VerdictWord
from kubealive_tui.feed import Clock, SystemClock
from kubealive_tui.hints import up_command
from kubealive_tui.reports import Result

__all__ = ["check"]

_log = logging.getLogger(__name__)


async def check(
    experiments: Sequence[Experiment],
    drive: CheckDrive,
    *,
    done: Callable[[Result], None],
    clock: Clock | None = None,
) -> None:
    """Check each experiment in order, over a drive that is open; `done` takes each result as it is known.

    What raises has failed, with its sentence; once the link has failed for good, the rest is skipped. Load is
    stopped after each, so that the next one begins in quiet. Where all that is wrong is that the laboratory missed
    facts, the experiment is measured once more, never twice more, and the result has the first try beside it.
    """
    clock = clock or SystemClock()
    lost = ""
    for experiment in experiments:
        began = clock.monotonic()
        _begin(experiment, drive)
        lost = lost or await _trouble(drive)
        if lost:
            result = Result(name=experiment.name, verdict=Verdict.skipped(f"not run: {lost}"))
        else:
            result = await _measured(experiment, drive, clock)
        seconds = clock.monotonic() - began
        drive.tell(f"{result.verdict.word.value} in {seconds:.1f} s")
        done(replace(result, seconds=seconds))


def _begin(experiment: Experiment, drive: CheckDrive) -> None:
    drive.begin(experiment.name, partial(experiment.untouched_samples, drive.store))


async def _trouble(drive: CheckDrive) -> str:
    """Why the agent cannot be reached, or nothing."""
    try:
        await drive.opened()
    except LinkError as error:
        return str(error)
    return ""


async def _measured(experiment: Experiment, drive: CheckDrive, clock: Clock) -> Result:
    first = await _tried(experiment, drive, clock)
    if not first.verdict.blind:
        return first
    drive.tell(f"measured once more: {first.verdict.blind}")
    _begin(experiment, drive)  # so that each try has its own runs
    return replace(await _tried(experiment, drive, clock), earlier=first)


async def _tried(experiment: Experiment, drive: CheckDrive, clock: Clock) -> Result:
    began = clock.monotonic()
    verdict = await _verdict(experiment, drive)
    await drive.release()
    return Result(name=experiment.name, verdict=verdict, runs=drive.runs(), seconds=clock.monotonic() - began)


async def _verdict(experiment: Experiment, drive: CheckDrive) -> Verdict:
    if not drive.store.installed(experiment.name):
        up = up_command(experiment.name, namespace=drive.store.namespace)
        return Verdict.skipped(f"not installed: `{up}` installs it")
    limit = experiment.check_within_s
    try:
        verdict = await drive.at_most(limit, experiment.verdict(drive))
    except KubealiveError as error:
        return _failed(str(error))
    except Exception as error:  # noqa: BLE001 - a defect in one experiment must not take the others' verdicts along
        _log.exception("the check of %s broke", experiment.name)
        return _failed(f"the check itself broke, please report it: {type(error).__name__}: {error}")
    return verdict or _failed(f"not done within {limit:g} s")


def _failed(reason: str) -> Verdict:
    return Verdict(VerdictWord.FAILED, reasons=(reason,))
