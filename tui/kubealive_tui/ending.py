"""The last resort against a program that was told to end and hangs.

A terminal that is gone can hold up an ending for ever: nobody reads what is still written to it. What was started
here ends with this program.
"""

import os
import threading

__all__ = ["END_S", "last_resort"]

# For an ending in order, a sandbox's included.
END_S = 8.0


def last_resort(number: int) -> threading.Timer:
    """End this program in `END_S` seconds as a signal of that number does, unless the timer is cancelled."""
    timer = threading.Timer(END_S, os._exit, (128 + number,))
    timer.daemon = True
    timer.start()
    return timer
