"""`python -m kubealive_agent`: parse, log, run; exit 0 after a signal, 2 for bad values, 1 for our own faults."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING

from kubealive_agent._errors import ConfigError
from kubealive_agent.config import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the agent until it is told to end; the exit code."""
    try:
        config = parse(sys.argv[1:] if argv is None else argv)
        logging.basicConfig(
            level=config.log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
        )
        # Only now: `--help` and a bad flag need not wait for gRPC.
        from kubealive_agent.app import run  # noqa: PLC0415

        asyncio.run(run(config))
    except ConfigError as exc:
        sys.stderr.write(f"kubealive-agent: {exc}\n")
        return 2
    except Exception:
        logging.getLogger(__name__).exception("the agent failed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
