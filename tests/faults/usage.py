"""What a process has of the system: memory, files, threads; read from Linux's /proc (proc(5))."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

MB = 1024 * 1024
_NUMBER = re.compile(r"[:\[][0-9]+\]?")


class Usage:
    """Reads the numbers of one process."""

    def __init__(self, pid: int) -> None:
        self._folder = Path("/proc") / str(pid)

    @property
    def memory_mb(self) -> float:
        """What is resident now."""
        return self._status("VmRSS")

    @property
    def peak_mb(self) -> float:
        """The most that was resident since `forget_peak`."""
        return self._status("VmHWM")

    @property
    def threads(self) -> int:
        return len(list((self._folder / "task").iterdir()))

    def forget_peak(self) -> None:
        (self._folder / "clear_refs").write_text("5")

    def files(self) -> Counter[str]:
        """Return how many of each kind are open: sockets and pipes by kind, files by path."""
        links: Counter[str] = Counter()
        for link in (self._folder / "fd").iterdir():
            # One that is closed just now.
            if target := _target(link):
                links[_NUMBER.sub("", target)] += 1
        return links

    def _status(self, name: str) -> float:
        found = re.search(rf"{name}:\s+(\d+) kB", (self._folder / "status").read_text())
        assert found, f"no {name}: the process has ended"
        return int(found[1]) / 1024


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return ""
