from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import anthropic
import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic, DefaultAioHttpClient

from chat.demo.pace import Pace
from chat.demo.server import DemoServer
from chat.demo.steps import Answer, Scenario, Stall, Start, Text

MODEL = "claude-sonnet-5-5"
QUICK = Pace(first_word_s=0.0, tokens_per_s=1_000_000.0)
CLOSE_S = 0.1


def ask(prompt: str, **options: Any) -> dict[str, Any]:
    turn = {"role": "user", "content": prompt}
    return {"model": MODEL, "max_tokens": 20_000, "messages": [turn], **options}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[DemoServer]:
    demo = DemoServer(pace=QUICK)
    await demo.start()
    yield demo
    await demo.stop()


@pytest_asyncio.fixture(params=["httpx2", "aiohttp"])
async def client(
    server: DemoServer, request: pytest.FixtureRequest
) -> AsyncIterator[AsyncAnthropic]:
    http = DefaultAioHttpClient() if request.param == "aiohttp" else None
    async with AsyncAnthropic(
        base_url=server.base_url, api_key="demo", max_retries=0, http_client=http
    ) as sdk:
        yield sdk


@pytest.mark.asyncio
async def test_stream_and_whole_answer_are_the_same(client: AsyncAnthropic) -> None:
    async with client.messages.stream(**ask("Write a poem")) as stream:
        streamed = await stream.get_final_message()
    whole = await client.messages.create(**ask("Write a poem"))
    assert streamed.content[0].text == whole.content[0].text
    assert streamed.usage.output_tokens == whole.usage.output_tokens
    assert streamed.stop_reason == whole.stop_reason == "end_turn"


@pytest.mark.asyncio
async def test_count_tokens(client: AsyncAnthropic) -> None:
    options = {key: value for key, value in ask("Hello").items() if key != "max_tokens"}
    short = await client.messages.count_tokens(**options)
    options["messages"][0]["content"] *= 100
    assert (await client.messages.count_tokens(**options)).input_tokens > short.input_tokens


@pytest.mark.asyncio
async def test_models(client: AsyncAnthropic) -> None:
    models = [model async for model in client.models.list()]
    assert [model.id for model in models] == [MODEL, "claude-haiku-5-5", "claude-opus-5-5"]
    assert all(model.display_name.endswith("(demo)") for model in models)
    assert (await client.models.retrieve(MODEL)).id == MODEL


@pytest.mark.asyncio
# The SDK knows that this one is retired, and says so.
@pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")
async def test_unknown_model_is_not_found(client: AsyncAnthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as refusal:
        await client.messages.create(**ask("Hello", model="claude-sonnet-4-20250514"))
    assert refusal.value.type == "not_found_error"
    assert refusal.value.request_id and refusal.value.request_id.startswith("req_")


@pytest.mark.asyncio
@pytest.mark.parametrize(("display", "is_shown"), [("summarized", True), ("omitted", False)])
async def test_thinking(client: AsyncAnthropic, display: str, is_shown: bool) -> None:
    options = ask("Why?", thinking={"type": "adaptive", "display": display})
    async with client.messages.stream(**options) as stream:
        deltas = [event.delta.type async for event in stream if event.type == "content_block_delta"]
        message = await stream.get_final_message()
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert ("thinking_delta" in deltas) is is_shown
    assert deltas.count("signature_delta") == 1 and message.content[0].signature


@pytest.mark.asyncio
async def test_tool_round_trip(client: AsyncAnthropic) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    options = ask("Weather in Oslo?", tools=[{"name": "weather", "input_schema": schema}])
    async with client.messages.stream(**options) as stream:
        called = await stream.get_final_message()
    use = called.content[-1]
    assert (called.stop_reason, use.input) == ("tool_use", {"city": "Oslo"})
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "Sunny, 21"}
    options["messages"] += [called.to_param(), {"role": "user", "content": [result]}]
    answered = await client.messages.create(**options)
    assert "Sunny, 21" in answered.content[0].text


@pytest.mark.asyncio
async def test_max_tokens(client: AsyncAnthropic) -> None:
    message = await client.messages.create(**ask("Why?", max_tokens=10))
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 10)


