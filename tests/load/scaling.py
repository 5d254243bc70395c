"""`python -m tests.load.scaling`: what a site of any size takes; writes it into docs/scaling.md.

    scaling_measure.py -> scaling_simulate.py, scaling_sums.py -> scaling_tables.py -> the page

Memory is taken from what `make bench` wrote, where there is such a file.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.servers import ROOT
from tests.load import growth, scaling_tables
from tests.load.documents import fill
from tests.load.scaling_measure import Measured, measure_alone, measure_shared
from tests.load.scaling_rig import alone, shared
from tests.load.scaling_runs import PEOPLE, Trial
from tests.load.scaling_simulate import simulate_all, simulate_groups
from tests.load.scaling_sums import Assumptions, Sums
from tests.load.simulation import Costs, Pace, Take
from tests.load.size import Size
from tests.load.workbench import Workbench

DOCUMENT = ROOT / "docs" / "scaling.md"


def main() -> None:
    options = _options()
    if not options.again:
        options.json.write_text(json.dumps(_measure(options.bench)), encoding="utf-8")
    parts = scaling_tables.parts(_report(json.loads(options.json.read_text(encoding="utf-8"))))
    fill(DOCUMENT, parts)
    print(*parts.values(), sep="\n\n")


def _measure(bench_file: Path) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(prefix="chat-") as folder,
        Workbench(Path(folder), PEOPLE) as bench,
    ):
        memory_kb = _memory_kb(bench, bench_file)
        print("Measuring one process with SQLite.", flush=True)
        with alone(bench) as rig:
            of_one = measure_alone(rig)
        print("Measuring three with PostgreSQL and Redis.", flush=True)
        with shared(bench) as rig:
            of_many = measure_shared(rig, of_one.costs)
    of_many.units |= memory_kb
    at = f"{datetime.now(UTC):%d %B %Y}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return {"at": at, "alone": asdict(of_one), "shared": asdict(of_many)}


def _memory_kb(bench: Workbench, bench_file: Path) -> dict[str, float]:
    """Return what a process, a stream and a socket hold: of the benchmark, or measured now."""
    size = Size()
    names = {
        "rest_kb": "process at rest",
        "stream_kb": f"each of {size.streams} streams",
        "socket_kb": f"each of {size.idle} idle sockets",
    }
    found: dict[str, float] = {}
    if bench_file.exists():
        figures = json.loads(bench_file.read_text(encoding="utf-8"))["figures"]
        found = {figure["what"]: figure["value"] for figure in figures}
    if not found.keys() >= set(names.values()):
        print("Measuring memory.", flush=True)
        found = {figure.what: figure.value for figure in growth.memory(bench, size)}
    kb = {name: found[what] for name, what in names.items()}
    return {**kb, "rest_kb": kb["rest_kb"] * 1024}  # the one that is given in MB


def _report(data: dict[str, Any]) -> scaling_tables.Report:
    of_one, of_many = _measured(data["alone"]), _measured(data["shared"])
    sums = Sums(of_many, Assumptions(), _pace())
    takes = of_one.trials[0].takes
    print("Simulating.", flush=True)
    groups, whole = simulate_groups(sums, takes), simulate_all(sums, takes)
    return scaling_tables.Report(f"Measured on {data['at']}.", of_one, sums, groups, whole)


def _measured(data: dict[str, Any]) -> Measured:
    trials = [
        Trial(**{**trial, "takes": [Take(*take) for take in trial["takes"]]})
        for trial in data["trials"]
    ]
    return Measured(Costs(**data["costs"]), data["units"], trials)


def _pace() -> Pace:
    """Return the intervals that the site keeps."""
    import django

    import tests.environment  # noqa: F401  (sets the environment)

    os.environ["DJANGO_SETTINGS_MODULE"] = "chatsite.settings"
    django.setup()
    from chat.events.commit import COMMIT_INTERVAL_S
    from chat.events.exchange import PULSE_S
    from chat.relay.pace import EARLY_S, FRAME_INTERVAL_S, SLOW_INTERVAL_S

    return Pace(COMMIT_INTERVAL_S, FRAME_INTERVAL_S, SLOW_INTERVAL_S, EARLY_S, PULSE_S)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load.scaling", description=__doc__)
    parser.add_argument("--bench", type=Path, default=Path("bench.json"), metavar="FILE")
    parser.add_argument("--json", type=Path, default=Path("scaling.json"), metavar="FILE")
    parser.add_argument("--again", action="store_true", help="with what was measured before")
    return parser.parse_args()


if __name__ == "__main__":
    main()
