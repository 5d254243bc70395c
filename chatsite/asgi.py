"""The site for an ASGI server, and the life of its process.

The worker, its heartbeat and, where wanted, the offline model start and end with the server's
lifespan; under Daphne, which has none, with Twisted's reactor (reactor.py).
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

import django

# Modules leave hardly any garbage, and looking for it takes a fifth of the time to load them.
gc.disable()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
django.setup()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  (needs the apps)

from chat.consumers import ClosedInOutage  # noqa: E402
from chat.handshake import SignedInScope  # noqa: E402
from chat.origin import SameOrigin  # noqa: E402
from chat.routing import websocket_urlpatterns  # noqa: E402
from chatsite.handler import Handler  # noqa: E402
from chatsite.life import Life, refuse_bad_settings  # noqa: E402
from chatsite.memory import give_back_large_blocks, share_heaps  # noqa: E402

refuse_bad_settings()
give_back_large_blocks()
share_heaps()
# What is there for good is not looked through by each collection, for which all threads wait:
# one took 124 ms while a text of 1 MB was rendered, none takes 30 ms now.
gc.freeze()
gc.enable()
# A thread that renders a long text hands over to the loop sooner than after Python's own 5 ms.
sys.setswitchinterval(0.001)

# The stubs ask for URL patterns of their own kind, which Django's path() does not make.
_websocket: Any = SignedInScope(URLRouter(websocket_urlpatterns))  # type: ignore[arg-type]
_protocols = ProtocolTypeRouter(
    {
        "http": Handler(),
        "websocket": SameOrigin(ClosedInOutage(_websocket)),
    }
)
life = Life()
# The app `daphne` installs the reactor, which under other servers never runs.
if "twisted.internet.reactor" in sys.modules:
    from chatsite import reactor

    reactor.attach(life)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Serve one connection; Daphne calls this with keywords."""
    if scope["type"] == "lifespan":
        return await _lifespan(receive, send)
    await life.begin()
    await life.serve(_protocols(scope, receive, send))


async def _lifespan(receive: Any, send: Any) -> None:
    await receive()  # lifespan.startup
    await life.begin()
    await send({"type": "lifespan.startup.complete"})
    await receive()  # lifespan.shutdown
    await life.end()
    await send({"type": "lifespan.shutdown.complete"})
