"""The network of the sandbox: its address plan, the Service proxy, DNS."""

from kubealive_sandbox.network._addresses import DNS_PORT, MANY, ONE, Addresses
from kubealive_sandbox.network._relay import Place, connect, dial, listen
from kubealive_sandbox.network.allocate import allocate_services
from kubealive_sandbox.network.dns import ZONE, Dns
from kubealive_sandbox.network.proxy import ServiceProxy

__all__ = [
    "DNS_PORT",
    "MANY",
    "ONE",
    "ZONE",
    "Addresses",
    "Dns",
    "Place",
    "ServiceProxy",
    "allocate_services",
    "connect",
    "dial",
    "listen",
]
