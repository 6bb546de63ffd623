"""An outside observer of a Service: `python -c OBSERVER HOST PORT`, in a pod, knowing nothing of the load engine.

It opens a connection each 20 ms by what the standard library offers, whatever became of those before, and prints
the microsecond since the epoch at which each one that failed was begun. The system chooses its source ports, so it
is slow on purpose: 50/s never come back to a port within the two minutes that a proxy remembers a dead one.
"""

import asyncio
import sys
import time

INTERVAL_S = 0.02
PATIENCE_S = 0.9  # below the second after which a lost SYN is sent again and success looks slow
REQUEST = b"GET / HTTP/1.1\r\nHost: observed\r\nConnection: close\r\n\r\n"


async def ask(host: str, port: int) -> None:
    """Ask once on a fresh connection; print when it was begun if no 200 came."""
    began_us = time.time_ns() // 1000
    reply = b""
    try:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(REQUEST)
                reply = await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        reply = b""
    if not reply.startswith(b"HTTP/1.1 200"):
        print(began_us, flush=True)


async def main(host: str, port: int) -> None:
    """Ask for ever."""
    print("observing", flush=True)
    async with asyncio.TaskGroup() as group:
        while True:
            group.create_task(ask(host, port))
            await asyncio.sleep(INTERVAL_S)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
