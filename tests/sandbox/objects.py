"""Objects that the tests of the sandbox make, as small as the API takes them, and parts that they leave out."""

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

from kubealive_sandbox.api import Api, Object, Program, Store

NAMESPACE = "lab"


class Clock:
    """A time of day that moves when it is told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def pass_by(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def new_api(clock: Clock | None = None) -> Api:
    """An API with one namespace."""
    api = Api(Store(), now=clock or Clock())
    api.create("Namespace", {"metadata": {"name": NAMESPACE}})
    return api


def template(*, image: str = "workload:v1", labels: dict[str, str] | None = None, **spec: Any) -> Object:
    container = {"name": "web", "image": image, "ports": [{"name": "http", "containerPort": 8080}]}
    return {"metadata": {"labels": labels or {"app": "web"}}, "spec": {"containers": [container], **spec}}


def deployment(name: str = "web", **spec: Any) -> Object:
    return {
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"replicas": 4, "selector": {"matchLabels": {"app": "web"}}, "template": template(), **spec},
    }


def pod(name: str = "web-1", *, node: str = "", labels: dict[str, str] | None = None, **spec: Any) -> Object:
    made = template(labels=labels, **spec)
    if node:
        made["spec"]["nodeName"] = node
    return {"metadata": {"name": name, "namespace": NAMESPACE, **made["metadata"]}, "spec": made["spec"]}


def service(name: str = "web", **spec: Any) -> Object:
    port = {"name": "http", "port": 80, "targetPort": "http"}
    return {
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"selector": {"app": "web"}, "ports": [port], "clusterIP": "127.77.96.2", **spec},
    }


def run_as(api: Api, name: str, *, ip: str, ready: bool = True) -> Object:
    """Have a pod run at an address, as a kubelet would say."""
    found = api.find("Pod", NAMESPACE, name)
    assert found is not None
    moment = api.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": moment}
    status = {**found["status"], "phase": "Running", "podIP": ip, "conditions": [condition]}
    return api.update("Pod", {**found, "status": status}, sub="status")


def node(name: str, **spec: Any) -> Object:
    ready = {"type": "Ready", "status": "True"}
    return {"metadata": {"name": name}, "spec": spec, "status": {"conditions": [ready]}}


class NoMetrics:
    """A cluster that measures nothing."""

    def pods(self, namespace: str) -> list[Any]:
        return []

    def nodes(self) -> list[Any]:
        return []


class NoPrograms:
    """Nodes on which nothing can be run."""

    def execute(
        self, pod: Object, container: str, command: Any, *, stdin: bool
    ) -> AbstractAsyncContextManager[Program]:
        raise NotImplementedError

    def attach(self, pod: Object, container: str, *, stdin: bool) -> AbstractAsyncContextManager[Program]:
        raise NotImplementedError
