"""What the tests of the link share."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.tui.link.fakes import FakeApi, serving


@pytest_asyncio.fixture
async def api() -> AsyncIterator[FakeApi]:
    """A Kubernetes API on loopback with one ready agent."""
    async with serving() as found:
        yield found
