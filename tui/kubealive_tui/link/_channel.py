"""gRPC channels to the agent, so tuned that a dead link is noticed and nothing is sent twice."""

import grpc.aio

__all__ = ["open_channel"]

_OPTIONS = [
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Apart from the one above: with its default of a minute a dead link takes as long to be noticed.
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # Also the time that a dial may take, and ours has look-ups before the first byte. Who redials makes a new
    # channel, so that the library's own back-off never counts.
    ("grpc.min_reconnect_backoff_ms", 10_000),
    # An action must not happen twice because the library thought that it had not happened.
    ("grpc.enable_retries", 0),
    # Each channel dials anew; a shared pool would hand out the dead connection and its back-off.
    ("grpc.use_local_subchannel_pool", 1),
    # http_proxy is for the API server, and the bridge has already passed it.
    ("grpc.enable_http_proxy", 0),
]


def open_channel(target: str) -> grpc.aio.Channel:
    """Return a channel to `unix:PATH` or HOST:PORT; nothing is dialled before the first call."""
    return grpc.aio.insecure_channel(target, options=_OPTIONS)
