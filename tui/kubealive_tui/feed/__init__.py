"""Where signals come from: a live agent, or a recording of one."""

from kubealive_tui.feed._clock import Clock, SystemClock
from kubealive_tui.feed._feed import Feed
from kubealive_tui.feed._format import Head
from kubealive_tui.feed._recorder import Recorder
from kubealive_tui.feed._recording import Recording
from kubealive_tui.feed._replay import Replay, ReplayFeed

__all__ = ["Clock", "Feed", "Head", "Recorder", "Recording", "Replay", "ReplayFeed", "SystemClock"]
