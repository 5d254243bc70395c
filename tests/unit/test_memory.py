"""What a process keeps of the memory that it has freed."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from chatsite.memory import give_back_large_blocks, give_back_pages

HAS_GLIBC = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")

# Frees blocks that small ones lie between, after one that raises glibc's threshold.
USE_AND_FREE = """
import re, sys
from chatsite.memory import give_back_large_blocks, give_back_pages

def resident_mb():
    with open("/proc/self/status") as file:
        return int(re.search(r"RssAnon:\\s+(\\d+) kB", file.read())[1]) / 1024

block_bytes = int(sys.argv[1])
if "fixed" in sys.argv:
    give_back_large_blocks()
large = bytearray(b"x") * 20_000_000
del large
before, kept, blocks = resident_mb(), [], []
for _ in range(50_000_000 // block_bytes):
    blocks.append(bytearray(b"x") * block_bytes)
    kept.append(bytes(600))
del blocks
if "trimmed" in sys.argv:
    give_back_pages()
print(resident_mb() - before)
"""


def left_mb(block_bytes: int, *means: str) -> float:
    """Return how much more is resident after 50 MB were used and freed, in MB."""
    command = [sys.executable, "-c", USE_AND_FREE, str(block_bytes), *means]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(run.stdout)


@pytest.mark.skipif(not HAS_GLIBC, reason="other C libraries have no such threshold")
def test_freed_blocks_go_back_to_the_system() -> None:
    assert left_mb(1_000_000, "fixed") < 5 < 30 < left_mb(1_000_000)


@pytest.mark.skipif(not HAS_GLIBC, reason="other C libraries may keep or give back what they like")
def test_freed_pages_go_back_to_the_system() -> None:
    assert left_mb(50_000, "fixed", "trimmed") < 10 < 30 < left_mb(50_000, "fixed")


@pytest.mark.parametrize("answer", [None, "", OSError()])
def test_other_c_libraries_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, answer: str | OSError | None
) -> None:
    def confstr(name: str) -> str | None:
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(os, "confstr", confstr)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: pytest.fail("called"))
    give_back_large_blocks()
    give_back_pages()


def test_systems_without_that_name_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "confstr_names", {})
    monkeypatch.setattr(ctypes, "CDLL", lambda name: pytest.fail("called"))
    give_back_large_blocks()
