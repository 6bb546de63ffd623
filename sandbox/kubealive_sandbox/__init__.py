"""A Kubernetes cluster in one process, for a machine that has none.

It serves on loopback the part of the Kubernetes HTTP API that the laboratory and everyday kubectl use, and runs
behind it, as clients of that API, the controllers, a scheduler, three virtual nodes whose pods are real
processes, a Service proxy and DNS. Nothing that exists could stand in: every API server needs etcd and a
container runtime, and the fakes that are published speak to one client library only. Where this and a real
cluster differ, the real cluster is right.

It knows nothing of the other parts: images are names in a table that whoever starts a sandbox hands over.
"""
