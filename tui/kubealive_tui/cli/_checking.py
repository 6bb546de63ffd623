"""Runs `kubealive check` and gives its results out: the data on standard output, the telling on standard error."""

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from kubealive import __version__
from kubealive_tui.check import check, driving
from kubealive_tui.cli._environment import Environment
from kubealive_tui.cli._opening import chosen, context_of, new_store, open_feed
from kubealive_tui.errors import KubealiveError
from kubealive_tui.experiments import Experiment, Verdict
from kubealive_tui.reports import Report, Result, document, exit_code, may_write, table, write_junit
from kubealive_tui.store import Store

__all__ = ["run_check"]


async def run_check(args: argparse.Namespace, env: Environment) -> int:
    """Check what is named, and publish the results whatever ended it, an interruption included."""
    experiments = chosen(args.name)
    if args.junit:
        may_write(Path(args.junit))
    store, results, started = new_store(), list[Result](), datetime.now(UTC)
    error = ""
    try:
        async with (
            open_feed(args, trouble=env.complain) as opened,
            driving(opened.feed, store, tell=_teller(env), namespace=args.namespace) as drive,
        ):
            await drive.opened()
            await check(experiments, drive, done=results.append)
    except KubealiveError as trouble:
        error = str(trouble)
        raise
    except asyncio.CancelledError:
        rest = experiments[len(results) :]
        results += [Result(name=lab.name, verdict=Verdict.skipped("interrupted")) for lab in rest]
        raise
    finally:
        if error or results:
            _publish(_report(args, store, experiments, results, started, error), args, env)
    return exit_code(results)


def _teller(env: Environment) -> Callable[[str, str], None]:
    began = time.monotonic()

    def tell(experiment: str, words: str) -> None:
        env.complain(f"{time.monotonic() - began:7.1f} s  {experiment or '–':<10} {words}")

    return tell


def _report(
    args: argparse.Namespace,
    store: Store,
    experiments: Sequence[Experiment],
    results: Sequence[Result],
    started: datetime,
    error: str,
) -> Report:
    return Report(
        tool_version=__version__,
        context=_context(args),
        namespace=args.namespace,
        started=started,
        ended=datetime.now(UTC),
        kubernetes_version=store.info.kubernetes_version if store.info else "",
        agent_version=store.info.version if store.info else "",
        wanted=tuple(lab.name for lab in experiments),
        results=tuple(results),
        error=error,
    )


def _context(args: argparse.Namespace) -> str:
    try:
        return context_of(args)
    except KubealiveError:  # which is then the error of the report
        return args.context or ""


def _publish(report: Report, args: argparse.Namespace, env: Environment) -> None:
    if args.json:
        env.say(json.dumps(document(report), indent=2))
    elif not report.error:
        env.say(table(report).rstrip("\n"))
    if args.junit:
        write_junit(report, Path(args.junit))
