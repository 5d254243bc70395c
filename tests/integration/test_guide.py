"""What of docs/deployment.md can be tried without a machine of its own (tests/deployment)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from deploy.servers import ROOT, find_program
from tests.deployment.guide import Step, read_steps

BASH = find_program("bash", "bash")
GUIDE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")


def test_blocks_of_shell_are_steps() -> None:
    markdown = "# A\n\n```sh\none\n# two\n```\n\n```text\nno\n```\n## B\n```sh\nthree\n```\n"
    assert read_steps(markdown) == [Step("A", "one\n# two\n"), Step("B", "three\n")]


def test_block_without_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="'A' is not closed"):
        read_steps("# A\n```sh\none\n")


def test_every_step_is_shell() -> None:
    for step in read_steps(GUIDE):
        subprocess.run([BASH, "-n"], input=step.commands, text=True, check=True)


def test_production_settings_pass_the_deployment_check(tmp_path: Path) -> None:
    """The settings that the guide writes, and no others."""
    (step,) = [step for step in read_steps(GUIDE) if step.section == "3. Settings"]
    lines = [line for line in step.commands.splitlines() if not line.startswith("chgrp")]
    commands = "\n".join(lines).replace("/etc/chat", str(tmp_path))
    base = {"PATH": os.environ["PATH"], "SITE": "chat.example.org"}
    subprocess.run([BASH, "-euc", commands], env=base, check=True)
    written = {name: value or "" for name, value in dotenv_values(tmp_path / "env").items()}
    assert written["SECRET_KEY"]
    check = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(check, cwd=ROOT, env=base | written, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "System check identified no issues (0 silenced).\n"
