"""What holds for every test, however the test run itself was started."""

import signal

from hypothesis import settings

# No deadline: a busy machine would fail a property for its speed, which `--timeout` bounds already. No database:
# examples are drawn anew each time, and nothing of them is kept on disk.
settings.register_profile("kubealive", database=None, deadline=None)
settings.load_profile("kubealive")

# A job in the background of a shell ignores Ctrl-C, and so would whatever the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
