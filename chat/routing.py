"""The websockets of the site."""

from __future__ import annotations

from channels.security.websocket import WebsocketDenier
from django.urls import path, re_path

from chat.consumers import ConversationConsumer

websocket_urlpatterns = [
    path(
        "ws/c/<uuid:conversation_id>/",
        ConversationConsumer.as_asgi(),  # type: ignore[arg-type]  # the stubs know views alone
        name="conversation-socket",
    ),
    # Any other address is refused; without this it would be an error in the log.
    re_path("", WebsocketDenier.as_asgi()),  # type: ignore[arg-type]  # as above
]
