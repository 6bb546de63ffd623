"""How long the check of each experiment may take in all, in seconds.

What an experiment demands of single steps stands in its own file; this bound is for a check that hangs. An
experiment that is not named here has the last figure.
"""

from collections.abc import Mapping

__all__ = ["LIMIT_SECONDS", "OTHERWISE_SECONDS", "limit_of"]

LIMIT_SECONDS: Mapping[str, float] = {
    "balance": 180.0,  # 60 until ready, 30 for the burst, 15 until the load is steady, 35 for the kill, and air
}
OTHERWISE_SECONDS = 300.0


def limit_of(experiment: str) -> float:
    """Seconds after which the experiment's check has failed."""
    return LIMIT_SECONDS.get(experiment, OTHERWISE_SECONDS)
