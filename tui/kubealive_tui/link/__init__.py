"""The way from this machine to a cluster: its API, and the agent behind a port-forward."""
