"""Whose credentials a client carries, and how they stay fresh while it is used.

The official client reads kubeconfigs, certificates, token files and OIDC; a plugin's credentials are obtained
here (see `_plugin`) and handed to it.
"""

import asyncio
import os
import time
from datetime import datetime
from typing import Any

from kubernetes.aio.client import Configuration
from kubernetes.aio.config import kube_config as _kube_config

from kubealive_tui.link._folders import PrivateFolder
from kubealive_tui.link._kubeconfig import Kubeconfig, terminal_is_free
from kubealive_tui.link._plugin import run_plugin

__all__ = ["Credentials"]

# Renewed so long before they end, that no request is answered with 401 on the way.
EARLY_S = 60.0
# Token files and OIDC tokens are looked at again so often; both are rotated within minutes at the earliest.
RECHECK_S = 60.0

kube_config: Any = _kube_config  # without annotations of its own


class Credentials:
    """The credentials of one context: `load` fills a configuration, `close` removes a plugin's key from disk."""

    def __init__(self, config: Kubeconfig, *, parent: str = "") -> None:
        self._config = config
        self._parent = parent
        merger = kube_config.KubeConfigMerger(os.pathsep.join(map(str, config.paths)))
        self._loader = kube_config.KubeConfigLoader(
            config_dict=merger.config,
            active_context=config.context,
            # A refresh token of OIDC can be used once: without keeping the new one, kubectl is logged out.
            config_persister=lambda _: merger.save_changes(),
            config_base_path=None,
        )
        self._loader.load_from_exec_plugin = self._ask_plugin
        self._uses_plugin = "exec" in config.credentials
        self._interactive = False
        self._expires: float | None = None
        self._checked = 0.0
        self._reloading = asyncio.Lock()
        self._keys: PrivateFolder | None = None

    async def load(self, configuration: Configuration) -> None:
        """Fill in the server, its CA, and who we are; a plugin may ask a person. Raises what the client raises."""
        self._interactive = terminal_is_free()
        try:
            await self._loader.load_and_set(configuration)
        finally:
            self._interactive = False
        self._checked = time.monotonic()

    @property
    def renewable(self) -> bool:
        """Whether asking again can give other credentials."""
        return bool({"exec", "auth-provider", "tokenFile"} & self._config.credentials.keys())

    async def keep_fresh(self, configuration: Configuration) -> None:
        """Renew what is about to end; called before each request that carries a token."""
        if self._uses_plugin:
            due = self._expires is not None and time.time() > self._expires - EARLY_S
        else:
            due = self.renewable and time.monotonic() > self._checked + RECHECK_S
        if due and not self._reloading.locked():
            await self.reload(configuration)

    async def reload(self, configuration: Configuration) -> None:
        """Obtain credentials anew, without asking anybody. Raises DeniedError."""
        async with self._reloading:
            self._checked = time.monotonic()
            await self._loader.load_and_set(configuration)

    def close(self) -> None:
        """Remove the files that a plugin's certificate was kept in."""
        if self._keys is not None:
            self._keys.remove()
            self._keys = None

    async def _ask_plugin(self) -> bool:
        status = await run_plugin(
            self._config.credentials["exec"], folder=self._config.folder, interactive=self._interactive
        )
        self._expires = _timestamp(status.get("expirationTimestamp"))
        if "token" in status:
            self._loader.token = f"Bearer {status['token']}"
        if "clientCertificateData" in status:
            self._loader.cert_file = self._keep("certificate", status["clientCertificateData"])
            self._loader.key_file = self._keep("key", status["clientKeyData"])
        return True

    def _keep(self, name: str, pem: str) -> str:
        """TLS takes certificates from files alone: these lie in a folder that only this user may enter."""
        self._keys = self._keys or PrivateFolder(self._parent)
        path = self._keys.path / name
        path.write_text(pem, encoding="ascii")
        return str(path)


def _timestamp(text: str | None) -> float | None:
    try:
        return None if text is None else datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
