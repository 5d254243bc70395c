"""What a command runs to answer a prompt of its own: beside the site's processes, or without any.

It is a process like those of the site, with a heartbeat, and so the only writer of its log; but it
takes nothing from their queue and ends nothing that they write (chat/heartbeat.py, GUEST).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from channels.layers import get_channel_layer
from django.conf import settings

from chat.demo.server import DemoServer
from chat.events import Exchange
from chat.worker import Worker
from chatsite.life import make_runtime

DRAIN_S = 5.0
"""What is still written when the command ends has so long to come to its end."""


@asynccontextmanager
async def guest() -> AsyncIterator[None]:
    """Answer, within the block, the prompts that this process sends."""
    async with AsyncExitStack() as stack:
        base_url = settings.ANTHROPIC_BASE_URL
        if settings.CHAT_DEMO:
            demo = DemoServer(keep=1)
            await demo.start()
            stack.push_async_callback(demo.stop)
            base_url = demo.base_url
        await stack.enter_async_context(rings())
        worker = Worker(
            make_runtime(base_url), heartbeat_s=settings.CHAT_HEARTBEAT_S, is_guest=True
        )
        await worker.begin()
        stack.push_async_callback(worker.drain, DRAIN_S)
        yield


@asynccontextmanager
async def rings() -> AsyncIterator[None]:
    """Exchange rings with the site's processes, where there is something that carries them."""
    if not settings.REDIS_URL:
        yield
        return
    exchange = Exchange(get_channel_layer())
    await exchange.begin()
    try:
        yield
    finally:
        await exchange.end()
