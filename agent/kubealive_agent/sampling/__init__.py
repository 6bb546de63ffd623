"""Sensors that ask instead of being told: what the Kubernetes API does not let anybody watch."""

from kubealive_agent.sampling._dns import DnsClient
from kubealive_agent.sampling._errands import Errands
from kubealive_agent.sampling._metrics import POLL_S, poll_usage
from kubealive_agent.sampling._recorder import Recorder
from kubealive_agent.sampling._sampler import Sampler

__all__ = [
    "POLL_S",
    "DnsClient",
    "Errands",
    "Recorder",
    "Sampler",
    "poll_usage",
]
