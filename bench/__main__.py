"""`python -m bench [NAME...] [--json FILE] [--rounds N] [--long]`: measure, print, and hold to the bounds.

Exit 0 when every bound that could be measured was kept, 1 when one was broken or a bench failed, 2 for a name
that no bench has. A peer that is absent is named, never counted as kept.
"""

import argparse
import importlib
import json
import os
import pkgutil
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import bench
from bench._figures import Figure, Finding, Skipped
from bench._options import Options
from bench._peers import versions
from bench._process import BenchError
from kubealive import __version__

__all__ = ["main"]


def names() -> list[str]:
    """All benches, by looking."""
    return sorted(one.name for one in pkgutil.iter_modules(bench.__path__) if not one.name.startswith("_"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benches asked for, all when none is; the exit code."""
    flags = _parser().parse_args(argv)
    unknown = sorted(set(flags.names) - set(names()))
    if unknown:
        sys.stderr.write(f"bench: there is no {', '.join(unknown)}; there are {', '.join(names())}\n")
        return 2
    kubeconfig = os.environ.get("KUBECONFIG")
    options = Options(rounds=flags.rounds, long=flags.long, kubeconfig=Path(kubeconfig) if kubeconfig else None)
    found: dict[str, list[Finding]] = {}
    failed = False
    for name in flags.names or names():
        print(f"\n{name}: {_reason(name)}", flush=True)
        found[name] = []
        try:
            for finding in _measure(name, options):
                found[name].append(finding)
                print(_line(finding), flush=True)
        except BenchError as exc:
            failed = True
            print(f"  FAILED   {exc}", flush=True)
    broken = [one for each in found.values() for one in each if isinstance(one, Figure) and not one.kept]
    skipped = sum(isinstance(one, Skipped) for each in found.values() for one in each)
    print(f"\n{len(broken)} bounds broken, {skipped} measurements skipped")
    if flags.json:
        flags.json.write_text(json.dumps(_document(found), indent=1) + "\n", encoding="utf-8")
    return 1 if failed or broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=bench.__doc__, allow_abbrev=False)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to run: {', '.join(names())}; all without")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write figures and versions to this file too")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each comparison [default: 5]")
    parser.add_argument("--long", action="store_true", help="ten minutes of load for the flatness of memory")
    return parser


def _reason(name: str) -> str:
    text = importlib.import_module(f"bench.{name}").__doc__ or ""
    return text.partition("\n")[0]


def _measure(name: str, options: Options) -> Iterator[Finding]:
    findings: Iterator[Finding] = importlib.import_module(f"bench.{name}").run(options)
    return findings


def _line(finding: Finding) -> str:
    if isinstance(finding, Skipped):
        return f"  skipped  {finding.what}: {finding.why}"
    verdict = "" if not finding.bounded else "kept" if finding.kept else "BROKEN"
    value = f"{finding.value:,.4g}" if abs(finding.value) < 1000 else f"{finding.value:,.0f}"
    figure = f"{finding.what:<52} {value:>8} {finding.unit:<11} {finding.bound:<7}"
    return f"  {verdict:<7}  {figure} {finding.beside}".rstrip()


def _document(found: dict[str, list[Finding]]) -> dict[str, object]:
    return {
        "kubealive": __version__,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "peers": versions(),
        "benches": {name: [_entry(one) for one in each] for name, each in found.items()},
    }


def _entry(finding: Finding) -> dict[str, object]:
    if isinstance(finding, Skipped):
        return {"skipped": finding.what, "why": finding.why}
    return {**asdict(finding), "kept": finding.kept if finding.bounded else None}


if __name__ == "__main__":
    sys.exit(main())
