"""Sensors that ask instead of being told: what the Kubernetes API does not let anybody watch."""

from kubealive_agent.sampling._metrics import POLL_S, poll_usage

__all__ = ["POLL_S", "poll_usage"]
