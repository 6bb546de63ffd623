"""What keeps the link from being made, below LinkError, by what helps against it.

LinkError
├── DeniedError          credentials, rights or TLS: somebody has to change something
└── NotInstalledError    there is no agent: `kubealive up`

A plain LinkError may pass by itself: the API server does not answer, the agent's pod is not ready.
"""

import os

import aiohttp

from kubealive_tui.errors import LinkError
from kubealive_tui.install import ApiError

__all__ = ["DeniedError", "NotInstalledError", "in_words", "link_error"]


class DeniedError(LinkError):
    """Credentials, rights or certificates do not let us in; trying again alone does not help."""


class NotInstalledError(LinkError):
    """The namespace has no agent."""


def link_error(error: ApiError) -> LinkError:
    """The failed request as trouble of the link, in its own words."""
    denied = error.status in {401, 403} or error.reason == "TLS"
    return DeniedError(error.message) if denied else LinkError(error.message)


def in_words(exc: BaseException) -> str:
    """Why there is no connection, in the system's own words: the client's wrap them in addresses and tuples."""
    match exc:
        case aiohttp.ClientConnectorCertificateError():
            return str(getattr(exc.certificate_error, "verify_message", "") or exc.certificate_error)
        case aiohttp.ClientConnectorDNSError():
            return exc.os_error.strerror or str(exc.os_error)
        case aiohttp.ClientConnectorError():
            return os.strerror(exc.os_error.errno) if exc.os_error.errno else str(exc.os_error)
        case _:
            return str(exc) or type(exc).__name__
