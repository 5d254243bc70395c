"""What processes have used and hold, as Linux counts it (proc(5))."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_KB = re.compile(r"^(\w+): +(\d+) kB$", re.MULTILINE)


class Memory(NamedTuple):
    """`rss_kb` is what is resident, `uss_kb` what of it no other process shares."""

    rss_kb: int
    uss_kb: int


def cpu_s(pids: Iterable[int]) -> float:
    """Return the processor seconds of processes with all their threads, in sum."""
    return sum(map(_cpu_s, pids))


def memory(pids: Iterable[int]) -> Memory:
    """Return what processes hold, in sum."""
    each = [_memory(pid) for pid in pids]
    return Memory(sum(one.rss_kb for one in each), sum(one.uss_kb for one in each))


def _cpu_s(pid: int) -> float:
    # The name in the brackets may hold anything.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S  # utime, stime


def _memory(pid: int) -> Memory:
    found = _KB.findall(Path(f"/proc/{pid}/smaps_rollup").read_text())
    kb = {name: int(number) for name, number in found}
    return Memory(kb["Rss"], kb["Private_Clean"] + kb["Private_Dirty"])
