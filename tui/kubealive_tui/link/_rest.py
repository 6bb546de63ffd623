"""One-off requests to the Kubernetes API over the official client's connection, TLS and credentials.

The generated models are left aside: what is asked here is JSON in and JSON out, and their import costs more
than everything else a command does.
"""

import asyncio
import json
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import aiohttp

from kubealive_tui.install import ApiError
from kubealive_tui.link._errors import in_words

if TYPE_CHECKING:
    from kubernetes.aio.client import ApiClient


class RestApi:
    """`kubealive_tui.install.Api` over a configured `ApiClient`, which stays its owner's to close."""

    def __init__(self, client: "ApiClient") -> None:
        self._client = client

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object | None = None,
        content_type: str = "application/json",
        timeout: float = 10.0,  # noqa: ASYNC109 - the interface gives each request its own deadline
    ) -> Any:
        """Return the decoded JSON of the answer; raises ApiError on any failure, within `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                status, reason, raw = await self._exchange(method, path, query, body, content_type)
        except TimeoutError as exc:
            host = self._client.configuration.host
            raise ApiError(0, "Timeout", f"{host} did not answer {method} {path} in {timeout:g} s") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise self._wrapped(exc) from exc
        if status >= 400:
            raise _refused(status, reason, raw, f"{method} {path}")
        try:
            return json.loads(raw) if raw else {}
        except ValueError as exc:
            host = self._client.configuration.host
            message = f"{host} answered {method} {path} with something that is not JSON: is it a Kubernetes API?"
            raise ApiError(status, "NotJSON", message) from exc

    async def _exchange(
        self, method: str, path: str, query: Mapping[str, str] | None, body: object | None, content_type: str
    ) -> tuple[int, str, bytes]:
        client = self._client
        _, url, headers, _, _ = await client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json", "Content-Type": content_type},
            auth_settings=["BearerToken"],
        )
        rest: Any = client.rest_client  # untyped in the client
        response = await rest.request(method, url, headers=headers, body=body)
        return response.status, response.reason or "", await response.read()

    def _wrapped(self, exc: Exception) -> ApiError:
        host = self._client.configuration.host
        if isinstance(exc, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError | ssl.SSLError):
            message = f"TLS to {host} failed: {in_words(exc)}; check certificate-authority-data in the kubeconfig"
            return ApiError(0, "TLS", message)
        message = f"{host} cannot be reached: {in_words(exc)}; is the cluster up, and is this the right --context?"
        return ApiError(0, "Unreachable", message)


def _refused(status: int, reason: str, raw: bytes, asked: str) -> ApiError:
    """Read the Status object that Kubernetes answers with; a proxy in between may answer anything else."""
    try:
        answer = json.loads(raw)
        message, reason = str(answer["message"]), str(answer.get("reason") or reason)
    except (ValueError, KeyError, TypeError, AttributeError):
        message = f"{asked} was answered with {status} {reason}"
    if status == 401:
        message += ": the credentials are missing or expired; log in again"
    return ApiError(status, reason, message)
