"""A demo server on an event loop of its own, in a thread: for tests and for code without a loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Any, TypeVar

from chat.demo.pace import Pace
from chat.demo.records import Log, RequestRecord
from chat.demo.server import DEFAULT_PACE, DemoServer
from chat.demo.steps import Attempts, Rounds, Scenario, Step

T = TypeVar("T")

_START_STOP_S = 10.0


class DemoThread:
    """Runs a DemoServer while the `with` block lasts. Every method is safe from any thread."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        pace: Pace = DEFAULT_PACE,
        scenarios: Mapping[str, Scenario] | None = None,
        log: Log | None = None,
    ) -> None:
        """`log` is called in the server's thread."""
        self.server = DemoServer(host=host, port=port, pace=pace, scenarios=scenarios, log=log)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="demo-model", daemon=True)

    def __enter__(self) -> DemoThread:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> str:
        """Start the thread and return the base URL; a DemoThread starts once."""
        self._thread.start()
        try:
            return self._call(self.server.start(), _START_STOP_S)
        except BaseException:
            self._end_loop()
            raise

    def stop(self) -> None:
        """Cut what is still running, and end the thread."""
        if self._loop.is_closed():
            return
        try:
            self._call(self.server.stop(), _START_STOP_S)
        finally:
            self._end_loop()

    @property
    def base_url(self) -> str:
        return self.server.base_url

    @property
    def requests(self) -> list[RequestRecord]:
        """A copy of the newest records; the records themselves go on changing."""
        return list(self.server.requests)

    def script(self, name: str, *steps: Step | Attempts | Rounds, description: str = "") -> None:
        """Add the scenario that prompts with the first line `/demo NAME` play from now on."""
        self.server.scenarios[name] = Scenario(description or "A scenario of a test", *steps)

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
        """Block until a condition over the records holds. Raises: TimeoutError."""
        self._call(self.server.wait_until(condition, timeout_s), timeout_s + 1)

    def wait_closed(self, record: RequestRecord, timeout_s: float = 5.0) -> RequestRecord:
        """Block until the exchange is over, whoever ended it. Raises: TimeoutError."""
        return self._call(self.server.wait_closed(record, timeout_s), timeout_s + 1)

    def wait_requests(self, count: int, timeout_s: float = 5.0) -> list[RequestRecord]:
        """Block until `count` requests came in all. Raises: TimeoutError."""
        return self._call(self.server.wait_requests(count, timeout_s), timeout_s + 1)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(timeout_s)

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_STOP_S)
