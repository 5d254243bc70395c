"""Complete `.env` for a development machine, before Django reads it.

`make run` calls this on every start: it adds what is missing (DEBUG, SECRET_KEY) and never
changes a line that stands there, so that a deployment's own `.env` is left as it is.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

ENV_FILE = Path(__file__).resolve().parent.parent / ".env"


def complete_env_file(path: Path) -> None:
    """Append a default for each variable that neither the file nor the environment sets."""
    written = dotenv_values(path)
    defaults = {"DEBUG": "on", "SECRET_KEY": secrets.token_urlsafe(50)}
    missing = {name: value for name, value in defaults.items() if not _is_set(name, written)}
    if not missing:
        return
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    separator = "" if old.endswith("\n") or not old else "\n"
    lines = "".join(f"{name}={value}\n" for name, value in missing.items())
    path.touch(mode=0o600)
    path.write_text(old + separator + lines, encoding="utf-8")


def _is_set(name: str, written: Mapping[str, str | None]) -> bool:
    names = (name, f"{name}_FILE")
    return any(written.get(either) or os.environ.get(either) for either in names)


if __name__ == "__main__":
    complete_env_file(ENV_FILE)
