"""What is stored: conversations, their messages, the generations that write them, their logs.

Rules are database constraints. State changes are conditional UPDATEs in the modules that make
them (generation.py, worker.py, services.py); nothing here calls Claude or sends a ring.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _

from chat.kinds import MAX_KIND_CHARS
from chat.options import MAX_MODEL_CHARS
from chat.prepared import Prepared

TITLE_MAX_CHARS = 80


class User(AbstractUser):
    """A person with an account; one model of our own, so that fields can be added later."""


class Process(models.Model):
    """A running process of the site. Its heartbeat, in database time, shows that it lives."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()

    class Meta:
        verbose_name = _("process")
        verbose_name_plural = _("processes")

    def __str__(self) -> str:
        return self.name


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def owned_by(self, user: User) -> ConversationQuerySet:
        """Return what `user` may see: the one place where ownership is decided."""
        return self.filter(owner=user)

    def newest_first(self) -> ConversationQuerySet:
        return self.order_by("-updated_at", "-id")


class Conversation(models.Model):
    """A titled tree of messages that one user owns."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        User, models.CASCADE, related_name="conversations", verbose_name=_("owner")
    )
    title = models.CharField(_("title"), max_length=TITLE_MAX_CHARS)
    # Begun on a page, or by a program that took the site for the Messages API.
    is_from_api = models.BooleanField(_("from the API"), default=False, db_default=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now_add=True)

    objects: ClassVar[models.Manager[Conversation]] = ConversationQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["owner", "-updated_at"], name="conversation_by_owner"),)
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")

    def __str__(self) -> str:
        return self.title

    def running_generation(self) -> Generation | None:
        """Return the one generation that is not final, if there is one."""
        return self.generations.filter(status__in=Generation.RUNNING).first()

    def active_path(self) -> list[int]:
        """Return the ids of the messages to show: the newest one and all before it.

        The newest message is always a leaf, because children come after their parents.
        """
        parents = dict(_parents(self.pk))
        return path_to(max(parents, default=None), parents)


class Message(models.Model):
    """A user's prompt or Claude's answer.

    `content` is a list of content blocks as the Messages API has them, `text` the plain text of
    it, `rendered` a list of HTML strings, one for each block: "" where a block is not text, or
    goes on with the text before it, whose HTML holds it. `durations_s` has a number or null for
    each of the blocks.
    """

    class Role(models.TextChoices):
        USER = "user", _("user")
        ASSISTANT = "assistant", _("assistant")

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages")
    # Siblings share a parent: versions of an answer, or of a prompt that was edited.
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    role = models.CharField(max_length=9, choices=Role.choices)
    content = models.JSONField(default=list)
    text = models.TextField(blank=True)
    rendered = models.JSONField(default=list)
    # NULL of what the release before it stores, while a site changes from one to the other.
    durations_s = models.JSONField(default=list, null=True)
    # Of all messages up to this one, which a program may send again to go on (api/messages.py).
    path_digest = models.CharField(max_length=64, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(role__in=["user", "assistant"]), name="role_known"),
        )
        indexes = (
            models.Index(
                F("path_digest"), condition=~Q(path_digest=""), name="message_by_path_digest"
            ),
        )
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self) -> str:
        return f"{self.role} {self.pk}"


_parents = Prepared(
    lambda conversation: Message.objects.filter(conversation=conversation).values_list(
        "pk", "parent_id"
    ),
    uuid.UUID,
)


def path_to(leaf_id: int | None, parents: Mapping[int, int | None]) -> list[int]:
    """Return the ids of the messages from the first one that is known to `leaf_id`, in order.

    Args:
        parents: of each message that is known, the one before it.
    """
    path: list[int] = []
    while leaf_id is not None and leaf_id in parents:
        path.append(leaf_id)
        leaf_id = parents[leaf_id]
    return path[::-1]


class IdempotencyKey(models.Model):
    """The key that a browser made for a prompt: the same key again gives the same message."""

    owner = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.UUIDField()
    message = models.OneToOneField(Message, models.CASCADE, related_name="idempotency_key")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["owner", "key"], name="one_message_per_key"),
        )
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")

    def __str__(self) -> str:
        return str(self.key)


class RecentSend(models.Model):
    """A prompt, retry or continuation of the last minute (limits.py).

    A row of its own, because whoever deletes a conversation would take back what they sent.
    """

    owner = models.ForeignKey(User, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("recent send")
        verbose_name_plural = _("recent sends")

    def __str__(self) -> str:
        return f"{self.owner_id} at {self.at}"


class Generation(models.Model):
    """One run that writes an assistant message, or goes on with one."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        STREAMING = "streaming", _("streaming")
        COMPLETE = "complete", _("complete")
        STOPPED = "stopped", _("stopped")
        FAILED = "failed", _("failed")
        INTERRUPTED = "interrupted", _("interrupted")

    RUNNING = (Status.QUEUED, Status.STREAMING)
    # Messages API, "Stopping reasons": the answer could be longer.
    CUT_SHORT = ("max_tokens", "pause_turn")

    # The conversation stands here too, so that a constraint can speak of it.
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="generations")
    message = models.ForeignKey(Message, models.CASCADE, related_name="generations")
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.QUEUED)
    model = models.CharField(max_length=MAX_MODEL_CHARS)
    owner = models.ForeignKey(Process, models.SET_NULL, null=True, related_name="generations")
    # Where in the message's content its part begins: a block's index, and a character of that
    # block's text. What stands before was written by earlier generations of the message.
    first_block = models.PositiveIntegerField(default=0)
    first_char = models.PositiveIntegerField(default=0)
    # What was asked for beside the messages (options.py); NULL where the settings decide alone.
    options = models.JSONField(null=True)
    stop_requested_at = models.DateTimeField(null=True)
    stop_reason = models.CharField(max_length=40, blank=True)
    # A refusal's category and explanation, as the API gave them.
    stop_details = models.JSONField(null=True)
    error_code = models.CharField(max_length=20, blank=True)
    request_id = models.CharField(max_length=100, blank=True)
    usage = models.JSONField(default=dict)
    # In tokens; of all requests together, so that they can be summed in the database.
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    first_word_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # What its log says of times and retries, which outlives the log; NULL until it has ended.
    timeline = models.JSONField(null=True)
    # Its events have been deleted, CHAT_EVENT_DAYS after its end.
    is_pruned = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(status__in=["queued", "streaming"]),
                name="one_running_generation_per_conversation",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "queued",
                        "streaming",
                        "complete",
                        "stopped",
                        "failed",
                        "interrupted",
                    ]
                ),
                name="status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "streaming"], finished_at=None)
                | (Q(finished_at__isnull=False) & ~Q(status__in=["queued", "streaming"])),
                name="final_status_has_its_time",
            ),
        )
        indexes = (
            models.Index(
                F("owner"),
                condition=Q(status__in=["queued", "streaming"]),
                name="generation_running",
            ),
            models.Index(
                F("finished_at"), condition=Q(is_pruned=False), name="generation_to_prune"
            ),
        )
        verbose_name = _("generation")
        verbose_name_plural = _("generations")

    def __str__(self) -> str:
        return f"generation {self.pk} ({self.status})"

    @property
    def is_running(self) -> bool:
        return self.status in self.RUNNING

    @property
    def is_unfinished(self) -> bool:
        """Whether it ended before Claude had said everything."""
        if self.status == self.Status.COMPLETE:
            return self.stop_reason in self.CUT_SHORT
        return not self.is_running


