"""The pages and forms of the chat."""

from __future__ import annotations

from django.urls import path

from chat import fallbacks, health, styleguide, views

urlpatterns = [
    path("", views.home, name="home"),
    path("conversations/", views.conversations, name="conversations"),
    path("c/<uuid:conversation_id>/", views.conversation, name="conversation"),
    path("c/<uuid:conversation_id>/send/", views.send, name="send"),
    path("c/<uuid:conversation_id>/rename/", views.rename, name="rename"),
    path("c/<uuid:conversation_id>/delete/", views.delete, name="delete"),
    path("g/<int:generation_id>/stop/", views.stop, name="stop"),
    path("c/<uuid:conversation_id>/stream/", fallbacks.stream, name="stream"),
    path("c/<uuid:conversation_id>/changes/", fallbacks.changes, name="changes"),
    path("m/<int:message_id>/", views.message, name="message"),
    path("m/<int:message_id>/text/", views.message_text, name="text"),
    path("m/<int:message_id>/retry/", views.retry, name="retry"),
    path("m/<int:message_id>/continue/", views.continue_answer, name="continue"),
    path("styleguide/", styleguide.index, name="styleguide"),
    path("styleguide/<slug:name>/", styleguide.state, name="styleguide-state"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.scrape, name="metrics"),
]
