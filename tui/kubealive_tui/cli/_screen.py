"""Opens the screen, live or on a recording, and hands it all that it does not know how to do itself."""

import argparse
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path

from kubealive_tui.cli._environment import Environment
from kubealive_tui.cli._log import state_folder
from kubealive_tui.cli._opening import chosen, local_zone, open_feed
from kubealive_tui.cli._progress import lines
from kubealive_tui.errors import UsageError
from kubealive_tui.experiments import discover
from kubealive_tui.feed import Recording, Replay
from kubealive_tui.hints import own_command
from kubealive_tui.install import LOCAL_REGISTRY, Api, Wanted, up
from kubealive_tui.model import Run
from kubealive_tui.reports import save_run
from kubealive_tui.ui import Profile, Theme, UiOptions
from kubealive_tui.ui import run as show

__all__ = ["show_live", "show_recording"]


async def show_live(args: argparse.Namespace, env: Environment) -> int:
    """Show the cluster until the user leaves."""
    _need_terminal(own_command("tui", "--plain", namespace=args.namespace), namespace=args.namespace)
    tab = _tab(args)
    # Said after the screen has gone: until then there is no place on the terminal for it.
    troubles: list[str] = []
    try:
        async with open_feed(args, trouble=troubles.append, read_only=args.read_only) as opened:
            where = opened.link.where
            await show(
                UiOptions(
                    context=where.context,
                    namespace=where.namespace,
                    kubeconfig=_file(args.kubeconfig),
                    experiments=discover(),
                    feed=opened.feed,
                    profile=_profile(args),
                    actor=opened.actor,
                    session_id=opened.feed.session_id,
                    read_only=args.read_only,
                    clock=not args.no_clock,
                    mouse=not args.no_mouse,
                    zone=_zone(),
                    tab=tab,
                    install=None if args.agent else partial(_install, opened.link.api, where.namespace),
                    save=_saver(where.context, where.namespace),
                )
            )
    finally:
        for trouble in troubles:
            env.complain(f"kubealive: {trouble}")
    return 0


async def show_recording(args: argparse.Namespace) -> int:
    """Play a recording on the screen until the user leaves."""
    tab, recording = _tab(args), Recording.open(Path(args.file))
    try:
        _need_terminal(f"kubealive replay {args.file} --plain")
        player = _player(recording, args)
        player(lambda: None)  # what cannot be played is said before the screen is drawn
        await show(
            UiOptions(
                context=recording.head.context,
                namespace=recording.head.namespace,
                experiments=discover(),
                replay=player,
                profile=_profile(args),
                clock=not args.no_clock,
                mouse=not args.no_mouse,
                zone=_zone(),
                tab=tab,
                save=_saver(recording.head.context, recording.head.namespace),
            )
        )
    finally:
        recording.close()
    return 0


def _file(chosen: str | None) -> str:
    """The kubeconfig that was chosen, as any folder calls it; empty for those that kubectl takes by itself."""
    return str(Path(chosen).expanduser().absolute()) if chosen else ""


def _player(recording: Recording, args: argparse.Namespace) -> Callable[[Callable[[], None]], Replay]:
    def make(on_rewind: Callable[[], None]) -> Replay:
        replay = Replay(recording, on_rewind=on_rewind)
        if args.speed is not None and (taken := replay.set_speed(args.speed)) != args.speed:
            raise UsageError(f"--speed {args.speed:g} cannot be played; {taken:g} is the nearest that can")
        if args.at is not None and args.at * 1e6 > replay.duration_us:
            raise UsageError(
                f"--at {args.at:g} s lies beyond the end of {args.file}; it holds {replay.duration_us / 1e6:.1f} s"
            )
        replay.seek(round((args.at or 0) * 1e6))
        return replay

    return make


async def _install(api: Api, namespace: str, names: Sequence[str]) -> AsyncIterator[str]:
    registry = os.environ.get("KUBEALIVE_REGISTRY") or LOCAL_REGISTRY
    wanted = Wanted(namespace=namespace, experiments=tuple(names) or None, registry=registry)
    async for step in up(api, wanted):
        for each in lines(step):
            yield each


def _saver(context: str, namespace: str) -> Callable[[str, Run], Sequence[Path]]:
    def save(experiment: str, run: Run) -> Sequence[Path]:
        folders = (Path.cwd(), state_folder())
        return save_run(
            run, experiment=experiment, folders=folders, context=context, namespace=namespace, zone=_zone()
        )

    return save


def _profile(args: argparse.Namespace) -> Profile:
    theme = None if args.theme == "auto" else Theme(args.theme)
    return Profile.detect(os.environ, no_color=args.no_color, theme=theme)


def _zone() -> tzinfo:
    return local_zone() or UTC


def _tab(args: argparse.Namespace) -> str:
    return chosen([args.experiment])[0].name if args.experiment else ""


def _need_terminal(instead: str, *, namespace: str = "") -> None:
    """Raise UsageError where there is no screen to draw on; `instead` is the command that needs none."""
    for stream, name in ((sys.stdin, "input"), (sys.stdout, "output")):
        if not stream.isatty():
            raise UsageError(
                f"standard {name} is not a terminal, which a screen needs; `{instead}` prints lines, "
                f"and `{own_command('check', namespace=namespace)}` gives a verdict"
            )
    if os.environ.get("TERM", "") in {"", "dumb"}:
        raise UsageError(f"this terminal (TERM={os.environ.get('TERM', '')}) shows no screen; use `{instead}`")
