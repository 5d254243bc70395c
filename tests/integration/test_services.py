"""What a user can do: rules, ownership, idempotency. No worker runs: answers stay queued."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from chat import errors, services
from chat.models import Conversation, Generation, Message, User

MEGABYTE = 1_000_000


def send(user: User, text: str = "Hello", conversation: Conversation | None = None) -> Generation:
    sent = services.send_prompt(user, conversation.pk if conversation else None, text, uuid.uuid4())
    return Generation.objects.select_related("conversation", "message").get(
        message__parent=sent.message
    )


def end(generation: Generation, text: str = "An answer.") -> Generation:
    """End an answer as a worker would."""
    Message.objects.filter(pk=generation.message_id).update(
        text=text, content=[{"type": "text", "text": text}]
    )
    Generation.objects.filter(pk=generation.pk).update(
        status=Generation.Status.COMPLETE, finished_at=timezone.now()
    )
    return generation


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Make calls in threads of their own; return results and exceptions."""

    def run(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


# Send


def test_prompt_is_saved_with_its_queued_answer(alice: User) -> None:
    generation = send(alice, "Why is the sky blue?")
    prompt = generation.message.parent
    assert prompt is not None and prompt.text == "Why is the sky blue?"
    assert prompt.content == [{"type": "text", "text": prompt.text}]
    assert generation.status == "queued" and generation.message.role == "assistant"
    assert generation.conversation.title == "Why is the sky blue?"


@pytest.mark.parametrize(
    "text",
    [
        "  leading and trailing  ",
        "\n\nlines\n\n",
        "\ttab",
        "e\u0301 👨‍👩‍👧 \u202e",
        "<b>&amp;</b>",
        "\\u0000",
    ],
)
def test_text_is_kept_exactly(alice: User, text: str) -> None:
    parent = send(alice, text).message.parent
    assert parent is not None and parent.text == text


def test_same_key_again(alice: User) -> None:
    key = uuid.uuid4()
    first = services.send_prompt(alice, None, "Hello", key)
    assert services.send_prompt(alice, None, "Hello", key) == first
    assert (Message.objects.count(), Generation.objects.count()) == (2, 1)


def test_same_key_after_the_answer_ended(alice: User) -> None:
    key = uuid.uuid4()
    first = services.send_prompt(alice, None, "Hello", key)
    end(Generation.objects.get())
    assert services.send_prompt(alice, first.conversation.pk, "Hello", key) == first
    assert Message.objects.count() == 2


def test_same_key_after_a_retry_gives_the_first_generation(alice: User) -> None:
    key = uuid.uuid4()
    first = services.send_prompt(alice, None, "Hello", key)
    assert first.generation == Generation.objects.get()
    again = services.retry(alice, end(first.generation).message_id)
    assert services.send_prompt(alice, None, "Hello", key).generation == first.generation != again


@pytest.mark.parametrize("is_new", [True, False])
def test_same_key_at_once(alice: User, is_new: bool) -> None:
    conversation = None if is_new else end(send(alice)).conversation
    before, key = Message.objects.count(), uuid.uuid4()
    where = conversation.pk if conversation else None
    sent = at_once(*[lambda: services.send_prompt(alice, where, "Once", key)] * 10)
    assert [type(s) for s in sent] == [services.Sent] * 10
    assert len({s.message.pk for s in sent}) == 1
    assert Message.objects.count() == before + 2


def test_key_with_another_text_is_refused(alice: User) -> None:
    key = uuid.uuid4()
    sent = services.send_prompt(alice, None, "Hello", key)
    end(Generation.objects.get())
    with pytest.raises(errors.KeyReused):
        services.send_prompt(alice, sent.conversation.pk, "Good-bye", key)
    assert Message.objects.count() == 2


def test_two_people_may_use_the_same_key(alice: User, bob: User) -> None:
    key = uuid.uuid4()
    one = services.send_prompt(alice, None, "Hello", key)
    two = services.send_prompt(bob, None, "Hello", key)
    assert one.message.pk != two.message.pk and two.conversation.owner == bob


def test_second_prompt_while_an_answer_runs(alice: User) -> None:
    generation = send(alice)
    with pytest.raises(errors.AnswerRunning):
        send(alice, "And?", generation.conversation)
    assert Message.objects.count() == 2


def test_two_prompts_at_once(alice: User) -> None:
    conversation = end(send(alice)).conversation
    calls = [partial(send, alice, f"Prompt {n}", conversation) for n in range(8)]
    results = at_once(*calls)
    assert sorted(type(r).__name__ for r in results) == ["AnswerRunning"] * 7 + ["Generation"]
    assert Message.objects.count() == 4


def test_prompts_of_many_conversations_at_once(alice: User) -> None:
    results = at_once(*[lambda: send(alice)] * 10)
    assert {type(r) for r in results} == {Generation}
    assert Conversation.objects.count() == 10


def test_next_prompt_follows_the_last_answer(alice: User) -> None:
    first = end(send(alice))
    second = send(alice, "And?", first.conversation)
    assert second.message.parent is not None
    assert second.message.parent.parent_id == first.message_id
    assert len(first.conversation.active_path()) == 4


def test_prompt_moves_its_conversation_to_the_top(alice: User) -> None:
    old, new = end(send(alice, "Old")), end(send(alice, "New"))
    send(alice, "Again", old.conversation)
    assert list(Conversation.objects.newest_first()) == [old.conversation, new.conversation]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u3000\t "])
def test_empty_prompt_is_refused(alice: User, text: str) -> None:
    with pytest.raises(errors.PromptEmpty):
        send(alice, text)
    assert not Conversation.objects.exists()


def test_size_is_counted_in_bytes(alice: User, settings: Settings) -> None:
    settings.CHAT_PROMPT_MAX_BYTES = 9
    send(alice, "日本語")
    with pytest.raises(errors.PromptTooLong) as refusal:
        send(alice, "日本語!")
    assert refusal.value.params == {"got": 10, "limit": 9}


def test_megabyte(alice: User) -> None:
    text = "日本語 and 👍 " * (MEGABYTE // 19)
    parent = send(alice, text).message.parent
    assert parent is not None and parent.text == text


def test_strangers_conversation_takes_no_prompt(alice: User, bob: User) -> None:
    conversation = end(send(alice)).conversation
    with pytest.raises(Conversation.DoesNotExist):
        send(bob, "Mine?", conversation)
    assert Message.objects.count() == 2


# Retry


def test_retry_makes_a_sibling(alice: User) -> None:
    first = end(send(alice))
    services.retry(alice, first.message_id)
    second = Generation.objects.select_related("message").get(status="queued")
    assert second.message.parent_id == first.message.parent_id
    assert first.conversation.active_path()[-1] == second.message_id
    assert Message.objects.get(pk=first.message_id).text == "An answer."


def test_retry_of_an_earlier_answer_is_refused(alice: User) -> None:
    first = end(send(alice))
    end(send(alice, "And?", first.conversation))
    with pytest.raises(errors.NothingToRetry):
        services.retry(alice, first.message_id)


def test_retry_of_a_replaced_answer_is_refused(alice: User) -> None:
    first = end(send(alice))
    services.retry(alice, first.message_id)
    end(Generation.objects.get(status="queued"))
    with pytest.raises(errors.NothingToRetry):
        services.retry(alice, first.message_id)


def test_retry_of_a_running_answer_is_refused(alice: User) -> None:
    with pytest.raises(errors.AnswerRunning):
        services.retry(alice, send(alice).message_id)


def test_retry_of_a_prompt_is_refused(alice: User) -> None:
    prompt_id = end(send(alice)).message.parent_id
    assert prompt_id is not None
    with pytest.raises(Message.DoesNotExist):
        services.retry(alice, prompt_id)


def test_retries_at_once(alice: User) -> None:
    first = end(send(alice))
    results = at_once(*[lambda: services.retry(alice, first.message_id)] * 8)
    assert [type(r) for r in results].count(Generation) == 1
    assert all(isinstance(r, Generation | errors.RequestRefused) for r in results)
    assert Generation.objects.count() == 2


# Stop, rename, delete


def test_stop_sets_the_flag_once(alice: User) -> None:
    generation = send(alice)
    services.stop(alice, generation.pk)
    asked_at = Generation.objects.get().stop_requested_at
    services.stop(alice, generation.pk)
    assert asked_at is not None and Generation.objects.get().stop_requested_at == asked_at


def test_stop_of_an_ended_answer_changes_nothing(alice: User) -> None:
    generation = end(send(alice))
    services.stop(alice, generation.pk)
    assert Generation.objects.get().stop_requested_at is None


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ("  A   new\nname ", "A new name"),
        ("", "Hello"),
        (" \n", "Hello"),
        ("x" * 300, "x" * 79 + "…"),
        ("<b>bold</b>", "<b>bold</b>"),
    ],
)
def test_rename(alice: User, given: str, title: str) -> None:
    conversation = send(alice).conversation
    services.rename(alice, conversation.pk, given)
    assert Conversation.objects.get().title == title


