"""Where signals come from: a live agent, or a recording of one."""

import os

# Before gRPC is imported: its C core writes to the terminal, over whatever the screen has drawn there.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from kubealive_tui.feed._clock import Clock, SystemClock
from kubealive_tui.feed._feed import Feed
from kubealive_tui.feed._format import Head
from kubealive_tui.feed._live import Line, LiveFeed
from kubealive_tui.feed._recorder import Recorder
from kubealive_tui.feed._recording import Recording
from kubealive_tui.feed._replay import Replay

__all__ = [
    "Clock",
    "Feed",
    "Head",
    "Line",
    "LiveFeed",
    "Recorder",
    "Recording",
    "Replay",
    "SystemClock",
]