async def post(server: DemoServer, path: str = "/v1/messages", **options: Any) -> tuple[int, Any]:
    options.setdefault("headers", {"Authorization": "Bearer demo"})
    method = options.pop("method", "POST")
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, server.base_url + path, **options) as response,
    ):
        assert response.headers["request-id"].startswith("req_")
        return response.status, await response.json()


@pytest.mark.asyncio
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer "}, {"x-api-key": " "}])
async def test_key_is_needed(server: DemoServer, headers: dict[str, str]) -> None:
    status, body = await post(server, json=ask("Hello"), headers=headers)
    assert (status, body["error"]["type"]) == (401, "authentication_error")


@pytest.mark.asyncio
async def test_key_is_not_kept(server: DemoServer) -> None:
    status, _ = await post(server, json=ask("Hello"), headers={"x-api-key": "secret"})
    assert status == 200 and server.requests[0].has_key
    assert "secret" not in repr(server.requests)


@pytest.mark.asyncio
async def test_body_over_32_mb_is_refused(server: DemoServer) -> None:
    status, body = await post(server, data=io.BytesIO(b" " * (32 * 1024 * 1024 + 1)))
    assert (status, body["error"]["type"]) == (413, "request_too_large")


@pytest.mark.asyncio
async def test_body_that_is_no_json_is_refused(server: DemoServer) -> None:
    status, body = await post(server, data=b"{")
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/messages"), ("POST", "/"), ("PUT", "/v1/models"), ("GET", "/v1/models/nobody")],
)
async def test_unknown_route_is_not_found(server: DemoServer, method: str, path: str) -> None:
    status, body = await post(server, path, method=method)
    assert (status, body["type"], body["error"]["type"]) == (404, "error", "not_found_error")


@pytest.mark.asyncio
async def test_wire_format(server: DemoServer) -> None:
    server.scenarios["two"] = Scenario("", Text(["Hé", "!"]))
    async with (
        aiohttp.ClientSession(headers={"x-api-key": "demo"}) as session,
        session.post(
            f"{server.base_url}/v1/messages", json=ask("/demo two", stream=True)
        ) as response,
    ):
        assert response.content_type == "text/event-stream"
        frames = (await response.read()).decode().split("\n\n")
    assert [frame.split("\n")[0] for frame in frames if frame] == [
        "event: message_start",
        "event: ping",
        "event: content_block_start",
        "event: content_block_delta",
        "event: content_block_delta",
        "event: content_block_stop",
        "event: message_delta",
        "event: message_stop",
    ]
    assert frames[3].split("\n")[1] == (
        'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hé"}}'
    )


@pytest.mark.asyncio
async def test_cut_utf8_arrives_in_two_reads(server: DemoServer) -> None:
    async with (
        aiohttp.ClientSession(headers={"x-api-key": "demo"}) as session,
        session.post(
            f"{server.base_url}/v1/messages", json=ask("/demo cut-utf8", stream=True)
        ) as response,
    ):
        reads = [data async for data in response.content.iter_any()]
    assert any(data.endswith("日".encode()[:1]) for data in reads)
    assert "日本語 and 👍" in b"".join(reads).decode()


@pytest.mark.asyncio
async def test_reset_and_close_differ_on_the_wire(server: DemoServer) -> None:
    outcomes: list[bool | str] = []
    for name in ("reset-late", "closed-late"):
        host, port = server.base_url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        body = json.dumps(ask(f"/demo {name}", stream=True)).encode()
        head = (
            f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nX-Api-Key: k\r\nContent-Length: {len(body)}"
        )
        writer.write(head.encode() + b"\r\n\r\n" + body)
        try:
            outcomes.append((await reader.read()).endswith(b"0\r\n\r\n"))
        except ConnectionResetError:
            outcomes.append("reset")
        writer.close()
    assert outcomes == ["reset", False]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "scenario"),
    [
        ("between-deltas", Scenario("", Text("word " * 1000, interval_s=0.5))),
        ("in-a-stall", Scenario("", Start(), Stall())),
    ],
)
async def test_client_that_goes_is_noticed_at_once(
    server: DemoServer, client: AsyncAnthropic, name: str, scenario: Scenario
) -> None:
    server.scenarios[name] = scenario
    async with client.messages.stream(**ask(f"/demo {name}")) as stream:
        assert (await anext(aiter(stream))).type == "message_start"
        (record,) = server.requests
        assert record.closed_at is None
        left_at = time.time()
    await server.wait_closed(record, timeout_s=1.0)
    assert record.closed_by == "client"
    assert record.closed_at is not None and record.closed_at - left_at < CLOSE_S


