"""Plays steps as an answer: what each step means, and when its pieces are sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from chat.demo import steps as s
from chat.demo.api_error import ApiError
from chat.demo.message import MessageWriter, new_id
from chat.demo.pace import Pace, Schedule
from chat.demo.reply import Reply, reply_to
from chat.demo.request import Request, without_command
from chat.demo.tool_input import ToolCall, call_of
from chat.demo.wire import Sink, forever, frame

# How often a silent answer shows that it lives. The API's own interval is not documented.
PING_INTERVAL_S = 5.0


class CutConnection(Exception):
    """The script wants the connection dropped now."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self.reset = reset


class Player:
    def __init__(self, request: Request, sink: Sink, pace: Pace) -> None:
        self._request = request
        self._sink = sink
        self._pace = pace
        self._message = MessageWriter(request, sink)
        self._schedule = Schedule()

    async def play(self, steps: Sequence[s.Step]) -> None:
        """Play the steps and end the answer.

        Raises: ApiError for a step that refuses the request, CutConnection for `Cut`.
        """
        for step in steps:
            if await self._ends_with(step):
                return
        await self._message.finish("end_turn")

    async def _ends_with(self, step: s.Step) -> bool:
        """Play one step; say whether it ends the answer."""
        match step:
            case s.Answer():
                await self._answer(reply_to(self._request))
            case s.Finish(stop_reason, stop_details):
                await self._message.finish(stop_reason, stop_details=stop_details)
            case s.Refuse(category, explanation):
                details = {"type": "refusal", "category": category, "explanation": explanation}
                await self._message.finish("refusal", stop_details=details)
            case s.End():
                await self._sink.end()
            case s.Cut(reset):
                raise CutConnection(reset=reset)
            case s.Stall():
                await forever()
            case s.Status(code, error_type, message, headers):
                raise ApiError(error_type, message, status=code, headers=headers)
            case _:
                await self._continue_with(step)
                return False
        return True

    async def _continue_with(self, step: s.Step) -> None:
        match step:
            case s.Start():
                await self._message.start()
            case s.Raw(data):
                await self._sink.raw(data)
            case s.Event(event_type, payload):
                await self._sink.event(event_type, payload)
            case s.Wait(seconds):
                await self._schedule.wait(seconds)
            case s.Pings(n, interval_s):
                await self._pings(n, interval_s)
            case _:
                await self._content(step)

    async def _content(self, step: s.Step) -> None:
        match step:
            case s.Text():
                await self._message.open_text()
                await self._text(step.pieces(), step.interval_s)
            case s.SplitText(text, pause_s):
                await self._split_text(text, pause_s)
            case s.Thinking():
                await self._think(step)
            case s.Delta(delta):
                if not self._message.is_open:
                    await self._message.open_text()
                await self._message.delta(delta)
            case s.Block():
                await self._block(step)
            case s.ToolUse():
                await self._tool_use(step)

    async def _text(self, pieces: Iterable[str], interval_s: float) -> None:
        for piece in pieces:
            await self._schedule.wait(interval_s)
            await self._message.text(piece)

    async def _split_text(self, text: str, pause_s: float) -> None:
        await self._message.open_text()
        delta = {"type": "text_delta", "text": text}
        data = frame("content_block_delta", {"index": self._message.index, "delta": delta})
        middle = next((at for at, byte in enumerate(data) if byte >= 0x80), len(data) // 2) + 1
        await self._sink.raw(data[:middle])
        await self._schedule.wait(pause_s)
        await self._sink.raw(data[middle:])

    async def _think(self, step: s.Thinking) -> None:
        await self._message.open({"type": "thinking", "thinking": "", "signature": ""})
        for at in range(0, len(step.text), step.chunk):
            await self._schedule.wait(step.interval_s)
            await self._message.thought(step.text[at : at + step.chunk])
        await self._message.sign()
        await self._message.close()

    async def _block(self, step: s.Block) -> None:
        await self._message.open(step.start)
        for delta in step.deltas:
            await self._schedule.wait(step.interval_s)
            await self._message.delta(delta)
        await self._message.close()

    async def _tool_use(self, step: s.ToolUse) -> None:
        call = ToolCall(step.name or "get_weather", step.input or {"location": "Paris"})
        tools = self._request.tools
        if step.name is None and step.input is None and tools:
            call = call_of(tools[0], without_command(self._request.prompt))
        data = json.dumps(call.input, ensure_ascii=False)
        pieces = [data[at : at + step.chunk] for at in range(0, len(data), step.chunk)]
        await self._call_tool(call.name, ((piece, step.interval_s) for piece in pieces))

    async def _call_tool(self, name: str, pieces: Iterable[tuple[str, float]]) -> None:
        block = {"type": "tool_use", "id": new_id("toolu"), "name": name, "input": {}}
        await self._message.open(block)
        # The API sends an empty piece first.
        await self._message.delta({"type": "input_json_delta", "partial_json": ""})
        for piece, wait_s in pieces:
            await self._schedule.wait(wait_s)
            await self._message.delta({"type": "input_json_delta", "partial_json": piece})
        await self._message.close()

    async def _pings(self, n: int, interval_s: float) -> None:
        await self._message.start()
        for _ in range(n):
            await self._schedule.wait(interval_s)
            await self._message.ping()

    async def _answer(self, reply: Reply) -> None:
        await self._message.start()
        await self._silence(self._pace.first_word_s)
        if reply.thinking is not None:
            await self._think_at_pace(reply)
        if reply.text:
            await self._message.open_text()
            for piece, wait_s in self._pace.deltas(reply.text, self._request.prompt):
                await self._silence(wait_s)
                await self._message.text(piece)
        if reply.tool is not None:
            data = json.dumps(reply.tool.input, ensure_ascii=False)
            await self._call_tool(reply.tool.name, self._pace.deltas(data, reply.tool.name))
        await self._message.finish(reply.stop_reason, stop_sequence=reply.stop_sequence)

    async def _think_at_pace(self, reply: Reply) -> None:
        thinking = reply.thinking or ""
        await self._message.open({"type": "thinking", "thinking": "", "signature": ""})
        deltas = list(self._pace.deltas(thinking, self._request.prompt))
        if reply.shows_thinking:
            for piece, wait_s in deltas:
                await self._silence(wait_s)
                await self._message.thought(piece)
            await self._message.sign()
        else:
            await self._silence(sum(wait_s for _, wait_s in deltas))
            await self._message.sign(hidden_thought=thinking)
        await self._message.close()

    async def _silence(self, seconds: float) -> None:
        """Wait, with a ping now and then where it takes long."""
        while seconds > PING_INTERVAL_S:
            await self._schedule.wait(PING_INTERVAL_S)
            await self._message.ping()
            seconds -= PING_INTERVAL_S
        await self._schedule.wait(seconds)