@receiver(pre_delete, sender=Generation)
def lock_running(sender: type[Generation], instance: Generation, **kwargs: Any) -> None:
    """Keep its owner from appending events while a generation is deleted, with whatever it is in.

    Those that came after the deletion has collected what to delete would hold it up.
    """
    if instance.is_running:
        Generation.objects.select_for_update().filter(pk=instance.pk).first()


class Approval(models.Model):
    """A call of a tool that changes something, and what the person said to it.

    Whoever decides first, the person or the end of the time, does so by a conditional UPDATE.
    """

    generation = models.ForeignKey(Generation, models.CASCADE, related_name="approvals")
    tool_use_id = models.CharField(max_length=100)
    is_approved = models.BooleanField(null=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["generation", "tool_use_id"], name="one_approval_per_call"
            ),
        )
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")

    def __str__(self) -> str:
        return f"{self.tool_use_id} of generation {self.generation_id}"


class AccessToken(models.Model):
    """A key with which a program acts for a person. Only its digest is stored."""

    class Scope(models.TextChoices):
        READ = "read", _("read")
        CHAT = "chat", _("read and chat")

    owner = models.ForeignKey(User, models.CASCADE, related_name="access_tokens")
    name = models.CharField(_("name"), max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    # Its last characters, so that a person can tell one from another.
    ending = models.CharField(max_length=4)
    scope = models.CharField(_("scope"), max_length=4, choices=Scope.choices)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(scope__in=["read", "chat"]), name="scope_known"),
        )
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")

    def __str__(self) -> str:
        return self.name


class Event(models.Model):
    """A row of a generation's log: seq from 1 without a gap, written by the owner alone.

    `data` is JSON text, not a JSON column: what the API sent is passed on byte for byte, and a
    reader that only hands it on never parses it.
    """

    pk = models.CompositePrimaryKey("generation_id", "seq")
    generation = models.ForeignKey(
        Generation, models.CASCADE, related_name="events", db_index=False
    )
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=MAX_KIND_CHARS)
    data = models.TextField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return f"{self.generation_id}:{self.seq} {self.kind}"
