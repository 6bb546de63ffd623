"""The network of the sandbox: addresses on loopback, the Service proxy, DNS."""

from kubealive_sandbox.network._addresses import DNS_PORT, Addresses, real_port
from kubealive_sandbox.network._relay import listen
from kubealive_sandbox.network.allocate import allocate_services
from kubealive_sandbox.network.dns import ZONE, Dns
from kubealive_sandbox.network.proxy import ServiceProxy

__all__ = ["DNS_PORT", "ZONE", "Addresses", "Dns", "ServiceProxy", "allocate_services", "listen", "real_port"]
