"""Prepared queries find, make and change what the ORM's own would."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils import timezone

from chat.models import Conversation, Generation, IdempotencyKey, Message, User
from chat.prepared import Insert, Prepared, Update

pytestmark = pytest.mark.django_db

by_id = Prepared(lambda pk: Generation.objects.filter(pk=pk), int)
with_count = Prepared(
    lambda owner, pk: Conversation.objects.filter(owner=owner, pk=pk).annotate(n=Count("messages")),
    int,
    UUID,
)
after = Prepared(
    lambda conversation, message: (
        Message.objects.filter(conversation=conversation, pk__gt=message)
        .order_by("-pk")
        .values_list("pk", "role", "content")
    ),
    UUID,
    int,
)
rename = Update(lambda pk: Conversation.objects.filter(pk=pk, title="New"), UUID, sets=["title"])


def test_objects(running: Generation) -> None:
    (found,) = by_id(running.pk)
    assert vars(found) | {"_state": None} == vars(Generation.objects.get()) | {"_state": None}
    assert not found._state.adding and by_id(running.pk + 1) == []


def test_annotations(running: Generation) -> None:
    conversation = running.conversation
    (found,) = with_count(conversation.owner_id, conversation.pk)
    assert found == conversation and found.created_at == conversation.created_at
    assert vars(found)["n"] == 2
    assert with_count(conversation.owner_id + 1, conversation.pk) == []


def test_tuples(running: Generation) -> None:
    prompt = running.message.parent
    answer: tuple[int, str, list[Any]] = (running.message_id, "assistant", [])
    assert after(running.conversation_id, 0) == [answer, (prompt.pk, "user", prompt.content)]
    assert after(running.conversation_id, prompt.pk) == [answer]


def test_insert(running: Generation, anna: User) -> None:
    key = Insert(IdempotencyKey)(IdempotencyKey(owner=anna, key=uuid4(), message=running.message))
    stored = IdempotencyKey.objects.get(pk=key.pk)
    assert (stored.key, stored.message_id) == (key.key, running.message_id)
    made = Insert(Message)(Message(conversation=running.conversation, role="user", content=["é"]))
    stored_message = Message.objects.get(pk=made.pk)
    assert stored_message.content == ["é"] and stored_message.created_at == made.created_at
    made.text = "Saved again"
    made.save()
    assert Message.objects.get(pk=made.pk).text == "Saved again"


def test_insert_of_what_must_not_be(running: Generation) -> None:
    second = Generation(conversation=running.conversation, message=running.message, model="any")
    with pytest.raises(IntegrityError), transaction.atomic():
        Insert(Generation)(second)


def test_update_counts(anna: User) -> None:
    conversation = Conversation.objects.create(owner=anna, title="New", updated_at=timezone.now())
    assert rename(conversation.pk, title="Herons") == 1
    assert rename(conversation.pk, title="Egrets") == rename(uuid4(), title="Egrets") == 0
    assert Conversation.objects.get().title == "Herons"


def test_update_of_other_fields(anna: User) -> None:
    with pytest.raises(TypeError):
        rename(uuid4(), title="Herons", owner_id=anna.pk)
