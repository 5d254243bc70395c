"""The requests of one answer: ask Claude, run the tools that it calls, ask again.

    write -> _ask (attempts of a request) -> _relay_stream (one stream) -> calls.run -> again

A request is made again only before its own first content; what earlier ones brought stays.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from chat import calls, errors, events, metrics
from chat.claude.request import Request
from chat.content import Block
from chat.context import is_blank, messages_with_answer, messages_with_results
from chat.ending import Answer
from chat.kinds import REQUEST, RETRY, TOOL_RESULT
from chat.retry import MAX_RETRIES, wait_before_retry

if TYPE_CHECKING:
    from chat.claude.stream import Claude  # With the SDK; who runs the site has imported it.


@dataclass(frozen=True)
class Rounds:
    """Writes one answer into its log.

    Args:
        max_retry_wait_s: bounds all waits of one request together, in seconds.
        caller: whose tools may be called, and how many requests may follow the first one.
    """

    claude: Claude
    max_retry_wait_s: float
    log: events.Log
    answer: Answer
    caller: calls.Caller

    async def write(self, request: Request) -> None:
        """Make the first request, and those that follow from it.

        The log begins with it already: whoever takes an answer notes it at once.

        Raises:
            GenerationError: one of them failed for good.
            LogClosed: the answer was taken away.
        """
        for number in count(1):
            before = len(self.answer.content.blocks())
            await self._ask(request, number)
            said = self.answer.content.blocks()[before:]
            following = await self._following(request, number, said)
            if following is None:
                return
            request = following

    async def _following(self, request: Request, number: int, said: list[Block]) -> Request | None:
        """Return the request that goes on with what Claude said; None where that is its answer."""
        left = self.caller.toolset.rounds - number
        asked = calls.calls_in(said) if self.caller.toolset.tools else []
        if left < 0 or all(map(is_blank, said)):
            return None
        if self.answer.content.stop_reason == "pause_turn":
            return replace(request, messages=messages_with_answer(request.messages, said))
        if self.answer.content.stop_reason != "tool_use" or not asked:
            return None
        results = await self._run(asked)
        messages = messages_with_results(request.messages, said, results)
        # The last one has to be an answer: what tools there are it may not call.
        return replace(request, messages=messages, may_call_tools=left > 0)

    async def _run(self, asked: list[calls.Call]) -> list[Block]:
        """Run the tools, and return their results in the order of their calls."""
        results: dict[str, Block] = {}
        async with aclosing(calls.run(asked, self.caller)) as happenings:
            async for kind, data in happenings:
                await self._note(kind, data)
                if kind == TOOL_RESULT:
                    results[data["tool_use_id"]] = data
        return [results[each.id] for each in asked]

    async def _ask(self, request: Request, number: int) -> None:
        """Make a request, and make it again where it failed before its first content."""
        waited_s, attempt = 0.0, 1
        while True:
            if (number, attempt) != (1, 1):
                await self._note(REQUEST, request_data(request.model, number, attempt))
            try:
                return await self._relay_stream(request)
            except errors.GenerationError as error:
                wait_s = wait_before_retry(
                    error,
                    attempt,
                    waited_s=waited_s,
                    max_wait_s=self.max_retry_wait_s,
                    jitter=random.random(),  # noqa: S311  (no secret)
                )
                if wait_s is None or self.answer.content.has_begun:
                    raise
                attempt += 1
                metrics.retried(error.code)
                await self._note(RETRY, _retry_data(error, attempt, wait_s))
            waited_s += wait_s
            await asyncio.sleep(wait_s)

    async def _relay_stream(self, request: Request) -> None:
        """Copy one stream into the log."""
        async with self.claude.stream(request) as stream:
            self.answer.opened(stream.request_id)
            async for kind, data in stream:
                await self._note(kind, data)

    async def _note(self, kind: str, data: dict[str, Any]) -> None:
        # The same time for both: what is stored at the end tells what readers were told.
        at = datetime.now(UTC)
        self.answer.feed(kind, data, at)
        await self.log.append(kind, data, at)


def request_data(model: str, number: int = 1, attempt: int = 1) -> dict[str, Any]:
    """Return the data of a `request` event."""
    return {"number": number, "model": model, "attempt": attempt}


def _retry_data(error: errors.GenerationError, attempt: int, wait_s: float) -> dict[str, Any]:
    return {
        "error_code": error.code,
        "wait_s": round(wait_s, 3),
        "attempt": attempt,
        "attempts": MAX_RETRIES + 1,
    }
