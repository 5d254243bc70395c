"""The npm packages that the programs of these tests use: installed once, as the lock file says."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
INSTALLED = HERE / "node_modules"
WITHOUT_NODE = (
    "node and npm are missing: install Node.js 18 or newer with its npm, "
    "for example with `apt-get install nodejs npm`."
)
_LOCK = HERE / "package-lock.json"
_INSTALLED_LOCK = INSTALLED / ".installed-lock.json"
INSTALL_S = 300


def missing(how_to_get_it: str) -> None:
    """Skip what needs something that is not here; where everything has to run, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(how_to_get_it, pytrace=False)
    pytest.skip(how_to_get_it)


def find_node() -> str:
    """Return the path of node, with npm beside it."""
    if not (node := shutil.which("node")) or not shutil.which("npm"):
        missing(WITHOUT_NODE)
    return str(node)


def install() -> Path:
    """Install the packages where that was not done yet; return their folder."""
    find_node()
    # The processes that run tests at once come here together; the first one installs.
    with _LOCK.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_installed():
            _install()
    return INSTALLED


def _is_installed() -> bool:
    return _INSTALLED_LOCK.exists() and _INSTALLED_LOCK.read_bytes() == _LOCK.read_bytes()


def _install() -> None:
    command = [str(shutil.which("npm")), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=INSTALL_S)
    if done.returncode:
        missing(f"`npm ci` in {HERE} failed; it needs a network:\n{done.stderr[-2000:]}")
    shutil.copyfile(_LOCK, _INSTALLED_LOCK)
