"""Recordings from a real three-node cluster, each of an experiment's interesting minute.

`balance`: load at 100 new connections a second, a pod killed, a pod made unready and ready again.
`heal`: a pod infected, out of memory, crashed into a back-off, and a fresh one that hangs.
`update`: four pods replaced with drain, then by ones without, then those in turn, which clients notice.
`scale`: a load of 0.5 CPU, which brings five pods, and its end, which takes them away again; a busy cluster.
`downward`: a label changed and the file that follows, then the pod killed and its successor.
`service`: a NodePort made Local and back, a backend killed, and all of them taken away.
`dns`: every kind of Service by name, and the kill of a pod that caches kept the address of.
`daemon`: a cordoned node, a pod killed, and another node's power cut and given back.
`state`: a value written to phoenix-1, which is killed and has it still; the same in the Deployment.
Made with `kubealive tui --record FILE` and compressed with gzip.
"""

import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kubealive_tui.feed import Recording
from kubealive_tui.model import Signal

__all__ = ["signals"]


def signals(name: str, *, until_s: float) -> Iterator[Signal]:
    """What the recording holds up to that many seconds after its start."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(gzip.decompress((Path(__file__).parent / f"{name}.kubealive.gz").read_bytes()))
        for offset_us, signal in Recording.open(path):
            if offset_us > until_s * 1e6:
                return
            yield signal
