"""A cluster that we are logged in to: the official client for one context, and what it cannot do itself."""

import ssl
from typing import Any

import aiohttp
from kubernetes.aio.client import ApiClient as _ApiClient
from kubernetes.aio.client import Configuration
from kubernetes.aio.config.config_exception import ConfigException

from kubealive_tui.errors import LinkError
from kubealive_tui.link._credentials import Credentials
from kubealive_tui.link._errors import in_words
from kubealive_tui.link._kubeconfig import Kubeconfig, LinkOptions, Where
from kubealive_tui.link._rest import RestApi

__all__ = ["Cluster"]

ApiClient: Any = _ApiClient  # without annotations of its own
# What comes through a WebSocket is cut up by the kubelet to 32 KiB: something longer is not the kubelet's.
LONGEST_MESSAGE = 4 << 20


class Cluster:
    """An API client for one context. Close it with `close`."""

    def __init__(self, client: _ApiClient, where: Where, credentials: Credentials | None = None) -> None:
        self.client = client
        self.where = where
        self.api = RestApi(client)
        self._any: Any = client
        self._credentials = credentials
        if credentials is not None:
            client.configuration.refresh_api_key_hook = credentials.keep_fresh

    @classmethod
    async def connect(cls, options: LinkOptions) -> "Cluster":
        """Read the kubeconfig and obtain credentials, asking a person through a plugin where that is needed.

        Nothing is sent to the cluster yet. Raises UsageError, DeniedError or LinkError with one sentence.
        """
        config = Kubeconfig.find(options)
        try:
            credentials = Credentials(config, parent=options.folder)
            configuration = Configuration()
            # Python 3.13 began to refuse CAs without a key identifier, as many clusters have; all else is checked.
            configuration.disable_strict_ssl_verification = True
            await credentials.load(configuration)
            client = ApiClient(configuration)
        except (ConfigException, ssl.SSLError, OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
            raise LinkError(
                f"context {config.context!r} in {', '.join(map(str, config.paths))} cannot be used: {exc}; "
                "mend it, or choose another with --context"
            ) from exc
        if options.impersonate:
            client.set_default_header("Impersonate-User", options.impersonate)
        user = options.impersonate or config.user
        where = Where(config.context, options.namespace, config.cluster, user, configuration.host)
        return cls(client, where, credentials)

    async def close(self) -> None:
        """Close the client's connections."""
        await self._any.close()
        if self._credentials is not None:
            self._credentials.close()

    async def websocket(self, path: str, *, protocol: str, heartbeat_s: float) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket to the API, with the client's credentials, TLS, proxy and impersonation.

        Raises aiohttp.WSServerHandshakeError where the API refuses, LinkError where it cannot be reached. A 401
        is tried once more with credentials that were renewed, where they can be.
        """
        try:
            return await self._open(path, protocol, heartbeat_s)
        except aiohttp.WSServerHandshakeError as exc:
            if exc.status != 401 or self._credentials is None or not self._credentials.renewable:
                raise
            await self._credentials.reload(self.client.configuration)
        return await self._open(path, protocol, heartbeat_s)

    async def _open(self, path: str, protocol: str, heartbeat_s: float) -> aiohttp.ClientWebSocketResponse:
        configuration = self.client.configuration
        rest = self._any.rest_client
        if rest.pool_manager is None:
            rest.pool_manager = rest._create_pool_manager()  # noqa: SLF001 - as the client's own WebSocket does
        session: aiohttp.ClientSession = rest.pool_manager
        try:
            return await session.ws_connect(
                self.where.server + path,
                protocols=(protocol,),
                headers=await self._headers(),
                heartbeat=heartbeat_s,
                max_msg_size=LONGEST_MESSAGE,
                proxy=configuration.proxy or None,
                server_hostname=configuration.tls_server_name or None,
            )
        except aiohttp.WSServerHandshakeError:
            raise
        except (aiohttp.ClientError, OSError) as exc:
            raise LinkError(f"{self.where.server} cannot be reached: {in_words(exc)}; is the cluster up?") from exc

    async def _headers(self) -> dict[str, str]:
        found: dict[str, str] = dict(self.client.default_headers)
        settings = await self.client.configuration.auth_settings()
        if "BearerToken" in settings:
            found["authorization"] = str(settings["BearerToken"]["value"])
        return found
