"""Faults of the workloads, by their fault port.

The port takes orders only with a token that `kubealive up` makes for each install, so that nothing else in
the cluster can break a workload. Without the token there is nothing to be done here, and that is said. Each
order names the UID that it is meant for, since an address says nothing about who has it now.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, cast

from kubealive.v1.agent_pb2 import Fault, ProbeFault, Refusal
from kubealive_agent._errors import CallError, RefusalError, UnsentError
from kubealive_agent._hints import own_command
from kubealive_agent.actions._post import post
from kubealive_agent.actions._step import Step
from kubealive_agent.targets import pod_address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kubealive.v1.agent_pb2 import ActRequest
    from kubealive.v1.state_pb2 import Pod
    from kubealive_agent.world import Found

__all__ = ["FaultPort"]

DEADLINE_SECONDS = 2.0
"""For one order: the fault port answers in a millisecond, also while its workload hangs."""

CURES_AT_ONCE = 16
"""Connections while all workloads are cured: 20 pods an experiment take two rounds."""

_FAILS = {
    ProbeFault.FAILS_ALWAYS: "always",
    ProbeFault.FAILS_NEVER: "never",
    ProbeFault.FAILS_NEXT: "next",
}


class FaultPort:
    """Speaks to the fault ports of the pods of a namespace. `token` gives the bearer token, empty for none."""

    def __init__(self, *, port: int, token: Callable[[], str], namespace: str) -> None:
        self._namespace = namespace
        self._port = port
        self._token = token

    @property
    def usable(self) -> bool:
        """Whether there is a token."""
        return bool(self._token())

    def step(self, pod: Found, request: ActRequest) -> Step:
        """The order that makes the fault happen to `pod`. Raises RefusalError where nothing would end it."""
        name, body = _order(request.fault)
        value = cast("Pod", pod.value)
        if name == "eat" and not value.HasField("memory_limit_bytes"):
            raise _unlimited(value)
        words = f"POST http://{value.ip}:{self._port}/faults/{name} with {json.dumps(body)}"
        parameters = {"fault": name} | {key: str(item) for key, item in body.items()}
        return Step(words, lambda: self.order(pod.uid, value, name, body), parameters)

    async def order(self, uid: str, pod: Pod, name: str, body: Mapping[str, object]) -> None:
        """Give one order to the pod of this UID. Raises RefusalError when it is not carried out."""
        token = self._token()
        if not token:
            makes = own_command("reset", namespace=self._namespace)
            raise RefusalError(
                Refusal.REASON_REJECTED,
                "the agent has no fault token, so workloads take no faults from it; "
                f"`{makes}` makes the Secret kubealive-faults that holds it",
            )
        headers = {"Authorization": f"Bearer {token}", "X-Pod-Uid": uid}
        try:
            status, answer = await post(
                pod_address(pod),
                self._port,
                f"/faults/{name}",
                body=json.dumps(body).encode(),
                headers=headers,
                deadline=DEADLINE_SECONDS,
            )
        except CallError as exc:
            raise _unanswered(pod, exc) from exc
        if status >= 300:
            raise _turned_down(pod, status, answer)

    async def cure(self, pods: Mapping[str, Pod]) -> tuple[int, list[str]]:
        """Cure these pods, given by UID, at the same time; how many were, and the names of the others."""
        places = asyncio.Semaphore(CURES_AT_ONCE)

        async def one(uid: str, pod: Pod) -> bool:
            async with places:
                try:
                    await self.order(uid, pod, "cure", {})
                except RefusalError:
                    return False
                return True

        cured = await asyncio.gather(*(one(uid, pod) for uid, pod in pods.items()))
        return sum(cured), [pod.name for pod, well in zip(pods.values(), cured, strict=True) if not well]


def _order(fault: Fault) -> tuple[str, dict[str, object]]:
    """Name and body of the order, as the workloads' fault port takes it."""
    orders: dict[str, Callable[[], tuple[str, dict[str, object]]]] = {
        "liveness": lambda: ("liveness", _probe(fault.liveness)),
        "readiness": lambda: ("readiness", _probe(fault.readiness)),
        "exit_code": lambda: ("exit", {"code": fault.exit_code}),
        "hang": lambda: ("hang", {}),
        "eat_mib_per_second": lambda: ("eat", {"mib_per_second": fault.eat_mib_per_second}),
        "delay_milliseconds": lambda: ("delay", {"milliseconds": fault.delay_milliseconds}),
        "error_percent": lambda: ("errors", {"percent": fault.error_percent}),
        "cure": lambda: ("cure", {}),
    }
    return orders[fault.WhichOneof("kind") or "cure"]()


def _probe(probe: ProbeFault) -> dict[str, object]:
    fails = _FAILS[probe.fails]
    return {"fail": fails, "count": probe.count} if fails == "next" else {"fail": fails}


def _unlimited(pod: Pod) -> RefusalError:
    return RefusalError(
        Refusal.REASON_REJECTED,
        f"pod {pod.name} has no memory limit, so its node would run out before it does: "
        "give each of its containers resources.limits.memory first",
    )


def _unanswered(pod: Pod, exc: CallError) -> RefusalError:
    if isinstance(exc, UnsentError):
        return RefusalError(
            Refusal.REASON_REJECTED,
            f"the fault port of pod {pod.name} takes no orders: {exc}; a pod that started before there was a "
            "token keeps that port closed until it is replaced",
        )
    return RefusalError(
        Refusal.REASON_UNANSWERED,
        f"the fault port of pod {pod.name} gave no answer: {exc}; whether it happened is not known, "
        "the list will show it",
    )


def _turned_down(pod: Pod, status: int, answer: bytes) -> RefusalError:
    words = answer[:200].decode("utf-8", "replace").strip()
    if status == 401:
        return RefusalError(
            Refusal.REASON_REJECTED,
            f"pod {pod.name} does not know the agent's fault token: the Secret was made anew after the pod "
            "started; delete the pod, its successor will know it",
        )
    if status == 409:
        return RefusalError(
            Refusal.REASON_GONE,
            f"another pod answers at the address of pod {pod.name}; choose one that is listed now",
        )
    reason = Refusal.REASON_INVALID if status == 422 else Refusal.REASON_REJECTED
    return RefusalError(reason, f"pod {pod.name} refuses the fault with status {status}: {words}")
