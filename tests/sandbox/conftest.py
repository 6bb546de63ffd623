"""One whole sandbox for a test."""

from collections.abc import AsyncIterator

import pytest

from kubealive_sandbox.network import MANY, ONE
from kubealive_sandbox.sandbox import Sandbox, open_sandbox
from tests.sandbox.objects import NAMESPACE
from tests.sandbox.whole import IMAGES


@pytest.fixture(params=(MANY, ONE))
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    """One whose pods have addresses of this machine, and one whose pods share 127.0.0.1 as on macOS."""
    async with open_sandbox(IMAGES, scheme=request.param) as opened:
        opened.api.create("Namespace", {"metadata": {"name": NAMESPACE}})
        yield opened