def test_a_title_that_a_person_chose_is_kept_whole(alice: User) -> None:
    title = "one two three four five six seven eight nine ten eleven twelve"
    conversation = send(alice).conversation
    services.rename(alice, conversation.pk, title)
    assert Conversation.objects.get().title == title


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("one two three", "one two three"),
        ("1 2 3 4 5 6 7 8 9 10 11", "1 2 3 4 5 6 7 8 9 10…"),
        ("\n  first\nsecond", "first second"),
        ("日" * 100, "日" * 79 + "…"),
    ],
)
def test_title_from_the_first_prompt(alice: User, text: str, title: str) -> None:
    assert send(alice, text).conversation.title == title


def test_delete_removes_everything(alice: User) -> None:
    conversation = send(alice).conversation
    kept = send(alice).conversation
    services.delete(alice, conversation.pk)
    assert list(Conversation.objects.all()) == [kept]
    assert (Message.objects.count(), Generation.objects.count()) == (2, 1)


def test_delete_and_send_at_once(alice: User) -> None:
    for _ in range(10):
        conversation = end(send(alice)).conversation
        deleted, sent = at_once(
            partial(services.delete, alice, conversation.pk),
            partial(send, alice, "And?", conversation),
        )
        assert deleted is None
        gone = Conversation.DoesNotExist | Generation.DoesNotExist
        assert isinstance(sent, Generation | gone)
        assert not Conversation.objects.filter(pk=conversation.pk).exists()


STRANGERS_CALLS: dict[str, Callable[[User, Generation], object]] = {
    "read": lambda user, g: services.get_conversation(user, g.conversation_id),
    "send": lambda user, g: send(user, "Mine?", g.conversation),
    "retry": lambda user, g: services.retry(user, g.message_id),
    "stop": lambda user, g: services.stop(user, g.pk),
    "rename": lambda user, g: services.rename(user, g.conversation_id, "Mine"),
    "delete": lambda user, g: services.delete(user, g.conversation_id),
}


@pytest.mark.parametrize("name", STRANGERS_CALLS)
@pytest.mark.parametrize("is_running", [True, False])
def test_what_is_not_theirs_does_not_exist(
    alice: User, bob: User, name: str, is_running: bool
) -> None:
    generation = send(alice) if is_running else end(send(alice))
    before = list(Generation.objects.values()), list(Conversation.objects.values())
    gone = (Conversation.DoesNotExist, Message.DoesNotExist, Generation.DoesNotExist)
    bob.is_staff = bob.is_superuser = True
    with pytest.raises(gone):
        STRANGERS_CALLS[name](bob, generation)
    assert (list(Generation.objects.values()), list(Conversation.objects.values())) == before
