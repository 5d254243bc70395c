"""What of a conversation reaches Claude with the next prompt."""

from __future__ import annotations

import pytest

from chat import services
from chat.demo.steps import (
    Answer,
    Refuse,
    Status,
    Text,
)
from chat.demo.thread import DemoThread
from chat.models import Generation, User
from chat.threads import in_thread
from chat.worker import Worker
from tests.integration.answers import (
    answered,
    closed,
    finished,
    prompt,
)

pytestmark = pytest.mark.asyncio

FIRST = "These words come first and are worth keeping. "


async def test_earlier_turns_are_sent(worker: Worker, model: DemoThread, alice: User) -> None:
    first = await answered(alice, one := prompt("max-tokens"))
    second = await answered(alice, two := prompt("whole"), first.conversation)
    body = (await closed(model, second)).body
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert [turn["content"] for turn in body["messages"]] == [
        [{"type": "text", "text": text}] for text in (one, first.message.text, two)
    ]


@pytest.mark.parametrize("name", ["refusal", "refusal-early"])
async def test_refused_exchange_is_not_sent(
    worker: Worker, model: DemoThread, alice: User, name: str
) -> None:
    first = await answered(alice, one := prompt("max-tokens"))
    await answered(alice, prompt(name), first.conversation)
    third = await answered(alice, three := prompt("whole"), first.conversation)
    body = (await closed(model, third)).body
    texts = [turn["content"][0]["text"] for turn in body["messages"]]
    assert texts == [one, first.message.text, three]


async def test_refusal_takes_no_other_prompt_along(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    """A prompt whose answer failed stays, although the next one was refused."""
    # The first line decides what is played, and the two prompts go out as one turn.
    model.script("three-ends", Status(401, "authentication_error", "No"))
    first = await answered(alice, one := prompt("three-ends"))
    model.script("three-ends", Text(FIRST), Refuse())
    second = await answered(alice, prompt("three-ends"), first.conversation)
    assert second.stop_reason == "refusal"
    model.script("three-ends", Answer())
    third = await answered(alice, three := prompt("three-ends"), first.conversation)
    body = (await closed(model, third)).body
    texts = [block["text"] for turn in body["messages"] for block in turn["content"]]
    assert texts == [one, three]


async def test_partial_answer_is_sent(worker: Worker, model: DemoThread, alice: User) -> None:
    first = await answered(alice, prompt("reset-late"))
    second = await answered(alice, prompt("whole"), first.conversation)
    body = (await closed(model, second)).body
    assert body["messages"][1] == {
        "role": "assistant",
        "content": [{"type": "text", "text": first.message.text}],
    }


async def test_request_after_an_empty_answer(
    worker: Worker, model: DemoThread, alice: User
) -> None:
    """Two prompts in a row become one turn: turns alternate, and none is empty."""
    first = await answered(alice, one := prompt("empty"))
    second = await answered(alice, two := prompt("whole"), first.conversation)
    (turn,) = (await closed(model, second)).body["messages"]
    assert [block["text"] for block in turn["content"]] == [one, two]


async def test_replaced_answer_is_not_sent(worker: Worker, model: DemoThread, alice: User) -> None:
    first = await answered(alice, prompt("truncated"))
    await in_thread(services.retry, alice, first.message.pk)
    again = await finished(await Generation.objects.aget(status__in=Generation.RUNNING))
    third = await answered(alice, prompt("whole"), first.conversation)
    body = (await closed(model, third)).body
    assert len(body["messages"]) == 3 and again.message.pk != first.message.pk
