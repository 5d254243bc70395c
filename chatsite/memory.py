"""What the C library does with memory that the process has freed."""

from __future__ import annotations

import asyncio
import ctypes
import functools
import os

MMAP_THRESHOLD_BYTES = 512 * 1024
"""More than asyncio takes for each read of a socket, which would else have pages of its own: that
takes half as long again."""

TRIM_S = 5.0
"""So often the process gives back what lies between blocks that are in use."""

ARENAS = 2
"""In so many heaps threads make their blocks: by default each of the first 8 to a processor has one
of its own, whose free pages the others do not use."""

_M_MMAP_THRESHOLD = -3  # malloc.h
_M_ARENA_MAX = -8


def give_back_large_blocks() -> None:
    """Have every large block go back to the system as soon as it is freed.

    glibc gives blocks over a threshold pages of their own, but with each one that is freed it
    raises the threshold to that block's size, up to 32 MB. From then on such blocks come from
    the heap, where a small one behind them keeps their place for good: four answers of 20 MB left
    434 MB resident, with the threshold fixed 162 MB (mallopt(3), M_MMAP_THRESHOLD).
    """
    if _is_glibc():
        _libc().mallopt(_M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES)


def share_heaps() -> None:
    """Have all threads share a few heaps; those that have one keep it (mallopt(3), M_ARENA_MAX).

    Nearly all that Python makes it makes under its lock, so that hardly any thread waits for that.
    """
    if _is_glibc():
        _libc().mallopt(_M_ARENA_MAX, ARENAS)


async def keep_giving_back() -> None:
    """Give freed pages back to the system again and again, until cancelled."""
    while True:
        await asyncio.sleep(TRIM_S)
        await asyncio.to_thread(give_back_pages)


def give_back_pages() -> None:
    """Give back each whole page that holds nothing (malloc_trim(3)).

    glibc by itself gives back only what is free at the end of its heap: 153 MB stayed resident
    after five answers of 20 MB in small pieces. It takes 2 ms where there are 10 MB.
    """
    if _is_glibc():
        _libc().malloc_trim(0)


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def _is_glibc() -> bool:
    # Other libraries have no such name, or another meaning for its numbers.
    if "CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", ()):
        return False
    try:
        return bool(os.confstr("CS_GNU_LIBC_VERSION"))
    except OSError:
        return False
