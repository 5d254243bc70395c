"""A fuzzer against the running site and what its OpenAPI document says of it.

Schemathesis sends what the document allows and what it does not, follows its links, and checks
each answer: its status, headers and content are described, nothing is a 5xx, what is wrong is
refused, and what is right is not. It runs as a program of its own, beside this one's settings.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.site_process import SiteProcess

MAX_S = 60
GIVE_UP_S = 240  # where the machine is busy: what has begun is finished
SEED = 20_261_129
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.long
def test_fuzzer_finds_nothing(site: SiteProcess, token: str, tmp_path: Path) -> None:
    fuzzer = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "--config-file", CONFIGURATION),
            *("run", f"{site.base_url}/api/schema", "--header", f"Authorization: Bearer {token}"),
            *("--checks", "all", "--seed", str(SEED), "--max-time", str(MAX_S)),
            *("--continue-on-failure", "--max-examples", "30"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=GIVE_UP_S,
    )
    print(fuzzer.stdout)
    assert (fuzzer.returncode, fuzzer.stderr) == (0, ""), fuzzer.stdout
    assert re.search(r"Selected: (\d+)/\1\s+Tested: \1\n", fuzzer.stdout), "not all were tested"
