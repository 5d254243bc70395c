"""What ends a command early: a signal, or a reader of its output that is gone."""

from __future__ import annotations

import asyncio
import signal
from typing import Self

from chat.terminal.output import Output

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class EarlyEnd:
    """Waits for the first of them; a second signal ends the process as it always would.

    A context manager, for the loop of the main thread. `code` is what a shell would say.
    """

    def __init__(self, output: Output) -> None:
        self.code = 0
        self._output = output
        self._loop = asyncio.get_running_loop()
        self._asked = asyncio.Event()

    def __enter__(self) -> Self:
        for number in SIGNALS:
            # Those of `nohup`, and of a shell's background jobs, stay ignored.
            if signal.getsignal(number) != signal.SIG_IGN:
                self._loop.add_signal_handler(number, self._end, number)
        # A pipe says by an error, for which nobody has to write, that its reader is gone (poll(2)).
        if self._output.pipe is not None:
            self._loop.add_reader(self._output.pipe, self._end, signal.SIGPIPE)
        return self

    def __exit__(self, *error: object) -> None:
        self._listen_no_more()

    async def wait(self) -> None:
        await self._asked.wait()

    @property
    def is_broken(self) -> bool:
        """Whether nobody reads any more."""
        return self.code == 128 + signal.SIGPIPE

    def reader_is_gone(self) -> None:
        """Note what a write found out first."""
        self._end(signal.SIGPIPE)

    def _end(self, number: signal.Signals) -> None:
        self._listen_no_more()
        if number == signal.SIGPIPE:
            self._output.break_off()
        if not self.code:
            self.code = 128 + number
        self._asked.set()

    def _listen_no_more(self) -> None:
        for number in SIGNALS:
            self._loop.remove_signal_handler(number)
        if self._output.pipe is not None:
            self._loop.remove_reader(self._output.pipe)
