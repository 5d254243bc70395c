"""The pages and forms of the chat."""

from __future__ import annotations

from django.urls import path

from chat import fallbacks, health, styleguide, token_pages, views
from chat.api import answers, approvals, conversations, log, messages, prompt, reference, timeline

urlpatterns = [
    path("", views.home, name="home"),
    path("conversations/", views.conversations, name="conversations"),
    path("c/<uuid:conversation_id>/", views.conversation, name="conversation"),
    path("c/<uuid:conversation_id>/send/", views.send, name="send"),
    path("c/<uuid:conversation_id>/rename/", views.rename, name="rename"),
    path("c/<uuid:conversation_id>/delete/", views.delete, name="delete"),
    path("g/<int:generation_id>/stop/", views.stop, name="stop"),
    path("g/<int:generation_id>/approve/", views.approve, name="approve"),
    path("g/<int:generation_id>/timeline/", views.timeline, name="timeline"),
    path("c/<uuid:conversation_id>/stream/", fallbacks.stream, name="stream"),
    path("c/<uuid:conversation_id>/changes/", fallbacks.changes, name="changes"),
    path("m/<int:message_id>/", views.message, name="message"),
    path("m/<int:message_id>/text/", views.message_text, name="text"),
    path("m/<int:message_id>/retry/", views.retry, name="retry"),
    path("m/<int:message_id>/continue/", views.continue_answer, name="continue"),
    path("api/", reference.page, name="api"),
    path("api/schema", reference.schema, name="api-schema"),
    path("api/chat", prompt.chat, name="api-chat"),
    path("api/conversations", conversations.conversations, name="api-conversations"),
    path(
        "api/conversations/<uuid:conversation_id>",
        conversations.conversation,
        name="api-conversation",
    ),
    path(
        "api/conversations/<uuid:conversation_id>/messages",
        conversations.messages,
        name="api-messages",
    ),
    path("api/messages/<int:message_id>", answers.message, name="api-message"),
    path("api/messages/<int:message_id>/retry", answers.retry, name="api-retry"),
    path("api/messages/<int:message_id>/continue", answers.continue_answer, name="api-continue"),
    path("api/generations/<int:generation_id>", answers.generation, name="api-generation"),
    path("api/generations/<int:generation_id>/stop", answers.stop, name="api-stop"),
    path("api/generations/<int:generation_id>/events", log.events, name="api-events"),
    path(
        "api/generations/<int:generation_id>/approvals/<str:tool_use_id>",
        approvals.approve,
        name="api-approvals",
    ),
    path("account/tokens/", token_pages.tokens_page, name="tokens"),
    path("account/tokens/<int:token_id>/revoke/", token_pages.revoke, name="revoke-token"),
    path("api/generations/<int:generation_id>/timeline", timeline.timeline, name="api-timeline"),
    path("v1/messages", messages.messages, name="v1-messages"),
    path("v1/models", messages.models, name="v1-models"),
    path("styleguide/", styleguide.index, name="styleguide"),
    path("styleguide/<slug:name>/", styleguide.state, name="styleguide-state"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.scrape, name="metrics"),
]
