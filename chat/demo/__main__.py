"""`python -m chat.demo`: the demo model as a process of its own, with a log of JSON lines."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from chat.demo.pace import Pace
from chat.demo.server import DEFAULT_PACE, DemoServer


def main() -> None:
    options = _options()
    with _writer(options.log) as log, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options, log))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chat.demo", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8787, help="0 takes a free one")
    parser.add_argument("--log", metavar="FILE", help="append the log here (default: stdout)")
    parser.add_argument(
        "--first-word", type=float, default=DEFAULT_PACE.first_word_s, metavar="SECONDS"
    )
    parser.add_argument(
        "--speed", type=float, default=DEFAULT_PACE.tokens_per_s, metavar="TOKENS_PER_S"
    )
    return parser.parse_args()


@contextlib.contextmanager
def _writer(path: str | None) -> Iterator[Callable[[dict[str, Any]], None]]:
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open(path, "a", encoding="utf-8")) if path else sys.stdout

        def write(entry: dict[str, Any]) -> None:
            print(json.dumps(entry), file=file, flush=True)

        yield write


async def _serve(options: argparse.Namespace, log: Callable[[dict[str, Any]], None]) -> None:
    pace = Pace(options.first_word, options.speed)
    server = DemoServer(host=options.host, port=options.port, pace=pace, log=log, keep=100)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    print(f"listening on {await server.start()}", flush=True)
    await stopped.wait()
    await server.stop()


if __name__ == "__main__":
    main()