@pytest.mark.asyncio
async def test_client_that_goes_before_the_headers_is_noticed(
    server: DemoServer, client: AsyncAnthropic
) -> None:
    task = asyncio.create_task(client.messages.create(**ask("/demo stall-headers", stream=True)))
    (record,) = await server.wait_requests(1)
    await server.wait_until(lambda: record.scenario == "stall-headers")
    task.cancel()
    left_at = time.time()
    await server.wait_closed(record, timeout_s=1.0)
    assert record.closed_at is not None and record.closed_at - left_at < CLOSE_S


@pytest.mark.asyncio
async def test_record_of_a_whole_answer(server: DemoServer, client: AsyncAnthropic) -> None:
    async with client.messages.stream(**ask("Hello")) as stream:
        await stream.until_done()
    record = await server.wait_closed(server.requests[0])
    assert (record.closed_by, record.status, record.path) == ("server", 200, "/v1/messages")
    assert record.body["messages"][0]["content"] == "Hello"
    assert record.headers["anthropic-version"] == "2026-10-21"
    assert record.started_at <= record.first_byte_at <= record.closed_at  # type: ignore[operator]
    assert record.events_sent > 10


@pytest.mark.asyncio
async def test_stop_cuts_what_runs(server: DemoServer, client: AsyncAnthropic) -> None:
    async with client.messages.stream(**ask("/demo stall-early")) as stream:
        await anext(aiter(stream))
        await asyncio.wait_for(server.stop(), 2.0)
        assert server.requests[0].closed_by == "server"


@pytest.mark.asyncio
async def test_pace_of_the_first_word_and_after(client: AsyncAnthropic, server: DemoServer) -> None:
    server.pace = Pace(first_word_s=0.2, tokens_per_s=1000.0)
    began = time.monotonic()
    async with client.messages.stream(**ask("Tell me a short story")) as stream:
        await anext(aiter(stream.text_stream))
        first_s = time.monotonic() - began
        usage = (await stream.get_final_message()).usage
    took_s = time.monotonic() - began
    assert 0.2 <= first_s < 0.6
    assert 0.2 + usage.output_tokens / 1000 * 0.8 < took_s < 2.0


@pytest.mark.asyncio
async def test_many_streams_at_once(server: DemoServer, client: AsyncAnthropic) -> None:
    server.pace = Pace(first_word_s=0.05, tokens_per_s=1000.0)

    async def text(n: int) -> str:
        async with client.messages.stream(**ask(f"Question {n}")) as stream:
            return await stream.get_final_text()

    texts = await asyncio.gather(*(text(n) for n in range(20)))
    assert [n for n, said in enumerate(texts) if f"Question {n}" not in said] == []
    assert len(server.requests) == 20


@pytest.mark.asyncio
async def test_log_holds_no_text() -> None:
    lines: list[dict[str, Any]] = []
    server = DemoServer(pace=QUICK, log=lines.append)
    await server.start()
    await post(server, json=ask("/demo whole\nsecret words"))
    await server.stop()
    assert [line["event"] for line in lines] == ["request", "closed"]
    assert (lines[0]["scenario"], lines[0]["model"]) == ("whole", MODEL)
    assert lines[1]["closed_by"] == "server" and "secret" not in repr(lines)


@pytest.mark.asyncio
async def test_records_are_bounded() -> None:
    server = DemoServer(pace=QUICK, keep=2, scenarios={"own": Scenario("", Answer())})
    await server.start()
    for prompt in ("One", "Two", "/demo own"):
        await post(server, json=ask(prompt))
    await server.stop()
    assert [record.scenario for record in server.requests] == [None, "own"]
