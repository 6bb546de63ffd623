"""What the command line told all benches."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to measure.

    `rounds` of each comparison, interleaved with the peer's. `long`: ten minutes of load instead of one.
    `kubeconfig` names the cluster for what is measured on a real one too; without it those parts are skipped.
    """

    rounds: int = 5
    long: bool = False
    kubeconfig: Path | None = None
    namespace: str = "kubealive-bench"
