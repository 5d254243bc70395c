"""Waiting where nobody tells of a change, and for as long as a fault is to last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

POLL_S = 0.05


async def until(is_so: Callable[[], object], timeout_s: float, *, poll_s: float = POLL_S) -> None:
    """Wait until something is so. A database tells nobody of its changes: asking is the only way.

    Raises:
        TimeoutError: it is not so after `timeout_s`.
    """
    async with asyncio.timeout(timeout_s):
        while not is_so():
            await asyncio.sleep(poll_s)


@asynccontextmanager
async def lasting(seconds: float) -> AsyncIterator[None]:
    """Have the block last for so long at least."""
    over_at = time.monotonic() + seconds
    yield
    # Not a wait for something: so long the fault lasts.
    await asyncio.sleep(max(0.0, over_at - time.monotonic()))
