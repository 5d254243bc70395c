"""`python -m tests.deployment`: follow docs/deployment.md on an empty Debian 12.

Every shell command of the document runs there, from its first line and as it stands, in a
container that is made for it. Somebody beside it uses the site over HTTPS meanwhile. Needs root,
and ten minutes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.servers import ROOT, ProgramMissing
from tests.deployment.guest import Guest, VisitFailed
from tests.deployment.machine import Machine
from tests.deployment.shell import StepFailed
from tests.deployment.trial import Trial, say

GUIDE = ROOT / "docs" / "deployment.md"
# As the guide names them.
SITE = "chat.example.org"
SOURCE = "root/chat.git"
CERTIFICATE = "etc/chat/tls/fullchain.pem"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.deployment", description=__doc__)
    parser.add_argument("--folder", type=Path, help="leave the machine's files here")
    folder = parser.parse_args().folder
    try:
        if folder:
            try_guide(folder.resolve())
        else:
            with tempfile.TemporaryDirectory() as temporary:
                try_guide(Path(temporary))
    except (ProgramMissing, StepFailed, VisitFailed) as error:
        sys.exit(str(error))
    say("the guide holds")


def try_guide(folder: Path) -> None:
    say("installing and booting an empty machine")
    with Machine(folder, hosts=[SITE]) as machine:
        clone = ["git", "clone", "--quiet", "--bare", str(ROOT), str(machine.root / SOURCE)]
        subprocess.run(clone, check=True)
        guest = Guest(f"https://{SITE}", machine.from_beside, machine.root / CERTIFICATE)
        try:
            Trial(machine, guest).follow(GUIDE.read_text(encoding="utf-8"))
        except (StepFailed, VisitFailed):
            print(machine.run("journalctl --no-pager --lines 60 --unit 'chat@*'"))
            raise


if __name__ == "__main__":
    main()
